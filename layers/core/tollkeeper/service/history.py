"""An account's history, page by page."""

from __future__ import annotations

from tollkeeper.domain.entries import AccountId, Entry
from tollkeeper.domain.errors import InvalidError
from tollkeeper.service.charging import see_account
from tollkeeper.service.ports import World
from tollkeeper.store.ledger import Page


def read_history(world: World, account: AccountId, *, cursor: str | None, limit: int) -> Page:
    """Up to `limit` rows, newest first, from the cursor on.

    Raises: InvalidError for a cursor that no page gave out; NotFoundError where accounts do not
    open by themselves and there is none. Cost: one Query per megabyte of rows.
    """
    below = _read_cursor(cursor)
    found: list[Entry] = []
    while True:
        page = world.ledger.read_history(account, below_seq=below, limit=limit - len(found))
        found += page.entries
        below = page.next_seq
        if below is None or len(found) >= limit:
            break
    if not found and cursor is None and not world.catalog.auto_open:
        see_account(world, account, is_strong=False)
    return Page(tuple(found), below)


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
        raise InvalidError("cursor", "is not one that a page gave out")
    return int(cursor)
