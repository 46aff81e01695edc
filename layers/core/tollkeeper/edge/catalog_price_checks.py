"""What must hold between the prices of a catalog: the book, its markups, minimums and tiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tollkeeper.domain.money import MICRO
from tollkeeper.domain.spending import MOST_VOLUMES
from tollkeeper.edge.catalog_models import (
    AnyOperation,
    CatalogTables,
    FlatTable,
    LocalTable,
    OverrideTable,
    PerUnitTable,
    PricesTable,
    TokensTable,
)

Found = tuple[tuple[str | int, ...], str]
"""Where it is, and the reason."""


def check_prices(tables: CatalogTables) -> Iterator[Found]:
    """Everything in [prices], and in what needs it, that does not fit together."""
    if tables.prices is not None:
        for place, reason in _check_table(tables.prices):
            yield ("prices", *place), reason
        return
    for name, operation in tables.operations.items():
        if isinstance(operation, TokensTable):
            reason = "needs the table [prices], which says what a credit is worth"
            yield ("operations", name, "rule"), reason


def _check_table(prices: PricesTable) -> Iterator[Found]:
    owners: set[str] = set()
    for index, override in enumerate(prices.overrides):
        for pattern in override.patterns:
            if pattern.casefold() in owners:
                yield ("overrides", index, "patterns"), f"holds {pattern!r}, which stands above"
            owners.add(pattern.casefold())
        for place, reason in _check_override(override):
            yield ("overrides", index, *place), reason


def _check_override(override: OverrideTable) -> Iterator[Found]:
    tokens = override.usd_per_million
    counted = (override.usd_per_audio_hour, override.usd_per_1k_searches)
    if tokens is None:
        if override.usd_per_audio_hour is None:
            reason = "is missing: it or usd_per_audio_hour says what the models cost"
            yield ("usd_per_million",), reason
        return
    for pool in ("input", "output"):
        if pool not in tokens:
            reason = f"has no {pool}; what such tokens cost must be said, even where it is 0"
            yield ("usd_per_million",), reason
    if not any(tokens.values()) and not any(counted):
        yield ("usd_per_million",), "has no rate above 0; a flat operation may be free"


def check_terms(operation: AnyOperation) -> Iterator[Found]:
    """What an operation says of minimum, allowance and tiers that cannot be meant."""
    if isinstance(operation, LocalTable):
        return
    if isinstance(operation, FlatTable) and operation.free:
        for name in ("minimum", "free_allowance", "tiers"):
            if getattr(operation, name) is not None:
                yield (name,), "cannot stand beside free = true"
    counts_parts = isinstance(operation, PerUnitTable) and operation.fractional
    allowance = operation.free_allowance
    if allowance is not None and allowance % MICRO and not counts_parts:
        yield ("free_allowance",), "must be a whole number; this operation counts no parts"
    tiers = operation.tiers or []
    for index, (one, other) in enumerate(pairwise(tiers)):
        if one.above >= other.above:
            yield ("tiers", index + 1, "above"), "must be greater than that of the tier before it"
    if allowance is not None and tiers and tiers[0].above < allowance:
        reason = "must not be less than free_allowance, which comes first"
        yield ("tiers", 0, "above"), reason


def find_shared(operations: Iterable[tuple[str, AnyOperation]]) -> Iterator[tuple[str, str, str]]:
    """Operations whose volume counts against one feature and cannot: name, key and reason.

    Why: a feature has one number for each period, so all that counts in it counts the same thing.
    """
    units: dict[str, tuple[str, str]] = {}
    allowances: dict[str, tuple[str, int]] = {}
    for name, operation in operations:
        if isinstance(operation, LocalTable) or not counts_volume(operation):
            continue
        feature, unit = operation.feature or name, unit_of(operation)
        first, other = units.setdefault(feature, (name, unit))
        key = "free_allowance" if operation.free_allowance is not None else "tiers"
        if other != unit:
            yield name, key, f"counts {unit}s of {feature}, of which {first} counts {other}s"
        if operation.free_allowance is not None:
            first, allowance = allowances.setdefault(feature, (name, operation.free_allowance))
            if allowance != operation.free_allowance:
                reason = f"differs from that of {first}, which uses the same feature {feature}"
                yield name, "free_allowance", reason
    if len(units) > MOST_VOLUMES:
        name = next(reversed(units.values()))[0]
        yield name, "feature", f"is one too many: at most {MOST_VOLUMES} have allowances or tiers"


def counts_volume(operation: AnyOperation) -> bool:
    """Its price depends on what the period has used."""
    if isinstance(operation, LocalTable):
        return False
    return operation.free_allowance is not None or operation.tiers is not None


def unit_of(operation: AnyOperation) -> str:
    """What its volume counts."""
    match operation:
        case PerUnitTable():
            return operation.unit
        case TokensTable():
            return "token"
        case _:
            return "token" if operation.rule == "per_1k_tokens" else "call"
