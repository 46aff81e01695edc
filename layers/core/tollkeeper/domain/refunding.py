"""Money that an operator gives back: asked for once per key, and never more than was paid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.errors import (
    IdempotencyMismatchError,
    InvalidError,
    NotRefundableError,
)
from tollkeeper.domain.money import MICRO, minor_digits, show_price
from tollkeeper.domain.purchases import Purchase, PurchaseStatus, moved
from tollkeeper.domain.refund_asks import RefundAsk

MOST_ASKS = 20
KEYS_KEPT_FOR = timedelta(hours=23)
"""Stripe knows the key of a request for a day at least; a repeat after that would pay twice."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """How much of a purchase to give back, and why. None is all that is left.

    Units: `amount_micro` in millionths of the currency's main unit.
    """

    amount_micro: int | None
    reason: str


def find_ask(purchase: Purchase, key: EntryKey, request_hash: str) -> RefundAsk | None:
    """What was asked for with this key before. Raises: IdempotencyMismatchError."""
    for ask in purchase.refunds:
        if ask.key == key:
            if ask.request_hash != request_hash:
                raise IdempotencyMismatchError(
                    "This key was used before for another refund; nothing was changed."
                )
            return ask
    return None


def begin_refund(
    purchase: Purchase, request: RefundRequest, *, ask: RefundAsk
) -> tuple[Purchase, RefundAsk]:
    """The purchase with what is asked for, in its next version; and that, with its amount.

    Raises: NotRefundableError, InvalidError.
    """
    if purchase.status is not PurchaseStatus.PAID:
        raise NotRefundableError("Nothing was paid for this purchase that could go back.")
    if not purchase.payment_intent:
        raise NotRefundableError(
            "No payment of it is known here; what was paid goes back at Stripe."
        )
    if purchase.back.is_disputed:
        raise NotRefundableError("A dispute holds the money; what goes back is decided there.")
    if len(purchase.refunds) >= MOST_ASKS:
        raise NotRefundableError(f"A purchase can be refunded in {MOST_ASKS} parts at most.")
    left = left_minor(purchase)
    if left <= 0:
        raise NotRefundableError("All of the money went back before.")
    amount = _to_minor(request.amount_micro, purchase.currency) or left
    if amount > left:
        shown = show_price(left, purchase.currency)
        raise InvalidError("amount", f"must be at most {shown}, which is what is left")
    ask = replace(ask, amount_minor=amount)
    return moved(purchase, purchase.status, refunds=(*purchase.refunds, ask)), ask


def _to_minor(amount_micro: int | None, currency: str) -> int | None:
    """The amount in the currency's smallest unit. Raises: InvalidError for a part of that."""
    if amount_micro is None:
        return None
    digits = minor_digits(currency)
    minor, part = divmod(amount_micro * 10**digits, MICRO)
    if part or minor == 0:
        raise InvalidError("amount", f"must have at most {digits} decimals in {currency}")
    return minor


def left_minor(purchase: Purchase) -> int:
    """What of the money is still with us, less what was asked for and has no answer yet."""
    back = purchase.back
    asked = sum(ask.amount_minor for ask in purchase.refunds if not ask.refund)
    return (back.charged_minor or purchase.price_minor) - back.refunded_minor - asked


def refuse_forgotten(ask: RefundAsk, now: datetime) -> None:
    """Nothing, while Stripe still knows the request. Raises: NotRefundableError after that.

    Why: nobody knows whether the first try came through, and a second one could pay twice.
    """
    if now - ask.at > KEYS_KEPT_FOR:
        raise NotRefundableError(
            "Stripe gave no answer to this refund when it was asked for, and a repeat could pay "
            "twice by now. Look it up at Stripe; what it made is known here by its webhook."
        )


def end_refund(purchase: Purchase, ask: RefundAsk, refund: str) -> Purchase:
    """The purchase that knows what became of the request: its id, or nothing where refused."""
    done = replace(ask, refund=refund)
    kept = tuple(each for each in purchase.refunds if each.key != ask.key)
    refunds = (*kept, done) if refund else kept
    return moved(purchase, purchase.status, refunds=refunds)
