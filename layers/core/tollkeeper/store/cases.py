"""Cases as items: each under its own id, and once more in a list by time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zlib import crc32

from tollkeeper.domain.cases import Case, Resolution
from tollkeeper.store.keys import case_key, case_list_pk, key
from tollkeeper.store.rows import Item, from_ms, number, string, to_ms

SCHEMA = 1
CASE_SHARDS = 4
RESOLVED_KEPT_FOR = timedelta(days=7)
"""How long what is resolved stays in the list, where nothing shows it. The case itself stays."""

TEXTS = (
    "event",
    "type",
    "account",
    "purchase",
    "payment",
    "currency",
    "note",
    "actor",
    "by",
    "request_hash",
    "granted",
)


def case_shard(case_id: str) -> int:
    """The part of the list that the case is in."""
    return crc32(case_id.encode()) % CASE_SHARDS


def case_to_item(case: Case) -> Item:
    """The case under its own id, for good."""
    return case_key(case.id) | _members(case)


def case_to_list_item(case: Case) -> Item:
    """The case in its part of the list, the oldest first. One that is resolved goes in a week."""
    place = f"{to_ms(case.at):015d}#{case.id}"
    item = key(case_list_pk(case_shard(case.id)), place) | _members(case)
    if case.resolved_at is None:
        return item
    return item | {"ttl": number(to_ms(case.resolved_at + RESOLVED_KEPT_FOR) // 1000)}


def _members(case: Case) -> Item:
    item: Item = {
        "sv": number(SCHEMA),
        "v": number(case.version),
        "case": string(case.id),
        "at": number(to_ms(case.at)),
        "reason": string(case.reason),
    }
    texts = {name: getattr(case, name) for name in TEXTS}
    item |= {name: string(text) for name, text in texts.items() if text}
    if case.amount_minor is not None:
        item["amount_minor"] = number(case.amount_minor)
    if case.resolved_at is not None and case.resolution is not None:
        item["resolved_at"] = number(to_ms(case.resolved_at))
        item["resolution"] = string(case.resolution.value)
    return item


def case_from_item(item: Item) -> Case:
    """The case as it was written, in either place."""
    texts: dict[str, Any] = {"event": "", "type": ""}
    texts |= {name: item[name]["S"] for name in TEXTS if name in item}
    case = Case(
        id=item["case"]["S"],
        at=from_ms(int(item["at"]["N"])),
        reason=item["reason"]["S"],
        **texts,
        version=int(item["v"]["N"]),
        amount_minor=int(item["amount_minor"]["N"]) if "amount_minor" in item else None,
    )
    if "resolved_at" not in item:
        return case
    return replace(
        case,
        resolved_at=from_ms(int(item["resolved_at"]["N"])),
        resolution=Resolution(item["resolution"]["S"]),
    )
