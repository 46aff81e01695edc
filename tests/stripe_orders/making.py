"""Stripe's events as it would send them, in the shapes of 2020 and of 2025: made by hand.

Only what a reader could look at is there, and some of what it should not. Times are seconds since
1970, amounts are in the currency's smallest unit.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
OLD, NEW = "2020-08-27", "2025-09-30.clover"
SHAPES = (OLD, NEW)
DAY = 86_400


@dataclass
class Maker:
    """Makes events of one endpoint, each with an id of its own."""

    shape: str = OLD
    at: int = 1_795_000_000
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def is_new(self) -> bool:
        """The shapes are those of 2025."""
        return self.shape == NEW

    def event(self, type_: str, found: Object, *, livemode: bool = False) -> Object:
        """An event about the object."""
        number = next(self.numbers)
        return {
            "id": f"evt_{number:024d}",
            "object": "event",
            "api_version": self.shape,
            "created": self.at + number,
            "data": {"object": found},
            "livemode": livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }

    # ---- Payments

    def session(self, bought: Object, *, status: str = "paid", **changes: Any) -> Object:
        """The payment page of a purchase."""
        own = bought["purchase_id"].removeprefix("pur_")
        return {
            "id": f"cs_test_{own}",
            "object": "checkout.session",
            "amount_subtotal": bought["price_minor"],
            "amount_total": bought["price_minor"],
            "client_reference_id": bought["purchase_id"],
            "created": self.at,
            "currency": bought["currency"],
            "customer": None,
            "invoice": None,
            "livemode": False,
            "metadata": {"purchase_id": bought["purchase_id"], "account": bought["account"]},
            "mode": "payment",
            "payment_intent": f"pi_{own}",
            "payment_status": status,
            "status": "complete",
            "subscription": None,
            **changes,
        }

    def charge(self, intent: str, amount: int, *, refunded: int = 0, **changes: Any) -> Object:
        """A charge. In the shapes of 2025 it no longer carries its refunds or its invoice."""
        charge: Object = {
            "id": f"ch_{intent.removeprefix('pi_')}",
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": refunded,
            "captured": True,
            "created": self.at,
            "currency": "usd",
            "disputed": False,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": intent,
            "refunded": refunded == amount,
            "status": "succeeded",
        }
        if not self.is_new:
            charge |= {"invoice": None, "refunds": {"object": "list", "data": []}}
        return charge | changes

    def dispute(self, intent: str, amount: int, *, status: str, **changes: Any) -> Object:
        """A dispute of the payment's charge. `intent: ""` names only the charge."""
        dispute: Object = {
            "id": f"dp_{intent.removeprefix('pi_')}",
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": f"ch_{intent.removeprefix('pi_')}",
            "created": self.at,
            "currency": "usd",
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": intent,
            "reason": "fraudulent",
            "status": status,
        }
        return dispute | changes

    def intent(self, bought: Object, status: str, **changes: Any) -> Object:
        """The payment intent of a purchase that is paid by a saved card."""
        own = bought["purchase_id"].removeprefix("pur_")
        return {
            "id": f"pi_{own}",
            "object": "payment_intent",
            "amount": bought["price_minor"],
            "amount_received": bought["price_minor"] if status == "succeeded" else 0,
            "created": self.at,
            "currency": bought["currency"],
            "customer": "cus_ada",
            "last_payment_error": None,
            "latest_charge": f"ch_{own}",
            "livemode": False,
            "metadata": {"purchase_id": bought["purchase_id"], "account": bought["account"]},
            "status": status,
            **changes,
        }

    # ---- Subscriptions

    def line(self, name: str, terms: Object, *, start: int, end: int, **changes: Any) -> Object:
        """A line of an invoice: a price, its period and whether it is a proration."""
        is_proration = bool(changes.pop("proration", False))
        subscription = str(changes.pop("subscription", "sub_ada"))
        metadata = changes.pop("metadata", {})
        line: Object = {
            "id": name,
            "object": "line_item",
            "amount": terms["amount"],
            "currency": terms["currency"],
            "livemode": False,
            "metadata": metadata,
            "period": {"start": start, "end": end},
            "quantity": 1,
        }
        price = {
            "id": terms["price"],
            "object": "price",
            "currency": terms["currency"],
            "lookup_key": terms.get("lookup_key"),
            "recurring": {"interval": "month", "interval_count": 1},
            "unit_amount": terms["unit_amount"] if "unit_amount" in terms else terms["amount"],
        }
        if not self.is_new:
            own: Object = {
                "price": price,
                "plan": {"id": terms["price"], "object": "plan", "interval": "month"},
                "proration": is_proration,
                "subscription": subscription,
                "subscription_item": "si_ada",
                "type": "invoiceitem" if is_proration else "subscription",
            }
            return line | own | changes
        details = {
            "proration": is_proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription,
            "subscription_item": "si_ada",
        }
        kind = "invoice_item_details" if is_proration else "subscription_item_details"
        line["parent"] = {
            "type": kind,
            "invoice_item_details": details if is_proration else None,
            "subscription_item_details": None if is_proration else details,
        }
        line["pricing"] = {
            "type": "price_details",
            "price_details": {"price": terms["price"], "product": "prod_1"},
            "unit_amount_decimal": str(price["unit_amount"]),
        }
        return line | changes

    def invoice(
        self, name: str, lines: list[Object], *, created: int, reason: str, **changes: Any
    ) -> Object:
        """A paid invoice of a subscription. Its own period is useless, as in real ones."""
        subscription = str(changes.pop("subscription", "sub_ada"))
        metadata = changes.pop("metadata", {})
        amount = sum(line["amount"] for line in lines)
        invoice: Object = {
            "id": f"in_{name}",
            "object": "invoice",
            "amount_due": amount,
            "amount_paid": amount,
            "billing_reason": reason,
            "created": created,
            "currency": "usd",
            "customer": "cus_ada",
            "lines": {"object": "list", "data": lines, "has_more": False},
            "livemode": False,
            "metadata": {},
            "period_start": created,
            "period_end": created,
            "status": "paid",
            "subtotal": amount,
            "total": amount,
        }
        details = {"metadata": metadata, "subscription": subscription}
        if self.is_new:
            invoice["parent"] = {"type": "subscription_details", "subscription_details": details}
        else:
            invoice |= {
                "subscription": subscription,
                "subscription_details": {"metadata": metadata},
                "paid": True,
                "charge": f"ch_{name}",
                "payment_intent": f"pi_{name}",
            }
        return invoice | changes

    def invoice_payment(self, name: str, amount: int) -> Object:
        """What paid an invoice, in the shapes of 2025."""
        return {
            "id": f"inpay_{name}",
            "object": "invoice_payment",
            "amount_paid": amount,
            "amount_requested": amount,
            "created": self.at,
            "currency": "usd",
            "invoice": f"in_{name}",
            "is_default": True,
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
            "status": "paid",
        }

    def subscription(
        self, terms: Object, *, status: str, start: int, end: int, **changes: Any
    ) -> Object:
        """A subscription. Since 2025 its period is on its items."""
        metadata = changes.pop("metadata", {})
        item: Object = {
            "id": "si_ada",
            "object": "subscription_item",
            "price": {"id": terms["price"], "object": "price", "currency": terms["currency"]},
            "quantity": 1,
        }
        period = {"current_period_start": start, "current_period_end": end}
        subscription: Object = {
            "id": "sub_ada",
            "object": "subscription",
            "canceled_at": end if status == "canceled" else None,
            "cancel_at_period_end": False,
            "created": start,
            "customer": "cus_ada",
            "ended_at": end if status == "canceled" else None,
            "items": {"object": "list", "data": [item | (period if self.is_new else {})]},
            "livemode": False,
            "metadata": metadata,
            "status": status,
        }
        return subscription | ({} if self.is_new else period) | changes
