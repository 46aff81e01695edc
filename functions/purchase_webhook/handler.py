"""POST /v1/webhooks/stripe: Stripe says what became of a payment."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.deliveries import answer_delivery
from tollkeeper.edge.http import Api
from tollkeeper.edge.settings import read_settings

api = Api(lambda: wiring.clock().now())


@api.post("/v1/webhooks/stripe")
def receive() -> Response[str]:
    """The event has had its one effect, however often it is sent."""
    return answer_delivery(
        wiring.world(), wiring.stack_secrets(), api.read(), expects_live=read_settings().is_live
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
