"""Invoices of a subscription as Stripe sends them, in old and new shapes."""

from __future__ import annotations

from typing import Any

PURCHASE = "pur_" + "1" * 32
OURS = {"account": "user_1", "plan": "studio", "purchase_id": PURCHASE}


def an_event(type_: str, found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The event about the object."""
    event = {"id": "evt_1", "object": "event", "type": type_, "created": 1795176000}
    return {**event, "livemode": False, "data": {"object": found}, **changes}


def old_invoice(**changes: Any) -> dict[str, Any]:
    """A renewal in the shapes before 2025."""
    line = {
        "id": "il_1",
        "amount": 2000,
        "currency": "usd",
        "period": {"start": 1795176000, "end": 1797768000},
        "price": {"id": "price_1", "lookup_key": "studio", "unit_amount": 2000},
        "proration": False,
        "subscription": "sub_1",
        "metadata": OURS,
        "type": "subscription",
    }
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "created": 1795176100,
        "currency": "usd",
        "amount_paid": 2200,
        "billing_reason": "subscription_cycle",
        "charge": "ch_1",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "period_start": 1795176100,
        "period_end": 1795176100,
        "status": "paid",
        "paid": True,
        "subscription": "sub_1",
        "subscription_details": {"metadata": OURS},
        "lines": {"object": "list", "data": [line], "has_more": False},
    }
    return invoice | changes


def new_invoice(**changes: Any) -> dict[str, Any]:
    """The same renewal in the shapes since 2025."""
    line = {
        "id": "il_1",
        "amount": 2000,
        "currency": "usd",
        "period": {"start": 1795176000, "end": 1797768000},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": "price_1", "product": "prod_1"},
            "unit_amount_decimal": "2000",
        },
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"proration": False, "subscription": "sub_1"},
        },
        "metadata": OURS,
    }
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "created": 1795176100,
        "currency": "usd",
        "amount_paid": 2200,
        "billing_reason": "subscription_cycle",
        "customer": "cus_1",
        "status": "paid",
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": OURS, "subscription": "sub_1"},
        },
        "payments": {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]},
        "lines": {"object": "list", "data": [line], "has_more": False},
    }
    return invoice | changes
