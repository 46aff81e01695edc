"""News of money that went back on a bad day: nothing is lost, and nothing is taken twice."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import READ_FAULTS, WRITE_FAULTS, Crash, FaultyClient
from tests.support.money_back import (
    CHARGED,
    DISPUTE_CLOSED,
    DISPUTED,
    REFUNDED,
    charge_of,
    dispute_of,
    event_about,
)
from tests.support.payments import FakeStripe, available, deliver, grants, report, state_of

pytestmark = pytest.mark.usefixtures("stripe")
CRASHES = ["crash_before", "crash_after"]


def refund(driver: Driver, purchase: str, refunded: int = 2500) -> dict[str, Any]:
    """charge.refunded with so much of it refunded so far."""
    return event_about(driver, REFUNDED, charge_of(purchase, refunded))


def deliver_again(driver: Driver, event: dict[str, Any]) -> Answered:
    """What is answered in the end, when the event is sent until it is taken."""
    for _ in range(5):
        answer = deliver(driver, event)
        if answer.status == 200:
            return answer
        assert answer.status == 503, answer.text
    raise AssertionError("a delivery that is repeated must end")


def deliver_badly(driver: Driver, faults: FaultyClient, event: Any, case: tuple[int, str]) -> None:
    """One delivery with that fault at that call, which is taken, refused for now, or crashes."""
    call, fault = case
    faults.forget()
    faults.plan = {call: fault}
    try:
        assert deliver(driver, event).status in (200, 503)
    except Crash:
        assert fault.startswith("crash")
    faults.forget()


@pytest.mark.parametrize(
    "case", list(itertools.product(range(8), [*READ_FAULTS, *WRITE_FAULTS, *CRASHES]))
)
def test_a_fault_at_any_call_of_a_refund_is_healed_by_the_next_delivery(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, str]
) -> None:
    deliver(driver, report(driver, stripe, bought))
    event = refund(driver, bought)

    deliver_badly(driver, faults, event, case)
    deliver_again(driver, event)

    assert available(driver) == 265
    assert state_of(driver, bought)["status"] == "partially_refunded"
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("case", list(itertools.product(range(4), [*WRITE_FAULTS, *CRASHES])))
def test_a_fault_at_any_call_of_a_refund_before_the_grant_is_healed(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, str]
) -> None:
    event = refund(driver, bought)

    deliver_badly(driver, faults, event, case)
    deliver_again(driver, event)
    deliver_again(driver, report(driver, stripe, bought))

    assert available(driver) == 265
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(7))
def test_a_refund_and_the_grant_at_once_end_with_both(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    page, back = report(driver, stripe, bought), refund(driver, bought)
    faults.forget()
    faults.before = {call: lambda: deliver_again(driver, back)}

    deliver_again(driver, page)
    deliver_again(driver, back)

    assert (available(driver), len(grants(driver))) == (265, 1)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(6))
def test_the_grant_and_a_refund_at_once_end_with_both(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    page, back = report(driver, stripe, bought), refund(driver, bought)
    faults.forget()
    faults.before = {call: lambda: deliver_again(driver, page)}

    deliver_again(driver, back)
    deliver_again(driver, page)

    assert (available(driver), len(grants(driver))) == (265, 1)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(7))
@pytest.mark.parametrize("is_same", [True, False])
def test_two_refunds_at_once_take_what_both_say(
    driver: Driver,
    faults: FaultyClient,
    stripe: FakeStripe,
    bought: str,
    *,
    call: int,
    is_same: bool,
) -> None:
    deliver(driver, report(driver, stripe, bought))
    mine = refund(driver, bought, 1000)
    theirs = mine if is_same else refund(driver, bought, 3000)
    faults.forget()
    faults.before = {call: lambda: deliver_again(driver, theirs)}

    deliver_again(driver, mine)

    assert available(driver) == (415 if is_same else 215)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(6))
def test_a_dispute_of_a_charge_and_what_the_charge_says_at_once_meet(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    """Why: the dispute names the charge alone, so it must not be left on a link nobody reads."""
    deliver(driver, report(driver, stripe, bought))
    old = event_about(driver, DISPUTED, dispute_of(bought, payment_intent=None))
    charge = event_about(driver, CHARGED, charge_of(bought))
    faults.forget()
    faults.before = {call: lambda: deliver_again(driver, old)}

    deliver_again(driver, charge)

    deliver_again(driver, old)
    assert (available(driver), state_of(driver, bought)["status"]) == (15, "disputed")


@pytest.mark.parametrize("call", range(7))
def test_a_dispute_and_its_end_at_once_leave_the_credits(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    deliver(driver, report(driver, stripe, bought))
    opened = event_about(driver, DISPUTED, dispute_of(bought))
    won = event_about(driver, DISPUTE_CLOSED, dispute_of(bought, "won"))
    faults.forget()
    faults.before = {call: lambda: deliver_again(driver, won)}

    deliver_again(driver, opened)
    deliver_again(driver, won)

    assert (available(driver), state_of(driver, bought)["status"]) == (515, "paid")
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(6))
def test_a_charge_at_the_same_time_as_a_refund_is_not_lost(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    deliver(driver, report(driver, stripe, bought))
    event = refund(driver, bought)
    faults.forget()
    faults.before = {call: lambda: driver.deduct("user_1", "sms", "k1")}

    deliver_again(driver, event)

    assert available(driver) == 264
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("case", list(itertools.product(range(4), [*WRITE_FAULTS, *CRASHES])))
def test_a_fault_at_any_call_of_a_case_is_healed_by_the_next_delivery(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, str]
) -> None:
    event = report(driver, stripe, bought, amount_subtotal=1)

    deliver_badly(driver, faults, event, case)
    deliver_again(driver, event)

    assert len(driver.call("GET /v1/quarantine/payments")["cases"]) == 1
    assert (available(driver), state_of(driver, bought)["status"]) == (15, "quarantined")
