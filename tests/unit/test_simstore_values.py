"""Values as DynamoDB keeps them: numbers, sizes and order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.store.errors import InvalidError, UnsupportedError
from simulation.store.values import (
    LARGEST_ITEM_BYTES,
    item_bytes,
    number_bytes,
    order_of,
    read_item,
    read_number,
    read_value,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("007", "7"),
        ("+7", "7"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E2", "100"),
        ("1.23e+1", "12.3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("25e-1", "2.5"),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("1" * 38, "1" * 38),
        ("1" * 38 + "000", "1" * 38 + "000"),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
    ],
)
def test_a_number_has_one_spelling(written: str, kept: str) -> None:
    assert read_number(written) == kept


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "cannot be converted to a numeric value"),
        ("x", "cannot be converted to a numeric value: x"),
        (" 1", "cannot be converted"),
        ("1_000", "cannot be converted"),
        ("Infinity", "cannot be converted"),
        ("NaN", "cannot be converted"),
        ("٣", "cannot be converted"),
        ("1" * 39, "more than 38 significant digits"),
        ("1." + "0" * 37 + "1", "more than 38 significant digits"),
        ("1e126", "Number overflow"),
        ("-1e126", "Number overflow"),
        ("1e-131", "Number underflow"),
        ("1e999999999", "Number overflow"),
    ],
)
def test_what_is_no_number_is_refused(written: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        read_number(written)


def test_a_number_that_is_not_a_string_is_not_guessed() -> None:
    with pytest.raises(UnsupportedError):
        read_number(5)


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_an_integer_is_kept_exactly(value: int) -> None:
    assert read_number(str(value)) == str(value)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9
    )
)
def test_a_decimal_is_kept_by_value_and_read_back_the_same(value: Decimal) -> None:
    kept = read_number(str(value))

    assert Decimal(kept) == value
    assert read_number(kept) == kept


# Measured on AWS; the source stands at number_bytes.
@pytest.mark.parametrize(
    ("number", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("-123", 4),
        ("100", 2),
        ("1" + "0" * 125, 2),
        ("0.5", 2),
        ("0.0005", 2),
        ("123456", 4),
        ("3.14159", 5),
        ("42.12", 3),
        ("9" * 38, 20),
    ],
)
def test_a_number_takes_a_byte_for_two_digits(number: str, size: int) -> None:
    assert number_bytes(number) == size


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({}, 0),
        ({"pk": {"S": "abc"}}, 5),
        ({"é": {"S": "é"}}, 4),
        ({"n": {"N": "100"}}, 3),
        ({"n": {"N": "-12345"}}, 6),
        ({"b": {"B": b"123"}}, 4),
        ({"x": {"BOOL": True}, "y": {"NULL": True}}, 4),
        ({"l": {"L": []}}, 4),
        ({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}, 4 + 3 + 3),
        ({"m": {"M": {"a": {"S": "bc"}}}}, 4 + 4),
        ({"s": {"SS": ["a", "bc"]}}, 4),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(item: dict[str, Any], size: int) -> None:
    assert read_item(item).size == size
    assert item_bytes(item) == size


def test_an_item_of_400_kb_fits_and_a_byte_more_does_not() -> None:
    assert read_item({"x": {"S": "x" * (LARGEST_ITEM_BYTES - 1)}}).size == LARGEST_ITEM_BYTES

    with pytest.raises(InvalidError, match="Item size has exceeded"):
        read_item({"x": {"S": "x" * LARGEST_ITEM_BYTES}})


def test_an_image_is_a_copy_of_what_was_sent() -> None:
    sent: dict[str, Any] = {"x": {"S": "a"}, "l": {"L": [{"N": "1.0"}]}}

    image = read_item(sent)
    sent["x"]["S"] = "b"
    sent["l"]["L"].append({"N": "2"})

    assert image == {"x": {"S": "a"}, "l": {"L": [{"N": "1"}]}}


@pytest.mark.parametrize(
    "value",
    [{}, {"S": "a", "N": "1"}, {"SS": []}, {"NS": ["1", "1.0"]}, {"BS": [b"a", b"a"]}, None, "a"],
)
def test_what_is_no_value_is_refused(value: Any) -> None:
    with pytest.raises(InvalidError):
        read_value(value)


def test_values_may_be_nested_to_a_bound() -> None:
    nested: dict[str, Any] = {"S": "x"}
    for _ in range(32):
        nested = {"L": [nested]}
    read_value(nested)

    with pytest.raises(InvalidError, match="Nesting Levels"):
        read_value({"L": [nested]})


def test_null_is_true_whatever_it_was() -> None:
    assert read_value({"NULL": False})[0] == {"NULL": True}


def test_a_set_has_no_order_of_its_own() -> None:
    assert read_value({"NS": ["10", "2", "1.50"]})[0] == {"NS": ["1.5", "2", "10"]}


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=6))
def test_strings_are_ordered_by_their_bytes(texts: list[str]) -> None:
    ours = sorted(texts, key=lambda text: order_of("S", text))

    assert ours == sorted(texts, key=str.encode)


@pytest.mark.parametrize("value", [{"X": "a"}, {"S": 5}, {"B": "a"}, {"BOOL": "true"}])
def test_a_type_that_is_none_is_not_guessed(value: Any) -> None:
    with pytest.raises(UnsupportedError):
        read_value(value)
