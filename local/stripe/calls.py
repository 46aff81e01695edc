"""The calls of Stripe's API that this project makes, with the parameters that it sends.

Why: whatever else is asked is refused, so that a call nobody has looked at cannot pass a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.stripe import checkout, customers, payments, portal, refunds
from local.stripe.lists import list_page, read_list
from local.stripe.parameters import FLAG, MAP, TEXT, WHOLE
from local.stripe.refusals import invalid, missing, refused
from local.stripe.shapes import expanded, shown
from local.stripe.state import (
    CHARGE,
    CUSTOMER,
    DISPUTE,
    INVOICE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    REFUND,
    SESSION,
    Object,
    StripeState,
)

LEAST_MINOR = 50
LONGEST_REFERENCE = 200

PRICE_DATA = {
    "currency!": TEXT,
    "unit_amount!": WHOLE,
    "product_data!": {"name!": TEXT},
    "recurring": {"interval!": ("month", "year")},
}
SESSION_CREATE = {
    "mode!": ("payment", "subscription"),
    "line_items!": [{"price": TEXT, "price_data": PRICE_DATA, "quantity!": WHOLE}],
    "success_url!": TEXT,
    "cancel_url": TEXT,
    "client_reference_id": TEXT,
    "customer": TEXT,
    "customer_creation": ("always", "if_required"),
    "metadata": MAP,
    "payment_intent_data": {
        "metadata": MAP,
        "setup_future_usage": ("off_session", "on_session"),
    },
    "subscription_data": {"metadata": MAP},
}
PAYMENT_CREATE = {
    "amount!": WHOLE,
    "currency!": TEXT,
    "customer": TEXT,
    "payment_method": TEXT,
    "confirm": FLAG,
    "off_session": FLAG,
    "automatic_payment_methods": {"enabled!": FLAG, "allow_redirects": ("always", "never")},
    "description": TEXT,
    "metadata": MAP,
}
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
REFUND_CREATE = {
    "charge": TEXT,
    "payment_intent": TEXT,
    "amount": WHOLE,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": MAP,
    "expand": [TEXT],
}
LIST = {
    "created": {"gt": WHOLE, "gte": WHOLE, "lt": WHOLE, "lte": WHOLE},
    "limit": WHOLE,
    "starting_after": TEXT,
    "expand": [TEXT],
}
FILTERS: Mapping[str, Mapping[str, Any]] = {
    SESSION: {"customer": TEXT, "payment_intent": TEXT, "subscription": TEXT},
    CHARGE: {"customer": TEXT, "payment_intent": TEXT},
    REFUND: {"charge": TEXT, "payment_intent": TEXT},
    DISPUTE: {"charge": TEXT, "payment_intent": TEXT},
    INVOICE: {"customer": TEXT, "subscription": TEXT, "status": ("open", "paid")},
    PAYMENT_INTENT: {"customer": TEXT},
}
PATHS = {
    "/v1/checkout/sessions": SESSION,
    "/v1/charges": CHARGE,
    "/v1/refunds": REFUND,
    "/v1/disputes": DISPUTE,
    "/v1/invoices": INVOICE,
    "/v1/payment_intents": PAYMENT_INTENT,
}
READABLE = {
    **{path: PATHS[path] for path in ("/v1/checkout/sessions", "/v1/charges", "/v1/refunds")},
    "/v1/invoices": INVOICE,
    "/v1/payment_intents": PAYMENT_INTENT,
    "/v1/customers": CUSTOMER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request whose parameters were read. `id` is the id in its path, if it has one."""

    state: StripeState
    now: int
    url: str
    params: Object
    version: str
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a method and path take, and do."""

    method: str
    path: str
    takes: Mapping[str, Any]
    does: Callable[[Asked], Object]

    def match(self, method: str, path: str) -> str | None:
        """The id in the path, or an empty text where it has none; None where it is another's."""
        pattern = re.escape(self.path).replace(r"\{id\}", "([A-Za-z0-9_]{1,255})")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else "".join(found.groups())


def _create_session(asked: Asked) -> Object:
    if len(asked.params.get("client_reference_id", "")) > LONGEST_REFERENCE:
        raise invalid("Invalid string: too long", param="client_reference_id")
    session = checkout.open_session(asked.state, asked.now, asked.params)
    return shown(asked.state, session, asked.version)


def _create_portal(asked: Asked) -> Object:
    return portal.open_portal(
        asked.state,
        asked.now,
        customer=str(asked.params["customer"]),
        return_url=asked.params.get("return_url"),
    )


def _create_customer(asked: Asked) -> Object:
    return customers.create_customer(asked.state, asked.now, **asked.params)


def _create_payment(asked: Asked) -> Object:
    state, params = asked.state, asked.params
    if params["amount"] < LEAST_MINOR:
        message = "Amount must be at least $0.50 usd"
        raise invalid(message, param="amount", code="amount_too_small")
    customer: str | None = params.get("customer")
    if customer is not None:
        state.find(CUSTOMER, customer, param="customer")
    is_confirmed_now = bool(params.get("confirm"))
    method: Object | None = None
    if "payment_method" in params:
        method = state.find(PAYMENT_METHOD, params["payment_method"], param="payment_method")
        if method["customer"] != customer:
            raise missing(PAYMENT_METHOD, str(method["id"]), param="payment_method")
    if is_confirmed_now and method is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise refused(message, code="payment_intent_unexpected_state")
    if params.get("off_session") and not is_confirmed_now:
        raise invalid("You may only specify `off_session` with `confirm`.", param="off_session")
    intent = payments.open_payment(
        state,
        asked.now,
        amount=int(params["amount"]),
        currency=str(params["currency"]),
        customer=customer,
        payment_method=params.get("payment_method"),
        metadata=params.get("metadata"),
        description=params.get("description"),
    )
    if is_confirmed_now and method is not None:
        is_off_session = bool(params.get("off_session"))
        payments.attempt(state, intent, asked.now, method=method, is_off_session=is_off_session)
        payments.refuse_failed(state, intent, asked.version)
    return shown(state, intent, asked.version)


def _cancel_payment(asked: Asked) -> Object:
    intent = asked.state.find(PAYMENT_INTENT, asked.id, status=404)
    reason = asked.params.get("cancellation_reason")
    payments.cancel_payment(asked.state, intent, asked.now, reason=reason)
    return shown(asked.state, intent, asked.version)


def _create_refund(asked: Asked) -> Object:
    state, params = asked.state, asked.params
    if ("charge" in params) is ("payment_intent" in params):
        message = "You must provide either a Charge or a PaymentIntent."
        raise invalid(message, param="charge", code="parameter_missing")
    charge_id = params.get("charge")
    if charge_id is None:
        intent = state.find(PAYMENT_INTENT, params["payment_intent"], param="payment_intent")
        charge_id = intent["latest_charge"]
        if charge_id is None:
            message = f"This PaymentIntent ({intent['id']}) does not have a successful charge."
            raise refused(message, param="payment_intent")
    refund = refunds.create_refund(
        state,
        state.find(CHARGE, charge_id, param="charge"),
        asked.now,
        amount=params.get("amount"),
        reason=params.get("reason"),
        metadata=params.get("metadata"),
    )
    return expanded(state, refund, params.get("expand") or [], asked.version)


def _list_methods(asked: Asked) -> Object:
    asked.state.find(CUSTOMER, asked.id, status=404)
    params = {**asked.params, "customer": asked.id}
    return read_list(
        asked.state, PAYMENT_METHOD, url=asked.url, params=params, version=asked.version
    )


def _reader(kind: str) -> Callable[[Asked], Object]:
    def read(asked: Asked) -> Object:
        found = asked.state.find(kind, asked.id, status=404)
        return expanded(asked.state, found, asked.params.get("expand") or [], asked.version)

    return read


def _lister(kind: str) -> Callable[[Asked], Object]:
    def read(asked: Asked) -> Object:
        return read_list(
            asked.state, kind, url=asked.url, params=asked.params, version=asked.version
        )

    return read


def _list_events(asked: Asked) -> Object:
    return list_page(asked.state.events, "event", url=asked.url, params=asked.params)


CALLS = (
    Call(method="POST", path="/v1/checkout/sessions", takes=SESSION_CREATE, does=_create_session),
    Call(
        method="POST",
        path="/v1/billing_portal/sessions",
        takes={"customer!": TEXT, "return_url": TEXT},
        does=_create_portal,
    ),
    Call(
        method="POST",
        path="/v1/customers",
        takes={"email": TEXT, "name": TEXT, "metadata": MAP},
        does=_create_customer,
    ),
    Call(method="POST", path="/v1/payment_intents", takes=PAYMENT_CREATE, does=_create_payment),
    Call(
        method="POST",
        path="/v1/payment_intents/{id}/cancel",
        takes={"cancellation_reason": CANCEL_REASONS},
        does=_cancel_payment,
    ),
    Call(method="POST", path="/v1/refunds", takes=REFUND_CREATE, does=_create_refund),
    Call(
        method="GET",
        path="/v1/customers/{id}/payment_methods",
        takes={"type": ("card",), "limit": WHOLE},
        does=_list_methods,
    ),
    Call(method="GET", path="/v1/events", takes={**LIST, "type": TEXT}, does=_list_events),
    *(
        Call(method="GET", path=path, takes={**LIST, **FILTERS[kind]}, does=_lister(kind))
        for path, kind in PATHS.items()
    ),
    *(
        Call(method="GET", path=f"{path}/{{id}}", takes={"expand": [TEXT]}, does=_reader(kind))
        for path, kind in READABLE.items()
    ),
)
