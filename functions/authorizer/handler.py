"""The authorizer: API Gateway asks it before every route that is not public."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge.access import read_authorization
from tollkeeper.edge.authorization import authorize_event


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Shape: {"isAuthorized": bool, "context": {...}}; a route without a row is denied."""
    return authorize_event(read_authorization(event), str(event.get("routeKey", "")))
