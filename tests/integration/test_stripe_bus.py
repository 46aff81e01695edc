"""The second door: Stripe's events as EventBridge brings them, with the same effects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Driver, FakeContext, load
from tests.support.faults import FaultyClient
from tests.support.money_back import REFUNDED, charge_of, event_about
from tests.support.payments import FakeStripe, available, deliver, grants, report
from tollkeeper.domain.errors import BusyError, MalformedError

pytestmark = pytest.mark.usefixtures("stripe")
SOURCE = "aws.partner/stripe.com/ed_test_61U8OhWNACpdhq6GG16"
RECORDED = (
    Path(__file__).parents[2].parent
    / "shared"
    / "data"
    / "stripe"
    / "eventbridge.invoice.paid.2026-02.json"
)


def bring(detail: Any, source: str = SOURCE) -> Any:
    """What the function answers to the event on the bus."""
    event: dict[str, Any] = {
        "version": "0",
        "id": "dd63deb4-3939-774e-9fdf-5cf9457742d0",
        "detail-type": "checkout.session.completed",
        "source": source,
        "account": "123456789012",
        "time": "2026-11-20T12:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }
    return load("purchase_webhook").handler(event, FakeContext())


def test_an_event_from_the_bus_has_the_effect_of_a_delivery(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    assert bring(report(driver, stripe, bought)) == {"outcome": "granted"}
    assert bring(event_about(driver, REFUNDED, charge_of(bought, 2500))) == {"outcome": "refunded"}
    assert available(driver) == 265


def test_both_doors_at_once_grant_once(driver: Driver, stripe: FakeStripe, bought: str) -> None:
    event = report(driver, stripe, bought)

    first = bring(event)
    second = deliver(driver, event)
    third = bring(event)

    assert (first["outcome"], second["outcome"]) == ("granted", "duplicate")
    assert third == {"outcome": "duplicate"}
    assert (available(driver), len(grants(driver))) == (515, 1)


def test_what_fails_raises_so_that_it_is_brought_again(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought)
    faults.forget()
    faults.plan = dict.fromkeys(range(2000), "throttled")

    with pytest.raises(BusyError):
        bring(event)
    faults.forget()

    assert bring(event) == {"outcome": "granted"}
    assert available(driver) == 515


@pytest.mark.parametrize("detail", [None, [], "x", {}, {"id": "evt_1"}, {"a": "\ud800"}])
def test_what_is_no_event_raises_and_ends_in_the_queue(driver: Driver, detail: Any) -> None:
    assert driver
    with pytest.raises(MalformedError):
        bring(detail)


@pytest.mark.parametrize("source", ["aws.s3", "stripe", "x.aws.partner/stripe.com/a", ""])
def test_nobody_else_comes_in_by_that_door(
    driver: Driver, stripe: FakeStripe, bought: str, source: str
) -> None:
    event = report(driver, stripe, bought)

    with pytest.raises(KeyError, match="requestContext"):
        bring(event, source)

    assert available(driver) == 15


def test_no_request_looks_like_an_event_of_the_bus(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    event = driver.event("POST /v1/webhooks/stripe", raw=json.dumps(report(driver, stripe, bought)))
    event |= {"source": SOURCE, "detail": report(driver, stripe, bought)}

    answer = load("purchase_webhook").handler(event, FakeContext())

    assert answer["statusCode"] == 400
    assert available(driver) == 15


@pytest.mark.skipif(
    not RECORDED.is_file(), reason="the recorded event is not beside this repository"
)
def test_the_recorded_event_of_the_bus_is_taken(driver: Driver) -> None:
    assert driver
    event = json.loads(RECORDED.read_text(encoding="utf-8"))

    assert load("purchase_webhook").handler(event, FakeContext()) == {"outcome": "ignored"}
