"""Plans that Stripe's invoices drive: periods, upgrades, late lines, ends, and their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from tests.unit.building import (
    NOON,
    ONE,
    a_key,
    a_run,
    an_account,
    done,
    draft_of,
    granted,
)
from tests.unit.subscribers import (
    A_DAY,
    MONTHS,
    SOLD,
    STORE,
    Subscriber,
    a_line,
    an_invoice,
    change,
    month,
)
from tollkeeper.domain.catalog import Catalog, PlanSale
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.entries import AccountId, EntryKind
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.events import EventType, events_of
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.invoices import find_plan, find_plan_lines
from tollkeeper.domain.operating import (
    ChangePlan,
    ChangeProfile,
    decide_plan_change,
    decide_profile_change,
)
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.roll import begin, next_moment

DECEMBER, JANUARY = MONTHS[1], MONTHS[2]
TEAM = AccountId("team_1")


def spent(who: Subscriber, credits: int) -> None:
    """The account has spent that many credits."""
    priced = a_run("call", quantity=credits * ONE)
    command = Charge(a_key(f"c{len(who.entries)}"), "h", priced)
    who.account, entry = done(decide_charge(draft_of(who.account, catalog=STORE), command, STORE))
    who.entries.append(entry)


# ------------------------------------------------------------------------------ which plan it is


def test_a_line_belongs_to_the_plan_whose_price_at_stripe_it_has() -> None:
    line = a_line("1", "basic", NOON, DECEMBER)

    assert find_plan(line, STORE) == SOLD["basic"]
    assert find_plan(replace(line, plan="large"), STORE) == SOLD["basic"]
    assert find_plan(replace(line, price="price_other", plan=""), STORE) is None


def test_a_former_price_still_pays_for_the_plan() -> None:
    sale = replace(SOLD["basic"].sale or no_sale(), former_prices=("price_2025",))
    basic = replace(SOLD["basic"], sale=sale)
    store = replace(STORE, plans={**STORE.plans, "basic": basic})
    line = replace(a_line("1", "basic", NOON, DECEMBER), price="price_2025", plan="")

    assert find_plan(line, store) == basic
    assert find_plan(line, STORE) is None


def no_sale() -> PlanSale:
    """What no test sells."""
    raise AssertionError("the plan has a price")


def test_a_lookup_key_that_is_the_plans_id_names_it() -> None:
    line = replace(a_line("1", "basic", NOON, DECEMBER), price="price_x", plan="")

    assert find_plan(replace(line, lookup_key="large"), STORE) == SOLD["large"]
    assert find_plan(replace(line, lookup_key="free"), STORE) is None


@pytest.mark.parametrize(
    ("changes", "plan"),
    [
        ({}, "plain"),
        ({"amount_minor": 900, "unit_minor": 1500}, "plain"),
        ({"amount_minor": 1499}, None),
        ({"currency": "eur"}, None),
        ({"plan": "basic"}, None),
        ({"plan": "nothing"}, None),
    ],
)
def test_what_the_checkout_wrote_names_a_plan_only_with_its_money(
    changes: dict[str, object], plan: str | None
) -> None:
    line = replace(a_line("1", "plain", NOON, DECEMBER), price="price_made_by_checkout")

    found = find_plan(replace(line, **changes), STORE)  # type: ignore[arg-type]

    assert (found and found.id) == plan


def test_lines_that_give_back_or_belong_to_no_subscription_count_for_nothing() -> None:
    line = a_line("1", "basic", NOON, DECEMBER)
    unused = replace(line, amount_minor=-1000)
    alone = replace(line, subscription="")
    empty = replace(line, end_at=line.start_at)
    invoice = replace(an_invoice("1", unused, alone, empty), subscription="")

    assert find_plan_lines(invoice, STORE) == ()


def test_of_two_lines_for_one_period_the_larger_plan_stands_for_both() -> None:
    lines = [a_line(plan, plan, NOON, DECEMBER) for plan in ("basic", "large")]

    for order in permutations(lines):
        (found,) = find_plan_lines(an_invoice("1", *order), STORE)
        assert found.terms.id == "large"


# --------------------------------------------------------------------------------------- periods


def test_a_paid_invoice_begins_a_period_with_a_fresh_allocation() -> None:
    who = Subscriber.open()
    spent(who, 2)

    (brought,) = who.pay(month("first", "basic"))

    assert who.stands == ("basic", 100, "sub_1")
    assert brought.credits_microcredits == 100 * ONE
    assert brought.grant == who.account.grants[0].id
    assert who.account.windows.period == 0
    assert who.account.plan.shown_end_at == DECEMBER
    assert [e.kind for e in who.entries[-3:]] == [
        EntryKind.EXPIRE,
        EntryKind.RESET,
        EntryKind.PLAN_CHANGE,
    ]
    told = [event.type for entry in who.entries[-3:] for event in events_of(entry)]
    assert EventType.PLAN_CHANGED in told and EventType.PERIOD_STARTED in told


def test_the_old_allocation_stays_until_the_renewal_is_paid_or_the_grace_is_over() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    spent(who, 40)

    who.wait(DECEMBER + GRACE - timedelta(milliseconds=1))
    assert who.stands == ("basic", 60, "sub_1")
    who.pay(month("second", "basic", 1), at=DECEMBER + GRACE - timedelta(milliseconds=1))

    assert who.stands == ("basic", 100, "sub_1")
    assert who.account.plan.shown_end_at == JANUARY
    told = [event.type for entry in who.entries[-2:] for event in events_of(entry)]
    assert EventType.PLAN_CHANGED not in told


def test_nobody_who_does_not_pay_keeps_the_plan_after_the_grace() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    assert next_moment(who.account).at == DECEMBER + GRACE

    who.wait(DECEMBER + GRACE)

    assert who.stands == ("free", 10, "")
    assert who.account.plan.period_start_at == DECEMBER + GRACE
    who.wait(JANUARY + A_DAY)
    assert who.account.plan.period_start_at == JANUARY


def test_a_payment_after_the_grace_puts_the_account_back_onto_the_plan() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))

    who.pay(month("second", "basic", 1), at=DECEMBER + 9 * A_DAY)

    assert who.stands == ("basic", 100, "sub_1")
    assert who.account.plan.shown_end_at == JANUARY


def test_an_invoice_that_is_told_after_its_month_is_there_for_the_days_of_grace() -> None:
    who = Subscriber.open()
    late = DECEMBER + 20 * A_DAY

    who.pay(month("first", "basic"), at=late)

    assert who.stands == ("basic", 100, "sub_1")
    assert who.account.plan.shown_end_at == DECEMBER
    who.wait(late + GRACE)
    assert who.stands == ("free", 10, "")


def test_packs_and_debts_outlive_every_period_of_a_subscription() -> None:
    who = Subscriber.open()
    who.account, entry = granted(who.account, 30, GrantKind.PACK)
    who.entries.append(entry)
    who.pay(month("first", "basic"))
    who.pay(month("second", "basic", 1), at=DECEMBER)
    who.end()

    assert who.stands == ("free", 40, "")


def test_what_a_plan_rolls_over_is_in_the_next_period() -> None:
    saver, capped = Subscriber.open(), Subscriber.open()
    for who, plan in ((saver, "saver"), (capped, "capped")):
        who.pay(month("first", plan))
        spent(who, 20)
        who.pay(month("second", plan, 1), at=DECEMBER + A_DAY)

    assert saver.stands == ("saver", 100, "sub_1")
    assert capped.stands == ("capped", 85, "sub_1")


def test_a_zone_does_not_move_what_an_invoice_paid_for() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    before = who.account.plan
    command = ChangeProfile(a_key("zone"), "h", "", zone="Asia/Tokyo")
    decision = decide_profile_change(draft_of(who.account, catalog=STORE), command)
    who.account = decision.account
    who.entries += decision.entries

    who.wait(NOON + 2 * A_DAY)

    assert who.account.zone == "Asia/Tokyo"
    assert who.account.plan == before


# -------------------------------------------------------------------------------------- upgrades


def test_an_upgrade_within_the_month_raises_the_allocation_and_keeps_the_counters() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    spent(who, 30)

    (brought,) = who.pay(change("more", "large", days=21))

    assert who.stands == ("large", 470, "sub_1")
    assert brought.credits_microcredits == 400 * ONE
    assert who.account.windows.period == 30 * ONE
    assert who.account.plan.shown_end_at == DECEMBER
    who.wait(DECEMBER + GRACE)
    assert who.stands == ("free", 10, "")


def test_a_downgrade_takes_nothing_away_and_going_to_and_fro_brings_nothing() -> None:
    who = Subscriber.open()
    who.pay(month("first", "large"))
    for number, plan in enumerate(("basic", "large", "basic", "large")):
        who.pay(change(f"flip{number}", plan, days=20 + number))

    assert who.stands == ("large", 500, "sub_1")


def test_a_change_with_a_new_billing_date_begins_a_new_period() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    line = a_line("now", "large", NOON, NOON + 30 * A_DAY)

    who.pay(an_invoice("now", line))

    assert who.stands == ("large", 500, "sub_1")
    assert who.account.plan.shown_end_at == NOON + 30 * A_DAY


# ------------------------------------------------------------------------------- the end, and late


def test_the_end_of_the_subscription_is_the_default_plan_at_once() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    spent(who, 40)

    entry = who.end()

    assert entry is not None and entry.key == "s#subscription_end:sub_1"
    assert who.stands == ("free", 10, "")
    assert EventType.PLAN_CHANGED in [event.type for event in events_of(entry)]
    assert who.end() is None


def test_an_older_invoice_never_takes_the_newer_period_back() -> None:
    who = Subscriber.open()
    who.pay(month("second", "large", 1), at=DECEMBER)
    before = who.account.plan

    (brought,) = who.pay(month("first", "basic"))

    assert brought.credits_microcredits == 0
    assert who.stands == ("large", 500, "sub_1")
    assert who.account.plan.period_start_at == before.period_start_at
    assert who.account.plan.shown_end_at == JANUARY


# ------------------------------------------------------------------------------- every order of it

STORIES = {
    "renew": [month("1", "basic"), month("2", "basic", 1), month("3", "basic", 2)],
    "upgrade": [month("1", "basic"), change("2", "large", days=20), month("3", "large", 1)],
    "downgrade": [month("1", "large"), change("2", "basic", days=20), month("3", "basic", 1)],
    "flip": [
        month("1", "basic"),
        change("2", "large", days=19),
        change("3", "basic", days=20),
        change("4", "large", days=21),
    ],
    "save": [month("1", "saver"), month("2", "saver", 1), month("3", "saver", 2)],
    "cap": [month("1", "capped"), month("2", "capped", 1), month("3", "capped", 2)],
}
LEFT = {
    "renew": ("basic", 100),
    "upgrade": ("large", 500),
    "downgrade": ("basic", 100),
    "flip": ("large", 500),
    "save": ("saver", 180),
    "cap": ("capped", 85),
}


@pytest.mark.parametrize("story", STORIES)
def test_every_order_with_every_invoice_twice_leaves_the_same(story: str) -> None:
    at = MONTHS[2] + A_DAY

    for order in permutations(STORIES[story]):
        who = Subscriber.open()
        for invoice in (*order, *order):
            who.pay(invoice, at=at)
        assert who.stands == (*LEFT[story], "sub_1"), [each.invoice for each in order]


@pytest.mark.parametrize("story", STORIES)
def test_wherever_the_end_comes_in_between_the_account_is_on_the_default_plan(story: str) -> None:
    at = MONTHS[2] + A_DAY

    for order in permutations((*STORIES[story], None)):
        who = Subscriber.open()
        for invoice in order:
            who.end(at=at) if invoice is None else who.pay(invoice, at=at)
        assert who.stands == ("free", 10, "")


# ------------------------------------------------------------------------------------- by hand


def changed(who: Subscriber, plan: str, *, at_period_end: bool = False) -> None:
    """An operator put the account onto the plan."""
    command = ChangePlan(a_key(plan), "h", "", plan=plan, at_period_end=at_period_end)
    decision = decide_plan_change(draft_of(who.account, catalog=STORE), command, STORE)
    who.account = decision.account
    who.entries += decision.entries
    assert not who.audit()


@pytest.mark.parametrize("at_period_end", [False, True])
def test_nobody_is_put_onto_a_plan_that_has_to_be_paid_for(at_period_end: bool) -> None:
    who = Subscriber.open()

    with pytest.raises(InvalidError, match="only a paid invoice"):
        changed(who, "basic", at_period_end=at_period_end)
    with pytest.raises(InvalidError, match="only a paid invoice"):
        an_account("basic", catalog=STORE)


def test_an_operator_can_take_an_account_off_its_subscription_until_the_next_payment() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))

    changed(who, "pro")
    assert who.stands == ("pro", 50, "")
    who.pay(month("second", "basic", 1), at=DECEMBER + A_DAY)

    assert who.stands == ("basic", 100, "sub_1")


def test_a_plan_that_waits_follows_a_subscription_that_is_not_paid_again_or_ends() -> None:
    unpaid, ended = Subscriber.open(), Subscriber.open()
    for who in (unpaid, ended):
        who.pay(month("first", "basic"))
        changed(who, "pro", at_period_end=True)

    unpaid.wait(DECEMBER + GRACE)
    ended.end()

    assert unpaid.stands == ended.stands == ("pro", 50, "")


def test_a_change_that_waits_can_be_taken_back_on_a_paid_plan() -> None:
    who = Subscriber.open()
    who.pay(month("first", "basic"))
    changed(who, "pro", at_period_end=True)

    changed(who, "basic", at_period_end=True)

    assert who.account.plan.next_plan == ""


def test_a_plan_that_the_operator_now_sells_at_stripe_is_left_when_its_period_ends() -> None:
    who = Subscriber.open()
    changed(who, "pro")
    now_sold = replace(STORE.plans["pro"], sale=SOLD["basic"].sale)
    who.catalog = replace(STORE, plans={**STORE.plans, "pro": now_sold})

    who.wait(DECEMBER)

    assert who.stands == ("free", 10, "")


def test_a_budget_of_a_subscriber_opens_on_its_plan_and_keeps_it() -> None:
    budget, _ = begin(None, TEAM, now=NOON, catalog=STORE, plan_id="basic", parent="user_1")
    account = budget.decide(None).account

    later, _ = begin(account, TEAM, now=JANUARY, catalog=STORE)

    assert (later.account.plan.id, later.account.available_microcredits) == ("basic", 0)


def test_the_catalog_of_these_tests_sells_what_it_says() -> None:
    assert isinstance(STORE, Catalog)
    assert {plan.driver.value for plan in SOLD.values()} == {"stripe"}
