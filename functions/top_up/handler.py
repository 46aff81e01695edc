"""The event bus and a schedule: accounts that run low buy their pack by their saved card."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.top_up_events import answer_event, answer_schedule

LAST_MOMENTS_MS = 50_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: for an event that an account needs credits, or to heal what is under way.

    Raises: what makes the same event worth sending again; Lambda does.
    """
    if "detail-type" in event:
        return answer_event(wiring.world(), wiring.till, event)
    return answer_schedule(
        wiring.world(),
        wiring.till,
        has_time=lambda: context.get_remaining_time_in_millis() > LAST_MOMENTS_MS,
    )
