"""Each rule applied to what was used: exact lines, before anything is rounded."""

from __future__ import annotations

from tollkeeper.domain.catalog import (
    Flat,
    ModelPrice,
    Operation,
    PerUnit,
    find_model,
)
from tollkeeper.domain.entries import Resource
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import MICRO, show_micro
from tollkeeper.domain.pricing.consumption import Consumption
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.rules import PerResource
from tollkeeper.domain.usage import Usage

MS_PER_S = 1000


def apply_flat(operation: Operation, rule: Flat, family: ModelPrice | None, calls: int) -> Tally:
    """So much per call, or per call with this family of models."""
    item, each = operation.id, rule.credits_microcredits
    if family is not None:
        item, each = f"{operation.id} with {family.name}", family.credits_microcredits
    assert each is not None, "a flat rule has a price or models"
    return Tally((Share(item, str(calls), show_micro(each), calls * each, calls * MICRO),))


def apply_per_unit(operation: Operation, rule: PerUnit, quantity_micro: int) -> Tally:
    """So much per unit, in parts of one where they count. Raises: InvalidError."""
    if not rule.fractional:
        count_whole(quantity_micro, operation)
    rate = f"{show_micro(rule.credits_microcredits)}/{rule.unit}"
    numerator = quantity_micro * rule.credits_microcredits
    share = Share(operation.id, show_micro(quantity_micro), rate, numerator, quantity_micro)
    return Tally((share,), MICRO)


def apply_per_1k_tokens(family: ModelPrice, usage: Usage, model: str) -> Tally:
    """So much per 1,000 tokens of all pools. Raises: InvalidError for a usage in seconds alone."""
    tokens = usage.pools.total()
    if not tokens and usage.seconds_micro:
        raise InvalidError("usage", "counts seconds, not tokens; send them as a quantity")
    rate = f"{show_micro(family.credits_microcredits)}/1000"
    numerator = tokens * family.credits_microcredits
    return Tally((Share(f"{model} tokens", str(tokens), rate, numerator, tokens * MICRO),), 1000)


def apply_resource(operation: Operation, rule: PerResource, used: Resource) -> Tally:
    """So much per second of a processor, of memory and of time. Raises: InvalidError.

    Units: over millionths, because a megabyte-millisecond is one of a gigabyte-second.
    """
    per_ms = MICRO // MS_PER_S
    cpu_ms, mem_mb, duration_ms = used.cpu_ms or 0, used.mem_mb or 0, used.duration_ms or 0
    named = (
        ("cpu seconds", rule.per_cpu_second, cpu_ms * per_ms, ("cpu_ms",)),
        ("GB-seconds", rule.per_gb_second, mem_mb * duration_ms, ("mem_mb", "duration_ms")),
        ("seconds", rule.per_second, duration_ms * per_ms, ("duration_ms",)),
    )
    shares: list[Share] = []
    for item, rate, micro, members in named:
        if not rate:
            continue
        for member in members:
            if getattr(used, member) is None:
                reason = f"is needed: {operation.id} is priced by {item}"
                raise InvalidError(f"resource.{member}", reason)
        shares.append(
            Share(f"{operation.id} {item}", show_micro(micro), show_micro(rate), micro * rate)
        )
    return Tally(tuple(shares), MICRO)


def count_whole(quantity_micro: int, operation: Operation) -> int:
    """The quantity as a whole number. Raises: InvalidError where parts do not count."""
    whole, part = divmod(quantity_micro, MICRO)
    if part:
        raise InvalidError("quantity", f"must be a whole number for {operation.id}")
    return whole


def find_family(
    operation: Operation, models: tuple[ModelPrice, ...], model: str
) -> ModelPrice | None:
    """The family that prices the model, where the rule has families. Raises: UnknownModelError."""
    return find_model(operation, models, model or None) if models else None


def need_usage(operation: Operation, consumption: Consumption) -> Usage:
    """The usage that a price by tokens needs. Raises: InvalidError."""
    if consumption.usage is None:
        raise InvalidError("usage", f"is needed: {operation.id} is priced by tokens")
    if consumption.quantity_micro is not None:
        raise InvalidError("quantity", f"cannot be used: {operation.id} is priced by tokens")
    return consumption.usage


def need_resource(operation: Operation, consumption: Consumption) -> Resource:
    """The resource that a price by resource needs. Raises: InvalidError."""
    if consumption.resource is None:
        raise InvalidError("resource", f"is needed: {operation.id} is priced by resource")
    if consumption.quantity_micro is not None:
        raise InvalidError("quantity", f"cannot be used: {operation.id} is priced by resource")
    return consumption.resource
