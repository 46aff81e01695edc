"""Which lines of an invoice pay for plans, in which order, and at which price."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from tests.unit.building import ACCOUNT, NOON
from tests.unit.subscribers import MONTHS, SOLD, STORE, a_line, an_invoice
from tollkeeper.domain.catalog import PlanSale
from tollkeeper.domain.invoices import PlanLine, as_bought, find_plan, find_plan_lines
from tollkeeper.domain.purchases import Purchase, PurchaseKind

DECEMBER, JANUARY = MONTHS[1], MONTHS[2]
MOMENT = timedelta(milliseconds=1)
BOUGHT = Purchase(
    "pur_1",
    ACCOUNT,
    "",
    "Plain",
    0,
    1400,
    "eur",
    created_at=NOON,
    stripe_price="price_old",
    kind=PurchaseKind.PLAN,
    plan="plain",
)


def test_a_line_that_pays_for_a_plan_has_its_place_among_all_lines() -> None:
    line = a_line("1", "basic", NOON, DECEMBER)
    invoice = an_invoice("1", line, made_at=DECEMBER)

    assert find_plan_lines(invoice, STORE) == (
        PlanLine(line, SOLD["basic"], "sub_1", (NOON, DECEMBER)),
    )


def test_a_line_is_of_its_own_subscription_or_of_its_invoices() -> None:
    own = replace(a_line("1", "basic", NOON, DECEMBER), subscription="sub_9")
    bare = replace(own, id="il_2", subscription="")
    invoice = replace(an_invoice("1", own, bare), subscription="sub_2")

    found = {each.line.id: each.subscription for each in find_plan_lines(invoice, STORE)}

    assert found == {"il_1": "sub_9", "il_2": "sub_2"}


def test_lines_apply_in_the_order_in_which_they_begin_and_the_smaller_plan_first() -> None:
    lines = (
        a_line("new", "basic", DECEMBER, JANUARY),
        a_line("long", "large", NOON, JANUARY),
        a_line("short", "basic", NOON, DECEMBER),
        a_line("more", "saver", NOON, DECEMBER, is_proration=True),
    )

    for order in permutations(lines):
        found = find_plan_lines(an_invoice("1", *order, made_at=DECEMBER), STORE)
        assert [each.line.id for each in found] == ["il_more", "il_short", "il_long", "il_new"]


def test_of_two_lines_that_bring_as_much_for_one_period_the_last_by_id_stands() -> None:
    lines = [a_line(name, "basic", NOON, DECEMBER) for name in ("a", "b")]

    for order in permutations(lines):
        (found,) = find_plan_lines(an_invoice("1", *order), STORE)
        assert found.line.id == "il_b"


@pytest.mark.parametrize("amount", [0, -1])
def test_a_free_line_pays_for_its_plan_and_one_that_gives_back_does_not(amount: int) -> None:
    line = replace(a_line("1", "basic", NOON, DECEMBER), amount_minor=amount)

    assert bool(find_plan_lines(an_invoice("1", line), STORE)) == (amount == 0)


def test_a_line_of_a_moment_pays_for_a_period_and_one_of_no_length_does_not() -> None:
    line = replace(a_line("1", "basic", NOON, NOON + MOMENT))

    assert find_plan_lines(an_invoice("1", line), STORE)
    assert find_plan_lines(an_invoice("1", replace(line, end_at=NOON)), STORE) == ()


def test_what_is_no_plans_line_does_not_hide_those_after_it() -> None:
    other = replace(a_line("x", "basic", NOON, DECEMBER), price="price_x", plan="")
    empty = replace(a_line("e", "basic", NOON, DECEMBER), end_at=NOON)
    line = a_line("1", "basic", NOON, DECEMBER)

    (found,) = find_plan_lines(an_invoice("1", other, empty, line), STORE)

    assert found.line == line


# ---- Which plan it is


def test_a_price_at_stripe_goes_before_a_lookup_key() -> None:
    line = replace(a_line("1", "basic", NOON, DECEMBER), lookup_key="large")

    assert find_plan(line, STORE) == SOLD["basic"]


def test_a_line_without_a_price_is_no_plans_that_has_none() -> None:
    line = replace(a_line("1", "plain", NOON, DECEMBER), plan="", lookup_key="")

    assert find_plan(line, STORE) is None


def test_a_plan_with_a_price_at_stripe_is_not_known_by_its_money() -> None:
    line = replace(a_line("1", "basic", NOON, DECEMBER), price="price_other")

    assert (line.plan, find_plan(line, STORE)) == ("basic", None)


def test_a_price_of_one_names_the_plan_however_many_were_bought() -> None:
    line = replace(a_line("1", "plain", NOON, DECEMBER), amount_minor=3000)

    assert find_plan(replace(line, unit_minor=1500), STORE) == SOLD["plain"]
    assert find_plan(replace(line, unit_minor=0), STORE) is None
    assert find_plan(replace(line, amount_minor=1500, unit_minor=3000), STORE) is None


# ---- The price that was agreed to


def test_who_subscribed_before_a_price_changed_has_the_plan_for_the_old_one() -> None:
    catalog = as_bought(BOUGHT, STORE)

    sale = PlanSale(1400, "eur", "month", "price_old")
    plain = replace(SOLD["plain"], sale=sale)
    assert catalog == replace(STORE, plans={**STORE.plans, "plain": plain})


@pytest.mark.parametrize("plan", ["gone", "free", ""])
def test_a_plan_that_is_not_sold_has_no_price_to_go_back_to(plan: str) -> None:
    assert as_bought(replace(BOUGHT, plan=plan), STORE) is STORE
