"""The table's stream: who looks at an account's page hears of each change at once."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.event_api import event_api
from tollkeeper.edge.live_publishing import tell_live


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls for a batch of the stream; what it could not tell it names."""
    left_ms: int = context.get_remaining_time_in_millis()
    return tell_live(event_api().publish, event["Records"], wiring.clock(), left_ms=left_ms)
