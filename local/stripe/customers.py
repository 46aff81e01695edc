"""Customers and the ways to pay that are saved with them."""

from __future__ import annotations

from local.stripe.cards import CARDS
from local.stripe.events import emit
from local.stripe.refusals import refused
from local.stripe.state import CUSTOMER, PAYMENT_METHOD, Object, StripeState

NO_ADDRESS: Object = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state"), None
)


def create_customer(
    state: StripeState,
    now: int,
    *,
    email: str | None = None,
    name: str | None = None,
    metadata: Object | None = None,
) -> Object:
    """A new customer."""
    customer = state.add(
        CUSTOMER,
        now,
        {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": email,
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": dict(metadata or {}),
            "name": name,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        },
    )
    emit(state, "customer.created", customer, now)
    return customer


def new_payment_method(state: StripeState, now: int, *, card: str) -> Object:
    """A way to pay that belongs to nobody yet. `card` is one of CARDS."""
    behaviour = CARDS[card]
    details: Object = {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{behaviour.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": behaviour.last4,
        "networks": {"available": ["visa"], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    kind = "us_bank_account" if behaviour.is_bank else "card"
    body = {"last4": behaviour.last4, "bank_name": "TEST BANK"} if behaviour.is_bank else details
    billing: Object = {"address": dict(NO_ADDRESS), "email": None, "name": None, "phone": None}
    members: Object = {
        "billing_details": billing,
        kind: body,
        "customer": None,
        "metadata": {},
        "type": kind,
    }
    return state.add(PAYMENT_METHOD, now, members)


def card_of(method: Object) -> str:
    """The name in CARDS by which the way to pay behaves."""
    last4 = str(method[method["type"]]["last4"])
    return next(name for name, card in CARDS.items() if card.last4 == last4)


def attach(state: StripeState, method: Object, customer: Object, now: int) -> None:
    """The way to pay is saved with the customer.

    Raises: StripeRefusedError where it is another customer's.
    """
    if method["customer"] == customer["id"]:
        return
    if method["customer"] is not None:
        raise refused("The payment method you provided has already been attached to a customer.")
    method["customer"] = customer["id"]
    emit(state, "payment_method.attached", method, now)


def detach(state: StripeState, method: Object, now: int) -> None:
    """The way to pay is no longer saved; a subscription that used it has none."""
    before = {"customer": method["customer"]}
    method["customer"] = None
    emit(state, "payment_method.detached", method, now, previous=before)


def saved_with(state: StripeState, customer: str) -> list[Object]:
    """The ways to pay that the customer saved, newest first."""
    return list(reversed(state.where(PAYMENT_METHOD, customer=customer)))
