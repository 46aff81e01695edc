"""What a subscription's lines bring follows from the lines alone, not from when they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import permutations
from random import Random

import pytest

from simulation.planted.bug import Bug, planted
from simulation.planted.subscriptions import IN_LIVES
from tests.unit.building import ONE, a_key, done, draft_of
from tests.unit.subscribers import (
    A_DAY,
    MONTHS,
    SOLD,
    STORE,
    Subscriber,
    change,
    month,
    of_other,
)
from tollkeeper.domain.catalog import Rollover
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.invoices import InvoicePaid, find_plan_lines
from tollkeeper.domain.operating import Adjust, decide_adjustment
from tollkeeper.domain.paid_periods import KEPT_FOR, PERIODS_KEPT, SUBSCRIPTIONS_KEPT
from tollkeeper.domain.periods import GRACE

DECEMBER, JANUARY = MONTHS[1], MONTHS[2]
FREE = 10


def spend(who: Subscriber, credits: int) -> None:
    """The account has spent that many credits."""
    key = a_key(f"c{len(who.entries)}")
    command = Adjust(key, "h", "used", delta_microcredits=-credits * ONE)
    who.account, entry = done(decide_adjustment(draft_of(who.account, catalog=STORE), command))
    who.entries.append(entry)


def left_of(invoices: Iterable[InvoicePaid]) -> int:
    """What is there if nothing of it was spent: a model of its own, in whole credits.

    A period's lines bring the largest allocation. Of what is there at its end each plan keeps
    what its rule says, of its own allocation and what came in; the most generous one counts.
    """
    periods: dict[object, list[tuple[str, int]]] = {}
    for invoice in sorted(invoices, key=lambda each: each.lines[0].start_at):
        line = invoice.lines[0]
        terms = SOLD[line.plan]
        allotted = terms.allocation_microcredits // ONE
        periods.setdefault(line.end_at, []).append((line.plan, allotted))
    came_in = there = 0
    before: list[tuple[str, int]] = []
    for plans in periods.values():
        came_in = max((kept(plan, came_in + allotted) for plan, allotted in before), default=0)
        there = came_in + max(allotted for _, allotted in plans)
        before = plans
    return there


def kept(plan: str, most: int) -> int:
    """How much of that much rolls over."""
    terms = SOLD[plan]
    if terms.rollover is Rollover.CAPPED:
        return min(most, terms.rollover_cap_microcredits // ONE)
    return most if terms.rollover is Rollover.ALL else 0


# ------------------------------------------------------------------------------------- any order


def test_an_upgrade_that_is_told_after_the_renewal_brings_only_the_difference() -> None:
    who = Subscriber.open()
    who.pay(month("first", "saver"))
    who.pay(month("second", "keeper", 1), at=DECEMBER)

    who.pay(change("more", "keeper", days=10), at=DECEMBER)

    # 60 became 200 and rolled over, and 200 came.
    assert who.stands == ("keeper", 400, "sub_1")


def a_life(random: Random) -> list[InvoicePaid]:
    """Up to three months with changes within them."""
    plans = sorted(SOLD)
    told: list[InvoicePaid] = []
    for number in range(random.choice((2, 3))):
        told.append(month(f"m{number}", random.choice(plans), number))
        for which in range(random.choice((0, 1, 1, 2))):
            days = 20 + 3 * which
            told.append(change(f"c{number}{which}", random.choice(plans), number, days=days))
    return told[:6]


@pytest.mark.parametrize("seed", range(40))
def test_every_order_of_any_life_leaves_what_its_lines_make(seed: int) -> None:
    random = Random(seed)
    life = a_life(random)
    last = max(invoice.made_at for invoice in life)
    expected = left_of(life)
    newest = max(life, key=lambda each: each.made_at).lines[0].plan

    orders = list(permutations(life))
    for order in random.sample(orders, min(20, len(orders))):
        who = Subscriber.open(at=MONTHS[0] + A_DAY)
        for invoice in order:
            who.pay(invoice, at=last)
        found = who.account.plan.id, who.account.available_microcredits // ONE
        assert found == (newest, expected), [each.invoice for each in order]


@pytest.mark.parametrize("seed", range(60))
def test_whoever_spends_everything_at_once_spends_no_more_than_was_paid_for(seed: int) -> None:
    """Whatever the order and the delays, and what the default plan gives comes on top."""
    random = Random(seed)
    life = a_life(random)
    random.shuffle(life)
    who = Subscriber.open(at=MONTHS[0] + A_DAY)
    at = max(who.account.rolled_to, *(each.made_at for each in life))
    spent, reset = 0, 0
    for invoice in life:
        at += random.choice((timedelta(0), A_DAY, 4 * A_DAY, 40 * A_DAY))
        who.pay(invoice, at=at)
        available = who.account.available_microcredits // ONE
        if available and random.random() < 0.8:
            spend(who, available)
            spent += available
    reset = len([e for e in who.entries if e.kind is EntryKind.RESET])
    ends = {each.lines[0].end_at for each in life}
    most = sum(max(_allotted(each) for each in life if each.lines[0].end_at == end) for end in ends)
    assert spent <= most + reset * FREE


def _allotted(invoice: InvoicePaid) -> int:
    return SOLD[invoice.lines[0].plan].allocation_microcredits // ONE


def test_what_was_spent_of_an_older_period_does_not_come_back_by_a_late_line() -> None:
    who = Subscriber.open()
    who.pay(month("first", "saver"))
    spend(who, 60)
    who.pay(month("second", "saver", 1), at=DECEMBER)

    who.pay(change("more", "keeper", days=21), at=DECEMBER)

    assert who.stands == ("saver", 200, "sub_1")


def test_what_was_spent_does_not_come_back_once_the_month_between_is_told() -> None:
    who = Subscriber.open()
    who.pay(month("first", "saver"))
    spend(who, 60)
    who.pay(change("up", "keeper", 1, days=20), at=DECEMBER)

    who.pay(month("second", "saver", 1), at=DECEMBER)

    assert who.stands == ("keeper", 200, "sub_1")


def test_a_larger_plan_that_keeps_nothing_is_not_kept_by_a_smaller_one() -> None:
    who = Subscriber.open()
    who.pay(month("first", "large"))
    who.pay(change("down", "saver", days=29))

    who.pay(month("second", "saver", 1), at=DECEMBER)

    assert who.stands == ("saver", 120, "sub_1")


def test_a_period_that_is_forgotten_brings_nothing_and_a_person_looks_at_it() -> None:
    who = Subscriber.open()
    for number in range(1, PERIODS_KEPT + 1):
        who.pay(month(f"m{number}", "saver", number), at=MONTHS[number])

    (brought,) = who.pay(month("m0", "saver"))

    assert (brought.entry, brought.credits_microcredits) == (None, 0)
    assert brought.concern is not None and brought.concern.subject == "in_m0"
    assert who.stands == ("saver", 60 * PERIODS_KEPT, "sub_1")


def test_a_period_of_long_ago_brings_nothing_and_a_person_looks_at_it() -> None:
    who = Subscriber.open()

    (brought,) = who.pay(month("m0", "basic"), at=DECEMBER + KEPT_FOR)

    assert brought.entry is None
    assert brought.concern is not None and brought.concern.subject == "in_m0"
    assert who.stands == ("free", FREE, "")


# -------------------------------------------------------------------------------- after its time


def test_a_change_that_is_told_after_the_plan_lapsed_brings_only_the_difference() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    late = DECEMBER + 5 * A_DAY
    who.wait(late)
    assert who.stands == ("free", FREE, "")

    (brought,) = who.pay(change("more", "large", days=20), at=late)

    assert brought.credits_microcredits == 400 * ONE
    assert who.stands == ("free", FREE + 400, "")
    who.wait(late + GRACE)
    assert who.stands == ("free", FREE, "")


def test_a_change_to_a_smaller_plan_that_is_told_after_the_lapse_brings_nothing() -> None:
    who = Subscriber.open()
    who.pay(month("first", "large"))

    (brought,) = who.pay(change("less", "basic", days=20), at=DECEMBER + 5 * A_DAY)

    assert brought.credits_microcredits == 0
    assert who.stands == ("free", FREE, "")


def test_what_rolls_over_survives_a_renewal_that_is_told_after_the_lapse() -> None:
    who = Subscriber.open()
    who.pay(month("first", "saver"))
    late = DECEMBER + 5 * A_DAY
    who.wait(late)
    assert who.stands == ("free", FREE + 60, "")

    who.pay(month("second", "saver", 1), at=late)

    assert who.stands == ("saver", 120, "sub_1")


def test_an_upgrade_and_the_renewal_that_are_told_after_the_lapse_leave_what_they_make() -> None:
    for order in permutations((change("more", "keeper", days=20), month("second", "keeper", 1))):
        who = Subscriber.open()
        who.pay(month("first", "saver"))
        for invoice in order:
            who.pay(invoice, at=DECEMBER + 5 * A_DAY)

        assert who.stands == ("keeper", 400, "sub_1")


def test_what_nobody_pays_any_more_is_forgotten_some_time() -> None:
    who = Subscriber.open()
    who.pay(month("first", "saver"))
    assert who.account.plan.paid

    who.wait(DECEMBER + KEPT_FOR + 40 * A_DAY)

    assert who.account.plan.paid == ()


# ------------------------------------------------------------------------------ two subscriptions


@pytest.mark.parametrize("plans", [("basic", "large"), ("large", "basic"), ("basic", "basic")])
def test_two_subscriptions_bring_what_both_pay_for_and_the_larger_drives(
    plans: tuple[str, str],
) -> None:
    invoices = [month("one", plans[0]), of_other(month("two", plans[1]))]
    both = sum(_allotted(each) for each in invoices)
    found: set[tuple[str, int, str]] = set()

    for order in permutations(invoices):
        who = Subscriber.open()
        (first,), (second,) = [who.pay(invoice) for invoice in order]
        found.add(who.stands)
        assert first.concern is None
        assert second.concern is not None
        assert second.concern.subject == "subscriptions:sub_1:sub_2"

    driver = "sub_1" if plans == ("large", "basic") else "sub_2"
    assert found == {("basic" if plans == ("basic", "basic") else "large", both, driver)}


@pytest.mark.parametrize("gone", ["sub_1", "sub_2"])
def test_the_end_of_one_of_two_leaves_the_other_with_its_credits(gone: str) -> None:
    for order in permutations((month("one", "basic"), of_other(month("two", "large")))):
        who = Subscriber.open()
        for invoice in order:
            who.pay(invoice)

        assert who.end(gone) is not None

        stays = ("basic", 100, "sub_1") if gone == "sub_2" else ("large", 500, "sub_2")
        assert who.stands == stays
        assert who.end("sub_1" if gone == "sub_2" else "sub_2") is not None
        assert who.stands == ("free", FREE, "")


def test_one_that_is_not_paid_again_leaves_the_plan_to_the_other() -> None:
    who = Subscriber.open()
    who.pay(month("one", "large"))
    who.pay(of_other(month("two", "basic")))
    who.pay(of_other(month("three", "basic", 1)), at=DECEMBER + A_DAY)
    assert who.stands == ("large", 700, "sub_1")

    who.wait(DECEMBER + GRACE)

    assert who.stands == ("basic", 100, "sub_2")
    assert who.account.plan.shown_end_at == JANUARY


def test_a_smaller_plan_hands_over_to_the_other_subscription() -> None:
    who = Subscriber.open()
    who.pay(month("one", "large"))
    who.pay(of_other(month("two", "keeper")))

    who.pay(change("less", "basic", days=21))

    assert who.stands == ("keeper", 700, "sub_2")
    who.pay(change("again", "large", days=22))
    assert who.stands == ("large", 700, "sub_1")


def test_a_renewal_with_a_smaller_plan_hands_over_to_the_other_subscription() -> None:
    who = Subscriber.open()
    who.pay(month("one", "large"))
    who.pay(of_other(month("two", "keeper")))
    who.pay(of_other(month("three", "keeper", 1)), at=DECEMBER)

    who.pay(month("four", "basic", 1), at=DECEMBER)

    assert who.account.plan.subscription == "sub_2"
    who.wait(DECEMBER + GRACE)
    assert who.stands == ("keeper", 300, "sub_2")


def test_an_end_that_is_told_after_the_lapse_changes_nothing() -> None:
    who = Subscriber.open()
    who.pay(month("one", "basic"))
    who.wait(DECEMBER + GRACE)

    assert who.end() is None
    assert who.stands == ("free", FREE, "")


def test_so_many_subscriptions_are_known_and_no_more() -> None:
    who = Subscriber.open()
    for number in range(SUBSCRIPTIONS_KEPT + 3):
        who.pay(of_other(month(f"m{number}", "basic"), f"sub_{number}"))

    assert len(who.account.plan.paid) == SUBSCRIPTIONS_KEPT
    assert who.account.available_microcredits == (SUBSCRIPTIONS_KEPT + 3) * 100 * ONE


def test_each_row_of_a_line_has_a_key_of_its_own() -> None:
    who = Subscriber.open()
    who.pay(month("one", "saver"))
    who.pay(change("up", "keeper", days=20))
    who.pay(change("down", "saver", days=21))
    who.pay(month("two", "keeper", 1), at=DECEMBER)
    who.pay(change("late", "capped", days=22), at=DECEMBER)

    keys = [entry.key for entry in who.entries]
    assert len(keys) == len(set(keys))
    told = [e for e in who.entries if e.key.startswith("s#line:in_late")]
    assert [(e.kind, e.details["at"]) for e in told] == [(EntryKind.PLAN_CHANGE, "late")]


TOLD_BY: dict[str, Callable[[], None]] = {
    "nothing is spent": test_what_was_spent_does_not_come_back_once_the_month_between_is_told,
    "last one paid drives": lambda: (
        test_two_subscriptions_bring_what_both_pay_for_and_the_larger_drives(("large", "basic"))
    ),
    "other one forgotten": lambda: test_the_end_of_one_of_two_leaves_the_other_with_its_credits(
        "sub_2"
    ),
}


@pytest.mark.parametrize("bug", IN_LIVES, ids=lambda bug: bug.name)
def test_these_lives_find_the_planted_bug(bug: Bug) -> None:
    with planted(bug), pytest.raises(AssertionError):
        TOLD_BY[bug.name]()


def test_the_lines_of_these_stories_are_lines_of_plans() -> None:
    for plan in SOLD:
        if SOLD[plan].sale is not None:
            assert len(find_plan_lines(month("x", plan), STORE)) == 1
