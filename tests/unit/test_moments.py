"""Edges of time: what happens at one instant, in another zone, and when a plan is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
    granted,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import GiveBack, decide_give_back
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.grants import Draw, Grant, GrantKind, Stay, put_back
from tollkeeper.domain.operating import (
    ChangePlan,
    ChangeProfile,
    decide_plan_change,
    decide_profile_change,
    is_on_plan,
)
from tollkeeper.domain.periods import start_of_day
from tollkeeper.domain.roll import begin, look, reset_key

A_DAY = timedelta(days=1)
AN_HOUR = timedelta(hours=1)
TICK = timedelta(milliseconds=1)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def change(plan: str, *, anchor: date | None = None, at_period_end: bool = False) -> ChangePlan:
    """The command."""
    return ChangePlan(a_key("p"), "h", "", plan=plan, anchor=anchor, at_period_end=at_period_end)


def moved_to(account: Account, zone: str) -> Account:
    """The account that asked for the zone, once it is there and a little later."""
    command = ChangeProfile(a_key("z"), "h", "", zone=zone)
    account, _ = done(decide_profile_change(draft_of(account), command))
    return look(account, now=account.rolled_to + 3 * A_DAY, catalog=CATALOG)


# ---- One instant


def test_two_grants_that_start_at_one_moment_start_in_the_order_of_their_age() -> None:
    grants = tuple(
        a_grant(number, 1, has_started=False, effective_at=NOON + AN_HOUR) for number in (10, 9)
    )
    account = replace(an_account("deep"), grants=grants)

    draft = draft_of(account, NOON + AN_HOUR)

    assert [entry.key for entry in draft.entries] == ["t#start:g9", "t#start:g10"]


def test_a_change_of_plan_stands_after_every_row_that_time_wrote_before_it() -> None:
    """Why: a charge of that instant must stay in the period in which it was made."""
    account = an_account()
    for number, lasts in enumerate((AN_HOUR, 2 * AN_HOUR, 3 * AN_HOUR)):
        account, _ = granted(account, 1, key=f"g{number}", lasts=lasts)
    now = NOON + 3 * AN_HOUR

    decision = decide_plan_change(draft_of(account, now), change("pro"), CATALOG)

    assert decision.account.plan.period_start_at == now + TICK
    assert [entry.at for entry in decision.entries][:3] == [
        NOON + AN_HOUR,
        NOON + 2 * AN_HOUR,
        now,
    ]


def test_an_account_that_opens_and_changes_its_plan_at_once_stands_after_its_opening() -> None:
    draft, _ = begin(None, ACCOUNT, now=NOON, catalog=CATALOG)

    decision = decide_plan_change(draft, change("pro"), CATALOG)

    assert [entry.kind.value for entry in decision.entries] == [
        "reset",
        "expire",
        "reset",
        "plan_change",
    ]
    assert decision.account.plan.period_start_at == NOON + TICK


def test_asking_anew_for_the_plan_in_force_begins_a_period_where_the_account_was_there() -> None:
    account, _ = charged(an_account(), a_run("video"))

    decision = decide_plan_change(draft_of(account, NOON + AN_HOUR), change("free"), CATALOG)

    assert decision.account.available_microcredits == 10 * ONE
    assert decision.account.plan.period_start_at == NOON + AN_HOUR


# ---- Periods


def test_a_promo_that_ends_with_the_period_does_not_roll_over_with_the_plan() -> None:
    account, _ = granted(an_account("keep"), 5, lasts=DECEMBER - NOON)

    after = look(account, now=DECEMBER, catalog=CATALOG)

    assert after.available_microcredits == 20 * ONE
    assert after.lifetime.expired == 5 * ONE


def test_what_rolled_over_is_part_of_the_new_grants_amount() -> None:
    after = look(an_account("keep"), now=DECEMBER, catalog=CATALOG)

    assert [(g.amount_microcredits, g.remaining_microcredits) for g in after.grants] == [
        (20 * ONE, 20 * ONE)
    ]


def test_a_period_that_ends_within_a_month_leaves_the_months_spending_counted() -> None:
    account = an_account("month", at=NOON - 2 * A_DAY)
    account, _ = charged(account, a_run("video"))
    day_of_reset = account.plan.period_end_at
    account, _ = charged(account, a_run("call"), key="k2", at=day_of_reset - AN_HOUR)

    after = look(account, now=day_of_reset, catalog=CATALOG)

    assert (after.windows.month, after.windows.period) == (ONE, 0)


def of_opening_default() -> Catalog:
    """A catalog in which the plan pro is gone and the default counts from the opening."""
    plans = {name: terms for name, terms in CATALOG.plans.items() if name != "pro"}
    return replace(CATALOG, plans=plans, default_plan="month")


def test_where_a_plan_is_gone_the_default_counts_from_the_day_it_begins_there() -> None:
    """Why: a day that began in the account's zone is not yet one in UTC."""
    account = an_account("pro", zone="Asia/Tokyo")
    end = account.plan.period_end_at

    after = look(account, now=end, catalog=of_opening_default())

    assert end == datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert (after.plan.id, after.plan.anchor) == ("month", date(2026, 12, 1))
    assert after.plan.period_end_at == datetime(2026, 12, 31, 15, tzinfo=UTC)


def test_a_waiting_plan_that_was_asked_for_with_an_anchor_keeps_it_though_the_old_one_is_gone() -> (
    None
):
    waiting = change("keep", anchor=date(2026, 11, 15), at_period_end=True)
    account, _ = done(decide_plan_change(draft_of(an_account("pro")), waiting, CATALOG))

    after = look(account, now=DECEMBER, catalog=of_opening_default())

    assert (after.plan.id, after.plan.anchor) == ("keep", date(2026, 11, 15))


def test_taking_a_waiting_change_back_takes_its_anchor_back_too() -> None:
    waiting = change("keep", anchor=date(2026, 11, 15), at_period_end=True)
    account, _ = done(decide_plan_change(draft_of(an_account()), waiting, CATALOG))

    back, _ = done(
        decide_plan_change(draft_of(account), change("free", at_period_end=True), CATALOG)
    )

    assert (back.plan.next_plan, back.plan.next_anchor) == ("", None)


def test_asking_again_for_a_waiting_plan_with_its_anchor_is_recognised_and_another_is_not() -> None:
    waiting = change("keep", anchor=date(2026, 11, 15), at_period_end=True)
    account, _ = done(decide_plan_change(draft_of(an_account()), waiting, CATALOG))

    assert is_on_plan(account, waiting)
    assert not is_on_plan(account, replace(waiting, anchor=date(2026, 11, 16)))


# ---- Zones


def test_a_change_of_zone_moves_the_plans_expiry_and_no_other() -> None:
    account, _ = granted(an_account(), 5, key="g1", lasts=timedelta(days=30))
    account, _ = granted(account, 3, GrantKind.PACK, key="g2")
    account, _ = granted(account, 4, key="g3", lasts=DECEMBER - NOON)

    after = moved_to(account, "Asia/Tokyo")

    ends = {grant.amount_microcredits // ONE: grant.expires_at for grant in after.grants}
    assert ends == {
        10: DECEMBER - timedelta(hours=9),
        5: NOON + timedelta(days=30),
        3: None,
        4: DECEMBER,
    }


def test_grants_are_in_the_order_of_drawing_after_a_change_of_zone_has_moved_one() -> None:
    account, _ = granted(
        an_account(), 5, GrantKind.PROMO, key="g1", lasts=DECEMBER - NOON - AN_HOUR
    )
    same = tuple(replace(g, priority=20) for g in account.grants)
    account = replace(account, grants=tuple(sorted(same, key=Grant.order)))
    assert [g.amount_microcredits // ONE for g in account.grants] == [5, 10]

    after = moved_to(account, "Asia/Tokyo")

    assert [g.amount_microcredits // ONE for g in after.grants] == [10, 5]


def test_a_day_that_goes_on_keeps_what_was_spent_in_it_though_nothing_is_left_to_count() -> None:
    """Why: yesterday's run that is voided today cancels one like it in today's totals."""
    account, first = charged(an_account(at=NOON - A_DAY), a_run(), key="k1")
    account, _ = charged(account, a_run(), key="k2", at=NOON)
    command = GiveBack(a_key("v"), "h", first, EntryKind.VOID)
    account, _ = done(decide_give_back(draft_of(account, NOON + AN_HOUR), command))
    assert account.totals == {}

    later = look(account, now=NOON + 2 * AN_HOUR, catalog=CATALOG)

    assert later.windows.day == ONE


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is Tokyo's."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_zone_of_the_machine_is_in_no_key_and_no_moment(in_tokyo: None) -> None:
    """Why: two machines must agree on the key of a reset, or it would happen twice."""
    assert reset_key(an_account().plan) == "t#reset:1:2026-11-20T12:00:00.000000Z"
    assert start_of_day(date(2026, 11, 20), "Europe/Berlin").isoformat() == (
        "2026-11-19T23:00:00+00:00"
    )


# ---- What comes back


STAY = Stay(NOON, NOON - A_DAY, NOON + A_DAY)


def test_a_grant_whose_time_is_over_does_not_keep_others_from_getting_theirs() -> None:
    draws = (Draw(a_grant(1, 2), 2 * ONE), Draw(a_grant(2, 3, expires_at=NOON), 3 * ONE))

    back, returned, homeless = put_back((), draws, 5 * ONE, STAY)

    assert [(g.id, g.remaining_microcredits) for g in back] == [("g1", 2 * ONE)]
    assert [(d.grant.id, d.amount_microcredits) for d in returned] == [("g1", 2 * ONE)]
    assert homeless == 3 * ONE


def test_a_single_microcredit_comes_back_and_none_is_no_return() -> None:
    draws = (Draw(a_grant(1, 2), 2 * ONE), Draw(a_grant(2, 3), 3 * ONE))

    back, returned, _ = put_back((), draws, 1, STAY)

    assert [(g.id, g.remaining_microcredits) for g in back] == [("g2", 1)]
    assert [(d.grant.id, d.amount_microcredits) for d in returned] == [("g2", 1)]
