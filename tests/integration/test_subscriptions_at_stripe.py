"""Subscriptions through Stripe's SDK and the simulated Stripe, with every event that it sends."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from local.stripe import subscriptions
from local.stripe.prices import add_price
from local.stripe.state import BASIL, MIDDLE, OLD, SESSION, SUBSCRIPTION, Object
from tests.support.driving import Driver, verify_ledger
from tests.support.payments import HOME, deliver_raw, state_of
from tests.support.stripe_machine import Machine
from tests.support.subscribing import plan_of, subscribe, use_plans

ORDERS = ("as they come", "backwards", "shuffled")


@pytest.fixture(autouse=True, params=[OLD, MIDDLE, BASIL])
def version(
    request: pytest.FixtureRequest,
    driver: Driver,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    """Plans that are paid at Stripe, whose events have the shapes of this version."""
    assert driver, "the table is made first"
    machine.state.api_version = request.param
    use_plans(monkeypatch, tmp_path)


def tell(driver: Driver, machine: Machine, order: str = ORDERS[0]) -> None:
    """Stripe tells all it has to tell, each thing twice, until each is answered 200."""
    waiting = [event for event in machine.events() for _ in range(2)]
    if order == "backwards":
        waiting.reverse()
    if order == "shuffled":
        Random(7).shuffle(waiting)
    for _ in range(4):
        answers = [(event, deliver_raw(driver, json.dumps(event))) for event in waiting]
        assert {answer.status for _, answer in answers} <= {200, 503}, answers
        waiting = [event for event, answer in answers if answer.status == 503]
    assert not waiting


def begun(driver: Driver, machine: Machine, plan: str = "studio") -> Object:
    """A customer has subscribed to the plan on Stripe's page."""
    opened = subscribe(driver, plan)
    assert opened.status == 201, opened.text
    (session,) = machine.state.all_of(SESSION)
    assert machine.pays(session)
    (found,) = machine.state.all_of(SUBSCRIPTION).values()
    return found


def pass_month(driver: Driver) -> None:
    """The period is over by an hour."""
    driver.clock.moment += timedelta(days=31, hours=1)


@pytest.mark.parametrize("order", ORDERS)
def test_a_subscription_is_begun_on_the_page_and_its_first_invoice_brings_the_plan(
    driver: Driver, machine: Machine, order: str
) -> None:
    begun(driver, machine)

    tell(driver, machine, order)

    assert plan_of(driver) == ("studio", "stripe", 500)
    (session,) = machine.state.all_of(SESSION)
    purchase = machine.state.find(SESSION, session)["metadata"]["purchase_id"]
    assert state_of(driver, purchase)["status"] == "paid"
    body = {"account": "user_1", "return_url": f"{HOME}/account"}
    assert driver.call("POST /v1/portal", body).status == 201
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("order", ORDERS)
def test_it_is_renewed_raised_and_ended_as_stripe_tells(
    driver: Driver, machine: Machine, order: str
) -> None:
    subscription = begun(driver, machine)
    tell(driver, machine, order)
    pass_month(driver)
    subscriptions.renew(machine.state, subscription, machine.now)
    tell(driver, machine, order)
    driver.deduct("user_1", "sms", "d1", quantity=100)
    house = add_price(
        machine.state,
        machine.now,
        amount=9000,
        currency="usd",
        name="House",
        interval="month",
        id_="price_house",
    )
    driver.clock.moment += timedelta(days=3)
    subscriptions.upgrade(machine.state, subscription, house, machine.now)
    tell(driver, machine, order)
    raised = plan_of(driver)

    subscriptions.cancel_now(machine.state, subscription, machine.now)
    tell(driver, machine, order)

    assert raised == ("house", "stripe", 2900)
    assert plan_of(driver) == ("free", "calendar", 15)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("order", ORDERS)
def test_who_subscribes_again_after_a_renewal_before_its_time_has_what_is_paid(
    driver: Driver, machine: Machine, order: str
) -> None:
    first = begun(driver, machine)
    tell(driver, machine, order)
    subscriptions.renew(machine.state, first, machine.now)
    subscriptions.cancel_now(machine.state, first, machine.now)
    tell(driver, machine, order)
    driver.clock.moment += timedelta(minutes=1)
    assert subscribe(driver, "studio", key="again").status == 201
    page = next(e for e in machine.state.all_of(SESSION).values() if e["status"] == "open")
    assert machine.pays(page["id"])

    tell(driver, machine, order)

    assert plan_of(driver) == ("studio", "stripe", 500)
    verify_ledger(driver, "user_1")


def test_a_renewal_that_fails_costs_the_plan_after_the_grace_until_it_is_paid(
    driver: Driver, machine: Machine
) -> None:
    subscription = begun(driver, machine)
    tell(driver, machine)
    pass_month(driver)
    subscriptions.renew(machine.state, subscription, machine.now, is_paid=False)
    tell(driver, machine)
    in_grace = plan_of(driver)
    driver.clock.moment += timedelta(days=4)
    after_grace = plan_of(driver)

    subscriptions.pay_open_invoice(machine.state, subscription, machine.now)
    tell(driver, machine)

    assert in_grace == ("studio", "stripe", 500)
    assert after_grace == ("free", "calendar", 15)
    assert plan_of(driver) == ("studio", "stripe", 500)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("order", ORDERS)
def test_an_operator_refunds_an_invoice_as_a_pack(
    driver: Driver, machine: Machine, order: str
) -> None:
    begun(driver, machine)
    tell(driver, machine, order)
    listed = driver.call("GET /v1/accounts/{id}/purchases", path={"id": "user_1"})["purchases"]
    (invoice,) = [each["purchase_id"] for each in listed if each["kind"] == "invoice"]
    route = "POST /v1/purchases/{purchase_id}/refund"

    answer = driver.call(route, {"reason": "asked"}, path={"purchase_id": invoice}, key="r1")
    tell(driver, machine, order)

    assert (answer.status, answer["status"]) == (201, "refunded")
    assert plan_of(driver) == ("studio", "stripe", 0)
    verify_ledger(driver, "user_1")


def test_what_was_paid_adds_up_over_the_page_and_its_invoices(
    driver: Driver, machine: Machine
) -> None:
    subscription = begun(driver, machine)
    pass_month(driver)
    subscriptions.renew(machine.state, subscription, machine.now)
    tell(driver, machine)

    page = driver.call("GET /v1/accounts/{id}/purchases", path={"id": "user_1"})

    assert sorted((p["kind"], p["price"], p["paid"]) for p in page["purchases"]) == [
        ("invoice", "20.00", "20.00"),
        ("invoice", "20.00", "20.00"),
        ("plan", "20.00", "0.00"),
    ]


def test_an_end_that_no_webhook_told_of_is_found_in_stripes_events(
    driver: Driver, machine: Machine
) -> None:
    subscription = begun(driver, machine)
    tell(driver, machine)
    assert plan_of(driver) == ("studio", "stripe", 500)
    subscriptions.cancel_now(machine.state, subscription, machine.now)
    since, until = (driver.clock.now() + timedelta(hours=hours) for hours in (-1, 1))
    asked = {"from": since.isoformat()[:19] + "Z", "to": until.isoformat()[:19] + "Z"}

    first = driver.call("POST /v1/reconcile", asked)
    again = driver.call("POST /v1/reconcile", asked)

    assert plan_of(driver)[:2] == ("free", "calendar")
    assert [told["what"] for told in first["healed"]] == ["ended"]
    assert first["healed"][0]["kind"] == "ended_subscriptions"
    assert (again["healed"], again["differs"]) == ([], [])
    tell(driver, machine)
    assert plan_of(driver)[:2] == ("free", "calendar")
