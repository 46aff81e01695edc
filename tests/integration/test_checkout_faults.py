"""Checkout on a bad day: crashes, conflicts, throttling and lost answers at every call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.driving import Driver, ledger_of_test, verify_ledger
from tests.support.faults import READ_FAULTS, WRITE_FAULTS, Crash, FaultyClient
from tests.support.payments import FakeStripe, buy, deliver, state_of

D = Decimal


pytestmark = pytest.mark.usefixtures("stripe")


def heal(driver: Driver) -> str:
    """The purchase of repeating the same checkout until it is open."""
    for _ in range(5):
        answer = buy(driver)
        if answer.status == 201:
            return answer["purchase_id"]
        assert answer.status == 503, answer.text
    raise AssertionError("a checkout that is repeated must end")


# Calls of a checkout: account, purchase, who pays, purchase written, (Stripe,) page written.
READS, WRITES = (0, 1, 2), (3, 4)


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_fault_at_a_read_of_checkout_is_healed_by_the_same_key(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, call: int, fault: str
) -> None:
    driver.grant("user_1", 1)
    faults.forget()
    faults.plan = {call: fault}

    first = buy(driver)

    assert (first.status, first["code"]) == (503, "busy")
    assert faults.calls[call] == "GetItem"
    faults.forget()
    assert state_of(driver, heal(driver))["status"] == "created"
    assert len(stripe.sessions) == 1


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_a_fault_at_a_write_of_checkout_is_healed_by_the_same_key(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, call: int, fault: str
) -> None:
    driver.grant("user_1", 1)
    faults.forget()
    faults.plan = {call: fault}

    first = buy(driver)

    assert first.status in (201, 503)
    assert faults.calls[call] == "TransactWriteItems"
    faults.forget()
    purchase_id = heal(driver)
    assert len(stripe.sessions) == 1
    event = stripe.report(purchase_id, at=driver.clock.now())
    assert deliver(driver, event)["outcome"] == "granted"
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("crash", ["crash_before", "crash_after"])
def test_a_crash_at_a_write_of_checkout_is_healed_by_the_same_key(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, call: int, crash: str
) -> None:
    driver.grant("user_1", 1)
    faults.forget()
    faults.plan = {call: crash}

    with pytest.raises(Crash):
        buy(driver)

    faults.forget()
    assert state_of(driver, heal(driver))["status"] == "created"
    assert len(stripe.sessions) == 1


def test_a_lost_answer_of_stripe_is_healed_by_the_same_key(
    driver: Driver, stripe: FakeStripe
) -> None:
    stripe.lost = {0}

    assert buy(driver).status == 503
    purchase_id = heal(driver)

    assert (stripe.calls, len(stripe.sessions)) == (2, 1)
    assert state_of(driver, purchase_id)["status"] == "created"


def test_two_tries_at_once_record_one_purchase_and_answer_the_same_page(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe
) -> None:
    others: list[Any] = []
    driver.grant("user_1", 1)
    faults.forget()
    faults.before = {3: lambda: others.append(buy(driver))}

    mine = buy(driver)

    assert (mine.status, others[0].status) == (201, 201)
    assert mine.body == others[0].body
    assert len(stripe.sessions) == 1


def test_two_tries_at_once_may_both_have_asked_stripe(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe
) -> None:
    others: list[Any] = []
    driver.grant("user_1", 1)
    faults.forget()
    faults.before = {4: lambda: others.append(buy(driver))}

    mine = buy(driver)

    assert (mine.status, others[0].status) == (201, 201)
    assert mine.body == others[0].body
    purchase = ledger_of_test().read_purchase(mine["account"], mine["purchase_id"])
    assert purchase is not None
    assert purchase.version == 2


def test_another_checkout_at_once_under_the_same_key_is_refused(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe
) -> None:
    others: list[Any] = []
    driver.grant("user_1", 1)
    faults.forget()
    faults.before = {3: lambda: others.append(buy(driver, pack="starter"))}

    mine = buy(driver)

    assert others[0].status == 201
    assert (mine.status, mine["code"]) == (422, "idempotency_mismatch")
    assert len(stripe.sessions) == 1


def test_a_page_that_was_paid_before_it_was_recorded_is_the_purchases_own(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe
) -> None:
    driver.grant("user_1", 1)
    faults.forget()
    faults.plan = {4: "crash_before"}
    with pytest.raises(Crash):
        buy(driver)
    faults.forget()
    purchase_id = next(iter(stripe.sessions))

    paid = deliver(driver, stripe.report(purchase_id, at=driver.clock.now()))
    again = buy(driver)
    second = stripe.report(purchase_id, at=driver.clock.now(), id="cs_test_second")

    assert paid["outcome"] == "granted"
    assert (again.status, again["checkout_url"]) == (201, stripe.sessions[purchase_id]["url"])
    assert deliver(driver, second)["outcome"] == "quarantined"
    assert state_of(driver, purchase_id)["status"] == "paid"
    verify_ledger(driver, "user_1")
