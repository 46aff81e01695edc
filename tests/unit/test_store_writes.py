"""Writing to the ledger: all of a decision or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.golden import stored
from tests.unit.building import ACCOUNT, CATALOG, NOON, a_key, a_run, an_account, draft_of
from tests.unit.ledgers import (
    TABLE,
    Answering,
    a_ledger,
    a_store,
    charging,
    opening,
    voiding,
)
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.draft import ChargeReturned, Decision
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import LedgerCorruptError
from tollkeeper.domain.purchases import (
    EventSeen,
    Linked,
    Purchase,
    PurchaseMoved,
    PurchaseStatus,
    moved,
)
from tollkeeper.domain.totals import DayClosed, Total, TotalKey
from tollkeeper.store.items import entry_to_item
from tollkeeper.store.keys import day_key, returned_key
from tollkeeper.store.ledger import (
    AppliedBeforeError,
    ContendedError,
    Ledger,
    RowExistsError,
    TakenError,
)
from tollkeeper.store.payment_writes import purchase_to_writes
from tollkeeper.store.rows import string, to_ms
from tollkeeper.store.writes import (
    MOST_ITEMS,
    Write,
    decision_to_writes,
    is_version,
)

PURCHASE = Purchase("pur_1", ACCOUNT, "small", "Small", 100, 1000, "usd", created_at=NOON)
EVENT = EventSeen("evt_1", "checkout.session.completed", "granted", NOON)
LINK = Linked("pi_1", ACCOUNT, "pur_1")


# ---- All or nothing


def test_a_decision_writes_the_account_its_rows_and_its_mark_together() -> None:
    store = a_store()
    ledger = a_ledger(store)
    first = opening()

    ledger.write_decision(first)
    ledger.write_decision(voiding(first))

    assert store.commits == 2
    kept = sorted((item["pk"]["S"], item["sk"]["S"]) for item in store.items())
    assert kept == [
        ("A#user_1", "A"),
        ("A#user_1", "B#c#k0"),
        ("A#user_1", "E#c#k0"),
        ("A#user_1", "E#c#v1"),
        ("A#user_1", "E#t#reset:1:2026-11-20T12:00:00.000000Z"),
    ]


def test_days_that_close_are_written_with_the_charge_that_closed_them() -> None:
    ledger = a_ledger()
    first = opening()
    ledger.write_decision(first)
    draft = draft_of(first.account, NOON + timedelta(days=2))
    ledger.write_decision(decide_charge(draft, Charge(a_key("k1"), "h", a_run()), CATALOG))

    days, _ = ledger.read_days(ACCOUNT, date(2026, 11, 1), date(2026, 11, 30))

    assert [(day.day, sum(total.calls for total in day.totals.values())) for day in days] == [
        (date(2026, 11, 20), 1)
    ]


def test_of_two_decisions_on_one_account_the_second_changes_nothing() -> None:
    """Why: both were judged on the same balance, and it is there only once."""
    store = a_store()
    ledger = a_ledger(store)
    first = opening()
    ledger.write_decision(first)
    ledger.write_decision(charging(first.account, "k1"))

    with pytest.raises(ContendedError, match=r"^The account is busy; the same request with the"):
        ledger.write_decision(charging(first.account, "k2"))

    assert ledger.read_entry(ACCOUNT, a_key("k2")) is None
    assert store.commits == 2


def test_an_account_is_opened_once() -> None:
    ledger = a_ledger()
    ledger.write_decision(opening())

    with pytest.raises(AppliedBeforeError):
        ledger.write_decision(opening())


def test_a_key_that_was_applied_answers_with_its_row_whatever_became_of_the_account() -> None:
    """Why: a repeat must not be told "busy" or "insufficient"; it was done."""
    ledger = a_ledger()
    first = opening()
    ledger.write_decision(first)
    second = charging(first.account, "k1")
    ledger.write_decision(second)

    with pytest.raises(AppliedBeforeError, match=r"^The key was applied before\.$") as caught:
        ledger.write_decision(charging(first.account, "k1"))

    assert caught.value.entry == second.answer


def test_a_charge_is_given_back_once_though_two_ask_under_different_keys() -> None:
    ledger = a_ledger()
    first = opening()
    ledger.write_decision(first)
    ledger.write_decision(voiding(first, "v1"))
    late = voiding(first, "v2")
    # As if the account had not moved: the mark alone must hold.
    before = replace(first.account, version=2)

    with pytest.raises(TakenError, match=r"^The returned was written by another") as caught:
        ledger.write_decision(replace(late, before=before))

    assert caught.value.role == "returned"


def test_a_row_of_time_that_is_there_before_its_time_is_no_accident() -> None:
    """Why: nobody writes a reset's row without the account, so a person must look."""
    ledger = a_ledger()
    item = entry_to_item(
        replace(stored.BARE_ENTRY, key=EntryKey("t#reset:1:2026-11-20T12:00:00.000000Z"))
    )
    ledger.write_puts(Write("row", {"Item": item}))

    with pytest.raises(RowExistsError, match=r"^A row of time exists before its time\.$") as caught:
        ledger.write_decision(opening())

    assert isinstance(caught.value, LedgerCorruptError)
    assert ledger.read_account(ACCOUNT, is_strong=True) is None


def test_a_day_closes_once() -> None:
    ledger = a_ledger()
    first = opening()
    ledger.write_decision(first)
    item = day_key(ACCOUNT, first.account.today) | {"to": {"S": "[]"}}
    ledger.write_puts(Write("row", {"Item": item}))
    draft = draft_of(first.account, NOON + timedelta(days=1))

    with pytest.raises(RowExistsError):
        ledger.write_decision(decide_charge(draft, Charge(a_key("k1"), "h", a_run()), CATALOG))


# ---- Purchases


def test_a_purchase_moves_from_the_version_that_was_read_and_from_no_other() -> None:
    ledger = a_ledger()
    ledger.write_purchase(PURCHASE)
    pending = moved(PURCHASE, PurchaseStatus.PENDING)
    ledger.write_purchase(pending)

    with pytest.raises(TakenError) as caught:
        ledger.write_purchase(moved(PURCHASE, PurchaseStatus.FAILED))

    assert caught.value.role == "purchase"
    assert ledger.read_purchase(ACCOUNT, "pur_1") == pending


def test_a_purchase_is_recorded_once() -> None:
    ledger = a_ledger()
    ledger.write_purchase(PURCHASE)

    with pytest.raises(TakenError):
        ledger.write_purchase(replace(PURCHASE, pack="large"))

    assert ledger.read_purchase(ACCOUNT, "pur_1") == PURCHASE


def test_an_event_is_processed_once_and_a_second_delivery_moves_nothing() -> None:
    ledger = a_ledger()
    ledger.write_purchase(PURCHASE)
    paid = moved(PURCHASE, PurchaseStatus.PAID)
    ledger.write_purchase(paid, EVENT)

    with pytest.raises(TakenError) as caught:
        ledger.write_purchase(moved(paid, PurchaseStatus.QUARANTINED), EVENT)

    assert caught.value.role == "event"
    assert ledger.read_purchase(ACCOUNT, "pur_1") == paid


def test_a_link_is_written_over_the_version_that_was_read_and_no_other() -> None:
    ledger = a_ledger()
    ledger.write_purchase(PURCHASE, LINK)
    paid = moved(PURCHASE, PurchaseStatus.PAID)

    with pytest.raises(TakenError, match="link"):
        ledger.write_purchase(paid, LINK, EVENT)
    ledger.write_purchase(paid, replace(LINK, version=2), EVENT)

    assert ledger.read_link("pi_1") == replace(LINK, version=2)
    assert ledger.has_event("evt_1")


def test_a_link_from_before_links_had_versions_is_written_over() -> None:
    ledger = a_ledger()
    members = {"account": string("a"), "purchase": string("p")}
    old = {"pk": string("L#pi_1"), "sk": string("L")} | members
    ledger.write_puts(Write("link", {"Item": old}))
    read = Linked("pi_1", AccountId("a"), "p", version=0)
    assert ledger.read_link("pi_1") == read

    ledger.write_facts(replace(read, version=1))

    assert ledger.read_link("pi_1") == replace(read, version=1)


def test_what_a_decision_brings_besides_rows_is_written_with_it() -> None:
    ledger = a_ledger()
    paid = moved(replace(PURCHASE, version=0), PurchaseStatus.PAID)
    ledger.write_decision(replace(opening(), also=(PurchaseMoved(paid), EVENT, LINK)))

    assert ledger.read_purchase(ACCOUNT, "pur_1") == paid
    assert ledger.has_event("evt_1")
    assert ledger.read_link("pi_1") == LINK


def test_what_no_item_stands_for_is_never_left_out_silently() -> None:
    with pytest.raises(AssertionError, match=r"^no item for 'something'$"):
        decision_to_writes(replace(opening(), also=("something",)))


def test_events_are_kept_for_ninety_days() -> None:
    writes = purchase_to_writes(PURCHASE, EVENT)

    item = writes[1].put["Item"]
    assert item["ttl"] == {"N": str(to_ms(NOON + timedelta(days=90)) // 1000)}


# ---- Conditions


def test_every_slot_has_a_condition_and_returns_what_was_in_the_way() -> None:
    client = Answering()
    decision = replace(voiding(opening()), also=(*voiding(opening()).also, LINK, EVENT))

    Ledger(client, TABLE).write_decision(decision)

    puts = [slot["Put"] for slot in client.requests[0]["TransactItems"]]
    assert all("ConditionExpression" in put for put in puts)
    assert {put["ReturnValuesOnConditionCheckFailure"] for put in puts} == {"ALL_OLD"}
    assert {put["TableName"] for put in puts} == {TABLE}


def test_an_item_of_version_0_is_new_and_the_condition_is_nobody_elses() -> None:
    one, other = is_version(0), is_version(0)

    one["ConditionExpression"] = "changed"

    assert other == {"ConditionExpression": "attribute_not_exists(pk)"}


# ---- Bounds


def wide(days: int, *, label: str = "") -> Decision:
    """A decision that closes so many days."""
    totals = {TotalKey("call", "", label): Total(calls=1)}
    closed = tuple(DayClosed(date(2020, 1, 1) + timedelta(days=n), totals) for n in range(days))
    decision = replace(opening(), days=closed)
    return replace(decision, entries=decision.entries[-1:])


def test_a_decision_of_ninety_items_fits_and_one_more_is_our_bug() -> None:
    assert len(decision_to_writes(wide(MOST_ITEMS - 2))) == MOST_ITEMS

    with pytest.raises(AssertionError):
        decision_to_writes(wide(MOST_ITEMS - 1))


def test_a_decision_of_many_items_stays_below_a_megabyte() -> None:
    """Why: DynamoDB takes four, and an item may be 400 KB."""
    assert decision_to_writes(wide(40, label="x" * 20_000))

    with pytest.raises(AssertionError):
        decision_to_writes(wide(40, label="\N{SNOWMAN}" * 9_000))


def test_a_decision_writes_no_item_twice() -> None:
    """Why: DynamoDB refuses such a transaction as a whole, each time it is tried."""
    decision = opening()
    twice = replace(decision, entries=(*decision.entries, *decision.entries))

    with pytest.raises(AssertionError):
        decision_to_writes(twice)


# ---- The sweep's index


def test_an_account_is_due_at_the_first_thing_that_time_alone_makes_happen() -> None:
    account = an_account("free")
    writes = decision_to_writes(Decision(None, account, (), (), None))

    assert writes[0].put["Item"]["due_at"] == {"N": str(to_ms(account.plan.period_end_at))}


def test_a_mark_says_under_which_key_the_charge_was_given_back() -> None:
    mark = ChargeReturned(EntryKey("c#k0"), EntryKey("c#v1"))
    writes = decision_to_writes(replace(opening(), also=(mark,)))

    item = writes[-1].put["Item"]
    assert item["by"] == {"S": "c#v1"}
    assert {name: item[name] for name in ("pk", "sk")} == returned_key(ACCOUNT, EntryKey("c#k0"))
