"""Refunds through Stripe's SDK, against the simulated Stripe, with the events that it sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stripe import disputes, refunds
from local.stripe.state import BASIL, CHARGE, MIDDLE, OLD, REFUND, SESSION
from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import Crash
from tests.support.payments import available, buy, deliver_raw, state_of
from tests.support.stripe_machine import (
    CRASH_AFTER,
    CRASH_BEFORE,
    LOST_AFTER,
    LOST_BEFORE,
    SERVER_ERROR,
    Machine,
)

ROUTE = "POST /v1/purchases/{purchase_id}/refund"


def deliver_all(driver: Driver, machine: Machine, *, is_backwards: bool = False) -> list[str]:
    """What the webhook makes of everything that Stripe has to tell, twice each."""
    told = machine.events()
    for event in reversed(told) if is_backwards else told:
        answers = [deliver_raw(driver, json.dumps(event)) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200], answers
    return [event["type"] for event in told]


def refund(driver: Driver, purchase: str, key: str = "r1", **members: Any) -> Answered:
    """A refund that an operator asks for."""
    body = {"reason": "asked by mail", **members}
    return driver.call(ROUTE, body, path={"purchase_id": purchase}, key=key)


@pytest.fixture(params=[OLD, MIDDLE, BASIL])
def paid(driver: Driver, machine: Machine, request: pytest.FixtureRequest) -> str:
    """A purchase of 500 credits for 50.00 on Stripe's page, in the shapes of three versions."""
    machine.state.api_version = request.param
    purchase = buy(driver)["purchase_id"]
    (session,) = machine.state.all_of(SESSION)
    machine.pays(session)
    deliver_all(driver, machine)
    assert available(driver) == 515
    return purchase


def refunded_minor(machine: Machine) -> int:
    """All that went back. Units: the currency's smallest unit."""
    return sum(each["amount"] for each in machine.state.all_of(REFUND).values())


def test_a_refund_in_parts_is_made_at_stripe_and_told_by_it_without_another_effect(
    driver: Driver, machine: Machine, paid: str
) -> None:
    half = refund(driver, paid, "r1", amount="25")
    told = deliver_all(driver, machine)
    rest = refund(driver, paid, "r2")
    deliver_all(driver, machine, is_backwards=True)

    assert (half["status"], half["clawed_back"]) == ("partially_refunded", 250)
    assert "charge.refunded" in told
    assert (rest["status"], available(driver)) == ("refunded", 15)
    assert refunded_minor(machine) == 5000
    assert len([e for e in driver.entries("user_1") if e["kind"] == "clawback"]) == 2
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize(
    "fault", [LOST_BEFORE, LOST_AFTER, CRASH_BEFORE, CRASH_AFTER, SERVER_ERROR]
)
def test_a_call_that_fails_is_made_once_in_the_end(
    driver: Driver, machine: Machine, paid: str, fault: str
) -> None:
    machine.plan = {len(machine.calls): fault}

    try:
        assert refund(driver, paid, amount="25").status == 503
    except Crash:
        assert fault.startswith("crash")
    deliver_all(driver, machine)
    again = refund(driver, paid, amount="25")

    assert (again.status, refunded_minor(machine), available(driver)) == (201, 2500, 265)
    verify_ledger(driver, "user_1")


def test_what_went_back_at_stripe_meanwhile_is_not_given_back_again(
    driver: Driver, machine: Machine, paid: str
) -> None:
    """Why: the dashboard's refund is known at Stripe before it is known here."""
    (charge,) = machine.state.all_of(CHARGE).values()
    refunds.create_refund(machine.state, charge, machine.now, amount=4000)

    refused = refund(driver, paid)
    deliver_all(driver, machine)
    rest = refund(driver, paid, "r2")

    assert (refused.status, refused["code"]) == (409, "not_refundable")
    assert (rest.status, refunded_minor(machine), available(driver)) == (201, 5000, 15)


def test_a_dispute_that_is_lost_and_one_that_is_won(
    driver: Driver, machine: Machine, paid: str
) -> None:
    (charge,) = machine.state.all_of(CHARGE).values()
    dispute = disputes.open_dispute(machine.state, charge, machine.now)
    deliver_all(driver, machine, is_backwards=True)
    assert (available(driver), state_of(driver, paid)["status"]) == (15, "disputed")

    disputes.win(machine.state, dispute, machine.now)
    deliver_all(driver, machine, is_backwards=True)

    assert (available(driver), state_of(driver, paid)["status"]) == (515, "paid")
    verify_ledger(driver, "user_1")


def test_without_a_key_for_stripe_nothing_can_go_back(
    driver: Driver, paid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")

    answer = refund(driver, paid)

    assert (answer.status, answer["code"]) == (503, "payments_unavailable")
    assert available(driver) == 515
