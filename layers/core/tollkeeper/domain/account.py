"""The account as a value: what it holds, what it may spend, and how drafts change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import Grants, spendable_total
from tollkeeper.domain.money import LARGEST_MICROCREDITS
from tollkeeper.domain.totals import DayClosed, Totals


class Status(StrEnum):
    """What an account may do."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PlanState:
    """The plan an account is on and its current period. `next_plan` waits for the period's end."""

    id: str
    generation: int
    period_start_at: datetime
    period_end_at: datetime
    anchor: date | None = None
    next_plan: str = ""
    next_anchor: date | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """What was spent in the current day, month and plan period. Units: micro-credits."""

    day: int = 0
    month: int = 0
    period: int = 0


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Counters that only a ledger replay could give otherwise. Units: micro-credits."""

    granted: int = 0
    purchased: int = 0
    spent: int = 0
    refunded: int = 0
    expired: int = 0
    adjusted_down: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that decides what an account may do next.

    `today` is the local day that `totals` count; `rolled_to` is the moment up to which time has
    been applied, and never goes back.
    """

    id: AccountId
    plan: PlanState
    zone: str
    today: date
    rolled_to: datetime
    version: int = 0
    seq: int = 0
    status: Status = Status.ACTIVE
    next_zone: str = ""
    next_zone_at: datetime | None = None
    name: str = ""
    grants: Grants = ()
    overdraft_debt_microcredits: int = 0
    features: Mapping[str, int] = field(default_factory=dict[str, int])
    windows: Windows = Windows()
    totals: Totals = field(default_factory=dict[Any, Any])
    lifetime: Lifetime = Lifetime()

    @property
    def available_microcredits(self) -> int:
        """What started grants hold, less debt; may be negative."""
        return spendable_total(self.grants) - self.overdraft_debt_microcredits

    def spendable_microcredits(self, catalog: Catalog) -> int:
        """Available plus what is left of the plan's overdraft.

        Why: a downgrade can leave more debt than the new plan allows; then nothing is left.
        """
        overdraft = catalog.plan(self.plan.id).overdraft_microcredits
        left = max(0, overdraft - self.overdraft_debt_microcredits)
        return spendable_total(self.grants) + left if left else max(0, self.available_microcredits)


@dataclass(frozen=True, slots=True)
class ChargeReturned:
    """The mark that a charge was given back: at most one per charge, whoever asks."""

    charge: EntryKey
    by: EntryKey


@dataclass(frozen=True, slots=True)
class Decision:
    """What one transaction is to write: the account after, and the rows that explain it.

    `answer` is the command's own entry; None in a slice that only moves time on.
    `also` are further items that the command needs, each with a condition of its own.
    """

    before: Account | None
    account: Account
    entries: tuple[Entry, ...]
    days: tuple[DayClosed, ...]
    answer: Entry | None
    also: tuple[object, ...] = ()


class Draft:
    """A decision in the making: each post adds one row and proves that it explains the change."""

    def __init__(self, before: Account | None, account: Account, at: datetime) -> None:
        self.before = before
        self.account = account
        self.at = at
        self.entries: list[Entry] = []
        self.days: list[DayClosed] = []
        self._explained = 0 if before is None else before.available_microcredits

    def post(
        self, account: Account, *, key: EntryKey, kind: EntryKind, delta: int, **facts: Any
    ) -> Entry:
        """The account becomes this one and the row that explains it is added.

        Why: the assertion makes a row that does not explain its change impossible to write.
        """
        assert account.seq == self.account.seq, "a draft is changed by one row at a time"
        self.account = replace(account, seq=account.seq + 1)
        self._explained += delta
        available = self.account.available_microcredits
        assert self._explained == available, f"{kind} explains {self._explained}, not {available}"
        entry = Entry(
            account=account.id,
            key=key,
            seq=self.account.seq,
            kind=kind,
            at=self.at,
            delta_microcredits=delta,
            available_after_microcredits=available,
            debt_after_microcredits=account.overdraft_debt_microcredits,
            day=account.today if "run" in facts else None,
            **facts,
        )
        self.entries.append(entry)
        return entry

    def decide(self, answer: Entry | None, *also: object) -> Decision:
        """The finished decision, after the account was checked once more."""
        account = self.account
        assert_sound(account)
        account = replace(account, version=account.version + 1)
        return Decision(
            before=self.before,
            account=account,
            entries=tuple(self.entries),
            days=tuple(self.days),
            answer=answer,
            also=also,
        )


def assert_sound(account: Account) -> None:
    """The numbers that must hold do hold. Why: a bug of ours must stop before it is written."""
    life = account.lifetime
    remaining = spendable_total(account.grants)
    debt = account.overdraft_debt_microcredits
    gone = life.spent + life.expired + life.adjusted_down
    assert life.granted + debt == gone + remaining, "granted + debt = gone + remaining"
    assert debt >= 0, "debt is never negative"
    assert all(g.remaining_microcredits >= 0 for g in account.grants), "no grant below zero"
    assert len({g.id for g in account.grants}) == len(account.grants), "grant ids differ"
    assert life.granted <= LARGEST_MICROCREDITS * 1000, "credits stay in range"
    assert account.plan.period_start_at <= account.plan.period_end_at, "periods go forward"
