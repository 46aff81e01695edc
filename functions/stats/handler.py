"""GET /v1/accounts/{id}/stats and /v1/reports/…: what one account, and what all of them, ran."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.bodies import StatsQuery
from tollkeeper.edge.http import Answer, Api
from tollkeeper.edge.report_routes import answer_customers, answer_usage
from tollkeeper.edge.stats_answers import show_stats
from tollkeeper.service.stats import StatsRequest, read_stats

api = Api(lambda: wiring.clock().now())


@api.get("/v1/accounts/<id>/stats")
def stats(**_: str) -> Response[str]:
    """What ran, what it cost, and what it used; equal to the ledger at every moment."""
    request = api.read_known()
    query = request.query(StatsQuery)
    asked = StatsRequest(request.account(), query.first, query.last, query.bucket, query.group_by)
    return Answer(show_stats(read_stats(wiring.world(), asked), query.group_by)).to_response()


@api.get("/v1/reports/usage")
def usage(**_: str) -> Response[str]:
    """What all accounts ran on closed days, by time and by operation, model or feature."""
    return answer_usage(wiring.world(), api.read_known())


@api.get("/v1/reports/customers")
def customers(**_: str) -> Response[str]:
    """The customers who used most."""
    return answer_customers(wiring.world(), api.read_known())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
