"""Decisions to transactions: each put with its one named condition."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import ChargeReturned, Decision
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.roll import next_moment
from tollkeeper.domain.totals import DayClosed, Totals
from tollkeeper.store.items import SCHEMA, account_to_item, entry_to_item
from tollkeeper.store.keys import day_key, day_list, day_shard, returned_key
from tollkeeper.store.quarantine import waiting_to_item
from tollkeeper.store.rows import (
    Item,
    number,
    string,
    to_ms,
    totals_from_rows,
    totals_to_rows,
)

MOST_ITEMS = 90
MOST_BYTES = 1_000_000
# Why: one of ours is bounded far below a tenth of the size, so only many can be too large.
FEW_ITEMS = 10

# Why: a row, a day or a mark is written once and never again.
IS_NEW = {"ConditionExpression": "attribute_not_exists(pk)"}


@dataclass(frozen=True, slots=True)
class Write:
    """One slot of a transaction: what it is for, and the put itself."""

    role: str
    put: dict[str, Any]


def is_version(version: int) -> dict[str, Any]:
    """The item is as it was read: nobody else wrote it since."""
    if version == 0:
        return dict(IS_NEW)
    return {
        "ConditionExpression": "v = :read",
        "ExpressionAttributeValues": {":read": number(version)},
    }


def is_link_version(version: int) -> dict[str, Any]:
    """The link is as it was read. Why: one from before links had versions has none."""
    if version == 0:
        return {"ConditionExpression": "attribute_not_exists(v)"}
    return is_version(version)


def decision_to_writes(decision: Decision) -> list[Write]:
    """The transaction's slots: account, rows, days and what else the command needs."""
    writes = _account_writes(decision, "answer")
    for also in decision.also:
        if isinstance(also, Decision):
            writes += _account_writes(also, "row")
        else:
            writes += also_to_writes(decision.account.id, also)
    assert len(writes) <= MOST_ITEMS, "a decision fits one transaction"
    assert len(writes) <= FEW_ITEMS or _text_bytes(writes) <= MOST_BYTES, "and its size"
    keys = {(w.put["Item"]["pk"]["S"], w.put["Item"]["sk"]["S"]) for w in writes}
    assert len(keys) == len(writes), "the keys of a transaction differ"
    return writes


def _account_writes(decision: Decision, role_of_answer: str) -> list[Write]:
    """One account with its rows and days."""
    before = decision.before
    account = decision.account
    version = 0 if before is None else before.version
    due_ms = next_due_ms(decision)
    writes = [Write("account", account_to_item_put(account, due_ms, version))]
    for entry in decision.entries:
        role = role_of_answer if entry is decision.answer else "row"
        writes.append(Write(role, {"Item": entry_to_item(entry), **IS_NEW}))
    for day in decision.days:
        writes.append(Write("row", {"Item": day_to_item(account.id, day), **IS_NEW}))
    return writes


def also_to_writes(account: AccountId, *also: object) -> list[Write]:
    """The slots of items beside the ledger, each with its own condition."""
    return [write for each in also for write in _beside_to_writes(account, each)]


def _beside_to_writes(account: AccountId, also: object) -> list[Write]:
    match also:
        case ChargeReturned():
            return [Write("returned", {"Item": returned_to_item(account, also), **IS_NEW})]
        case Waiting(by=None):
            return [Write("waiting", {"Item": waiting_to_item(also), **IS_NEW})]
        case Waiting():
            # Why: the charge's mark, in the same transaction, says that nobody was here before.
            return [Write("waiting", {"Item": waiting_to_item(also)})]
        case _:
            # Why: imported here, since a charge needs none of it and would wait for it.
            from tollkeeper.store.payment_writes import payment_to_writes

            return payment_to_writes(also)


def _text_bytes(writes: list[Write]) -> int:
    """The bytes of all texts and numbers in the items."""
    values = (value for write in writes for value in write.put["Item"].values())
    return sum(len(str(text).encode()) for value in values for text in value.values())


def account_to_item_put(account: Account, due_ms: int, version: int) -> dict[str, Any]:
    """The put of the account over the version that was read."""
    return {"Item": account_to_item(account, due_ms=due_ms), **is_version(version)}


def next_due_ms(decision: Decision) -> int:
    """When the sweep should look next: the next moment that is due, or earlier, never later.

    Why: a change of it costs two index writes. A hold lowers it; its settle leaves it, and so
    does the next hold. Whoever writes the account once it has passed raises it again.
    """
    account = decision.account
    next_at = next_moment(account).at
    told_at = None if decision.before is None else decision.before.due_at
    if told_at is None or told_at <= account.rolled_to:
        return to_ms(next_at)
    return to_ms(min(told_at, next_at))


def day_to_item(account: AccountId, day: DayClosed) -> Item:
    """One closed day with its totals, in its day's list.

    Why: `totals`, and not `to` as in the account, since the index projects it, and a charge would
    write the index with it. A day has no `due_at`, so nothing sweeps it.
    """
    rows = json.dumps(totals_to_rows(day.totals), separators=(",", ":"), ensure_ascii=False)
    return day_key(account, day.day) | {
        "sv": number(SCHEMA),
        "totals": string(rows),
        "due_shard": string(day_list(day.day, day_shard(account))),
    }


def day_from_item(item: Item) -> DayClosed:
    """The day as it was written. Why: `to` is what it was called before days were listed."""
    rows = item["totals"] if "totals" in item else item["to"]
    return DayClosed(
        date.fromisoformat(item["sk"]["S"][2:]), totals_from_rows(json.loads(rows["S"]))
    )


def totals_from_listed(item: Item) -> tuple[AccountId, Totals]:
    """Whose closed day it is and what it says, as the index `lists` projects it."""
    rows = json.loads(item["totals"]["S"])
    return AccountId(item["pk"]["S"][2:]), totals_from_rows(rows)


def returned_to_item(account: AccountId, mark: ChargeReturned) -> Item:
    """The mark that a charge was given back, or priced anew."""
    item = returned_key(account, mark.charge) | {"sv": number(SCHEMA), "by": string(mark.by)}
    return item | ({"rr": number(1)} if mark.is_rerate else {})


def returned_from_item(item: Item) -> ChargeReturned:
    """The mark as it was written."""
    charge = EntryKey(item["sk"]["S"].removeprefix("B#"))
    return ChargeReturned(charge, EntryKey(item["by"]["S"]), "rr" in item)
