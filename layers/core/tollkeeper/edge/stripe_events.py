"""Stripe's events at the border: each as the one fact that it tells of our payments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from pydantic import Field

from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.payments import MoneyNews, Payment, RefundFailed
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.edge import stripe_objects
from tollkeeper.edge.http import Request
from tollkeeper.edge.stripe_invoices import INVOICE_READERS
from tollkeeper.edge.stripe_objects import (
    EventHead,
    Members,
    StripeId,
    StripeObject,
    find_purchase_id,
    read_object,
    tell_money,
)
from tollkeeper.edge.stripe_signature import LARGEST_EVENT_BYTES, SECRET, verify_signature
from tollkeeper.edge.wire import read_json
from tollkeeper.service.ports import Secrets

SETTLED = frozenset({"paid", "no_payment_required"})
NEEDS_CUSTOMER = "authentication_required"
"""What the bank says where the customer has to confirm the payment."""

# What a purchase becomes by each event about its payment page. What is completed can still be
# unpaid: some ways to pay take days.
BY_SESSION = {
    "checkout.session.completed": PurchaseStatus.PAID,
    "checkout.session.async_payment_succeeded": PurchaseStatus.PAID,
    "checkout.session.async_payment_failed": PurchaseStatus.FAILED,
    "checkout.session.expired": PurchaseStatus.EXPIRED,
}
BY_INTENT = {
    "payment_intent.succeeded": PurchaseStatus.PAID,
    "payment_intent.processing": PurchaseStatus.PENDING,
    "payment_intent.payment_failed": PurchaseStatus.FAILED,
}
# An inquiry (`warning_...`) and one that was prevented moved no money; neither did one that a
# refund answered, as versions before 2020 call it. Statuses to come are left to the events that
# say what became of the funds.
BY_DISPUTE_STATUS = {
    "needs_response": DisputeState.WITHDRAWN,
    "under_review": DisputeState.WITHDRAWN,
    "appeal_needs_response": DisputeState.WITHDRAWN,
    "appeal_under_review": DisputeState.WITHDRAWN,
    "lost": DisputeState.WITHDRAWN,
    "won": DisputeState.WON,
}
BY_DISPUTE_EVENT = {
    "charge.dispute.funds_withdrawn": DisputeState.WITHDRAWN,
    "charge.dispute.funds_reinstated": DisputeState.WON,
}
REFUND_FAILED = frozenset({"failed", "canceled"})

Fact = object
"""One of the domain's facts; each has `event`, `type`, `created_at` and `is_live`."""
Reader = Callable[[EventHead, Members], Fact | None]


class Envelope(StripeObject):
    """What every event has, of whatever version."""

    id: StripeId
    type: Annotated[str, Field(min_length=1, max_length=255)]
    object: Annotated[str, Field(pattern=r"^(v2\.core\.)?event$")]


class Framed(StripeObject):
    """What an event has besides, where we read its object."""

    created: Annotated[int, Field(ge=0, lt=10**11)]
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified event, and the fact that it tells; None where it is not about us."""

    event: str
    type: str
    fact: Fact | None


def read_delivery(request: Request, secrets: Secrets) -> Delivery:
    """The event that Stripe signed just now.

    Raises: MalformedError for whatever Stripe did not sign just now, or is no event;
    PaymentsUnavailableError where no signing secret is set.
    """
    raw = request.raw_body()
    header = request.headers.get("stripe-signature", "")
    signing = [each.strip() for each in secrets.read_secret(SECRET).split(",")]
    verify_signature(raw, header, secrets=[s for s in signing if s], now=request.now)
    return read_event(raw)


def read_event(raw: bytes) -> Delivery:
    """The event in the body. Raises: MalformedError for whatever is none."""
    members = read_json(raw, largest_bytes=LARGEST_EVENT_BYTES)
    envelope = read_object(Envelope, members, "a Stripe event")
    # Why: events of the second kind carry no object; whoever wants one has to ask for it.
    fact = read_fact(members, event=envelope.id) if envelope.object == "event" else None
    return Delivery(envelope.id, envelope.type, fact)


def read_fact(members: Members, *, event: str = "") -> Fact | None:
    """What an event, or an object that is framed like one, tells of us; None for nothing.

    Raises: MalformedError where it is about us and cannot be read.
    """
    type_ = str(members.get("type"))
    reader = READERS.get(type_)
    if reader is None:
        return None
    data = members.get("data")
    found = cast("dict[str, object]", data).get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise MalformedError("The event has no data.object.")
    framed = read_object(Framed, members, "a Stripe event")
    created_at = datetime.fromtimestamp(framed.created, UTC)
    head = EventHead(event, type_, created_at, framed.livemode)
    return reader(head, cast("dict[str, object]", found))


def _read_session(head: EventHead, members: Members) -> Payment | None:
    """What the event says about a purchase's payment page; None where it names no purchase."""
    purchase = find_purchase_id(members)
    if not purchase:
        return None
    session = read_object(stripe_objects.Session, members, "a Checkout session")
    status = BY_SESSION[head.type]
    if status is PurchaseStatus.PAID and session.payment_status not in SETTLED:
        status = PurchaseStatus.PENDING
    return Payment(
        event=head.id,
        type=head.type,
        purchase=purchase,
        status=status,
        session=session.id,
        currency=session.currency or "",
        subtotal_minor=session.amount_subtotal,
        is_live=head.is_live,
        created_at=head.created_at,
        payment_intent=session.payment_intent or "",
        charged_minor=session.amount_total or 0,
        customer=session.customer or "",
        subscription=session.subscription or "",
    )


def _read_intent(head: EventHead, members: Members) -> Payment | MoneyNews | None:
    """What the event says about a payment that names a purchase, or pays an invoice."""
    purchase = find_purchase_id(members)
    status = BY_INTENT[head.type]
    is_paid = status is PurchaseStatus.PAID
    if not purchase and not (is_paid and members.get("invoice")):
        return None
    intent = read_object(stripe_objects.Intent, members, "a payment intent")
    charged_minor = (intent.amount_received or intent.amount) if is_paid else 0
    if not purchase:
        return tell_money(
            head,
            MoneyBack(charged_minor=charged_minor),
            charge=intent.charge,
            payment_intent=intent.id,
            invoice=intent.invoice,
        )
    error = intent.last_payment_error
    if status is PurchaseStatus.FAILED and error is not None and error.code == NEEDS_CUSTOMER:
        status = PurchaseStatus.PENDING
    return Payment(
        event=head.id,
        type=head.type,
        purchase=purchase,
        status=status,
        session="",
        currency=intent.currency,
        subtotal_minor=intent.amount,
        is_live=head.is_live,
        created_at=head.created_at,
        payment_intent=intent.id,
        charge=intent.charge if is_paid else "",
        charged_minor=charged_minor,
        customer=intent.customer or "",
        payment_method=intent.payment_method or "",
    )


def _read_charge(head: EventHead, members: Members) -> MoneyNews | None:
    """How much was taken, and how much of it went back so far.

    Why: a charge without anything of ours on it is news only once its money goes back. An
    invoice's charge has nothing of ours on it in the newest versions.
    """
    purchase = find_purchase_id(members)
    is_refund = head.type == "charge.refunded"
    if not (is_refund or purchase or members.get("invoice")):
        return None
    charge = read_object(stripe_objects.Charge, members, "a charge")
    back = MoneyBack(
        charged_minor=charge.charged_minor,
        refunded_minor=charge.amount_refunded,
    )
    return tell_money(
        head,
        back,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        invoice=charge.invoice,
        purchase=purchase,
    )


def _read_dispute(head: EventHead, members: Members) -> MoneyNews | None:
    """Money that a dispute holds, or gave back; None where it moved none."""
    dispute = read_object(stripe_objects.Dispute, members, "a dispute")
    state = BY_DISPUTE_EVENT.get(head.type) or BY_DISPUTE_STATUS.get(dispute.status)
    if state is None or not (dispute.charge or dispute.payment_intent):
        return None
    return tell_money(
        head,
        MoneyBack(disputes=(Dispute(dispute.id, dispute.amount, state),)),
        charge=dispute.charge,
        payment_intent=dispute.payment_intent,
        purchase=find_purchase_id(members),
    )


def _read_refund(head: EventHead, members: Members) -> RefundFailed | None:
    """A refund that came to nothing; of any other the charge says how much went back."""
    refund = read_object(stripe_objects.Refund, members, "a refund")
    if refund.status not in REFUND_FAILED:
        return None
    return RefundFailed(
        event=head.id,
        type=head.type,
        created_at=head.created_at,
        is_live=head.is_live,
        refund=refund.id,
        amount_minor=refund.amount,
        currency=refund.currency or "",
        reason=refund.failure_reason or "",
        charge=refund.charge or "",
        payment_intent=refund.payment_intent or "",
    )


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(BY_SESSION, _read_session),
    **dict.fromkeys(BY_INTENT, _read_intent),
    "charge.succeeded": _read_charge,
    "charge.refunded": _read_charge,
    "charge.dispute.created": _read_dispute,
    "charge.dispute.updated": _read_dispute,
    "charge.dispute.closed": _read_dispute,
    "charge.dispute.funds_withdrawn": _read_dispute,
    "charge.dispute.funds_reinstated": _read_dispute,
    "charge.refund.updated": _read_refund,
    "refund.failed": _read_refund,
    "refund.updated": _read_refund,
    **INVOICE_READERS,
}
"""What we read of Stripe's events; every other type is not about us."""
