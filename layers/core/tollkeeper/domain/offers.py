"""What would help an account that cannot pay: packs that cover it, plans, models that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    ModelPrice,
    Operation,
    Pack,
    Per1kTokens,
    PlanTerms,
    find_model,
)
from tollkeeper.domain.entries import Run
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money import ceil_div, floor_div
from tollkeeper.domain.pricing import Priced, Standing, consumption_of, price_run
from tollkeeper.domain.rules import Tokens

Affordable = Mapping[str, int | tuple[str, ...]]
TOTAL_ONLY = "total_only"
OUTPUT_POOLS = ("output", "reasoning", "audio_output")


@dataclass(frozen=True, slots=True)
class Help:
    """What a refused caller can do next. Shape: `affordable` as it goes on the wire."""

    offers: tuple[Pack, ...] = ()
    plans: tuple[PlanTerms, ...] = ()
    affordable: Affordable = field(default_factory=dict[str, "int | tuple[str, ...]"])


def find_help(account: Account, priced: Priced, catalog: Catalog) -> Help:
    """The cheapest pack that covers what is missing, the smallest plan that would, what fits now.

    The largest pack where none covers it.
    """
    spendable = account.spendable_microcredits(catalog)
    missing = account.missing_microcredits(priced.charged_microcredits, catalog)
    packs = sorted(catalog.packs.values(), key=lambda p: (p.price_minor, p.id))
    covering = [p for p in packs if p.credits_microcredits >= missing]
    largest = sorted(packs, key=lambda p: p.credits_microcredits)[-1:]
    return Help(
        offers=tuple(covering[:1] or largest),
        plans=_plans_that_pay(account, priced, catalog),
        affordable=_affordable(priced, catalog, spendable),
    )


def find_plans(account: Account, priced: Priced, catalog: Catalog) -> Help:
    """What helps an account that has used up a plan's feature: a plan that allows more."""
    return Help(plans=_plans_that_pay(account, priced, catalog))


def _plans_that_pay(account: Account, priced: Priced, catalog: Catalog) -> tuple[PlanTerms, ...]:
    """The smallest other plan with which the same run would pass, were it taken now.

    None for a budget: its plan gives it nothing.
    """
    if account.parent:
        return ()
    left = sum(
        g.remaining_microcredits
        for g in account.grants
        if g.kind is GrantKind.PLAN and g.has_started
    )
    base = account.available_microcredits - left
    fitting = [
        terms
        for terms in catalog.plans.values()
        if terms.id != account.plan.id
        and _would_pay(terms, account, _price_on(terms, account, priced, catalog), base)
    ]
    fitting.sort(key=lambda terms: (terms.allocation_microcredits, terms.id))
    return tuple(fitting[:1])


def _price_on(
    terms: PlanTerms, account: Account, priced: Priced, catalog: Catalog
) -> Priced | None:
    """The run's price on that plan, in whose new period nothing is used yet.

    None where the plan refuses the run's model, so that it is no help.
    Why: a price of another version is pinned, and another plan does not change it here.
    """
    run = priced.run
    if not run.plan or run.price_version != catalog.version:
        return priced
    try:
        return price_run(consumption_of(run, account.rolled_to), catalog, Standing(terms.id))
    except (UnknownModelError, InvalidError):
        return None


def _would_pay(terms: PlanTerms, account: Account, priced: Priced | None, base: int) -> bool:
    """Why: a plan that is taken now ends the old plan's rest and resets the counters."""
    if priced is None:
        return False
    run, required = priced.run, priced.charged_microcredits
    most = terms.features.get(run.feature)
    limits = account.limits.operator.or_else(terms.limits).and_also(account.limits.user)
    used = required + account.held_microcredits
    day, month = account.windows.day + used, account.windows.month + used
    return (
        base + terms.allocation_microcredits + terms.overdraft_microcredits >= required
        and terms.allocation_microcredits >= account.clawback_debt_microcredits
        and (most is None or run.feature_count <= most)
        and (limits.run is None or required <= limits.run)
        and (limits.day is None or day <= limits.day)
        and (limits.month is None or month <= limits.month)
    )


def _affordable(priced: Priced, catalog: Catalog, spendable: int) -> Affordable:
    """What the account can pay already: tokens of this model, and models for this run."""
    run = priced.run
    operation = catalog.operation(run.operation)
    if spendable < 0:
        return {}
    match operation.rule:
        case Per1kTokens() if run.pools is not None:
            return _affordable_tokens(operation, operation.rule, run, spendable)
        case Tokens() if run.pools is not None and not operation.by_account:
            total, charged = run.pools.total(), priced.charged_microcredits
            is_enough = charged and spendable >= operation.terms.minimum_microcredits
            return {"tokens_total": floor_div(spendable * total, charged) if is_enough else 0}
        case Flat(models=models) if models:
            calls = max(1, run.feature_count)
            fits = (m.name for m in models if m.credits_microcredits * calls <= spendable)
            return {"models": tuple(fits)}
        case _:
            return {}


def _affordable_tokens(
    operation: Operation, rule: Per1kTokens, run: Run, spendable: int
) -> Affordable:
    """Why: of a bare total nobody knows which part is output, so nothing is said of that."""
    assert run.pools is not None, "a run by tokens has pools"
    family = find_model(operation, rule.models, run.model)
    tokens = floor_div(spendable * 1000, family.credits_microcredits)
    total = run.pools.total()
    fits = tuple(m.name for m in rule.models if _costs(m, total) <= spendable)
    if TOTAL_ONLY in run.warnings:
        return {"tokens_total": tokens, "models": fits}
    spoken = sum(getattr(run.pools, name) for name in OUTPUT_POOLS)
    output = max(0, tokens - (total - spoken))
    return {"tokens_total": tokens, "tokens_output": output, "models": fits}


def _costs(family: ModelPrice, tokens: int) -> int:
    return ceil_div(tokens * family.credits_microcredits, 1000)
