"""Stripe's objects as far as we read them, in every shape of the versions 2017 to 2026.

An id may stand where the whole object may, members come and go with the version, and what is
not read here may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.money_back import NO_MONEY_BACK, MoneyBack
from tollkeeper.domain.payments import MoneyNews
from tollkeeper.domain.purchases import PURCHASE_ID

Members = Mapping[str, object]
StripeId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$")]
LARGEST_MINOR = 10**12


def _id_of(value: object) -> object:
    """The id of an object that Stripe names by its id, or sends whole."""
    return cast("dict[str, object]", value).get("id") if isinstance(value, dict) else value


ExpandableId = Annotated[StripeId | None, BeforeValidator(_id_of)]
Minor = Annotated[int, Field(ge=0, le=LARGEST_MINOR)]
"""An amount in the currency's smallest unit."""


class StripeObject(BaseModel):
    """The members that we read, as they are; Stripe adds others every month."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


Model = TypeVar("Model", bound=StripeObject)


def read_object(model: type[Model], members: Members, what: str) -> Model:
    """The object of that kind. Raises: MalformedError naming the member that cannot be read."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise MalformedError(f"The body is not {what}: {place} cannot be read.") from None


@dataclass(frozen=True, slots=True)
class EventHead:
    """What every event says beside its object. `id` is empty where nothing was delivered."""

    id: str
    type: str
    created_at: datetime
    is_live: bool | None


def tell_money(
    head: EventHead,
    back: MoneyBack = NO_MONEY_BACK,
    *,
    charge: str | None = None,
    payment_intent: str | None = None,
    invoice: str | None = None,
    purchase: str = "",
) -> MoneyNews:
    """What the event says of a payment's money, by those of its ids that the event has."""
    return MoneyNews(
        event=head.id,
        type=head.type,
        created_at=head.created_at,
        is_live=head.is_live,
        back=back,
        charge=charge or "",
        payment_intent=payment_intent or "",
        invoice=invoice or "",
        purchase=purchase,
    )


class Session(StripeObject):
    """A Checkout session, as far as a purchase depends on it."""

    id: StripeId
    currency: str | None = None
    amount_subtotal: int | None = None
    amount_total: Minor | None = None
    payment_status: str | None = None
    payment_intent: ExpandableId = None
    customer: ExpandableId = None
    subscription: ExpandableId = None


class IntentError(StripeObject):
    """Why a payment was not made."""

    code: str | None = None


class Intent(StripeObject):
    """A payment. `latest_charge` replaced the list `charges`, `invoice` is of old versions."""

    id: StripeId
    amount: Minor
    currency: str
    amount_received: Minor | None = None
    customer: ExpandableId = None
    invoice: ExpandableId = None
    payment_method: ExpandableId = None
    latest_charge: ExpandableId = None
    charges: object = None
    last_payment_error: IntentError | None = None

    @property
    def charge(self) -> str:
        """The charge that took the money, or tried to, where the version says."""
        return self.latest_charge or _first_id(self.charges)


class Charge(StripeObject):
    """Money that was taken, and how much of it went back so far. `invoice` is of old versions."""

    id: StripeId
    amount: Minor
    amount_captured: Minor | None = None
    amount_refunded: Minor = 0
    payment_intent: ExpandableId = None
    invoice: ExpandableId = None

    @property
    def charged_minor(self) -> int:
        """What was taken of the customer."""
        return self.amount_captured or self.amount


class Dispute(StripeObject):
    """Money that the customer's bank wants back. The oldest versions name only the charge."""

    id: StripeId
    amount: Minor
    status: str
    charge: ExpandableId = None
    payment_intent: ExpandableId = None


class Refund(StripeObject):
    """One refund, whole or part."""

    id: StripeId
    amount: Minor | None = None
    currency: str | None = None
    status: str | None = None
    failure_reason: str | None = None
    charge: ExpandableId = None
    payment_intent: ExpandableId = None


def _first_id(listed: object) -> str:
    """The id of the newest object of one of Stripe's lists, or nothing."""
    data = cast("dict[str, Any]", listed).get("data") if isinstance(listed, dict) else None
    first = cast("list[object]", data)[0] if isinstance(data, list) and data else None
    found = _id_of(first)
    return found if isinstance(found, str) and len(found) <= 255 else ""


def find_purchase_id(members: Members) -> str:
    """The purchase that the object names in its metadata, or as the client's reference."""
    metadata = members.get("metadata")
    is_object = isinstance(metadata, dict)
    by_us = cast("dict[str, object]", metadata).get("purchase_id") if is_object else None
    for text in (by_us, members.get("client_reference_id")):
        if isinstance(text, str) and PURCHASE_ID.fullmatch(text):
            return text
    return ""
