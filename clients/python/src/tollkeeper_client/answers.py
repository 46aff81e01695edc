"""Answers of the API as values: amounts are Decimals, moments are aware, nothing is a float.

Each keeps the whole answer in `raw`, where a newer API may say more than these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import cast

from tollkeeper_client.amounts import read_json
from tollkeeper_client.errors import UnreadableAnswerError
from tollkeeper_client.sending import Reply

Raw = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What every answer has. `was_replayed`: an earlier try had done it, this is its answer."""

    was_replayed: bool = False
    raw: Raw = field(default_factory=dict[str, object], repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Balance(Answer):
    """Where the account stands. All None for a local operation, for which nobody was asked."""

    available: Decimal | None
    held: Decimal | None
    debt: Decimal | None
    seq: int | None


@dataclass(frozen=True, kw_only=True)
class Check(Answer):
    """The account can pay for the run now."""

    allowed: bool
    required: Decimal
    available: Decimal | None
    spendable: Decimal | None
    warnings: tuple[Raw, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Estimate(Answer):
    """What a run may cost. `quote_id` pins these prices, where the API gives one."""

    min: Decimal
    typical: Decimal
    max: Decimal
    explanation: str
    quote_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Charge(Balance):
    """Credits were spent on a run."""

    key: str | None
    charged: Decimal
    cost_usd: Decimal | None = None
    breakdown: tuple[Raw, ...] = ()
    price_version: str | None = None
    warnings: tuple[Raw, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settlement(Charge):
    """A hold was charged at what the run used, or a part of it."""

    hold_id: str | None
    released: Decimal
    uncollected: Decimal
    late: bool


@dataclass(frozen=True, kw_only=True)
class Hold(Answer):
    """Credits are set aside for a run. `held` is what this hold has, not the account's total."""

    hold_id: str
    key: str | None
    held: Decimal
    available: Decimal | None
    debt: Decimal | None
    seq: int | None
    expires_at: datetime | None
    cost_usd: Decimal | None = None
    breakdown: tuple[Raw, ...] = ()
    price_version: str | None = None
    warnings: tuple[Raw, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Release(Balance):
    """A hold was given back whole."""

    key: str | None
    hold_id: str
    released: Decimal


@dataclass(frozen=True, kw_only=True)
class Extension(Balance):
    """A hold lasts longer."""

    key: str | None
    hold_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Void(Balance):
    """A charge was undone."""

    key: str | None
    charge: str
    refunded: Decimal


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A bucket of credits."""

    id: str
    kind: str
    amount: Decimal
    remaining: Decimal
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Window:
    """What was spent in a day, a month or a plan's period."""

    window: str
    spent: Decimal
    limit: Decimal | None
    percent: Decimal | None
    resets_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Feature:
    """How often the plan's feature was used in this period."""

    feature: str
    used: Decimal
    limit: Decimal | None


@dataclass(frozen=True, kw_only=True)
class OpenHold:
    """Credits that are set aside for a run under way."""

    hold_id: str
    held: Decimal
    operation: str | None
    model: str | None
    opened_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Account(Balance):
    """The account as it is now."""

    account: str
    status: str
    spendable: Decimal
    plan: Raw
    zone: str
    grants: tuple[Grant, ...]
    holds: tuple[OpenHold, ...]
    windows: tuple[Window, ...]
    features: tuple[Feature, ...]
    totals: Mapping[str, Decimal]
    warnings: tuple[Raw, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the ledger."""

    seq: int
    key: str
    kind: str
    delta: Decimal
    available_after: Decimal
    at: datetime
    operation: str | None
    model: str | None
    feature: str | None
    charged: Decimal | None
    raw: Raw = field(default_factory=dict[str, object], repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class EntryPage(Answer):
    """Rows, newest first, and where the next page begins."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


class Members:
    """The members of one object of an answer, each read as what it must be."""

    __slots__ = ("raw",)

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, dict):
            raise UnreadableAnswerError("The answer is no JSON object.")
        self.raw = cast("Raw", raw)

    def decimal(self, *names: str) -> Decimal:
        """The first of these members as a Decimal. Raises: UnreadableAnswerError."""
        for name in names:
            value = self.maybe_decimal(name)
            if value is not None:
                return value
        raise UnreadableAnswerError(f"The answer has no amount {names[0]}.")

    def maybe_decimal(self, name: str) -> Decimal | None:
        """The member as a Decimal; None where it is absent or null."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
            raise UnreadableAnswerError(f"{name} is no amount.")
        try:
            return Decimal(value)
        except ArithmeticError:
            raise UnreadableAnswerError(f"{name} is no amount.") from None

    def text(self, name: str) -> str:
        """The member as a text. Raises: UnreadableAnswerError."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            raise UnreadableAnswerError(f"The answer has no text {name}.")
        return value

    def maybe_text(self, name: str) -> str | None:
        """The member as a text; None where it is none."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else None

    def maybe_int(self, name: str) -> int | None:
        """The member as a whole number; None where it is none."""
        value = self.raw.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def moment(self, name: str) -> datetime:
        """The member as an aware moment. Raises: UnreadableAnswerError."""
        moment = self.maybe_moment(name)
        if moment is None:
            raise UnreadableAnswerError(f"The answer has no moment {name}.")
        return moment

    def maybe_moment(self, name: str) -> datetime | None:
        """The member as an aware moment; None where it is absent or null."""
        text = self.maybe_text(name)
        if text is None:
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise UnreadableAnswerError(f"{name} is no moment.") from None

    def flag(self, name: str) -> bool:
        """Whether the member is true."""
        return self.raw.get(name) is True

    def part(self, name: str) -> Raw:
        """The member as an object; empty where it is none."""
        value = self.raw.get(name)
        return cast("Raw", value) if isinstance(value, dict) else {}

    def rows(self, name: str) -> tuple[Raw, ...]:
        """The objects of the member's list; empty where it is none."""
        value = self.raw.get(name)
        rows = cast("list[object]", value) if isinstance(value, list) else []
        return tuple(cast("Raw", row) for row in rows if isinstance(row, dict))


def read_members(reply: Reply) -> Members:
    """The answer's members. Raises: UnreadableAnswerError."""
    return Members(read_json(reply.body))
