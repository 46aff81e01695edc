"""What subscriptions paid for, as values: lines put together, what rolls over, what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from tests.unit.building import CATALOG, ONE
from tests.unit.subscribers import A_DAY, MONTHS, SOLD, STORE
from tollkeeper.domain.catalog import Rollover
from tollkeeper.domain.paid_periods import (
    KEPT_FOR,
    SUBSCRIPTIONS_KEPT,
    Paid,
    PaidPeriod,
    Subscribed,
    can_roll_over,
    drop_forgotten,
    drop_subscribed,
    find_subscribed,
    keep_subscribed,
    largest_live,
    with_line,
)
from tollkeeper.domain.periods import GRACE

NOVEMBER, DECEMBER, JANUARY, FEBRUARY, MARCH = MONTHS[:5]
HOUR, MOMENT = timedelta(hours=1), timedelta(milliseconds=1)
KEEPERS = ("saver", "keeper", "capped")
PLAIN = replace(STORE, plans={n: each for n, each in STORE.plans.items() if n not in KEEPERS})
FIRST = PaidPeriod(NOVEMBER, DECEMBER, (("saver", 60),))
SECOND = PaidPeriod(DECEMBER, JANUARY, (("saver", 60),))
THIRD = PaidPeriod(JANUARY, FEBRUARY, (("saver", 60),))
ONCE = Subscribed("sub_1", "saver", (NOVEMBER, NOVEMBER + HOUR), (FIRST,), grants=("g3",))
TWICE = replace(ONCE, line_at=(DECEMBER, DECEMBER + HOUR), periods=(FIRST, SECOND))
THRICE = replace(ONCE, line_at=(JANUARY, JANUARY + HOUR), periods=(FIRST, SECOND, THIRD))


def paid(plan: str, credits: int, number: int, *, days: int = 0) -> Paid:
    """A line of the month that begins so many days into it, on an invoice made an hour later."""
    start = MONTHS[number] + days * A_DAY
    return Paid("sub_1", plan, credits, (start, start + HOUR), MONTHS[number + 1])


# ---- A period


def test_a_period_has_the_largest_of_each_plan_from_where_its_first_line_begins() -> None:
    lines = [paid("saver", 60, 0, days=2), paid("keeper", 200, 0), paid("saver", 50, 0, days=1)]

    known = PaidPeriod(NOVEMBER, DECEMBER, (("keeper", 200), ("saver", 60)), 7)
    for order in permutations(lines):
        first, *rest = order
        begun = PaidPeriod(
            first.place[0], DECEMBER, ((first.plan, first.allocation_microcredits),), 7
        )
        for each in rest:
            begun = begun.with_line(each)
        assert begun == known
    assert known.allocated_microcredits == 200


def test_a_period_follows_another_that_ended_days_of_grace_before() -> None:
    assert replace(SECOND, begin_at=DECEMBER + GRACE).follows(FIRST)
    assert not replace(SECOND, begin_at=DECEMBER + GRACE + MOMENT).follows(FIRST)


def test_what_is_left_is_never_less_than_nothing() -> None:
    lefts = [replace(FIRST, spent_microcredits=spent).left_of(5) for spent in (0, 65, 66)]

    assert lefts == [65, 0, 0]


def test_the_most_generous_plan_of_a_period_says_how_much_is_kept() -> None:
    both = PaidPeriod(NOVEMBER, DECEMBER, (("capped", 60 * ONE), ("large", 500 * ONE)))

    assert both.kept_of(400 * ONE, 0, STORE) == 25 * ONE
    assert both.kept_of(24 * ONE, 0, STORE) == 24 * ONE
    assert FIRST.kept_of(400, 7, STORE) == 67
    assert FIRST.kept_of(66, 7, STORE) == 66


def test_a_plan_that_allots_nothing_brings_nothing() -> None:
    """Why: a budget is put onto its plan, and its credits come from whoever funds it."""
    none = FIRST.with_line(paid("keeper", 0, 0))

    assert none.plans == (("keeper", 0), ("saver", 60))


# ---- A subscription


def test_what_drives_is_the_size_of_the_newest_plan_and_then_the_id() -> None:
    assert ONCE.size == (60, "sub_1")
    assert replace(ONCE, plan="gone").size == (0, "sub_1")
    assert (TWICE.newest, TWICE.has(DECEMBER), TWICE.has(FEBRUARY)) == (SECOND, True, False)


def test_a_subscription_is_live_for_days_of_grace() -> None:
    assert ONCE.is_live(DECEMBER + GRACE - MOMENT)
    assert not ONCE.is_live(DECEMBER + GRACE)


def test_what_came_in_goes_through_every_period_and_stops_at_a_gap() -> None:
    assert ONCE.came_in_microcredits(STORE) == 0
    assert replace(ONCE, carried_microcredits=9).came_in_microcredits(STORE) == 9
    assert THRICE.came_in_microcredits(STORE) == 120
    spent = replace(THRICE, periods=(FIRST, replace(SECOND, spent_microcredits=30), THIRD))
    assert spent.came_in_microcredits(STORE) == 90
    gap = replace(THIRD, begin_at=FEBRUARY, end_at=MARCH)
    late = replace(THRICE, carried_microcredits=9, periods=(FIRST, SECOND, gap))
    assert late.came_in_microcredits(STORE) == 0
    assert late.brought_microcredits(STORE) == 60
    assert THRICE.brought_microcredits(STORE) == 180
    assert THRICE.kept_of(400, catalog=STORE) == 180
    assert THRICE.kept_of(7, catalog=STORE) == 7


def test_what_was_spent_of_the_newest_period_is_what_is_not_left() -> None:
    assert TWICE.with_rest(50, STORE) == replace(
        TWICE, periods=(FIRST, replace(SECOND, spent_microcredits=70))
    )
    assert TWICE.with_rest(120, STORE) == TWICE
    assert THRICE.with_rest(179, STORE) == replace(
        THRICE, periods=(FIRST, SECOND, replace(THIRD, spent_microcredits=1))
    )
    assert TWICE.with_rest(121, STORE) == TWICE


def test_what_was_spent_of_what_rolled_over_is_added_to_what_was_spent_before() -> None:
    before = replace(TWICE, periods=(FIRST, replace(SECOND, spent_microcredits=20)))

    assert before.with_less(90, STORE) == replace(
        TWICE, periods=(FIRST, replace(SECOND, spent_microcredits=30))
    )
    assert before.with_less(100, STORE) == before
    assert THRICE.with_less(179, STORE) == replace(
        THRICE, periods=(FIRST, SECOND, replace(THIRD, spent_microcredits=1))
    )
    assert before.with_less(400, STORE) == before


# ---- A line more


def test_the_first_line_is_all_that_is_known() -> None:
    line = paid("saver", 60, 0)

    assert with_line(None, line, STORE) == replace(ONCE, grants=())


def test_a_new_period_has_no_grants_yet_and_a_known_one_keeps_its_own() -> None:
    assert with_line(ONCE, paid("saver", 60, 1), STORE) == replace(TWICE, grants=())
    assert with_line(TWICE, paid("keeper", 200, 0, days=3), STORE) == replace(
        TWICE, periods=(replace(FIRST, plans=(("keeper", 200), ("saver", 60))), SECOND)
    )
    assert with_line(ONCE, paid("keeper", 200, 0), STORE) == replace(
        ONCE, plan="keeper", periods=(replace(FIRST, plans=(("keeper", 200), ("saver", 60))),)
    )


def test_an_older_period_is_put_before_and_what_is_newest_stays() -> None:
    newest = replace(ONCE, plan="saver", line_at=(DECEMBER, DECEMBER), periods=(SECOND,))

    known = with_line(newest, paid("keeper", 60, 0), STORE)

    older = PaidPeriod(NOVEMBER, DECEMBER, (("keeper", 60),))
    assert known == replace(newest, periods=(older, SECOND))


@pytest.mark.parametrize(
    ("first", "carried"),
    [
        (FIRST, 60),
        (replace(FIRST, spent_microcredits=20), 40),
        (replace(FIRST, plans=(("large", 60),)), 0),
        (replace(FIRST, end_at=NOVEMBER + A_DAY), 0),
    ],
)
def test_what_goes_on_from_a_period_that_is_forgotten_is_carried(
    first: PaidPeriod, carried: int
) -> None:
    before = replace(THRICE, periods=(first, SECOND, THIRD))

    after = with_line(before, paid("saver", 60, 3), STORE)

    fourth = PaidPeriod(FEBRUARY, MARCH, (("saver", 60),))
    assert after == Subscribed(
        "sub_1", "saver", (FEBRUARY, FEBRUARY + HOUR), (SECOND, THIRD, fourth), carried
    )


def test_what_was_carried_before_is_carried_on() -> None:
    after = with_line(replace(THRICE, carried_microcredits=9), paid("saver", 60, 3), STORE)

    assert after is not None and after.carried_microcredits == 69


def test_a_line_older_than_all_that_is_kept_is_not_known() -> None:
    later = replace(THRICE, periods=(SECOND, THIRD, PaidPeriod(FEBRUARY, MARCH, (("saver", 60),))))

    assert with_line(later, paid("saver", 60, 0), STORE) is None
    assert with_line(later, paid("keeper", 200, 1), STORE) is not None
    made_later = replace(
        paid("saver", 60, 1), place=(DECEMBER - MOMENT, DECEMBER), end_at=DECEMBER + A_DAY
    )
    assert with_line(later, made_later, STORE) is None
    same_begin = replace(paid("saver", 60, 1), end_at=DECEMBER + A_DAY)
    assert with_line(later, same_begin, STORE) is not None
    assert with_line(replace(later, periods=later.periods[1:]), paid("saver", 60, 0), STORE)


def test_where_nothing_rolls_over_only_the_newest_period_is_kept() -> None:
    large = Paid("sub_1", "large", 500, (DECEMBER, DECEMBER), JANUARY)

    after = with_line(ONCE, large, PLAIN)

    newest = PaidPeriod(DECEMBER, JANUARY, (("large", 500),))
    assert after == Subscribed("sub_1", "large", (DECEMBER, DECEMBER), (newest,))
    assert with_line(after, paid("large", 500, 0), PLAIN) is None


def test_something_can_roll_over_only_of_a_plan_that_is_sold() -> None:
    assert can_roll_over(STORE)
    assert not can_roll_over(PLAIN)
    assert CATALOG.plans["keep"].rollover is Rollover.ALL and not can_roll_over(CATALOG)
    assert SOLD["capped"].rollover is Rollover.CAPPED


# ---- All of an account's


def subscribed(name: str, until: int) -> Subscribed:
    """A subscription that was paid until that month."""
    period = PaidPeriod(NOVEMBER, MONTHS[until], (("saver", 60),))
    return Subscribed(name, "saver", (NOVEMBER, NOVEMBER), (period,))


def test_a_subscription_is_found_replaced_and_dropped_by_its_id() -> None:
    one, two = subscribed("sub_1", 1), subscribed("sub_2", 1)
    newer = subscribed("sub_1", 2)

    assert find_subscribed((one, two), "sub_2") == two
    assert find_subscribed((one, two), "sub_3") is None
    assert keep_subscribed((two,), one, driver="") == (one, two)
    assert keep_subscribed((one, two), newer, driver="") == (newer, two)
    assert drop_subscribed((one, two), "sub_1") == (two,)


def test_of_too_many_the_one_that_is_over_longest_goes_but_never_what_drives() -> None:
    full = tuple(subscribed(f"sub_{n}", n) for n in range(1, SUBSCRIPTIONS_KEPT + 1))
    fresh = subscribed("sub_9", 1)

    assert keep_subscribed(full, fresh, driver="") == (*full[1:], fresh)
    assert keep_subscribed(full, fresh, driver="sub_1") == (full[0], *full[2:], fresh)
    assert keep_subscribed(full, full[0], driver="") == full


def test_what_was_paid_is_remembered_for_its_time_and_no_longer() -> None:
    known = (subscribed("sub_1", 1), subscribed("sub_2", 2))

    assert drop_forgotten(known, DECEMBER + KEPT_FOR - MOMENT) == known
    assert drop_forgotten(known, DECEMBER + KEPT_FOR) == known[1:]
    assert timedelta(days=90) == KEPT_FOR


def test_the_largest_that_is_paid_for_drives_and_of_two_alike_the_last_by_id() -> None:
    one, two, over = subscribed("sub_1", 2), subscribed("sub_2", 2), subscribed("sub_3", 1)
    at = DECEMBER + GRACE

    assert largest_live((two, one, over), at) == two
    assert largest_live(drop_subscribed((two, one, over), "sub_2"), at) == one
    assert largest_live((over,), at) is None
