"""What operators do: grants, refunds, plan, profile, standing, top-ups, codes and service keys."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge import wiring
from tollkeeper.edge.admin_routes import ADMIN_ROUTES
from tollkeeper.edge.http import Api

api = Api(lambda: wiring.clock().now())


def operate(**_: str) -> Response[str]:
    """What the operator asks for is done, once for its key, by the route's own answer."""
    request = api.read_known()
    return ADMIN_ROUTES[request.route_key](wiring.world(), request)


for route_key in ADMIN_ROUTES:
    method, path = route_key.replace("{", "<").replace("}", ">").split(" ")
    api.route(path, method)(operate)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls."""
    return api.resolve(event, context)
