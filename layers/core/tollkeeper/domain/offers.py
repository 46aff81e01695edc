"""What would help an account that cannot pay: packs that cover it, models that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tollkeeper.domain.catalog import Catalog, ModelPrice, Pack, Per1kTokens, find_model
from tollkeeper.domain.money import ceil_div, floor_div
from tollkeeper.domain.pricing import Priced


@dataclass(frozen=True, slots=True)
class Help:
    """What a refused caller can do next. Shape: `affordable` as it goes on the wire."""

    offers: tuple[Pack, ...] = ()
    affordable: Mapping[str, int | tuple[str, ...]] = field(
        default_factory=dict[str, "int | tuple[str, ...]"]
    )


def find_help(
    priced: Priced, catalog: Catalog, *, shortfall_microcredits: int, spendable_microcredits: int
) -> Help:
    """The cheapest pack that covers the shortfall (else the largest), and what fits already."""
    packs = sorted(catalog.packs.values(), key=lambda p: (p.price_minor, p.id))
    covering = [p for p in packs if p.credits_microcredits >= shortfall_microcredits]
    largest = sorted(packs, key=lambda p: p.credits_microcredits)[-1:]
    offers = tuple(covering[:1] or largest)
    return Help(offers, _affordable(priced, catalog, spendable_microcredits))


def _affordable(
    priced: Priced, catalog: Catalog, spendable: int
) -> dict[str, int | tuple[str, ...]]:
    """How many tokens of this model, and which models for these tokens, the account can pay."""
    run = priced.run
    operation = catalog.operation(run.operation)
    rule = operation.rule
    if not isinstance(rule, Per1kTokens) or run.pools is None or spendable < 0:
        return {}
    family = find_model(operation, rule.models, run.model)
    tokens = floor_div(spendable * 1000, family.credits_microcredits)
    total = run.pools.total()
    fits = tuple(m.name for m in rule.models if _costs(m, total) <= spendable)
    return {"tokens_total": tokens, "models": fits}


def _costs(family: ModelPrice, tokens: int) -> int:
    return ceil_div(tokens * family.credits_microcredits, 1000)
