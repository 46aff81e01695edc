"""An entry explained: how its price came about, and what became of it."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.entries import Entry, Run, show_key
from tollkeeper.domain.rerating import BEFORE, PRICE
from tollkeeper.edge.wire import Amount
from tollkeeper.service.explaining import Computation


def show_rerate(entry: Entry) -> dict[str, Any]:
    """What a correction changed, from its own row."""
    moved, is_back = entry.moved_microcredits, entry.delta_microcredits > 0
    return {
        "charge": show_key(entry.refers_to) if entry.refers_to else None,
        "before": Amount(int(entry.details[BEFORE])),
        "price": Amount(int(entry.details[PRICE])),
        "returned": Amount(moved if is_back else 0),
        "taken": Amount(0 if is_back else moved),
        "uncollected": Amount(entry.uncollected_microcredits),
    }


def show_priced_as(run: Run) -> dict[str, Any]:
    """Whose rates the run was priced at, and whether its price is final."""
    return {
        "provider": run.provider or None,
        "service_tier": run.service_tier or None,
        "plan": run.plan or None,
        "stands_for": run.stands_for or None,
        "pending": run.pending or None,
    }


def show_computation(computation: Computation, run: Run) -> dict[str, Any]:
    """The row's price once more, and each step to it. Exact numbers are texts."""
    recomputed = computation.recomputed
    priced = recomputed.priced
    return {
        "agrees": recomputed.agrees,
        "why": recomputed.why or None,
        "price": Amount(recomputed.stated_microcredits),
        "computed": None if priced is None else Amount(priced.charged_microcredits),
        "price_version": run.price_version,
        "priced_at": None if run.priced_at is None else run.priced_at.isoformat(),
        "steps": [
            {"step": each.step, "text": each.text, "numbers": dict(each.numbers)}
            for each in computation.steps
        ],
    }
