"""Estimates and the quotes that pin them: what a run may cost, and the promise that it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.pricing import (
    NOBODY,
    Consumption,
    Estimate,
    Standing,
    estimate_run,
    standing_now,
)
from tollkeeper.domain.quotes import LIFE, Quote, judge_quote, read_quote, sign_quote
from tollkeeper.domain.roll import look
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


def quote(
    world: World,
    account: AccountId,
    consumption: Consumption,
    opens_on: str | None = None,
    *,
    is_users: bool = False,
) -> Quoted:
    """The range of prices, sharpened by what the account's own calls showed, and its quote.

    `is_users`: the account's user asks, whose own word on size or price is never signed.
    Raises: as price_run. Cost: one GetItem where the account matters, else no call at all.
    """
    catalog = world.catalog
    operation = catalog.operation(consumption.operation)
    needs_sizes = operation.sizes is not None and not consumption.is_sized
    found: Account | None = None
    if needs_sizes or operation.by_account:
        found = world.ledger.read_account(account, is_strong=False)
    standing = NOBODY
    if operation.by_account:
        standing = _stand(world, found, opens_on)
    operation = catalog.operation_on(operation.id, standing.plan)
    sizes = operation.sizes
    if sizes is not None and needs_sizes and found is not None:
        sizes = sharpen(sizes, found.seen.get(operation.id))
    consumption = _at_moment(world, consumption, catalog)
    estimate = estimate_run(consumption, catalog, sizes, standing)
    is_own_word = consumption.is_sized or consumption.amount_microcredits is not None
    if is_users and is_own_word:
        return Quoted(estimate, "", catalog.version)
    return Quoted(estimate, _sign(world, account, consumption, estimate), catalog.version)


def _stand(world: World, account: Account | None, opens_on: str | None) -> Standing:
    """The standing in which the account would be charged now; a new one as it would open."""
    if account is None:
        return Standing(opens_on or world.catalog.default_plan)
    return standing_now(look(account, now=world.clock.now(), catalog=world.catalog))


def _at_moment(
    world: World, consumption: Consumption, catalog: Catalog, pinned_at: datetime | None = None
) -> Consumption:
    """The consumption at the moment whose dated rates apply: what is pinned, else when it ran."""
    if catalog.prices is None:
        return consumption
    moment = pinned_at or consumption.occurred_at or world.clock.now()
    return replace(consumption, priced_at=moment)


def _sign(world: World, account: AccountId, consumption: Consumption, estimate: Estimate) -> str:
    secret = _secret(world)
    if not secret:
        return ""
    promised = Quote(
        account=account,
        operation=consumption.operation,
        model=consumption.model_name,
        price_version=world.catalog.version,
        typical_microcredits=estimate.typical_microcredits,
        expires_at=world.clock.now() + LIFE,
    )
    return sign_quote(promised, secret)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is priced, with which catalog, and the quote that pinned it, where one did."""

    consumption: Consumption
    catalog: Catalog
    quote: Quote | None = None

    @property
    def pinned_at(self) -> datetime | None:
        """The moment of the estimate, whose dated rates stay."""
        return None if self.quote is None else self.quote.issued_at


def apply_quote(
    world: World, account: AccountId, consumption: Consumption, quote_id: str
) -> Pinned:
    """What is priced, and with which catalog, where a quote may pin it.

    Raises: QuoteExpiredError; PriceVersionError where the prices have to be read first.
    """
    if not quote_id:
        return Pinned(_at_moment(world, consumption, world.catalog), world.catalog)
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
    consumption = _at_moment(world, consumption, catalog, promised.issued_at)
    return Pinned(consumption, catalog, promised)


def apply_typical(
    world: World, account: AccountId, consumption: Consumption, quote_id: str
) -> Pinned:
    """As apply_quote; of a run whose size is not known yet, the price is the one quoted.

    Why: the estimate may know the account's calls better than the catalog does.
    """
    pinned = apply_quote(world, account, consumption, quote_id)
    if pinned.quote is None or pinned.consumption.is_sized:
        return pinned
    if not pinned.catalog.operation(consumption.operation).sizes:
        return pinned
    typical = pinned.quote.typical_microcredits
    return replace(pinned, consumption=replace(pinned.consumption, amount_microcredits=typical))


def _secret(world: World) -> str:
    return world.secrets.read_secret(QUOTE_SECRET) if world.secrets is not None else ""
