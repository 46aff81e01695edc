"""Verify reads an account that others write meanwhile, from pages that may be stale or short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulation.store import SimStore
from tests.support.driving import FakeClock
from tests.unit.books import Book, everything
from tests.unit.building import ACCOUNT, CATALOG, ONE, a_run
from tests.unit.ledgers import TABLE, Behind, a_store, definition, refused
from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import BusyError, NotFoundError
from tollkeeper.service.ports import World
from tollkeeper.service.verifying import (
    MOST_PASSES,
    MOST_TRIES,
    PARTS_OF_A_SHARD,
    Run,
    Slot,
    Verified,
    slot_of,
    verify_account,
)
from tollkeeper.store.keys import DUE_SHARDS, due_shard
from tollkeeper.store.ledger import Ledger

CALLS_OF_A_PASS = 3  # the account, a page, the account again


class Halves:
    """Every draw is the middle."""

    def new_secret(self) -> str:
        """Nothing that anybody needs here."""
        return "secret"

    def fraction(self) -> float:
        """The middle."""
        return 0.5


@dataclass
class Reader:
    """A client that only reads, and lets things happen before a call."""

    store: SimStore
    before: dict[int, Callable[[], object]] = field(default_factory=dict[int, Callable[[], object]])
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        self._count(request)
        return self.store.get_item(**request)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page."""
        self._count(request)
        return self.store.query(**request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Never."""
        raise AssertionError(f"verify writes nothing: {request}")

    def _count(self, request: dict[str, Any]) -> None:
        self.calls.append(request)
        self.before.pop(len(self.calls) - 1, lambda: None)()


def save(store: SimStore, book: Book, before: Book | None = None) -> None:
    """What is new in the book is in the table, in one commit."""
    old = {} if before is None else before.items
    new = [item for key, item in book.items.items() if old.get(key) != item]
    puts = [{"Put": {"TableName": TABLE, "Item": item}} for item in new]
    store.transact_write_items(TransactItems=puts)


def a_world(client: Any) -> World:
    """A world whose ledger is behind that client."""
    return World(Ledger(client, TABLE), FakeClock(), Halves(), CATALOG)


def verify(client: Any, account: AccountId = ACCOUNT) -> Findings:
    """What verify says where it has all the time."""
    verified = verify_account(a_world(client), account, has_time=lambda: True)
    assert verified.findings is not None
    return verified.findings


def saved(**how: Any) -> tuple[SimStore, Book]:
    """A table that has the story."""
    store, book = a_store(**how), everything()
    save(store, book)
    return store, book


def test_a_good_account_takes_one_pass_of_cheap_reads() -> None:
    client = Reader(saved()[0])

    findings = verify(client)

    assert findings.is_clean
    assert findings.entries == 38
    assert [call["ConsistentRead"] for call in client.calls] == [True, False, True]


def test_a_finding_is_read_again_strongly_before_it_counts() -> None:
    store, book = saved()
    book.change("A", fe={"call": 7})
    save(store, book, everything())
    client = Reader(store)

    findings = verify(client)

    assert [each.invariant for each in findings.found] == ["I15"]
    assert [call["ConsistentRead"] for call in client.calls] == [True, False, True] + [True] * 3


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_pages_that_lag_behind_the_account_are_no_findings(commits: int) -> None:
    store = SimStore(definition(), lag=Behind({"item": commits}))
    book = everything()
    save(store, book)
    for number in range(3):
        before = everything() if number == 0 else replace(book, items=dict(book.items))
        book.wait(hours=9)
        book.charge(f"late{number}", a_run("sms", quantity=ONE))
        save(store, book, before)

    findings = verify(Reader(store))

    assert findings.is_clean, findings
    assert findings.entries == len([key for key in book.items if key.startswith("E#")])


# What somebody does while the pages are read: each of these is one more transaction.


def charge(book: Book) -> None:
    """A run."""
    book.charge("meanwhile", a_run())


def void(book: Book) -> None:
    """A run is undone."""
    book.give_back("k10", "meanwhile")


def sleep(book: Book) -> None:
    """A day closes, and a grant begins."""
    book.wait(days=9)
    book.charge("meanwhile", a_run())


def reset(book: Book) -> None:
    """A period begins."""
    book.wait(days=40)
    book.charge("meanwhile", a_run())


def pay(book: Book) -> None:
    """A purchase is paid."""
    book.now += timedelta(minutes=1)
    book.buy()


@pytest.mark.parametrize("act", [charge, void, sleep, reset, pay])
@pytest.mark.parametrize("call", range(1, 14))
def test_who_writes_meanwhile_brings_no_finding_about(
    act: Callable[[Book], None], call: int
) -> None:
    """Pages of eight items: the write comes before each of them in turn."""
    store = a_store(cut=lambda: 8)
    book = everything()
    if act is pay:
        book.items = {
            key: item for key, item in bookless(book).items.items() if not key.startswith("P#")
        }
    before = replace(book, items=dict(book.items))
    save(store, book)

    def happen() -> None:
        act(book)
        save(store, book, before)

    findings = verify(Reader(store, {call: happen}))

    assert findings.is_clean, findings


def bookless(book: Book) -> Book:
    """A short story in which nothing was bought yet."""
    short = Book(now=book.now)
    short.charge("k1", a_run())
    return short


def test_a_ledger_that_is_written_in_every_pass_is_judged_all_the_same() -> None:
    store, book = a_store(), everything()
    del book.items["E#c#f1"]
    save(store, book)
    steps = iter(range(100))

    def write() -> None:
        before = replace(book, items=dict(book.items))
        book.charge(f"busy{next(steps)}", a_run("sms", quantity=ONE))
        save(store, book, before)

    client = Reader(store, {1 + CALLS_OF_A_PASS * number: write for number in range(MOST_PASSES)})

    findings = verify(client)

    assert "seq 12" in [each.where for each in findings.found]
    assert len(client.calls) == CALLS_OF_A_PASS * MOST_PASSES


@pytest.mark.parametrize("items", [1, 2, 5])
def test_short_pages_are_followed_to_the_end(items: int) -> None:
    store, book = saved(cut=lambda: items)

    findings = verify(store)

    assert findings.is_clean
    assert findings.entries == len([key for key in book.items if key.startswith("E#")])


def test_a_page_that_is_refused_is_asked_for_again() -> None:
    client = Reader(saved()[0])

    def refuse() -> None:
        raise refused("ThrottlingException")

    client.before = {1: refuse, 2: refuse}

    assert verify(client).is_clean
    client.before = dict.fromkeys(range(len(client.calls), 100), refuse)
    with pytest.raises(BusyError):
        verify(client)


def test_an_account_that_nobody_touched_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        verify(saved()[0], AccountId("nobody"))


def test_rows_without_an_account_are_found_by_name() -> None:
    store, book = a_store(), everything()
    del book.items["A"]
    save(store, book)

    assert "I17" in [each.invariant for each in verify(store).found]


def test_an_account_without_time_has_no_verdict() -> None:
    store, _ = saved(cut=lambda: 4)
    asked = iter([True] * 5 + [False] * 100)

    verified = verify_account(a_world(store), ACCOUNT, has_time=lambda: next(asked))

    assert verified.findings is None
    assert verified.account is not None


# Many accounts.


def many(*broken: str) -> SimStore:
    """A table of sixty accounts with a charge each; some of them lack its row."""
    store = a_store()
    for number in range(60):
        book = Book()
        book.charge("k1", a_run())
        name = f"user_{number}"
        for item in book.items.values():
            item["pk"] = {"S": f"A#{name}"}
        book.change("A", due_shard=due_shard(name))
        if name in broken:
            del book.items["E#c#k1"]
        save(store, book)
    return store


def run_slot(client: Any, slot: Slot, has_time: Callable[[], bool] = lambda: True) -> Run:
    """A run over the slot's accounts; what was found is in `heard`."""
    run = Run(a_world(client), has_time, heard.append)
    heard.clear()
    run.verify_slot(slot)
    return run


heard: list[Verified] = []


def test_each_account_has_its_turn_once_a_day() -> None:
    store = many()
    day = datetime(2026, 11, 20, tzinfo=UTC)
    slots = [slot_of(day + timedelta(minutes=30 * number)) for number in range(48)]

    counts = [run_slot(store, slot).tally.accounts for slot in slots]

    assert sum(counts) == 60
    assert len(set(slots)) == 48 == DUE_SHARDS * PARTS_OF_A_SHARD
    assert slot_of(day + timedelta(minutes=29, seconds=59)) == slots[0]
    whole = [run_slot(store, Slot(shard)).tally.accounts for shard in range(DUE_SHARDS)]
    assert whole == [sum(counts[3 * shard : 3 * shard + 3]) for shard in range(DUE_SHARDS)]


def test_a_broken_account_is_told_and_stops_nobody() -> None:
    store = many("user_7")
    shard = int(due_shard("user_7").removeprefix("DUE#"))

    run = run_slot(store, Slot(shard))
    tally = run.tally

    assert [each.id for each in heard] == ["user_7"]
    assert tally.broken == 1 and tally.findings > 0 and tally.accounts > 1
    assert tally.unexplained_microcredits == 1_000_000
    assert tally.is_finished


def test_an_account_that_cannot_be_read_is_left_and_the_others_are_not() -> None:
    client = Reader(many())
    whole = run_slot(client, Slot(3)).tally.accounts
    client.calls.clear()

    def refuse() -> None:
        raise refused("InternalServerError")

    client.before = dict.fromkeys(range(2, 2 + MOST_TRIES), refuse)
    tally = run_slot(client, Slot(3)).tally

    assert (tally.accounts, tally.busy, tally.is_finished) == (whole - 1, 1, False)


def test_a_shard_that_cannot_be_read_is_left() -> None:
    client = Reader(many())

    def refuse() -> None:
        raise refused("InternalServerError")

    client.before = {0: refuse}
    tally = run_slot(client, Slot(3)).tally

    assert (tally.accounts, tally.busy, tally.is_finished) == (0, 1, False)


def test_a_run_ends_when_its_time_does_and_says_so() -> None:
    asked = iter([True] * 3 + [False] * 100)

    tally = run_slot(many(), Slot(3), lambda: next(asked)).tally

    assert tally.is_finished is False
    assert tally.accounts == 1
