"""A provider's usage object under reading: exact counts out, anything impossible noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from tollkeeper.domain.money import PICO_PER_USD, ceil_div

MOST_TOKENS = 10**12
MOST_COST_USD = 1000
MOST_DIGITS = 40


class Notes:
    """What was noticed while reading, and whether any count was understood at all."""

    __slots__ = ("understood", "warnings")

    def __init__(self) -> None:
        self.understood = False
        self.warnings: list[str] = []


class Sheet:
    """One object of a usage report. Parts of it write into the same notes."""

    __slots__ = ("_members", "notes")

    def __init__(self, members: Mapping[str, object], notes: Notes) -> None:
        self._members = members
        self.notes = notes

    def warn(self, code: str) -> None:
        """The code is among the warnings, once."""
        if code not in self.notes.warnings:
            self.notes.warnings.append(code)

    def count(self, name: str) -> int | None:
        """The member as a number of tokens; None where it is absent, null or impossible.

        Why: an impossible number reads like an absent one, so the provider's total can stand in.
        """
        value = self._members.get(name)
        if value is None:
            return None
        tokens = token_count(value)
        if tokens is None:
            self.warn("impossible_number")
            return None
        self.notes.understood = True
        return tokens

    def largest(self, *names: str) -> int:
        """The largest of several members that say the same thing, 0 where none does.

        Why: vendors repeat one count under several names, so adding them would count it twice.
        """
        return max((self.count(name) or 0 for name in names), default=0)

    def part(self, *names: str) -> Sheet:
        """The first of these members that is an object; an empty sheet where there is none."""
        for name in names:
            value = self._members.get(name)
            if isinstance(value, Mapping):
                return Sheet(cast("Mapping[str, object]", value), self.notes)
            if value is not None:
                self.warn("impossible_details")
        return Sheet({}, self.notes)

    def rows(self, *names: str) -> list[Sheet]:
        """The objects of the first of these members that is a list."""
        for name in names:
            value = self._members.get(name)
            if isinstance(value, list):
                return self._sheets(cast("Sequence[object]", value))
            if value is not None:
                self.warn("impossible_details")
        return []

    def text(self, name: str) -> str | None:
        """The member where it is a text with something in it."""
        value = self._members.get(name)
        return value if isinstance(value, str) and value else None

    def cost_picousd(self) -> int | None:
        """What the provider says it billed; None where it does not say. Units: 10^-12 USD.

        Source: OpenRouter states `cost` in USD. Estimates by others go by other names.
        """
        value = self._members.get("cost")
        if value is None:
            return None
        cost = _picousd(value)
        if cost is None:
            self.warn("impossible_cost")
        return cost

    def _sheets(self, values: Sequence[object]) -> list[Sheet]:
        sheets: list[Sheet] = []
        for value in values:
            if isinstance(value, Mapping):
                sheets.append(Sheet(cast("Mapping[str, object]", value), self.notes))
            else:
                self.warn("impossible_details")
        return sheets


def token_count(value: object) -> int | None:
    """The value as a whole number of tokens between 0 and a million millions, else None.

    Why: bounds come before digits, so that 1e999999999 is never written out.
    """
    number = _number(value)
    if number is None or not 0 <= number <= MOST_TOKENS:
        return None
    return int(number) if number == number.to_integral_value() else None


def _picousd(value: object) -> int | None:
    """The dollars in 10^-12, rounded up; None where they are no amount one call can cost."""
    number = _number(value)
    if number is None or not 0 <= number <= MOST_COST_USD:
        return None
    if len(number.as_tuple().digits) > MOST_DIGITS:
        return None
    if number and number.adjusted() < -MOST_DIGITS:
        return 1
    numerator, denominator = number.as_integer_ratio()
    return ceil_div(numerator * PICO_PER_USD, denominator)


def _number(value: object) -> Decimal | None:
    """The value as an exact finite Decimal. A bool is no number, and neither is a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None
