"""Which period follows, what goes into it, and what drives it, as whole values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.unit.building import NOON, ONE, a_grant, an_account, draft_of
from tests.unit.holding import opened
from tests.unit.subscribers import MONTHS, SOLD, STORE
from tollkeeper.domain.account import Account, PlanState
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.grants import Draw, GrantKind
from tollkeeper.domain.next_period import driven_by, first_anchor, period_after, roll_over
from tollkeeper.domain.paid_periods import KEPT_FOR, PaidPeriod, Subscribed
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.plan_turns import end_key, end_subscription, own_grants

NOVEMBER, DECEMBER, JANUARY, FEBRUARY = MONTHS[:4]
PAID = Subscribed(
    "sub_1",
    "saver",
    (NOVEMBER, NOVEMBER),
    (PaidPeriod(NOVEMBER, DECEMBER, (("saver", 60 * ONE),)),),
)
OTHER = Subscribed(
    "sub_2",
    "basic",
    (NOVEMBER, NOVEMBER),
    (PaidPeriod(NOVEMBER, JANUARY, (("basic", 100 * ONE),)),),
    grants=("g8",),
)
FREE = PlanState("free", 4, NOVEMBER, DECEMBER)
DRIVEN = replace(FREE, id="saver", subscription="sub_1", paid=(PAID,))


def on(plan: PlanState, *, zone: str = "UTC", parent: str = "") -> Account:
    """An account on that plan, without a credit."""
    return replace(an_account(), plan=plan, zone=zone, parent=parent, grants=())


def after(plan: PlanState, catalog: Catalog = STORE, *, parent: str = "") -> PlanState:
    """The period that time begins when December does."""
    return period_after(on(plan, parent=parent), DECEMBER, catalog)


# ---- Which period follows


def test_a_plan_of_the_calendar_goes_on_as_the_same() -> None:
    assert after(FREE) == PlanState("free", 4, DECEMBER, JANUARY)


def test_a_plan_that_counts_from_a_day_goes_on_counting_from_it() -> None:
    anchored = replace(FREE, id="month", anchor=date(2026, 10, 15))

    assert after(anchored) == PlanState(
        "month", 4, DECEMBER, DECEMBER + timedelta(days=14), date(2026, 10, 15)
    )


def test_a_plan_that_waited_begins_with_its_own_anchor() -> None:
    waits = replace(FREE, next_plan="month", next_anchor=date(2026, 10, 9))

    assert after(waits) == PlanState(
        "month", 5, DECEMBER, DECEMBER + timedelta(days=8), date(2026, 10, 9)
    )
    assert after(replace(FREE, anchor=date(2026, 10, 9), next_plan="free")) == PlanState(
        "free", 5, DECEMBER, JANUARY
    )


@pytest.mark.parametrize("changed", [{"id": "gone"}, {"id": "basic"}, {"next_plan": "gone"}])
def test_a_plan_that_is_gone_or_sold_is_left_for_the_default_one(changed: dict[str, str]) -> None:
    left = replace(FREE, anchor=date(2026, 10, 9), **changed)  # type: ignore[arg-type]

    assert after(left) == PlanState("free", 5, DECEMBER, JANUARY)


def test_the_default_plan_begins_on_the_day_that_another_is_left() -> None:
    catalog = replace(STORE, default_plan="month")

    assert after(replace(FREE, id="gone"), catalog) == PlanState(
        "month", 5, DECEMBER, JANUARY, date(2026, 12, 1)
    )
    in_berlin = period_after(on(replace(FREE, id="gone"), zone="Asia/Tokyo"), NOON, catalog)
    assert in_berlin.anchor == first_anchor(STORE.plan("month"), NOON, "Asia/Tokyo")


def test_a_budget_stays_on_a_plan_that_is_sold() -> None:
    assert after(replace(FREE, id="basic"), parent="user_2").id == "basic"


def test_a_plan_that_nobody_paid_for_again_is_remembered_with_what_was_spent() -> None:
    left = period_after(
        replace(on(DRIVEN), grants=(a_grant(3, 40, GrantKind.PLAN, expires_at=DECEMBER),)),
        DECEMBER,
        STORE,
    )

    spent = replace(PAID.newest, spent_microcredits=20 * ONE)
    assert left == PlanState("free", 5, DECEMBER, JANUARY, paid=(replace(PAID, periods=(spent,)),))


def test_what_rolled_into_a_period_counts_as_spent_with_it() -> None:
    second = PaidPeriod(DECEMBER, JANUARY, (("saver", 60 * ONE),))
    twice = replace(PAID, periods=(PAID.newest, second))

    left = period_after(on(replace(DRIVEN, paid=(twice,))), JANUARY, STORE)

    assert left.paid[0].newest == replace(second, spent_microcredits=120 * ONE)


def test_a_plan_that_a_subscription_drove_is_left_though_it_is_not_sold_any_more() -> None:
    assert after(replace(DRIVEN, id="pro", paid=())) == PlanState("free", 5, DECEMBER, JANUARY)
    assert after(replace(DRIVEN, id="free", paid=())) == PlanState("free", 5, DECEMBER, JANUARY)


@pytest.mark.parametrize(
    ("kind", "ends_at", "spent"),
    [
        (GrantKind.PLAN, DECEMBER, 20),
        (GrantKind.PLAN, DECEMBER + timedelta(milliseconds=1), 60),
        (GrantKind.PLAN, None, 60),
        (GrantKind.PACK, DECEMBER, 60),
    ],
)
def test_what_is_left_of_a_period_is_what_ends_with_it(
    kind: GrantKind, ends_at: object, spent: int
) -> None:
    grant = replace(a_grant(3, 40, kind), expires_at=ends_at)  # type: ignore[arg-type]

    left = period_after(replace(on(DRIVEN), grants=(grant,)), DECEMBER, STORE)

    assert left.paid[0].newest.spent_microcredits == spent * ONE


def test_another_subscription_that_is_paid_drives_from_then_on() -> None:
    both = replace(DRIVEN, paid=(PAID, OTHER))

    spent = replace(PAID, periods=(replace(PAID.newest, spent_microcredits=60 * ONE),))
    assert after(both) == PlanState(
        "basic", 5, DECEMBER, JANUARY + GRACE, subscription="sub_2", paid=(spent, OTHER)
    )
    assert after(replace(both, next_plan="pro")).id == "pro"
    assert after(replace(FREE, paid=(OTHER,))) == PlanState(
        "free", 4, DECEMBER, JANUARY, paid=(OTHER,)
    )


def test_what_was_paid_long_ago_is_forgotten_when_a_period_begins() -> None:
    at = DECEMBER + KEPT_FOR

    plan = period_after(on(replace(FREE, paid=(PAID,), period_end_at=at)), at, STORE)

    assert plan.paid == ()


def test_a_period_of_a_subscription_lasts_days_of_grace_from_now_at_least() -> None:
    assert driven_by(PAID, FREE, at=NOON) == PlanState(
        "saver", 5, NOON, DECEMBER + GRACE, subscription="sub_1", paid=(PAID,)
    )
    assert driven_by(PAID, FREE, at=JANUARY).period_end_at == JANUARY + GRACE


# ---- What goes into it


def test_each_grant_that_ends_gives_what_its_plan_keeps_of_all_together() -> None:
    first, second = (a_grant(n, 20, GrantKind.PLAN, expires_at=DECEMBER) for n in (1, 2))
    stays = (
        a_grant(3, 7, GrantKind.PACK, expires_at=DECEMBER),
        a_grant(4, 7, GrantKind.PLAN, expires_at=DECEMBER + timedelta(milliseconds=1)),
        replace(a_grant(5, 7, GrantKind.PLAN, expires_at=DECEMBER), has_ended=True),
        a_grant(6, 7, GrantKind.PLAN),
    )
    account = replace(on(replace(FREE, id="capped")), grants=(first, second, *stays))

    kept, rolled = roll_over(account, STORE, at=DECEMBER, end_at=JANUARY)
    none, nothing = roll_over(replace(account, plan=FREE), STORE, at=DECEMBER, end_at=JANUARY)
    three, _ = roll_over(
        account, STORE, at=DECEMBER, end_at=JANUARY, keeps=lambda rest: min(3 * ONE, rest)
    )

    assert rolled == (Draw(first, 20 * ONE), Draw(second, 5 * ONE))
    rest = replace(second, remaining_microcredits=15 * ONE)
    assert {grant.id: grant for grant in kept} == {g.id: g for g in (rest, *stays)}
    assert (len(none), nothing) == (6, ())
    assert {g.id: g.remaining_microcredits // ONE for g in three} == {
        "g1": 17,
        "g2": 20,
        "g3": 7,
        "g4": 7,
        "g5": 7,
        "g6": 7,
    }
    assert list(kept) == sorted(kept, key=lambda each: each.order())


def test_all_that_ends_goes_where_all_of_it_rolls_over() -> None:
    ending = [a_grant(n, 20, GrantKind.PLAN, expires_at=DECEMBER) for n in (1, 2, 3)]
    stays = (a_grant(4, 7, GrantKind.PACK, expires_at=DECEMBER), a_grant(6, 7, GrantKind.PLAN))
    account = replace(on(replace(FREE, id="keep")), grants=(*ending, *stays))

    kept, rolled = roll_over(account, STORE, at=DECEMBER, end_at=JANUARY)

    assert rolled == tuple(Draw(grant, 20 * ONE) for grant in ending)
    assert set(kept) == set(stays)


def test_what_the_subscription_keeps_goes_before_what_the_plan_does() -> None:
    grant = a_grant(1, 60, GrantKind.PLAN, expires_at=DECEMBER)
    capped = replace(SOLD["capped"], rollover_cap_microcredits=25 * ONE)
    plan = replace(DRIVEN, id="capped")
    catalog = replace(STORE, plans={**STORE.plans, "capped": capped})

    _, rolled = roll_over(replace(on(plan), grants=(grant,)), catalog, at=DECEMBER, end_at=JANUARY)

    assert rolled == (Draw(grant, 60 * ONE),)


@pytest.mark.parametrize(("plan", "ends_at"), [("keep", JANUARY), ("free", DECEMBER)])
def test_an_empty_grant_stays_for_the_hold_that_drew_from_it(plan: str, ends_at: object) -> None:
    account, _ = opened(an_account(plan), 10)
    (grant,) = account.grants
    assert grant.remaining_microcredits == 0

    kept, rolled = roll_over(account, STORE, at=DECEMBER, end_at=JANUARY)

    assert (kept, rolled) == ((replace(grant, expires_at=ends_at),), ())


# ---- What ends with a subscription


@pytest.mark.parametrize(
    ("driver", "subscription", "ends"),
    [
        ("sub_1", "sub_1", {"g1", "g2"}),
        ("", "sub_1", {"g1", "g2"}),
        ("sub_2", "sub_1", {"g1"}),
        ("sub_1", "sub_2", {"g8"}),
        ("sub_2", "sub_2", {"g2", "g8"}),
    ],
)
def test_the_credits_of_a_subscription_are_its_own_and_those_of_nobody(
    driver: str, subscription: str, ends: set[str]
) -> None:
    own, nobodys, others = (a_grant(n, 5, GrantKind.PLAN) for n in (1, 2, 8))
    ended = replace(a_grant(3, 5, GrantKind.PLAN), has_ended=True)
    pack = a_grant(4, 5, GrantKind.PACK)
    plan = replace(
        DRIVEN, subscription=driver, paid=(replace(PAID, grants=("g1", "g3", "g4")), OTHER)
    )
    account = replace(on(plan), grants=(own, nobodys, others, ended, pack))

    assert own_grants(draft_of(account, NOON, STORE), subscription) == ends


def test_an_end_is_told_once_for_ever_and_only_where_something_is_there() -> None:
    draft = draft_of(on(replace(FREE, paid=(PAID,))), catalog=STORE)

    assert end_key("sub_1") == "s#subscription_end:sub_1"
    assert end_subscription(draft, "sub_9") is None
    assert draft.entries == []
