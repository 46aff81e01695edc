"""POST /v1/deduct and …/entries/{key}/void: backends charge a run, or undo its charge."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.bodies import RunBody
from tollkeeper.edge.commands import read_keyed, read_void
from tollkeeper.edge.http import Api
from tollkeeper.edge.observability import log_outcome
from tollkeeper.service.charging import charge, give_back

api = Api(lambda: wiring.clock().now())


@api.post("/v1/deduct")
def deduct() -> Response[str]:
    """The run is charged, once for its Idempotency-Key."""
    request = api.read_known()
    body, members = request.body(RunBody)
    keyed = read_keyed(request, body.account, members)
    world = wiring.world()
    outcome = charge(world, body.to_run(world.catalog), keyed)
    log_outcome("deducted", outcome)
    return answer_entry(outcome).to_response()


@api.post("/v1/accounts/<id>/entries/<key>/void")
def void(**_: str) -> Response[str]:
    """The charge is undone, whole and once."""
    back, keyed = read_void(api.read_known())
    outcome = give_back(wiring.world(), back, keyed)
    log_outcome("voided", outcome)
    return answer_entry(outcome).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
