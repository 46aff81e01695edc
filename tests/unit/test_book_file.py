"""The price book's file is read strictly, and each model only when it is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.pricing_books import book_text
from tollkeeper.domain.errors import CatalogError
from tollkeeper.edge.book_file import check_book, parse_book, read_book

SHIPPED = Path(__file__).resolve().parents[2] / "layers/catalog/prices.json"
GOOD = {"a": [{"id": "m", "rates": {"input": "1"}}]}


def changed(**members: Any) -> str:
    """A good book with some members replaced; None takes one away."""
    document = json.loads(book_text(GOOD)) | members
    return json.dumps({key: value for key, value in document.items() if value is not None})


def test_the_shipped_book_is_right_from_end_to_end() -> None:
    book = check_book(SHIPPED.read_text(encoding="utf-8"))

    assert book.source == "genai-prices 0.2.3"
    assert len(list(book.models())) > 1000


def test_the_shipped_book_is_small_enough_to_be_parsed_at_a_cold_start() -> None:
    assert SHIPPED.stat().st_size <= 250_000


def test_the_shipped_book_has_a_model_on_a_line() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()

    assert sum('"rates":' in line for line in lines) == len(list(read_book(SHIPPED).models()))


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "line 1", "is not JSON: Expecting value"),
        ("[]", "file", "must be an object"),
        ("[" * 100_000, "file", "is nested too deeply"),
        (changed(format=2), "format", "must be 1"),
        (changed(source=""), "source", "must be a text"),
        (changed(generated=None), "generated", "must be a text"),
        (changed(extra=1), "extra", "is not a key of a price book"),
        (changed(models={}), "models", "must not be empty"),
        (changed(models=[]), "models", "must be an object"),
        (changed(providers={}), "providers", "must be a list"),
        (changed(providers=[]), "models.a", "is not among the providers"),
        (changed(providers=[{}]), "providers[0].id", "must be a text"),
        (
            changed(providers=[{"id": "a", "x": 1}]),
            "providers[0].x",
            "is not a key of a price book",
        ),
        (
            changed(providers=[{"id": "a", "meant": {"is": "x"}}]),
            "providers[0].meant.is",
            "must be a list",
        ),
        (changed(source=1.5), "file", 'holds 1.5: write a rate as "1.5"'),
        ('{"format": NaN}', "file", 'holds NaN: write a rate as "NaN"'),
        ('{"format": ' + "9" * 5000 + "}", "file", "holds a number of thousands of digits"),
    ],
)
def test_a_wrong_book_is_refused_when_it_is_read(text: str, place: str, reason: str) -> None:
    with pytest.raises(CatalogError) as raised:
        parse_book(text, "prices.json")

    assert (raised.value.file, raised.value.key, raised.value.reason) == (
        "prices.json",
        place,
        reason,
    )


A_RATE = 'must be a rate such as "0.125", not '


WRONG_MODELS: list[tuple[dict[str, Any], str, str]] = [
    ({"rates": {"input": 1}}, "rates.input", A_RATE + "1"),
    ({"rates": {"input": "-1"}}, "rates.input", A_RATE + '"-1"'),
    ({"rates": {"input": "1e3"}}, "rates.input", A_RATE + '"1e3"'),
    ({"rates": {"input": "NaN"}}, "rates.input", A_RATE + '"NaN"'),
    ({"rates": {"input": ""}}, "rates.input", A_RATE + '""'),
    ({"rates": {"input": "1."}}, "rates.input", A_RATE + '"1."'),
    ({"rates": {"input": "\u0661"}}, "rates.input", A_RATE + '"\\u0661"'),
    ({"rates": {"input": "0." + "1" * 19}}, "rates.input", A_RATE + f'"0.{"1" * 19}"'),
    ({"rates": {"input": None}}, "rates.input", A_RATE + "null"),
    ({"rates": {"input": []}}, "rates.input", A_RATE + "null"),
    (
        {"rates": {"input": ["1", ["2", "3"]]}},
        "rates.input",
        "has a tier that does not start with a number of tokens",
    ),
    (
        {"rates": {"input": ["1", [True, "3"]]}},
        "rates.input",
        "has a tier that does not start with a number of tokens",
    ),
    (
        {"rates": {"input": ["1", [-5, "3"]]}},
        "rates.input",
        "has a tier that does not start with a number of tokens",
    ),
    (
        {"rates": {"input": ["1", [9, "3"], [9, "4"]]}},
        "rates.input",
        "must have its tiers in ascending order",
    ),
    ({"rates": {"input": ["1", [9]]}}, "rates.input", "must be a list of two"),
    ({"rates": {"inputs": "1"}}, "rates.inputs", "is not a key of a price book"),
    ({"rates": []}, "rates", "must be an object"),
    ({"rates": {}, "dated": {}}, "dated", "must be a list"),
    (
        {"rates": {}, "dated": [{"rates": {}, "effective_from": "soon"}]},
        "dated[0].effective_from",
        "must be a day such as 2026-11-21",
    ),
    (
        {"rates": {}, "dated": [{"rates": {}, "from": "x"}]},
        "dated[0].from",
        "is not a key of a price book",
    ),
    (
        {"rates": {}, "dated": [{"hours": ["1:00", "2:00"], "rates": {}}]},
        "dated[0].hours",
        'must be two times in UTC such as ["00:30", "16:30"]',
    ),
    (
        {"rates": {}, "dated": [{"hours": ["01:00"], "rates": {}}]},
        "dated[0].hours",
        "must be a list of two",
    ),
    (
        {"rates": {}, "variants": {"turbo": []}},
        "variants.turbo",
        "is not a key of a price book",
    ),
    (
        {"rates": {}, "variants": {"batch": [{"rates": {"input": "x"}}]}},
        "variants.batch[0].rates.input",
        A_RATE + '"x"',
    ),
    (
        {"rates": {}, "minimum_seconds": -1},
        "minimum_seconds",
        "must be a whole number of seconds up to 3600",
    ),
    (
        {"rates": {}, "minimum_seconds": True},
        "minimum_seconds",
        "must be a whole number of seconds up to 3600",
    ),
    ({"rates": {}, "price": 1}, "price", "is not a key of a price book"),
    ({"rates": {}, "aliases": {"like": []}}, "aliases.like", "is not a key of a price book"),
    ({"rates": {}, "aliases": {"is": [1]}}, "aliases.is", "must be a list of texts"),
    (
        {"rates": {}, "aliases": {"re": ["x" * 301]}},
        "aliases.re",
        "must be a regular expression of at most 300 characters",
    ),
    ({"rates": {}, "id": 5}, "id", "must be a text"),
]


@pytest.mark.parametrize(("model", "place", "reason"), WRONG_MODELS)
def test_a_wrong_model_is_refused_when_it_is_needed_and_when_the_book_is_checked(
    model: dict[str, Any], place: str, reason: str
) -> None:
    text = book_text({"a": [{"id": "m", **model}]})
    book = parse_book(text)

    for use in (lambda: book.find("m", "a"), lambda: check_book(text)):
        with pytest.raises(CatalogError) as raised:
            use()
        assert (raised.value.key, raised.value.reason) == (f"models.a[0].{place}", reason)


def test_a_pattern_that_is_none_is_refused_when_the_book_is_checked() -> None:
    text = book_text({"a": [{"id": "m", "rates": {"input": "1"}, "aliases": {"re": ["("]}}]})

    with pytest.raises(CatalogError) as raised:
        check_book(text)

    assert raised.value.key == "models.a[0].aliases.re"


def test_a_key_that_is_given_twice_is_refused_when_the_book_is_checked() -> None:
    text = book_text(GOOD).replace('"input": "1"', '"input": "1", "input": "2"')

    with pytest.raises(CatalogError) as raised:
        check_book(text)

    assert raised.value.reason == "has 'input' twice"


def test_two_models_of_one_id_are_refused_when_the_book_is_checked() -> None:
    with pytest.raises(CatalogError) as raised:
        check_book(book_text({"a": [*GOOD["a"], *GOOD["a"]]}))

    assert (raised.value.key, raised.value.reason) == ("models.a", "has 'm' twice")


def test_a_provider_without_a_price_is_refused_when_the_book_is_checked() -> None:
    with pytest.raises(CatalogError) as raised:
        check_book(book_text({"a": [{"id": "m"}]}))

    assert raised.value.reason == "has no model with a price"


def test_a_wrong_model_does_not_keep_the_others_from_being_priced() -> None:
    book = parse_book(book_text({"a": [{"id": "bad", "rates": {"input": "x"}}, *GOOD["a"]]}))

    assert book.find("m", "a") is not None


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"prices\.json: file: cannot be read"):
        read_book(tmp_path / "prices.json")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(b"\xff\xfe{}")

    with pytest.raises(CatalogError, match="is not UTF-8 text"):
        read_book(tmp_path / "prices.json")


def test_a_file_larger_than_any_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_bytes(b" " * 2_000_001)

    with pytest.raises(CatalogError, match="is larger than 2000000 bytes"):
        read_book(tmp_path / "prices.json")
