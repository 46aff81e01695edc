"""Estimates and the quotes that pin them: what a run may cost, and the promise that it does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.pricing import Consumption, Estimate, estimate_run
from tollkeeper.domain.quotes import LIFE, Quote, judge_quote, read_quote, sign_quote
from tollkeeper.domain.seen import sharpen
from tollkeeper.service.pinning import pinned_catalog
from tollkeeper.service.ports import World

QUOTE_SECRET = "QUOTE_SECRET"  # noqa: S105 - the name of a secret


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a run may cost; `quote_id` is empty where the stack has no secret to sign with."""

    estimate: Estimate
    quote_id: str
    price_version: str


def quote(world: World, account: AccountId, consumption: Consumption) -> Quoted:
    """The range of prices, sharpened by what the account's own calls showed, and its quote.

    Raises: as price_run. Cost: one GetItem where sizes matter, else no call at all.
    """
    catalog = world.catalog
    operation = catalog.operation(consumption.operation)
    sizes = operation.sizes
    if sizes is not None and not consumption.is_sized:
        found = world.ledger.read_account(account, is_strong=False)
        sizes = sharpen(sizes, None if found is None else found.seen.get(operation.id))
    estimate = estimate_run(consumption, catalog, sizes)
    return Quoted(estimate, _sign(world, account, consumption, estimate), catalog.version)


def _sign(world: World, account: AccountId, consumption: Consumption, estimate: Estimate) -> str:
    secret = _secret(world)
    if not secret:
        return ""
    usage = consumption.usage
    promised = Quote(
        account=account,
        operation=consumption.operation,
        model=consumption.model or (usage.model if usage else None) or "",
        price_version=world.catalog.version,
        typical_microcredits=estimate.typical_microcredits,
        expires_at=world.clock.now() + LIFE,
    )
    return sign_quote(promised, secret)


def apply_quote(
    world: World, account: AccountId, consumption: Consumption, quote_id: str
) -> tuple[Consumption, Catalog]:
    """What is priced, and with which catalog, where a quote may pin it.

    Raises: QuoteExpiredError; PriceVersionError where the prices have to be read first.
    """
    consumption, catalog, _ = _apply(world, account, consumption, quote_id)
    return consumption, catalog


def _apply(
    world: World, account: AccountId, consumption: Consumption, quote_id: str
) -> tuple[Consumption, Catalog, Quote | None]:
    if not quote_id:
        return consumption, world.catalog, None
    promised = read_quote(quote_id, _secret(world))
    judge_quote(
        promised,
        account=account,
        operation=consumption.operation,
        model=consumption.model,
        now=world.clock.now(),
    )
    catalog = pinned_catalog(world, promised.price_version)
    consumption = replace(consumption, model=consumption.model or promised.model or None)
    return consumption, catalog, promised


def apply_typical(
    world: World, account: AccountId, consumption: Consumption, quote_id: str
) -> tuple[Consumption, Catalog]:
    """As apply_quote; of a run whose size is not known yet, the price is the one quoted.

    Why: the estimate may know the account's calls better than the catalog does.
    """
    consumption, catalog, promised = _apply(world, account, consumption, quote_id)
    if promised is None or consumption.is_sized:
        return consumption, catalog
    if catalog.operation(consumption.operation).sizes:
        consumption = replace(consumption, amount_microcredits=promised.typical_microcredits)
    return consumption, catalog


def _secret(world: World) -> str:
    return world.secrets.read_secret(QUOTE_SECRET) if world.secrets is not None else ""
