"""Our readers on the simulated Stripe's events: the same facts in every version's shapes."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import Any, cast

import pytest

from local.stripe import checkout, disputes, refunds, subscriptions
from local.stripe.state import BASIL, MIDDLE, OLD, SUBSCRIPTION, Object, StripeState
from tollkeeper.edge.stripe_events import read_fact

NOW = 1_795_000_000
PURCHASE = "pur_" + "1" * 32
NAMED = {"purchase_id": PURCHASE, "account": "user_1"}


def sell(state: StripeState, mode: str, card: str = "good") -> Object:
    """A page of ours that was paid."""
    recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
    data = {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "A"}, **recurring}
    about = "subscription_data" if mode == "subscription" else "payment_intent_data"
    params: Object = {
        "mode": mode,
        "line_items": [{"quantity": 1, "price_data": data}],
        "success_url": "https://a.example.com",
        "client_reference_id": PURCHASE,
        "metadata": NAMED,
        about: {"metadata": {**NAMED, "plan": "studio"}},
    }
    session = checkout.open_session(state, NOW, params)
    checkout.pay_session(state, session, NOW, card=card)
    return session


def story(state: StripeState) -> None:
    """Everything that brings or takes credits, once."""
    later = sell(state, "payment", card="bank")
    checkout.settle_later(state, later, NOW + 1, is_paid=True)
    charge = checkout.charge_of(state, sell(state, "payment"))
    assert charge is not None
    refunds.create_refund(state, charge, NOW + 2, amount=500)
    disputes.win(state, disputes.open_dispute(state, charge, NOW + 3), NOW + 4)
    subscription = state.find(SUBSCRIPTION, sell(state, "subscription")["subscription"])
    subscriptions.renew(state, subscription, NOW + 5)
    subscriptions.cancel_now(state, subscription, NOW + 6)


def facts(version: str) -> dict[str, list[Any]]:
    """What our readers make of the story's events, by their type."""
    state = StripeState(api_version=version)
    story(state)
    found: dict[str, list[Any]] = {}
    for event in state.events:
        fact = read_fact(event)
        if fact is not None and is_dataclass(fact):
            found.setdefault(str(event["type"]), []).append(fact)
    return found


READ = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "invoice.paid",
    "customer.subscription.created",
    "customer.subscription.deleted",
}


@pytest.mark.parametrize("version", [OLD, MIDDLE, BASIL])
def test_every_event_that_moves_credits_is_read(version: str) -> None:
    found = set(facts(version))

    assert found >= READ
    assert ("invoice_payment.paid" in found) is (version == BASIL)


@pytest.mark.parametrize("type_", sorted(READ))
def test_a_fact_is_the_same_in_every_version(type_: str) -> None:
    # The ids differ by the events that only some versions send; what they count does not.
    told = [[comparable(fact) for fact in facts(v)[type_]] for v in (OLD, MIDDLE, BASIL)]

    assert told[0] == told[1] == told[2]


def comparable(fact: Any) -> dict[str, Any]:
    """The fact without ids, and whether each is there; no newer event names an invoice's charge."""
    members = asdict(fact)
    gone = {"charge", "payment_intent"} if type(fact).__name__ == "InvoicePaid" else set[str]()
    return {name: _plain(value) for name, value in members.items() if name not in gone}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "id" if "_" in value and value[-14:].isalnum() and value != PURCHASE else value
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value
