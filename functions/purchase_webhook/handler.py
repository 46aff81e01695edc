"""POST /v1/webhooks/stripe, or Stripe's event bus: Stripe says what became of a payment."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.deliveries import answer_delivery, is_bus_event, take_bus_event
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
    """What Lambda calls, for API Gateway or for EventBridge."""
    if is_bus_event(event):
        now, is_live = wiring.clock().now(), read_settings().is_live
        return take_bus_event(wiring.world(), event, now=now, expects_live=is_live)
    return api.resolve(event, context)
