"""POST /v1/check and /v1/estimate: backends ask before a call. Nothing is written."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import show_allowed, show_estimate
from tollkeeper.edge.bodies import CheckBody
from tollkeeper.edge.http import Answer, Api
from tollkeeper.edge.observability import log_fact
from tollkeeper.service.charging import check
from tollkeeper.service.quoting import quote

api = Api(lambda: wiring.clock().now())


@api.post("/v1/check")
def check_run() -> Response[str]:
    """200 where the account can pay for the run now, else 402 with what would help."""
    request = api.read_known()
    body, _ = request.body(CheckBody)
    world = wiring.world()
    allowed = check(world, body.to_run(world.catalog))
    log_fact("checked", account=body.account, operation=body.operation)
    return Answer(show_allowed(allowed)).to_response()


@api.post("/v1/estimate")
def estimate_run() -> Response[str]:
    """What the run may cost: min, typical and max."""
    request = api.read_known()
    body, _ = request.body(CheckBody)
    world = wiring.world()
    run = body.to_run(world.catalog)
    is_users = request.principal().account is not None
    quoted = quote(world, run.account, run.consumption, run.opens_on, is_users=is_users)
    return Answer(show_estimate(quoted)).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
