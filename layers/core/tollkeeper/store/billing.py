"""How an account pays, as one item beside its ledger."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any
from zlib import crc32

from tollkeeper.domain.billing import Billing, TopUpRule, TopUpState
from tollkeeper.domain.entries import AccountId
from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import Key, account_pk, key
from tollkeeper.store.rows import Item, dump, from_ms, number, string, to_ms

TOP_UP_SHARDS = 4
TOP_UP_DUE = "TOPUP"
"""What the shards of the due index begin with in which top-ups wait for a look."""

MOMENTS = ("pending_since", "last_at", "next_at")


def billing_key(account: AccountId) -> Key:
    """The billing item."""
    return key(account_pk(account), "M")


def billing_to_item(billing: Billing) -> Item:
    """The billing item; only one that waits for a look is in the due index."""
    state = billing.state
    item = billing_key(billing.account) | {
        "sv": number(SCHEMA),
        "v": number(billing.version),
        "state": string(dump(_state_to_row(state))),
    }
    for name, text in (("customer", billing.customer), ("card", billing.card)):
        if text:
            item[name] = string(text)
    if billing.disputed:
        item["disputed"] = string(" ".join(billing.disputed))
    if billing.cleared:
        item["cleared"] = string(" ".join(billing.cleared))
    if billing.top_up is not None:
        item["rule"] = string(dump(_changed(billing.top_up)))
    if state.next_at is not None:
        shard = crc32(billing.account.encode()) % TOP_UP_SHARDS
        item["due_shard"] = string(f"{TOP_UP_DUE}#{shard}")
        item["due_at"] = number(to_ms(state.next_at))
    return item


def billing_from_item(item: Item) -> Billing:
    """The billing as it was written."""
    return Billing(
        account=AccountId(item["pk"]["S"][2:]),
        version=int(item["v"]["N"]),
        customer=_text(item, "customer"),
        card=_text(item, "card"),
        disputed=tuple(_text(item, "disputed").split()),
        cleared=tuple(_text(item, "cleared").split()),
        top_up=TopUpRule(**json.loads(item["rule"]["S"])) if "rule" in item else None,
        state=_state_from_row(json.loads(item["state"]["S"])),
    )


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _changed(value: TopUpRule | TopUpState) -> dict[str, Any]:
    """The members of a rule or state by name, without those that are as they mostly are.

    Why: a default that changes one day would change what was written before; a rule has none
    left out.
    """
    every = {each.name: (getattr(value, each.name), each.default) for each in fields(value)}
    is_rule = isinstance(value, TopUpRule)
    return {name: own for name, (own, usual) in every.items() if is_rule or own != usual}


def _state_to_row(state: TopUpState) -> dict[str, Any]:
    row = _changed(state)
    return row | {name: to_ms(row[name]) for name in MOMENTS if name in row}


def _state_from_row(row: dict[str, Any]) -> TopUpState:
    moments: dict[str, Any] = {name: from_ms(row[name]) for name in MOMENTS if name in row}
    return TopUpState(**row | moments)
