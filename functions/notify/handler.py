"""The table's stream, and an operator's redrive: what is in the ledger is told to the event bus."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.bus import event_bus
from tollkeeper.edge.redriving import answer_redrive
from tollkeeper.edge.stream import answer_batch

LAST_MOMENTS_MS = 10_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: for a batch of the stream, or with {"redrive": {...}} by hand."""

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > LAST_MOMENTS_MS)

    if "redrive" in event:
        return answer_redrive(event_bus(), wiring.ledger(), event["redrive"], has_time=has_time)
    return answer_batch(event_bus(), event["Records"], has_time=has_time)
