"""The events of checkout and purchase_webhook in events/, replayed as API Gateway sends them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import Answered, Driver, FakeContext, load, read_answer
from tests.support.payments import FakeStripe
from tollkeeper.edge.authorization import gatehouse
from tollkeeper.edge.routes import ROUTES
from tollkeeper.service.keys import adopt_key

FOLDER = Path(__file__).parents[2] / "events"
BUS = "purchase_webhook.bus"  # the same payment, by the other door
KEY = "tk_dev_0123456789ab_example"

# In this order, in one table: what each answers, and a member of the answer.
REPLAYED = {
    "checkout.packs": (200, "packs", None),
    "checkout.catalog": (200, "operations", None),
    "checkout.portal": (409, "code", "no_customer"),
    "checkout.open": (201, "purchase_id", "pur_63567596c2fbb1e92cf7f805b3a491a7"),
    "checkout.open_elsewhere": (422, "code", "invalid"),
    "purchase_webhook.not_ours": (200, "outcome", "ignored"),
    "purchase_webhook.forged": (400, "code", "malformed"),
    "purchase_webhook.unpaid_base64": (200, "outcome", "pending"),
    "purchase_webhook.paid": (200, "outcome", "granted"),
    "checkout.purchase": (200, "status", "paid"),
    "checkout.refund": (201, "status", "partially_refunded"),
}


def replay(name: str) -> Answered:
    """What the event's function answers to it."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    function = name.partition(".")[0]
    assert ROUTES[event["routeKey"]].function == function
    return read_answer(load(function).handler(event, FakeContext()))


def test_the_table_has_every_event_of_the_two_functions() -> None:
    files = {
        path.stem
        for function in ("checkout", "purchase_webhook")
        for path in FOLDER.glob(f"{function}.*.json")
    }

    assert files == set(REPLAYED) | {BUS}


@pytest.mark.usefixtures("stripe", "refunds")
def test_every_event_is_answered_as_the_table_says(driver: Driver) -> None:
    assert driver, "there is a table"
    adopt_key(gatehouse(), KEY, name="example", scopes=("purchase", "read"))

    for name, (status, member, value) in REPLAYED.items():
        if name == "checkout.refund":
            event = json.loads((FOLDER / f"{BUS}.json").read_text(encoding="utf-8"))
            answered = load("purchase_webhook").handler(event, FakeContext())
            assert answered == {"outcome": "duplicate"}
        answer = replay(name)
        assert answer.status == status, (name, answer.text)
        assert answer[member] if value is None else answer[member] == value, name


def test_the_examples_are_signed_for_the_moment_of_the_tests(
    driver: Driver, stripe: FakeStripe
) -> None:
    assert stripe.calls == 0
    driver.clock.forward(minutes=6)

    assert replay("purchase_webhook.paid").status == 400
