"""Purchases, links and processed events as items."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.money_back import NO_MONEY_BACK, Dispute, DisputeState, MoneyBack
from tollkeeper.domain.purchases import (
    EventSeen,
    Linked,
    Purchase,
    PurchaseKind,
    PurchaseStatus,
)
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import event_key, link_key, purchase_key
from tollkeeper.store.rows import Item, dump, from_ms, number, string, to_ms

EVENTS_KEPT_FOR = timedelta(days=90)
OPTIONAL_TEXTS = (
    "stripe_price",
    "request_hash",
    "session",
    "checkout_url",
    "payment_intent",
    "reason",
    "plan",
    "customer",
    "subscription",
    "invoice",
    "grant",
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
        "kind": None if purchase.kind is PurchaseKind.PACK else string(purchase.kind.value),
        "back": _back_to_row(purchase.back),
        "refunds": _refunds_to_rows(purchase.refunds),
    }
    counts = {
        "clawed": purchase.clawed_back_microcredits,
        "uncollected": purchase.uncollected_microcredits,
        "lapsed": purchase.lapsed_microcredits,
    }
    item |= {name: number(count) for name, count in counts.items() if count}
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
        kind=PurchaseKind(item["kind"]["S"]) if "kind" in item else PurchaseKind.PACK,
        back=_back_from_item(item),
        refunds=_refunds_from_item(item),
        clawed_back_microcredits=_count(item, "clawed"),
        uncollected_microcredits=_count(item, "uncollected"),
        lapsed_microcredits=_count(item, "lapsed"),
        **{name: item[name]["S"] for name in OPTIONAL_TEXTS if name in item},
    )


def _count(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _back_to_row(back: MoneyBack) -> Item | None:
    """Shape: [charged, refunded, [id, amount, state] of each dispute...]; None for nothing."""
    if back == NO_MONEY_BACK:
        return None
    disputes = [[each.id, each.amount_minor, each.state.value] for each in back.disputes]
    return string(dump([back.charged_minor, back.refunded_minor, *disputes]))


def _back_from_item(item: Item) -> MoneyBack:
    if "back" not in item:
        return NO_MONEY_BACK
    charged, refunded, *disputes = json.loads(item["back"]["S"])
    read = tuple(Dispute(id_, amount, DisputeState(state)) for id_, amount, state in disputes)
    return MoneyBack(charged, refunded, read)


def _refunds_to_rows(refunds: tuple[RefundAsk, ...]) -> Item | None:
    """Shape: [key, request hash, amount, at, reason, actor, refund] each; None for none."""
    rows = [
        [e.key, e.request_hash, e.amount_minor, to_ms(e.at), e.reason, e.actor, e.refund]
        for e in refunds
    ]
    return string(dump(rows)) if rows else None


def _refunds_from_item(item: Item) -> tuple[RefundAsk, ...]:
    rows: list[list[Any]] = json.loads(item["refunds"]["S"]) if "refunds" in item else []
    return tuple(
        RefundAsk(EntryKey(key), digest, amount, from_ms(at), reason, actor, refund)
        for key, digest, amount, at, reason, actor, refund in rows
    )


def event_to_item(event: EventSeen) -> Item:
    """The event item; it goes after 90 days, long after Stripe stops retrying."""
    return event_key(event.event) | {
        "type": string(event.type),
        "outcome": string(event.outcome),
        "at": number(to_ms(event.at)),
        "ttl": number(to_ms(event.at + EVENTS_KEPT_FOR) // 1000),
    }


LINK_TEXTS = ("account", "purchase", "stands_for", "payment")


def link_to_item(link: Linked) -> Item:
    """The link item. Of a payment that nobody knows yet it has no account."""
    item = link_key(link.target) | ({"v": number(link.version)} if link.version else {})
    texts = {name: str(getattr(link, name)) for name in LINK_TEXTS}
    item |= {name: string(text) for name, text in texts.items() if text}
    back = _back_to_row(link.back)
    if back is not None:
        item["back"] = back
    if link.ended_at is not None:
        item["ended_at"] = number(to_ms(link.ended_at))
    return item


def link_from_item(item: Item) -> Linked:
    """The link as it was written; one from before links had versions has the version 0."""
    texts = {name: item[name]["S"] if name in item else "" for name in LINK_TEXTS}
    ended_at = item.get("ended_at")
    return Linked(
        target=item["pk"]["S"][2:],
        account=AccountId(texts["account"]),
        purchase=texts["purchase"],
        version=int(item["v"]["N"]) if "v" in item else 0,
        back=_back_from_item(item),
        stands_for=texts["stands_for"],
        payment=texts["payment"],
        ended_at=None if ended_at is None else from_ms(int(ended_at["N"])),
    )
