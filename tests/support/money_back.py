"""Stripe's events about money after it was paid, and refunds that somebody asks for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.support.driving import Driver
from tollkeeper.domain.errors import NotRefundableError, PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.service.ports import RefundMade

PRICE = 5000
NUMBERS = itertools.count(1)

REFUNDED = "charge.refunded"
CHARGED = "charge.succeeded"
DISPUTED = "charge.dispute.created"
DISPUTE_UPDATED = "charge.dispute.updated"
DISPUTE_CLOSED = "charge.dispute.closed"
WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"


def event_about(driver: Driver, type_: str, object_: dict[str, Any], **changes: Any) -> Any:
    """An event about the object, made now."""
    return {
        "id": f"evt_money_{next(NUMBERS)}",
        "object": "event",
        "api_version": "2026-03-25.dahlia",
        "created": int(driver.clock.now().timestamp()),
        "data": {"object": object_},
        "livemode": False,
        "type": type_,
        **changes,
    }


def ids_of(purchase_id: str) -> tuple[str, str]:
    """The payment intent and the charge that pay the purchase."""
    number = purchase_id.removeprefix("pur_")
    return f"pi_{number}", f"ch_{number}"


def charge_of(purchase_id: str, refunded: int = 0, **changes: Any) -> dict[str, Any]:
    """The charge of the purchase's payment, in the shape of 2026."""
    payment_intent, charge = ids_of(purchase_id)
    return {
        "id": charge,
        "object": "charge",
        "amount": PRICE,
        "amount_captured": PRICE,
        "amount_refunded": refunded,
        "currency": "usd",
        "metadata": {"purchase_id": purchase_id},
        "payment_intent": payment_intent,
    } | changes


def dispute_of(
    purchase_id: str, status: str = "needs_response", *, amount: int = PRICE, **changes: Any
) -> dict[str, Any]:
    """A dispute of the purchase's payment."""
    payment_intent, charge = ids_of(purchase_id)
    dispute: dict[str, Any] = {
        "id": f"dp_{charge[3:]}",
        "object": "dispute",
        "amount": amount,
        "charge": charge,
        "currency": "usd",
        "metadata": {},
        "payment_intent": payment_intent,
        "status": status,
    }
    return dispute | changes


@dataclass
class FakeRefunds:
    """Makes refunds as Stripe does: once for each key, never more than was charged.

    `refusals` and `lost` are calls, counted from 0, that fail before or after they work.
    """

    charged: int = PRICE
    refunded: int = 0
    made: dict[str, RefundMade] = field(default_factory=dict[str, RefundMade])
    calls: int = 0
    refusals: set[int] = field(default_factory=set[int])
    lost: set[int] = field(default_factory=set[int])

    def refund(self, purchase: Purchase, ask: RefundAsk) -> RefundMade:
        """The refund, the same one for the same request."""
        call, self.calls = self.calls, self.calls + 1
        if call in self.refusals:
            raise PaymentsUnavailableError("Stripe is not there.")
        key = f"{purchase.id} {ask.key}"
        if key not in self.made:
            if self.refunded + ask.amount_minor > self.charged:
                raise NotRefundableError("Stripe refuses: too much.")
            self.refunded += ask.amount_minor
            self.made[key] = RefundMade(
                refund=f"re_{len(self.made)}",
                charge=ids_of(purchase.id)[1],
                payment_intent=purchase.payment_intent,
                charged_minor=self.charged,
                refunded_minor=self.refunded,
            )
        if call in self.lost:
            raise PaymentsUnavailableError("Stripe's answer got lost.")
        return self.made[key]
