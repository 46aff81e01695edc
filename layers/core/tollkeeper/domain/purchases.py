"""Purchases: recorded before the customer pays, paid once, and what they bring."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import AccountClosedError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import GiveGrant, decide_grant

PURCHASE_ID = re.compile(r"pur_[0-9a-f]{32}", re.ASCII)


class PurchaseStatus(StrEnum):
    """Where a purchase stands."""

    CREATED = "created"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A pack as it was offered when the customer went to pay.

    `session` is Stripe's id of the payment page at `checkout_url`; without a URL nobody was given
    a page. `reason` says why a quarantined purchase needs a person.
    Units: micro-credits; `price_minor` in the currency's smallest unit.
    """

    id: str
    account: AccountId
    pack: str
    pack_name: str
    credits_microcredits: int
    price_minor: int
    currency: str
    created_at: datetime
    status: PurchaseStatus = PurchaseStatus.CREATED
    version: int = 1
    expires_after_days: int | None = None
    stripe_price: str = ""
    request_hash: str = ""
    session: str = ""
    checkout_url: str = ""
    payment_intent: str = ""
    paid_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PurchaseMoved:
    """The purchase is written if it still has the version before this one's (0: is new)."""

    purchase: Purchase


@dataclass(frozen=True, slots=True)
class EventSeen:
    """The Stripe event is written as processed; a second delivery finds it."""

    event: str
    type: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """From a Stripe object's id to the account and purchase that it belongs to."""

    target: str
    account: AccountId
    purchase: str


def purchase_id_of(account: AccountId, key: EntryKey) -> str:
    """The id of the purchase that this key of the account starts: always the same one.

    Why: a repeat finds the purchase by its id, with no second item that could be lost.
    """
    digest = hashlib.sha256(f"{account}\n{key}".encode()).hexdigest()
    return f"pur_{digest[:32]}"


def offer(
    pack: Pack, *, purchase_id: str, account: AccountId, request_hash: str, now: datetime
) -> Purchase:
    """The purchase that is recorded before the customer can pay."""
    return Purchase(
        id=purchase_id,
        account=account,
        pack=pack.id,
        pack_name=pack.name,
        credits_microcredits=pack.credits_microcredits,
        price_minor=pack.price_minor,
        currency=pack.currency,
        created_at=now,
        expires_after_days=pack.expires_after_days,
        stripe_price=pack.stripe_price or "",
        request_hash=request_hash,
    )


def opened(purchase: Purchase, *, session: str, checkout_url: str) -> Purchase:
    """The purchase with its payment page, in its next version.

    Why: a session that was paid before it was recorded stays the purchase's own.
    """
    own = purchase.session or session
    return moved(purchase, purchase.status, session=own, checkout_url=checkout_url)


def moved(purchase: Purchase, status: PurchaseStatus, **changes: object) -> Purchase:
    """The purchase in its next version."""
    return replace(purchase, status=status, version=purchase.version + 1, **changes)  # type: ignore[arg-type]


def purchase_entry_key(purchase_id: str) -> EntryKey:
    """The key of the grant that a purchase brings: one per purchase, for ever."""
    return EntryKey(f"s#purchase:{purchase_id}")


def decide_purchase(
    draft: Draft, purchase: Purchase, *, payment_intent: str, event: EventSeen
) -> Decision:
    """The pack's credits are in the account, the purchase is paid and its payment is linked.

    Raises: AccountClosedError, because credits of a closed account would be lost.
    """
    if draft.account.status is Status.CLOSED:
        raise AccountClosedError(f"The account {purchase.account} is closed for good.")
    days = purchase.expires_after_days
    decision = decide_grant(
        draft,
        GiveGrant(
            key=purchase_entry_key(purchase.id),
            request_hash="",
            reason=f"pack {purchase.pack}",
            actor="stripe",
            amount_microcredits=purchase.credits_microcredits,
            kind=GrantKind.PACK,
            expires_at=None if days is None else draft.at + timedelta(days=days),
            details=(
                ("purchase", purchase.id),
                ("pack", purchase.pack),
                ("price_minor", str(purchase.price_minor)),
                ("currency", purchase.currency),
            ),
        ),
    )
    paid = moved(purchase, PurchaseStatus.PAID, paid_at=draft.at, payment_intent=payment_intent)
    also: tuple[object, ...] = (PurchaseMoved(paid), event)
    if payment_intent:
        also = (*also, Linked(payment_intent, purchase.account, purchase.id))
    return replace(decision, also=also)
