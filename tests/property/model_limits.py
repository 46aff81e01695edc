"""Limits of the model's account: who set them, and what a change of them leaves as it is."""

from __future__ import annotations

from typing import Any

from .model_state import State

DEFAULT_THRESHOLDS = (50, 80, 100)


def _set_limits(state: State, setter: str, **facts: Any) -> None:
    """What is named is set, or lifted where it is None; what was consumed stays consumed."""
    if "thresholds" in facts:
        state.own_thresholds = facts["thresholds"] or None
        state.thresholds = state.own_thresholds or DEFAULT_THRESHOLDS
    mine = state.caps.setdefault(setter, {})
    for name in ("daily", "monthly", "per_run_max"):
        if name in facts:
            mine.pop(name, None)
            if facts[name] is not None:
                mine[name] = facts[name]
    if "low_balance" in facts:
        state.own_low_balance = facts["low_balance"]
    state.post("limits", 0)


def _set_top_up(state: State, below: int | None) -> None:
    """A top-up is wanted below that, or no more."""
    state.top_up_below = below
    state.post("top_up", 0)


LIMITS: dict[str, Any] = {"set_limits": _set_limits, "set_top_up": _set_top_up}
