"""Delivery: the events of ledger rows are on the bus, or it is said of which rows they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tollkeeper.domain.entries import AccountId, Entry
from tollkeeper.domain.events import Event, events_of
from tollkeeper.store.ledger import Ledger

REDRIVE_PAGE = 100
MOST_REDRIVEN = 1_000

HasTime = Callable[[], bool]


class EventBus(Protocol):
    """Where events go. A bus may take some of those that it is given and not the others."""

    def send(self, events: Sequence[Event], *, has_time: HasTime) -> frozenset[str]:
        """The ids of those that are not on the bus; every other one is."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger row to tell of. `sequence` is what its sender calls it by."""

    sequence: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of some rows. `failed` are the sequences of those that are to be sent again."""

    rows: int
    events: int
    failed: tuple[str, ...] = ()


def deliver(bus: EventBus, rows: Sequence[Row], *, has_time: HasTime) -> Delivered:
    """Every event of every row is on the bus, but for the rows that failed.

    Why: a row fails whole where one of its events does. Then its others come twice, under the ids
    that they had: at least once is what is promised.
    """
    events = [event for row in rows for event in row.events]
    unsent = bus.send(events, has_time=has_time) if events else frozenset[str]()
    failed = tuple(row.sequence for row in rows if any(event.id in unsent for event in row.events))
    return Delivered(len(rows), len(events) - len(unsent), failed)


@dataclass(frozen=True, slots=True)
class Redrive:
    """Rows whose events are to be sent again, both ends included."""

    account: AccountId
    from_seq: int
    to_seq: int


@dataclass(frozen=True, slots=True)
class Redriven:
    """What was sent again. `missing` are rows that the ledger does not have.

    `next_from_seq` is where to go on; None where the range is done.
    """

    rows: int = 0
    events: int = 0
    failed: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    next_from_seq: int | None = None


def redrive(bus: EventBus, ledger: Ledger, asked: Redrive, *, has_time: HasTime) -> Redriven:
    """The events of these rows are on the bus again, in their order, as far as the time goes.

    Raises: BusyError; ValueError for a row that this version cannot tell of.
    Cost: one Query of the history index per 100 rows, one GetItem per row, at most 1,000 rows.
    Why: the index projects what a list shows, which is less than an event says.
    """
    done = Redriven()
    last = min(asked.to_seq, asked.from_seq + MOST_REDRIVEN - 1)
    for first in range(asked.from_seq, last + 1, REDRIVE_PAGE):
        if not has_time():
            return replace(done, next_from_seq=first)
        page = Redrive(asked.account, first, min(first + REDRIVE_PAGE - 1, last))
        done = _plus(done, _redrive_page(bus, ledger, page, has_time=has_time))
    return done if last == asked.to_seq else replace(done, next_from_seq=last + 1)


def _redrive_page(bus: EventBus, ledger: Ledger, page: Redrive, *, has_time: HasTime) -> Redriven:
    entries = sorted(_read_entries(ledger, page), key=lambda entry: entry.seq)
    rows = [Row(str(entry.seq), events_of(entry)) for entry in entries]
    delivered = deliver(bus, rows, has_time=has_time)
    missing = {*range(page.from_seq, page.to_seq + 1)} - {entry.seq for entry in entries}
    return Redriven(
        rows=delivered.rows,
        events=delivered.events,
        failed=tuple(int(sequence) for sequence in delivered.failed),
        missing=tuple(sorted(missing)),
    )


def _read_entries(ledger: Ledger, page: Redrive) -> Iterator[Entry]:
    below: int | None = page.to_seq + 1
    while below is not None and below > page.from_seq:
        listed = ledger.read_history(page.account, below_seq=below, limit=below - page.from_seq)
        for each in listed.entries:
            if each.seq < page.from_seq:
                return
            entry = ledger.read_entry(page.account, each.key)
            if entry is not None:
                yield entry
        below = listed.next_seq


def _plus(one: Redriven, other: Redriven) -> Redriven:
    return Redriven(
        rows=one.rows + other.rows,
        events=one.events + other.events,
        failed=(*one.failed, *other.failed),
        missing=(*one.missing, *other.missing),
    )
