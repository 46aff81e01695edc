"""Reconcile in front of the simulated Stripe: what its API lists heals what no webhook told of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.stripe import checkout, disputes, refunds
from local.stripe.state import BASIL, OLD, SESSION, Object, StripeState
from tests.support.driving import Driver, verify_ledger
from tests.support.payments import available, buy, deliver_raw, state_of
from tests.support.stripe_machine import Machine, plug_in


@pytest.fixture(params=[OLD, BASIL])
def machine(driver: Driver, monkeypatch: pytest.MonkeyPatch, request: Any) -> Machine:
    """A Stripe account in each shape, which the functions speak to through the SDK."""
    made = Machine(driver.clock, StripeState(api_version=request.param))
    plug_in(monkeypatch, made)
    return made


def reconcile(driver: Driver) -> Any:
    """What a request for yesterday and today answers."""
    now = driver.clock.now()
    body = {
        "from": now.replace(hour=0).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "to": now.replace(hour=23).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    answer = driver.call("POST /v1/reconcile", body)
    assert answer.status == 200, answer.text
    assert answer["is_finished"] is True
    return answer


def bought(driver: Driver, machine: Machine) -> tuple[str, Object]:
    """A purchase and its page at Stripe."""
    purchase = buy(driver)["purchase_id"]
    pages = machine.state.all_of(SESSION).values()
    (page,) = [each for each in pages if each["client_reference_id"] == purchase]
    return purchase, page


def test_whatever_no_webhook_told_is_healed_from_what_the_api_lists(
    driver: Driver, machine: Machine
) -> None:
    purchase, page = bought(driver, machine)
    checkout.pay_session(machine.state, page, machine.now)
    charge = checkout.charge_of(machine.state, page)
    assert charge is not None
    refunds.create_refund(machine.state, charge, machine.now + 60, amount=1000)
    dispute = disputes.open_dispute(machine.state, charge, machine.now + 120)

    first = reconcile(driver)

    assert state_of(driver, purchase)["status"] == "disputed"
    assert available(driver) == 15
    assert first["healed"] and not first["differs"]
    disputes.win(machine.state, dispute, machine.now + 180)
    reconcile(driver)
    last = reconcile(driver)

    assert state_of(driver, purchase)["status"] == "partially_refunded"
    assert available(driver) == 15 + 400
    assert (last["healed"], last["differs"]) == ([], [])
    verify_ledger(driver, "user_1")


def test_what_was_healed_is_not_done_again_by_the_events_that_come_late(
    driver: Driver, machine: Machine
) -> None:
    purchase, page = bought(driver, machine)
    checkout.pay_session(machine.state, page, machine.now)
    charge = checkout.charge_of(machine.state, page)
    assert charge is not None
    refunds.create_refund(machine.state, charge, machine.now + 60, amount=2500)
    reconcile(driver)
    rows = len(driver.entries("user_1"))

    for event in (*machine.state.events, *reversed(machine.state.events)):
        assert deliver_raw(driver, json.dumps(event)).status == 200

    assert len(driver.entries("user_1")) == rows
    assert available(driver) == 15 + 250
    assert state_of(driver, purchase)["status"] == "partially_refunded"
