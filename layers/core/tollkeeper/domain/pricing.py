"""What a run costs: the rule of its operation applied to what it used, rounded once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.catalog import (
    Catalog,
    Flat,
    Local,
    ModelPrice,
    Operation,
    Per1kTokens,
    PerUnit,
    Sizes,
    find_model,
)
from tollkeeper.domain.entries import Line, Run
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import LARGEST_MICROCREDITS, MICRO, ceil_div, show_micro
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage_pools import TokenPools

LOCAL_EXPLANATION = "Local mode, 0 credits"


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a request says was used. Units: `quantity_micro` in millionths of a unit.

    `amount_microcredits` is a price that the caller names itself: to hold, or to settle.
    """

    operation: str
    model: str | None = None
    quantity_micro: int | None = None
    usage: Usage | None = None
    label: str = ""
    subtype: str = ""
    service: str = ""
    response_time_ms: int | None = None
    occurred_at: datetime | None = None
    amount_microcredits: int | None = None
    most_microcredits: int | None = None

    @property
    def is_sized(self) -> bool:
        """It says how much is, or will be, used."""
        sizes = (self.usage, self.quantity_micro, self.amount_microcredits)
        return any(size is not None for size in sizes)


@dataclass(frozen=True, slots=True)
class Priced:
    """A run with its price. Units: micro-credits.

    `most_microcredits` is what the caller wants one run to cost at most.
    """

    run: Run
    charged_microcredits: int
    most_microcredits: int | None = None


@dataclass(frozen=True, slots=True)
class _Cost:
    charged_microcredits: int
    lines: tuple[Line, ...]
    picousd: int | None


def price_run(consumption: Consumption, catalog: Catalog) -> Priced:
    """The run with its exact price, rounded up to one micro-credit once.

    Raises: UnknownOperationError, UnknownModelError, InvalidError.
    """
    run = describe_run(consumption, catalog)
    usage = consumption.usage
    most = consumption.most_microcredits
    named = consumption.amount_microcredits
    operation = catalog.operation(run.operation)
    if named is not None and not isinstance(operation.rule, Local):
        _refuse_unpriced(operation, run.model)
        line = Line(run.operation, "1", show_micro(named), named)
        return Priced(replace(run, lines=(line,)), named, most)
    cost = _apply(operation, consumption, run.model or None)
    picousd = usage.cost_picousd if usage and usage.cost_picousd is not None else cost.picousd
    if cost.charged_microcredits > LARGEST_MICROCREDITS:
        raise InvalidError("quantity", "costs more than one account can hold")
    run = replace(run, cost_picousd=picousd, lines=cost.lines)
    return Priced(run, cost.charged_microcredits, most)


def _refuse_unpriced(operation: Operation, model: str) -> None:
    """Nothing, where the model has a price. Why: what it used must be chargeable afterwards."""
    rule = operation.rule
    if model and isinstance(rule, Flat | Per1kTokens) and rule.models:
        find_model(operation, rule.models, model)


def describe_run(consumption: Consumption, catalog: Catalog) -> Run:
    """The run with no price: all that is known of one that failed.

    Raises: UnknownOperationError.
    """
    operation = catalog.operation(consumption.operation)
    usage = consumption.usage
    return Run(
        operation=operation.id,
        model=consumption.model or (usage.model if usage else None) or "",
        label=_label(consumption),
        feature=operation.feature,
        feature_count=ceil_div(consumption.quantity_micro or MICRO, MICRO),
        service=consumption.service,
        subtype=consumption.subtype,
        quantity_micro=consumption.quantity_micro,
        pools=usage.pools if usage else None,
        price_version=catalog.version,
        response_time_ms=consumption.response_time_ms,
        occurred_at=consumption.occurred_at,
        warnings=usage.warnings if usage else (),
    )


def _label(consumption: Consumption) -> str:
    """The label that stats group by: the caller's feature, its subtype, or both."""
    return "/".join(part for part in (consumption.label, consumption.subtype) if part)


def _apply(operation: Operation, consumption: Consumption, model: str | None) -> _Cost:
    rule = operation.rule
    match rule:
        case Local():
            return _Cost(0, (Line(LOCAL_EXPLANATION, "1", "0", 0),), None)
        case Flat():
            return _apply_flat(operation, rule, consumption, model)
        case PerUnit():
            return _apply_per_unit(operation, rule, consumption)
        case Per1kTokens():
            return _apply_tokens(operation, rule, consumption, model)


def _apply_flat(
    operation: Operation, rule: Flat, consumption: Consumption, model: str | None
) -> _Cost:
    calls = _whole(consumption.quantity_micro or MICRO, operation)
    item, each, per_call = operation.id, rule.credits_microcredits, operation.usd_pico_per_call
    picousd = None if per_call is None else per_call * calls
    if rule.models:
        family = find_model(operation, rule.models, model)
        item, each = f"{operation.id} with {family.name}", family.credits_microcredits
        cost = _token_cost(family, consumption.usage)
        picousd = picousd if cost is None else cost
    assert each is not None, "a flat rule has a price or models"
    total = calls * each
    line = Line(item, str(calls), show_micro(each), total)
    return _Cost(total, (line,), picousd)


def _apply_per_unit(operation: Operation, rule: PerUnit, consumption: Consumption) -> _Cost:
    quantity = consumption.quantity_micro or MICRO
    if not rule.fractional:
        _whole(quantity, operation)
    total = ceil_div(quantity * rule.credits_microcredits, MICRO)
    rate = f"{show_micro(rule.credits_microcredits)}/{rule.unit}"
    line = Line(operation.id, show_micro(quantity), rate, total)
    each = operation.usd_pico_per_call
    return _Cost(total, (line,), None if each is None else ceil_div(quantity * each, MICRO))


def _apply_tokens(
    operation: Operation, rule: Per1kTokens, consumption: Consumption, model: str | None
) -> _Cost:
    family = find_model(operation, rule.models, model)
    if consumption.usage is None:
        raise InvalidError("usage", f"is needed: {operation.id} is priced by tokens")
    if consumption.quantity_micro is not None:
        raise InvalidError("quantity", f"cannot be used: {operation.id} is priced by tokens")
    tokens = consumption.usage.pools.total()
    total = ceil_div(tokens * family.credits_microcredits, 1000)
    rate = f"{show_micro(family.credits_microcredits)}/1000"
    line = Line(f"{model} tokens", str(tokens), rate, total)
    return _Cost(total, (line,), _token_cost(family, consumption.usage))


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


def _whole(quantity_micro: int, operation: Operation) -> int:
    """The quantity as a whole number. Raises: InvalidError where parts do not count."""
    whole, part = divmod(quantity_micro, MICRO)
    if part:
        raise InvalidError("quantity", f"must be a whole number for {operation.id}")
    return whole


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run may cost. Units: micro-credits; smallest <= typical <= largest.

    `lines` explain the typical price.
    """

    smallest_microcredits: int
    typical_microcredits: int
    largest_microcredits: int
    explanation: str
    lines: tuple[Line, ...] = ()


def estimate_run(
    consumption: Consumption, catalog: Catalog, sizes: Sizes | None = None
) -> Estimate:
    """The range of prices: exact where the request says what it will use, else from sizes.

    `sizes` are better ones than the catalog's, where somebody knows them.

    Raises: as price_run.
    """
    operation = catalog.operation(consumption.operation)
    if isinstance(operation.rule, Local):
        return Estimate(0, 0, 0, LOCAL_EXPLANATION)
    sizes = sizes or operation.sizes
    if consumption.is_sized or sizes is None:
        price = price_run(consumption, catalog)
        exact = price.charged_microcredits
        return Estimate(exact, exact, exact, _explain(price.run.lines), price.run.lines)
    prices = [
        price_run(_sized(operation, consumption, size), catalog)
        for size in (sizes.smallest, sizes.typical, sizes.largest)
    ]
    amounts = [p.charged_microcredits for p in prices]
    lines = prices[1].run.lines
    return Estimate(amounts[0], amounts[1], amounts[2], _explain(lines), lines)


def typical_run(consumption: Consumption, catalog: Catalog) -> Priced:
    """The price that a check decides on: of what the request says, else of a typical size.

    Raises: as price_run.
    """
    operation = catalog.operation(consumption.operation)
    if consumption.is_sized or operation.sizes is None:
        return price_run(consumption, catalog)
    return price_run(_sized(operation, consumption, operation.sizes.typical), catalog)


def _sized(operation: Operation, consumption: Consumption, size: int) -> Consumption:
    if isinstance(operation.rule, Per1kTokens):
        return replace(consumption, usage=Usage(TokenPools(input=size), None, None, ()))
    return replace(consumption, quantity_micro=size)


def _explain(lines: tuple[Line, ...]) -> str:
    return "; ".join(f"{x.item}: {x.quantity} at {x.rate} credits" for x in lines)
