"""The simulated Stripe's objects against recorded ones: the same members, in the same place.

The recorded events and objects are read from where they lie beside the repository; without them
nothing is shown here. No recorded event says that a payment page was paid days later; its session
is the completed one's, with other statuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from local.stripe import checkout, customers, disputes, payments, prices, refunds, subscriptions
from local.stripe.shapes import shown
from local.stripe.state import (
    BASIL,
    INVOICE,
    INVOICE_PAYMENT,
    MIDDLE,
    OLD,
    SESSION,
    SUBSCRIPTION,
    Object,
    StripeState,
)

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "stripe"
NOW = 1_795_000_000

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded Stripe events are not beside this repository"
)

# What Stripe added to a version's objects after the recording was made, or has only for some.
LATER = {
    OLD: {
        "created",
        "invoice",
        "latest_charge",
        "cancellation_reason",
        "shipping_address_collection",
        "shipping_options",
        "custom_unit_amount",
        "bank_name",
        "us_bank_account",
        # A dispute of 2017 names the charge alone; the recorded line is of a single item.
        "payment_intent",
        "subscription_item",
    },
    MIDDLE: {"invoice_item", "paid"},
    BASIL: {"created", "paid_at", "payment_intent", "billing_thresholds", "order"},
}


def told(state: StripeState, type_: str) -> Object:
    """The object of the newest event of that type."""
    return next(e["data"]["object"] for e in reversed(state.events) if e["type"] == type_)


def sell(state: StripeState, card: str = "good", mode: str = "payment") -> Object:
    """A page that was opened and paid."""
    recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
    data = {"currency": "usd", "unit_amount": 3000, "product_data": {"name": "Pro"}, **recurring}
    params: Object = {
        "mode": mode,
        "line_items": [{"quantity": 1, "price_data": data}],
        "success_url": "https://a.example.com",
        "cancel_url": "https://a.example.com",
    }
    session = checkout.open_session(state, NOW, params)
    checkout.pay_session(state, session, NOW, card=card)
    return session


def make_refund(state: StripeState) -> None:
    """A charge that was paid back."""
    charge = checkout.charge_of(state, sell(state))
    assert charge is not None
    refunds.create_refund(state, charge, NOW)


def make_win(state: StripeState) -> None:
    """A dispute that was won."""
    sell(state, card="disputed")
    dispute = next(iter(state.all_of("dispute").values()))
    disputes.win(state, dispute, NOW)


def make_failure(state: StripeState, *, is_off_session: bool = True) -> None:
    """A payment by a saved card that was not made."""
    customer = customers.create_customer(state, NOW)
    method = customers.new_payment_method(state, NOW, card="authenticates")
    intent = payments.open_payment(
        state, NOW, amount=2000, currency="usd", customer=str(customer["id"])
    )
    payments.attempt(state, intent, NOW, method=method, is_off_session=is_off_session)


def make_subscription(state: StripeState) -> None:
    """A subscription that was begun, changed and ended."""
    session = sell(state, mode="subscription")
    subscription = state.find(SUBSCRIPTION, session["subscription"])
    price = prices.add_price(state, NOW, amount=9000, currency="usd", name="B", interval="month")
    subscriptions.upgrade(state, subscription, price, NOW + 1)
    subscriptions.cancel_now(state, subscription, NOW + 2)


# Of each recorded event: what makes the simulated one.
EVENTS: list[tuple[str, str, Callable[[StripeState], object]]] = [
    ("2017-12-14.charge.dispute.funds_reinstated", "charge.dispute.funds_reinstated", make_win),
    ("2017-12-14.charge.dispute.funds_withdrawn", "charge.dispute.funds_withdrawn", make_win),
    ("2020-08-27.charge.dispute.created", "charge.dispute.created", make_win),
    ("2020-08-27.charge.failed", "charge.failed", make_failure),
    ("2020-08-27.charge.refunded", "charge.refunded", make_refund),
    ("2020-08-27.charge.succeeded", "charge.succeeded", sell),
    ("2020-08-27.checkout.session.completed", "checkout.session.completed", sell),
    (
        "2020-08-27.customer.subscription.created",
        "customer.subscription.created",
        make_subscription,
    ),
    (
        "2020-08-27.customer.subscription.updated",
        "customer.subscription.updated",
        make_subscription,
    ),
    (
        "2020-08-27.customer.subscription.deleted",
        "customer.subscription.deleted",
        make_subscription,
    ),
    ("2020-08-27.invoice.paid", "invoice.paid", make_subscription),
    ("2020-08-27.payment_intent.payment_failed", "payment_intent.payment_failed", make_failure),
    ("2020-08-27.payment_intent.succeeded", "payment_intent.succeeded", sell),
    (
        "2020-08-27.payment_intent.requires_action",
        "payment_intent.requires_action",
        lambda state: make_failure(state, is_off_session=False),
    ),
]


@pytest.mark.parametrize(("file", "type_", "make"), EVENTS, ids=[each[0] for each in EVENTS])
def test_an_event_of_2020_has_the_members_of_the_recorded_one(
    file: str, type_: str, make: Callable[[StripeState], object]
) -> None:
    state = StripeState(api_version=OLD)
    make(state)
    recorded = json.loads((DATA / f"{file}.srm.json").read_text(encoding="utf-8"))
    event = next(e for e in reversed(state.events) if e["type"] == type_)

    found = {**event, "data": {"object": event["data"]["object"]}}
    problems = list(differences(found, recorded, later=LATER[OLD]))

    assert problems == []


def test_an_invoice_of_2022_says_everything_in_both_places() -> None:
    state = StripeState(api_version=MIDDLE)
    sell(state, mode="subscription")
    recorded = json.loads((DATA / "eventbridge.invoice.paid.2026-02.json").read_text())

    problems = differences(
        told(state, "invoice.paid"), recorded["detail"]["data"]["object"], later=LATER[MIDDLE]
    )

    assert list(problems) == []


def test_an_invoice_of_2025_names_its_lines_prices_as_the_recorded_one() -> None:
    state = StripeState(api_version=BASIL)
    sell(state, mode="subscription")
    invoice = told(state, "invoice.paid")
    recorded = json.loads((DATA / "object.basil.invoice.expanded.pay.json").read_text())
    # This one is of single items, and shows beside its own members those of before.
    invoice["parent"] = None
    line = invoice["lines"]["data"][0]
    line["parent"]["subscription_item_details"] = None

    assert list(differences(invoice, recorded, later=LATER[BASIL])) == []
    gone = {"charge", "payment_intent", "subscription", "subscription_details", "paid"}
    assert gone & set(invoice) == set()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SESSION, "checkout.session"),
        ("charge", "charge"),
        ("refund", "refund"),
        ("payment_intent", "payment_intent"),
        (SUBSCRIPTION, "subscription"),
        (INVOICE, "invoice"),
        (INVOICE_PAYMENT, "invoice_payment"),
        ("customer", "customer"),
        ("payment_method", "payment_method"),
        ("billing_portal.session", "billing_portal.session"),
    ],
)
def test_objects_of_2025_have_members_that_stripes_own_schema_has(kind: str, name: str) -> None:
    state = StripeState(api_version=BASIL)
    sell(state, mode="subscription")
    make_refund(state)
    schema = json.loads((DATA / "openapi_fixtures3.subset.json").read_text())[name]
    if kind == "billing_portal.session":
        from local.stripe.portal import open_portal

        open_portal(state, NOW, customer=next(iter(state.all_of("customer"))), return_url=None)

    made = shown(state, next(iter(state.all_of(kind).values())))

    unknown = set(made) - set(schema) - LATER[BASIL] - SINCE_THEN.get(name, set())
    assert unknown == set()


# Members that the sample of the schema leaves out because they are empty or of an older time.
SINCE_THEN = {
    "checkout.session": {"total_details"},
    "payment_intent": {"transfer_group"},
    "charge": {"application_fee"},
    "subscription": {"discount", "default_source"},
    "customer": {"default_source"},
    "invoice": {"discounts"},
}


# What is not of one shape: it depends on the card, or on us.
FREE = ("metadata", "payment_method_details", "next_action")


def differences(
    found: object, recorded: object, *, later: set[str], place: str = ""
) -> Iterator[str]:
    """Each member that the recorded object has not, or has with another type."""
    if found is None or recorded is None or place.endswith(FREE):
        return
    if type(found) is not type(recorded):
        yield f"{place} is {type(found).__name__}, {type(recorded).__name__} in the recorded one"
    elif isinstance(found, dict):
        own, theirs = cast("dict[str, Any]", found), cast("dict[str, Any]", recorded)
        for name, value in own.items():
            if name not in theirs and name not in later:
                yield f"{place}.{name} is not in the recorded one"
            yield from differences(value, theirs.get(name), later=later, place=f"{place}.{name}")
    elif isinstance(found, list):
        both = zip(cast("list[object]", found), cast("list[object]", recorded), strict=False)
        for number, (one, other) in enumerate(both):
            yield from differences(one, other, later=later, place=f"{place}[{number}]")
