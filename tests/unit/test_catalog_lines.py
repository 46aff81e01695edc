"""Where a key stands in a catalog's text, so that a problem can say its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import STEADY
from tollkeeper.edge.catalog_lines import find_line, read_lines

ROOT = Path(__file__).parents[2]
TEXT = '''# a comment with = and [brackets]
[account]
default_plan = "free"   # = [x]
low_balance = 5

[plans.free]
features = { sms = 3, "crm.sync" = 7 }
name = """
[not a table]
still = "text" \\" """
[operations."crm.sync"]
rule = 'flat'
estimate = {
  smallest = 1, largest = 3 }
usd.per.call = 1

[[operations.llm.models]]
name = "one"
patterns = [
  "a", # first
  "b",
]
[[operations.llm.models]]
name = "two"
[operations.llm.models.usd_per_million]
input = 3

[[prices.overrides]]
patterns = ["x", ["y", { z = 1 }]]
   [ spaced . "out" ]
date = 2026-11-20T12:00:00Z
last = \'\'\'one \' two\'\'\'\'
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("account",), 2),
        (("account", "default_plan"), 3),
        (("account", "low_balance"), 4),
        (("plans",), 6),
        (("plans", "free"), 6),
        (("plans", "free", "features"), 7),
        (("plans", "free", "features", "crm.sync"), 7),
        (("plans", "free", "name"), 8),
        (("operations",), 11),
        (("operations", "crm.sync"), 11),
        (("operations", "crm.sync", "rule"), 12),
        (("operations", "crm.sync", "estimate"), 13),
        (("operations", "crm.sync", "estimate", "smallest"), 14),
        (("operations", "crm.sync", "usd", "per", "call"), 15),
        (("operations", "llm", "models"), 17),
        (("operations", "llm", "models", 0), 17),
        (("operations", "llm", "models", 0, "patterns", 1), 21),
        (("operations", "llm", "models", 1), 23),
        (("operations", "llm", "models", 1, "name"), 24),
        (("operations", "llm", "models", 1, "usd_per_million", "input"), 26),
        (("prices", "overrides", 0, "patterns", 1, 1, "z"), 29),
        (("spaced", "out"), 30),
        (("spaced", "out", "date"), 31),
        (("spaced", "out", "last"), 32),
    ],
)
def test_a_key_is_found_wherever_it_stands(place: tuple[str | int, ...], line: int) -> None:
    assert find_line(TEXT, place) == line


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("operations", "crm.sync", "credits"), 11),
        (("operations", "llm", "models", 1, "credits"), 23),
        (("operations", "llm", "rule"), 17),
        (("packs", "small"), 1),
        ((), 1),
    ],
)
def test_what_is_missing_is_told_at_the_table_that_it_would_stand_in(
    place: tuple[str | int, ...], line: int
) -> None:
    assert find_line(TEXT, place) == line


def test_line_ends_of_another_system_change_nothing() -> None:
    assert read_lines(TEXT.replace("\n", "\r\n")) == read_lines(TEXT)


def places_of(value: object, place: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every key and entry of what a text says."""
    found = {place}
    if isinstance(value, dict):
        for key, each in cast("dict[str, object]", value).items():
            found |= places_of(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[object]", value)):
            found |= places_of(each, (*place, index))
    return found


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "layers/catalog/catalog.toml",
        ROOT / "pyproject.toml",
        ROOT / "tests/requirements.toml",
        *sorted((ROOT / "examples/catalogs").glob("*.toml")),
        *sorted((ROOT / "tests/golden").glob("whole*.toml")),
    ],
    ids=lambda path: path.stem,
)
def test_every_key_of_a_whole_file_has_a_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert places_of(tomllib.loads(text)) - {()} == set(read_lines(text))


KEYS = st.sampled_from(["a", "b-c", '"d.e"', "'f g'", '"\\u00e9"', "1"])
VALUES = st.recursive(
    st.sampled_from(['"x"', "'#'", '"[\\"]"', "1", "1.5", "true", "2026-11-20", '"""\n=\n"""']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda x: "[\n" + ", # c\n".join([*x, ""]) + "]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda x: "{ " + ", ".join(f"{k} = {v}" for k, v in x.items()) + " }"
        ),
    ),
    max_leaves=6,
)


@STEADY
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(st.tuples(KEYS, KEYS), max_size=3))
def test_the_places_of_any_text_are_those_that_it_says(
    pairs: dict[str, str], tables: list[tuple[str, str]]
) -> None:
    body = "\n".join(f"{key} = {value}" for key, value in pairs.items())
    text = "".join(f"[[t.{one}.{other}]] # [x]\n{body}\n" for one, other in tables)
    try:
        said: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert places_of(said) - {()} == set(read_lines(text))
