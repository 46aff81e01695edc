"""Grants are drawn in one total order and get back what they gave."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import NOON, ONE, a_grant
from tollkeeper.domain.grants import (
    MOST_GRANTS,
    Draw,
    Grant,
    GrantKind,
    Stay,
    add_grant,
    draw_down,
    put_back,
    spendable_total,
)

DAY = timedelta(days=1)
STAY = Stay(NOON, NOON - DAY, NOON + DAY)
PLAN, PACK, PROMO = GrantKind.PLAN, GrantKind.PACK, GrantKind.PROMO
ADJUSTMENT = GrantKind.ADJUSTMENT


def left_in(grants: tuple[Grant, ...]) -> dict[str, int]:
    """What each grant holds, in whole credits."""
    return {g.id: g.remaining_microcredits // ONE for g in grants}


def test_kinds_are_drawn_promo_plan_adjustment_transfer_pack() -> None:
    kinds = (PACK, GrantKind.TRANSFER, ADJUSTMENT, PLAN, PROMO)
    grants = tuple(a_grant(n, 1, kind) for n, kind in enumerate(kinds))

    _, draws, missing = draw_down(grants, 5 * ONE)

    assert [d.grant.kind for d in draws] == [PROMO, PLAN, ADJUSTMENT, GrantKind.TRANSFER, PACK]
    assert missing == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (a_grant(2, 1, PACK, priority=5), a_grant(1, 1, PROMO)),
        (a_grant(2, 1, expires_at=NOON + DAY), a_grant(1, 1, expires_at=NOON + 2 * DAY)),
        (a_grant(2, 1, expires_at=NOON + 1000 * DAY), a_grant(1, 1)),
        (a_grant(2, 1, effective_at=NOON - DAY), a_grant(1, 1, effective_at=NOON)),
        (a_grant(9, 1), a_grant(10, 1)),
        (a_grant(1, 1, PLAN), a_grant(2, 1, PLAN)),
    ],
    ids=["priority", "soonest expiry", "expiry before none", "earlier start", "id", "same kind"],
)
def test_ties_are_broken_by_the_next_rule(first: Grant, second: Grant) -> None:
    assert first.order() < second.order()
    for grants in ((first, second), (second, first)):
        assert [d.grant.id for d in draw_down(grants, 2 * ONE)[1]] == [first.id, second.id]


def test_a_draw_takes_from_the_next_grant_only_what_the_first_has_not() -> None:
    grants = (a_grant(1, 3), a_grant(2, 5, PLAN), a_grant(3, 7, PACK))

    kept, draws, missing = draw_down(grants, 6 * ONE)

    assert left_in(kept) == {"g2": 2, "g3": 7}
    assert [(d.grant.id, d.amount_microcredits // ONE) for d in draws] == [("g1", 3), ("g2", 3)]
    assert missing == 0


def test_what_no_grant_has_is_said_to_be_missing() -> None:
    kept, draws, missing = draw_down((a_grant(1, 3),), 4 * ONE)

    assert (kept, missing) == ((), 1 * ONE)
    assert [d.amount_microcredits for d in draws] == [3 * ONE]


def test_nothing_is_drawn_for_nothing() -> None:
    grants = (a_grant(1, 3),)

    assert draw_down(grants, 0) == (grants, (), 0)


def test_a_grant_that_has_not_started_is_neither_counted_nor_drawn() -> None:
    later = a_grant(1, 3, has_started=False, effective_at=NOON + DAY)

    assert spendable_total((later, a_grant(2, 4))) == 4 * ONE
    assert draw_down((later,), ONE) == ((later,), (), ONE)


def test_what_was_drawn_goes_back_where_it_came_from() -> None:
    grants = (a_grant(1, 3), a_grant(2, 5, PLAN, expires_at=NOON + DAY))
    kept, draws, _ = draw_down(grants, 8 * ONE)

    back, returned, homeless = put_back(kept, draws, 8 * ONE, STAY)

    assert back == grants
    assert {d.grant.id for d in returned} == {"g1", "g2"}
    assert homeless == 0


def test_a_part_goes_back_to_what_was_drawn_last() -> None:
    kept, draws, _ = draw_down((a_grant(1, 3), a_grant(2, 5, PACK)), 6 * ONE)

    back, _, _ = put_back(kept, draws, 4 * ONE, STAY)

    assert left_in(back) == {"g1": 1, "g2": 5}


def test_a_grant_that_lives_gets_its_part_beside_what_it_holds() -> None:
    kept, draws, _ = draw_down((a_grant(1, 9),), 4 * ONE)

    back, _, homeless = put_back(kept, draws, 4 * ONE, STAY)

    assert (left_in(back), homeless) == ({"g1": 9}, 0)


def test_credits_of_an_expired_grant_have_no_home() -> None:
    draws = (Draw(a_grant(1, 3, expires_at=NOON), 3 * ONE), Draw(a_grant(2, 2), 2 * ONE))

    back, returned, homeless = put_back((), draws, 5 * ONE, STAY)

    assert left_in(back) == {"g2": 2}
    assert [d.grant.id for d in returned] == ["g2"]
    assert homeless == 3 * ONE


def test_a_grant_that_expires_a_moment_later_is_still_a_home() -> None:
    draws = (Draw(a_grant(1, 3, expires_at=NOON + timedelta(milliseconds=1)), 3 * ONE),)

    assert put_back((), draws, 3 * ONE, STAY)[2] == 0


def test_a_plans_grant_of_an_earlier_period_is_no_home_even_before_its_expiry() -> None:
    old = a_grant(1, 3, PLAN, effective_at=NOON - 2 * DAY, expires_at=NOON + DAY)

    back, returned, homeless = put_back((), (Draw(old, 3 * ONE),), 3 * ONE, STAY)

    assert (back, returned, homeless) == ((), (), 3 * ONE)


def test_a_plans_grant_of_this_period_comes_back_to_its_end_as_it_is_now() -> None:
    drawn = a_grant(1, 3, PLAN, effective_at=NOON - DAY, expires_at=NOON - timedelta(hours=1))

    back, _, homeless = put_back((), (Draw(drawn, 3 * ONE),), 3 * ONE, STAY)

    assert [g.expires_at for g in back] == [NOON + DAY]
    assert homeless == 0


def test_more_than_was_drawn_has_no_home() -> None:
    assert put_back((), (Draw(a_grant(1, 3), 3 * ONE),), 5 * ONE, STAY)[2] == 2 * ONE


def full(last: Grant) -> tuple[Grant, ...]:
    """As many grants as an account holds, this one among them."""
    others = tuple(a_grant(100 + n, 1, ADJUSTMENT) for n in range(MOST_GRANTS - 1))
    return (*others, last)


def test_below_the_bound_equal_grants_stay_apart() -> None:
    grants, held = add_grant((a_grant(1, 3, PACK),), a_grant(2, 4, PACK))

    assert (len(grants), held.id) == (2, "g2")


def test_at_the_bound_a_grant_joins_its_equal() -> None:
    grants, held = add_grant(full(a_grant(1, 3, PACK)), a_grant(2, 4, PACK))

    assert len(grants) == MOST_GRANTS
    assert (held.id, held.amount_microcredits, held.remaining_microcredits) == (
        "g1",
        7 * ONE,
        7 * ONE,
    )


@pytest.mark.parametrize(
    "other",
    [
        a_grant(1, 3, PROMO),
        a_grant(1, 3, PACK, priority=40),
        a_grant(1, 3, PACK, expires_at=NOON + DAY),
        a_grant(1, 3, PACK, has_started=False),
    ],
    ids=["kind", "priority", "expiry", "not started"],
)
def test_at_the_bound_unequal_grants_stay_apart(other: Grant) -> None:
    grants, held = add_grant(full(other), a_grant(2, 4, PACK))

    assert (len(grants), held.id) == (MOST_GRANTS + 1, "g2")


def test_at_the_bound_grants_that_start_at_other_times_stay_apart() -> None:
    soon = a_grant(1, 3, PACK, has_started=False, effective_at=NOON + DAY)
    later = replace(soon, id="g2", effective_at=NOON + 2 * DAY)

    assert len(add_grant(full(soon), later)[0]) == MOST_GRANTS + 1
    assert len(add_grant(full(soon), replace(later, effective_at=soon.effective_at))[0]) == (
        MOST_GRANTS
    )
