"""A schedule: accounts that nobody touched since something was due are rolled forward."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.observability import log_fact, log_failure
from tollkeeper.service.sweeping import ALL_SHARDS, sweep

LAST_MOMENTS_MS = 10_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The due accounts of the shards are rolled to now, until the time is nearly up."""
    shards = tuple(int(shard) for shard in event.get("shards", ALL_SHARDS))
    swept = sweep(
        wiring.world(),
        shards,
        has_time=lambda: context.get_remaining_time_in_millis() > LAST_MOMENTS_MS,
        on_broken=lambda account: log_failure("broken account", account=account),
    )
    facts = {
        "rolled": swept.rolled,
        "busy": swept.busy,
        "broken": swept.broken,
        "is_finished": swept.is_finished,
    }
    log_fact("swept", **facts)
    return facts
