"""Stats: closed days and today added up, equal to the ledger at every moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.roll import catch_up
from tollkeeper.domain.totals import NOTHING, DayClosed, Total, TotalKey, relabel
from tollkeeper.service.charging import see_unopened
from tollkeeper.service.ports import World

MOST_DAYS = 400
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class StatsRequest:
    """Which days, in which buckets, by what. Both days are included."""

    account: AccountId
    first: date | None
    last: date | None
    bucket: str
    group_by: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of one group."""

    bucket: str
    key: TotalKey
    total: Total


@dataclass(frozen=True, slots=True)
class Stats:
    """The rows in order, their sum, and the days and zone that they are for."""

    rows: tuple[Row, ...]
    total: Total
    first: date
    last: date
    zone: str


def read_stats(world: World, request: StatsRequest) -> Stats:
    """The account's runs between the two days, added up.

    Raises: InvalidError for days that make no sense; NotFoundError as see_unopened.
    Cost: one GetItem and one Query per megabyte of closed days asked for.
    Why: the account is read first and alone decides what is today, so a day that closes
    between the two reads is never counted twice or not at all.
    """
    account = world.ledger.read_account(request.account, is_strong=True)
    if account is None:
        account = see_unopened(world, request.account)
    now, recent = _recent_days(world, account)
    first, last = _read_range(request, now.today)
    older = _closed_days(world, account, first, min(last, account.today - timedelta(days=1)))
    days = [day for day in (*older, *recent) if first <= day.day <= last]
    sums: dict[tuple[str, TotalKey], Total] = {}
    for day in days:
        bucket = bucket_of(day.day, request.bucket)
        for key, total in day.totals.items():
            place = (bucket, relabel(key, request.group_by))
            sums[place] = sums.get(place, NOTHING).plus(total)
    rows = tuple(Row(bucket, key, sums[bucket, key]) for bucket, key in sorted(sums))
    return Stats(rows, add_up(sums.values()), first, last, now.zone)


def add_up(totals: Iterable[Total]) -> Total:
    """All of them together."""
    total = NOTHING
    for each in totals:
        total = total.plus(each)
    return total


def _recent_days(world: World, account: Account) -> tuple[Account, tuple[DayClosed, ...]]:
    """The account as it is now, and the days that it still carries itself."""
    draft = catch_up(account, now=world.clock.now(), catalog=world.catalog)
    now = draft.account
    return now, (*draft.days, DayClosed(now.today, now.totals))


def _closed_days(world: World, account: Account, first: date, last: date) -> tuple[DayClosed, ...]:
    found: list[DayClosed] = []
    start = None
    while first <= last:
        days, start = world.ledger.read_days(account.id, first, last, start)
        found += days
        if start is None:
            break
    return tuple(found)


def _read_range(request: StatsRequest, today: date) -> tuple[date, date]:
    last = request.last or today
    first = request.first or last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidError("from", "must not be later than to")
    if (last - first).days >= MOST_DAYS:
        raise InvalidError("from", f"must be less than {MOST_DAYS} days before to")
    return first, last


def bucket_of(day: date, bucket: str) -> str:
    """The bucket's name: the day, the Monday of its week, or its month."""
    match bucket:
        case "week":
            return (day - timedelta(days=day.weekday())).isoformat()
        case "month":
            return day.isoformat()[:7]
        case _:
            return day.isoformat()
