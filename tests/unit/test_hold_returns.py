"""Where the rest of a hold goes: to its grants, to debt, or it expires with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.building import (
    CATALOG,
    NOON,
    ONE,
    a_key,
    a_run,
    an_account,
    charged,
    draft_of,
    granted,
)
from tests.unit.holding import (
    kinds,
    moved,
    opened,
    released,
    remaining,
    rolled,
    settled,
    settling,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog, PlanTerms, Rollover, SettlePolicy
from tollkeeper.domain.errors import (
    SettleAboveHoldError,
)
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import ChangePlan, decide_plan_change

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
REJECT = SettlePolicy.REJECT


def on_plan(account: Account, plan: str, *, catalog: Catalog = CATALOG) -> Account:
    """The account on another plan, now."""
    command = ChangePlan(a_key("plan"), "h", "", plan=plan)
    return decide_plan_change(draft_of(account, None, catalog), command, catalog).account


# Where the rest goes.


def test_the_rest_returns_to_the_grants_it_came_from_the_last_drawn_first() -> None:
    account, _ = granted(an_account(), 3)
    account, _ = opened(account, 5)

    account, entry = settled(account, 1)

    assert moved(entry.settled) == [("g2", 1)]
    assert moved(entry.returned) == [("g2", 2), ("g1", 2)]
    assert remaining(account) == {"g2": 2, "g1": 10}


def test_a_grant_that_was_used_up_and_gets_nothing_back_is_gone() -> None:
    account, _ = granted(an_account(), 3)
    account, _ = opened(account, 3)

    account, _ = settled(account, 3)

    assert remaining(account) == {"g1": 10}


def test_a_grant_stays_while_any_hold_that_drew_from_it_is_open() -> None:
    account, _ = granted(an_account(), 4)
    account, _ = opened(account, 2, hold="h1")
    account, _ = opened(account, 2, hold="h2")

    account, _ = settled(account, 2, hold="h1")
    assert remaining(account) == {"g2": 0, "g1": 10}
    account, _ = released(account, "h2")

    assert remaining(account) == {"g2": 2, "g1": 10}


def test_what_came_of_a_grant_that_ended_meanwhile_expires_inside_the_row() -> None:
    account, _ = granted(an_account(), 4, lasts=timedelta(minutes=5))
    account, _ = opened(account, 6)

    account, entry = settled(account, 1, at=NOON + timedelta(minutes=10))

    assert moved(entry.settled) == [("g2", 1)]
    assert moved(entry.returned) == [("g1", 2)]
    assert entry.expired_microcredits == account.lifetime.expired == 3 * ONE
    assert entry.delta_microcredits == 2 * ONE
    assert remaining(account) == {"g1": 10}


def test_a_grant_that_ends_while_it_is_held_still_pays_for_the_call() -> None:
    account, _ = granted(an_account(), 4, lasts=timedelta(minutes=5))
    account, _ = opened(account, 4)
    account, _ = charged(account, a_run("sms", quantity=10 * ONE))

    account, entry = settled(account, 4, at=NOON + timedelta(minutes=10))

    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (4 * ONE, 0)
    assert (account.lifetime.expired, account.grants) == (0, ())


def test_only_the_free_part_of_a_grant_that_ends_expires_at_once() -> None:
    account, _ = granted(an_account(), 4, lasts=timedelta(minutes=5))
    account, _ = opened(account, 1)

    decision = rolled(account, NOON + timedelta(minutes=6))

    assert kinds(decision) == ["expire"]
    assert decision.entries[0].moved_microcredits == 3 * ONE
    assert decision.account.held_microcredits == ONE
    ended = next(grant for grant in decision.account.grants if grant.id == "g2")
    assert (ended.has_ended, ended.remaining_microcredits) == (True, 0)
    assert kinds(rolled(decision.account, NOON + timedelta(minutes=7))) == []


def test_a_hold_of_overdraft_gives_back_debt() -> None:
    account, _ = opened(an_account("deep"), 4)

    account, entry = released(account)

    assert (account.debt_microcredits, account.grants) == (0, ())
    assert (entry.delta_microcredits, entry.debt_change_microcredits) == (4 * ONE, -4 * ONE)


def test_a_settle_uses_grants_before_debt() -> None:
    account, _ = granted(an_account("deep"), 2)
    account, _ = opened(account, 5)

    account, entry = settled(account, 3)

    assert moved(entry.settled) == [("g2", 2)]
    assert account.debt_microcredits == ONE
    assert entry.debt_change_microcredits == -2 * ONE


def test_overdraft_that_somebody_paid_while_it_was_held_comes_back_as_credits() -> None:
    account, _ = opened(an_account("deep"), 4)
    account, _ = granted(account, 10)
    assert (account.available_microcredits, account.debt_microcredits) == (6 * ONE, 0)

    account, entry = released(account)

    assert account.available_microcredits == 10 * ONE
    assert entry.grant is not None
    assert (entry.grant.kind, entry.grant.remaining_microcredits) == (
        GrantKind.ADJUSTMENT,
        4 * ONE,
    )
    assert account.lifetime.granted == 10 * ONE, "they were granted before"


def test_what_returns_pays_debt_that_came_up_meanwhile() -> None:
    account, _ = granted(an_account("deep"), 4)
    account, _ = opened(account, 4)
    account, _ = charged(account, a_run("sms", quantity=3 * ONE))

    account, entry = released(account)

    assert (account.debt_microcredits, remaining(account)) == (0, {"g2": 1})
    assert entry.debt_change_microcredits == -3 * ONE
    assert moved(entry.returned) == [("g2", 1)]


def test_what_would_expire_pays_debt_before_anything_else() -> None:
    account, _ = granted(an_account("deep"), 2, lasts=timedelta(minutes=5))
    account, _ = granted(account, 2, key="g2")
    account, _ = opened(account, 4)
    account, _ = charged(account, a_run("sms", quantity=3 * ONE))

    account, entry = released(account, at=NOON + timedelta(minutes=6))

    assert entry.expired_microcredits == 0
    assert (account.debt_microcredits, account.available_microcredits) == (0, ONE)


# A plan's end, its change, and resets.


def test_a_hold_keeps_its_credits_over_a_reset_and_the_rest_expires_with_the_old_grant() -> None:
    account, _ = opened(an_account(), 6, stays=timedelta(days=20))
    at_reset = rolled(account, DECEMBER)

    after, entry = settled(at_reset.account, 2, at=DECEMBER + timedelta(hours=1))

    assert kinds(at_reset) == ["reset", "expire"]
    assert at_reset.account.available_microcredits == 10 * ONE
    assert at_reset.account.lifetime.expired == 4 * ONE
    assert (entry.expired_microcredits, entry.delta_microcredits) == (4 * ONE, 0)
    assert after.available_microcredits == 10 * ONE
    assert (after.windows.period, after.lifetime.spent) == (2 * ONE, 2 * ONE)


def test_what_a_hold_did_not_use_of_a_plan_that_rolls_all_over_rolls_over_too() -> None:
    account, _ = opened(an_account("keep"), 6, stays=timedelta(days=20))
    account = rolled(account, DECEMBER).account
    assert account.available_microcredits == 14 * ONE

    account, entry = settled(account, 2, at=DECEMBER + timedelta(hours=1))

    assert (entry.expired_microcredits, account.available_microcredits) == (0, 18 * ONE)
    january = datetime(2027, 1, 1, tzinfo=UTC)
    assert rolled(account, january).account.available_microcredits == 28 * ONE


def test_a_hold_over_two_resets_of_a_plan_that_rolls_all_over_loses_nothing() -> None:
    account, _ = opened(an_account("keep"), 6, stays=timedelta(days=60))
    account = rolled(account, datetime(2027, 1, 2, tzinfo=UTC)).account

    account, entry = released(account)

    assert (entry.expired_microcredits, account.available_microcredits) == (0, 30 * ONE)


def test_of_a_plan_that_rolls_a_part_over_what_is_held_does_not_roll_over() -> None:
    terms = PlanTerms(
        "free", "Free", 10 * ONE, rollover=Rollover.CAPPED, rollover_cap_microcredits=8 * ONE
    )
    catalog = replace(CATALOG, plans={**CATALOG.plans, "free": terms})
    account, _ = opened(an_account(catalog=catalog), 6, stays=timedelta(days=20), catalog=catalog)
    account = rolled(account, DECEMBER, catalog).account

    account, entry = released(account, at=DECEMBER, catalog=catalog)

    assert (entry.expired_microcredits, account.available_microcredits) == (6 * ONE, 14 * ONE)


def test_a_hold_that_expires_at_the_reset_is_back_before_it() -> None:
    account, _ = opened(an_account("keep"), 6, stays=DECEMBER - NOON)

    decision = rolled(account, DECEMBER)

    assert kinds(decision) == ["hold_expired", "reset"]
    assert decision.account.available_microcredits == 20 * ONE


def test_a_plan_change_leaves_a_hold_its_credits_and_the_rest_expires() -> None:
    account, _ = opened(an_account(), 6)

    account = on_plan(account, "pro")
    assert (account.available_microcredits, account.held_microcredits) == (50 * ONE, 6 * ONE)
    account, entry = settled(account, 2)

    assert (entry.moved_microcredits, entry.expired_microcredits) == (2 * ONE, 4 * ONE)
    assert account.available_microcredits == 50 * ONE


def test_two_plan_changes_under_a_hold_end_its_old_grant_once() -> None:
    account, _ = opened(an_account(), 6)

    account = on_plan(on_plan(account, "pro"), "month")

    assert (account.available_microcredits, account.held_microcredits) == (20 * ONE, 6 * ONE)
    assert released(account)[1].expired_microcredits == 6 * ONE


def test_the_policy_is_that_of_the_plan_at_the_opening() -> None:
    catalog = settling(REJECT)
    account, _ = opened(an_account(catalog=catalog), 5, catalog=catalog)
    account = on_plan(account, "pro", catalog=catalog)

    with pytest.raises(SettleAboveHoldError):
        settled(account, 8, catalog=catalog)
