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
from tollkeeper.domain.money import show_micro, show_price
from tollkeeper.domain.pricing import LOCAL_EXPLANATION
from tollkeeper.domain.rules import PerResource, Tokens, VolumeTerms
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
        "operations": [_show_operation(o, limited, catalog) for o in catalog.operations.values()],
        "plans": [_show_plan(p, limited, catalog) for p in catalog.plans.values()],
        "low_balance": Amount(catalog.low_balance_microcredits),
    }


def _show_operation(operation: Operation, limited: set[str], catalog: Catalog) -> dict[str, Any]:
    """Shape of `price`: credits per `unit`, or null where each model has its own.

    What goes into the price of every run (`minimum`, `free_allowance`, `tiers`) stands where it is
    something.
    """
    rule, price, unit, models = _describe(operation)
    each = (
        f"{_count(price)} per {unit}" if price is not None else _explain(operation, unit, catalog)
    )
    return {
        "id": operation.id,
        "name": operation.name,
        "rule": rule,
        "price": None if price is None else Amount(price),
        "unit": unit,
        "explanation": LOCAL_EXPLANATION if rule == "local" else each,
        "feature": operation.feature if operation.feature in limited else None,
        "models": [_show_model(model, unit) for model in models],
        **_show_terms(operation.terms),
    }


def _show_terms(terms: VolumeTerms) -> dict[str, Any]:
    """Units: credits for each run; an allowance and tiers in what a period counts."""
    shown: dict[str, Any] = {}
    if terms.minimum_microcredits:
        shown["minimum"] = Amount(terms.minimum_microcredits)
    if terms.free_micro:
        shown["free_allowance"] = Amount(terms.free_micro)
    if terms.tiers:
        shown["tiers"] = [
            {"above": Amount(tier.above_micro), "percent": Amount(tier.percent_micro)}
            for tier in terms.tiers
        ]
    return shown


def _explain(operation: Operation, unit: str, catalog: Catalog) -> str:
    """How a price that is no single number is made."""
    match operation.rule:
        case PerResource() as rule:
            rates = (
                (rule.per_cpu_second, "second of a processor"),
                (rule.per_gb_second, "GB-second of memory"),
                (rule.per_second, "second"),
            )
            return ", ".join(f"{_count(rate)} per {what}" for rate, what in rates if rate)
        case Tokens():
            assert catalog.prices is not None, "a catalog with a rule by tokens has prices"
            worth = show_micro(catalog.prices.usd_per_credit_micro)
            return f"what the provider bills, by model, with a markup; a credit is {worth} USD"
        case _:
            return f"per {unit}, by model"


def _describe(operation: Operation) -> tuple[str, int | None, str, tuple[ModelPrice, ...]]:
    """The rule's name, its price where there is one for all, its unit, and prices by model."""
    match operation.rule:
        case Flat(credits_microcredits=price, models=models):
            return "flat", None if models else price, "call", models
        case PerUnit(credits_microcredits=price, unit=unit):
            return "per_unit", price, unit, ()
        case Per1kTokens(models=models):
            return "per_1k_tokens", None, "1,000 tokens", models
        case Tokens():
            return "tokens", None, "token", ()
        case PerResource():
            return "resource", None, "call", ()
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


def _show_plan(plan: PlanTerms, limited: set[str], catalog: Catalog) -> dict[str, Any]:
    """Shape of `prices`: the operations that cost something else on this plan, as they do there."""
    shown = {
        "id": plan.id,
        "name": plan.name,
        "allocation": Amount(plan.allocation_microcredits),
        "is_default": plan.id == catalog.default_plan,
        "rollover": plan.rollover.value,
        "features": [{"feature": f, "limit": limit} for f, limit in plan.features.items()],
        "driven_by": plan.driver.value,
    }
    if plan.sale is not None:
        shown["price"] = show_price(plan.sale.price_minor, plan.sale.currency)
        shown["currency"] = plan.sale.currency
        shown["interval"] = plan.sale.interval
    if plan.prices:
        prices = plan.prices.values()
        shown["prices"] = [_show_operation(each, limited, catalog) for each in prices]
    return shown
