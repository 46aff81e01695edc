"""Several models that worked on one run: what each of them used, as it is billed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.report import UsagePart
from tollkeeper.domain.usage.sheet import Sheet

# The run's own one counts. More than any message has worked with; a row of the ledger stays small.
MOST_PARTS = 8

# What each model used; None is the run's own.
ByModel = Mapping[str | None, TokenPools]


def other_model(row: Sheet, own_model: str | None, known: ByModel) -> str | None:
    """The other model that a row names; None where it is the run's own."""
    model = row.text("model")
    if model is None or model == own_model:
        return None
    if model not in known and len(known.keys() | {None}) >= MOST_PARTS:
        row.warn("too_many_models")
        return None
    return model


def sum_pools(each: Iterable[TokenPools]) -> TokenPools:
    """All of them, pool by pool."""
    summed = TokenPools()
    for pools in each:
        summed = summed.plus(pools)
    return summed


def to_parts(by_model: ByModel, web_searches: int) -> tuple[UsagePart, ...]:
    """A part for each model, empty where the run's own did all; searches are the run's own."""
    if not any(by_model):
        return ()
    return tuple(
        UsagePart(model, pools, 0 if model else web_searches)
        for model, pools in by_model.items()
        if model or pools.total() or web_searches
    )
