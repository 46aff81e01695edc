"""What a new period ends and begins, and what follows a subscription's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.unit.building import NOON, ONE, a_grant, an_account, draft_of
from tests.unit.holding import opened
from tests.unit.subscriber_lines import Story, show_rows
from tests.unit.subscribers import A_DAY, MONTHS, STORE, month, of_other
from tollkeeper.domain.account import Account, PlanState
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.plan_turns import end_subscription, turn

NOVEMBER, DECEMBER, JANUARY = MONTHS[:3]
AFTER = NOON + timedelta(milliseconds=1)
"""The moment of an end: no row of the account has it yet."""

PERIOD = PaidPeriod(NOVEMBER, DECEMBER, (("saver", 60 * ONE),))
PAID = Subscribed("sub_1", "saver", (NOVEMBER, NOVEMBER), (PERIOD,), grants=("g9", "g10"))
OTHER = replace(PAID, id="sub_2", grants=("g8",))
DRIVEN = PlanState("saver", 4, NOVEMBER, DECEMBER + GRACE, subscription="sub_1", paid=(PAID, OTHER))
NEXT = replace(DRIVEN, generation=5, period_start_at=NOON, period_end_at=JANUARY)


def on(plan: PlanState, *grants: int, zone: str = "UTC", parent: str = "") -> Account:
    """An account on that plan, with ten credits of the plan in each of these grants."""
    held = tuple(
        a_grant(n, 10, GrantKind.PLAN, expires_at=DECEMBER + GRACE) for n in sorted(grants)
    )
    return replace(an_account(), plan=plan, grants=held, zone=zone, parent=parent)


def turned(account: Account, *, keeps: int | None, ends: set[str]) -> Draft:
    """The draft in which the next period has begun with seven credits."""
    draft = draft_of(account, catalog=STORE)
    most = None if keeps is None else keeps * ONE
    turn(draft, NEXT, 7 * ONE, ends=frozenset(ends), keeps_microcredits=most)
    assert draft.account.plan == NEXT
    return draft


def ended(
    plan: PlanState,
    *,
    catalog: Catalog = STORE,
    zone: str = "UTC",
    parent: str = "",
) -> tuple[PlanState, int]:
    """The plan after the end of sub_1, and the whole credits that it brought."""
    account = on(plan, zone=zone, parent=parent)
    draft = draft_of(account, catalog=catalog)
    assert end_subscription(draft, "sub_1") is not None
    credits, part = divmod(draft.account.available_microcredits, ONE)
    assert part == 0
    return draft.account.plan, credits


# ---- A period that begins


def test_grants_that_end_expire_from_the_oldest_on_where_nothing_rolls_over() -> None:
    draft = turned(on(DRIVEN, 8, 9, 10, 11), keeps=None, ends={"g10", "g9", "g11"})

    assert show_rows(draft.entries) == [
        "expire t#expire:g9 -10 g9 plan 0/10 until 12-04",
        "expire t#expire:g10 -10 g10 plan 0/10 until 12-04",
        "expire t#expire:g11 -10 g11 plan 0/10 until 12-04",
        "reset t#reset:5:2026-11-20T12:00:00.000000Z +7 g5 plan 7/7 until 2027-01-01",
    ]
    assert {grant.id for grant in draft.account.grants} == {"g8", "g5"}


def test_no_more_rolls_over_than_is_kept_and_the_rest_expires_after_the_reset() -> None:
    draft = turned(on(DRIVEN, 8, 9, 10), keeps=15, ends={"g9", "g10"})

    assert show_rows(draft.entries) == [
        "reset t#reset:5:2026-11-20T12:00:00.000000Z +7 g2 plan 22/22 until 2027-01-01 "
        "10 of g9 5 of g10",
        "expire t#expire:g10 -5 g10 plan 0/10 until 11-20 12h",
    ]
    kept = {grant.id: grant.expires_at for grant in draft.account.grants}
    assert kept == {"g8": DECEMBER + GRACE, "g2": JANUARY}


def test_a_grant_that_a_hold_drew_from_takes_back_for_one_more_period() -> None:
    account, _ = opened(an_account("keep"), 10)
    account = replace(account, plan=replace(DRIVEN, id="keep"))

    draft = turned(account, keeps=15, ends={"g1"})

    assert [each.kind.value for each in draft.entries] == ["reset"]
    own = next(grant for grant in draft.account.grants if grant.id == "g1")
    assert (own.expires_at, own.remaining_microcredits, own.has_ended) == (JANUARY, 0, False)


# ---- What follows an end


def test_the_end_of_what_does_not_drive_ends_its_own_credits_and_nothing_else() -> None:
    who = Story.begin(month("one", "large"), of_other(month("two", "basic")))
    who.pay(of_other(month("three", "basic", 1)), at=DECEMBER)
    who.hush()

    entry = who.end("sub_2", at=DECEMBER)

    assert entry is not None
    assert (entry.reason, entry.actor) == ("the subscription ended", "stripe")
    assert entry.details == {
        "from": "large",
        "to": "large",
        "at": "other_subscription_end",
        "subscription": "sub_2",
    }
    assert who.tell() == (
        "expire t#expire:g5 -100 g5 plan 0/100 until 12-04\n"
        "expire t#expire:g6 -100 g6 plan 0/100 until 2027-01-04\n"
        "plan_change s#subscription_end:sub_2 +0 large > large at other_subscription_end\n"
        "\n"
        "large#2 by sub_1: 11-20 12h+1 to 12-04\n"
        "sub_1 large at 11-01 11-01 1h (g3) 11-01 to 12-01 large=500\n"
        "g3 plan 500/500 until 12-04"
    )


def test_what_does_not_drive_ends_until_the_days_of_grace_are_over() -> None:
    free = replace(DRIVEN, id="free", subscription="", period_end_at=JANUARY)
    just = DECEMBER + GRACE - timedelta(milliseconds=1)

    assert end_subscription(draft_of(on(free), just, STORE), "sub_1") is not None
    assert end_subscription(draft_of(on(free), DECEMBER + GRACE, STORE), "sub_1") is None


def test_what_of_the_calendar_is_there_stays_when_what_does_not_drive_ends() -> None:
    free = replace(DRIVEN, id="free", subscription="", period_end_at=JANUARY)
    draft = draft_of(on(free, 3, 8, 9), catalog=STORE)

    entry = end_subscription(draft, "sub_1")

    assert entry is not None and entry.details["at"] == "other_subscription_end"
    assert {grant.id for grant in draft.account.grants} == {"g3", "g8"}
    assert draft.account.plan == replace(free, paid=(OTHER,))


def test_another_that_is_paid_drives_with_the_credits_that_are_there() -> None:
    assert ended(DRIVEN) == (
        replace(DRIVEN, generation=5, period_start_at=AFTER, subscription="sub_2", paid=(OTHER,)),
        0,
    )


def test_the_default_plan_follows_where_nothing_else_is_paid() -> None:
    alone = replace(DRIVEN, paid=(PAID,))
    default = replace(STORE, default_plan="month")

    assert ended(alone) == (PlanState("free", 5, AFTER, DECEMBER), 10)
    assert ended(replace(alone, next_anchor=date(2026, 10, 9))) == ended(alone)
    assert ended(alone, parent="user_2") == (PlanState("free", 5, AFTER, DECEMBER), 0)
    assert ended(alone, catalog=default) == (
        PlanState("month", 5, AFTER, DECEMBER + 19 * A_DAY, date(2026, 11, 20)),
        20,
    )
    in_tokyo, _ = ended(replace(alone, period_end_at=JANUARY), catalog=default, zone="Asia/Tokyo")
    assert (in_tokyo.anchor, in_tokyo.period_end_at) == (
        date(2026, 11, 20),
        DECEMBER + 19 * A_DAY - timedelta(hours=9),
    )


def test_the_plan_that_an_operator_chose_goes_before_another_that_is_paid() -> None:
    waits = replace(DRIVEN, next_plan="pro")
    anchored = replace(waits, next_plan="month", next_anchor=date(2026, 10, 9))

    assert ended(waits) == (PlanState("pro", 5, AFTER, DECEMBER, paid=(OTHER,)), 50)
    assert ended(anchored) == (
        PlanState("month", 5, AFTER, DECEMBER + 8 * A_DAY, date(2026, 10, 9), paid=(OTHER,)),
        20,
    )
    assert ended(replace(anchored, next_anchor=None))[0].anchor == date(2026, 11, 20)


@pytest.mark.parametrize("plan", ["basic", "gone"])
def test_a_plan_that_is_sold_or_gone_by_then_does_not_follow(plan: str) -> None:
    waits = replace(DRIVEN, paid=(PAID,), next_plan=plan, next_anchor=date(2026, 10, 9))

    assert ended(waits) == (PlanState("free", 5, AFTER, DECEMBER), 10)
    assert ended(replace(waits, paid=(PAID, OTHER)))[0].subscription == "sub_2"
