"""The search for accounts: by how their ids begin, page by page, in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.roll import look
from tollkeeper.service.ports import World
from tollkeeper.store.keys import DUE_SHARDS, account_list


@dataclass(frozen=True, slots=True)
class Found:
    """Accounts as they are now, and the id to go on after; empty where there are no more."""

    accounts: tuple[Account, ...]
    next_after: str


def search_accounts(world: World, *, prefix: str, after: str, limit: int) -> Found:
    """Up to `limit` accounts whose ids begin so, after that one.

    One that was opened a moment ago may be missing: the index follows the table.
    Raises: InvalidError where `after` is no id that such a page could end with.
    Cost: 16 Queries of the index, a GetItem per account found.
    """
    if after and not after.startswith(prefix):
        raise InvalidError("cursor", "is not of a page of this search")
    ids: list[str] = []
    has_more = False
    for shard in range(DUE_SHARDS):
        listed = account_list(shard)
        items, more = world.ledger.read_list(listed, first=prefix, after=after, limit=limit)
        ids += [item["pk"]["S"][2:] for item in items]
        has_more = has_more or more
    page = sorted(ids)[:limit]
    found = (world.ledger.read_account(AccountId(each), is_strong=False) for each in page)
    accounts = tuple(_as_now(world, each) for each in found if each is not None)
    is_last = len(ids) <= limit and not has_more
    return Found(accounts, "" if is_last or not page else page[-1])


def _as_now(world: World, account: Account) -> Account:
    """The account as it is now; as it is stored where it cannot be rolled.

    Why: an account that is broken is what an operator looks for.
    """
    try:
        return look(account, now=world.clock.now(), catalog=world.catalog)
    except Exception:  # noqa: BLE001 - as above
        return account
