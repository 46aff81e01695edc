"""Stripe's webhook at the border: the signature over the raw body first, then the event."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tollkeeper.domain.errors import MalformedError, PaymentsUnavailableError
from tollkeeper.domain.payments import Payment
from tollkeeper.domain.purchases import PURCHASE_ID, PurchaseStatus
from tollkeeper.edge.http import Request
from tollkeeper.edge.wire import read_json
from tollkeeper.service.ports import Secrets

SECRET = "STRIPE_WEBHOOK_SECRET"  # noqa: S105 - its name, not the secret
TOLERANCE_S = 300
LARGEST_EVENT_BYTES = 512 * 1024
LONGEST_HEADER = 4096

_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)

# What a purchase becomes by each event about its payment page. What is completed can still be
# unpaid: some ways to pay take days.
OURS = {
    "checkout.session.completed": PurchaseStatus.PAID,
    "checkout.session.async_payment_succeeded": PurchaseStatus.PAID,
    "checkout.session.async_payment_failed": PurchaseStatus.FAILED,
    "checkout.session.expired": PurchaseStatus.EXPIRED,
}
SETTLED = frozenset({"paid", "no_payment_required"})


StripeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$")]
Model = TypeVar("Model", bound="StripeObject")


class StripeObject(BaseModel):
    """The members that we read, as they are; Stripe adds others every month."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Envelope(StripeObject):
    """What every event has, of whatever version."""

    id: StripeId
    type: Annotated[str, Field(min_length=1, max_length=255)]
    object: Annotated[str, Field(pattern=r"^(v2\.core\.)?event$")]


class SessionEvent(StripeObject):
    """What an event about a Checkout session has besides."""

    created: Annotated[int, Field(ge=0, lt=10**11)]
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified event, and what it says about a purchase; None where it is not ours."""

    event: str
    type: str
    payment: Payment | None


def _id_of(value: object) -> object:
    """The id of an object that Stripe names by its id, or sends whole."""
    return cast("dict[str, object]", value).get("id") if isinstance(value, dict) else value


class Session(StripeObject):
    """A Checkout session, as far as a purchase depends on it."""

    id: StripeId
    currency: str | None = None
    amount_subtotal: int | None = None
    payment_status: str | None = None
    payment_intent: Annotated[StripeId | None, BeforeValidator(_id_of)] = None


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


def verify_signature(raw: bytes, header: str, *, secrets: list[str], now: datetime) -> None:
    """Nothing, where one of the secrets signed exactly these bytes within the last 5 minutes.

    A time in the future is no better than one in the past: clocks differ by seconds.
    Raises: MalformedError; PaymentsUnavailableError without a secret, so that Stripe tries again.
    """
    if not secrets:
        raise PaymentsUnavailableError(f"The secret {SECRET} is not set.")
    if len(raw) > LARGEST_EVENT_BYTES:
        raise MalformedError(f"The body is larger than any event: {len(raw)} bytes.")
    time, signatures = _read_header(header)
    if abs(int(now.timestamp()) - int(time)) > TOLERANCE_S:
        raise MalformedError("The signature's time is not within 5 minutes of now.")
    signed = time.encode() + b"." + raw
    digests = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets]
    matches = [hmac.compare_digest(d, v) for d in digests for v in signatures]
    if not any(matches):
        raise MalformedError("The body is not signed with this endpoint's secret.")


def sign(raw: bytes, *, secret: str, at: datetime) -> str:
    """The Stripe-Signature header that Stripe would send with these bytes at that moment."""
    time = str(int(at.timestamp()))
    signed = time.encode() + b"." + raw
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"


def _read_header(header: str) -> tuple[str, list[str]]:
    """The time as it was signed, and every v1 signature. Raises: MalformedError."""
    if not header:
        raise MalformedError("The header Stripe-Signature is missing.")
    if len(header) > LONGEST_HEADER or not header.isascii():
        raise MalformedError("The header Stripe-Signature cannot be read.")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = {value for name, _, value in pairs if name == "t"}
    signatures = [value for name, _, value in pairs if name == "v1" and value]
    time = times.pop() if len(times) == 1 else ""
    if _TIME.fullmatch(time) is None or not signatures:
        raise MalformedError("The header Stripe-Signature has no time or no v1 signature.")
    return time, signatures


def read_event(raw: bytes) -> Delivery:
    """The event in the body. Raises: MalformedError for whatever is none."""
    members = read_json(raw, largest_bytes=LARGEST_EVENT_BYTES)
    envelope = _read(Envelope, members, "a Stripe event")
    is_ours = envelope.type in OURS and envelope.object == "event"
    payment = _find_payment(envelope, members) if is_ours else None
    return Delivery(envelope.id, envelope.type, payment)


def _find_payment(envelope: Envelope, members: Mapping[str, Any]) -> Payment | None:
    """What the event says about a purchase's payment page; None where it names no purchase."""
    data = members.get("data")
    found = cast("dict[str, object]", data).get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise MalformedError("The event has no data.object.")
    session_members = cast("dict[str, object]", found)
    purchase = _find_purchase_id(session_members)
    if purchase is None:
        return None
    event = _read(SessionEvent, members, "a Stripe event")
    session = _read(Session, session_members, "a Checkout session")
    status = OURS[envelope.type]
    if status is PurchaseStatus.PAID and session.payment_status not in SETTLED:
        status = PurchaseStatus.PENDING
    return Payment(
        event=envelope.id,
        type=envelope.type,
        purchase=purchase,
        status=status,
        session=session.id,
        currency=session.currency or "",
        subtotal_minor=session.amount_subtotal,
        is_live=event.livemode,
        created_at=datetime.fromtimestamp(event.created, UTC),
        payment_intent=session.payment_intent or "",
    )


def _find_purchase_id(session: Mapping[str, object]) -> str | None:
    """The purchase that the session names in its metadata, or as the client's reference."""
    metadata = session.get("metadata")
    is_object = isinstance(metadata, dict)
    by_us = cast("dict[str, object]", metadata).get("purchase_id") if is_object else None
    for text in (by_us, session.get("client_reference_id")):
        if isinstance(text, str) and PURCHASE_ID.fullmatch(text):
            return text
    return None


def _read(model: type[Model], members: Mapping[str, Any], what: str) -> Model:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise MalformedError(f"The body is not {what}: {place} cannot be read.") from None
