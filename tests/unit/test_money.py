"""Credits are whole numbers of millionths: read exactly, shown exactly, rounded once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import (
    ceil_div,
    floor_div,
    minor_digits,
    parse_micro,
    show_micro,
    show_price,
    show_usd,
)

READS: list[tuple[object, int]] = [
    (1, 1_000_000),
    ("1", 1_000_000),
    ("0.000001", 1),
    (Decimal("0.1"), 100_000),
    (Decimal("1E+3"), 1_000_000_000),
    (Decimal("1E-6"), 1),
    ("1.50000000", 1_500_000),
    ("007", 7_000_000),
    (10**9, 10**15),
    ("1000000000.000000", 10**15),
]


@pytest.mark.parametrize(("value", "micro"), READS)
def test_an_amount_is_read_exactly(value: object, micro: int) -> None:
    assert parse_micro(value, "amount") == micro


REFUSED: list[tuple[object, str]] = [
    (0, "greater than 0"),
    ("0", "greater than 0"),
    ("-0", "greater than 0"),
    (-1, "greater than 0"),
    ("-0.5", "greater than 0"),
    ("0.0000001", "six decimals"),
    (Decimal("1.1234567"), "six decimals"),
    ("1.000000000000000000000000000001", "six decimals"),
    (Decimal("1.0000000000000000000000000000000001"), "six decimals"),
    (Decimal("1E-999999"), "six decimals"),
    ("1000000000.000001", "1000000000"),
    (10**9 + 1, "1000000000"),
    (10**400, "1000000000"),
    (Decimal("1E+999999"), "1000000000"),
    (Decimal("NaN"), "finite"),
    (Decimal("sNaN"), "finite"),
    (Decimal("Infinity"), "finite"),
    (True, "number"),
    (1.5, "number"),
    (None, "number"),
    ([], "number"),
    ("", "plain decimal"),
    ("1e3", "plain decimal"),
    (" 1", "plain decimal"),
    ("1.", "plain decimal"),
    (".5", "plain decimal"),
    ("+1", "plain decimal"),
    ("1_000", "plain decimal"),
    ("1,5", "plain decimal"),
    ("--1", "plain decimal"),
    ("\u0663", "plain decimal"),
    ("1" * 33, "plain decimal"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED)
def test_what_is_not_an_exact_amount_is_refused_with_the_reason(value: object, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason) as refusal:
        parse_micro(value, "amount")

    assert refusal.value.problems[0][0] == "amount"


def test_zero_is_an_amount_only_where_it_may_be() -> None:
    assert parse_micro("0", "price", allow_zero=True) == 0


def test_a_negative_amount_is_refused_even_where_zero_may_be() -> None:
    with pytest.raises(InvalidError):
        parse_micro(-1, "price", allow_zero=True)


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (-3_000_000, "-3"), (-1, "-0.000001"),
     (10**15, "1000000000"), (1_000_010, "1.00001")],
)  # fmt: skip
def test_credits_are_shown_without_trailing_zeros(micro: int, text: str) -> None:
    assert show_micro(micro) == text


@pytest.mark.parametrize("micro", [1, 999_999, 1_000_000, 123_456_789_012_345])
def test_what_is_shown_is_read_back_as_the_same(micro: int) -> None:
    assert parse_micro(show_micro(micro), "amount") == micro


def test_dollars_are_shown_to_the_last_pico() -> None:
    shown = [show_usd(10**12), show_usd(1), show_usd(-1_230_000_000), show_usd(0)]

    assert shown == ["1", "0.000000000001", "-0.00123", "0"]


def test_a_charge_is_rounded_up_and_what_is_affordable_down() -> None:
    assert [ceil_div(7, 2), ceil_div(6, 2), ceil_div(0, 5), ceil_div(1, 1000)] == [4, 3, 0, 1]
    assert [floor_div(7, 2), floor_div(6, 2), floor_div(999, 1000)] == [3, 3, 0]


def test_rounding_is_exact_far_above_what_a_float_holds() -> None:
    assert ceil_div(10**30 + 1, 10**15) == 10**15 + 1


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1000, "usd", "10.00"), (5, "eur", "0.05"), (1500, "jpy", "1500"), (1234, "kwd", "1.234")],
)
def test_a_price_is_shown_as_its_currency_writes_it(minor: int, currency: str, text: str) -> None:
    assert show_price(minor, currency) == text


def test_currencies_have_two_decimals_unless_they_are_listed() -> None:
    assert [minor_digits(c) for c in ("usd", "krw", "bhd", "xyz")] == [2, 0, 3, 2]
