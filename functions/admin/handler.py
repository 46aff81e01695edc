"""What operators do: grants, adjustments, refunds, plan, profile, standing and service keys."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.answers import answer_entry
from tollkeeper.edge.commands import READERS, read_refund
from tollkeeper.edge.http import Api
from tollkeeper.edge.key_routes import answer_keys
from tollkeeper.edge.observability import log_outcome
from tollkeeper.edge.operator_routes import answer_command
from tollkeeper.edge.quarantine_routes import answer_quarantine, answer_rerate
from tollkeeper.service.charging import give_back

api = Api(lambda: wiring.clock().now())


def operate(**_: str) -> Response[str]:
    """The operator's command is applied, once for its key."""
    return answer_command(wiring.world(), api.read_known())


for route_key in READERS:
    method, path = route_key.replace("{id}", "<id>").split(" ")
    api.route(path, method)(operate)


@api.post("/v1/accounts/<id>/refunds")
def refund(**_: str) -> Response[str]:
    """Credits of a charge are given back, whole or in part, once."""
    outcome = give_back(wiring.world(), *read_refund(api.read_known()))
    log_outcome("refunded", outcome)
    return answer_entry(outcome, status=201).to_response()


@api.post("/v1/accounts/<id>/entries/<key>/rerate")
def rerate(**_: str) -> Response[str]:
    """A quarantined charge is corrected to what its run costs by now, once."""
    return answer_rerate(wiring.world(), api.read_known())


@api.get("/v1/quarantine")
def quarantine(**_: str) -> Response[str]:
    """The charges that wait for their price."""
    return answer_quarantine(wiring.world(), api.read_known())


@api.route("/v1/keys", ["GET", "POST"])
@api.delete("/v1/keys/<key_id>")
def keys(**_: str) -> Response[str]:
    """Service keys are listed, issued or revoked."""
    return answer_keys(api.read_known())


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
