"""Whom the model asks about a request, and what a key that was applied answers for ever."""

from __future__ import annotations

from collections.abc import Callable

from .customers import Ask, Customer, Kept, Told
from .judging import (
    judge_adjustment,
    judge_deduct,
    judge_grant,
    judge_plan,
    judge_profile,
    judge_refund,
    judge_standing,
    judge_void,
    refuse,
)
from .judging_budgets import judge_budget, judge_close, judge_limits
from .judging_holds import judge_extend, judge_hold, judge_release, judge_settle
from .judging_prices import judge_rerate
from .pricelist import RefusedError

Judge = Callable[[Customer, Ask, int, str], Told]


def answer(customer: Customer, ask: Ask, at: int, key: str) -> Told:
    """The answer to the request at that moment; a request that is not refused has happened."""
    key = ask.named() or key
    kept = customer.kept.get(key) if key else None
    if kept is not None:
        if kept.ask.identity() == ask.identity():
            return Told(kept.told.status, kept.told.body, is_replay=True)
        return refuse(RefusedError(422, ("idempotency_mismatch",)))
    try:
        told = JUDGES[ask.route](customer, ask, max(at, customer.touched), key)
    except RefusedError as refused:
        return refuse(refused)
    if told.has_effect:
        customer.kept[key] = Kept(ask, told)
    return told


JUDGES: dict[str, Judge] = {
    "POST /v1/deduct": judge_deduct,
    "POST /v1/accounts/{id}/entries/{key}/void": judge_void,
    "POST /v1/accounts/{id}/refunds": judge_refund,
    "POST /v1/accounts/{id}/entries/{key}/rerate": judge_rerate,
    "POST /v1/accounts/{id}/grants": judge_grant,
    "POST /v1/accounts/{id}/adjustments": judge_adjustment,
    "PUT /v1/accounts/{id}/plan": judge_plan,
    "PUT /v1/accounts/{id}/profile": judge_profile,
    "POST /v1/accounts/{id}/freeze": judge_standing,
    "POST /v1/accounts/{id}/unfreeze": judge_standing,
    "POST /v1/accounts/{id}/close": judge_standing,
    "POST /v1/holds": judge_hold,
    "POST /v1/holds/{hold_id}/settle": judge_settle,
    "POST /v1/holds/{hold_id}/release": judge_release,
    "POST /v1/holds/{hold_id}/extend": judge_extend,
    "PUT /v1/accounts/{id}/limits": judge_limits,
    "POST /v1/accounts/{id}/budgets": judge_budget,
    "POST /v1/accounts/{id}/budgets/{budget}/close": judge_close,
}
