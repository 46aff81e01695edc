"""Checkout sessions: a page on which a customer pays once, or subscribes."""

from __future__ import annotations

from local.stripe import payments
from local.stripe.cards import CARDS
from local.stripe.customers import attach, card_of, create_customer, new_payment_method
from local.stripe.events import emit
from local.stripe.prices import add_price
from local.stripe.refusals import invalid, refused
from local.stripe.state import (
    CHARGE,
    CUSTOMER,
    PAYMENT_INTENT,
    PRICE,
    SESSION,
    Object,
    StripeState,
)
from local.stripe.subscriptions import start_subscription

OPEN_S = 86_400


def open_session(state: StripeState, now: int, params: Object) -> Object:
    """A page that is open for a day. `params` are those of the API, read.

    Raises: StripeRefusedError for what cannot be together.
    """
    mode = str(params["mode"])
    _check(state, mode, params)
    items = [_priced(state, now, mode, line) for line in params["line_items"]]
    total = sum(int(each["price"]["unit_amount"]) * int(each["quantity"]) for each in items)
    currency = str(items[0]["price"]["currency"])
    creation = params.get("customer_creation")
    if mode == "payment" and not creation and not params.get("customer"):
        creation = "if_required"
    return state.add(
        SESSION,
        now,
        {
            "after_expiration": None,
            "allow_promotion_codes": None,
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "status": None},
            "billing_address_collection": None,
            "cancel_url": params.get("cancel_url"),
            "client_reference_id": params.get("client_reference_id"),
            "consent": None,
            "consent_collection": None,
            "currency": currency,
            "customer": params.get("customer"),
            "customer_creation": creation,
            "customer_details": None,
            "customer_email": None,
            "expires_at": now + OPEN_S,
            "invoice": None,
            "locale": None,
            "metadata": dict(params.get("metadata") or {}),
            "mode": mode,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "payment_status": "unpaid",
            "phone_number_collection": {"enabled": False},
            "recovered_from": None,
            "setup_intent": None,
            "shipping_address_collection": None,
            "shipping_options": [],
            "status": "open",
            "submit_type": None,
            "subscription": None,
            "success_url": params.get("success_url"),
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "items": items,
            "intended": dict(params.get("payment_intent_data") or {}),
            "subscribed": dict(params.get("subscription_data") or {}),
        },
    )


def pay_session(
    state: StripeState, session: Object, now: int, *, card: str = "good", is_confirmed: bool = True
) -> bool:
    """True where the page is complete: paid, or to be paid by a bank in some days.

    False where the card was declined or the customer did not confirm; the page stays open.
    Raises: StripeRefusedError where the page is not open any more.
    """
    expire_if_due(state, session, now)
    if session["status"] != "open":
        raise refused(f"This Checkout Session is {session['status']}.")
    method = new_payment_method(state, now, card=card)
    if session["mode"] == "subscription":
        return _subscribe(state, session, now, method=method)
    customer = _customer_of(state, session, now)
    intent = _intent_of(state, session, now, customer=customer)
    status = payments.attempt(state, intent, now, method=method, is_confirmed=is_confirmed)
    if status not in ("succeeded", "processing"):
        return False
    if customer is not None and session["intended"].get("setup_future_usage"):
        attach(state, method, customer, now)
    session["payment_intent"] = intent["id"]
    _complete(state, session, now, is_paid=status == "succeeded")
    return True


def settle_later(state: StripeState, session: Object, now: int, *, is_paid: bool) -> None:
    """The bank's answer to a completed page that was not paid yet."""
    payments.settle_bank(
        state, state.find(PAYMENT_INTENT, session["payment_intent"]), now, is_paid=is_paid
    )
    if is_paid:
        session["payment_status"] = "paid"
    word = "succeeded" if is_paid else "failed"
    emit(state, f"checkout.session.async_payment_{word}", session, now)


def expire(state: StripeState, session: Object, now: int) -> None:
    """Nobody can pay on the page any more. Raises: StripeRefusedError where it is not open."""
    if session["status"] != "open":
        raise refused("Only Checkout Sessions with a status of open can be expired.")
    session["status"] = "expired"
    emit(state, "checkout.session.expired", session, now)


def expire_if_due(state: StripeState, session: Object, now: int) -> None:
    """A page whose day is over has expired."""
    if session["status"] == "open" and now >= int(session["expires_at"]):
        expire(state, session, now)


def is_awaited(state: StripeState, session: Object) -> bool:
    """The page is complete, and its bank has not answered yet."""
    intent = state.all_of(PAYMENT_INTENT).get(str(session["payment_intent"]))
    return intent is not None and intent["status"] == "processing"


def charge_of(state: StripeState, session: Object) -> Object | None:
    """The charge that paid the page, if it is paid once and not by a subscription."""
    intent = state.all_of(PAYMENT_INTENT).get(str(session["payment_intent"]))
    return None if intent is None else state.all_of(CHARGE).get(str(intent["latest_charge"]))


def _check(state: StripeState, mode: str, params: Object) -> None:
    if params.get("customer"):
        state.find(CUSTOMER, params["customer"], param="customer")
        if params.get("customer_creation"):
            raise invalid(
                "You can only use one of `customer` and `customer_creation`.",
                param="customer_creation",
            )
    other = {"payment": "subscription_data", "subscription": "payment_intent_data"}[mode]
    if params.get(other):
        raise invalid(f"You can not pass `{other}` in `{mode}` mode.", param=other)
    if mode == "subscription" and params.get("customer_creation"):
        raise invalid(
            "`customer_creation` can only be used in `payment` and `setup` mode.",
            param="customer_creation",
        )


def _priced(state: StripeState, now: int, mode: str, line: Object) -> Object:
    """The line with its price. Raises: StripeRefusedError where the mode sells no such price."""
    data: Object | None = line.get("price_data")
    recurring: Object = (data or {}).get("recurring") or {}
    if data is None and not line.get("price"):
        raise invalid("You must specify either `price` or `price_data`.", param="line_items[0]")
    if data is None:
        price = state.find(PRICE, line["price"], param="line_items[0][price]")
    else:
        price = add_price(
            state,
            now,
            amount=int(data["unit_amount"]),
            currency=str(data["currency"]),
            name=str(data["product_data"]["name"]),
            interval=recurring.get("interval"),
            is_inline=True,
        )
    if (price["type"] == "recurring") is not (mode == "subscription"):
        raise invalid(
            f"A price of type {price['type']} cannot be sold in `{mode}` mode.",
            param="line_items[0]",
        )
    return {"price": dict(price), "quantity": int(line.get("quantity") or 1)}


def _customer_of(state: StripeState, session: Object, now: int) -> Object | None:
    if session["customer"]:
        return state.find(CUSTOMER, session["customer"])
    if session["customer_creation"] != "always" and session["mode"] == "payment":
        return None
    customer = create_customer(state, now, email="customer@example.com")
    session["customer"] = customer["id"]
    return customer


def _intent_of(state: StripeState, session: Object, now: int, *, customer: Object | None) -> Object:
    """The payment of the page: one, however often it is tried."""
    if session.get("payment_intent"):
        return state.find(PAYMENT_INTENT, session["payment_intent"])
    data: Object = session["intended"]
    intent = payments.open_payment(
        state,
        now,
        amount=int(session["amount_total"]),
        currency=str(session["currency"]),
        customer=None if customer is None else str(customer["id"]),
        metadata=data.get("metadata"),
        description=data.get("description"),
        setup_future_usage=data.get("setup_future_usage"),
    )
    session["payment_intent"] = intent["id"]
    return intent


def _subscribe(state: StripeState, session: Object, now: int, *, method: Object) -> bool:
    """True where the subscription has begun and its first invoice is paid.

    Why: a way to pay that is declined begins no subscription, and none is kept of it.
    """
    card = CARDS[card_of(method)]
    if card.is_bank:
        raise refused("A bank account cannot begin a subscription on this page.")
    if card.declines and not card.is_good_once:
        return False
    customer = _customer_of(state, session, now)
    assert customer is not None, "a subscription has a customer"
    price: Object = session["items"][0]["price"]
    attach(state, method, customer, now)
    subscription, invoice = start_subscription(
        state,
        now,
        customer=customer,
        price=price,
        method=method,
        metadata=session["subscribed"].get("metadata"),
    )
    session |= {"subscription": subscription["id"], "invoice": invoice["id"]}
    _complete(state, session, now, is_paid=bool(invoice["paid"]))
    return True


def _complete(state: StripeState, session: Object, now: int, *, is_paid: bool) -> None:
    session |= {
        "status": "complete",
        "payment_status": "paid" if is_paid else "unpaid",
        "customer_details": {
            "email": "customer@example.com",
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    emit(state, "checkout.session.completed", session, now)
