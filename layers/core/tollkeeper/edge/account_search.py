"""The search for accounts over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.account import Account
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.report_bodies import SearchQuery
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.searching import search_accounts


def answer_search(world: World, request: Request) -> Response[str]:
    """A page of the accounts whose ids begin so, in the order of their ids. Raises: InvalidError.

    Why: the cursor is the last id of the page, which whoever may search may know.
    """
    query = request.query(SearchQuery)
    found = search_accounts(world, prefix=query.prefix, after=query.cursor, limit=query.limit)
    accounts = [_show_found(account) for account in found.accounts]
    return Answer({"accounts": accounts, "next_cursor": found.next_after or None}).to_response()


def _show_found(account: Account) -> dict[str, Any]:
    return {
        "account": account.id,
        "name": account.name or None,
        "status": account.status.value,
        "plan": account.plan.id,
        "available": Amount(account.available_microcredits),
        "held": Amount(account.held_microcredits),
        "debt": Amount(account.debt_microcredits),
        "spent": Amount(account.lifetime.spent),
        "parent": account.parent or None,
        "seq": account.seq,
    }
