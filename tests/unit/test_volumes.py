"""What an account's period used of a feature that has an allowance or tiers, and how it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.unit.building import NOON, ONE, a_key, an_account, done, draft_of, granted
from tests.unit.holding import closed, funded
from tests.unit.priced import catalog_of
from tollkeeper.domain.account import Account
from tollkeeper.domain.audit import Audit
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.entries import Entry, EntryKind, Run, hold_key
from tollkeeper.domain.holds import (
    OpenHold,
    Release,
    Settle,
    decide_hold,
    decide_late_settle,
    decide_release,
    decide_settle,
    terms_now,
)
from tollkeeper.domain.operating import ChangePlan, decide_plan_change
from tollkeeper.domain.pricing import Consumption, Priced, describe_run, price_run, standing_now
from tollkeeper.domain.spending import MOST_VOLUMES, count_volume
from tollkeeper.store.items import account_from_item, account_to_item

CATALOG = catalog_of(
    """
[operations.sms]
rule = "per_unit"
unit = "message"
credits = 1
free_allowance = 3
[operations.call]
rule = "flat"
credits = 1
""",
    head="""
[account]
default_plan = "free"
[plans.free]
allocation = 100
[plans.pro]
allocation = 100
""",
)


def opened(catalog: Catalog = CATALOG) -> Account:
    """An account with credits of its own."""
    return an_account(catalog=catalog)


def priced(account: Account, count: int, operation: str = "sms") -> Priced:
    """So many messages at the account's own price."""
    consumption = Consumption(operation, quantity_micro=count * ONE)
    return price_run(consumption, CATALOG, standing_now(account))


def charged(
    account: Account, count: int, *, key: str = "k1", operation: str = "sms"
) -> tuple[Account, Entry]:
    draft = draft_of(account, catalog=CATALOG)
    command = Charge(a_key(key), "h", priced(account, count, operation))
    return done(decide_charge(draft, command, CATALOG))


def given_back(account: Account, charge: Entry, kind: EntryKind, *, key: str = "b") -> Account:
    command = GiveBack(a_key(key), "h", charge, kind)
    return done(decide_give_back(draft_of(account, catalog=CATALOG), command))[0]


def held(account: Account, count: int) -> Account:
    command = OpenHold("h1", "h", priced(account, count), timedelta(minutes=15))
    draft = draft_of(account, catalog=CATALOG)
    return done(decide_hold(draft, command, CATALOG))[0]


def settled(account: Account, count: int, *, part: str = "") -> tuple[Account, Entry]:
    key = a_key(part) if part else hold_key("h1", "settle")
    command = Settle("h1", key, "h", priced(account, count), is_final=not part)
    return done(decide_settle(draft_of(account, catalog=CATALOG), command, CATALOG))


def test_a_charge_counts_what_it_used_and_the_next_is_priced_after_it() -> None:
    account, first = charged(opened(), 2)
    account, second = charged(account, 2, key="k2")
    account, third = charged(account, 2, key="k3")

    assert account.volumes == {"sms": 6 * ONE}
    assert [e.moved_microcredits for e in (first, second, third)] == [0, ONE, 2 * ONE]


def test_an_operation_without_such_terms_counts_nothing() -> None:
    assert charged(opened(), 2, operation="call")[0].volumes == {}


def test_a_void_takes_its_volume_back_and_a_refund_does_not() -> None:
    account, charge = charged(opened(), 5)

    assert given_back(account, charge, EntryKind.VOID).volumes == {}
    assert given_back(account, charge, EntryKind.REFUND).volumes == {"sms": 5 * ONE}
    account, _ = charged(account, 1, key="k2")
    assert given_back(account, charge, EntryKind.VOID).volumes == {"sms": ONE}


def test_a_void_in_a_later_period_takes_nothing_of_that_period() -> None:
    account, charge = charged(opened(), 5)
    later = draft_of(account, NOON + timedelta(days=20), CATALOG).decide(None).account
    assert later.volumes == {}
    later, _ = charged(later, 2, key="k2")

    assert given_back(later, charge, EntryKind.VOID).volumes == {"sms": 2 * ONE}


def test_a_new_period_and_a_plan_that_is_taken_now_begin_at_nothing() -> None:
    account, _ = charged(opened(), 5)

    later = draft_of(account, NOON + timedelta(days=20), CATALOG).decide(None).account
    change = ChangePlan(a_key("plan"), "h", "r", plan="pro")
    changed = done(decide_plan_change(draft_of(account, catalog=CATALOG), change, CATALOG))[0]
    assert (later.volumes, later.features) == ({}, {})
    assert changed.volumes == changed.features == {}


def test_a_hold_counts_nothing_until_it_is_settled() -> None:
    account = held(opened(), 5)
    assert account.volumes == {}

    after, entry = settled(account, 4)
    assert after.volumes == {"sms": 4 * ONE}
    assert (entry.moved_microcredits, entry.run and entry.run.volume_before_micro) == (ONE, 0)

    release = Release("h1", "h", "failed")
    freed = done(decide_release(draft_of(account, catalog=CATALOG), release))[0]
    assert freed.volumes == {}


def test_each_part_of_a_long_run_counts_its_own() -> None:
    account = held(opened(), 8)

    account, first = settled(account, 2, part="p1")
    account, second = settled(account, 2, part="p2")
    account, last = settled(account, 2)
    assert account.volumes == {"sms": 6 * ONE}
    assert [e.moved_microcredits for e in (first, second, last)] == [0, ONE, 2 * ONE]


def test_a_late_settle_counts_too() -> None:
    account = held(opened(), 5)
    draft = draft_of(account, NOON + timedelta(hours=1), CATALOG)
    expired = next(hold for hold in account.holds if hold.id == "h1")
    command = Settle("h1", hold_key("h1", "settle"), "h", priced(draft.account, 4))

    after, _ = done(decide_late_settle(draft, command, CATALOG, terms=terms_now(expired)))
    assert after.volumes == {"sms": 4 * ONE}


def test_a_run_that_failed_counts_nothing() -> None:
    run = describe_run(Consumption("sms", quantity_micro=ONE), CATALOG)
    draft = draft_of(opened(), catalog=CATALOG)

    account, _ = done(decide_run_failed(draft, Charge(a_key(), "h", Priced(run, 0))))
    assert account.volumes == {}


def test_a_budget_counts_its_own() -> None:
    parent, budget, _ = funded(opened(), 50, catalog=CATALOG)
    budget, _ = charged(budget, 5)

    assert (parent.volumes, budget.volumes) == ({}, {"sms": 5 * ONE})
    _, ended, _ = closed(parent, budget, catalog=CATALOG)
    assert ended.volumes == {"sms": 5 * ONE}


def test_volumes_are_stored_only_where_there_are_any_and_read_as_written() -> None:
    plain = opened()
    account, _ = charged(plain, 5)

    assert "vo" not in account_to_item(plain, due_ms=0)
    assert account_to_item(account, due_ms=0)["vo"] == {"S": '{"sms":5000000}'}
    for each in (plain, account):
        assert account_from_item(account_to_item(each, due_ms=0)) == each


def test_features_that_no_catalog_counts_any_more_are_the_first_to_go() -> None:
    old = {f"old_{number}": ONE for number in range(MOST_VOLUMES - 1)}
    run = Run("sms", feature="sms", volume_micro=ONE)
    almost = replace(opened(), volumes=old)
    full = replace(opened(), volumes={**old, "more": ONE})

    assert count_volume(almost, run, CATALOG).volumes == {**old, "sms": ONE}
    assert count_volume(full, run, CATALOG).volumes == {"sms": ONE}
    counted = replace(opened(), volumes={"sms": ONE})
    assert count_volume(counted, run, CATALOG).volumes == {"sms": 2 * ONE}
    assert granted(counted, 5)[0].volumes == {"sms": ONE}


def audited(account: Account, *entries: Entry, catalog: Catalog | None = CATALOG) -> list[str]:
    """What an audit finds of volumes in the account and its rows."""
    audit = Audit(catalog=catalog)
    audit.see_account(account)
    for entry in entries:
        audit.add(entry)
    found = audit.finish().found
    return [each.what for each in found if each.where.startswith("volume")]


def test_an_audit_counts_them_again() -> None:
    account, first = charged(opened(), 5)
    account, second = charged(account, 2, key="k2")
    command = GiveBack(a_key("v"), "h", first, EntryKind.VOID)
    account, void = done(decide_give_back(draft_of(account, catalog=CATALOG), command))

    assert account.volumes == {"sms": 2 * ONE}
    assert audited(account, first, second, void) == []
    lost = replace(account, volumes={})
    assert audited(lost, first, second, void) == [
        "0 millionths are used, and its rows used 2000000"
    ]
    assert audited(lost, first, second, void, catalog=None) == []
    more = replace(account, volumes={"sms": 3 * ONE})
    assert len(audited(more, first, second, void, catalog=None)) == 1
