"""clients/web's live.js in Node: backoff, silence, renewal and what is never told."""

from __future__ import annotations

from tests.unit.test_web_client import CHECKS, needs_node, run_node


@needs_node
def test_live_updates_hold_in_node() -> None:
    run_node("--test", str(CHECKS / "live.test.js"))
