"""Payments: what Stripe says about a purchase, and what becomes of the purchase by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tollkeeper.domain.money_back import NO_MONEY_BACK, DisputeState, MoneyBack
from tollkeeper.domain.purchases import (
    PLAIN_PURCHASES,
    Purchase,
    PurchaseStatus,
    moved,
)


class PaymentOutcome(StrEnum):
    """What became of an event that Stripe sent."""

    GRANTED = "granted"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    REINSTATED = "reinstated"
    LINKED = "linked"
    REMEMBERED = "remembered"
    ENDED = "ended"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Payment:
    """What one Stripe event says about the payment of a purchase.

    `status` is what the purchase would become by it alone. It comes from a payment page, or
    where `session` is empty from the payment itself. `is_live` is None where the event does not
    say. `event` is empty where nothing was delivered and somebody looked it up.
    Units: the currency's smallest unit; `subtotal_minor` before tax, shipping and discounts,
    `charged_minor` after them, 0 where it is not known.
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
    charge: str = ""
    charged_minor: int = 0
    customer: str = ""
    subscription: str = ""
    payment_method: str = ""

    @property
    def subject(self) -> str:
        """What of Stripe's this is about: the payment, or the page where there is none."""
        return self.payment_intent or self.session

    @property
    def news(self) -> MoneyNews:
        """What it says of the money alone, whatever became of the purchase."""
        return MoneyNews(
            event=self.event,
            type=self.type,
            created_at=self.created_at,
            is_live=self.is_live,
            charge=self.charge,
            payment_intent=self.payment_intent,
            purchase=self.purchase,
            back=MoneyBack(charged_minor=self.charged_minor),
        )


@dataclass(frozen=True, slots=True)
class MoneyNews:
    """What one Stripe event says of a payment's money: what was charged, and what went back.

    The payment has up to three ids of Stripe's, and any of them may be the one that is known.
    `purchase` is the one that the payment's metadata names.
    """

    event: str
    type: str
    created_at: datetime
    is_live: bool | None
    back: MoneyBack = NO_MONEY_BACK
    charge: str = ""
    payment_intent: str = ""
    invoice: str = ""
    purchase: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The payment's ids, the one that other events lead to first."""
        given = (self.payment_intent, self.charge, self.invoice)
        return tuple(name for name in given if name)

    @property
    def outcome(self) -> PaymentOutcome:
        """What this is, where it is news."""
        if any(each.state is DisputeState.WITHDRAWN for each in self.back.disputes):
            return PaymentOutcome.DISPUTED
        if self.back.disputes:
            return PaymentOutcome.REINSTATED
        return PaymentOutcome.REFUNDED if self.back.refunded_minor else PaymentOutcome.LINKED


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """A refund that Stripe announced and could not make: the money is with us, not the customer.

    Units: `amount_minor` in the currency's smallest unit.
    """

    event: str
    type: str
    created_at: datetime
    is_live: bool | None
    refund: str
    amount_minor: int | None
    currency: str
    reason: str = ""
    charge: str = ""
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
    is_try = not payment.session and payment.status is not PurchaseStatus.PAID
    if is_try and purchase.session:
        # Why: the customer may try several times on a page; only the page can come to nothing.
        return Verdict(PaymentOutcome.IGNORED, reason="its page says what becomes of it")
    mismatch = find_mismatch(purchase, payment, expects_live=expects_live)
    if payment.status is PurchaseStatus.PAID:
        return _judge_money(purchase, mismatch or find_second(purchase, payment))
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


def find_second(purchase: Purchase, payment: Payment) -> str:
    """What says that the purchase was paid for twice, by this payment too; or nothing."""
    first, second = purchase.payment_intent, payment.payment_intent
    if purchase.status is not PurchaseStatus.PAID or not (first and second) or first == second:
        return ""
    return f"the payment is {second}, not {first}"


def find_mismatch(purchase: Purchase, payment: Payment, *, expects_live: bool) -> str:
    """The first thing in which the payment is not what the purchase recorded, or nothing.

    Why: a purchase without a session was recorded just before a crash; its page is its own,
    but nobody wrote down which.
    """
    if payment.is_live is not expects_live:
        return f"livemode is {payment.is_live}, not {expects_live}"
    if payment.session and purchase.session and payment.session != purchase.session:
        return f"the session is {payment.session}, not {purchase.session}"
    if payment.currency != purchase.currency:
        return f"the currency is {payment.currency}, not {purchase.currency}"
    if payment.subtotal_minor != purchase.price_minor:
        return f"the amount is {payment.subtotal_minor}, not {purchase.price_minor}"
    is_plain, begins = purchase.kind in PLAIN_PURCHASES, bool(payment.subscription)
    if payment.status is PurchaseStatus.PAID and begins is is_plain:
        return f"the subscription is {payment.subscription or None}"
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
