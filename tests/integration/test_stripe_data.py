"""Every recorded Stripe event, re-signed, goes through the webhook with the result stated here.

The events are read from where they lie beside the repository; without them nothing is shown here.
No authentic event says that a session is unpaid, expired, or paid or failed later: those are
derived from the one completed session by changing type, status and payment_status only.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Driver, verify_ledger
from tests.support.faults import FaultyClient
from tests.support.payments import (
    COMPLETED,
    EXPIRED,
    FAILED,
    SUCCEEDED,
    available,
    buy,
    deliver,
    deliver_raw,
    state_of,
)
from tollkeeper.domain.purchases import Purchase
from tollkeeper.edge import wiring
from tollkeeper.service.ports import CheckoutPage

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "stripe"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded Stripe events are not beside this repository"
)

SESSION_FILE = "2020-08-27.checkout.session.completed.srm.json"

# As it lies there: nothing in these events names a purchase. Money that went back is remembered
# for a payment that may become known; a dispute that only asks (`warning_...`) moved none.
EVENTS = {
    "2017-12-14.charge.dispute.funds_reinstated.srm.json": "remembered",
    "2017-12-14.charge.dispute.funds_withdrawn.srm.json": "remembered",
    "2020-08-27.charge.dispute.created.srm.json": "ignored",
    "2020-08-27.charge.failed.srm.json": "ignored",
    "2020-08-27.charge.refunded.srm.json": "remembered",
    "2020-08-27.charge.succeeded.srm.json": "ignored",
    SESSION_FILE: "ignored",
    "2020-08-27.customer.subscription.created.srm.json": "ignored",
    "2020-08-27.customer.subscription.deleted.srm.json": "remembered",
    "2020-08-27.customer.subscription.updated.srm.json": "ignored",
    "2020-08-27.invoice.paid.srm.json": "ignored",
    "2020-08-27.invoice.payment_action_required.srm.json": "ignored",
    "2020-08-27.payment_intent.payment_failed.srm.json": "ignored",
    "2020-08-27.payment_intent.requires_action.srm.json": "ignored",
    "2020-08-27.payment_intent.succeeded.srm.json": "ignored",
}
# These carry no event at the top.
NO_EVENTS = {
    "eventbridge.invoice.paid.2026-02.json",
    "object.basil.invoice.expanded.pay.json",
    "openapi_fixtures3.subset.json",
}

# The completed session, for a purchase that was recorded before: the type, what is changed of the
# session, the outcome, where the purchase stands then, and what is available (15 before).
STORIES: list[tuple[str, dict[str, str], str, str, int]] = [
    (COMPLETED, {}, "granted", "paid", 515),
    (COMPLETED, {"payment_status": "unpaid"}, "pending", "pending", 15),
    (COMPLETED, {"payment_status": "no_payment_required"}, "granted", "paid", 515),
    (SUCCEEDED, {}, "granted", "paid", 515),
    (FAILED, {"payment_status": "unpaid"}, "failed", "failed", 15),
    (EXPIRED, {"status": "expired", "payment_status": "unpaid"}, "expired", "expired", 15),
]


class RecordedPage:
    """The gateway that opened the recorded session."""

    def open_checkout(
        self,
        purchase: Purchase,
        *,
        success_url: str,
        cancel_url: str,
        interval: str = "",
        saves_card: bool = False,
    ) -> CheckoutPage:
        """The recorded session's page."""
        del purchase, success_url, cancel_url, interval, saves_card
        session = read(SESSION_FILE)["data"]["object"]
        return CheckoutPage(url="https://checkout.stripe.test/1", session=session["id"])

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The customer's page."""
        del return_url, key
        return f"https://billing.stripe.test/{customer}"


def read(file: str) -> dict[str, Any]:
    """The file as JSON."""
    return json.loads((DATA / file).read_text(encoding="utf-8"))


@pytest.fixture
def recorded(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A purchase at the price of the recorded session, which is 30.00 in usd."""
    use_catalog(monkeypatch, tmp_path, ('price = "50.00"', 'price = "30.00"'))
    monkeypatch.setattr(wiring, "stripe_gateway", RecordedPage)
    driver.deduct("user_1", "sms", "b-1")
    driver.void("user_1", "b-1", "b-2")
    return buy(driver)["purchase_id"]


def session_event(purchase_id: str, type_: str, **changes: str) -> dict[str, Any]:
    """The recorded event with what our checkout puts on a session, and these changes."""
    event = read(SESSION_FILE)
    session = event["data"]["object"]
    session |= {
        "metadata": {"purchase_id": purchase_id, "account": "user_1"},
        "client_reference_id": purchase_id,
        **changes,
    }
    return event | {"id": "evt_fresh_1", "type": type_}


def test_every_file_has_its_place_in_a_table() -> None:
    assert {path.name for path in DATA.glob("*.json")} == set(EVENTS) | NO_EVENTS


@pytest.mark.parametrize("file", EVENTS)
def test_a_recorded_event_has_the_stated_outcome(
    driver: Driver, faults: FaultyClient, file: str
) -> None:
    event = read(file) | {"id": f"evt_fresh_{list(EVENTS).index(file)}"}

    fresh = deliver(driver, event)
    as_it_lies = deliver_raw(driver, (DATA / file).read_text(encoding="utf-8"))

    then = "duplicate" if EVENTS[file] == "remembered" else EVENTS[file]
    assert (fresh.status, fresh["outcome"]) == (200, EVENTS[file])
    assert (as_it_lies.status, as_it_lies["outcome"]) == (200, then)
    writes = faults.calls.count("TransactWriteItems")
    assert writes == (1 if EVENTS[file] == "remembered" else 0)


def money_event(file: str, purchase_id: str, number: int, **changes: Any) -> dict[str, Any]:
    """The recorded event about money, of the recorded session's payment and its own charge."""
    event: dict[str, Any] = read(file) | {"id": f"evt_money_{number}"}
    event["data"]["object"] |= changes
    if event["data"]["object"]["object"] == "charge":
        event["data"]["object"]["metadata"] = {"purchase_id": purchase_id}
    return event


def test_the_recorded_refund_of_the_recorded_session_takes_its_share(
    driver: Driver, recorded: str
) -> None:
    """Only ids and amounts are changed, so that both are about one payment of 30.00."""
    session = session_event(recorded, COMPLETED)
    intent = session["data"]["object"]["payment_intent"]
    amounts = {"amount": 3000, "amount_captured": 3000, "amount_refunded": 750}
    file = "2020-08-27.charge.refunded.srm.json"
    refund = money_event(file, recorded, 1, payment_intent=intent, **amounts)

    early = deliver(driver, refund)
    granted = deliver(driver, session)
    again = deliver(driver, refund | {"id": "evt_money_2"})

    outcomes = [each["outcome"] for each in (early, granted, again)]
    assert outcomes == ["remembered", "granted", "duplicate"]
    assert available(driver) == 15 + 375
    verify_ledger(driver, "user_1")


def test_the_recorded_dispute_of_2017_is_found_by_the_recorded_charge(
    driver: Driver, recorded: str
) -> None:
    """The dispute names the charge alone, and asks for more than was charged."""
    session = session_event(recorded, COMPLETED)
    intent = session["data"]["object"]["payment_intent"]
    events = [
        session,
        money_event(
            "2020-08-27.charge.succeeded.srm.json",
            recorded,
            1,
            id="ch_1Bl3mKGWCopOTFn1LKoN557r",
            payment_intent=intent,
            amount=3000,
            amount_captured=3000,
        ),
        money_event(
            "2017-12-14.charge.dispute.funds_withdrawn.srm.json",
            recorded,
            2,
            charge="ch_1Bl3mKGWCopOTFn1LKoN557r",
        ),
    ]
    for order in itertools.permutations(events):
        for event in order:
            assert deliver(driver, event).status == 200
        assert (available(driver), state_of(driver, recorded)["status"]) == (15, "disputed")
    won = money_event(
        "2017-12-14.charge.dispute.funds_reinstated.srm.json",
        recorded,
        3,
        charge="ch_1Bl3mKGWCopOTFn1LKoN557r",
    )

    assert deliver(driver, won)["outcome"] == "reinstated"
    assert (available(driver), state_of(driver, recorded)["status"]) == (515, "paid")
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("story", STORIES, ids=lambda s: f"{s[0].rpartition('.')[2]}-{s[2]}")
def test_the_recorded_session_of_a_purchase_has_the_stated_outcome(
    driver: Driver, recorded: str, story: tuple[str, dict[str, str], str, str, int]
) -> None:
    type_, changes, outcome, status, credits = story
    event = session_event(recorded, type_, **changes)

    answer = deliver(driver, event)
    again = deliver(driver, event)

    assert (answer.status, answer["outcome"]) == (200, outcome)
    assert (again.status, again["outcome"]) == (200, "duplicate")
    assert state_of(driver, recorded)["status"] == status
    assert available(driver) == credits
    verify_ledger(driver, "user_1")


def test_the_recorded_session_of_another_price_is_quarantined(
    driver: Driver, recorded: str
) -> None:
    event = session_event(recorded, COMPLETED)
    event["data"]["object"]["amount_subtotal"] = 2999

    assert deliver(driver, event)["outcome"] == "quarantined"
    assert available(driver) == 15


@pytest.mark.parametrize("file", sorted(NO_EVENTS))
def test_what_is_no_event_is_400(driver: Driver, faults: FaultyClient, file: str) -> None:
    answer = deliver_raw(driver, (DATA / file).read_text(encoding="utf-8"))

    assert (answer.status, answer["code"]) == (400, "malformed")
    assert faults.calls == []


def test_the_event_inside_an_eventbridge_delivery_is_one(driver: Driver) -> None:
    detail = read("eventbridge.invoice.paid.2026-02.json")["detail"]

    answer = deliver(driver, detail)

    assert (answer.status, answer["outcome"]) == (200, "ignored")


def test_of_stripes_own_example_objects_only_the_event_is_one(driver: Driver) -> None:
    objects = read("openapi_fixtures3.subset.json")

    statuses = {name: deliver(driver, each).status for name, each in objects.items()}

    assert {name for name, status in statuses.items() if status == 200} == {"event"}
    assert set(statuses.values()) == {200, 400}
