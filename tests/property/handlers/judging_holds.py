"""What the model answers about holds: opened, settled, given up, extended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.property.model import Held, State

from .amounts import credits, dollars, micro, show_time
from .customers import Ask, Customer, Opened, Told
from .judging import guess, per_run_of, refuse_unable, tell
from .pricelist import Price, RefusedError
from .standing import show_run, stand

DEFAULT_S = 900
MOST_EXTENSIONS = 10


def judge_hold(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Credits are set aside for a call, where a charge of as much would be allowed."""
    body, prices = ask.body or {}, customer.prices
    hold = ask.hold()
    opens_on = prices.plan_of(body)
    state = customer.state(at, opens_on=opens_on)
    price = guess(prices, body, ask.used, state=state, at=at)
    crowded = RefusedError(429, ("hold_limit",))
    is_crowded = len(state.open_holds()) >= state.rule().open_holds
    try:
        refuse_unable(prices, state, price, per_run=per_run_of(body))
    except RefusedError as refused:
        raise replace(refused, others=(*refused.others, *[crowded] * is_crowded)) from None
    if is_crowded:
        raise crowded
    expires = at + body.get("expires_in_s", DEFAULT_S) * 1000
    after = customer.happen(
        at,
        "open_hold",
        key=key,
        opens_on=opens_on,
        hold=hold,
        operation=price.operation,
        amount=price.cost,
        model=price.model,
        feature=price.feature,
        count=price.count,
        expires=expires,
    )
    customer.terms[hold] = Opened(ask, price, prices)
    shown = {
        "hold_id": hold,
        "held": credits(price.cost),
        "required": credits(price.cost),
        "expires_at": show_time(expires),
        "warnings": show_run(price, after, is_failed=False)["warnings"],
    }
    told = tell(after, key, shown, status=201)
    return replace(told, body=told.body | {"held": credits(price.cost)})


def find_hold(customer: Customer, at: int, hold: str) -> tuple[State, Held]:
    """The hold as it is then. Raises: RefusedError."""
    state = customer.state(at) if customer.opened is not None else None
    if state is None or hold not in state.holds:
        raise RefusedError(404, ("not_found",))
    return state, state.holds[hold]


def _closed(held: Held) -> RefusedError:
    return RefusedError(409, ("hold_closed",), {"state": held.status})


def judge_settle(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """What was used is charged, at the prices that the hold was opened at."""
    body = ask.body or {}
    is_final = body.get("final", True)
    state, held = find_hold(customer, at, ask.entry)
    if held.status in ("released", "settled") or (held.status == "expired" and not is_final):
        raise _closed(held)
    price = _price(customer, ask, state, held)
    is_late = held.status == "expired"
    if state.policy(held) == "reject" and price.cost > held.rest and not is_late:
        raise RefusedError(409, ("settle_above_hold",))
    rest = 0 if is_late else held.rest
    customer.runs.append(price)
    facts: dict[str, Any] = {"hold": held.id, "cost": price.cost, "is_final": is_final}
    count = price.count if "quantity" in body else None
    after = customer.happen(at, "settle", key=key, count=count, volume=price.volume, **facts)
    row = after.rows[-1]
    run = after.runs[-1]
    customer.runs[-1] = replace(price, cost=run.credits)
    shown: dict[str, Any] = {
        "hold_id": held.id,
        "charged": credits(run.credits),
        "released": credits(max(0, rest - run.credits) if is_final else 0),
        "uncollected": credits(row.uncollected),
        "late": is_late,
        "warnings": show_run(price, after, is_failed=False)["warnings"],
    }
    if "amount" not in body:
        shown["cost_usd"] = None if price.pico is None else dollars(price.pico)
        shown |= {} if price.is_booked else {"breakdown": [price.line]}
    return tell(after, key, shown)


def _price(customer: Customer, ask: Ask, state: State, held: Held) -> Price:
    """What was used at the prices of the opening, in the standing of now."""
    body, terms = ask.body or {}, customer.terms[held.id]
    opened = terms.ask.body or {}
    kept = ("operation", "feature", "subtype", "service", "model", "provider", "service_tier")
    run = {name: opened[name] for name in kept if name in opened}
    if terms.ask.used and terms.ask.used.tier:
        run.setdefault("service_tier", terms.ask.used.tier)
    mine = ("model", "quantity", "provider", "service_tier", "resource")
    run |= {name: body[name] for name in mine if name in body}
    # Whose model it is was said of the opening's model, and not of another.
    if "model" in body and body["model"] != terms.price.model and "provider" not in body:
        run.pop("provider", None)
    if ask.used and ask.used.tier and "service_tier" not in body:
        run["service_tier"] = ask.used.tier
    if "model" not in run and terms.price.model and not (ask.used and ask.used.model):
        run["model"] = terms.price.model
    if "amount" in body:
        is_local = terms.prices.operations[run["operation"]]["rule"] == "local"
        cost = 0 if is_local else micro(body["amount"])
        return replace(terms.prices.describe(run, ask.used), cost=cost)
    standing = stand(terms.prices, state, run["operation"], held)
    return terms.prices.price(run, ask.used, standing, held.opened)


def judge_release(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The call did not happen: all that is set aside is free."""
    _, held = find_hold(customer, at, ask.entry)
    if held.status != "open":
        raise _closed(held)
    rest = held.rest
    after = customer.happen(at, "release", key=key, hold=held.id)
    return tell(after, key, {"hold_id": held.id, "released": credits(rest)})


def judge_extend(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The hold expires later, a bounded number of times, and never earlier.

    A frozen account begins nothing new, and neither does it lengthen what is under way.
    """
    state, held = find_hold(customer, at, ask.entry)
    if held.status != "open":
        raise _closed(held)
    if state.status != "active":
        raise RefusedError(403, (f"account_{state.status}",))
    if held.extensions >= MOST_EXTENSIONS:
        raise RefusedError(409, ("extend_limit",))
    expires = max(held.expires, at + (ask.body or {})["expires_in_s"] * 1000)
    after = customer.happen(at, "extend", key=key, hold=held.id, expires=expires)
    return tell(after, key, {"hold_id": held.id, "expires_at": show_time(expires)})
