"""Holds, done to the model's account: opened, settled in parts or whole, given up, expired."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .model_credits import draw, put_back
from .model_state import Held, Run, State


def _open(
    state: State,
    hold: str,
    operation: str,
    amount: int,
    *,
    model: str | None,
    feature: str,
    count: int,
    expires: int,
) -> None:
    """Credits are set aside: those of grants in their order, then of the overdraft."""
    debt = state.debt
    draws, left = draw(state, amount)
    state.overdrawn += left
    is_counted = feature in state.rule().limits
    state.holds[hold] = Held(
        id=hold,
        operation=operation,
        model=model,
        amount=amount,
        rest=amount,
        draws=draws,
        credit=left,
        opened=state.now,
        expires=expires,
        above=state.rule().above,
        feature=feature,
        count=count,
        is_counted=is_counted,
        period=len(state.periods),
    )
    key = f"h~{hold}~open"
    state.post("hold", -amount, key=key, debt=debt, draws=draws, moved=amount, hold=hold)


def _settle(
    state: State,
    hold: str,
    cost: int,
    *,
    is_final: bool = True,
    count: int | None = None,
    volume: Fraction = Fraction(0),
) -> None:
    """What was used is charged: from the hold, then as its policy says; the rest is free.

    `count` is how often it was used, where the caller says so. A hold is no volume yet.
    """
    held = state.holds[hold]
    is_late, debt, available = held.status == "expired", state.debt, state.available()
    run = Run(held.operation, 0, state.today, len(state.periods), None, 0, is_part=held.parts > 0)
    run.draws, missing = _take(held, cost)
    uncollected = _take_more(state, held, run, missing)
    run.credits = cost - uncollected
    run.measured, run.volume = held.feature, volume
    _count(state, held, run, count)
    back, into, gone = list[tuple[int, int]](), None, 0
    if is_final:
        back, into, gone = put_back(state, held)
        held.status = "settled"
    held.parts += 1
    state.runs.append(run)
    state.post(
        "settle",
        state.available() - available,
        key=f"h~{hold}~settle" if is_final else None,
        debt=debt,
        run=len(state.runs) - 1,
        draws=run.draws,
        grant=into,
        moved=run.credits,
        hold=hold,
        expired=gone,
        uncollected=uncollected,
        is_late=is_late,
        returned=back,
    )


def _take(held: Held, cost: int) -> tuple[list[tuple[int, int]], int]:
    """What the hold pays, from which grants, and what it does not cover."""
    left = min(cost, held.rest)
    missing = cost - left
    held.rest -= left
    draws: list[tuple[int, int]] = []
    kept: list[tuple[int, int]] = []
    for number, amount in held.draws:
        part = min(left, amount)
        left -= part
        draws += [(number, part)] if part else []
        kept += [(number, amount - part)] if amount > part else []
    held.draws, held.credit = kept, held.credit - left
    assert held.credit >= 0, "a hold gives what it has"
    return draws, missing


def _take_more(state: State, held: Held, run: Run, missing: int) -> int:
    """What is not covered is taken from what is there, then owed as far as that may be.

    Returns: what cannot be collected.
    """
    draws, missing = draw(state, missing)
    run.draws = [*run.draws, *draws]
    more = missing if state.policy(held) == "debt" else min(missing, state.credit_left())
    state.overdrawn += more
    return missing - more


def _count(state: State, held: Held, run: Run, count: int | None) -> None:
    """The first settle is counted where the hold was; a late one, whose count came back, now."""
    is_open = held.status == "open"
    if run.is_part or not (held.is_counted if is_open else held.feature in state.rule().limits):
        return
    run.feature, run.count = held.feature, held.count if count is None else count
    run.counted_in = held.period if is_open else len(state.periods)
    held.is_counted = False


def expire_hold(state: State, held: Held) -> None:
    """Nobody settled it in time."""
    _free(state, held, "hold_expired", "expire", "expired")


def _release(state: State, hold: str) -> None:
    """The call did not happen."""
    _free(state, state.holds[hold], "release", "release", "released")


def _free(state: State, held: Held, kind: str, key: str, status: str) -> None:
    debt, available, rest = state.debt, state.available(), held.rest
    returned, into, gone = put_back(state, held)
    held.status = status
    state.post(
        kind,
        state.available() - available,
        key=f"h~{held.id}~{key}",
        debt=debt,
        returned=returned,
        grant=into,
        moved=rest,
        hold=held.id,
        expired=gone,
    )


def _extend(state: State, hold: str, expires: int) -> None:
    """It expires later, never earlier."""
    held = state.holds[hold]
    held.expires = max(held.expires, expires)
    held.extensions += 1
    state.post("hold_extended", 0, hold=hold)


HOLDS: dict[str, Any] = {
    "open_hold": _open,
    "settle": _settle,
    "release": _release,
    "extend": _extend,
}
