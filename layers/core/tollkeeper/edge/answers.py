"""Domain values as answers: the names of the wire, and nothing computed that the domain knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.allowances import read_allowances
from tollkeeper.domain.catalog import Catalog, Pack
from tollkeeper.domain.charges import CHARGES
from tollkeeper.domain.entries import Entry, EntryKind, Line, Run, show_key
from tollkeeper.domain.gate import account_warnings
from tollkeeper.domain.grants import Draw, Grant
from tollkeeper.domain.money import MICRO, floor_div, minor_digits, show_price, show_usd
from tollkeeper.domain.windows import paid_until, read_windows
from tollkeeper.edge.explain_answers import show_computation, show_priced_as, show_rerate
from tollkeeper.edge.hold_answers import (
    show_hold,
    show_hold_step,
    show_limits,
    show_limits_change,
    show_transfer,
    show_window,
)
from tollkeeper.edge.http import Answer
from tollkeeper.edge.top_up_answers import show_top_up_row
from tollkeeper.edge.wire import Amount
from tollkeeper.service.charging import Allowed
from tollkeeper.service.commit import Outcome
from tollkeeper.service.explaining import Explained
from tollkeeper.service.quoting import Quoted

RUNS = (
    EntryKind.CHARGE,
    EntryKind.RUN_FAILED,
    EntryKind.HOLD,
    EntryKind.SETTLE,
    EntryKind.RERATE,
)
SHOWN: Mapping[EntryKind, Callable[[Entry], dict[str, Any]]] = {
    EntryKind.TRANSFER_OUT: show_transfer,
    EntryKind.TRANSFER_IN: show_transfer,
    EntryKind.LIMITS: show_limits_change,
    EntryKind.TOP_UP: show_top_up_row,
    EntryKind.RERATE: show_rerate,
}
WARNINGS = {
    "daily_limit_near": "Most of the daily limit is used.",
    "daily_limit_reached": "The daily limit is used up.",
    "monthly_limit_near": "Most of the monthly limit is used.",
    "monthly_limit_reached": "The monthly limit is used up.",
    "above_hold": "The usage was above the hold.",
    "no_usage": "The usage counts nothing.",
    "tier_not_priced": "The service tier has no rates of its own; the standard ones were used.",
    "pool_not_priced": "A part of the usage has no rate.",
    "unknown_model_ceiling": "The model has no price; the dearest of its provider was charged.",
    "unknown_model_quarantined": "The model has no price; the charge will be corrected.",
    "zero_provider_cost": "The provider reported a cost of 0; the price book was used.",
    "late": "The hold had expired; the usage was charged all the same.",
    "low_balance": "The balance is low.",
    "regional_inference": "It ran in one region only, for more than the price book says.",
    "cost_only": "Only a cost was reported, and no tokens.",
    "total_only": "Only a total was reported, so its kinds of tokens are not known.",
    "hidden_reasoning": "Only the total counts some of the output; it was taken as reasoning.",
    "hidden_tokens": "Only the total counts some of the tokens; they were taken as input.",
    "total_mismatch": "The parts add up to more than the total; the parts were taken.",
    "cached_above_input": "More tokens were cached than read; the rest was left out.",
    "cache_write_above_input": "More tokens were put into a cache than read.",
    "cache_write_mismatch": "What was put into caches does not add up; its total was taken.",
    "audio_above_input": "More sound was heard than tokens were read; the rest was left out.",
    "image_above_input": "More images were seen than tokens were read; the rest was left out.",
    "video_above_input": "More video was seen than tokens were read; the rest was left out.",
    "audio_above_output": "More was spoken than put out; the rest was left out.",
    "image_above_output": "More was drawn than put out; the rest was left out.",
    "video_above_output": "More was filmed than put out; the rest was left out.",
    "reasoning_above_output": "More was thought than put out; no answer was counted beside it.",
    "iterations_other_model": "Another model worked on it too; it was charged as the first one.",
    "too_many_models": "Very many models worked on it; some were charged as the first one.",
    "impossible_number": "A count is no number of tokens; it was left out.",
    "impossible_details": "Details are not of the kind that was expected; they were left out.",
    "impossible_cost": "The reported cost is no amount; it was left out.",
    "impossible_seconds": "The reported length is no number of seconds; it was left out.",
    "unknown_service_tier": "The service tier is not known; it was taken as the standard one.",
}


def show_warnings(codes: tuple[str, ...]) -> list[dict[str, str]]:
    """Shape: [{"code", "message"}]."""
    return [
        {"code": code, "message": WARNINGS.get(code, code.replace("_", " ").capitalize() + ".")}
        for code in codes
    ]


def answer_entry(outcome: Outcome, *, status: int = 200) -> Answer:
    """The answer to a command, from its own row: so a replay says the same."""
    entry = outcome.entry
    assert entry is not None, "the command wrote a row"
    return Answer(
        _command_body(entry),
        status=status,
        balance=(entry.available_after_microcredits, entry.seq),
        was_replayed=outcome.was_replayed,
    )


def _command_body(entry: Entry) -> dict[str, Any]:
    body: dict[str, Any] = {"key": show_key(entry.key)}
    match entry.kind:
        case EntryKind.CHARGE | EntryKind.RUN_FAILED:
            body |= {"charged": Amount(entry.moved_microcredits)}
        case EntryKind.VOID | EntryKind.REFUND:
            charge = show_key(entry.refers_to) if entry.refers_to else None
            body |= {"charge": charge, "refunded": Amount(entry.moved_microcredits)}
        case EntryKind.GRANT if entry.grant is not None:
            body |= {"grant_id": entry.grant.id, "granted": Amount(entry.moved_microcredits)}
        case EntryKind.ADJUSTMENT:
            body |= {"adjusted": Amount(entry.delta_microcredits)}
        case _ if entry.hold:
            body |= show_hold_step(entry)
        case kind if kind in SHOWN:
            body |= SHOWN[kind](entry)
        case _:
            body |= {"kind": entry.kind.value, **entry.details}
    body |= _balance_members(entry)
    if entry.kind is EntryKind.HOLD:
        body |= {"held": Amount(entry.moved_microcredits)}
    if entry.kind in RUNS:
        assert entry.run is not None, "a run has facts"
        body |= _run_members(entry.run) | {"warnings": show_warnings(entry.warnings)}
    return body


def _balance_members(entry: Entry) -> dict[str, Any]:
    return {
        "available": Amount(entry.available_after_microcredits),
        "held": Amount(entry.held_after_microcredits),
        "debt": Amount(entry.debt_after_microcredits),
        "seq": entry.seq,
    }


def _run_members(run: Run) -> dict[str, Any]:
    return {
        "cost_usd": _show_cost(run.cost_picousd),
        "breakdown": _show_lines(run.lines),
        "price_version": run.price_version,
    }


def _show_cost(picousd: int | None) -> str | None:
    return None if picousd is None else show_usd(picousd)


def _show_lines(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [
        {
            "item": line.item,
            "quantity": Decimal(line.quantity),
            "rate": line.rate,
            "credits": Amount(line.credits_microcredits),
        }
        for line in lines
    ]


def show_allowed(allowed: Allowed) -> dict[str, Any]:
    """The answer of a check that passed."""
    return {
        "allowed": True,
        "required": Amount(allowed.required_microcredits),
        "available": Amount(allowed.available_microcredits),
        "spendable": Amount(allowed.spendable_microcredits),
        "cost_usd": _show_cost(allowed.cost_picousd),
        "price_version": allowed.price_version,
        "warnings": show_warnings(allowed.warnings),
    }


def show_estimate(quoted: Quoted) -> dict[str, Any]:
    """The answer of an estimate."""
    estimate = quoted.estimate
    return {
        "min": Amount(estimate.smallest_microcredits),
        "typical": Amount(estimate.typical_microcredits),
        "max": Amount(estimate.largest_microcredits),
        "quote_id": quoted.quote_id or None,
        "cost_usd": _show_cost(estimate.cost_picousd),
        "price_version": quoted.price_version,
        "explanation": estimate.explanation,
        "breakdown": _show_lines(estimate.lines),
        "warnings": show_warnings(estimate.warnings),
    }


def answer_unchanged(account: Account) -> Answer:
    """The answer to a PUT that found what it asks for."""
    return _answer_found(account, {"plan": account.plan.id})


def answer_limits_unchanged(account: Account, catalog: Catalog) -> Answer:
    """The answer to a PUT of limits that are so already."""
    return _answer_found(account, {"limits": show_limits(account, catalog)})


def _answer_found(account: Account, found: dict[str, Any]) -> Answer:
    available = account.available_microcredits
    body = {"changed": False, **found, "available": Amount(available), "seq": account.seq}
    return Answer(body, balance=(available, account.seq))


def show_account(account: Account, catalog: Catalog) -> dict[str, Any]:
    """The account as its owner sees it."""
    terms = account.terms(catalog)
    available = account.available_microcredits
    return {
        "account": account.id,
        "status": account.status.value,
        "available": Amount(available),
        "spendable": Amount(account.spendable_microcredits(catalog)),
        "held": Amount(account.held_microcredits),
        "debt": Amount(account.debt_microcredits),
        "clawback_debt": Amount(account.clawback_debt_microcredits),
        "plan": {
            "id": account.plan.id,
            "name": terms.name,
            "driven_by": "stripe" if account.plan.subscription else "calendar",
            "subscription": account.plan.subscription or None,
            "period_start": account.plan.period_start_at.isoformat(),
            "period_end": paid_until(account).isoformat(),
            "allocation": Amount(terms.allocation_microcredits),
            "used": Amount(account.windows.period),
            "next_plan": account.plan.next_plan or None,
        },
        "zone": account.zone,
        "next_zone": account.next_zone or None,
        "name": account.name or None,
        "parent": account.parent or None,
        "grants": [_show_grant(g) for g in account.grants if g.remaining_microcredits],
        "holds": [show_hold(hold) for hold in account.holds],
        "windows": [show_window(each) for each in read_windows(account, catalog)],
        "limits": show_limits(account, catalog),
        "features": [
            {"feature": f, "used": account.features.get(f, 0), "limit": limit}
            for f, limit in terms.features.items()
        ],
        "allowances": [
            {
                "feature": each.feature,
                "used": Amount(each.used_micro),
                "free": Amount(each.free_micro),
                "unit": each.unit,
            }
            for each in read_allowances(account, catalog)
        ],
        "totals": {
            "granted": Amount(account.lifetime.granted),
            "purchased": Amount(account.lifetime.purchased),
            "spent": Amount(account.lifetime.spent),
            "expired": Amount(account.lifetime.expired),
            "refunded": Amount(account.lifetime.refunded),
            "transferred_in": Amount(account.lifetime.transferred_in),
            "transferred_out": Amount(account.lifetime.transferred_out),
            "uncollected": Amount(account.lifetime.uncollected),
            "clawed_back": Amount(account.lifetime.clawed_back),
        },
        "seq": account.seq,
        "updated_at": account.rolled_to.isoformat(),
        "warnings": show_warnings(account_warnings(account, catalog)),
    }


def _show_grant(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "kind": grant.kind.value,
        "amount": Amount(grant.amount_microcredits),
        "remaining": Amount(grant.remaining_microcredits),
        "priority": grant.priority,
        "effective_at": grant.effective_at.isoformat(),
        "expires_at": None if grant.expires_at is None else grant.expires_at.isoformat(),
    }


def show_listed(entry: Entry) -> dict[str, Any]:
    """A row as history lists it."""
    run = entry.run
    is_charge = entry.kind in CHARGES
    return {
        "seq": entry.seq,
        "key": show_key(entry.key),
        "kind": entry.kind.value,
        "delta": Amount(entry.delta_microcredits),
        "available_after": Amount(entry.available_after_microcredits),
        "at": entry.at.isoformat(),
        "operation": run.operation if run else None,
        "model": (run.model or None) if run else None,
        "feature": (run.label or None) if run else None,
        "charged": Amount(entry.moved_microcredits) if is_charge else None,
    }


def show_explained(explained: Explained) -> dict[str, Any]:
    """A row with everything that explains it."""
    entry = explained.entry
    run = entry.run
    body = show_listed(entry) | {
        "amount": Amount(entry.moved_microcredits),
        "held": Amount(entry.held_after_microcredits),
        "held_change": Amount(entry.held_change_microcredits),
        "debt": Amount(entry.debt_after_microcredits),
        "debt_change": Amount(entry.debt_change_microcredits),
        "clawback_debt_change": Amount(entry.clawback_debt_change_microcredits),
        "grant": None if entry.grant is None else _show_grant(entry.grant),
        "grants_moved": [_show_draw(d) for d in (*entry.settled, *entry.draws)],
        "grants_returned": [_show_draw(d) for d in entry.returned],
        "expired": Amount(entry.expired_microcredits),
        "uncollected": Amount(entry.uncollected_microcredits),
        "hold_id": entry.hold or None,
        "alerts": list(entry.alerts),
        "refers_to": None if entry.refers_to is None else show_key(entry.refers_to),
        "returned_by": None if explained.returned_by is None else show_key(explained.returned_by),
        "rerated_by": None if explained.rerated_by is None else show_key(explained.rerated_by),
        "reason": entry.reason or None,
        "actor": entry.actor or None,
        "details": dict(entry.details),
        "metadata": _read_metadata(entry.metadata),
        "warnings": show_warnings(entry.warnings),
    }
    if run is not None:
        body |= _run_members(run) | _used_members(run) | show_priced_as(run)
        computation = explained.computation
        shown = None if computation is None else show_computation(computation, run)
        body |= {"computation": shown}
    return body


def _read_metadata(text: str) -> object:
    return json.loads(text, parse_float=Decimal) if text else None


def _used_members(run: Run) -> dict[str, Any]:
    quantity = run.quantity_micro
    return {
        "service": run.service or None,
        "subtype": run.subtype or None,
        "quantity": None if quantity is None else Amount(quantity),
        "tokens": None if run.pools is None else run.pools.nonzero(),
        "response_time_ms": run.response_time_ms,
        "occurred_at": None if run.occurred_at is None else run.occurred_at.isoformat(),
    }


def _show_draw(draw: Draw) -> dict[str, Any]:
    return {
        "grant": draw.grant.id,
        "kind": draw.grant.kind.value,
        "amount": Amount(draw.amount_microcredits),
    }


def show_pack(pack: Pack, dearest: tuple[int, int]) -> dict[str, Any]:
    """A pack with its price per credit, and what it saves against the dearest per credit.

    Shape of `dearest`: its price in minor units and its micro-credits.
    """
    price, credits = dearest
    full = price * pack.credits_microcredits
    saved = full - pack.price_minor * credits
    return {
        "id": pack.id,
        "name": pack.name,
        "credits": Amount(pack.credits_microcredits),
        "price": show_price(pack.price_minor, pack.currency),
        "currency": pack.currency,
        "price_per_credit": _price_per_credit(pack),
        "savings_percent": floor_div(saved * 100, full) if full else 0,
        "features": list(pack.features),
        "expires_after_days": pack.expires_after_days,
    }


def _price_per_credit(pack: Pack) -> str:
    """The price of one credit in the main unit, to six decimals, with at least the usual ones."""
    digits = minor_digits(pack.currency)
    each = Decimal(pack.price_minor) * MICRO / Decimal(pack.credits_microcredits)
    text = f"{each.scaleb(-digits):.6f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<{digits}}".rstrip(".")
