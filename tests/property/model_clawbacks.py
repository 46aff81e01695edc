"""Money that goes back and comes again, done to the model's account."""

from __future__ import annotations

from typing import Any

from .model_credits import bring_in, draw
from .model_state import State


def _claw_back(state: State, amount: int, *, own: int, row: str) -> None:
    """The credits go: those of their own grant, then any; what was spent is owed or forgiven."""
    debt, draws, left = state.debt, list[tuple[int, int]](), amount
    bucket = state.buckets[own]
    if bucket.started and bucket.remaining:
        part = min(bucket.remaining, left)
        bucket.remaining -= part
        left -= part
        draws.append((own, part))
    more, left = draw(state, left)
    forgiven = left if state.rule().forgives else 0
    state.owed += left - forgiven
    gone = amount - forgiven
    state.clawed += gone
    draws += more
    state.post("clawback", -gone, key=row, debt=debt, draws=draws, uncollected=forgiven)


def _reinstate(state: State, amount: int, *, expires: int | None, row: str) -> None:
    """They are back: they pay what is owed, and the rest is as bought; for good, if late."""
    debt, is_late = state.debt, expires is not None and expires <= state.now
    granted, purchased = state.granted, state.purchased
    kind, end = ("adjustment", None) if is_late else ("pack", expires)
    bucket = bring_in(state, kind, amount, expires=end)
    state.granted, state.purchased = granted, purchased
    state.clawed -= amount
    state.post("reinstate", amount, key=row, debt=debt, grant=bucket)


CLAWBACKS: dict[str, Any] = {"claw_back": _claw_back, "reinstate": _reinstate}
