"""Payments: what Stripe says about a purchase, and what becomes of the purchase by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tollkeeper.domain.purchases import Purchase, PurchaseStatus, moved


class PaymentOutcome(StrEnum):
    """What became of an event that Stripe sent."""

    GRANTED = "granted"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Payment:
    """What one Stripe event says about the payment page of a purchase.

    `status` is what the purchase would become by it alone. `is_live` is None where the event
    does not say. Units: `subtotal_minor` in the currency's smallest unit, before tax, shipping
    and discounts.
    """

    event: str
    type: str
    purchase: str
    status: PurchaseStatus
    session: str
    currency: str
    subtotal_minor: int | None
    is_live: bool | None
    created_at: datetime
    payment_intent: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event does to a purchase: the status it moves to, or None where it stays."""

    outcome: PaymentOutcome
    status: PurchaseStatus | None = None
    reason: str = ""


# Why: events come in any order, so a purchase only ever moves to a higher rank. What was paid or
# quarantined stays so; a page that failed or expired after all can still turn out to be paid.
RANK = {
    PurchaseStatus.CREATED: 0,
    PurchaseStatus.PENDING: 1,
    PurchaseStatus.EXPIRED: 2,
    PurchaseStatus.FAILED: 3,
    PurchaseStatus.PAID: 4,
    PurchaseStatus.QUARANTINED: 4,
}


def judge_payment(purchase: Purchase, payment: Payment, *, expects_live: bool) -> Verdict:
    """What the event does to the purchase, whatever came before it.

    Why: money that is not the money this purchase asked for is never turned into credits, and
    never passed over in silence; news of another payment page that moved no money is.
    """
    mismatch = find_mismatch(purchase, payment, expects_live=expects_live)
    if payment.status is PurchaseStatus.PAID:
        return _judge_money(purchase, mismatch)
    if mismatch or RANK[payment.status] <= RANK[purchase.status]:
        return Verdict(PaymentOutcome.IGNORED, reason=mismatch)
    return Verdict(PaymentOutcome(payment.status.value), payment.status)


def _judge_money(purchase: Purchase, mismatch: str) -> Verdict:
    match purchase.status:
        case PurchaseStatus.QUARANTINED:
            return Verdict(PaymentOutcome.QUARANTINED, reason=purchase.reason)
        case PurchaseStatus.PAID if mismatch:
            return Verdict(PaymentOutcome.QUARANTINED, reason=f"paid before, and {mismatch}")
        case PurchaseStatus.PAID:
            return Verdict(PaymentOutcome.DUPLICATE)
        case _ if mismatch:
            return Verdict(PaymentOutcome.QUARANTINED, PurchaseStatus.QUARANTINED, mismatch)
        case _:
            return Verdict(PaymentOutcome.GRANTED, PurchaseStatus.PAID)


def find_mismatch(purchase: Purchase, payment: Payment, *, expects_live: bool) -> str:
    """The first thing in which the payment is not what the purchase recorded, or nothing.

    Why: a purchase without a session was recorded just before a crash; its page is its own,
    but nobody wrote down which.
    """
    if payment.is_live is not expects_live:
        return f"livemode is {payment.is_live}, not {expects_live}"
    if purchase.session and payment.session != purchase.session:
        return f"the session is {payment.session}, not {purchase.session}"
    if payment.currency != purchase.currency:
        return f"the currency is {payment.currency}, not {purchase.currency}"
    if payment.subtotal_minor != purchase.price_minor:
        return f"the amount is {payment.subtotal_minor}, not {purchase.price_minor}"
    return ""


def follow(purchase: Purchase, payment: Payment, verdict: Verdict) -> Purchase:
    """The purchase as an event without a grant leaves it, in its next version."""
    assert verdict.status is not None, "the event moves the purchase"
    return moved(
        purchase,
        verdict.status,
        reason=verdict.reason,
        payment_intent=payment.payment_intent or purchase.payment_intent,
    )
