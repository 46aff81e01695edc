"""Operations and prices of a catalog's tables as the domain's values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tollkeeper.domain.book import ATTO_PER_USD, BookModel, PriceBook, Rate, flat_model
from tollkeeper.domain.catalog import (
    Flat,
    Local,
    ModelPrice,
    Operation,
    Per1kTokens,
    PerUnit,
    Rule,
    Sizes,
)
from tollkeeper.domain.money import MICRO, PICO_PER_USD
from tollkeeper.domain.rates import AUDIO_HOURS, REQUESTS, WEB_SEARCHES
from tollkeeper.domain.rules import (
    NO_TERMS,
    Markups,
    PerResource,
    Prices,
    Tier,
    Tokens,
    UnknownModel,
    VolumeTerms,
)
from tollkeeper.edge.catalog_models import (
    AnyOperation,
    FlatTable,
    LocalTable,
    ModelTable,
    OverrideTable,
    Per1kTokensTable,
    PerUnitTable,
    PricesTable,
    ResourceTable,
    TokensTable,
)
from tollkeeper.edge.catalog_price_checks import counts_volume


def to_operations(name: str, tables: Iterable[AnyOperation]) -> list[Operation]:
    """The operation, as itself and as each plan changes it: all know whether plans differ."""
    listed = list(tables)
    has_volume = any(counts_volume(each) for each in listed)
    by_account = has_volume or len(listed) > 1
    return [
        Operation(
            id=name,
            name=each.name or readable(name),
            rule=_to_rule(each),
            feature=each.feature or name,
            sizes=_to_sizes(each),
            usd_pico_per_call=_usd_per_call(each),
            terms=_to_terms(each),
            by_account=by_account,
            counts_volume=has_volume,
        )
        for each in listed
    ]


def _to_rule(operation: AnyOperation) -> Rule:
    match operation:
        case FlatTable():
            credits = None if operation.models else operation.credits or 0
            return Flat(credits, _to_models(operation.models))
        case PerUnitTable():
            return PerUnit(operation.credits, operation.unit, operation.fractional)
        case Per1kTokensTable():
            return Per1kTokens(_to_models(operation.models))
        case TokensTable():
            markups = to_markups(operation.markup, operation.markups)
            policy = UnknownModel(operation.unknown_model)
            return Tokens(policy, markups, operation.output_percent)
        case ResourceTable():
            return PerResource(
                operation.per_cpu_second or 0,
                operation.per_gb_second or 0,
                operation.per_second or 0,
            )
        case LocalTable():
            return Local()


def _to_models(models: list[ModelTable]) -> tuple[ModelPrice, ...]:
    """Units: millionths of a USD per million tokens are pico-USD per token, so rates stay."""
    return tuple(
        ModelPrice(family.name, tuple(family.patterns), family.credits, family.usd_per_million)
        for family in models
    )


def _to_terms(operation: AnyOperation) -> VolumeTerms:
    if isinstance(operation, LocalTable):
        return NO_TERMS
    tiers = tuple(Tier(tier.above, tier.percent) for tier in operation.tiers or [])
    return VolumeTerms(operation.minimum or 0, operation.free_allowance or 0, tiers)


def _to_sizes(operation: AnyOperation) -> Sizes | None:
    if isinstance(operation, LocalTable | ResourceTable) or operation.estimate is None:
        return None
    sizes = operation.estimate
    scale = MICRO if isinstance(operation, Per1kTokensTable | TokensTable) else 1
    return Sizes(sizes.smallest // scale, sizes.typical // scale, sizes.largest // scale)


def _usd_per_call(operation: AnyOperation) -> int | None:
    match operation:
        case FlatTable(usd_per_call=usd) | PerUnitTable(usd_per_unit=usd) if usd is not None:
            return usd * (PICO_PER_USD // MICRO)
        case _:
            return None


def to_prices(prices: PricesTable, book: PriceBook) -> Prices:
    """What a credit is worth and what models cost."""
    return Prices(
        book=book,
        usd_per_credit_micro=prices.usd_per_credit,
        markups=to_markups(prices.markup, prices.markups),
        overrides=tuple(
            (pattern.casefold(), _to_rates(pattern, override))
            for override in prices.overrides
            for pattern in override.patterns
        ),
        use_provider_cost=prices.use_provider_cost,
    )


def to_markups(default: int | None, named: dict[str, int]) -> Markups:
    """The factors by what they are of. Why: a name without a colon is a provider's or a model's."""
    folded = {name.casefold(): factor for name, factor in named.items()}
    providers = {name: factor for name, factor in folded.items() if ":" not in name}
    return Markups(default, providers, tuple(folded.items()))


def _to_rates(pattern: str, override: OverrideTable) -> BookModel:
    """Units: millionths of a USD as atto-dollars, per million tokens and so on."""
    named = {
        **(override.usd_per_million or {}),
        AUDIO_HOURS: override.usd_per_audio_hour,
        WEB_SEARCHES: override.usd_per_1k_searches,
        REQUESTS: override.usd_per_1k_requests,
    }
    atto = ATTO_PER_USD // MICRO
    rates = {name: Rate(usd * atto) for name, usd in named.items() if usd is not None}
    provider, colon, _ = pattern.casefold().partition(":")
    return flat_model(
        id=pattern, provider=provider if colon else "", source="the catalog", rates=rates
    )


def readable(name: str) -> str:
    """A name to show, made of an id: `voice_call` is shown as Voice call."""
    words = re.sub(r"[_.-]+", " ", name).strip()
    return words[:1].upper() + words[1:]
