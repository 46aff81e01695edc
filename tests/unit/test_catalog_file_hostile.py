"""Files that are no catalog, or not yet: each ends in a CatalogError, never in another error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.priced import BOOK
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.catalog_file import read_catalog, read_problems

ROOT = Path(__file__).parents[2]
WHOLE = (ROOT / "tests" / "golden" / "whole_catalog.toml").read_text(encoding="utf-8")

SMALL = """
[account]
default_plan = "free"

[plans.free]
allocation = 15

[operations.script_generation]
rule = "flat"
credits = 1
"""


def refusal_of(folder: Path, text: str) -> CatalogError:
    path = folder / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        read_catalog(path)
    return caught.value


class TestFilesThatAreNoCatalog:
    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match=r"gone\.toml: file: cannot be read: No such file"):
            read_catalog(tmp_path / "gone.toml")

    def test_a_folder_is_no_catalog(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="file: cannot be read: Is a directory"):
            read_catalog(tmp_path)

    def test_bytes_that_are_no_text_are_refused_with_their_line(self, tmp_path: Path) -> None:
        path = tmp_path / "catalog.toml"
        path.write_bytes(b'[account]\ndefault_plan = "fr\xe9e"\n')

        with pytest.raises(CatalogError, match="line 2: is not UTF-8 text"):
            read_catalog(path)

    def test_a_file_of_a_megabyte_is_refused_before_it_is_parsed(self, tmp_path: Path) -> None:
        error = refusal_of(tmp_path, SMALL + "#" * 1_000_000)

        assert (error.key, error.reason) == ("file", "is larger than 1000000 bytes")

    @pytest.mark.parametrize(
        "text",
        [
            "x = " + "[" * 50_000,
            "x = " + "[" * 400 + "]" * 400,
            ".".join(["a"] * 2_000) + " = 1.5",
            ".".join(["a"] * 2_000) + " = 1",
            "x = " + "9" * 5_000,
            "x = " + "[1.5]," * 10,
        ],
        ids=["open", "lists", "keys over a float", "keys", "digits", "trailing"],
    )
    def test_hostile_text_ends_in_a_short_catalog_error(self, tmp_path: Path, text: str) -> None:
        error = refusal_of(tmp_path, text)

        assert error.reason
        assert len(error.detail) < 500

    def test_each_line_can_be_lost_without_any_other_error(self, tmp_path: Path) -> None:
        (tmp_path / "prices.json").write_text(BOOK, encoding="utf-8")
        lines = WHOLE.splitlines(keepends=True)
        for index in range(len(lines)):
            path = tmp_path / "catalog.toml"
            path.write_text("".join(lines[:index] + lines[index + 1 :]), encoding="utf-8")

            assert all(problem.key and problem.reason for problem in read_problems(path))

    @pytest.mark.parametrize(
        "value",
        ["-1", "0", "true", '""', '"x"', "[]", "{}", "[{}]", "1979-05-27", "99999999999999"],
    )
    def test_each_value_can_be_another_without_any_other_error(
        self, tmp_path: Path, value: str
    ) -> None:
        (tmp_path / "prices.json").write_text(BOOK, encoding="utf-8")
        lines = WHOLE.splitlines()
        for index, line in enumerate(lines):
            key, separator, _ = line.partition(" = ")
            if not separator:
                continue
            path = tmp_path / "catalog.toml"
            changed = [*lines[:index], f"{key} = {value}", *lines[index + 1 :]]
            path.write_text("\n".join(changed), encoding="utf-8")

            assert all(problem.key and problem.reason for problem in read_problems(path))


class TestLimits:
    @pytest.mark.parametrize(
        ("section", "entry", "most"),
        [
            ("plans", "p{} = {{ allocation = 1 }}", 100),
            ("operations", "o{} = {{ rule = 'local' }}", 500),
            ("packs", "p{} = {{ name = 'P', credits = 1, price = 1, currency = 'usd' }}", 100),
            ("roles", "r{} = 'free'", 500),
            ("plans.big.features", "f{} = 1", 50),
        ],
    )
    def test_a_section_has_a_largest_size(
        self, tmp_path: Path, section: str, entry: str, most: int
    ) -> None:
        entries = "\n".join(f"{section}.{entry}".format(number) for number in range(most + 1))

        error = refusal_of(tmp_path, f"plans.big.allocation = 1\n{entries}\n{SMALL}")

        assert error.key == section
        assert error.reason.endswith(f"entries; at most {most} are allowed")

    def test_a_family_has_a_largest_number_of_patterns(self, tmp_path: Path) -> None:
        patterns = ", ".join(f'"m{number}"' for number in range(201))
        models = f"models = [{{ name = 'm', credits = 1, patterns = [{patterns}] }}]\n"

        error = refusal_of(tmp_path, f'{SMALL}[operations.ai]\nrule = "per_1k_tokens"\n{models}')

        assert error.key == "operations.ai.models[m].patterns"
        assert error.reason == "has 201 entries; at most 200 are allowed"
