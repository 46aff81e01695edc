"""Stripe's invoices and subscriptions as facts, in the shapes of the versions 2017 to 2026.

What a line is for, and from when to when, is on the line: an invoice's own period may be of no
length, or the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, cast

from pydantic import Field

from tollkeeper.domain.entries import ID_PATTERN
from tollkeeper.domain.invoices import InvoiceLine, InvoicePaid, SubscriptionNews
from tollkeeper.domain.payments import MoneyNews
from tollkeeper.domain.purchases import PURCHASE_ID
from tollkeeper.edge.stripe_objects import (
    LARGEST_MINOR,
    EventHead,
    ExpandableId,
    Members,
    StripeId,
    StripeObject,
    read_object,
    tell_money,
)

Second = Annotated[int, Field(ge=0, lt=10**11)]
SignedMinor = Annotated[int, Field(ge=-LARGEST_MINOR, le=LARGEST_MINOR)]
MOST_LINES = 100
ENDED = "customer.subscription.deleted"


class Period(StripeObject):
    """From when to when something is paid for. Units: epoch seconds."""

    start: Second
    end: Second


class Line(StripeObject):
    """One line. `price` and `plan` are of versions before 2025, `pricing` and `parent` since."""

    id: StripeId
    amount: SignedMinor
    currency: str = ""
    period: Period
    proration: bool | None = None
    subscription: ExpandableId = None
    price: object = None
    plan: object = None
    pricing: object = None
    parent: object = None
    metadata: object = None


class LineList(StripeObject):
    """The lines that the event carries: the first ten, or more."""

    data: Annotated[list[Line], Field(max_length=MOST_LINES)]


class Invoice(StripeObject):
    """An invoice, as far as a plan depends on it."""

    id: StripeId
    created: Second
    currency: str
    amount_paid: SignedMinor = 0
    status: str | None = None
    paid: bool | None = None
    billing_reason: str | None = None
    customer: ExpandableId = None
    subscription: ExpandableId = None
    payment_intent: ExpandableId = None
    charge: ExpandableId = None
    lines: LineList

    @property
    def is_paid(self) -> bool:
        """Its money came in; the oldest versions say it without a status."""
        return self.paid is True if self.status is None else self.status == "paid"


class Subscription(StripeObject):
    """A subscription, as far as an account depends on it."""

    id: StripeId
    customer: ExpandableId = None


class InvoicePayment(StripeObject):
    """Which payment pays which invoice, since 2025."""

    invoice: ExpandableId = None
    payment: object = None


def _read_invoice(head: EventHead, members: Members) -> InvoicePaid | None:
    """What was paid for, by whom, and with which payment; None for one that is not paid."""
    invoice = read_object(Invoice, members, "an invoice")
    if not invoice.is_paid:
        return None
    details = (
        _walk(members, "parent", "subscription_details"),
        _walk(members, "subscription_details"),
    )
    metadata = [_walk(each, "metadata") for each in details]
    metadata += [line.metadata for line in invoice.lines.data]
    metadata.append(members.get("metadata"))
    payment = _walk(_first(members.get("payments")), "payment")
    plan = _find_text(metadata, "plan")
    return InvoicePaid(
        event=head.id,
        type=head.type,
        created_at=head.created_at,
        is_live=head.is_live,
        invoice=invoice.id,
        made_at=_moment(invoice.created),
        paid_minor=max(0, invoice.amount_paid),
        currency=invoice.currency,
        lines=tuple(_read_line(line, plan) for line in invoice.lines.data),
        account=_find_account(metadata),
        purchase=_find_purchase(metadata),
        customer=invoice.customer or "",
        subscription=invoice.subscription or _first_id(details, "subscription"),
        payment_intent=invoice.payment_intent or _id_at(payment, "payment_intent"),
        charge=invoice.charge or _id_at(payment, "charge"),
        reason=invoice.billing_reason or "",
    )


def _read_line(line: Line, plan: str) -> InvoiceLine:
    details = (
        _walk(line.parent, "subscription_item_details"),
        _walk(line.parent, "invoice_item_details"),
    )
    in_details = any(_walk(each, "proration") is True for each in details)
    prices = (line.price, _walk(line.pricing, "price_details", "price"), line.plan)
    return InvoiceLine(
        id=line.id,
        start_at=_moment(line.period.start),
        end_at=_moment(line.period.end),
        amount_minor=line.amount,
        currency=line.currency,
        price=next((_id_of(each) for each in prices if _id_of(each)), ""),
        lookup_key=_find_text(prices, "lookup_key"),
        plan=_find_text([line.metadata], "plan") or plan,
        subscription=line.subscription or _first_id(details, "subscription"),
        unit_minor=_read_unit(line),
        is_proration=line.proration is True or in_details,
    )


def _read_unit(line: Line) -> int | None:
    """The price of one, where the line says it in whole units."""
    for place in (_walk(line.price, "unit_amount"), _walk(line.plan, "amount")):
        if isinstance(place, int):
            return place
    text = _walk(line.pricing, "unit_amount_decimal")
    is_whole = isinstance(text, str) and len(text) <= 13 and text.isascii() and text.isdigit()
    return int(cast("str", text)) if is_whole else None


def _read_subscription(head: EventHead, members: Members) -> SubscriptionNews:
    """Whose subscription it is, and whether it is over.

    Why: only its own event says that it is over for good; a status may still change.
    """
    subscription = read_object(Subscription, members, "a subscription")
    return SubscriptionNews(
        event=head.id,
        type=head.type,
        created_at=head.created_at,
        is_live=head.is_live,
        subscription=subscription.id,
        has_ended=head.type == ENDED,
        account=_find_account([members.get("metadata")]),
        customer=subscription.customer or "",
    )


def _read_invoice_payment(head: EventHead, members: Members) -> MoneyNews | None:
    """The payment of an invoice, so that what becomes of one is known of the other."""
    paid = read_object(InvoicePayment, members, "an invoice payment")
    payment_intent = _id_at(paid.payment, "payment_intent")
    charge = _id_at(paid.payment, "charge")
    if not paid.invoice or not (payment_intent or charge):
        return None
    return tell_money(head, payment_intent=payment_intent, charge=charge, invoice=paid.invoice)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _walk(value: object, *names: str) -> object:
    """What is at that place of an object, or None."""
    for name in names:
        value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
    return value


def _first(listed: object) -> object:
    """The first of one of Stripe's lists."""
    data = _walk(listed, "data")
    return cast("list[object]", data)[0] if isinstance(data, list) and data else None


def _id_of(value: object) -> str:
    """The id of an object that Stripe names by its id, or sends whole; nothing for neither."""
    found = _walk(cast("object", value), "id") if isinstance(value, dict) else value
    is_id = isinstance(found, str) and ID_PATTERN.fullmatch(found) is not None
    return cast("str", found) if is_id else ""


def _id_at(value: object, name: str) -> str:
    return _id_of(_walk(value, name))


def _first_id(objects: tuple[object, ...], name: str) -> str:
    return next(filter(None, (_id_at(each, name) for each in objects)), "")


def _texts(objects: list[object] | tuple[object, ...], name: str) -> Iterator[str]:
    for each in objects:
        text = _walk(each, name)
        if isinstance(text, str) and text:
            yield text


def _find_text(objects: list[object] | tuple[object, ...], name: str) -> str:
    return next(_texts(objects, name), "")


def _find_account(metadata: list[object]) -> str:
    """The account that our checkout wrote there, if it is one."""
    return next((t for t in _texts(metadata, "account") if ID_PATTERN.fullmatch(t)), "")


def _find_purchase(metadata: list[object]) -> str:
    return next((t for t in _texts(metadata, "purchase_id") if PURCHASE_ID.fullmatch(t)), "")


INVOICE_READERS: Mapping[str, Callable[[EventHead, Members], object | None]] = {
    "invoice.paid": _read_invoice,
    "invoice.payment_succeeded": _read_invoice,
    "invoice_payment.paid": _read_invoice_payment,
    "customer.subscription.created": _read_subscription,
    "customer.subscription.updated": _read_subscription,
    ENDED: _read_subscription,
}
"""What each of their events tells."""
