"""What the model answers about limits, and about credits that one account lends another."""

from __future__ import annotations

from typing import Any

from tests.property.model import State

from .amounts import credits, micro
from .customers import Ask, Customer, Told
from .judging import LARGEST, tell
from .pricelist import BUDGET, RefusedError

CAPS = ("daily", "monthly", "per_run_max")


def judge_limits(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Limits are set by the operator or the user; what is not named stays."""
    body = ask.body or {}
    facts: dict[str, Any] = {name: _amount(body[name]) for name in CAPS if name in body}
    if "alert_thresholds" in body:
        facts["thresholds"] = tuple(body["alert_thresholds"] or ())
    if "low_balance" in body:
        facts["low_balance"] = _amount(body["low_balance"])
    setter = body.get("set_by", "operator")
    if customer.opened is not None and not _changes(customer.state(at), setter, facts):
        state = customer.state(at)
        shown = {"changed": False, "available": credits(state.available())}
        return Told(200, shown | {"seq": len(state.rows)})
    after = customer.happen(at, "set_limits", key=key, setter=setter, **facts)
    told = tell(after, key, {})
    shown = {name: told.body[name] for name in ("available", "seq")}
    return Told(200, shown, has_effect=True)


def _changes(state: State, setter: str, facts: dict[str, Any]) -> bool:
    mine = state.caps.get(setter, {})
    thresholds = facts.get("thresholds", state.own_thresholds)
    return (
        any(mine.get(name) != facts[name] for name in CAPS if name in facts)
        or (thresholds or None) != state.own_thresholds
        or facts.get("low_balance", state.own_low_balance) != state.own_low_balance
    )


def _amount(value: object) -> int | None:
    return None if value is None else micro(value)


def show_limits(state: State) -> dict[str, Any]:
    """The limits in force."""
    found = {name: state.cap(name) for name in CAPS}
    return {name: None if most is None else credits(most) for name, most in found.items()}


def judge_budget(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Credits of the parent are the child's, in one step: those it would draw first."""
    body = ask.body or {}
    child = customer.family[body["budget"]]
    amount = micro(body["amount"])
    at = max(at, child.touched)
    state = customer.state(at)
    if state.status != "active":
        raise RefusedError(403, (f"account_{state.status}",))
    if child.id == customer.id or child.parent not in (customer.id, None):
        raise RefusedError(422, ("invalid",))
    if child.opened is not None and child.state(at).status == "closed":
        raise RefusedError(403, ("account_closed",))
    if amount > max(0, state.available()) or amount > LARGEST:
        shown = {"required": credits(amount), "available": credits(state.available())}
        raise RefusedError(402, ("insufficient_credits",), shown | {"blocking": "parent"})
    caps = {name: _amount(body[name]) for name in CAPS if name in body}
    parts = customer.plan_transfer(at, amount)
    after = customer.happen(at, "transfer_out", key=key, amount=amount)
    child.parent = customer.id
    facts: dict[str, Any] = {"parts": parts, "caps": caps, "number": len(after.rows)}
    theirs = child.happen(
        at, "transfer_in", opens_on=BUDGET + state.plan, opens_in=state.zone, **facts
    )
    shown = {
        "budget": child.id,
        "transferred": credits(amount),
        "budget_available": credits(theirs.available()),
    }
    return tell(after, key, shown, status=201)


def judge_close(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """What is left of the budget is the parent's again, where it came from."""
    child = customer.family.get(ask.entry)
    if child is None or child.parent != customer.id:
        raise RefusedError(404, ("not_found",))
    at = max(at, child.touched)
    if child.state(at).status == "closed":
        raise RefusedError(403, ("account_closed",))
    if child.state(at).open_holds():
        raise RefusedError(409, ("holds_open",))
    parts = child.plan_return(at)
    after = customer.happen(at, "take_back", key=key, parts=parts)
    child.happen(at, "send_back", number=len(after.rows))
    shown = {
        "budget": child.id,
        "returned": credits(sum(part.amount for part in parts)),
        "expired": credits(after.rows[-1].expired),
    }
    return tell(after, key, shown)
