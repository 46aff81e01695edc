"""What rows tell people: thresholds of windows, once each, and a balance that is low."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

RECOVERED, WHOLE = 0, 100

if TYPE_CHECKING:
    from .model_state import State


def alert(state: State) -> None:
    """The newest row says what was crossed by it; of an account that is closed, nothing."""
    if state.status == "closed":
        return
    said = [*_balance(state), *_windows(state), *_top_up(state)]
    state.rows[-1] = replace(state.rows[-1], alerts=tuple(said))


def _top_up(state: State) -> list[str]:
    """Each row that takes something and leaves less than is wanted, while it may be spent."""
    below = state.top_up_below
    if below is None or state.status != "active" or state.rows[-1].delta >= 0:
        return []
    return ["top_up"] if state.rows[-1].after < below else []


def _windows(state: State) -> list[str]:
    """Each threshold once in a window: it is reached by what was spent, not by what is held.

    Below one that was told, none is told any more, whatever thresholds are set meanwhile.
    A window has recovered, once, when its limit was reached, and it was told, and is so no more.
    """
    found: list[str] = []
    for name, number, spent, most in watched(state):
        if not most:
            continue
        reached = [t for t in state.thresholds if spent * 100 >= t * most]
        told = [t for *where, t in state.fired if where == [name, number]]
        new = [t for t in reached if t > max(told, default=0)]
        found += [f"{name}:{threshold}" for threshold in new]
        state.fired |= {(name, number, threshold) for threshold in new}
        is_over = (name, number, WHOLE) in state.fired and spent < most
        if is_over and (name, number, RECOVERED) not in state.fired:
            state.fired.add((name, number, RECOVERED))
            found.append(f"{name}:recovered")
    return found


def watched(state: State) -> list[tuple[str, int, int, int | None]]:
    """The windows: name, which one, what is spent in it, and its limit."""
    day, month, period = state.windows()
    first = date.fromordinal(state.today).replace(day=1).toordinal()
    return [
        ("day", state.today, day, state.cap("daily")),
        ("month", first, month, state.cap("monthly")),
        ("period", len(state.periods), period, state.rule().allocation),
    ]


def _balance(state: State) -> list[str]:
    """Low, and recovered where low was told. What is held is not gone; opening low is no fall."""
    was_low, is_first = state.is_low, len(state.rows) == 1
    state.is_low = state.available() + state.held() <= state.low_line()
    if state.is_low and not was_low and not is_first:
        state.told_low = True
        return ["low_balance"]
    if state.told_low and not state.is_low:
        state.told_low = False
        return ["low_balance:recovered"]
    return []
