"""What a run is worth by its operation's rule, and what it costs at its provider: both exact."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    Local,
    ModelPrice,
    Operation,
    Per1kTokens,
    PerUnit,
    find_model,
)
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.money import MICRO, ceil_div
from tollkeeper.domain.pricing.apply import (
    apply_flat,
    apply_per_1k_tokens,
    apply_per_unit,
    apply_resource,
    count_whole,
    find_family,
    need_resource,
    need_usage,
)
from tollkeeper.domain.pricing.bills import Bill, Biller, UnpricedModelError, known_models
from tollkeeper.domain.pricing.consumption import Consumption
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.rules import PerResource, Prices, Tokens
from tollkeeper.domain.usage import COST_ONLY, Usage

LOCAL_EXPLANATION = "Local mode, 0 credits"
NOT_PRICED = "pool_not_priced"
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Worth:
    """What a run is worth before the account's terms. Units: volume in millionths.

    `bill` is what the provider bills, where rates or a report tell; `picousd` the same in whole
    pico-USD, or what the operation states. `is_free`: it costs nothing because somebody said so.
    """

    tally: Tally
    volume_micro: int = 0
    bill: Bill | None = None
    picousd: int | None = None
    warnings: tuple[str, ...] = ()
    uses_something: bool = True
    is_free: bool = False


def find_worth(operation: Operation, consumption: Consumption, catalog: Catalog) -> Worth:
    """What the run is worth by its operation's rule. Raises: UnknownModelError, InvalidError."""
    rule, model = operation.rule, consumption.model_name
    match rule:
        case Local():
            return Worth(Tally((Share(LOCAL_EXPLANATION, "1", "0", 0),)), is_free=True)
        case Tokens():
            return _of_bill(operation, rule, consumption, catalog)
        case Flat():
            worth = _of_calls(operation, rule, consumption, model)
        case PerUnit():
            worth = _of_units(operation, rule, consumption)
        case Per1kTokens():
            worth = _of_tokens(operation, rule, consumption, model)
        case PerResource():
            used = need_resource(operation, consumption)
            worth = Worth(apply_resource(operation, rule, used), MICRO)
    return _with_cost(worth, consumption, catalog.prices)


def refuse_unpriced(operation: Operation, consumption: Consumption, catalog: Catalog) -> None:
    """Nothing, where the model has a price. Raises: UnknownModelError.

    Why: of a price that the caller names, what is used must be chargeable afterwards.
    """
    model, rule = consumption.model_name, operation.rule
    if model and isinstance(rule, Flat | Per1kTokens):
        find_family(operation, rule.models, model)
    if not model or not isinstance(rule, Tokens):
        return
    biller = _biller_of(rule, catalog)
    if biller.find_own(consumption).model is None and not biller.takes_unknown:
        raise _unknown(operation, biller.prices, consumption, model)


def _of_calls(operation: Operation, rule: Flat, consumption: Consumption, model: str) -> Worth:
    calls = count_whole(consumption.quantity_micro or MICRO, operation)
    family = find_family(operation, rule.models, model)
    each = operation.usd_pico_per_call
    picousd = None if each is None else each * calls
    if family is not None:
        by_family = _token_cost(family, consumption.usage)
        picousd = picousd if by_family is None else by_family
    return Worth(
        apply_flat(operation, rule, family, calls),
        calls * MICRO,
        picousd=picousd,
        is_free=family is None and not rule.credits_microcredits,
    )


def _of_units(operation: Operation, rule: PerUnit, consumption: Consumption) -> Worth:
    quantity = consumption.quantity_micro or MICRO
    each = operation.usd_pico_per_call
    picousd = None if each is None else ceil_div(quantity * each, MICRO)
    return Worth(apply_per_unit(operation, rule, quantity), quantity, picousd=picousd)


def _of_tokens(
    operation: Operation, rule: Per1kTokens, consumption: Consumption, model: str
) -> Worth:
    family = find_model(operation, rule.models, model or None)
    usage = need_usage(operation, consumption)
    _refuse_cost_alone(operation, usage)
    return Worth(
        apply_per_1k_tokens(family, usage, model),
        usage.pools.total() * MICRO,
        picousd=_token_cost(family, usage),
        uses_something=_uses_something(usage),
    )


def _of_bill(
    operation: Operation, rule: Tokens, consumption: Consumption, catalog: Catalog
) -> Worth:
    """What the provider bills, times the markup, in credits."""
    usage = need_usage(operation, consumption)
    biller = _biller_of(rule, catalog)
    if not biller.takes_report(usage):
        _refuse_cost_alone(operation, usage)
    try:
        bill = biller.bill(consumption, usage)
    except UnpricedModelError as unpriced:
        raise _unknown(operation, biller.prices, consumption, unpriced.model) from None
    return Worth(
        bill.to_tally(biller.prices.usd_per_credit_micro),
        usage.pools.total() * MICRO,
        bill=bill,
        picousd=bill.picousd,
        warnings=bill.warnings,
        uses_something=_uses_something(usage),
    )


def _refuse_cost_alone(operation: Operation, usage: Usage) -> None:
    """Nothing, where any use was reported. Raises: InvalidError.

    Why: priced by its tokens the run would come to nothing, and it was not free.
    """
    if COST_ONLY in usage.warnings:
        reason = f"says what was billed and not what was used; {operation.id} is priced by tokens"
        raise InvalidError("usage", reason)


def _biller_of(rule: Tokens, catalog: Catalog) -> Biller:
    assert catalog.prices is not None, "a catalog with a rule by tokens has prices"
    return Biller(catalog.prices, rule.markups, rule.unknown_model)


def _unknown(
    operation: Operation, prices: Prices, consumption: Consumption, model: str
) -> UnknownModelError:
    known = known_models(prices, model, consumption.known_provider, MOST_NAMED)
    return UnknownModelError(operation.id, model or None, known)


def _with_cost(worth: Worth, consumption: Consumption, prices: Prices | None) -> Worth:
    """The same with what the provider bills, where that is known better than by the operation.

    Why: tokens that have no rate show no cost of the book rather than a wrong one, and a reported
    cost of 0 shows only where nothing else is known.
    """
    usage = consumption.usage
    if usage is None:
        return worth
    if prices is None:
        reported = usage.cost_picousd
        is_best = bool(reported) or worth.picousd is None
        return replace(worth, picousd=reported) if is_best else worth
    try:
        bill = Biller(prices).bill(consumption, usage)
    except UnpricedModelError:
        return worth
    if NOT_PRICED in bill.warnings:
        return worth
    return replace(worth, bill=bill, picousd=bill.picousd)


def _uses_something(usage: Usage) -> bool:
    return bool(
        usage.pools.total() or usage.seconds_micro or usage.web_searches or usage.cost_picousd
    )


def _token_cost(family: ModelPrice, usage: Usage | None) -> int | None:
    """What the provider bills for these pools, where the catalog states its rates."""
    if usage is None or family.usd_pico_per_token is None:
        return None
    rates = family.usd_pico_per_token
    # A provider bills thinking as output; a cached read is never dearer than a first one.
    fallback = {"reasoning": "output", "cached_input": "input"}
    total = 0
    for pool, tokens in usage.pools.nonzero().items():
        rate = rates.get(pool, rates.get(fallback.get(pool, pool)))
        if rate is None:
            return None
        total += tokens * rate
    return total
