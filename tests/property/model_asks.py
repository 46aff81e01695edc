"""What callers and operators ask for, done to the model's account."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .days import local_day, midnight
from .model_budgets import BUDGETS
from .model_clawbacks import CLAWBACKS
from .model_credits import bring_in, draw, unspend
from .model_holds import HOLDS
from .model_limits import LIMITS
from .model_rerates import RERATES
from .model_state import Run, State
from .model_time import begin_period, expire, first_anchor


def _grant(state: State, kind: str, amount: int, **facts: Any) -> None:
    debt = state.debt
    held = bring_in(state, kind, amount, **facts)
    starts = facts.get("effective") or 0
    state.post("grant", amount if starts <= state.now else 0, debt=debt, grant=held, moved=amount)


def _charge(
    state: State,
    operation: str,
    cost: int,
    *,
    feature: str,
    count: int,
    is_failed: bool = False,
    volume: Fraction = Fraction(0),
) -> None:
    run = Run(operation, 0, state.today, len(state.periods), None, 0, failed=is_failed)
    number, debt = len(state.runs), state.debt
    state.runs.append(run)
    if is_failed:
        state.post("run_failed", 0, run=number)
        return
    if feature in state.plans[state.plan].limits:
        run.feature, run.count, run.counted_in = feature, count, run.period
    run.measured, run.volume = feature, volume
    run.credits = left = cost
    run.draws, left = draw(state, left)
    state.overdrawn += left
    state.post("charge", -cost, debt=debt, run=number, draws=run.draws)


def _give_back(state: State, index: int, kind: str, amount: int) -> None:
    run = state.runs[index]
    assert not run.returned, "a charge is given back once"
    run.back, run.returned = amount, True
    if kind == "void":
        run.count, run.volume = 0, Fraction(0)
    state.backs.append((state.today, index, kind, amount))
    debt = state.debt
    returned, held = unspend(state, run, amount)
    state.post(kind, amount, debt=debt, run=index, draws=returned, grant=held)


def _adjust(state: State, delta: int) -> None:
    if delta > 0:
        debt = state.debt
        held = bring_in(state, "adjustment", delta)
        state.post("adjustment", delta, debt=debt, grant=held)
    else:
        draws, missing = draw(state, -delta)
        assert missing == 0, "an adjustment takes only what is there"
        state.taken_down -= delta
        state.post("adjustment", delta, draws=draws)


def _change_plan(
    state: State, plan: str, anchor: int | None, *, at_end: bool, takes_ms: int = 0
) -> None:
    if not at_end:
        _change_plan_now(state, plan, anchor, takes_ms)
    elif plan == state.plan and anchor is None:
        state.waiting_plan = state.waiting_anchor = None
    else:
        first = first_anchor(state, plan, state.end) if anchor is None else anchor
        state.waiting_plan, state.waiting_anchor = plan, first
    state.post("plan_change", 0)


def _change_plan_now(state: State, plan: str, anchor: int | None, takes_ms: int) -> None:
    state.now += takes_ms
    for bucket in state.buckets:
        if bucket.kind == "plan" and not bucket.ended:
            expire(state, bucket)
    first = first_anchor(state, plan, state.now) if anchor is None else anchor
    state.generation += 1
    begin_period(state, plan, first)


def _open_on_plan(state: State) -> None:
    """The account opened on the plan that was asked for; a row says who asked."""
    state.post("plan_change", 0)


def _touch(state: State) -> None:
    """The account was written although nobody asked for anything."""


def _change_zone(state: State, zone: str) -> None:
    _change_profile(state, zone, None)


def _change_profile(state: State, zone: str | None, name: str | None) -> None:
    if name is not None:
        state.name = name
    if zone is not None:
        _ask_zone(state, zone)
    state.post("profile", 0)


def _ask_zone(state: State, zone: str) -> None:
    if zone == state.zone:
        state.waiting_zone = None
        state.today = max(state.today, local_day(state.now, zone))
        return
    day = local_day(state.now, zone)
    while day <= state.today or midnight(day, zone) <= state.now:
        day += 1
    state.waiting_zone, state.waiting_zone_at = zone, midnight(day, zone)


def _set_status(state: State, status: str) -> None:
    state.status = status
    state.post({"frozen": "freeze", "active": "unfreeze", "closed": "close"}[status], 0)


HAPPEN: dict[str, Any] = {
    "grant": _grant,
    "charge": _charge,
    "give_back": _give_back,
    "adjust": _adjust,
    "change_plan": _change_plan,
    "open_on_plan": _open_on_plan,
    "touch": _touch,
    "change_zone": _change_zone,
    "change_profile": _change_profile,
    "set_status": _set_status,
    **HOLDS,
    **LIMITS,
    **BUDGETS,
    **RERATES,
    **CLAWBACKS,
}
