"""A schedule: the closed days of all accounts are folded into days that reports are read from."""

from __future__ import annotations

from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.report_routes import run_fold

LAST_MOMENTS_MS = 10_000


def handler(_: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Lambda calls: the reports are as far as the accounts are, or as the time goes."""
    return run_fold(
        wiring.world(),
        has_time=lambda: context.get_remaining_time_in_millis() > LAST_MOMENTS_MS,
        function=context.function_name,
    )
