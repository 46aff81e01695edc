"""A provider's usage object under reading: exact counts out, anything impossible noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from tollkeeper.domain.money import MICRO, PICO_PER_USD, ceil_div
from tollkeeper.domain.usage.report import UsagePart

MOST_TOKENS = 10**12
MOST_SECONDS = 10**8
MOST_COST_USD = 1000
MOST_DIGITS = 40


class Notes:
    """What was noticed while reading, beside the tokens.

    Shape: `model` is what the body names, `kind` the type of the event that carried the usage;
    `understood` says whether any count was possible.
    """

    __slots__ = (
        "kind",
        "model",
        "parts",
        "provider",
        "requests",
        "seconds_micro",
        "understood",
        "warnings",
        "web_searches",
    )

    def __init__(self, model: str | None = None, kind: object = None) -> None:
        self.model = model
        self.kind = kind
        self.understood = False
        self.warnings: list[str] = []
        self.provider = ""
        self.seconds_micro: int | None = None
        self.web_searches = 0
        self.requests = 1
        self.parts: tuple[UsagePart, ...] = ()


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

    def has(self, name: str) -> bool:
        """Whether the member says anything at all."""
        return self._members.get(name) is not None

    def holds(self, name: str) -> bool:
        """Whether the member is an object of its own."""
        return isinstance(self._members.get(name), dict)

    def count(self, name: str) -> int | None:
        """The member as a number of tokens; None where it is absent, null or impossible.

        Why: an impossible number reads like an absent one, so the provider's total can stand in.
        """
        value = self._members.get(name)
        return None if value is None else self._count(value)

    def tokens(self, name: str) -> int:
        """The member as a number of tokens, 0 where it says none."""
        return self.count(name) or 0

    def counts(self, kinds: Mapping[str, str]) -> dict[str, int]:
        """The counts of all members that have a kind, by kind, in one pass.

        Why: vendors repeat one count under several names, so the largest stands for its kind;
        adding them would count it twice.
        """
        counts: dict[str, int] = {}
        for name, value in self._members.items():
            kind = kinds.get(name)
            if kind is None or value is None:
                continue
            tokens = self._count(value)
            if tokens is not None and tokens >= counts.get(kind, 0):
                counts[kind] = tokens
        return counts

    def part(self, *names: str) -> Sheet | None:
        """The first of these members that is an object with something in it."""
        for name in names:
            value = self._members.get(name)
            if isinstance(value, dict):
                return Sheet(cast("dict[str, object]", value), self.notes) if value else None
            if value is not None:
                self.warn("impossible_details")
        return None

    def joined(self, *names: str) -> Sheet | None:
        """All of these members that are objects, as one; the first that says a thing is believed.

        Why: DashScope tells the kinds of its input in one object and the cache in another.
        """
        parts = [part for name in names if (part := self.part(name)) is not None]
        if len(parts) < 2:
            return parts[0] if parts else None
        members: dict[str, object] = {}
        for part in reversed(parts):
            members |= part._members
        return Sheet(members, self.notes)

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

    def seconds_micro(self, *names: str) -> int | None:
        """The first of these members that is a length of time. Units: 10^-6 s, rounded up."""
        for name in names:
            value = self._members.get(name)
            if value is None:
                continue
            micro = _scaled(value, most=MOST_SECONDS, scale=MICRO)
            if micro is None:
                self.warn("impossible_seconds")
                continue
            self.notes.understood = True
            return micro
        return None

    def cost_picousd(self) -> int | None:
        """What the provider says it billed; None where it does not say. Units: 10^-12 USD.

        Source: OpenRouter states `cost` in USD, and `total_cost` of a generation that it looks up;
        Perplexity an object with `total_cost`, xAI `cost_in_usd_ticks`. Estimates by others go by
        other names.
        Why: with your own key OpenRouter bills its fee as `cost`, and the provider behind it
        bills `upstream_inference_cost` besides: both are what the call cost.
        """
        value = self._members.get("cost")
        if self.has("native_tokens_prompt"):
            value = self._members.get("total_cost")
        if isinstance(value, dict):
            stated = cast("dict[str, object]", value)
            value = stated.get("total_cost", stated)
        if value is None:
            return self._cost(self._members.get("cost_in_usd_ticks"), 10**10)
        cost = self._cost(value, 1)
        details = self._members.get("cost_details", self._members)
        if cost is None or self._members.get("is_byok") is not True:
            return cost
        if not isinstance(details, dict):
            return cost
        upstream = cast("dict[str, object]", details).get("upstream_inference_cost")
        return cost + (self._cost(upstream, 1) or 0)

    def _cost(self, value: object, per_usd: int) -> int | None:
        if value is None:
            return None
        cost = _scaled(value, most=MOST_COST_USD * per_usd, scale=PICO_PER_USD // per_usd)
        if cost is None:
            self.warn("impossible_cost")
        return cost

    def _count(self, value: object) -> int | None:
        # The usual number first, without a Decimal: it is most of what there is to read.
        if value.__class__ is int and 0 <= cast("int", value) <= MOST_TOKENS:
            self.notes.understood = True
            return cast("int", value)
        tokens = token_count(value)
        if tokens is None:
            self.warn("impossible_number")
            return None
        self.notes.understood = True
        return tokens

    def _sheets(self, values: Sequence[object]) -> list[Sheet]:
        sheets: list[Sheet] = []
        for value in values:
            if isinstance(value, dict):
                sheets.append(Sheet(cast("dict[str, object]", value), self.notes))
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


def _scaled(value: object, *, most: int, scale: int) -> int | None:
    """The value times the scale, rounded up; None where it is not between 0 and the most."""
    number = _number(value)
    if number is None or not 0 <= number <= most:
        return None
    if len(number.as_tuple().digits) > MOST_DIGITS:
        return None
    if number and number.adjusted() < -MOST_DIGITS:
        return 1
    numerator, denominator = number.as_integer_ratio()
    return ceil_div(numerator * scale, denominator)


def _number(value: object) -> Decimal | None:
    """The value as an exact finite Decimal. A bool is no number, and neither is a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None
