"""Errors as RFC 9457 problems: one table from code to status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tollkeeper.domain.catalog import Pack, PlanTerms
from tollkeeper.domain.errors import (
    FeatureLimitError,
    HoldClosedError,
    InsufficientCreditsError,
    InvalidError,
    LimitReachedError,
    TollkeeperError,
    UnknownModelError,
)
from tollkeeper.domain.money import show_price
from tollkeeper.domain.offers import Help
from tollkeeper.edge.wire import Amount

RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What HTTP says about a code."""

    status: int
    title: str


PROBLEMS: dict[str, Kind] = {
    "malformed": Kind(400, "The request cannot be read"),
    "unauthorized": Kind(401, "Nobody we know"),
    "insufficient_credits": Kind(402, "Not enough credits"),
    "limit_reached": Kind(402, "A spend limit is reached"),
    "feature_limit": Kind(402, "The plan's limit is reached"),
    "forbidden": Kind(403, "Not allowed"),
    "account_frozen": Kind(403, "The account is frozen"),
    "account_closed": Kind(403, "The account is closed"),
    "not_found": Kind(404, "Not found"),
    "unknown_code": Kind(404, "No such code"),
    "already_refunded": Kind(409, "Given back before"),
    "already_rerated": Kind(409, "Priced anew before"),
    "already_resolved": Kind(409, "Resolved before"),
    "not_refundable": Kind(409, "The money cannot go back"),
    "not_pending": Kind(409, "The price is final"),
    "still_unknown": Kind(409, "No price for this model yet"),
    "hold_closed": Kind(409, "The hold is closed"),
    "settle_above_hold": Kind(409, "More than the hold"),
    "extend_limit": Kind(409, "Extended too often"),
    "holds_open": Kind(409, "Holds are open"),
    "grant_limit": Kind(409, "Too many grants"),
    "no_customer": Kind(409, "Nothing was paid yet"),
    "code_used": Kind(409, "The code was redeemed before"),
    "code_exhausted": Kind(409, "The code is used up"),
    "code_expired": Kind(409, "The code has ended"),
    "code_not_for_plan": Kind(409, "The code is for other plans"),
    "code_exists": Kind(409, "There is such a code"),
    "too_large": Kind(413, "Too large"),
    "invalid": Kind(422, "A member cannot be used"),
    "unknown_operation": Kind(422, "No such operation"),
    "unknown_model": Kind(422, "No price for this model"),
    "quote_expired": Kind(422, "The quote is not valid any more"),
    "idempotency_mismatch": Kind(422, "The key was used for another request"),
    "hold_limit": Kind(429, "Too many open holds"),
    "internal": Kind(500, "Our mistake"),
    "ledger_corrupt": Kind(500, "The ledger needs a person"),
    "catalog": Kind(500, "The catalog is wrong"),
    "busy": Kind(503, "Busy"),
    "payments_unavailable": Kind(503, "Payments are unavailable"),
}
REFUSALS = frozenset(
    {
        "insufficient_credits",
        "limit_reached",
        "feature_limit",
        "hold_limit",
        "account_frozen",
        "account_closed",
    }
)
"""What an account may not do now: counted, and told to the event bus."""


def describe(error: TollkeeperError, request_id: str) -> tuple[int, dict[str, Any]]:
    """The status and the problem's members."""
    kind = PROBLEMS[error.code]
    problem: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    return kind.status, problem | _typed_members(error)


def _typed_members(error: TollkeeperError) -> dict[str, Any]:
    match error:
        case InvalidError():
            return {"errors": [{"member": name, "reason": why} for name, why in error.problems]}
        case UnknownModelError():
            return {"model": error.model, "models": list(error.known)}
        case FeatureLimitError():
            feature = {"feature": error.feature, "used": error.used, "limit": error.limit}
            return _payment_members(error) | feature
        case LimitReachedError():
            spent = Amount(error.spent_microcredits)
            return _payment_members(error) | {
                "limit": Amount(error.limit_microcredits),
                "spent": spent,
            }
        case InsufficientCreditsError():
            return _payment_members(error)
        case HoldClosedError():
            return {"hold_id": error.hold, "state": error.state}
        case _:
            return {}


def _payment_members(error: InsufficientCreditsError) -> dict[str, Any]:
    position = error.position
    return {
        "required": Amount(position.required_microcredits),
        "available": Amount(position.available_microcredits),
        "spendable": Amount(position.spendable_microcredits),
        "held": Amount(position.held_microcredits),
        "level": position.level,
        "shortfall": Amount(error.shortfall_microcredits),
        "blocking": error.blocking,
        "resets_at": None if error.resets_at is None else error.resets_at.isoformat(),
        **_help_members(error.help),
    }


def _help_members(help_: object) -> dict[str, Any]:
    if not isinstance(help_, Help):
        return {"offers": [], "plans": [], "affordable": {}}
    return {
        "offers": [show_offer(pack) for pack in help_.offers],
        "plans": [show_plan_offer(terms) for terms in help_.plans],
        "affordable": dict(help_.affordable),
    }


def show_plan_offer(terms: PlanTerms) -> dict[str, Any]:
    """The plan as a refusal offers it."""
    allocation = Amount(terms.allocation_microcredits)
    return {"plan": terms.id, "name": terms.name, "allocation": allocation}


def show_offer(pack: Pack) -> dict[str, Any]:
    """The pack as a refusal offers it."""
    return {
        "pack": pack.id,
        "credits": Amount(pack.credits_microcredits),
        "price": show_price(pack.price_minor, pack.currency),
        "currency": pack.currency,
    }
