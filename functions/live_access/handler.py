"""The event API's authorizer: AppSync asks it before a socket opens and before it subscribes."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.live_access import authorize_live


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Shape: {"isAuthorized": bool, "ttlOverride": 0}; whoever is not known is denied."""
    return authorize_live(event, wiring.clock().now())
