"""A run with its price: its rule, the account's terms and one rounding, all on one row."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.catalog import Catalog, Local, Operation, Per1kTokens
from tollkeeper.domain.entries import Line, Run
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import LARGEST_MICROCREDITS, MICRO, ceil_div, show_micro
from tollkeeper.domain.pricing.bills import PENDING
from tollkeeper.domain.pricing.consumption import NOBODY, Consumption, Standing
from tollkeeper.domain.pricing.terms import (
    NO_VOLUME,
    Volume,
    apply_volume,
    is_all_free,
    least_of,
    raise_to,
)
from tollkeeper.domain.pricing.worth import Worth, find_worth, refuse_unpriced
from tollkeeper.domain.rules import PerResource, Tokens, UnknownModel
from tollkeeper.domain.usage import TokenPools, Usage

NO_USAGE = "no_usage"
MINIMUM = "minimum"
_NO_USAGE = Usage(TokenPools(), None, None, ())


@dataclass(frozen=True, slots=True)
class Priced:
    """A run with its price. Units: micro-credits.

    `most_microcredits` is what the caller wants one run to cost at most.
    """

    run: Run
    charged_microcredits: int
    most_microcredits: int | None = None


def price_run(consumption: Consumption, catalog: Catalog, standing: Standing = NOBODY) -> Priced:
    """The run with its exact price, rounded up to one micro-credit once.

    Raises: UnknownOperationError, UnknownModelError, InvalidError.
    """
    operation = catalog.operation_on(consumption.operation, standing.plan)
    _refuse_resource(operation, consumption)
    most, named = consumption.most_microcredits, consumption.amount_microcredits
    if named is not None and not isinstance(operation.rule, Local):
        refuse_unpriced(operation, consumption, catalog)
        line = Line(operation.id, "1", show_micro(named), named)
        return Priced(_describe(consumption, operation, catalog, lines=(line,)), named, most)
    worth = find_worth(operation, consumption, catalog)
    volume = find_volume(operation, worth, standing)
    charged, lines, warnings = _charge(operation, worth, volume, is_first=standing.is_first)
    if charged > LARGEST_MICROCREDITS:
        member = "usage" if isinstance(operation.rule, Tokens | Per1kTokens) else "quantity"
        raise InvalidError(member, "costs more than one account can hold")
    run = _describe(
        consumption,
        operation,
        catalog,
        worth=worth,
        lines=lines,
        warnings=warnings,
        volume=volume,
        plan=standing.plan if operation.by_account else "",
    )
    return Priced(run, charged, most)


def describe_run(consumption: Consumption, catalog: Catalog) -> Run:
    """The run with no price: all that is known of one that failed.

    Raises: UnknownOperationError.
    """
    return _describe(consumption, catalog.operation(consumption.operation), catalog)


def _refuse_resource(operation: Operation, consumption: Consumption) -> None:
    if consumption.resource is not None and not isinstance(operation.rule, PerResource):
        raise InvalidError("resource", f"cannot be used: {operation.id} is not priced by resource")


def _charge(
    operation: Operation, worth: Worth, volume: Volume, *, is_first: bool
) -> tuple[int, tuple[Line, ...], tuple[str, ...]]:
    """What is charged, its lines, and what should be known of it."""
    terms = operation.terms
    charged, lines = apply_volume(worth.tally, terms, volume).rounded()
    least = find_least(operation, worth, volume, is_first=is_first)
    charged, lines = raise_to(charged, lines, least, MINIMUM)
    is_idle = not worth.uses_something and not charged
    return charged, lines, (*worth.warnings, NO_USAGE) if is_idle else worth.warnings


def find_volume(operation: Operation, worth: Worth, standing: Standing) -> Volume:
    """What the run counts in its period, and after what."""
    if not operation.counts_volume:
        return NO_VOLUME
    return Volume(standing.volumes.get(operation.feature, 0), worth.volume_micro)


def find_least(operation: Operation, worth: Worth, volume: Volume, *, is_first: bool) -> int:
    """The least that the run costs; 0 where somebody said that it is free. Units: micro-credits."""
    terms, uses = operation.terms, worth.uses_something
    if worth.is_free or is_all_free(terms, volume, uses_something=uses):
        return 0
    return least_of(terms, is_first=is_first, uses_something=uses)


def _describe(
    consumption: Consumption,
    operation: Operation,
    catalog: Catalog,
    *,
    worth: Worth | None = None,
    lines: tuple[Line, ...] = (),
    warnings: tuple[str, ...] = (),
    volume: Volume = NO_VOLUME,
    plan: str = "",
) -> Run:
    """The run as its row tells it. Why: all that its price was made of is there to check it."""
    usage = consumption.usage or _NO_USAGE
    bill = None if worth is None else worth.bill
    return Run(
        operation=operation.id,
        model=consumption.model_name,
        label=_label(consumption),
        feature=operation.feature,
        feature_count=ceil_div(consumption.quantity_micro or MICRO, MICRO),
        service=consumption.service,
        subtype=consumption.subtype,
        quantity_micro=consumption.quantity_micro,
        pools=None if consumption.usage is None else usage.pools,
        cost_picousd=None if worth is None else worth.picousd,
        lines=lines,
        price_version=catalog.version,
        response_time_ms=consumption.response_time_ms,
        occurred_at=consumption.occurred_at,
        warnings=usage.warnings + warnings,
        provider=consumption.known_provider if bill is None else bill.provider,
        provider_said=bool(consumption.provider),
        service_tier=consumption.tier,
        seconds_micro=usage.seconds_micro,
        web_searches=usage.web_searches,
        requests=usage.requests,
        parts=usage.parts,
        resource=consumption.resource,
        reported_picousd=usage.cost_picousd,
        named_microcredits=consumption.amount_microcredits,
        priced_at=consumption.moment if bill is not None and bill.by_book else None,
        plan=plan,
        volume_micro=volume.micro,
        volume_before_micro=volume.before_micro,
        stands_for="" if bill is None else bill.stands_for,
        pending=PENDING if _is_pending(operation, worth) else "",
    )


def _is_pending(operation: Operation, worth: Worth | None) -> bool:
    """The price stands in for one that nobody knows yet."""
    rule = operation.rule
    if worth is None or worth.bill is None or not isinstance(rule, Tokens):
        return False
    return bool(worth.bill.stands_for) and rule.unknown_model is UnknownModel.QUARANTINE


def _label(consumption: Consumption) -> str:
    """The label that stats group by: the caller's feature, its subtype, or both."""
    return "/".join(part for part in (consumption.label, consumption.subtype) if part)
