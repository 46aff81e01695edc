"""Spend limits: who set the tightest, what counts against them, and what an edit keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.building import CATALOG, NOON, ONE, a_key, a_run, an_account, charged
from tests.unit.holding import capped, costing, limited, opened, released, settled, with_plan
from tollkeeper.domain.account import Account, OwnLimits
from tollkeeper.domain.catalog import Catalog, Limits
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.errors import LimitReachedError
from tollkeeper.domain.gate import refuse_unable
from tollkeeper.domain.limits import SetLimits, apply_limits, has_limits
from tollkeeper.domain.roll import look
from tollkeeper.domain.windows import read_windows

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def refused(
    account: Account, credits: float, catalog: Catalog = CATALOG, most: int | None = None
) -> LimitReachedError:
    """The limit that refuses a run of so many credits."""
    priced = replace(costing(credits), most_microcredits=None if most is None else most * ONE)
    with pytest.raises(LimitReachedError) as refusal:
        refuse_unable(account, priced, catalog)
    return refusal.value


def allowed(account: Account, credits: float, catalog: Catalog = CATALOG) -> None:
    """Nothing, where a run of so many credits is allowed."""
    refuse_unable(account, costing(credits), catalog)


@pytest.mark.parametrize(
    ("name", "blocking", "resets_at"),
    [
        ("day", "daily_limit", "2026-11-21T00:00:00+00:00"),
        ("month", "monthly_limit", "2026-12-01T00:00:00+00:00"),
        ("run", "per_run_max", None),
    ],
)
def test_s4_10_a_limit_lets_exactly_as_much_through(
    name: str, blocking: str, resets_at: str | None
) -> None:
    account = capped(an_account("pro"), name, 6)

    allowed(account, 6)
    error = refused(account, 6.000001)

    assert (error.blocking, error.limit_microcredits) == (blocking, 6 * ONE)
    assert (error.shortfall_microcredits, error.spent_microcredits) == (1, 0)
    assert (error.resets_at.isoformat() if error.resets_at else None) == resets_at


def test_the_sentence_says_the_limit_what_is_spent_and_what_is_held() -> None:
    account, _ = limited(an_account("pro"), day=6, run=5)
    account, _ = charged(account, a_run("sms", quantity=2 * ONE))
    account, _ = opened(account, 3)

    assert refused(account, 2).detail == (
        "sms needs 2 credits; of the daily limit of 6 2 are spent, 3 are held."
    )
    assert refused(account, 5.5).detail == "sms needs 5.5 credits; one run may cost 5."


@pytest.mark.parametrize(
    ("plan", "operator", "user", "in_force"),
    [
        (None, None, None, None),
        (9, None, None, 9),
        (9, 7, None, 7),
        (9, 12, None, 12),
        (9, None, 7, 7),
        (9, None, 12, 9),
        (9, 7, 8, 7),
        (9, 8, 7, 7),
        (None, None, 7, 7),
        (None, 7, 8, 7),
    ],
)
@pytest.mark.parametrize("name", ["day", "month", "run"])
def test_s4_10_the_tightest_of_operator_and_user_wins_and_the_plans_stands_in_for_the_operators(
    name: str, plan: int | None, operator: int | None, user: int | None, in_force: int | None
) -> None:
    """An operator may give one account more than its plan does; a user never more than that."""

    def at(credits: int | None) -> Limits:
        values: dict[str, Any] = {name: None if credits is None else credits * ONE}
        return Limits(**values)

    catalog = with_plan(limits=at(plan), allocation_microcredits=50 * ONE)
    account = replace(
        an_account(catalog=catalog), limits=OwnLimits(operator=at(operator), user=at(user))
    )

    assert account.limits_in_force(catalog) == at(in_force)
    allowed(account, in_force or 50, catalog)
    if in_force is not None:
        assert refused(account, in_force + 0.000001, catalog).limit_microcredits == in_force * ONE


def test_s4_10_a_request_tightens_the_maximum_of_one_run_and_never_loosens_it() -> None:
    account, _ = limited(an_account("pro"), run=5)

    assert refused(account, 4, most=3).limit_microcredits == 3 * ONE
    assert refused(account, 6, most=9).limit_microcredits == 5 * ONE
    assert refused(an_account("pro"), 4, most=3).blocking == "per_run_max"


def test_what_is_held_counts_and_what_is_given_back_counts_no_more() -> None:
    account, _ = limited(an_account("pro"), day=6)
    account, _ = opened(account, 4)

    assert refused(account, 2.5).spent_microcredits == 4 * ONE
    allowed(released(account)[0], 6)
    assert refused(settled(account, 1)[0], 5.5).spent_microcredits == ONE


def test_a_hold_counts_in_the_day_that_it_is_after_midnight_too() -> None:
    account, _ = limited(an_account("pro"), day=6)
    account, _ = charged(account, a_run("sms", quantity=2 * ONE))
    account, _ = opened(account, 4, stays=timedelta(hours=20))

    tomorrow = look(account, now=MIDNIGHT, catalog=CATALOG)

    assert refused(tomorrow, 2.5).spent_microcredits == 4 * ONE
    allowed(tomorrow, 2)
    after, _ = settled(account, 4, at=MIDNIGHT)
    assert after.windows.day == 4 * ONE


def test_a_day_and_a_month_begin_on_the_clock_of_the_account() -> None:
    account, _ = limited(an_account("pro", zone="Asia/Tokyo"), day=3, month=5)
    account, _ = charged(account, a_run("sms", quantity=3 * ONE))

    error = refused(account, 1)
    assert error.resets_at is not None
    assert error.resets_at.isoformat() == "2026-11-21T00:00:00+09:00"
    tomorrow = look(account, now=error.resets_at.astimezone(UTC), catalog=CATALOG)
    assert refused(tomorrow, 2.5).blocking == "monthly_limit"
    allowed(tomorrow, 2)


def test_an_edit_keeps_what_the_window_has_counted() -> None:
    account, _ = limited(an_account("pro"), day=6)
    account, _ = charged(account, a_run("sms", quantity=5 * ONE))

    raised, _ = limited(account, day=8)
    lowered, _ = limited(account, day=4)
    gone, _ = limited(account, day=None)

    assert refused(raised, 3.5).spent_microcredits == 5 * ONE
    allowed(raised, 3)
    assert refused(lowered, 0.000001).shortfall_microcredits == 1
    allowed(gone, 45)
    assert raised.windows == lowered.windows == gone.windows == account.windows
    back, _ = limited(gone, day=6)
    assert refused(back, 1.5).spent_microcredits == 5 * ONE


def test_a_limit_that_is_set_first_today_counts_what_was_spent_before() -> None:
    account, _ = charged(an_account("pro"), a_run("sms", quantity=5 * ONE))

    account, _ = limited(account, day=6)

    assert refused(account, 1.5).spent_microcredits == 5 * ONE


def test_a_hold_that_expired_or_was_released_spent_nothing() -> None:
    account, _ = limited(an_account("pro"), day=6, month=9)
    account, _ = opened(account, 5)

    assert look(account, now=NOON + timedelta(minutes=15), catalog=CATALOG).windows.day == 0
    assert released(account)[0].windows.day == 0


def test_what_costs_nothing_passes_a_limit_that_is_used_up() -> None:
    account, _ = limited(an_account("pro"), day=5)
    account, _ = charged(account, a_run("sms", quantity=5 * ONE))

    refuse_unable(account, a_run("own"), CATALOG)


# The command.


def test_what_is_not_named_stays_and_nothing_takes_a_limit_away() -> None:
    account, _ = limited(an_account(), day=6, month=9)

    account, row = limited(account, month=None, run=3)

    assert account.limits.operator == Limits(day=6 * ONE, run=3 * ONE)
    assert (row.kind, row.delta_microcredits) == (EntryKind.LIMITS, 0)
    assert row.details == {"monthly": "none", "per_run_max": "3", "set_by": "operator"}


def test_a_user_and_an_operator_set_their_own_and_not_each_others() -> None:
    account, _ = limited(an_account(), day=6)

    account, row = limited(account, "user", day=4, month=8)

    assert account.limits.operator == Limits(day=6 * ONE)
    assert account.limits.user == Limits(day=4 * ONE, month=8 * ONE)
    assert row.details["set_by"] == "user"
    assert limited(account, "user", day=None)[0].limits_in_force(CATALOG).day == 6 * ONE


def test_thresholds_and_a_low_balance_are_the_accounts_own_until_they_are_taken_away() -> None:
    account, row = limited(an_account(), thresholds=((25, 75),), low=(2 * ONE,))

    assert account.limits.thresholds == (25, 75)
    assert account.limits.low_balance_microcredits == 2 * ONE
    assert (row.details["alert_thresholds"], row.details["low_balance"]) == ("25,75", "2")
    account, row = limited(account, thresholds=(None,), low=(None,))
    assert account.limits == OwnLimits()
    assert (row.details["alert_thresholds"], row.details["low_balance"]) == ("default", "default")


def test_the_same_limits_again_are_no_change() -> None:
    account, _ = limited(an_account(), day=6, low=(0,))

    def same(**facts: Any) -> bool:
        command = replace(SetLimits(a_key(), "h", "r"), **facts)
        return has_limits(account, command)

    assert same(limits=(("day", 6 * ONE),))
    assert same(limits=(("day", 6 * ONE), ("month", None)), low_balance=(0,))
    assert not same(limits=(("day", 7 * ONE),))
    assert not same(limits=(("day", None),))
    assert not same(limits=(("day", 6 * ONE),), level="user")
    assert not same(low_balance=(None,))
    assert not same(thresholds=((50,),))


def test_limits_that_are_applied_twice_are_as_if_once() -> None:
    command = SetLimits(a_key(), "h", "r", limits=(("day", 1), ("run", None)), low_balance=(3,))
    once = apply_limits(OwnLimits(operator=Limits(run=9)), command)

    assert (
        apply_limits(once, command)
        == once
        == OwnLimits(operator=Limits(day=1), low_balance_microcredits=3)
    )


def test_a_window_says_how_full_it_is_with_and_without_what_is_held() -> None:
    account, _ = limited(an_account("pro"), day=8)
    account, _ = charged(account, a_run("sms", quantity=3 * ONE))

    day, month, period = read_windows(account, CATALOG)

    assert (day.percent(), day.percent(2 * ONE), month.percent()) == (37, 62, None)
    assert (period.limit_microcredits, period.percent()) == (50 * ONE, 6)
    assert [window.name for window in (day, month, period)] == ["day", "month", "period"]
    assert period.resets_at == DECEMBER
