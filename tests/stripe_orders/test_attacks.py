"""What somebody would try who wants credits that were not paid for, or to lose somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.stripe_orders.model import Sold, end_of
from tests.stripe_orders.playing import micro
from tests.stripe_orders.stack import Stack, stacked
from tests.stripe_orders.stories import (
    CLOSED,
    CREATED,
    FAILED,
    STORIES,
    Told,
    dispute_then_refund,
)

PACK = 333_333_333
FREE = 10_000_000
WHOLE = 333


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with an empty table."""
    with stacked() as made:
        yield made


def told_of(stack: Stack, pack: str = "small", **given: Any) -> Told:
    """A purchase of the pack, and a teller of what happens to it."""
    return Told(stack.maker(), stack.buy(pack, **given))


def say(stack: Stack, *steps: Any) -> None:
    """These are delivered, in this order."""
    stack.deliver_all([step.event for step in steps])


def balance(stack: Stack, account: str = "ada") -> int:
    """What is available. Units: micro-credits."""
    assert stack.verify(account) == []
    return micro(stack.driver.account(account)["available"])


# ------------------------------------------------------------------------------ money that is gone


def test_a_refund_of_spent_credits_is_a_debt_that_the_next_purchase_pays(stack: Stack) -> None:
    first = told_of(stack)
    say(stack, first.page())
    assert stack.spend(WHOLE, "s1")
    say(stack, first.refund(first.total))
    owed = FREE + PACK - WHOLE * 1_000_000 - PACK

    assert balance(stack) == owed
    assert not stack.spend(1, "s2"), "nothing is spent on a debt"
    assert micro(stack.driver.account("ada")["clawback_debt"]) == -owed
    second = told_of(stack, key="b2")
    say(stack, second.page())

    assert balance(stack) == owed + PACK
    assert stack.driver.account("ada")["debt"] == 0


def test_a_dispute_of_spent_credits_that_is_won_leaves_what_was_not_spent(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page())
    assert stack.spend(300, "s1")
    say(stack, told.dispute(CREATED, "needs_response"))
    assert balance(stack) == FREE - 300_000_000

    say(stack, told.dispute(CLOSED, "won"))

    assert balance(stack) == FREE + PACK - 300_000_000
    assert stack.driver.account("ada")["debt"] == 0


def test_no_refund_takes_more_than_was_bought(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page(), told.charged(), told.refund(told.total * 3))

    assert balance(stack) == FREE
    assert stack.status_of(told.bought) == "refunded"


def test_no_number_of_disputes_takes_more_than_was_bought(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page())
    say(stack, *(told.dispute(CREATED, "needs_response", name=f"dp_{n}") for n in range(5)))
    assert balance(stack) == FREE

    say(stack, *(told.dispute(CLOSED, "won", name=f"dp_{n}") for n in range(4)))
    assert balance(stack) == FREE, "one of them still holds all of it"
    say(stack, told.dispute(CLOSED, "won", name="dp_4"))

    assert balance(stack) == FREE + PACK


def test_credits_that_a_hold_keeps_are_taken_once_it_is_released(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page())
    assert stack.driver.hold("ada", "sms", "h1", estimate=300).status == 201
    say(stack, told.refund(told.total))
    assert balance(stack) == FREE - 300_000_000

    assert stack.driver.release("ada", "h1", reason="over").status == 200

    assert balance(stack) == FREE
    assert stack.driver.account("ada")["debt"] == 0


def test_a_pack_whose_time_went_by_in_a_dispute_comes_back_without_an_end(stack: Stack) -> None:
    told = told_of(stack, "week")
    say(stack, told.page(), told.dispute(CREATED, "needs_response"))
    stack.driver.clock.moment += timedelta(days=9)

    say(stack, told.dispute(CLOSED, "won"))

    assert balance(stack) == FREE + 70_000_000


def test_yen_have_no_hundredths(stack: Stack) -> None:
    told = told_of(stack, "yen")
    say(stack, told.page(), told.charged(), told.refund(333))

    assert balance(stack) == FREE + 700_000_000 - 700_000_000 * 333 // 1000


# --------------------------------------------------------------------------- whose money, and which


@pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
def test_money_of_the_other_mode_takes_nothing(stack: Stack, kind: str) -> None:
    told = told_of(stack)
    say(stack, told.page())
    step = told.refund(told.total) if "refunded" in kind else told.dispute(kind, "needs_response")
    step.event["livemode"] = True
    step.event["data"]["object"]["livemode"] = True

    say(stack, step)

    assert balance(stack) == FREE + PACK
    assert stack.status_of(told.bought) == "paid"


def test_a_page_paid_in_live_mode_brings_nothing_in_test_mode(stack: Stack) -> None:
    told = told_of(stack)
    step = told.page()
    step.event["livemode"] = True

    say(stack, step)

    assert balance(stack) == FREE
    assert stack.status_of(told.bought) == "quarantined"


def test_a_strange_payment_that_names_a_paid_purchase_takes_nothing_of_it(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page())
    strange = told.refund(told.total)
    strange.event["data"]["object"] |= {"id": "ch_strange", "payment_intent": "pi_strange"}

    say(stack, strange)

    assert balance(stack) == FREE + PACK


def test_a_strange_payment_that_names_an_unpaid_purchase_takes_nothing_of_it_later(
    stack: Stack,
) -> None:
    told = told_of(stack)
    strange = told.refund(told.total)
    strange.event["data"]["object"] |= {"id": "ch_strange", "payment_intent": "pi_strange"}

    say(stack, strange, told.page())

    assert balance(stack) == FREE + PACK
    assert stack.status_of(told.bought) == "paid"


def test_a_refund_touches_the_account_that_bought_and_no_other(stack: Stack) -> None:
    of_ada = told_of(stack)
    of_bob = told_of(stack, account="bob", key="b1")
    say(stack, of_ada.page(), of_bob.page(), of_bob.refund(of_bob.total))

    assert balance(stack) == FREE + PACK
    assert balance(stack, "bob") == FREE


def test_what_a_coupon_made_free_is_granted_and_nothing_of_it_can_go_back(stack: Stack) -> None:
    told = told_of(stack)
    session = told.maker.session(told.bought, status="no_payment_required", amount_total=0)
    event = told.maker.event("checkout.session.completed", session | {"payment_intent": None})

    stack.deliver_all([event, event])

    assert balance(stack) == FREE + PACK


@pytest.mark.parametrize(
    "changes",
    [{"currency": "jpy"}, {"amount_subtotal": 1}, {"amount_subtotal": None}, {"id": "cs_other"}],
)
def test_other_money_is_never_granted_and_its_refund_takes_nothing(
    stack: Stack, changes: dict[str, Any]
) -> None:
    told = told_of(stack)
    session = told.maker.session(told.bought, **changes)
    paid = told.maker.event("checkout.session.completed", session)

    stack.deliver_all([paid, told.refund(told.total).event, paid])

    assert balance(stack) == FREE
    assert stack.status_of(told.bought) == "quarantined"


# --------------------------------------------------------------------------------- whose account


@pytest.mark.parametrize("verb", ["freeze", "close"])
def test_an_account_that_stands_still_gives_back_what_was_refunded(stack: Stack, verb: str) -> None:
    told = told_of(stack)
    say(stack, told.page())
    route = f"POST /v1/accounts/{{id}}/{verb}"
    answer = stack.driver.call(route, {"reason": "look"}, path={"id": "ada"}, key="f1")
    assert answer.status == 200, answer.text

    say(stack, told.refund(told.total // 2))
    half = PACK * (told.total // 2) // told.total
    assert balance(stack) == FREE + PACK - half
    say(stack, told.dispute(CREATED, "needs_response", told.total - told.total // 2))
    assert balance(stack) == FREE
    say(stack, told.dispute(CLOSED, "won", told.total - told.total // 2))

    assert balance(stack) == FREE + PACK - half


def test_a_purchase_of_a_closed_account_waits_and_its_refund_takes_nothing(stack: Stack) -> None:
    told = told_of(stack)
    stack.driver.call("POST /v1/accounts/{id}/close", {"reason": "r"}, path={"id": "ada"}, key="f1")

    say(stack, told.page(), told.refund(told.total), told.page())

    assert stack.status_of(told.bought) == "quarantined"
    assert balance(stack) <= FREE


# ------------------------------------------------------------------------- several things at once


def test_two_purchases_are_each_taken_back_by_their_own_refund(stack: Stack) -> None:
    first, second = told_of(stack), told_of(stack, key="b2")
    third = first.total // 3
    say(stack, first.page(), second.page(), first.refund(third), second.refund(second.total))
    say(stack, first.refund(third), second.dispute(CREATED, "needs_response"))

    assert balance(stack) == FREE + PACK - PACK * third // first.total


def test_a_payment_that_failed_and_was_paid_after_all_is_granted(stack: Stack) -> None:
    told = told_of(stack)
    say(stack, told.page(FAILED, "unpaid"), told.page())

    assert balance(stack) == FREE + PACK


def test_a_year_of_redeliveries_changes_nothing(stack: Stack) -> None:
    told = told_of(stack)
    steps = dispute_then_refund(told)
    say(stack, *steps)
    before = balance(stack)
    rows = len(stack.driver.entries("ada"))

    for days in (1, 40, 91, 365):
        stack.driver.clock.moment += timedelta(days=days)
        forget_events(stack)
        say(stack, *steps, *reversed(steps))

    assert [row["kind"] for row in stack.driver.entries("ada")][rows:].count("clawback") == 0
    assert balance(stack) == before


def forget_events(stack: Stack) -> None:
    """DynamoDB has removed every processed event, as it does after their time."""
    for item in list(stack.store.items()):
        if item["pk"]["S"].startswith("S#"):
            key = {name: item[name] for name in ("pk", "sk")}
            slot = {"Delete": {"TableName": "tollkeeper-orders", "Key": key}}
            stack.store.transact_write_items(TransactItems=[slot])


@pytest.mark.parametrize("behind", [1, 2, 3])
@pytest.mark.parametrize("name", STORIES)
def test_reads_that_lag_behind_change_no_end(stack: Stack, name: str, behind: int) -> None:
    told = told_of(stack)
    steps = STORIES[name](told)
    ended = end_of(Sold(PACK, told.total), [fact for step in steps for fact in step.facts])
    for step in (*steps, *steps):
        stack.lag.item = behind
        answer = stack.deliver(step.event)
        stack.lag.item = 0
        assert answer.status in (200, 503), answer.text
    say(stack, *steps)

    assert balance(stack) == FREE + ended.moved
    assert stack.status_of(told.bought) == ended.status


def test_what_ended_unspent_is_not_owed_when_its_money_goes_back(stack: Stack) -> None:
    told = told_of(stack, "week")
    say(stack, told.page())
    assert stack.spend(25, "s1"), "10 of the plan come first, 15 are the pack's"
    stack.driver.clock.moment += timedelta(days=9)

    say(stack, told.refund(told.total // 2))
    assert balance(stack) == 0, "half of 70 are less than the 55 that ended"
    say(stack, told.refund(told.total), told.refund(told.total))

    assert balance(stack) == -15_000_000
    verdict = told.dispute(CREATED, "needs_response"), told.dispute(CLOSED, "won")
    say(stack, *verdict)
    assert balance(stack) == -15_000_000
