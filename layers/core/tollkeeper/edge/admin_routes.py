"""What the routes of operators answer: one table of route and answer."""

from __future__ import annotations

from collections.abc import Callable

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.code_routes import answer_codes, answer_redeem
from tollkeeper.edge.commands import READERS, read_refund
from tollkeeper.edge.http import Request
from tollkeeper.edge.key_routes import answer_keys
from tollkeeper.edge.observability import log_outcome
from tollkeeper.edge.operator_routes import answer_command
from tollkeeper.edge.payment_routes import answer_cases, answer_release
from tollkeeper.edge.quarantine_routes import answer_quarantine, answer_rerate
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.token_routes import answer_mint
from tollkeeper.edge.top_up_routes import answer_set_top_up
from tollkeeper.service.charging import give_back
from tollkeeper.service.ports import World

AnswerRoute = Callable[[World, Request], Response[str]]


def answer_refund(world: World, request: Request) -> Response[str]:
    """Credits of a charge are given back, whole or in part, once."""
    outcome = give_back(world, *read_refund(request))
    log_outcome("refunded", outcome)
    return answer_entry(outcome, status=201).to_response()


def _answer_keys(_: World, request: Request) -> Response[str]:
    """Why: keys are kept apart from the ledger, behind a gatehouse of their own."""
    return answer_keys(request)


def _answer_mint(_: World, request: Request) -> Response[str]:
    return answer_mint(request)


def _answer_top_up(world: World, request: Request) -> Response[str]:
    return answer_set_top_up(world, request, read_settings())


ADMIN_ROUTES: dict[str, AnswerRoute] = {
    **dict.fromkeys(READERS, answer_command),
    "POST /v1/accounts/{id}/refunds": answer_refund,
    "POST /v1/accounts/{id}/entries/{key}/rerate": answer_rerate,
    "GET /v1/quarantine": answer_quarantine,
    "GET /v1/quarantine/payments": answer_cases,
    "POST /v1/quarantine/payments/{case}/release": answer_release,
    "PUT /v1/accounts/{id}/top-up": _answer_top_up,
    "POST /v1/accounts/{id}/redeem": answer_redeem,
    "POST /v1/codes": answer_codes,
    "GET /v1/codes": answer_codes,
    "DELETE /v1/codes/{code}": answer_codes,
    "POST /v1/keys": _answer_keys,
    "GET /v1/keys": _answer_keys,
    "DELETE /v1/keys/{key_id}": _answer_keys,
    "POST /v1/tokens": _answer_mint,
}
