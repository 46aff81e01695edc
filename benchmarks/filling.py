"""A large ledger in a short time: decided by the domain, written by the store, in batches.

Why: 20,000 charges through the handlers take minutes and prove nothing about the one after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

import botocore.config
import botocore.session

from benchmarks.stack import TABLE
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money import MICRO
from tollkeeper.domain.operating import GiveGrant, decide_grant
from tollkeeper.domain.pricing import Consumption, price_run
from tollkeeper.domain.roll import begin
from tollkeeper.store.rows import Item
from tollkeeper.store.writes import decision_to_writes

BATCH = 25
WRITERS = 4


def accounts_to_items(names: Iterable[str], *, now: datetime, catalog: Catalog) -> Iterator[Item]:
    """The items of accounts that were opened, each with the row of its first allocation."""
    for name in names:
        draft, _ = begin(None, AccountId(name), now=now, catalog=catalog)
        yield from _items(draft.decide(None))


def charged_account_to_items(
    name: str, charges: int, *, now: datetime, catalog: Catalog
) -> Iterator[Item]:
    """The items of an account with credits and so many charges, each decided by the domain."""
    draft, _ = begin(None, AccountId(name), now=now, catalog=catalog)
    decision = decide_grant(draft, _grant(1_000_000))
    account_item, *entries = _items(decision)
    yield from entries
    run = Consumption(operation="sms", quantity_micro=MICRO, label="reminders")
    priced = price_run(run, catalog)
    for index in range(charges):
        draft, _ = begin(decision.account, AccountId(name), now=now, catalog=catalog)
        command = Charge(EntryKey(f"c#msg_{index}"), "1:filled", priced, "service:filling")
        decision = decide_charge(draft, command, catalog)
        account_item, *entries = _items(decision)
        yield from entries
    yield account_item


def _grant(credits: int) -> GiveGrant:
    return GiveGrant(
        key=EntryKey("c#g1"),
        request_hash="1:filled",
        reason="to be spent",
        amount_microcredits=credits * MICRO,
        kind=GrantKind.PACK,
    )


def _items(decision: Decision) -> list[Item]:
    """The account's item, then its rows."""
    return [write.put["Item"] for write in decision_to_writes(decision)]


def write_items(items: Iterable[Item]) -> int:
    """All of them are in the table; how many there were. Needs: the environment."""
    config = botocore.config.Config(
        parameter_validation=False, max_pool_connections=WRITERS, read_timeout=30
    )
    session = botocore.session.get_session()
    client: Any = session.create_client("dynamodb", config=config)

    def write(batch: list[Item]) -> int:
        waiting: dict[str, Any] = {TABLE: [{"PutRequest": {"Item": item}} for item in batch]}
        while waiting:
            waiting = client.batch_write_item(RequestItems=waiting).get("UnprocessedItems", {})
        return len(batch)

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(write, _batches(items)))


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch
