"""The cards and banks that a test may pay with: Stripe's own test numbers, by what they do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How a way to pay behaves.

    `declines` is the bank's reason, and `is_good_once` lets the first payment, with the customer
    present, through all the same. `authenticates`: each payment needs the customer's confirmation.
    `dispute` is what a payment is followed by: nothing, `inquiry` or `chargeback`. `refund` is the
    status that a refund begins with. `is_bank`: the money comes days later, or never.
    """

    last4: str
    label: str
    declines: str = ""
    is_good_once: bool = False
    authenticates: bool = False
    dispute: str = ""
    refund: str = "succeeded"
    is_bank: bool = False


CARDS = {
    "good": Card(last4="4242", label="A card that works"),
    "declined": Card(last4="0002", label="A card that is declined", declines="generic_decline"),
    "no_funds": Card(last4="9995", label="A card without money", declines="insufficient_funds"),
    "declined_later": Card(
        last4="0341",
        label="A card that is declined at later payments",
        declines="generic_decline",
        is_good_once=True,
    ),
    "authenticates": Card(
        last4="3184", label="A card that asks for a confirmation each time", authenticates=True
    ),
    "disputed": Card(
        last4="0259", label="A card whose owner disputes the payment", dispute="chargeback"
    ),
    "inquiry": Card(
        last4="1976", label="A card whose owner asks about the payment", dispute="inquiry"
    ),
    "refund_pending": Card(
        last4="7726", label="A card to which refunds take days", refund="pending"
    ),
    "bank": Card(last4="6789", label="A bank account, which pays days later", is_bank=True),
}
