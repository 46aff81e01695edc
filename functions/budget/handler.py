"""POST /v1/accounts/{id}/budgets and …/close: backends fund a team, a member or an agent's run."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.commands import read_close_budget, read_fund
from tollkeeper.edge.http import Api
from tollkeeper.edge.observability import log_outcome
from tollkeeper.service.budgeting import close_budget, fund_budget

api = Api(lambda: wiring.clock().now())


@api.post("/v1/accounts/<id>/budgets")
def fund(**_: str) -> Response[str]:
    """The budget has the credits, once for the Idempotency-Key."""
    outcome = fund_budget(wiring.world(), *read_fund(api.read_known()))
    log_outcome("funded", outcome)
    return answer_entry(outcome, status=201).to_response()


@api.post("/v1/accounts/<id>/budgets/<budget>/close")
def close(**_: str) -> Response[str]:
    """The budget is closed and what it held is back, once for the Idempotency-Key."""
    outcome = close_budget(wiring.world(), *read_close_budget(api.read_known()))
    log_outcome("closed", outcome)
    return answer_entry(outcome).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
