"""POST /v1/reconcile, and two schedules: what Stripe lists of a range is in the ledger."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.http import Api
from tollkeeper.edge.reconciliation import answer_reconciled, make_reconciler, run_reconciliation
from tollkeeper.edge.settings import read_settings

LAST_MOMENTS_MS = 60_000

api = Api(lambda: wiring.clock().now())


@api.post("/v1/reconcile")
def reconcile() -> Response[str]:
    """What was missed of the range is healed, and what differs is told, for operators."""
    request = api.read_known()
    answer = answer_reconciled(
        wiring.world(), wiring.stripe_lists(), request, expects_live=read_settings().is_live
    )
    return answer.to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: for a request, or for the schedule's last hours."""
    if "routeKey" in event:
        return api.resolve(event, context)
    reconciler = make_reconciler(
        wiring.world(),
        wiring.stripe_lists(),
        expects_live=read_settings().is_live,
        has_time=lambda: context.get_remaining_time_in_millis() > LAST_MOMENTS_MS,
    )
    return run_reconciliation(reconciler, event, function=context.function_name)
