"""Counting runs: the totals of a day per operation, model and label, and how they add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from tollkeeper.domain.entries import Run
from tollkeeper.domain.usage.pools import POOL_NAMES, TokenPools

MOST_TOTALS_PER_DAY = 32
OTHER = "other"
NO_TOKENS = (0,) * len(POOL_NAMES)


@dataclass(frozen=True, slots=True, order=True)
class TotalKey:
    """What a total is counted for."""

    operation: str
    model: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """Runs added up. `credits_microcredits` is net of what was voided or refunded.

    Shape: `tokens` counts by pool in the order of POOL_NAMES; a void makes it negative.
    """

    calls: int = 0
    failed: int = 0
    credits_microcredits: int = 0
    refunded_microcredits: int = 0
    cost_picousd: int = 0
    tokens: tuple[int, ...] = NO_TOKENS

    def plus(self, other: Total) -> Total:
        """Both together."""
        return Total(
            calls=self.calls + other.calls,
            failed=self.failed + other.failed,
            credits_microcredits=self.credits_microcredits + other.credits_microcredits,
            refunded_microcredits=self.refunded_microcredits + other.refunded_microcredits,
            cost_picousd=self.cost_picousd + other.cost_picousd,
            tokens=tuple(a + b for a, b in zip(self.tokens, other.tokens, strict=True)),
        )

    def minus(self) -> Total:
        """The same run undone."""
        return Total(
            calls=-self.calls,
            failed=-self.failed,
            credits_microcredits=-self.credits_microcredits,
            refunded_microcredits=-self.refunded_microcredits,
            cost_picousd=-self.cost_picousd,
            tokens=tuple(-count for count in self.tokens),
        )


Totals = Mapping[TotalKey, Total]
NOTHING = Total()


@dataclass(frozen=True, slots=True)
class DayClosed:
    """A day that is over: its totals never change again."""

    day: date
    totals: Totals


def tokens_of(pools: TokenPools | None) -> tuple[int, ...]:
    """The pools as counts in the order of POOL_NAMES."""
    if pools is None:
        return NO_TOKENS
    return tuple(getattr(pools, name) for name in POOL_NAMES)


def key_of(run: Run) -> TotalKey:
    """What this run is counted for."""
    return TotalKey(run.operation, run.model, run.label)


def total_of_charge(run: Run, charged_microcredits: int) -> Total:
    """What one charge adds. Why: a later part of a long run counts no feature and no call."""
    return Total(
        calls=1 if run.feature_count else 0,
        credits_microcredits=charged_microcredits,
        cost_picousd=run.cost_picousd or 0,
        tokens=tokens_of(run.pools),
    )


def count(totals: Totals, key: TotalKey, total: Total) -> Totals:
    """The totals with one more counted; beyond the bound, new keys fold into `other`."""
    if key not in totals and len(totals) >= MOST_TOTALS_PER_DAY:
        key = TotalKey(OTHER)
    added = totals.get(key, NOTHING).plus(total)
    counted = dict(totals)
    if added == NOTHING:
        counted.pop(key, None)
    else:
        counted[key] = added
    return counted


def relabel(key: TotalKey, group_by: str | None) -> TotalKey:
    """The key with only the member that a report groups by."""
    match group_by:
        case "operation":
            return TotalKey(key.operation)
        case "model":
            return TotalKey("", key.model)
        case "feature":
            return replace(key, operation="", model="")
        case _:
            return TotalKey("")
