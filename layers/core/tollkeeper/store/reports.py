"""Reports in DynamoDB: a day in two items, how far they are, and a day that is half folded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.reports import Progress, ReportDay, Spent
from tollkeeper.domain.totals import NOTHING
from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import report_key
from tollkeeper.store.ledger import Ledger
from tollkeeper.store.rows import (
    Item,
    dump,
    from_ms,
    number,
    string,
    to_ms,
    total_from_row,
    total_to_row,
)
from tollkeeper.store.writes import Write, is_version

USAGE, TOP, PROGRESS, WORK = "U", "T", "S", "W"
REPORTS_PK = "R"
DAYS_PER_READ = 40


@dataclass(frozen=True, slots=True)
class Work:
    """A day that is folded up to that account of that shard.

    `is_sure`: all of the day was in the lists when its fold began.
    """

    so_far: ReportDay
    is_sure: bool
    shard: int = 0
    after: str = ""


def usage_to_item(day: ReportDay) -> Item:
    """What ran on the day, by each grouping."""
    named = {
        group: [[name, *total_to_row(total)] for name, total in totals.items()]
        for group, totals in day.named.items()
    }
    return report_key(USAGE, day.day.isoformat()) | {
        "sv": number(SCHEMA),
        "accounts": number(day.accounts),
        "total": string(dump(total_to_row(day.total))),
        "named": string(dump(named)),
    }


def top_to_item(day: ReportDay) -> Item:
    """Who used most of the day, and what all used."""
    top = [[spent.account, *total_to_row(spent.total)] for spent in day.top]
    return report_key(TOP, day.day.isoformat()) | {
        "sv": number(SCHEMA),
        "accounts": number(day.accounts),
        "total": string(dump(total_to_row(day.total))),
        "top": string(dump(top)),
    }


def day_of_report_from_item(item: Item) -> ReportDay:
    """The day as it was written, with what this item has of it."""
    named: dict[str, list[Any]] = json.loads(item["named"]["S"]) if "named" in item else {}
    top: list[Any] = json.loads(item["top"]["S"]) if "top" in item else []
    day = item["day"]["S"] if "day" in item else item["sk"]["S"].partition("#")[2]
    return ReportDay(
        day=date.fromisoformat(day),
        accounts=int(item["accounts"]["N"]),
        total=total_from_row(json.loads(item["total"]["S"])),
        named={
            group: {row[0]: total_from_row(row[1:]) for row in rows}
            for group, rows in named.items()
        },
        top=tuple(Spent(AccountId(row[0]), total_from_row(row[1:])) for row in top),
    )


def work_to_item(work: Work) -> Item:
    """The day that is half folded."""
    named, top = usage_to_item(work.so_far), top_to_item(work.so_far)
    return {**named, **top, **report_key(WORK)} | {
        "day": string(work.so_far.day.isoformat()),
        "sure": number(int(work.is_sure)),
        "shard": number(work.shard),
        "after": string(work.after),
    }


def work_from_item(item: Item) -> Work:
    """The day that is half folded, as it was written."""
    return Work(
        so_far=day_of_report_from_item(item),
        is_sure=bool(int(item["sure"]["N"])),
        shard=int(item["shard"]["N"]),
        after=item["after"]["S"],
    )


def progress_to_item(progress: Progress) -> Item:
    """How far the reports are."""
    item = report_key(PROGRESS) | {
        "sv": number(SCHEMA),
        "v": number(progress.version),
        "since": string(progress.since.isoformat()),
    }
    if progress.through is not None:
        item["through"] = string(progress.through.isoformat())
    if progress.checked_day is not None and progress.checked_at is not None:
        item["checked"] = string(progress.checked_day.isoformat())
        item["checked_at"] = number(to_ms(progress.checked_at))
    return item


def progress_from_item(item: Item) -> Progress:
    """How far the reports are, as it was written."""
    has_checked = "checked" in item
    return Progress(
        since=date.fromisoformat(item["since"]["S"]),
        through=date.fromisoformat(item["through"]["S"]) if "through" in item else None,
        checked_day=date.fromisoformat(item["checked"]["S"]) if has_checked else None,
        checked_at=from_ms(int(item["checked_at"]["N"])) if has_checked else None,
        version=int(item["v"]["N"]),
    )


def write_progress(ledger: Ledger, progress: Progress, *also: Item) -> None:
    """The reports are that far, over the version before it, with the items that go with it.

    Raises: TakenError where another run wrote meanwhile. Cost: one TransactWriteItems.
    """
    moved = {"Item": progress_to_item(progress), **is_version(progress.version - 1)}
    # Why: whoever moves the progress on is the only one who writes.
    ledger.write_puts(Write("progress", moved), *(Write("report", {"Item": item}) for item in also))


def read_progress(ledger: Ledger) -> Progress | None:
    """How far the reports are; None before the first run. Cost: one GetItem."""
    item = ledger.read_item(report_key(PROGRESS))
    return None if item is None else progress_from_item(item)


def read_work(ledger: Ledger) -> Work | None:
    """The day that a run left half folded, this one or another. Cost: one GetItem."""
    item = ledger.read_item(report_key(WORK))
    return None if item is None else work_from_item(item)


def read_report_days(ledger: Ledger, kind: str, first: date, last: date) -> list[ReportDay]:
    """The days between the two, both included, on which anything ran.

    Cost: one strong Query per 40 days, and one more.
    """
    days: list[ReportDay] = []
    before = date.fromordinal(first.toordinal() - 1)
    after = report_key(kind, before.isoformat())["sk"]["S"]
    while True:
        items = ledger.read_items(REPORTS_PK, limit=DAYS_PER_READ, after=after)
        for item in items:
            after = item["sk"]["S"]
            if not after.startswith(f"{kind}#") or after > f"{kind}#{last.isoformat()}":
                return days
            days.append(day_of_report_from_item(item))
        # Why: a page that is short may have been cut at a megabyte.
        if not items:
            return days


def is_empty(day: ReportDay) -> bool:
    """Nothing ran on the day."""
    return not day.accounts and day.total == NOTHING
