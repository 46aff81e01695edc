"""What the model answers to every request about an account, and what it does to the account."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from tests.property.model import Row, State

from .amounts import MICRO, credits, micro, show_time
from .customers import Ask, Customer, Told, end_of_day, end_of_month, find_row
from .pricelist import BUDGET, Price, PriceList, RefusedError, Used, consumed
from .standing import moment_of, read_moment, show_run, stand

MOST_GRANTS = 40
LARGEST = 10**9 * MICRO
GIVEN = {"void": 200, "refund": 201}
STANDING = {"freeze": "frozen", "unfreeze": "active", "close": "closed"}


def refuse(refused: RefusedError) -> Told:
    """The refusal as an answer."""
    others = tuple(refuse(other) for other in refused.others)
    return Told(refused.status, refused.members, codes=refused.codes, others=others)


# Runs.


def judge_deduct(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """A run is charged, or recorded as failed."""
    body = ask.body or {}
    prices = customer.prices
    opens_on = prices.plan_of(body)
    if not body.get("success", True):
        price = prices.describe(body, ask.used)
        facts: dict[str, Any] = {"is_failed": True}
    else:
        state = customer.state(at, opens_on=opens_on)
        moment = moment_of(body, at)
        price = prices.price(body, ask.used, stand(prices, state, body["operation"]), moment)
        refuse_unable(prices, state, price, per_run=per_run_of(body))
        facts = {"volume": price.volume}
    customer.runs.append(price)
    state = customer.happen(
        at,
        "charge",
        key=key,
        opens_on=opens_on,
        operation=price.operation,
        cost=price.cost,
        feature=price.feature,
        count=price.count,
        **facts,
    )
    return tell(state, key, show_run(price, state, is_failed="is_failed" in facts))


def refuse_unable(
    prices: PriceList, state: State, price: Price, *, per_run: int | None = None
) -> None:
    """Nothing, where the account may pay for the run now. Raises: RefusedError.

    Where more than one rule forbids it, any of them may be named.
    """
    if state.status != "active":
        raise RefusedError(403, (f"account_{state.status}",))
    members: dict[str, Any] = {
        "required": credits(price.cost),
        "available": credits(state.available()),
        "spendable": credits(state.spendable()),
        "held": credits(state.held()),
    }
    found: list[RefusedError] = []
    if state.is_beyond_limit(price.feature, price.count):
        feature = {
            "blocking": "feature_limit",
            "feature": price.feature,
            "used": state.used(price.feature),
            "limit": state.rule().limits[price.feature],
            "resets_at": show_time(state.end, state.zone),
        }
        found.append(RefusedError(402, ("feature_limit",), members | feature))
    for name in state.blocked_by(price.cost, per_run):
        shown = members | show_limit(state, name, per_run)
        found.append(RefusedError(402, ("limit_reached",), shown))
    if price.cost > state.spendable():
        helping = members | _help(prices, state, price)
        found.append(RefusedError(402, ("insufficient_credits",), helping))
    if found:
        raise replace(found[0], others=tuple(found[1:]))


def show_limit(state: State, name: str, per_run: int | None) -> dict[str, Any]:
    """What a refusal says of the limit that was reached."""
    if name == "per_run_max":
        most = min(each for each in (state.cap(name), per_run) if each is not None)
        return {"blocking": name, "limit": credits(most)}
    day, month, _ = state.windows()
    spent, ends = (day, end_of_day) if name == "daily_limit" else (month, end_of_month)
    return {
        "blocking": name,
        "limit": credits(state.cap(name.removesuffix("_limit")) or 0),
        "spent": credits(spent + state.held()),
        "resets_at": show_time(ends(state), state.zone),
    }


def _help(prices: PriceList, state: State, price: Price) -> dict[str, Any]:
    """What a refusal adds where credits are short. A plan that gives none resets nothing."""
    spendable = state.spendable()
    pack = prices.offer(price.cost - spendable)
    sold = prices.packs[pack]
    found: dict[str, Any] = {
        "blocking": "balance",
        "shortfall": credits(price.cost - spendable),
        "resets_at": show_time(state.end, state.zone),
        "offers": [
            {
                "pack": pack,
                "credits": credits(micro(sold["credits"])),
                "price": sold["price"],
                "currency": sold["currency"],
            }
        ],
    }
    if not price.is_booked and price.line:
        found["affordable"] = prices.affordable(price, spendable, is_priced=bool(price.line))
    return found if state.plans[state.plan].allocation else found | {"resets_at": None}


def judge_check(customer: Customer, ask: Ask, at: int) -> Told:
    """The judgement of a run that did not happen yet."""
    body = ask.body or {}
    try:
        state = customer.state(at, opens_on=customer.prices.plan_of(body))
        price = guess(customer.prices, body, ask.used, state=state, at=at)
        refuse_unable(customer.prices, state, price, per_run=per_run_of(body))
    except RefusedError as refused:
        return refuse(refused)
    shown = {
        "allowed": True,
        "required": credits(price.cost),
        "available": credits(state.available()),
        "spendable": credits(state.spendable()),
        "warnings": show_run(price, state, is_failed=False)["warnings"],
    }
    return Told(200, shown)


def guess(
    prices: PriceList, body: dict[str, Any], used: Used | None, *, state: State, at: int
) -> Price:
    """The run as it is judged beforehand: at its estimate, or at its typical size."""
    if "estimate" not in body:
        standing = stand(prices, state, body["operation"])
        return prices.guess(body, used, standing, moment_of(body, at))[1]
    run = prices.describe(body, used)
    if prices.operations[run.operation]["rule"] == "local":
        return run
    if run.model and "models" in prices.operations[run.operation]:
        prices.find_model(run)
    asked, plan = consumed(body, used, at), state.plan.removeprefix(BUDGET)
    if prices.model.refuses(asked, plan):
        raise RefusedError(422, ("unknown_model",), {"model": run.model})
    return replace(run, cost=micro(body["estimate"]))


def per_run_of(body: dict[str, Any]) -> int | None:
    """The most that the caller would have this run cost."""
    return micro(body["per_run_max"]) if body.get("per_run_max") is not None else None


def judge_estimate(customer: Customer, ask: Ask, at: int) -> Told:
    """What the run may cost."""
    body, prices = ask.body or {}, customer.prices
    state = customer.state(at, opens_on=prices.plan_of(body))
    standing = stand(prices, state, body["operation"])
    try:
        least, typical, most = prices.guess(body, ask.used, standing, moment_of(body, at))
    except RefusedError as refused:
        return refuse(refused)
    return Told(
        200,
        {
            "min": credits(least.cost),
            "typical": credits(typical.cost),
            "max": credits(most.cost),
        },
    )


# Giving back.


def judge_void(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """A charge is undone."""
    return _give_back(customer, "void", ask.entry, None, at=at, key=key)


def judge_refund(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Credits of a charge go back."""
    body = ask.body or {}
    amount = micro(body["amount"]) if "amount" in body else None
    return _give_back(customer, "refund", body["key"], amount, at=at, key=key)


def _give_back(
    customer: Customer, kind: str, charge: str, amount: int | None, *, at: int, key: str
) -> Told:
    row = customer.row(charge)
    if row is None:
        raise RefusedError(404, ("not_found",))
    if row.kind not in ("charge", "settle") or row.run is None or (amount or 0) > row.moved:
        raise RefusedError(422, ("invalid",))
    if customer.state(at).runs[row.run].returned:
        by = {each.kind for each in customer.rows() if each.run == row.run}
        raise RefusedError(409, ("already_rerated" if "rerate" in by else "already_refunded",))
    back = row.moved if amount is None else amount
    state = customer.happen(at, "give_back", key=key, index=row.run, kind=kind, amount=back)
    return tell(state, key, {"charge": charge, "refunded": credits(back)}, status=GIVEN[kind])


# Operators.


def judge_grant(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Credits come."""
    body = ask.body or {}
    amount = micro(body["amount"])
    state = customer.state(at)
    _refuse_full(state, amount)
    effective = max(at, read_moment(body.get("effective_at")) or 0)
    expires = read_moment(body.get("expires_at"))
    if expires is not None and expires <= effective:
        raise RefusedError(422, ("invalid",))
    after = customer.happen(
        at,
        "grant",
        key=key,
        kind=body.get("kind", "promo"),
        amount=amount,
        priority=body.get("priority"),
        effective=effective,
        expires=expires,
    )
    row = find_row(after, key)
    assert row is not None
    shown = {"grant_id": row.grant, "granted": credits(amount)}
    return tell(after, key, shown, status=201)


def _refuse_full(state: State, amount: int) -> None:
    if len(state.kept_buckets()) >= MOST_GRANTS:
        raise RefusedError(409, ("grant_limit",))
    if sum(bucket.remaining for bucket in state.open_buckets()) + amount > LARGEST:
        raise RefusedError(422, ("invalid",))


def judge_adjustment(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The balance is corrected."""
    text = str((ask.body or {})["amount"])
    amount = micro(text.removeprefix("-"))
    state = customer.state(at)
    available = state.available()
    if not text.startswith("-"):
        _refuse_full(state, amount)
    elif amount > available:
        members = {
            "required": credits(amount),
            "available": credits(available),
            "spendable": credits(max(0, available)),
            "shortfall": credits(amount - max(0, available)),
            "blocking": "balance",
        }
        raise RefusedError(402, ("insufficient_credits",), members)
    delta = -amount if text.startswith("-") else amount
    after = customer.happen(at, "adjust", key=key, delta=delta)
    return tell(after, key, {"adjusted": credits(delta)}, status=201)


def judge_plan(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The account is on the plan, now or from its period's end on."""
    body = ask.body or {}
    plan = customer.prices.plan_of(body)
    assert plan is not None
    anchor = date.fromisoformat(body["anchor"]).toordinal() if "anchor" in body else None
    at_end = body.get("at") == "period_end"
    is_new = customer.opened is None
    state = customer.state(at, opens_on=plan)
    left = state.plan
    if _is_on_plan(state, plan, anchor, at_end=at_end):
        if not is_new:
            return _unchanged(state)
        when = "opening"
        after = customer.happen(at, "open_on_plan", key=key, opens_on=plan)
    else:
        when = "period_end" if at_end else "now"
        facts: dict[str, Any] = {"plan": plan, "anchor": anchor, "at_end": at_end}
        # A change now begins a period at a moment of its own.
        takes_ms = int(not at_end and at in (state.rows[-1].at, customer.touched))
        after = customer.happen(
            at, "change_plan", key=key, opens_on=plan, takes_ms=takes_ms, **facts
        )
    shown = {"kind": "plan_change", "from": left, "to": plan, "at": when}
    return tell(after, key, shown)


def _is_on_plan(state: State, plan: str, anchor: int | None, *, at_end: bool) -> bool:
    if at_end and state.waiting_plan is not None:
        return state.waiting_plan == plan and anchor in (None, state.waiting_anchor)
    return state.plan == plan and anchor in (None, state.anchor)


def _unchanged(state: State) -> Told:
    shown = {
        "changed": False,
        "plan": state.plan,
        "available": credits(state.available()),
        "seq": len(state.rows),
    }
    return Told(200, shown)


def judge_profile(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """Zone and name are set."""
    body = ask.body or {}
    zone, name = body.get("zone"), body.get("name")
    state = customer.state(at, opens_in=zone)
    wanted = state.waiting_zone or state.zone
    if customer.opened is not None and zone in (None, wanted) and name in (None, state.name):
        return _unchanged(state)
    after = customer.happen(at, "change_profile", key=key, zone=zone, opens_in=zone, name=name)
    named = {k: v for k, v in (("zone", zone), ("name", name)) if v is not None}
    return tell(after, key, {"kind": "profile", **named})


def judge_standing(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The account is frozen, active again, or closed for good."""
    kind = ask.route.rpartition("/")[2]
    if customer.state(at).status == "closed" and kind != "close":
        raise RefusedError(422, ("invalid",))
    after = customer.happen(at, "set_status", key=key, status=STANDING[kind])
    return tell(after, key, {"kind": kind})


def tell(state: State, key: str, shown: dict[str, Any], *, status: int = 200) -> Told:
    row = find_row(state, key)
    assert row is not None, "what happened has a row"
    balance = {
        "key": key,
        "available": credits(row.after),
        "held": credits(row.held),
        "debt": credits(row.debt),
        "seq": state.rows.index(row) + 1,
    }
    return Told(status, shown | balance, has_effect=True)


def show_listed(customer: Customer, row: Row, number: int) -> dict[str, Any]:
    """What a list of the history must say of the row."""
    run = None if row.run is None else customer.runs[row.run]
    if row.kind == "hold":
        run = customer.terms[row.hold or ""].price
    return {
        "seq": number,
        "key": row.key,
        "kind": row.kind,
        "delta": credits(row.delta),
        "available_after": credits(row.after),
        "at": show_time(row.at),
        "operation": run.operation if run else None,
        "model": run.model if run else None,
        "feature": run.label if run else None,
        "charged": credits(row.moved) if row.kind in ("charge", "settle") else None,
    }
