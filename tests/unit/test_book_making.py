"""`make prices`: the book is made of a source and patterns, and no large change goes unseen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("genai_prices", reason="the price package is not installed")

from genai_prices import types as genai

from local.prices.__main__ import Wish, main, make_prices, read_patterns
from local.prices.comparing import compare_books
from local.prices.making import PatternError, make_book
from local.prices.source import (
    Offer,
    Price,
    Provider,
    Source,
    WrittenRate,
    read_clause,
    read_model,
    read_package,
    show_decimal,
)
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.book_file import parse_book

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "layers/catalog/catalog.toml"
DAY = "2026-11-21"


def offer(id: str, *later: Price, **rates: WrittenRate) -> Offer:
    """A model that costs this, and something else later."""
    return Offer(id, {"is": [id]}, [Price(rates), *later])


def source(*offers: Offer, name: str = "test 1") -> Source:
    """A source with one provider."""
    return Source(name, [Provider("a", offers), Provider("b", [offer("other", input="1")])])


def made(given: Source, *patterns: str) -> str:
    return make_book(given, patterns or ("a:*",), generated=DAY).text


def ids(text: str) -> list[str]:
    """What is in the book, and in brackets what only stands in front of something."""
    models = json.loads(text)["models"]
    return [
        each["id"] if "rates" in each else f"({each['id']})"
        for listed in models.values()
        for each in listed
    ]


class Folder:
    """A folder with a catalog, in which the command is run."""

    def __init__(self, path: Path, *patterns: str) -> None:
        self.catalog = path / "catalog.toml"
        self.book = path / "prices.json"
        listed = json.dumps(patterns or ("a:*",))
        self.catalog.write_text(f"[prices]\nmodels = {listed}\n", encoding="utf-8")
        self.said: list[str] = []

    def run(self, given: Source, **wish: Any) -> int:
        """The exit status; what is said is kept."""
        self.said = []
        asked = replace(Wish(catalog=self.catalog, generated=DAY), **wish)
        return make_prices(asked, given, self.said.append)

    def heard(self, word: str) -> list[str]:
        """What was said after the word."""
        return [line.removeprefix(f"{word}: ") for line in self.said if line.startswith(word)]


# ---- Making


def test_patterns_enable_the_models_they_name_in_the_order_of_the_source() -> None:
    given = source(offer("g-5", input="1"), offer("c-1", input="1"), offer("G-4", input="1"))

    assert ids(made(given, "a:g-*")) == ["g-5", "G-4"]
    assert ids(made(given, "a:c-1", "a:*-5")) == ["g-5", "c-1"]
    assert ids(made(given, "b:*", "a:c-?")) == ["other", "c-1"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a:z*", "matches no model"),
        ("z:*", "does not start with a provider"),
        ("g-5", "does not start with a provider"),
    ],
)
def test_a_pattern_that_enables_nothing_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        made(source(offer("g-5", input="1")), pattern)


def test_no_patterns_are_refused() -> None:
    with pytest.raises(PatternError, match="is empty"):
        make_book(source(offer("g-5", input="1")), (), generated=DAY)


def test_the_same_input_makes_the_same_bytes() -> None:
    assert made(read_package(), "openai:*", "aws:*") == made(read_package(), "openai:*", "aws:*")


def test_what_is_free_or_cannot_be_charged_is_left_out_and_said() -> None:
    given = source(
        offer("free", input="0", output=("0", (5, "0"))),
        offer("nothing"),
        replace(offer("pages"), left_out=("input_document_kpages",)),
        offer("later-free", Price({"input": "0"}, effective_from="2027-01-01"), input="1"),
        replace(offer("paid", input="0", output="1"), left_out=("storage_searches_kcount",)),
    )

    book = make_book(given, ["a:*"], generated=DAY)

    assert book.left_out == {
        "every rate is 0": ["a free", "a later-free"],
        "no rate at all": ["a nothing"],
        "no rate that a usage can be charged by": ["a pages"],
    }
    assert book.keys_left_out == {"storage_searches_kcount": ["a paid"]}
    assert book.count == 1


def test_a_model_that_is_left_out_still_stands_in_front_of_those_behind_it() -> None:
    wide = replace(offer("wide", input="1"), aliases={"starts": ["g"]})
    given = source(offer("g-free"), offer("g-5", input="1"), wide, offer("z", input="1"))

    assert ids(made(given, "a:wide")) == ["(g-free)", "(g-5)", "wide"]
    assert ids(made(given, "a:z")) == ["z"]
    assert parse_book(made(given, "a:wide")).find("g-5", "a") is None


def test_a_model_that_is_only_another_spelling_of_a_date_stands_in_front_too() -> None:
    given = source(offer("m-20251211", input="9"), offer("m-2025-12-11", input="1"))

    assert parse_book(made(given, "a:m-2025-*")).find("m-20251211", "a") is None


# ---- Reading the package


def test_every_clause_of_the_package_is_carried_over() -> None:
    clause = genai.ClauseOr(
        or_=[
            genai.ClauseEquals("GPT"),
            genai.ClauseOr(or_=[genai.ClauseStartsWith("A"), genai.ClauseEquals("gpt")]),
            genai.ClauseAnd(and_=[genai.ClauseEndsWith("Z"), genai.ClauseRegex(r"^\D")]),
            genai.ClauseContains("M"),
        ]
    )

    assert read_clause(clause) == {
        "is": ["gpt"],
        "starts": ["a"],
        "has": ["m"],
        "all": [[{"ends": ["z"]}, {"re": [r"^\D"]}]],
    }


def test_service_tiers_dates_and_hours_of_the_package_are_carried_over() -> None:
    dated = genai.StartDateConstraint(date(2026, 10, 14))
    cheap = genai.ModelPrice(input_mtok=Decimal("0.50"))
    model = genai.ModelInfo(
        id="m",
        match=genai.ClauseEquals("m"),
        prices=[
            genai.ConditionalPrice(None, prices=cheap),
            genai.ConditionalPrice(dated, prices=cheap),
            genai.ConditionalPrice(
                genai.TimeOfDateConstraint(time(16, 30), time(0, 30)), prices=cheap
            ),
        ],
        price_variants=[
            genai.PriceVariant(when={"processing": "batch"}, prices=cheap, constraint=dated),
            genai.PriceVariant(when={"service_tier": "default"}, prices=cheap),
            genai.PriceVariant(when={"speed": "fast"}, prices=cheap),
            genai.PriceVariant(when={"route": "eu"}, prices=cheap),
            genai.PriceVariant(when={"route": "eu", "speed": "fast"}, prices=cheap),
        ],
    )

    read = read_model("a", model)

    rates = {"input": "0.5"}
    assert read.prices == [
        Price(rates),
        Price(rates, effective_from="2026-10-14"),
        Price(rates, hours=("16:30", "00:30")),
    ]
    assert read.variants == {
        "batch": [Price(rates, effective_from="2026-10-14")],
        "fast": [Price(rates)],
    }
    assert read.left_out == ("route=eu", "route=eu and speed=fast")


def test_a_key_that_no_usage_carries_is_left_out_by_name() -> None:
    tiered = genai.TieredPrices(Decimal(1), [genai.Tier(5, Decimal("2.10"))])
    price = genai.ModelPrice(input_mtok=tiered, input_mchars=Decimal(15), audio_hours=None)

    read = read_model("a", genai.ModelInfo(id="m", match=genai.ClauseEquals("m"), prices=price))

    assert read.prices == [Price({"input": ("1", (5, "2.1"))})]
    assert read.left_out == ("input_mchars",)


@pytest.mark.parametrize(
    ("number", "text"),
    [("10", "10"), ("0.50", "0.5"), ("1E+2", "100"), ("0.000", "0"), ("1E-7", "0.0000001")],
)
def test_a_decimal_is_written_plainly(number: str, text: str) -> None:
    assert show_decimal(Decimal(number)) == text


# ---- The difference to the last book


def test_a_change_is_shown_with_the_old_and_the_new_rate_and_percent(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.run(source(offer("m", input="1.25", output="10"))) == 0

    assert folder.run(source(offer("m", input="1.5", output="9"), offer("n", input="1"))) == 0

    assert folder.heard("added") == ["a n"]
    assert folder.heard("changed") == [
        "a m: input 1.25 -> 1.5 (+20.0 %)",
        "a m: output 10 -> 9 (-10.0 %)",
    ]


def test_a_change_says_of_which_requests_and_from_when_it_is() -> None:
    old = offer("m", Price({"input": ("2", (9, "4"))}, effective_from="2026-12-01"), input="1")
    new = offer("m", Price({"input": ("2", (9, "5"))}, effective_from="2026-12-01"), input="1")
    night = Price({"input": "7"}, hours=("01:00", "04:00"))
    batch = {"batch": [Price({"input": "0.6"})]}

    def shown(before: Offer, after: Offer) -> list[str]:
        books = [parse_book(made(source(each))) for each in (before, after)]
        return [change.show() for change in compare_books(*books).changes]

    assert shown(old, new) == ["a m: input (above 9 tokens, from 2026-12-01) 4 -> 5 (+25.0 %)"]
    assert shown(offer("m", input="5"), offer("m", night, input="5")) == [
        "a m: input (at 01:00 UTC) 5 -> 7 (+40.0 %)"
    ]
    assert shown(offer("m", input="1"), replace(offer("m", input="1"), variants=batch)) == [
        "a m: input (with batch) 1 -> 0.6 (-40.0 %)"
    ]
    assert shown(offer("m", input="1"), replace(offer("m", input="1"), minimum_seconds=10)) == [
        "a m: minimum seconds 0 -> 10"
    ]
    assert shown(offer("m", output="1"), offer("m", output="1", reasoning="1")) == []


@pytest.mark.parametrize(
    ("new", "limit", "status"), [("1.25", 25, 0), ("1.26", 25, 1), ("0.7", 25, 1)]
)
def test_a_change_above_the_limit_is_refused_and_one_at_it_is_not(
    tmp_path: Path, new: str, limit: int, status: int
) -> None:
    folder = Folder(tmp_path)
    folder.run(source(offer("m", input="1")))

    assert folder.run(source(offer("m", input=new)), limit_percent=limit) == status


@pytest.mark.parametrize(
    ("offers", "why"),
    [
        ([offer("m", input="2", output="1")], "a m: input 1 -> 2 (+100.0 %)"),
        ([offer("m", input="1")], "a m: output 1 -> none"),
        ([offer("m", input="1", output="1", web_searches="10")], "a m: web_searches none -> 10"),
        ([offer("m", input="0", output="1")], "a m: input 1 -> 0 (-100.0 %)"),
        (
            [
                offer(
                    "m",
                    Price({"input": "3", "output": "1"}, effective_from="2027-01-01"),
                    input="1",
                    output="1",
                )
            ],
            "a m: input (from 2027-01-01) 1 -> 3 (+200.0 %)",
        ),
        ([offer("n", input="1")], "a m is no longer in the book"),
    ],
)
def test_a_refused_change_leaves_the_file_until_it_is_accepted(
    tmp_path: Path, offers: Sequence[Offer], why: str
) -> None:
    folder = Folder(tmp_path)
    folder.run(source(offer("m", input="1", output="1")))
    before = folder.book.read_bytes()

    assert folder.run(source(*offers)) == 1
    assert folder.heard("refused") == [why]
    assert folder.book.read_bytes() == before

    assert folder.run(source(*offers), accept=True) == 0
    assert folder.heard("refused") == []
    assert folder.book.read_text(encoding="utf-8") == made(source(*offers))


def test_the_first_book_is_written_unasked(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    assert folder.run(source(offer("m", input="1"))) == 0
    assert folder.said[-1].endswith("is written: 1 models of test 1, 176 bytes")


def test_the_date_stays_where_no_price_changes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.run(source(offer("m", input="1")), generated="2020-01-01")
    before = folder.book.read_bytes()

    assert folder.run(source(offer("m", input="1")), generated="") == 0
    assert folder.book.read_bytes() == before

    assert folder.run(source(offer("m", input="1.1")), generated="") == 0
    assert parse_book(folder.book.read_text(encoding="utf-8")).generated > "2026"


def test_a_broken_last_book_is_not_overwritten(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.book.write_text("{}", encoding="utf-8")

    assert folder.run(source(offer("m", input="1"))) == 1
    assert folder.said == [f"{folder.book}: format: must be 1"]


@pytest.mark.parametrize(
    "text",
    ["", "[prices]\n", "[prices]\nmodels = []\n", "[prices]\nmodels = [1]\n", "prices = 1\n", "["],
)
def test_a_catalog_without_patterns_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")

    with pytest.raises(CatalogError):
        read_patterns(tmp_path / "catalog.toml")


# ---- The book that we ship


def test_the_shipped_book_is_what_make_prices_writes(tmp_path: Path) -> None:
    shipped = (CATALOG.with_name("prices.json")).read_text(encoding="utf-8")
    generated = parse_book(shipped).generated

    written = make_book(read_package(), read_patterns(CATALOG), generated=generated)

    assert written.text == shipped


def test_the_command_says_that_the_shipped_book_is_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("catalog.toml", "prices.json"):
        (tmp_path / name).write_bytes(CATALOG.with_name(name).read_bytes())

    assert main(["--catalog", str(tmp_path / "catalog.toml")]) == 0
    assert "is as it was" in capsys.readouterr().out
