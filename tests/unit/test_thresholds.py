"""Alerts over an account's life: each threshold once per crossing and window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import (
    NOON,
    ONE,
    STEADY,
    a_key,
    a_run,
    an_account,
    charged,
    draft_of,
    granted,
)
from tests.unit.holding import capped, costing, funded, limited, opened, released, settled
from tollkeeper.domain.account import Account, Rung
from tollkeeper.domain.charges import GiveBack, decide_give_back
from tollkeeper.domain.entries import Entry, EntryKind

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def spent(account: Account, *credits: float) -> list[tuple[str, ...]]:
    """The alerts of charges of so many credits, one after the other."""
    rung: list[tuple[str, ...]] = []
    for number, each in enumerate(credits):
        account, row = charged(account, costing(each), key=f"k{number}")
        rung.append(row.alerts)
    return rung


def voided(account: Account, charge: Entry) -> tuple[Account, Entry]:
    """The account after the charge was given back, and the row."""
    command = GiveBack(a_key("v"), "h", charge, EntryKind.VOID)
    decision = decide_give_back(draft_of(account), command)
    assert decision.answer is not None
    return decision.account, decision.answer


def rich(**limits: int) -> Account:
    """An account far above what is low, with these limits."""
    account, _ = granted(an_account("deep"), 500)
    for name, credits in limits.items():
        account = capped(account, name, credits)
    return account


# Windows.


@pytest.mark.parametrize("name", ["day", "month"])
def test_s4_10_each_threshold_rings_once_when_it_is_reached_and_not_before(name: str) -> None:
    assert spent(rich(**{name: 10}), 4.999999, 0.000001, 2.9, 0.1, 1, 1) == [
        (),
        (f"{name}:50",),
        (),
        (f"{name}:80",),
        (),
        (f"{name}:100",),
    ]


def test_one_row_that_crosses_several_rings_them_all() -> None:
    assert spent(rich(day=10), 10) == [("day:50", "day:80", "day:100")]


def test_one_row_rings_for_each_window_that_it_crosses() -> None:
    assert spent(rich(day=10, month=20), 10) == [("day:50", "day:80", "day:100", "month:50")]


def test_the_plans_period_rings_by_its_allocation() -> None:
    account, _ = granted(an_account("pro"), 500)

    assert spent(account, 25, 15, 10, 10) == [
        ("period:50",),
        ("period:80",),
        ("period:100",),
        (),
    ]


def test_a_plan_without_an_allocation_and_a_window_without_a_limit_never_ring() -> None:
    assert spent(rich(), 400) == [()]


def test_a_new_day_rings_anew_and_the_month_goes_on() -> None:
    account, first = charged(rich(day=10, month=20), costing(8))

    account, second = charged(account, costing(5), key="k2", at=MIDNIGHT)

    assert first.alerts == ("day:50", "day:80")
    assert second.alerts == ("day:50", "month:50")
    assert (account.rung.day, account.rung.month) == (50, 50)


def test_a_new_month_and_a_new_period_ring_anew() -> None:
    account, _ = granted(an_account("pro"), 500)
    account, _ = limited(account, month=40)
    account, first = charged(account, costing(40))

    account, second = charged(account, costing(40), key="k2", at=DECEMBER)

    assert first.alerts == ("month:50", "month:80", "month:100", "period:50", "period:80")
    assert second.alerts == first.alerts


def test_what_is_held_rings_nothing_until_it_is_settled() -> None:
    account, hold = opened(rich(day=10), 9)
    account, settle = settled(account, 6)

    assert (hold.alerts, settle.alerts) == ((), ("day:50",))


def test_each_part_of_a_stream_rings_for_what_it_adds() -> None:
    account, _ = opened(rich(day=10), 9)

    account, first = settled(account, 5, part="p1")
    account, second = settled(account, 1, part="p2")
    account, last = settled(account, 2)

    assert [row.alerts for row in (first, second, last)] == [("day:50",), (), ("day:80",)]


def test_a_full_limit_that_is_left_says_so_once_and_rings_no_more_in_that_window() -> None:
    account, charge = charged(rich(day=10), costing(10))

    account, void = voided(account, charge)
    account, again = charged(account, costing(10), key="k2")
    account, back = voided(account, again)

    assert void.alerts == ("day:recovered",)
    assert (again.alerts, back.alerts) == ((), ())


def test_what_was_crossed_and_given_back_does_not_ring_twice() -> None:
    account, charge = charged(rich(day=10), costing(6))
    account, void = voided(account, charge)

    assert (charge.alerts, void.alerts) == (("day:50",), ())
    assert spent(account, 6) == [()]


def test_a_lower_limit_rings_for_what_was_spent_already_and_a_higher_one_recovers() -> None:
    account, _ = charged(rich(day=100), costing(9))

    account, lower = limited(account, day=10)
    account, full = limited(account, day=9)
    account, higher = limited(account, day=100)

    assert lower.alerts == ("day:50", "day:80")
    assert full.alerts == ("day:100",)
    assert higher.alerts == ("day:recovered",)


def test_an_account_has_thresholds_of_its_own() -> None:
    account, _ = limited(rich(day=10), thresholds=((25, 90),))

    assert spent(account, 2.5, 2.5, 4, 1) == [("day:25",), (), ("day:90",), ()]


@STEADY
@given(
    charges=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    thresholds=st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_in_one_window_every_threshold_that_was_reached_rang_exactly_once(
    charges: list[int], thresholds: list[int]
) -> None:
    account, _ = limited(rich(day=500), thresholds=(tuple(thresholds),), low=(0,))

    rung = [alert for alerts in spent(account, *charges) for alert in alerts]

    reached = sum(charges) * 100 // 500
    assert rung == [f"day:{each}" for each in thresholds if each <= reached]


# The balance.


def test_s3_10_a_low_balance_rings_when_it_is_crossed_and_again_when_it_is_left() -> None:
    account, above = charged(an_account(), costing(4.999999))
    account, low = charged(account, costing(0.000001), key="k2")
    account, lower = charged(account, costing(1), key="k3")
    account, still = granted(account, 1)
    account, back = granted(account, 1, key="g2")

    assert above.alerts == ()
    assert low.alerts == ("low_balance", "period:50")
    assert lower.alerts == ()
    assert (still.alerts, back.alerts) == ((), ("low_balance:recovered",))
    assert charged(account, costing(1), key="k4")[1].alerts == ("low_balance",)


def test_an_account_that_opens_low_has_crossed_nothing() -> None:
    account = an_account("deep")
    assert account.rung == Rung()

    account, row = granted(account, 2)
    assert (row.alerts, account.rung.is_low) == ((), None)
    account, row = granted(account, 10, key="g2")
    assert (row.alerts, account.rung.is_low) == ((), False)
    assert charged(account, costing(9))[1].alerts == ("low_balance",)


def test_s3_10_what_is_held_is_still_there_so_a_hold_and_its_release_ring_nothing() -> None:
    account, hold = opened(an_account(), 8)
    after, release = released(account)
    used, settle = settled(account, 8)

    assert (hold.alerts, release.alerts) == ((), ())
    assert settle.alerts == ("low_balance", "period:50", "period:80")
    assert (after.rung.is_low, used.rung.is_low) == (False, True)


def test_a_low_balance_of_its_own_is_judged_at_once() -> None:
    account, _ = charged(an_account(), costing(4))

    account, higher = limited(account, low=(7 * ONE,))
    account, nothing = limited(account, low=(0,))
    _, row = charged(account, costing(6), key="k2")

    assert higher.alerts == ("low_balance",)
    assert nothing.alerts == ("low_balance:recovered",)
    assert row.alerts == ("low_balance", "period:50", "period:80", "period:100")


def test_credits_that_time_takes_or_brings_ring_too() -> None:
    account, _ = granted(an_account(), 3, lasts=timedelta(hours=1))
    account, _ = charged(account, costing(1))
    account, _ = limited(account, low=(9_500_000,))
    account, _ = charged(account, costing(1), key="k2")

    expiry = draft_of(account, NOON + timedelta(hours=2))
    account, _ = charged(expiry.account, costing(1), key="k3")
    reset = draft_of(account, DECEMBER)

    assert [(row.kind, row.alerts) for row in expiry.entries] == [(EntryKind.EXPIRE, ())]
    assert account.rung.is_low is True
    assert [row.alerts for row in reset.entries if row.kind is EntryKind.RESET] == [
        ("low_balance:recovered",)
    ]
    account, _ = limited(an_account(), low=(11 * ONE,))
    account, _ = granted(account, 2, lasts=timedelta(hours=1))
    assert [row.alerts for row in draft_of(account, MIDNIGHT).entries] == [("low_balance",)]


def test_a_budget_and_its_parent_ring_each_for_itself() -> None:
    parent, budget, decision = funded(an_account(), 6)

    assert decision.answer is not None
    assert decision.answer.alerts == ("low_balance",)
    assert (parent.rung.is_low, budget.rung.is_low) == (True, False)
    assert charged(budget, a_run("sms", quantity=2 * ONE))[1].alerts == ("low_balance",)
