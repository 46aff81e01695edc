"""The catalog as customers see it: what packs cost, and what every operation costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    Local,
    ModelPrice,
    Operation,
    Pack,
    Per1kTokens,
    PerUnit,
    PlanTerms,
)
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import LOCAL_EXPLANATION
from tollkeeper.edge.answers import show_pack
from tollkeeper.edge.wire import Amount


def show_packs(catalog: Catalog) -> dict[str, Any]:
    """Every pack with its price per credit, and what it saves against the dearest."""
    packs = catalog.packs.values()
    dearest: dict[str, Pack] = {}
    for pack in packs:
        other = dearest.get(pack.currency)
        if other is None or _price_per_credit(pack) > _price_per_credit(other):
            dearest[pack.currency] = pack
    return {"packs": [show_pack(pack, _shape(dearest[pack.currency])) for pack in packs]}


def _price_per_credit(pack: Pack) -> Fraction:
    return Fraction(pack.price_minor, pack.credits_microcredits)


def _shape(pack: Pack) -> tuple[int, int]:
    return pack.price_minor, pack.credits_microcredits


def show_catalog(catalog: Catalog) -> dict[str, Any]:
    """The cost table: operations with their prices, and plans with what they give."""
    limited = {feature for plan in catalog.plans.values() for feature in plan.features}
    return {
        "price_version": catalog.version,
        "operations": [_show_operation(o, limited) for o in catalog.operations.values()],
        "plans": [_show_plan(p, catalog) for p in catalog.plans.values()],
        "low_balance": Amount(catalog.low_balance_microcredits),
    }


def _show_operation(operation: Operation, limited: set[str]) -> dict[str, Any]:
    """Shape of `price`: credits per `unit`, or null where each model has its own."""
    rule, price, unit, models = _describe(operation)
    each = f"{_count(price)} per {unit}" if price is not None else f"per {unit}, by model"
    return {
        "id": operation.id,
        "name": operation.name,
        "rule": rule,
        "price": None if price is None else Amount(price),
        "unit": unit,
        "explanation": LOCAL_EXPLANATION if rule == "local" else each,
        "feature": operation.feature if operation.feature in limited else None,
        "models": [_show_model(model, unit) for model in models],
    }


def _describe(operation: Operation) -> tuple[str, int | None, str, tuple[ModelPrice, ...]]:
    """The rule's name, its price where there is one for all, its unit, and prices by model."""
    match operation.rule:
        case Flat(credits_microcredits=price, models=models):
            return "flat", None if models else price, "call", models
        case PerUnit(credits_microcredits=price, unit=unit):
            return "per_unit", price, unit, ()
        case Per1kTokens(models=models):
            return "per_1k_tokens", None, "1,000 tokens", models
        case Local():
            return "local", 0, "call", ()


def _show_model(model: ModelPrice, unit: str) -> dict[str, Any]:
    return {
        "name": model.name,
        "patterns": list(model.patterns),
        "price": Amount(model.credits_microcredits),
        "explanation": f"{_count(model.credits_microcredits)} per {unit}",
    }


def _count(microcredits: int) -> str:
    noun = "credit" if microcredits == 1_000_000 else "credits"
    return f"{show_micro(microcredits)} {noun}"


def _show_plan(plan: PlanTerms, catalog: Catalog) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "allocation": Amount(plan.allocation_microcredits),
        "is_default": plan.id == catalog.default_plan,
        "rollover": plan.rollover.value,
        "features": [{"feature": f, "limit": limit} for f, limit in plan.features.items()],
    }
