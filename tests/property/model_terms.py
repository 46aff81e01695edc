"""What the volume of a period makes of a price, and what must be said of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

# What must be said of a run that is priced by the machine it took.
NEEDS = {
    "per_cpu_second": ("cpu_ms",),
    "per_gb_second": ("mem_mb", "duration_ms"),
    "per_second": ("duration_ms",),
}
# What a part of the run costs, in credits, and how much of its volume it is.
Share = tuple[Fraction, Fraction]


def by_volume(
    credits: Fraction, shares: tuple[Share, ...], operation: Mapping[str, Any], before: Fraction
) -> Fraction:
    """The price of the run where it stands in its period: each part of it at its own percent.

    The dearest part of the run comes first, so that more of anything never costs less. What is
    in no share has no volume, and its whole price.
    """
    counted = [share for share in shares if share[1]]
    left = credits - sum((worth for worth, _ in counted), Fraction(0))
    place = before
    for worth, volume in sorted(counted, key=lambda share: share[0] / share[1], reverse=True):
        left += worth / volume * _paid(operation, place, place + volume)
        place += volume
    return left


def _paid(operation: Mapping[str, Any], start: Fraction, end: Fraction) -> Fraction:
    """How much of that stretch of the period's volume is paid for, a tier's percent of it."""
    free = Fraction(str(operation.get("free_allowance", 0)))
    steps = [
        (Fraction(str(each["above"])), Fraction(str(each["percent"])))
        for each in operation.get("tiers", [])
    ]
    edges = [(Fraction(0), Fraction(100)), *sorted(steps)]
    ends = [*(above for above, _ in edges[1:]), end]
    paid = Fraction(0)
    for (above, percent), below in zip(edges, ends, strict=True):
        inside = min(below, end) - max(above, start, free)
        paid += max(Fraction(0), inside) * percent / 100
    return paid
