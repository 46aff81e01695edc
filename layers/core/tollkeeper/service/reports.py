"""Reports over all accounts, read from folded days: what ran, and who used most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.reports import (
    MOST_TOP,
    Progress,
    Spent,
    add_up,
    newest_closed_day,
)
from tollkeeper.domain.totals import NOTHING, Total
from tollkeeper.service.ports import World
from tollkeeper.service.stats import MOST_DAYS, USUAL_DAYS, bucket_of
from tollkeeper.store.reports import TOP, USAGE, read_progress, read_report_days

MOST_REPORT_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a report is for, both included, and how far the reports are.

    `since` is the first day there is, `through` the last that is complete; days after it are as
    far as accounts have closed them.
    """

    first: date
    last: date
    since: date | None
    through: date | None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One bucket, of one name where the report is grouped."""

    bucket: str
    name: str
    total: Total


@dataclass(frozen=True, slots=True)
class Usage:
    """The rows in order, and their sum."""

    span: Span
    rows: tuple[UsageRow, ...]
    total: Total


@dataclass(frozen=True, slots=True)
class Customers:
    """Those that spent most, the most first, and what all accounts used.

    `unseen_microcredits` is more than any account spent on the days of which it is not in its
    sum: 0 where no day had more than 200 accounts.
    """

    span: Span
    rows: tuple[tuple[Spent, int], ...]
    total: Total
    unseen_microcredits: int

    @property
    def rest(self) -> Total:
        """What all the other accounts used."""
        return self.total.plus(add_up(spent.total for spent, _ in self.rows).minus())


def read_usage(
    world: World, first: date | None, last: date | None, *, bucket: str, group_by: str | None
) -> Usage:
    """What ran on the days asked for. Raises: InvalidError. Cost: one Query per 40 days or so."""
    span = _read_span(world, first, last)
    sums: dict[tuple[str, str], Total] = {}
    for day in read_report_days(world.ledger, USAGE, span.first, span.last):
        named = day.named.get(group_by, {}) if group_by else {"": day.total}
        for name, total in named.items():
            place = (bucket_of(day.day, bucket), name)
            sums[place] = sums.get(place, NOTHING).plus(total)
    if len(sums) > MOST_REPORT_ROWS:
        raise InvalidError("from", f"asks for more than {MOST_REPORT_ROWS} rows; ask for less")
    rows = tuple(UsageRow(*place, sums[place]) for place in sorted(sums))
    return Usage(span, rows, add_up(sums.values()))


def read_customers(world: World, first: date | None, last: date | None, *, limit: int) -> Customers:
    """Who used most on the days asked for. Raises: InvalidError. Cost: as read_usage."""
    span = _read_span(world, first, last)
    total = NOTHING
    unseen = 0
    sums: dict[AccountId, tuple[Total, int]] = {}
    for day in read_report_days(world.ledger, TOP, span.first, span.last):
        total = total.plus(day.total)
        if day.accounts > len(day.top):
            unseen += max(0, day.top[-1].total.credits_microcredits)
        for spent in day.top:
            so_far, days = sums.get(spent.account, (NOTHING, 0))
            sums[spent.account] = (so_far.plus(spent.total), days + 1)
    found = ((Spent(account, of), days) for account, (of, days) in sums.items())
    rows = sorted(found, key=lambda row: row[0].order())[:limit]
    assert limit <= MOST_TOP, "a day names as many as a report shows"
    return Customers(span, tuple(rows), total, unseen)


def _read_span(world: World, first: date | None, last: date | None) -> Span:
    """Raises: InvalidError."""
    progress: Progress | None = read_progress(world.ledger)
    last = last or newest_closed_day(world.clock.now())
    first = first or last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidError("from", "must not be later than to")
    if (last - first).days >= MOST_DAYS:
        raise InvalidError("from", f"must be less than {MOST_DAYS} days before to")
    if progress is None:
        return Span(first, last, None, None)
    return Span(first, last, progress.since, progress.through)
