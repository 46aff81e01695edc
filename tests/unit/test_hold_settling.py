"""Settles: what is charged below, at and above the hold, late, and in parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.building import (
    NOON,
    ONE,
    a_run,
    an_account,
    charged,
)
from tests.unit.holding import (
    QUARTER,
    kinds,
    moved,
    opened,
    released,
    rolled,
    settled,
    settled_late,
    settling,
)
from tollkeeper.domain.catalog import SettlePolicy
from tollkeeper.domain.errors import (
    FeatureLimitError,
    SettleAboveHoldError,
)

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
EXPIRY = NOON + QUARTER
CHARGE_AVAILABLE, DEBT, REJECT = SettlePolicy


# Settling below, at and above the hold.


@pytest.mark.parametrize("policy", SettlePolicy)
@pytest.mark.parametrize(("credits", "back"), [(0.000001, 4.999999), (3, 2), (5, 0)])
def test_a_settle_up_to_the_hold_charges_what_was_used_whatever_the_policy(
    policy: SettlePolicy, credits: float, back: float
) -> None:
    catalog = settling(policy)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)

    account, entry = settled(account, credits, catalog=catalog)

    assert entry.moved_microcredits == round(credits * ONE)
    assert entry.delta_microcredits == round(back * ONE)
    assert account.available_microcredits == 10 * ONE - round(credits * ONE)
    assert (account.held_microcredits, account.holds) == (0, ())
    assert account.lifetime.spent == account.windows.day == round(credits * ONE)
    assert entry.warnings.count("above_hold") == 0


@pytest.mark.parametrize(
    ("policy", "used", "charge", "uncollected", "debt"),
    [
        (CHARGE_AVAILABLE, 7, 7, 0, 0),
        (CHARGE_AVAILABLE, 10, 10, 0, 0),
        (CHARGE_AVAILABLE, 13, 10, 3, 0),
        (DEBT, 7, 7, 0, 0),
        (DEBT, 13, 13, 0, 3),
        (DEBT, 900, 900, 0, 890),
    ],
)
def test_a_settle_above_the_hold_charges_what_the_policy_says(
    policy: SettlePolicy, used: int, charge: int, uncollected: int, debt: int
) -> None:
    catalog = settling(policy)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)

    account, entry = settled(account, used, catalog=catalog)

    assert entry.moved_microcredits == charge * ONE
    assert entry.uncollected_microcredits == account.lifetime.uncollected == uncollected * ONE
    assert account.debt_microcredits == debt * ONE
    assert account.available_microcredits == (10 - charge) * ONE
    assert account.lifetime.spent == charge * ONE
    assert moved(entry.settled) == [("g1", 5)]
    assert "above_hold" in entry.warnings


def test_what_is_available_goes_as_far_as_the_plans_overdraft() -> None:
    catalog = settling(CHARGE_AVAILABLE, overdraft=2)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)

    account, entry = settled(account, 20, catalog=catalog)

    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (12 * ONE, 8 * ONE)
    assert account.debt_microcredits == 2 * ONE


def test_a_rejected_settle_leaves_the_hold_open_for_one_that_fits() -> None:
    catalog = settling(REJECT)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)

    with pytest.raises(SettleAboveHoldError) as refusal:
        settled(account, 5.000001, catalog=catalog)

    assert refusal.value.detail == "The usage costs 5.000001 credits and the hold is of 5."
    assert settled(account, 5, catalog=catalog)[0].available_microcredits == 5 * ONE


def test_an_account_that_spent_the_rest_meanwhile_is_charged_what_it_still_has() -> None:
    account, _ = opened(an_account(), 5)
    account, _ = charged(account, a_run("sms", quantity=4 * ONE))

    account, entry = settled(account, 8)

    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (6 * ONE, 2 * ONE)
    assert account.available_microcredits == 0


def test_a_settle_is_charged_though_a_limit_is_reached_or_the_feature_used_up() -> None:
    """Why: the call was made; only what is opened is judged."""
    account, _ = opened(an_account(), 1, run=a_run("call"))
    account = replace(account, features={"call": 3})

    account, entry = settled(account, 1, run=a_run("call"))

    assert entry.moved_microcredits == ONE


# Late.


def test_a_settle_after_the_expiry_is_charged_and_marked_late() -> None:
    account, _ = opened(an_account(), 5)

    decision = settled_late(account, 3, at=NOON + timedelta(minutes=40))

    assert kinds(decision) == ["hold_expired", "settle"]
    row = decision.entries[-1]
    assert (row.moved_microcredits, row.details["late"], row.hold) == (3 * ONE, "true", "h1")
    assert "late" in row.warnings
    assert decision.account.available_microcredits == 7 * ONE


@pytest.mark.parametrize(
    ("policy", "charge", "uncollected", "debt"),
    [(CHARGE_AVAILABLE, 10, 3, 0), (DEBT, 13, 0, 3), (REJECT, 10, 3, 0)],
)
def test_a_late_settle_is_never_an_error_and_takes_what_the_policy_lets_it(
    policy: SettlePolicy, charge: int, uncollected: int, debt: int
) -> None:
    catalog = settling(policy)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)

    decision = settled_late(account, 13, at=EXPIRY, catalog=catalog)

    row, after = decision.entries[-1], decision.account
    assert (row.moved_microcredits, row.uncollected_microcredits) == (
        charge * ONE,
        uncollected * ONE,
    )
    assert after.debt_microcredits == debt * ONE


def test_a_late_settle_counts_where_it_is_settled() -> None:
    account, _ = opened(an_account(), 5, at=NOON + timedelta(hours=11, minutes=50))

    decision = settled_late(account, 3, at=NOON + timedelta(hours=12, minutes=20))

    assert decision.account.windows.day == 3 * ONE
    assert decision.entries[-1].day == (NOON + timedelta(days=1)).date()


# Parts.


def test_parts_are_charged_as_they_come_and_the_hold_stays_open_with_the_rest() -> None:
    account, _ = opened(an_account(), 5)

    account, first = settled(account, 2, part="p1")
    account, second = settled(account, 1, part="p2")
    account, last = settled(account, 1)

    assert [row.moved_microcredits for row in (first, second, last)] == [2 * ONE, ONE, ONE]
    assert [row.held_after_microcredits for row in (first, second, last)] == [3 * ONE, 2 * ONE, 0]
    assert [row.delta_microcredits for row in (first, second, last)] == [0, 0, ONE]
    assert (first.details["part"], "part" in last.details) == ("true", False)
    assert account.available_microcredits == 6 * ONE
    assert account.lifetime.spent == 4 * ONE


def test_parts_beyond_the_hold_are_paid_by_what_is_there() -> None:
    account, _ = opened(an_account(), 2)

    account, first = settled(account, 3, part="p1")
    account, second = settled(account, 2, part="p2")

    assert (first.moved_microcredits, second.moved_microcredits) == (3 * ONE, 2 * ONE)
    assert ("above_hold" in first.warnings, "above_hold" in second.warnings) == (True, True)
    assert (account.held_microcredits, len(account.holds)) == (0, 1)
    assert released(account)[0].available_microcredits == 5 * ONE


def test_a_run_in_parts_is_one_call_and_counts_its_feature_once() -> None:
    account, _ = opened(an_account(), 3, run=a_run("call"))

    account, _ = settled(account, 1, part="p1", run=a_run("call"))
    account, _ = settled(account, 1, part="p2", run=a_run("call"))
    account, _ = settled(account, 1, run=a_run("call"))

    assert account.features == {"call": 1}
    (total,) = account.totals.values()
    assert (total.calls, total.credits_microcredits) == (1, 3 * ONE)


def test_the_release_of_a_hold_that_was_used_in_part_keeps_the_run() -> None:
    account, _ = opened(an_account(), 3, run=a_run("call"))
    account, _ = settled(account, 1, part="p1", run=a_run("call"))

    account, entry = released(account)

    assert (entry.moved_microcredits, account.available_microcredits) == (2 * ONE, 9 * ONE)
    assert account.features == {"call": 1}


# Features.


def test_a_feature_is_counted_when_the_hold_opens_so_that_no_two_take_the_last() -> None:
    account = replace(an_account(), features={"call": 2})
    account, _ = opened(account, 1, run=a_run("call"))

    assert account.features == {"call": 3}
    with pytest.raises(FeatureLimitError):
        opened(account, 1, hold="h2", run=a_run("call"))
    assert settled(account, 1, run=a_run("call"))[0].features == {"call": 3}


def test_a_release_and_an_expiry_give_the_feature_back() -> None:
    account, _ = opened(an_account(), 1, run=a_run("call"))

    assert released(account)[0].features == {"call": 0}
    assert rolled(account, EXPIRY).account.features == {"call": 0}


def test_a_settle_of_more_counts_what_its_opening_did_not() -> None:
    account, _ = opened(an_account(), 1, run=a_run("call"))

    account, _ = settled(account, 3, run=a_run("call", quantity=3 * ONE))

    assert account.features == {"call": 3}


def test_a_late_settle_counts_the_feature_that_the_expiry_gave_back() -> None:
    account, _ = opened(an_account(), 1, run=a_run("call"))

    decision = settled_late(account, 1, run=a_run("call"), at=EXPIRY)

    assert decision.account.features == {"call": 1}


def test_a_release_in_the_next_period_takes_nothing_from_its_counters() -> None:
    account, _ = opened(an_account(), 1, run=a_run("call"), stays=timedelta(days=20))
    account, _ = charged(account, a_run("call"), at=DECEMBER)

    assert released(account)[0].features == {"call": 1}
