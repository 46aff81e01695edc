"""A price once more, with everything that it is made of: for whoever asks how it came about.

Why beside `price_run`: the charge itself pays nothing for being explainable.
"""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.catalog import Catalog, Local, Operation
from tollkeeper.domain.pricing.consumption import NOBODY, Consumption, Standing
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.pricing.terms import Volume, apply_volume, is_all_free, least_of
from tollkeeper.domain.pricing.worth import Worth, find_worth, model_of


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
        return Trace(operation, None, Volume(), tally, (), named, 0, named)
    worth = find_worth(operation, consumption, catalog, model_of(consumption))
    volume = Volume()
    if operation.counts_volume:
        volume = Volume(standing.volumes.get(operation.feature, 0), worth.volume_micro)
    whole = apply_volume(worth.tally, operation.terms, volume)
    rounded, _ = whole.rounded()
    least = 0
    uses = worth.uses_something
    if not (worth.is_free or is_all_free(operation.terms, volume, uses_something=uses)):
        is_first = standing.is_first
        least = least_of(operation.terms, is_first=is_first, uses_something=uses)
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
