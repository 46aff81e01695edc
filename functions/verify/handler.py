"""GET /v1/verify/{id}, and a schedule: does the ledger explain every credit? Nothing is written."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.http import Api
from tollkeeper.edge.verification import answer_verified, run_verification

LAST_MOMENTS_MS = 10_000

api = Api(lambda: wiring.clock().now())


@api.get("/v1/verify/<id>")
def verify(**_: str) -> Response[str]:
    """What does not hold in the account's ledger, for operators."""
    request = api.read_known()
    return answer_verified(wiring.world(), request.account()).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: for a request, or for the schedule's accounts of this half hour."""
    if "routeKey" in event:
        return api.resolve(event, context)
    return run_verification(
        wiring.world(),
        event,
        has_time=lambda: context.get_remaining_time_in_millis() > LAST_MOMENTS_MS,
        function=context.function_name,
    )
