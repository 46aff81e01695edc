"""What a run may cost, before anybody knows what it will use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.catalog import Catalog, Local, Operation, Per1kTokens, Sizes
from tollkeeper.domain.entries import Line
from tollkeeper.domain.pricing.consumption import NOBODY, Consumption, Standing
from tollkeeper.domain.pricing.run import Priced, price_run
from tollkeeper.domain.pricing.worth import LOCAL_EXPLANATION
from tollkeeper.domain.rules import Tokens
from tollkeeper.domain.usage import TokenPools, Usage


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run may cost. Units: micro-credits; smallest <= typical <= largest.

    `lines` explain the typical price; `cost_picousd` and `warnings` are of it too.
    """

    smallest_microcredits: int
    typical_microcredits: int
    largest_microcredits: int
    explanation: str
    lines: tuple[Line, ...] = ()
    cost_picousd: int | None = None
    warnings: tuple[str, ...] = ()


def estimate_run(
    consumption: Consumption,
    catalog: Catalog,
    sizes: Sizes | None = None,
    standing: Standing = NOBODY,
) -> Estimate:
    """The range of prices: exact where the request says what it will use, else from sizes.

    `sizes` are better ones than the catalog's, where somebody knows them.

    Raises: as price_run.
    """
    operation = catalog.operation_on(consumption.operation, standing.plan)
    if isinstance(operation.rule, Local):
        return Estimate(0, 0, 0, LOCAL_EXPLANATION)
    sizes = sizes or operation.sizes
    if consumption.is_sized or sizes is None:
        return _of(*[price_run(consumption, catalog, standing)] * 3)
    prices = (
        price_run(_sized(operation, consumption, size), catalog, standing)
        for size in (sizes.smallest, sizes.typical, sizes.largest)
    )
    return _of(*sorted(prices, key=lambda priced: priced.charged_microcredits))


def _of(smallest: Priced, typical: Priced, largest: Priced) -> Estimate:
    run = typical.run
    return Estimate(
        smallest.charged_microcredits,
        typical.charged_microcredits,
        largest.charged_microcredits,
        _explain(run.lines),
        run.lines,
        run.cost_picousd,
        run.warnings,
    )


def typical_run(consumption: Consumption, catalog: Catalog, standing: Standing = NOBODY) -> Priced:
    """The price that a check decides on: of what the request says, else of a typical size.

    Raises: as price_run.
    """
    operation = catalog.operation_on(consumption.operation, standing.plan)
    if consumption.is_sized or operation.sizes is None:
        return price_run(consumption, catalog, standing)
    sized = _sized(operation, consumption, operation.sizes.typical)
    return price_run(sized, catalog, standing)


def _sized(operation: Operation, consumption: Consumption, size: int) -> Consumption:
    match operation.rule:
        case Per1kTokens():
            pools = TokenPools(input=size)
        case Tokens(output_percent=percent):
            output = size * percent // 100
            pools = TokenPools(input=size - output, output=output)
        case _:
            return replace(consumption, quantity_micro=size)
    return replace(consumption, usage=Usage(pools, None, None, ()))


def _explain(lines: tuple[Line, ...]) -> str:
    """The lines as a sentence. Why: what a provider bills is stated in USD, all else in credits."""
    return "; ".join(
        f"{x.item}: {x.quantity} at {x.rate}" + ("" if "USD" in x.rate else " credits")
        for x in lines
    )
