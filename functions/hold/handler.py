"""POST /v1/holds and its steps: backends set credits aside before a call and settle after it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.hold_commands import read_extend, read_open, read_release, read_settle
from tollkeeper.edge.http import Api
from tollkeeper.edge.observability import log_outcome
from tollkeeper.service.holding import extend, open_hold, release, settle

api = Api(lambda: wiring.clock().now())


@api.post("/v1/holds")
def hold() -> Response[str]:
    """Credits are set aside for a run, once for the hold's id."""
    request, world = api.read_known(), wiring.world()
    outcome = open_hold(world, *read_open(request, world.catalog))
    log_outcome("held", outcome)
    return answer_entry(outcome, status=201).to_response()


@api.post("/v1/holds/<hold_id>/settle")
def settle_hold(**_: str) -> Response[str]:
    """What the call used is charged and the rest is back, once."""
    outcome = settle(wiring.world(), *read_settle(api.read_known()))
    log_outcome("settled", outcome)
    return answer_entry(outcome).to_response()


@api.post("/v1/holds/<hold_id>/release")
def release_hold(**_: str) -> Response[str]:
    """The hold is back whole, once."""
    outcome = release(wiring.world(), *read_release(api.read_known()))
    log_outcome("released", outcome)
    return answer_entry(outcome).to_response()


@api.post("/v1/holds/<hold_id>/extend")
def extend_hold(**_: str) -> Response[str]:
    """The hold stays open for longer, once for its Idempotency-Key."""
    outcome = extend(wiring.world(), *read_extend(api.read_known()))
    log_outcome("extended", outcome)
    return answer_entry(outcome).to_response()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
