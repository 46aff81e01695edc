"""A run as its caller described it, and what of it and of its account goes into its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .model_book import Metered
from .model_terms import Share

MICRO = 1_000_000


@dataclass(frozen=True)
class Part:
    """What one of several models did. `model` is None where it is the run's."""

    model: str | None
    used: Metered


@dataclass(frozen=True)
class Consumed:
    """A run as its caller described it. Units: `at` in epoch milliseconds; `reported` in USD.

    `used` is None where no usage was sent; `named` is a price in credits that the caller named.
    `hint` is the provider whose shape the usage has: it gives way to what is said, and to the book.
    """

    operation: str
    model: str | None = None
    provider: str = ""
    tier: str = ""
    used: Metered | None = None
    parts: tuple[Part, ...] = ()
    reported: Fraction | None = None
    quantity: Fraction | None = None
    resource: Mapping[str, int] = field(default_factory=dict[str, int])
    named: Fraction | None = None
    at: int = 0
    hint: str = ""


@dataclass(frozen=True)
class Standing:
    """What the price depends on beside the run: the plan, and the period's volume before it.

    `is_first` is not a later part of one run: a minimum is asked for once.
    """

    plan: str = ""
    before: Fraction = Fraction(0)
    is_first: bool = True


@dataclass(frozen=True)
class Charged:
    """What the run costs. Units: micro-credits; USD; `volume` in calls, units or tokens.

    `stands_for` is the model that an unknown one was priced as; a pending price is not final.
    """

    micro: int
    usd: Fraction | None
    volume: Fraction = Fraction(0)
    stands_for: str = ""
    is_pending: bool = False
    warnings: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Base:
    """The full price, before allowance, volume and minimum. `credits` are exact.

    Shape: `shares` are what parts of its volume cost; without any it costs the same throughout.
    """

    credits: Fraction
    usd: Fraction | None
    volume: Fraction
    shares: tuple[Share, ...] = ()
    stands_for: str = ""
    is_pending: bool = False
    warnings: frozenset[str] = frozenset()


def uses_something(run: Consumed) -> bool:
    """Something was used: a call, a unit, or what a provider counts or bills."""
    used = run.used
    return (
        used is None
        or bool(sum(used.pools.values()) or used.seconds or used.searches)
        or bool(run.reported)
    )


def is_free(run: Consumed, operation: Mapping[str, Any], base: Base, before: Fraction) -> bool:
    """It costs nothing because somebody said so: it is free, or within the allowance."""
    if operation.get("free"):
        return True
    left = Fraction(str(operation.get("free_allowance", 0))) - before
    return left > 0 and base.volume <= left and (base.volume > 0 or not uses_something(run))


def least_of(run: Consumed, operation: Mapping[str, Any], standing: Standing) -> Fraction:
    """What a run costs at least: its minimum once, and what was used is never free."""
    least = Fraction(str(operation.get("minimum", 0))) if standing.is_first else Fraction(0)
    is_counted = operation["rule"] in ("tokens", "per_1k_tokens")
    return max(least, Fraction(1, MICRO)) if not is_counted or uses_something(run) else least
