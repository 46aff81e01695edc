"""The list of charges that wait for their price, as items beside the ledger."""

from __future__ import annotations

from datetime import timedelta

from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.store.keys import key, waiting_pk, waiting_shard
from tollkeeper.store.rows import Item, from_ms, number, string, to_ms

SCHEMA = 1
RESOLVED_KEPT_FOR = timedelta(days=7)
"""How long what waits no more stays in the list, where nothing shows it."""


def waiting_to_item(waiting: Waiting) -> Item:
    """The item in its part of the list, the oldest first. One that is resolved goes in a week."""
    place = f"{to_ms(waiting.at):015d}#{waiting.account}#{waiting.charge}"
    item = key(waiting_pk(waiting_shard(waiting.account)), place) | {
        "sv": number(SCHEMA),
        "account": string(waiting.account),
        "charge": string(waiting.charge),
        "at": number(to_ms(waiting.at)),
        "op": string(waiting.operation),
        "model": string(waiting.model),
        "charged": number(waiting.charged_microcredits),
    }
    if waiting.resolved_at is None:
        return item
    return item | {
        "by": string(waiting.by or ""),
        "resolved_at": number(to_ms(waiting.resolved_at)),
        "ttl": number(to_ms(waiting.resolved_at + RESOLVED_KEPT_FOR) // 1000),
    }


def waiting_from_item(item: Item) -> Waiting:
    """What waits, or waited, as it was written."""
    by, resolved_at = item.get("by"), item.get("resolved_at")
    return Waiting(
        account=AccountId(item["account"]["S"]),
        charge=EntryKey(item["charge"]["S"]),
        at=from_ms(int(item["at"]["N"])),
        operation=item["op"]["S"],
        model=item["model"]["S"],
        charged_microcredits=int(item["charged"]["N"]),
        resolved_at=None if resolved_at is None else from_ms(int(resolved_at["N"])),
        by=None if by is None else EntryKey(by["S"]),
    )
