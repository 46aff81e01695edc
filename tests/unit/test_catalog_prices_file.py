"""Prices in a catalog's file: what they become, in which version, and where a problem stands."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.check_catalog import main as check_catalog
from tests.unit.building import ONE
from tests.unit.priced import BOOK
from tollkeeper.domain.catalog import Catalog, PerUnit
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.rules import Markups, PerResource, Tier, Tokens, UnknownModel, VolumeTerms
from tollkeeper.edge.catalog_file import parse_source, read_catalog, read_problems
from tollkeeper.store.versions import LARGEST_CATALOG_BYTES, version_from_item, version_to_item

ROOT = Path(__file__).parents[2]
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE = (ROOT / "tests/golden/whole_catalog.toml").read_text(encoding="utf-8")
SHIPPED = ROOT / "layers/catalog/catalog.toml"
SMALL = """
[account]
default_plan = "free"
[plans.free]
allocation = 1
[operations.sms]
rule = "per_unit"
unit = "message"
credits = 1
"""


def write(folder: Path, text: str, book: str | None = BOOK) -> Path:
    """The file, and the book beside it where there is one."""
    if book is not None:
        (folder / "prices.json").write_text(book, encoding="utf-8")
    path = folder / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Catalog:
    return read_catalog(write(tmp_path, WHOLE))


class TestWhatTheyBecome:
    def test_prices_say_what_a_credit_is_worth_and_what_is_added(self, whole: Catalog) -> None:
        prices = whole.prices

        assert prices is not None
        assert (prices.usd_per_credit_micro, prices.use_provider_cost) == (10_000, False)
        assert prices.markups == Markups(
            1_500_000, {"anthropic": 1_300_000}, (("anthropic", 1_300_000),)
        )
        assert prices.book.find("gpt-5") is not None

    def test_overrides_are_rates_by_pattern(self, whole: Catalog) -> None:
        assert whole.prices is not None
        overrides = dict(whole.prices.overrides)

        assert list(overrides) == ["own-*", "openai:gpt-5"]
        assert [each.provider for each in overrides.values()] == ["", "openai"]
        rates = overrides["own-*"].prices[0].rates
        assert {name: rate.base_atto * 10 // 10**18 for name, rate in rates.items()} == {
            "input": 10,
            "output": 85,
            "audio_hours": 3,
            "web_searches": 100,
            "requests": 50,
        }

    def test_a_rule_by_tokens_has_markups_and_a_policy_of_its_own(self, whole: Catalog) -> None:
        operation = whole.operations["llm"]
        rule = operation.rule

        assert isinstance(rule, Tokens)
        assert (rule.unknown_model, rule.output_percent) == (UnknownModel.QUARANTINE, 40)
        assert rule.markups.default_micro == 1_400_000
        assert rule.markups.by_provider == {"anthropic": 2 * ONE}
        assert dict(rule.markups.by_model)["openai:gpt-*"] == 1_300_000
        assert operation.terms == VolumeTerms(1000, 1000 * ONE, (Tier(10_000 * ONE, 80 * ONE),))
        assert operation.sizes is not None
        assert operation.sizes.typical == 3000

    def test_a_rule_by_resource_has_its_prices(self, whole: Catalog) -> None:
        assert whole.operations["render"].rule == PerResource(10_000, 2000, 1000)

    def test_a_plan_s_operation_is_the_operation_with_the_plan_s_keys(self, whole: Catalog) -> None:
        operation, here = whole.operations["llm"], whole.plans["pro"].prices["llm"]

        assert isinstance(here.rule, Tokens)
        assert here.rule.markups.default_micro == 1_200_000
        assert here.rule.unknown_model is UnknownModel.QUARANTINE
        assert here.terms == replace(operation.terms, minimum_microcredits=2000)
        assert (here.id, here.name, here.feature) == ("llm", "Llm", "llm")
        assert whole.plans["pro"].prices["render"].rule == PerResource(10_000, 2000, 500)
        assert whole.operation_on("llm", "pro") is here
        assert whole.operation_on("llm", "") is operation

    def test_an_operation_knows_whether_the_account_matters(self, whole: Catalog) -> None:
        by_account = {name for name, each in whole.operations.items() if each.by_account}
        counted = {name for name, each in whole.operations.items() if each.counts_volume}

        assert by_account == {"llm", "render"}
        assert counted == {"llm"}


class TestVersions:
    def test_the_book_is_a_part_of_the_version(self, tmp_path: Path, whole: Catalog) -> None:
        other = BOOK.replace('"1.25"', '"1.26"')

        assert other != BOOK
        assert read_catalog(write(tmp_path, WHOLE, other)).version != whole.version
        same = read_catalog(write(tmp_path, f"{WHOLE}\n# a comment\n"))
        assert same.version == whole.version

    def test_a_file_without_prices_does_not_look_at_a_book(self, tmp_path: Path) -> None:
        alone = read_catalog(write(tmp_path, SMALL, None))
        beside = read_catalog(write(tmp_path, SMALL, "no book"))

        assert (alone.version, alone.prices) == (beside.version, None)

    def test_a_stored_version_is_read_back_with_its_book(self, whole: Catalog) -> None:
        again = parse_source(whole.source)

        assert again.prices is not None
        assert whole.prices is not None
        assert again.prices.book.find("gpt-5") == whole.prices.book.find("gpt-5")
        prices = replace(again.prices, book=whole.prices.book)
        assert replace(again, prices=prices) == whole

    def test_a_version_that_was_stored_without_prices_is_still_read(self) -> None:
        stored = (
            '{"account":{"default_plan":"free"},"operations":{"sms":{"credits":1,"rule":'
            '"per_unit","unit":"message"}},"plans":{"free":{"allocation":1}}}'
        )

        catalog = parse_source(stored)
        assert catalog.operations["sms"].rule == PerUnit(ONE, "message")
        assert catalog.source == stored
        assert catalog.version == hashlib.sha256(stored.encode()).hexdigest()[:16]

    def test_the_shipped_version_fits_one_item_with_room_to_grow(self) -> None:
        catalog = read_catalog(SHIPPED)
        item = version_to_item(catalog.version, catalog.source, at=_NOON)

        assert len(item["catalog"]["B"]) < LARGEST_CATALOG_BYTES // 5
        assert parse_source(version_from_item(item)).version == catalog.version

    @pytest.mark.parametrize(
        ("book", "reason"),
        [
            (None, "needs prices.json beside this file, which cannot be read"),
            ("{", "cannot use its price book: .*prices.json: line 1: is not JSON"),
            ('{"format": 2}', "cannot use its price book: .*format: must be 1"),
            ("\udcff", "as UTF-8 text"),
        ],
    )
    def test_a_book_that_cannot_be_used_is_the_catalog_s_problem(
        self, tmp_path: Path, book: str | None, reason: str
    ) -> None:
        path = write(tmp_path, WHOLE, None)
        if book is not None:
            raw = book.encode(errors="surrogateescape")
            (tmp_path / "prices.json").write_bytes(raw)

        with pytest.raises(CatalogError) as refusal:
            read_catalog(path)
        assert refusal.value.key == "prices"
        assert re.search(reason, refusal.value.reason)

    def test_a_book_that_would_not_fit_a_version_s_item_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tollkeeper.edge.catalog_file.LARGEST_PLAIN_SOURCE", 1000)
        monkeypatch.setattr("tollkeeper.store.versions.LARGEST_CATALOG_BYTES", 100)

        with pytest.raises(CatalogError, match="too large to be kept"):
            read_catalog(write(tmp_path, WHOLE))


class TestLines:
    def test_every_problem_says_its_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = SMALL.replace("credits = 1", "credits = 0").replace('"free"\n', '"fre"\n', 1)
        path = write(tmp_path, text + "\n[plans.free.prices.smss]\ncredits = 2\n")

        assert check_catalog([str(path)]) == 1
        assert capsys.readouterr().out.splitlines() == [
            f"{path}:9: operations.sms.credits: must be greater than 0"
        ]

    def test_problems_between_tables_say_the_line_of_their_key(self, tmp_path: Path) -> None:
        text = SMALL.replace('"free"\n', '"fre"\n', 1) + (
            '[operations.llm]\nrule = "tokens"\n\n[plans.free.prices.smss]\ncredits = 2\n'
        )

        assert [each.file.rpartition(":")[2] for each in read_problems(write(tmp_path, text))] == [
            "3",
            "11",
            "13",
        ]

    def test_a_text_that_is_no_toml_says_its_line_too(self, tmp_path: Path) -> None:
        (problem,) = read_problems(write(tmp_path, SMALL + "x = \n"))

        assert problem.file.endswith("catalog.toml:10")
        assert problem.key == "line 10"

    def test_a_file_that_cannot_be_read_has_none(self, tmp_path: Path) -> None:
        (problem,) = read_problems(tmp_path / "gone.toml")

        assert problem.file.endswith("gone.toml")


def test_a_source_with_a_book_is_json_of_both(whole: Catalog) -> None:
    kept = json.loads(whole.source)

    assert set(kept) == {"file", "book"}
    assert kept["book"] == BOOK
    assert kept["file"]["prices"]["usd_per_credit"] == "0.01"
