"""What somebody would try with a subscription to have credits that no invoice paid for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_orders.making import DAY, NEW, SHAPES
from tests.stripe_orders.playing import micro
from tests.stripe_orders.stack import HOME, Stack, stacked
from tests.stripe_orders.subscriptions import MONTH, Subscriber, SubStep

FREE = 10_000_000
BASIC = 100_000_000
PRO = 300_000_000


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with an empty table."""
    with stacked() as made:
        yield made


def subscriber(stack: Stack, *, shape: str = NEW, plan: str = "basic", key: str = "s1") -> Any:
    """Somebody who began a subscription of the plan."""
    bought = stack.subscribe(plan, key=key)
    return Subscriber(stack.maker(shape), bought, begin=stack.now)


def go_to(stack: Stack, who: Subscriber, days: int) -> None:
    """So many days have passed since the subscription began; new events are of then."""
    stack.driver.clock.moment = datetime.fromtimestamp(who.begin + days * DAY + 7200, UTC)
    who.maker.at = stack.now


def say(stack: Stack, *steps: SubStep) -> None:
    """These are delivered, in this order."""
    stack.deliver_all([step.event for step in steps])


def balance(stack: Stack, account: str = "ada") -> int:
    """What is available. Units: micro-credits."""
    assert stack.verify(account) == []
    return micro(stack.driver.account(account)["available"])


def plan_of(stack: Stack) -> str:
    """The plan that the account is on."""
    return stack.driver.account("ada")["plan"]["id"]


def refund_of(who: Subscriber, invoice: str, amount: int, refunded: int) -> SubStep:
    """So much of the invoice's payment is refunded by now."""
    old = {} if who.maker.is_new else {"invoice": f"in_{invoice}"}
    charge = who.maker.charge(f"pi_{invoice}", amount, refunded=refunded, **old)
    return SubStep(who.maker.event("charge.refunded", charge))


# ------------------------------------------------------------------------------------ money back


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_early", [False, True], ids=["late", "early"])
def test_half_of_an_invoice_that_went_back_takes_half_of_its_credits(
    stack: Stack, shape: str, is_early: bool
) -> None:
    who = subscriber(stack, shape=shape)
    steps = [who.paid("first", "basic"), who.payment("first", 2000)]
    refund = refund_of(who, "first", 2000, 1000)
    say(stack, *((refund, *steps) if is_early else (*steps, refund)))

    assert balance(stack) == BASIC // 2
    say(stack, refund, *steps)
    assert balance(stack) == BASIC // 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_disputed_invoice_that_is_won_gives_its_credits_back(stack: Stack, shape: str) -> None:
    who = subscriber(stack, shape=shape)
    lost = who.maker.dispute("pi_first", 2000, status="needs_response")
    say(stack, who.paid("first", "basic"), who.payment("first", 2000))
    say(stack, SubStep(who.maker.event("charge.dispute.created", lost)))
    assert balance(stack) == 0

    say(stack, SubStep(who.maker.event("charge.dispute.closed", lost | {"status": "won"})))

    assert balance(stack) == BASIC


def test_a_refund_of_last_months_invoice_never_takes_more_than_it_brought(stack: Stack) -> None:
    who = subscriber(stack)
    say(stack, who.paid("first", "basic"), who.payment("first", 2000))
    go_to(stack, who, 31)
    say(stack, who.paid("second", "basic", month=1), who.payment("second", 2000))

    say(stack, *[refund_of(who, "first", 2000, 2000)] * 2)

    assert balance(stack) >= 0
    assert stack.driver.account("ada")["debt"] == 0


# ------------------------------------------------------------------------------ more than was paid


def test_going_up_and_down_all_month_yields_no_more_than_the_larger_plan(stack: Stack) -> None:
    who = subscriber(stack)
    say(stack, who.paid("first", "basic"))
    for number in range(6):
        go_to(stack, who, number + 1)
        old, new = ("basic", "pro") if number % 2 == 0 else ("pro", "basic")
        say(stack, who.paid(f"flip{number}", new, days=number + 1, old=old))

    assert balance(stack) == PRO


def test_what_was_spent_does_not_come_back_by_going_up_and_down(stack: Stack) -> None:
    who = subscriber(stack)
    say(stack, who.paid("first", "basic"))
    assert stack.spend(90, "x1")
    go_to(stack, who, 1)
    say(stack, who.paid("up", "pro", days=1, old="basic"))
    assert stack.spend(200, "x2")
    go_to(stack, who, 2)
    say(stack, who.paid("down", "basic", days=2, old="pro"))
    go_to(stack, who, 3)
    say(stack, who.paid("again", "pro", days=3, old="basic"))

    assert balance(stack) == PRO - 290_000_000


def test_every_invoice_twice_and_a_year_late_resets_nothing_twice(stack: Stack) -> None:
    who = subscriber(stack)
    first, second = who.paid("first", "basic"), who.paid("second", "basic", month=1)
    say(stack, first)
    go_to(stack, who, 31)
    say(stack, second)
    assert stack.spend(70, "x1")
    say(stack, first, second, first)

    assert balance(stack) == BASIC - 70_000_000


def test_a_line_of_no_money_and_a_trial_bring_what_the_plan_allots_once(stack: Stack) -> None:
    who = subscriber(stack)
    trial = who.paid("first", "basic")
    invoice = trial.event["data"]["object"]
    invoice |= {"amount_paid": 0, "amount_due": 0, "total": 0, "subtotal": 0}
    invoice["lines"]["data"][0]["amount"] = 0
    say(stack, trial, trial)

    assert balance(stack) in (FREE, BASIC), "a decision of the catalog, but never twice"


@pytest.mark.parametrize("shape", SHAPES)
def test_an_invoice_that_only_gives_money_back_brings_nothing(stack: Stack, shape: str) -> None:
    who = subscriber(stack, shape=shape)
    say(stack, who.paid("first", "basic"))
    credit = who.paid("credit", "pro", days=3, old="basic")
    for line in credit.event["data"]["object"]["lines"]["data"]:
        line["amount"] = -100
    go_to(stack, who, 3)

    say(stack, credit)

    assert (balance(stack), plan_of(stack)) == (BASIC, "basic")


@pytest.mark.parametrize("status", ["open", "draft", "void", "uncollectible"])
def test_an_invoice_that_is_not_paid_brings_nothing(stack: Stack, status: str) -> None:
    who = subscriber(stack)
    step = who.paid("first", "basic")
    step.event["data"]["object"] |= {"status": status, "paid": False, "amount_paid": 0}

    answer = stack.deliver(step.event)

    assert answer.status == 200
    assert balance(stack) == FREE


def test_an_invoice_of_the_other_mode_brings_nothing(stack: Stack) -> None:
    who = subscriber(stack)
    step = who.paid("first", "basic")
    step.event["livemode"] = True
    step.event["data"]["object"]["livemode"] = True

    stack.deliver_all([step.event])

    assert (balance(stack), plan_of(stack)) == (FREE, "free")


def test_an_invoice_in_another_currency_brings_nothing_by_a_plan_without_a_price(
    stack: Stack,
) -> None:
    who = subscriber(stack, plan="saver")
    step = who.paid("first", "saver")
    for line in step.event["data"]["object"]["lines"]["data"]:
        line |= {"currency": "jpy"}
        line.setdefault("price", {})["currency"] = "jpy"
    step.event["data"]["object"]["currency"] = "jpy"

    stack.deliver_all([step.event])

    assert balance(stack) == FREE


# ---------------------------------------------------------------------------------- over is over


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_revives_a_subscription_that_is_over(stack: Stack, shape: str) -> None:
    who = subscriber(stack, shape=shape)
    say(stack, who.paid("first", "basic"))
    go_to(stack, who, 10)
    say(stack, who.news("deleted", "basic", status="canceled"))
    say(
        stack,
        who.news("updated", "pro"),
        who.news("created", "basic"),
        who.paid("more", "pro", days=9, old="basic"),
        who.paid("second", "basic", month=1),
    )

    assert (balance(stack), plan_of(stack)) == (FREE, "free")


def test_an_end_that_comes_before_anybody_knows_whose_it_is_counts(stack: Stack) -> None:
    who = subscriber(stack)
    who.is_named = False
    end = who.news("deleted", "basic", status="canceled")
    end.event["data"]["object"]["metadata"] = {}

    say(stack, end, who.page(), who.paid("first", "basic"))

    assert (balance(stack), plan_of(stack)) == (FREE, "free")


def test_a_second_subscription_begins_its_own_period_and_the_first_ones_end_leaves_it(
    stack: Stack,
) -> None:
    first = subscriber(stack)
    say(stack, first.paid("first", "basic"))
    second = Subscriber(first.maker, first.bought, begin=first.begin)
    go_to(stack, first, 5)
    step = second.paid("other", "pro", days=5)
    name_other(step)
    say(stack, step)
    assert plan_of(stack) == "pro"

    say(stack, first.news("deleted", "basic", status="canceled"))

    assert (balance(stack), plan_of(stack)) == (PRO, "pro")


def name_other(step: SubStep) -> None:
    """The invoice is one of another subscription."""
    invoice = step.event["data"]["object"]
    invoice["parent"]["subscription_details"]["subscription"] = "sub_other"
    for line in invoice["lines"]["data"]:
        line["parent"]["subscription_item_details"]["subscription"] = "sub_other"


def test_a_plan_that_is_not_paid_again_ends_three_days_after_its_period(stack: Stack) -> None:
    who = subscriber(stack)
    say(stack, who.paid("first", "basic"))
    go_to(stack, who, 31)
    assert (balance(stack), plan_of(stack)) == (BASIC, "basic"), "a renewal may be late"
    go_to(stack, who, 34)
    stack.driver.deduct("ada", "sms", "x1", quantity=1)

    assert (balance(stack), plan_of(stack)) == (FREE - 1_000_000, "free")
    say(stack, who.paid("second", "basic", month=1))

    assert (balance(stack), plan_of(stack)) == (BASIC, "basic")


def test_nobody_buys_a_second_subscription_from_us(stack: Stack) -> None:
    who = subscriber(stack)
    say(stack, who.paid("first", "basic"))

    body = {"account": "ada", "plan": "pro", "success_url": HOME, "cancel_url": HOME}
    assert stack.driver.call("POST /v1/checkout", body, key="s2").status == 422


def test_an_operator_gives_nobody_a_plan_that_only_money_brings(stack: Stack) -> None:
    answer = stack.driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro"}, path={"id": "ada"})
    touched = stack.driver.deduct("bob", "sms", "x1", quantity=1, plan="pro")

    assert (answer.status, touched.status) == (422, 422)


def test_an_invoice_of_a_stranger_waits_for_a_person_and_brings_nothing(stack: Stack) -> None:
    who = subscriber(stack)
    who.is_named = False
    step = who.paid("first", "basic")
    fresh = stack.deliver(step.event)
    stack.driver.clock.moment = datetime.fromtimestamp(who.begin + MONTH // 2, UTC)
    late = stack.deliver(step.event)

    assert (fresh.status, late.status) == (503, 200)
    assert late["outcome"] == "quarantined"
    assert balance(stack) == FREE


# ----------------------------------------------------------------------------- two subscriptions


def test_two_subscriptions_bring_both_their_credits_and_one_case(stack: Stack) -> None:
    first = subscriber(stack)
    second = Subscriber(first.maker, first.bought, begin=first.begin)
    step = second.paid("other", "pro", days=5)
    name_other(step)
    go_to(stack, first, 6)

    say(stack, first.paid("first", "basic"), step, step, first.payment("first", 2000))

    assert (balance(stack), plan_of(stack)) == (BASIC + PRO, "pro")
    (case,) = stack.driver.call("GET /v1/quarantine/payments")["cases"]
    assert "two subscriptions at once" in case["reason"]
    assert (case["account"], case["amount"]) == ("ada", "50.00")
    go_to(stack, first, 31)
    say(stack, first.paid("second", "basic", month=1))
    assert len(stack.driver.call("GET /v1/quarantine/payments")["cases"]) == 1
    end = first.news("deleted", "pro", status="canceled")
    end.event["data"]["object"]["id"] = "sub_other"
    say(stack, end)
    assert plan_of(stack) == "basic"
    assert balance(stack) >= BASIC
