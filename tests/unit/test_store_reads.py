"""Reading the ledger: what is found, how fresh it is, and where the next page starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from simulation.store import SimStore
from tests.golden import stored
from tests.unit.building import ACCOUNT, NOON, a_key
from tests.unit.ledgers import (
    TABLE,
    Answering,
    a_ledger,
    a_store,
    charging,
    opening,
    voiding,
)
from tollkeeper.domain.cases import Case
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.purchases import EventSeen, Linked, Purchase
from tollkeeper.domain.totals import DayClosed, Total, TotalKey
from tollkeeper.store.items import account_to_item, entry_to_item
from tollkeeper.store.keys import DUE_SHARDS, api_key_key, due_shard
from tollkeeper.store.ledger import Ledger
from tollkeeper.store.rows import to_ms
from tollkeeper.store.writes import IS_NEW, Write, day_to_item

OTHER = AccountId("user_2")
EVENT = EventSeen("evt_1", "checkout.session.completed", "granted", NOON)
CASE = Case("case_1", NOON, "why", "evt_1", "t")
LINK = Linked("pi_1", ACCOUNT, "pur_1")
PURCHASE = Purchase("pur_1", ACCOUNT, "small", "Small", 100, 1000, "usd", created_at=NOON)


def full_ledger(store: SimStore) -> Ledger:
    """One of everything: an account with a voided charge, a purchase, its link and its event."""
    ledger = a_ledger(store)
    first = opening()
    ledger.write_decision(first)
    ledger.write_purchase(PURCHASE, LINK, EVENT, CASE)
    ledger.write_decision(voiding(first))
    return ledger


READS: dict[str, Callable[[Ledger], object]] = {
    "account": lambda ledger: ledger.read_account(ACCOUNT, is_strong=True),
    "entry": lambda ledger: ledger.read_entry(ACCOUNT, a_key("v1")),
    "return": lambda ledger: ledger.read_return(ACCOUNT, a_key("k0")),
    "purchase": lambda ledger: ledger.read_purchase(ACCOUNT, "pur_1"),
    "link": lambda ledger: ledger.read_link("pi_1"),
    "case": lambda ledger: ledger.read_case(CASE.id),
    "event": lambda ledger: ledger.has_event("evt_1") or None,
    "item": lambda ledger: ledger.read_item({"pk": {"S": "S#evt_1"}, "sk": {"S": "S"}}),
}


@pytest.mark.parametrize("name", READS)
def test_what_nobody_wrote_is_not_there(name: str) -> None:
    assert READS[name](a_ledger()) is None


@pytest.mark.parametrize("name", READS)
def test_what_was_just_written_is_there_however_late_eventual_reads_are(name: str) -> None:
    """Why: a decision on an item that is not the newest would be refused, or worse, repeated."""
    store = a_store(item=3, index=3)

    assert READS[name](full_ledger(store)) is not None


@pytest.mark.parametrize("name", READS)
def test_every_read_that_decides_asks_for_the_newest_item_of_its_table(name: str) -> None:
    client = Answering({})

    READS[name](Ledger(client, TABLE))

    assert [request["ConsistentRead"] for request in client.requests] == [True]
    assert [request["TableName"] for request in client.requests] == [TABLE]


def test_each_read_finds_the_item_that_it_is_named_after() -> None:
    ledger = full_ledger(a_store())

    account = ledger.read_account(ACCOUNT, is_strong=True)
    entry = ledger.read_entry(ACCOUNT, a_key("v1"))
    assert account is not None and account.version == 2
    assert entry is not None and entry.refers_to == a_key("k0")
    mark = ledger.read_return(ACCOUNT, a_key("k0"))
    assert mark == ChargeReturned(a_key("k0"), a_key("v1"))
    assert ledger.read_purchase(ACCOUNT, "pur_1") == PURCHASE
    assert ledger.read_link("pi_1") == LINK
    assert ledger.read_case(CASE.id) == CASE


def test_purchases_are_read_by_their_ids_page_by_page_and_no_other_item_with_them() -> None:
    ledger = full_ledger(a_store())
    for name in ("pur_3", "pur_0", "pur_2"):
        ledger.write_purchase(replace(PURCHASE, id=name))
    ledger.write_purchase(replace(PURCHASE, account=OTHER, id="pur_9"))

    first = ledger.read_purchases(ACCOUNT, limit=2)
    rest = ledger.read_purchases(ACCOUNT, limit=9, after=first[-1].id)

    assert [each.id for each in first] == ["pur_0", "pur_1"]
    assert [each.id for each in rest] == ["pur_2", "pur_3"]
    assert ledger.read_purchases(ACCOUNT, limit=9, after="pur_3") == ()


def test_nothing_of_one_account_is_found_under_another() -> None:
    ledger = full_ledger(a_store())

    assert ledger.read_account(OTHER, is_strong=True) is None
    assert ledger.read_entry(OTHER, a_key("v1")) is None
    assert ledger.read_return(OTHER, a_key("k0")) is None
    assert ledger.read_purchase(OTHER, "pur_1") is None
    assert ledger.read_history(OTHER, below_seq=None, limit=10).entries == ()
    assert ledger.read_days(OTHER, date(2026, 1, 1), date(2026, 12, 31)) == ((), None)


def test_only_a_strong_read_of_an_account_sees_what_replication_has_not_brought_yet() -> None:
    ledger = a_ledger(a_store(item=1))
    first = opening()
    ledger.write_decision(first)
    ledger.write_decision(charging(first.account))

    strong = ledger.read_account(ACCOUNT, is_strong=True)
    eventual = ledger.read_account(ACCOUNT, is_strong=False)

    assert strong is not None and strong.version == 2
    assert eventual is not None and eventual.version == 1


# ---- History


def rows(ledger: Ledger, *seqs: int, account: AccountId = ACCOUNT) -> None:
    """Rows with these seqs are in the account's ledger."""
    for seq in seqs:
        entry = replace(
            stored.BARE_ENTRY, account=account, key=EntryKey(f"c#k{seq}"), seq=seq, at=NOON
        )
        ledger.write_puts(Write("row", {"Item": entry_to_item(entry), **IS_NEW}))


def seqs(entries: tuple[Entry, ...]) -> list[int]:
    """Their places in the ledger."""
    return [entry.seq for entry in entries]


def test_history_lists_the_newest_rows_first_and_says_where_to_go_on() -> None:
    ledger = a_ledger()
    rows(ledger, 1, 2, 3, 4, 5)

    first = ledger.read_history(ACCOUNT, below_seq=None, limit=3)
    second = ledger.read_history(ACCOUNT, below_seq=first.next_seq, limit=1)
    last = ledger.read_history(ACCOUNT, below_seq=second.next_seq, limit=2)

    assert (seqs(first.entries), first.next_seq) == ([5, 4, 3], 3)
    assert (seqs(second.entries), second.next_seq) == ([2], 2)
    assert (seqs(last.entries), last.next_seq) == ([1], None)


def test_history_of_a_long_ledger_begins_at_its_newest_row() -> None:
    ledger = a_ledger()
    rows(ledger, 1, 10**6, 10**12)

    page = ledger.read_history(ACCOUNT, below_seq=None, limit=10)

    assert seqs(page.entries) == [10**12, 10**6, 1]
    assert page.next_seq is None


def test_history_below_the_first_row_is_empty_and_has_no_next_page() -> None:
    ledger = a_ledger()
    rows(ledger, 1, 2)

    assert ledger.read_history(ACCOUNT, below_seq=1, limit=10).entries == ()
    assert ledger.read_history(ACCOUNT, below_seq=1, limit=10).next_seq is None


def test_an_empty_page_of_history_that_claims_to_go_on_does_not() -> None:
    client = Answering({"Items": [], "LastEvaluatedKey": {"pk": {"S": "A#user_1"}}})

    page = Ledger(client, TABLE).read_history(ACCOUNT, below_seq=None, limit=5)

    assert (page.entries, page.next_seq) == ((), None)


def test_history_lists_rows_of_the_account_only() -> None:
    ledger = a_ledger()
    rows(ledger, 1, 2)
    rows(ledger, 3, account=OTHER)

    assert seqs(ledger.read_history(ACCOUNT, below_seq=None, limit=10).entries) == [2, 1]


def test_history_is_read_from_its_index_of_the_ledgers_own_table() -> None:
    """Why: the index has a fraction of each row, so a page costs a fraction of the read units."""
    client = Answering({"Items": []})

    Ledger(client, TABLE).read_history(ACCOUNT, below_seq=7, limit=5)

    assert client.requests[0]["TableName"] == TABLE
    assert client.requests[0]["IndexName"] == "history"
    assert client.requests[0]["Limit"] == 5


# ---- Closed days

DAYS = [date(2026, 11, number) for number in range(1, 6)]
TOTALS = {TotalKey("call"): Total(calls=2, credits_microcredits=2_000_000)}


def ledger_of_days(store: SimStore) -> Ledger:
    """Five closed days, besides everything else an account has."""
    ledger = full_ledger(store)
    for day in DAYS:
        item = day_to_item(ACCOUNT, DayClosed(day, TOTALS))
        ledger.write_puts(Write("row", {"Item": item, **IS_NEW}))
    return ledger


def test_days_are_read_between_the_first_and_the_last_both_included() -> None:
    ledger = ledger_of_days(a_store())

    days, start = ledger.read_days(ACCOUNT, DAYS[1], DAYS[3])

    assert days == tuple(DayClosed(day, TOTALS) for day in DAYS[1:4])
    assert start is None


def test_days_are_read_page_by_page_and_none_is_left_out_or_twice() -> None:
    ledger = ledger_of_days(a_store(cut=lambda: 2))
    found: list[date] = []
    pages = 0
    start: dict[str, Any] | None = None

    while pages == 0 or start is not None:
        days, start = ledger.read_days(ACCOUNT, DAYS[0], DAYS[-1], start)
        found += [day.day for day in days]
        pages += 1
        assert pages < 5

    assert found == DAYS
    assert pages >= 3


def test_a_day_that_just_closed_is_read_however_late_eventual_reads_are() -> None:
    ledger = ledger_of_days(a_store(item=10))

    assert len(ledger.read_days(ACCOUNT, DAYS[0], DAYS[-1])[0]) == len(DAYS)


# ---- Due accounts

SHARD = 5


def accounts_of_shard(count: int) -> list[AccountId]:
    """The first accounts whose id puts them into the shard."""
    names = (AccountId(f"user_{number}") for number in range(100 * DUE_SHARDS * 4))
    return [name for name in names if due_shard(name) == f"DUE#{SHARD}"][:count]


def due(ledger: Ledger, account: AccountId, due_ms: int) -> None:
    """The account is in the table, due at that moment."""
    item = account_to_item(replace(stored.BARE_ACCOUNT, id=account), due_ms=due_ms)
    ledger.write_puts(Write("account", {"Item": item}))


def test_accounts_are_due_up_to_the_moment_and_the_most_overdue_come_first() -> None:
    ledger = a_ledger()
    late, now, later = accounts_of_shard(3)
    due(ledger, now, 2000)
    due(ledger, late, 1000)
    due(ledger, later, 2001)

    accounts, start = ledger.read_due(SHARD, until_ms=2000)

    assert accounts == (late, now)
    assert start is None


def test_a_sweep_reads_its_own_shard_only() -> None:
    ledger = a_ledger()
    due(ledger, accounts_of_shard(1)[0], 1000)

    assert [len(ledger.read_due(shard, until_ms=9000)[0]) for shard in range(DUE_SHARDS)] == [
        1 if shard == SHARD else 0 for shard in range(DUE_SHARDS)
    ]


def test_a_hundred_due_accounts_are_a_page_and_the_rest_follow() -> None:
    ledger = a_ledger()
    accounts = accounts_of_shard(101)
    for account in accounts:
        due(ledger, account, 1000)

    first, start = ledger.read_due(SHARD, until_ms=2000)
    second, end = ledger.read_due(SHARD, until_ms=2000, start=start)

    assert (len(first), len(second), end) == (100, 1, None)
    assert sorted((*first, *second)) == sorted(accounts)


# ---- Partitions


def keys_of(items: list[dict[str, Any]]) -> list[str]:
    """Their sort keys."""
    return [item["sk"]["S"] for item in items]


def test_everything_of_an_account_is_read_page_by_page_and_nothing_else() -> None:
    store = a_store(cut=lambda: 2)
    ledger = full_ledger(store)
    rows(ledger, 7, account=OTHER)
    found: list[str] = []
    pages = 0
    start: dict[str, Any] | None = None

    while pages == 0 or start is not None:
        items, start = ledger.read_partition(ACCOUNT, start, is_strong=True)
        found += keys_of(items)
        pages += 1
        assert pages < 9

    own = [item["sk"]["S"] for item in store.items() if item["pk"]["S"] == "A#user_1"]
    assert found == sorted(own)
    assert len(found) == 6


def test_only_a_strong_read_of_a_partition_sees_what_replication_has_not_brought_yet() -> None:
    ledger = full_ledger(a_store(item=1))

    strong, _ = ledger.read_partition(ACCOUNT, None, is_strong=True)
    eventual, _ = ledger.read_partition(ACCOUNT, None, is_strong=False)

    assert set(keys_of(strong)) - set(keys_of(eventual)) == {"B#c#k0", "E#c#v1"}


def test_the_first_items_of_a_partition_are_read_as_they_are_now() -> None:
    store = a_store(item=5)
    ledger = a_ledger(store)
    for number in range(4):
        item = api_key_key(f"k{number}")
        ledger.write_puts(Write("key", {"Item": item, **IS_NEW}))

    assert [item["sk"]["S"] for item in ledger.read_items("K", limit=3)] == ["K#k0", "K#k1", "K#k2"]
    after = ledger.read_items("K", limit=3, after="K#k1")
    assert [item["sk"]["S"] for item in after] == ["K#k2", "K#k3"]
    assert ledger.read_items("Z", limit=3) == []


def test_a_part_of_a_millisecond_is_not_stored() -> None:
    assert to_ms(NOON + timedelta(microseconds=999)) == to_ms(NOON)
    assert to_ms(NOON + timedelta(microseconds=1000)) == to_ms(NOON) + 1


def test_the_account_that_a_decision_left_is_what_the_next_read_gives() -> None:
    ledger = a_ledger()
    decision = opening()

    ledger.write_decision(decision)

    assert ledger.read_account(ACCOUNT, is_strong=True) == decision.account
