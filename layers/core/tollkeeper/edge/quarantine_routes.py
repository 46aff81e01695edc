"""Charges that wait for their price, over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.entries import show_key
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.bodies import QuarantineQuery, StandingBody
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_outcome
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.quarantine import RerateRequest, list_quarantine, rerate
from tollkeeper.store.keys import WAITING_SHARDS

USUAL_ROWS = 50
MOST_ROWS = 200


def answer_rerate(world: World, request: Request) -> Response[str]:
    """The charge in the path is corrected to what its run costs by now.

    Raises: MalformedError, InvalidError; as rerate.
    """
    body, members = request.body(StandingBody)
    account = request.account()
    keyed = read_keyed(request, account, members)
    outcome = rerate(world, RerateRequest(account, request.entry(), body.reason), keyed)
    log_outcome("rerated", outcome)
    return answer_entry(outcome).to_response()


def answer_quarantine(world: World, request: Request) -> Response[str]:
    """A page of the charges that wait for their price. Raises: InvalidError."""
    query = request.query(QuarantineQuery)
    place = None if query.cursor is None else read_place(query.cursor)
    limit = min(query.limit or USUAL_ROWS, MOST_ROWS)
    page = list_quarantine(world, limit=limit, place=place)
    cursor = None if page.next_place is None else show_place(*page.next_place)
    charges = [_show_waiting(each) for each in page.waiting]
    return Answer({"charges": charges, "next_cursor": cursor}).to_response()


def show_place(shard: int, after: str) -> str:
    """A place in the list as a cursor."""
    return to_url_safe(f"{shard}#{after}".encode())


def read_place(cursor: str, shards: int = WAITING_SHARDS) -> tuple[int, str]:
    """The place that the cursor says, in a list of so many parts. Raises: InvalidError."""
    try:
        shard, hash_sign, after = from_url_safe(cursor).decode().partition("#")
    except ValueError:
        shard, hash_sign, after = "", "", ""
    is_part = shard in {str(each) for each in range(shards)}
    if not hash_sign or not is_part or show_place(int(shard), after) != cursor:
        raise InvalidError("cursor", "is not one that a page gave out")
    return int(shard), after


def _show_waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "account": waiting.account,
        "key": show_key(waiting.charge),
        "at": waiting.at.isoformat(),
        "operation": waiting.operation,
        "model": waiting.model or None,
        "charged": Amount(waiting.charged_microcredits),
    }
