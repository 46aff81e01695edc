"""Reports: the closed days of all accounts folded into one day of the stack, and how days add up.

A day is folded from the accounts' closed days alone, each once, in any order; the same ones give
the same day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.totals import NOTHING, OTHER, Total, TotalKey, Totals

GROUPS = ("operation", "model", "feature")
MOST_NAMES = 200
"""How many operations, models or features a day tells apart; what comes after them is `other`."""

MOST_TOP = 200
"""How many customers a day names; the rest of them are one sum."""

LAST_ZONE = timedelta(hours=-12)
FIRST_ZONE = timedelta(hours=14)
"""The zones in which a day ends last, and begins first."""

SETTLING = timedelta(hours=1)
"""How long after a day is over everywhere its accounts are looked at.

Why: a write that began in the day ends within seconds, and the index follows the table in as many.
"""

Named = Mapping[str, Total]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one account used on a day, or on several."""

    account: AccountId
    total: Total

    def order(self) -> tuple[int, str]:
        """The one that spent most first; where two spent the same, by id."""
        return (-self.total.credits_microcredits, self.account)


@dataclass(frozen=True, slots=True)
class ReportDay:
    """One day of all accounts. `top` are those that spent most, at most 200; `total` is of all.

    `named` has a total by operation, by model and by feature, each of which adds up to `total`.
    """

    day: date
    accounts: int = 0
    total: Total = NOTHING
    named: Mapping[str, Named] = field(default_factory=dict[str, Named])
    top: tuple[Spent, ...] = ()

    @property
    def rest(self) -> Total:
        """What the accounts used that are not named."""
        return self.total.plus(add_up(spent.total for spent in self.top).minus())


class DayFold:
    """A day that is being folded; `so_far` is where an earlier run stopped."""

    def __init__(self, so_far: ReportDay) -> None:
        self.day = so_far.day
        self._accounts = so_far.accounts
        self._total = so_far.total
        self._named: dict[str, dict[str, Total]] = {
            group: dict(so_far.named.get(group, {})) for group in GROUPS
        }
        self._top = list(so_far.top)

    def add(self, account: AccountId, totals: Totals) -> None:
        """The account's closed day is in it. Why: each account has one day of a date."""
        total = add_up(totals.values())
        self._accounts += 1
        self._total = self._total.plus(total)
        for key, each in totals.items():
            for group in GROUPS:
                count_name(self._named[group], name_of(key, group), each)
        self._top.append(Spent(account, total))
        if len(self._top) >= 2 * MOST_TOP:
            self._top = keep_top(self._top)

    def finish(self) -> ReportDay:
        """The day with all that was added."""
        named = {group: dict(sorted(totals.items())) for group, totals in self._named.items()}
        top = tuple(keep_top(self._top))
        return ReportDay(self.day, self._accounts, self._total, named, top)


def keep_top(spent: Iterable[Spent]) -> list[Spent]:
    """Those that spent most, the most first."""
    return sorted(spent, key=Spent.order)[:MOST_TOP]


def count_name(totals: dict[str, Total], name: str, total: Total) -> None:
    """The name's total has one more; beyond the bound, new names are `other`."""
    if name not in totals and len(totals) >= MOST_NAMES:
        name = OTHER
    totals[name] = totals.get(name, NOTHING).plus(total)


def name_of(key: TotalKey, group: str) -> str:
    """What the key is called in that grouping; empty for a run without such a name."""
    match group:
        case "operation":
            return key.operation
        case "model":
            return key.model
        case _:
            return key.label


def add_up(totals: Iterable[Total]) -> Total:
    """All of them together."""
    total = NOTHING
    for each in totals:
        total = total.plus(each)
    return total


def day_over_at(day: date) -> datetime:
    """When the day is over in every zone there is."""
    next_day = datetime.combine(day + timedelta(days=1), time(), UTC)
    return next_day - LAST_ZONE


def last_day_over(now: datetime) -> date:
    """The last day that was over everywhere long enough ago to be looked at."""
    return (now - SETTLING + LAST_ZONE).date() - timedelta(days=1)


def newest_closed_day(now: datetime) -> date:
    """The newest day that any account can have closed."""
    return (now + FIRST_ZONE).date() - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reports are.

    `since` is the first day they have, `through` the last one that is complete: every account's
    day of that date is in it, and it never changes again. `checked_day` is the last day of which
    every account was seen to be closed, at `checked_at`.
    """

    since: date
    through: date | None = None
    checked_day: date | None = None
    checked_at: datetime | None = None
    version: int = 0

    @property
    def next_day(self) -> date:
        """The first day that is not complete."""
        return self.since if self.through is None else self.through + timedelta(days=1)

    def is_sure(self, day: date, now: datetime, lag: timedelta) -> bool:
        """What a list says of the day now is all there is.

        Why: each account's day was closed before the check, and a list shows what was written
        that long ago.
        """
        if self.checked_day is None or self.checked_at is None:
            return False
        return day <= self.checked_day and now >= self.checked_at + lag

    def completed(self, day: date) -> Progress:
        """The day is complete, and so are those before it."""
        assert day == self.next_day, "days are completed one after the other"
        return replace(self, through=day)
