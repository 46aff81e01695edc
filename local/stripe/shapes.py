"""Objects as one version of Stripe's API shows them.

The state keeps objects as the API of 2020 shows them, without their lists of other objects. Since
2022-11-15 a payment shows its latest charge alone, and an invoice says its subscription in a
second place, too. Since 2025-03-31 an invoice and its lines no longer name charge, payment and
subscription at their top, and a subscription's period stands on its items.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from local.stripe.state import (
    BASIL,
    CHARGE,
    INVOICE,
    INVOICE_PAYMENT,
    MIDDLE,
    PAYMENT_INTENT,
    REFUND,
    SESSION,
    SUBSCRIPTION,
    Object,
    StripeState,
)


def shown(state: StripeState, about: Object, version: str | None = None) -> Object:
    """The object as the version shows it; without one, as the endpoint's version does."""
    kind = str(about["object"])
    day = (version or state.api_version)[:10]
    shows = _NEW if day >= BASIL[:10] else _BOTH if day >= MIDDLE else _OLD
    show = shows.get(kind)
    return dict(about) if show is None else show(state, about)


def as_list(url: str, data: list[Object], *, has_total: bool = True) -> Object:
    """A list inside an object, which is short enough to be whole."""
    total: Object = {"total_count": len(data)} if has_total else {}
    return {"object": "list", "data": data, "has_more": False, **total, "url": url}


def without(about: Object, *names: str) -> Object:
    """The object with these members left out."""
    return {name: value for name, value in about.items() if name not in names}


# --------------------------------------------------------------------------------- until 2025


def _old_charge(state: StripeState, charge: Object) -> Object:
    refunds = [dict(each) for each in reversed(state.where(REFUND, charge=charge["id"]))]
    return {**charge, "refunds": as_list(f"/v1/charges/{charge['id']}/refunds", refunds)}


def _old_payment(state: StripeState, intent: Object) -> Object:
    of_it = reversed(state.where(CHARGE, payment_intent=intent["id"]))
    charges = [_old_charge(state, each) for each in of_it]
    url = f"/v1/charges?payment_intent={intent['id']}"
    return {**without(intent, "latest_charge"), "charges": as_list(url, charges)}


def _old_invoice(_state: StripeState, invoice: Object) -> Object:
    lines = as_list(f"/v1/invoices/{invoice['id']}/lines", list(invoice["lines"]))
    return {**without(invoice, "subscription_details"), "lines": lines}


def _old_subscription(_state: StripeState, subscription: Object) -> Object:
    item: Object = subscription["item"]
    return {
        **without(subscription, "item"),
        "items": as_list(_items_url(subscription), [item]),
        "plan": item["plan"],
        "quantity": 1,
    }


# ---------------------------------------------------------------------------------- since 2025


def _new_charge(_state: StripeState, charge: Object) -> Object:
    return without(charge, "invoice", "dispute", "order", "destination")


def _new_payment(_state: StripeState, intent: Object) -> Object:
    return without(intent, "invoice", "source")


def _new_invoice(state: StripeState, invoice: Object) -> Object:
    gone = ("charge", "payment_intent", "subscription", "subscription_details", "paid", "tax")
    gone_of_line = ("price", "plan", "proration", "proration_details", "subscription", "type")
    gone_of_line += ("subscription_item", "invoice_item", "tax_amounts", "tax_rates")
    both = _both_invoice(state, invoice)
    lines: list[Object] = [without(each, *gone_of_line) for each in both["lines"]["data"]]
    return {**without(both, *gone), "lines": {**both["lines"], "data": lines}}


def _both_invoice(_state: StripeState, invoice: Object) -> Object:
    """The invoice with everything in the old place and in the new one."""
    parent: Object | None = None
    if invoice["subscription"] is not None:
        details = {
            "metadata": invoice["subscription_details"]["metadata"],
            "subscription": invoice["subscription"],
        }
        parent = {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        }
    lines = [_both_line(invoice, each) for each in invoice["lines"]]
    shown_lines = as_list(f"/v1/invoices/{invoice['id']}/lines", lines)
    return {**invoice, "parent": parent, "lines": shown_lines}


def _both_line(invoice: Object, line: Object) -> Object:
    details: Object = {
        "invoice_item": line.get("invoice_item"),
        "proration": line["proration"],
        "proration_details": {"credited_items": None},
        "subscription": line["subscription"],
        "subscription_item": line["subscription_item"],
    }
    price: Object = line["price"]
    return {
        **line,
        "invoice": invoice["id"],
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
    }


def _new_subscription(_state: StripeState, subscription: Object) -> Object:
    period = ("current_period_start", "current_period_end")
    item: Object = {**subscription["item"], **{name: subscription[name] for name in period}}
    return {
        **without(subscription, "item", *period),
        "items": as_list(_items_url(subscription), [item]),
    }


def _items_url(subscription: Object) -> str:
    return f"/v1/subscription_items?subscription={subscription['id']}"


def _session(state: StripeState, session: Object) -> Object:
    """An open page has its address; one that is over has none."""
    is_open = session["status"] == "open"
    url = f"{state.page_url}/checkout/{session['id']}" if is_open else None
    return {**without(session, "items", "intended", "subscribed"), "url": url}


Show = Callable[[StripeState, Object], Object]
_OLD: dict[str, Show] = {
    CHARGE: _old_charge,
    PAYMENT_INTENT: _old_payment,
    INVOICE: _old_invoice,
    SUBSCRIPTION: _old_subscription,
    SESSION: _session,
}
_BOTH: dict[str, Show] = {
    INVOICE: _both_invoice,
    SUBSCRIPTION: _old_subscription,
    SESSION: _session,
}
_NEW: dict[str, Show] = {
    CHARGE: _new_charge,
    PAYMENT_INTENT: _new_payment,
    INVOICE: _new_invoice,
    SUBSCRIPTION: _new_subscription,
    SESSION: _session,
}


def expanded(state: StripeState, about: Object, paths: list[str], version: str) -> Object:
    """The object as the version shows it, with the named members whole instead of their ids.

    Shape: `paths` are members of the object, or of one of its expanded members after a point.
    """
    result = shown(state, about, version)
    for path in sorted(paths):
        name, _, rest = path.partition(".")
        if name == "payments" and about["object"] == INVOICE:
            result[name] = _payments_of(state, about)
        value = result.get(name)
        if isinstance(value, str):
            found = _find_any(state, value)
            if found is not None:
                result[name] = expanded(state, found, [rest] if rest else [], version)
        elif isinstance(value, dict) and rest:
            whole = cast("Object", value)
            inner = whole.get(rest)
            found = _find_any(state, inner) if isinstance(inner, str) else None
            if found is not None:
                result[name] = {**whole, rest: shown(state, found, version)}
    return result


def _payments_of(state: StripeState, invoice: Object) -> Object:
    paid = [dict(each) for each in state.where(INVOICE_PAYMENT, invoice=invoice["id"])]
    return as_list(f"/v1/invoice_payments?invoice={invoice['id']}", paid, has_total=False)


def _find_any(state: StripeState, id_: str) -> Object | None:
    return next((kind[id_] for kind in state.objects.values() if id_ in kind), None)
