"""Purchases, links and processed events as items."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.purchases import EventSeen, Linked, Purchase, PurchaseStatus
from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import event_key, link_key, purchase_key
from tollkeeper.store.rows import Item, from_ms, number, string, to_ms

EVENTS_KEPT_FOR = timedelta(days=90)
OPTIONAL_TEXTS = (
    "stripe_price",
    "request_hash",
    "session",
    "checkout_url",
    "payment_intent",
    "reason",
)


def purchase_to_item(purchase: Purchase) -> Item:
    """The purchase item."""
    item = purchase_key(purchase.account, purchase.id) | {
        "sv": number(SCHEMA),
        "v": number(purchase.version),
        "pack": string(purchase.pack),
        "pack_name": string(purchase.pack_name),
        "credits": number(purchase.credits_microcredits),
        "price_minor": number(purchase.price_minor),
        "currency": string(purchase.currency),
        "status": string(purchase.status.value),
        "created_at": number(to_ms(purchase.created_at)),
    }
    texts = {name: getattr(purchase, name) for name in OPTIONAL_TEXTS}
    item |= {name: string(text) for name, text in texts.items() if text}
    optional: dict[str, Any] = {
        "paid_at": None if purchase.paid_at is None else number(to_ms(purchase.paid_at)),
        "expires_after_days": None
        if purchase.expires_after_days is None
        else number(purchase.expires_after_days),
    }
    return item | {name: value for name, value in optional.items() if value is not None}


def purchase_from_item(item: Item) -> Purchase:
    """The purchase as it was written."""
    days = item.get("expires_after_days")
    paid_at = item.get("paid_at")
    return Purchase(
        id=item["sk"]["S"][2:],
        account=AccountId(item["pk"]["S"][2:]),
        pack=item["pack"]["S"],
        pack_name=item["pack_name"]["S"],
        credits_microcredits=int(item["credits"]["N"]),
        price_minor=int(item["price_minor"]["N"]),
        currency=item["currency"]["S"],
        created_at=from_ms(int(item["created_at"]["N"])),
        status=PurchaseStatus(item["status"]["S"]),
        version=int(item["v"]["N"]),
        expires_after_days=None if days is None else int(days["N"]),
        paid_at=None if paid_at is None else from_ms(int(paid_at["N"])),
        **{name: item[name]["S"] for name in OPTIONAL_TEXTS if name in item},
    )


def event_to_item(event: EventSeen) -> Item:
    """The event item; it goes after 90 days, long after Stripe stops retrying."""
    return event_key(event.event) | {
        "type": string(event.type),
        "outcome": string(event.outcome),
        "at": number(to_ms(event.at)),
        "ttl": number(to_ms(event.at + EVENTS_KEPT_FOR) // 1000),
    }


def link_to_item(link: Linked) -> Item:
    """The link item."""
    return link_key(link.target) | {
        "account": string(link.account),
        "purchase": string(link.purchase),
    }


def link_from_item(item: Item) -> Linked:
    """The link as it was written."""
    return Linked(item["pk"]["S"][2:], AccountId(item["account"]["S"]), item["purchase"]["S"])
