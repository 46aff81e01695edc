"""Charges that wait for their price, over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.entries import show_key
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.bodies import StandingBody
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Request
from tollkeeper.edge.observability import log_outcome
from tollkeeper.edge.pages import answer_page, read_asked
from tollkeeper.edge.wire import Amount
from tollkeeper.service.ports import World
from tollkeeper.service.quarantine import RerateRequest, list_quarantine, rerate
from tollkeeper.store.keys import WAITING_SHARDS


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
    limit, place = read_asked(request, parts=WAITING_SHARDS)
    page = list_quarantine(world, limit=limit, place=place)
    return answer_page("charges", page, _show_waiting)


def _show_waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "account": waiting.account,
        "key": show_key(waiting.charge),
        "at": waiting.at.isoformat(),
        "operation": waiting.operation,
        "model": waiting.model or None,
        "charged": Amount(waiting.charged_microcredits),
    }
