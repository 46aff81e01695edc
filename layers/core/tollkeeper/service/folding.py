"""The fold: closed days of all accounts become days of the reports, each day exactly once.

A day is complete once two things were seen, in this order:

    t0  the day is over in every zone, and an hour more
    t1  no account of the due index has that day, or one before it, still open    (the check)
    t2  ten minutes later or more, the day's lists are read                       (the last fold)

Why: an account with an open day is due at its end at the latest, so the check finds it, however
late the sweep is. Whatever was closed before t1 is in the lists at t2, although an index lags.
After t1 nothing can be added: an account's day never goes back, and none can begin such a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tollkeeper.domain.reports import (
    DayFold,
    Progress,
    ReportDay,
    day_over_at,
    last_day_over,
    newest_closed_day,
)
from tollkeeper.service.ports import World
from tollkeeper.store.keys import DAY_SHARDS, DUE_SHARDS, Key, day_list
from tollkeeper.store.reports import (
    Work,
    is_empty,
    read_progress,
    read_work,
    top_to_item,
    usage_to_item,
    work_to_item,
    write_progress,
)
from tollkeeper.store.rows import Item, to_ms
from tollkeeper.store.writes import totals_from_listed

INDEX_LAG = timedelta(minutes=10)
"""How far the lists may be behind the table. Source: mostly a fraction of a second, says AWS."""

LOOK_BACK = timedelta(days=31)
"""How far back the first run looks."""

OPEN_DAYS = 3
"""How many of the newest days are folded although they are not complete."""

MOST_LATE = 10_000
"""How many due accounts a check looks at. Why: with more, the sweep has not run for long."""


@dataclass(slots=True)
class Folded:
    """What a run did. `late` accounts still have a day open that is over everywhere."""

    days: int = 0
    accounts: int = 0
    late: int = 0
    is_finished: bool = True
    progress: Progress | None = None


def fold_reports(world: World, *, has_time: Callable[[], bool]) -> Folded:
    """The reports are as far as the accounts are, or as far as the time goes.

    A run that finds nothing new writes the same again; a run that is cut off goes on next time.
    Raises: BusyError; TakenError where another run is at it.
    Cost: per day 16 Queries, and one per 1,000 accounts that used something; two items written.
    """
    folded = Folded()
    now = world.clock.now()
    newest = newest_closed_day(now)
    progress = read_progress(world.ledger) or _write(world, Progress(since=newest - LOOK_BACK))
    for day in _days(progress.next_day, newest):
        is_sure = progress.is_sure(day, now, INDEX_LAG)
        if not is_sure and day <= newest - timedelta(days=OPEN_DAYS):
            continue
        report = _fold_day(world, day, progress, is_sure=is_sure, has_time=has_time)
        if report is None:
            # What was folded so far is kept, and moved the progress on.
            folded.is_finished = False
            break
        progress = _keep_day(world, report, progress, is_sure=is_sure)
        folded.days += 1
        folded.accounts += report.accounts
    if folded.is_finished:
        progress = _check(world, progress, now=now, folded=folded, has_time=has_time)
    folded.progress = progress
    return folded


def _days(first: date, last: date) -> Iterator[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _write(world: World, progress: Progress, *also: Item) -> Progress:
    moved = replace(progress, version=progress.version + 1)
    write_progress(world.ledger, moved, *also)
    return moved


def _keep_day(world: World, report: ReportDay, progress: Progress, *, is_sure: bool) -> Progress:
    items = () if is_empty(report) else (usage_to_item(report), top_to_item(report))
    if is_sure:
        return _write(world, progress.completed(report.day), *items)
    return _write(world, progress, *items) if items else progress


def _fold_day(
    world: World,
    day: date,
    progress: Progress,
    *,
    is_sure: bool,
    has_time: Callable[[], bool],
) -> ReportDay | None:
    """The day as the lists have it; None where the time was over, with the work kept."""
    work = _begin(world, day, is_sure=is_sure)
    fold, shard, after = DayFold(work.so_far), work.shard, work.after
    while shard < DAY_SHARDS:
        items, has_more = world.ledger.read_list(day_list(day, shard), after=after)
        for item in items:
            account, totals = totals_from_listed(item)
            fold.add(account, totals)
            after = account
        if not has_more:
            shard, after = shard + 1, ""
        if shard < DAY_SHARDS and not has_time():
            left = replace(work, so_far=fold.finish(), shard=shard, after=after)
            _write(world, progress, work_to_item(left))
            return None
    return fold.finish()


def _begin(world: World, day: date, *, is_sure: bool) -> Work:
    """Where the fold of the day begins: where a run before stopped that was as sure.

    Why: what a run read before it was sure may have grown since.
    """
    begun = read_work(world.ledger) if is_sure else None
    if begun is not None and begun.is_sure and begun.so_far.day == day:
        return begun
    return Work(ReportDay(day), is_sure=is_sure)


def _check(
    world: World,
    progress: Progress,
    *,
    now: datetime,
    folded: Folded,
    has_time: Callable[[], bool],
) -> Progress:
    """The progress with the last day of which every account was seen to be closed."""
    last = last_day_over(now)
    if last < progress.next_day or (progress.checked_day or date.min) >= last:
        return progress
    open_days: list[date] = []
    for looked, each in enumerate(_late_days(world, last)):
        if looked >= MOST_LATE or not has_time():
            folded.is_finished = False
            return progress
        open_days += [] if each is None else [each]
    folded.late = len(open_days)
    checked = min([last, *(day - timedelta(days=1) for day in open_days)])
    if checked < progress.next_day or checked <= (progress.checked_day or date.min):
        return progress
    return _write(world, replace(progress, checked_day=checked, checked_at=world.clock.now()))


def _late_days(world: World, last: date) -> Iterator[date | None]:
    """For each account that is due since that day was over: its open day, where it has one.

    Cost: one Query per 100 of them and shard, one strong GetItem each.
    """
    until_ms = to_ms(day_over_at(last))
    for shard in range(DUE_SHARDS):
        start: Key | None = None
        while True:
            accounts, start = world.ledger.read_due(shard, until_ms=until_ms, start=start)
            for account_id in accounts:
                account = world.ledger.read_account(account_id, is_strong=True)
                is_open = account is not None and account.totals and account.today <= last
                yield account.today if account is not None and is_open else None
            if start is None:
                break
