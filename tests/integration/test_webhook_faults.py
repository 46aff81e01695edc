"""Deliveries on a bad day: crashes, conflicts, throttling and lost answers at every call."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger
from tests.support.faults import READ_FAULTS, WRITE_FAULTS, Crash, FaultyClient
from tests.support.payments import (
    SUCCEEDED,
    FakeStripe,
    available,
    deliver,
    grants,
    report,
    state_of,
)

pytestmark = pytest.mark.usefixtures("stripe")


# --------------------------------------------------------------------------------------- faults


def deliver_again(driver: Driver, event: dict[str, Any]) -> None:
    """The event is sent until it is taken, as Stripe does."""
    for _ in range(5):
        answer = deliver(driver, event)
        if answer.status == 200:
            return
        assert answer.status == 503, answer.text
    raise AssertionError("a delivery that is repeated must end")


# Calls of a granting delivery: link, purchase, the payment's link, account, everything written.
@pytest.mark.parametrize(
    "case", list(itertools.product(range(5), [*READ_FAULTS, "crash_before", "crash_after"]))
)
def test_a_fault_at_any_call_of_a_grant_is_healed_by_the_next_delivery(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, str]
) -> None:
    call, fault = case
    event = report(driver, stripe, bought)
    faults.forget()
    faults.plan = {call: fault}

    try:
        first = deliver(driver, event)
    except Crash:
        assert fault.startswith("crash")
    else:
        assert first.status in (200, 503)

    assert faults.calls[call] == ("TransactWriteItems" if call == 4 else "GetItem")
    faults.forget()
    deliver_again(driver, event)
    assert (available(driver), len(grants(driver))) == (515, 1)
    assert state_of(driver, bought)["status"] == "paid"
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_a_grant_that_cannot_be_written_at_once_is_written_by_the_same_delivery(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, fault: str
) -> None:
    event = report(driver, stripe, bought)
    faults.forget()
    faults.plan = {4: fault}

    answer = deliver(driver, event)

    assert answer.status == 200
    assert answer["outcome"] == ("duplicate" if fault == "lost_after" else "granted")
    assert (available(driver), len(grants(driver))) == (515, 1)
    verify_ledger(driver, "user_1")


# Calls of a delivery that grants nothing: link, purchase, the payment's link, all written.
@pytest.mark.parametrize(
    "case", list(itertools.product(range(4), [*WRITE_FAULTS, "crash_before", "crash_after"]))
)
def test_a_fault_at_any_call_of_a_delivery_without_a_grant_is_healed_by_the_next(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, str]
) -> None:
    call, fault = case
    event = report(driver, stripe, bought, payment_status="unpaid")
    faults.forget()
    faults.plan = {call: fault}

    try:
        assert deliver(driver, event).status in (200, 503)
    except Crash:
        assert fault.startswith("crash")

    faults.forget()
    deliver_again(driver, event)
    assert state_of(driver, bought)["status"] == "pending"
    deliver_again(driver, report(driver, stripe, bought, SUCCEEDED))
    assert available(driver) == 515
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", [0, 1, 2, 3])
def test_two_deliveries_at_once_of_an_unpaid_session_are_both_taken(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    event = report(driver, stripe, bought, payment_status="unpaid")
    others: list[Any] = []
    faults.forget()
    faults.before = {call: lambda: others.append(deliver(driver, event))}

    answer = deliver(driver, event)

    assert (others[0].status, others[0]["outcome"]) == (200, "pending")
    assert (answer.status, answer["outcome"]) == (200, "duplicate")


@pytest.mark.parametrize("call", [0, 1, 2, 3, 4])
def test_a_payment_and_its_being_pending_at_once_end_paid(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, call: int
) -> None:
    unpaid = report(driver, stripe, bought, payment_status="unpaid")
    paid = report(driver, stripe, bought, SUCCEEDED)
    faults.forget()
    faults.before = {call: lambda: deliver(driver, unpaid)}

    answer = deliver(driver, paid)

    assert (answer.status, answer["outcome"]) == (200, "granted")
    assert (state_of(driver, bought)["status"], available(driver)) == ("paid", 515)
    assert len(grants(driver)) == 1
    verify_ledger(driver, "user_1")


def test_where_the_ledger_stays_away_stripe_is_asked_to_try_again(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought)
    faults.forget()
    faults.plan = dict.fromkeys(range(4, 2000), "throttled")

    answer = deliver(driver, event)

    assert (answer.status, answer["code"]) == (503, "busy")
    faults.forget()
    assert deliver(driver, event)["outcome"] == "granted"
