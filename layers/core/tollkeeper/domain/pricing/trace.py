"""A price once more, with everything that it is made of: for whoever asks how it came about.

Why beside `price_run`: the charge itself pays nothing for being explainable.
"""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.catalog import Catalog, Local, Operation
from tollkeeper.domain.pricing.consumption import NOBODY, Consumption, Standing
from tollkeeper.domain.pricing.run import find_least, find_volume
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.pricing.terms import NO_VOLUME, Volume, apply_volume
from tollkeeper.domain.pricing.worth import Worth, find_worth


@dataclass(frozen=True, slots=True)
class Trace:
    """What a price is made of. Units: micro-credits.

    Shape: `worth` is the price before the account's terms, None where the caller named it; the
    `pieces` are what the period's volume takes off, over the denominator of `whole`; `least` is
    what the run costs at least.
    """

    operation: Operation
    worth: Worth | None
    volume: Volume
    whole: Tally
    pieces: tuple[Share, ...]
    rounded: int
    least: int
    charged: int
    usd_per_credit_micro: int | None = None


def trace_run(consumption: Consumption, catalog: Catalog, standing: Standing = NOBODY) -> Trace:
    """The steps by which `price_run` comes to its price. Raises: as price_run."""
    operation = catalog.operation_on(consumption.operation, standing.plan)
    named = consumption.amount_microcredits
    if named is not None and not isinstance(operation.rule, Local):
        tally = Tally((Share(operation.id, "1", "", named),))
        return Trace(operation, None, NO_VOLUME, tally, (), named, 0, named)
    worth = find_worth(operation, consumption, catalog)
    volume = find_volume(operation, worth, standing)
    whole = apply_volume(worth.tally, operation.terms, volume)
    rounded, _ = whole.rounded()
    least = find_least(operation, worth, volume, is_first=standing.is_first)
    prices = catalog.prices
    return Trace(
        operation=operation,
        worth=worth,
        volume=volume,
        whole=whole,
        pieces=whole.shares[len(worth.tally.shares) :],
        rounded=rounded,
        least=least,
        charged=max(rounded, least),
        usd_per_credit_micro=None if prices is None else prices.usd_per_credit_micro,
    )
