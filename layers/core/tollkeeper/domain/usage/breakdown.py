"""What each model of a system of models used, where a body says so beside its usage."""

from __future__ import annotations

from tollkeeper.domain.usage.finding import Object
from tollkeeper.domain.usage.models import other_model, sum_pools, to_parts
from tollkeeper.domain.usage.openai import read_completion
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Notes, Sheet


def read_breakdown(body: Object, notes: Notes, stated: TokenPools) -> TokenPools:
    """The pools of all models, each a part of its own; as stated where nothing is broken down.

    Why: Groq's compound systems have no price of their own, each of their models is billed at its
    own. A breakdown of less than the usage beside it does not say who used the rest.
    """
    breakdown = Sheet(body, notes).part("usage_breakdown")
    if breakdown is None:
        return stated
    # What belongs to no model is the system's own, searches as well.
    by_model: dict[str | None, TokenPools] = {None: TokenPools()}
    for row in breakdown.rows("models"):
        usage = row.part("usage")
        if usage is not None:
            model = other_model(row, notes.model, by_model)
            known = by_model.get(model, TokenPools())
            by_model[model] = known.plus(read_completion(usage))
    summed = sum_pools(by_model.values())
    if summed.total() < stated.total():
        breakdown.warn("total_mismatch")
        return stated
    notes.provider = "groq"
    notes.parts = to_parts(by_model, notes.web_searches)
    return summed
