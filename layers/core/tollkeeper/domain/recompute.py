"""A price computed again from what its row says was used, and held against what was charged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind, Line, Run
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import (
    Consumption,
    Priced,
    Standing,
    consumption_of,
    price_run,
    standing_of,
)
from tollkeeper.domain.pricing.trace import Trace, trace_run
from tollkeeper.domain.rerating import PRICE

PRICED_KINDS = frozenset(
    {EntryKind.CHARGE, EntryKind.SETTLE, EntryKind.HOLD, EntryKind.RERATE, EntryKind.RUN_FAILED}
)
"""The kinds of rows that say what a run, or a hold for one, comes to."""
UNSAID = "the row is of an earlier version and does not say whether the caller named its price"
UNSAID_COST = "the row is of an earlier version and does not say what cost the provider reported"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a row's price comes to again. Units: micro-credits.

    Shape: `agrees` is None where it cannot be said, and `why` says why, or what differs. `trace`
    is there where it was asked for; a failed run has none, for it costs nothing.
    """

    agrees: bool | None
    stated_microcredits: int
    why: str = ""
    priced: Priced | None = None
    trace: Trace | None = None


def stated_price(entry: Entry) -> int:
    """What the row says that its run comes to, collected or not. Units: micro-credits."""
    if entry.kind is EntryKind.RERATE:
        return int(entry.details[PRICE])
    return entry.moved_microcredits + entry.uncollected_microcredits


def recompute(entry: Entry, catalog: Catalog, *, is_traced: bool = False) -> Recomputed:
    """The row's price once more, under the catalog that its run names.

    Why: a row that lacks what its price was made of is told as such, and is no disagreement.
    """
    run, stated = entry.run, stated_price(entry)
    assert run is not None and entry.kind in PRICED_KINDS, "the row has a price"
    if entry.kind is EntryKind.RUN_FAILED:
        return Recomputed(stated == 0 and not entry.delta_microcredits, stated)
    try:
        consumption, standing = _again(entry, run, catalog)
        priced = price_run(consumption, catalog, standing)
        trace = trace_run(consumption, catalog, standing) if is_traced else None
    except TollkeeperError as error:
        why = UNSAID if _may_be_named(entry, run) else error.detail
        return Recomputed(None, stated, why)
    differs = _find_difference(run, stated, priced)
    if differs and _may_be_named(entry, run):
        return Recomputed(None, stated, UNSAID)
    if differs and _is_only_cost(run, stated, priced):
        return Recomputed(None, stated, UNSAID_COST, priced, trace)
    return Recomputed(not differs, stated, differs, priced, trace)


def price_again(entry: Entry, catalog: Catalog, standing: Standing | None = None) -> Priced:
    """What the row's run costs under this catalog, in the standing that it had, or in this one.

    Raises: UnknownOperationError, UnknownModelError, InvalidError.
    """
    assert entry.run is not None, "what is priced is a run"
    consumption, own = _again(entry, entry.run, catalog)
    return price_run(consumption, catalog, own if standing is None else standing)


def _again(entry: Entry, run: Run, catalog: Catalog) -> tuple[Consumption, Standing]:
    """What was used and where the account stood, in the words of this catalog.

    Why: a catalog may call the operation's feature otherwise than the row does.
    """
    consumption = consumption_of(run, entry.at)
    standing = standing_of(run)
    feature = catalog.operation_on(run.operation, run.plan).feature
    volumes = {feature: run.volume_before_micro}
    return consumption, replace(standing, volumes=volumes)


def _find_difference(run: Run, stated: int, priced: Priced) -> str:
    """What is not the same, or nothing."""
    again = priced.run
    if priced.charged_microcredits != stated:
        shown = show_micro(priced.charged_microcredits)
        return f"the row says {show_micro(stated)} credits, and its inputs come to {shown}"
    if again.lines != run.lines:
        return "the lines of the breakdown differ"
    if again.cost_picousd != run.cost_picousd:
        return f"the cost is {run.cost_picousd} pico-USD, and comes to {again.cost_picousd}"
    return ""


def _may_be_named(entry: Entry, run: Run) -> bool:
    """The one line of a hold or settle may stand for a price that the caller named.

    Why: rows of earlier versions do not say so.
    """
    if entry.kind not in (EntryKind.HOLD, EntryKind.SETTLE) or run.named_microcredits is not None:
        return False
    stated = stated_price(entry)
    is_bare = run.pools is None and run.quantity_micro is None and run.resource is None
    return is_bare and run.lines == (Line(run.operation, "1", show_micro(stated), stated),)


def _is_only_cost(run: Run, stated: int, priced: Priced) -> bool:
    """Only the cost differs, and the provider may have reported it, which old rows do not say."""
    is_priced = priced.charged_microcredits == stated and priced.run.lines == run.lines
    return is_priced and run.pools is not None and run.reported_picousd is None
