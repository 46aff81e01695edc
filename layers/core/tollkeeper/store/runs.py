"""Runs as short rows of an entry's attributes, and back.

What a run usually does not have is not written, so a row grows only by what it has to say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tollkeeper.domain.entries import Line, Resource, Run
from tollkeeper.domain.usage import TokenPools, UsagePart
from tollkeeper.store.rows import from_ms, to_ms

TEXTS = (("f", "feature"), ("s", "service"), ("t", "subtype"), ("pv", "price_version"))
LATER_TEXTS = (
    ("pr", "provider"),
    ("ti", "service_tier"),
    ("pl", "plan"),
    ("sf", "stands_for"),
    ("pe", "pending"),
)
NUMBERS = (("q", "quantity_micro"), ("c", "cost_picousd"), ("ms", "response_time_ms"))
LATER_NUMBERS = (
    ("se", "seconds_micro"),
    ("rp", "reported_picousd"),
    ("nm", "named_microcredits"),
)
"""Numbers that may be unknown: 0 says something else than nothing."""
COUNTS = (
    ("ws", "web_searches", 0),
    ("rq", "requests", 1),
    ("v", "volume_micro", 0),
    ("vb", "volume_before_micro", 0),
    ("ps", "provider_said", False),
)
"""What is mostly the last one, and then is not written."""


def run_to_row(run: Run) -> dict[str, Any]:
    """What history does not list of a run. Shape: a small object with short names."""
    row: dict[str, Any] = {short: getattr(run, name) for short, name in TEXTS}
    row["n"] = run.feature_count
    row |= {short: getattr(run, name) for short, name in NUMBERS}
    row["oc"] = _moment(run.occurred_at)
    row["p"] = run.pools.nonzero() if run.pools is not None else None
    row["l"] = [[x.item, x.quantity, x.rate, x.credits_microcredits] for x in run.lines]
    row["w"] = list(run.warnings)
    row |= {short: getattr(run, name) for short, name in LATER_TEXTS + LATER_NUMBERS}
    row["at"] = _moment(run.priced_at)
    row["pa"] = [[part.model, part.pools.nonzero(), part.web_searches] for part in run.parts]
    row["r"] = _resource(run.resource)
    for short, name, usual in COUNTS:
        if getattr(run, name) != usual:
            row[short] = getattr(run, name)
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _resource(resource: Resource | None) -> list[int | None] | None:
    if resource is None:
        return None
    return [resource.cpu_ms, resource.mem_mb, resource.duration_ms]


def run_from_row(row: dict[str, Any], operation: str, model: str, label: str) -> Run:
    """The run of the row, with what its item says beside it."""
    named = (*TEXTS, *LATER_TEXTS, *NUMBERS, *LATER_NUMBERS, *(each[:2] for each in COUNTS))
    said: dict[str, Any] = {name: row[short] for short, name in named if short in row}
    return Run(
        operation=operation,
        model=model,
        label=label,
        feature_count=row.get("n", 0),
        pools=TokenPools(**row["p"]) if "p" in row else None,
        lines=tuple(Line(*line) for line in row.get("l", [])),
        occurred_at=from_ms(row["oc"]) if "oc" in row else None,
        priced_at=from_ms(row["at"]) if "at" in row else None,
        warnings=tuple(row.get("w", [])),
        parts=tuple(UsagePart(x[0], TokenPools(**x[1]), x[2]) for x in row.get("pa", [])),
        resource=Resource(*row["r"]) if "r" in row else None,
        **said,
    )
