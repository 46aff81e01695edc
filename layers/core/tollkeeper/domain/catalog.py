"""The catalog as values: plans, packs, operations and their price rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from tollkeeper.domain.errors import UnknownModelError, UnknownOperationError
from tollkeeper.domain.patterns import match_best
from tollkeeper.domain.rules import NO_TERMS, PerResource, Prices, Tokens, VolumeTerms


class Rollover(StrEnum):
    """What becomes of a plan's unused credits when its period ends."""

    NONE = "none"
    ALL = "all"
    CAPPED = "capped"


class SettlePolicy(StrEnum):
    """What becomes of a settle that is above its hold."""

    CHARGE_AVAILABLE = "charge_available"
    DEBT = "debt"
    REJECT = "reject"


class Driver(StrEnum):
    """What begins a plan's periods: the calendar, or a subscription's paid invoices at Stripe."""

    CALENDAR = "calendar"
    STRIPE = "stripe"


class ClawbackPolicy(StrEnum):
    """What becomes of credits whose money went back after they were spent."""

    DEBT = "debt"
    FLOOR = "floor"


MOST_OPEN_HOLDS = 50
DEFAULT_OPEN_HOLDS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be spent in a day, in a month and by one run. Units: micro-credits.

    None is no limit.
    """

    day: int | None = None
    month: int | None = None
    run: int | None = None

    def or_else(self, other: Limits) -> Limits:
        """These limits, and the other's where there is none."""
        return Limits(
            other.day if self.day is None else self.day,
            other.month if self.month is None else self.month,
            other.run if self.run is None else self.run,
        )

    def and_also(self, other: Limits) -> Limits:
        """Both at once: the tighter of each."""
        return Limits(
            _tighter(self.day, other.day),
            _tighter(self.month, other.month),
            _tighter(self.run, other.run),
        )


def _tighter(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


NO_LIMITS = Limits()
DEFAULT_THRESHOLDS = (50, 80, 100)


@dataclass(frozen=True, slots=True)
class PlanSale:
    """What a plan costs that Stripe drives, each `interval`.

    `stripe_price` is the id of a price that was made at Stripe, "" where the checkout makes one;
    `former_prices` are those that who subscribed earlier still pays.
    Units: `price_minor` in the currency's smallest unit (cents).
    """

    price_minor: int
    currency: str
    interval: Literal["month", "year"]
    stripe_price: str = ""
    former_prices: tuple[str, ...] = ()

    @property
    def all_prices(self) -> tuple[str, ...]:
        """Every price at Stripe that pays for the plan."""
        return (self.stripe_price, *self.former_prices) if self.stripe_price else self.former_prices


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What a plan gives each period. Units: micro-credits; features are counts per period.

    `prices` are the operations that cost something else on this plan, each as it is there.
    `sale` is what it costs; a plan with one is driven by Stripe.
    """

    id: str
    name: str
    allocation_microcredits: int
    anchor: Literal["calendar", "opening"] = "calendar"
    rollover: Rollover = Rollover.NONE
    rollover_cap_microcredits: int = 0
    overdraft_microcredits: int = 0
    limits: Limits = NO_LIMITS
    settle_above_hold: SettlePolicy = SettlePolicy.CHARGE_AVAILABLE
    clawback: ClawbackPolicy = ClawbackPolicy.DEBT
    open_holds: int = DEFAULT_OPEN_HOLDS
    features: Mapping[str, int] = field(default_factory=dict[str, int])
    prices: Mapping[str, Operation] = field(default_factory=dict[str, "Operation"])
    sale: PlanSale | None = None

    @property
    def driver(self) -> Driver:
        """What begins its periods."""
        return Driver.CALENDAR if self.sale is None else Driver.STRIPE

    def rolled_over(self, rest_microcredits: int) -> int:
        """How much of an unused rest goes into the next period."""
        match self.rollover:
            case Rollover.NONE:
                return 0
            case Rollover.ALL:
                return rest_microcredits
            case Rollover.CAPPED:
                return min(rest_microcredits, self.rollover_cap_microcredits)


@dataclass(frozen=True, slots=True)
class Pack:
    """Credits for sale. Units: `price_minor` in the currency's smallest unit (cents)."""

    id: str
    name: str
    credits_microcredits: int
    price_minor: int
    currency: str
    features: tuple[str, ...] = ()
    stripe_price: str | None = None
    expires_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One family of models: which names it covers and what it costs.

    Units: micro-credits per call or per 1,000 tokens, as the rule says;
    `usd_pico_per_token` by token pool, for showing what the provider will bill.
    """

    name: str
    patterns: tuple[str, ...]
    credits_microcredits: int
    usd_pico_per_token: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Flat:
    """So much per call, or per call and model."""

    credits_microcredits: int | None
    models: tuple[ModelPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class PerUnit:
    """So much per minute, message or document."""

    credits_microcredits: int
    unit: str
    fractional: bool = False


@dataclass(frozen=True, slots=True)
class Per1kTokens:
    """So much per 1,000 tokens of all pools, by family of models."""

    models: tuple[ModelPrice, ...]


@dataclass(frozen=True, slots=True)
class Local:
    """Runs on the user's own machine and costs nothing."""


Rule = Flat | PerUnit | Per1kTokens | Tokens | PerResource | Local


@dataclass(frozen=True, slots=True)
class Sizes:
    """How big a call is, for estimates. Units: tokens, or millionths of the rule's unit."""

    smallest: int
    typical: int
    largest: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A priced thing the app does. `feature` is the plan's counter that it counts against.

    `by_account`: its price depends on the account's plan or on what its period has used, on some
    plan at least; `counts_volume`: so what it uses is counted in the period.
    """

    id: str
    name: str
    rule: Rule
    feature: str
    sizes: Sizes | None = None
    usd_pico_per_call: int | None = None
    terms: VolumeTerms = NO_TERMS
    by_account: bool = False
    counts_volume: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything an operator sells and charges.

    `version` is the digest of the parsed file, and `source` the parsed file as canonical JSON,
    each with the price book where the file has `prices`.
    """

    version: str
    plans: Mapping[str, PlanTerms]
    default_plan: str
    operations: Mapping[str, Operation]
    packs: Mapping[str, Pack] = field(default_factory=dict[str, Pack])
    roles: Mapping[str, str] = field(default_factory=dict[str, str])
    entitlements: Mapping[str, str] = field(default_factory=dict[str, str])
    source: str = "{}"
    zone: str = "UTC"
    auto_open: bool = True
    public: bool = False
    low_balance_microcredits: int = 5_000_000
    alert_thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS
    prices: Prices | None = None

    def operation(self, operation_id: str) -> Operation:
        """The operation of that id. Raises: UnknownOperationError."""
        found = self.operations.get(operation_id)
        if found is None:
            raise UnknownOperationError(operation_id)
        return found

    def operation_on(self, operation_id: str, plan_id: str) -> Operation:
        """The operation as it is priced on that plan, or on none. Raises: UnknownOperationError."""
        operation = self.operation(operation_id)
        if not (operation.by_account and plan_id):
            return operation
        return self.plan(plan_id).prices.get(operation_id, operation)

    def plan(self, plan_id: str) -> PlanTerms:
        """The terms of that plan, or of the default plan where the operator removed it."""
        return self.plans.get(plan_id) or self.plans[self.default_plan]

    def plan_for_role(self, role: str) -> str:
        """The plan that a role maps to; a role nobody listed has the default plan."""
        return self.roles.get(role) or self.roles.get("*") or self.default_plan


def find_model(
    operation: Operation, models: tuple[ModelPrice, ...], model: str | None
) -> ModelPrice:
    """The family that prices this model: an exact name first, then the longest pattern.

    Raises: UnknownModelError, because an unknown model is never free.
    """
    name = (model or "").casefold()
    patterns = ((pattern.casefold(), family) for family in models for pattern in family.patterns)
    found = match_best(patterns, (name,)) if name else None
    if found is None:
        raise UnknownModelError(operation.id, model, tuple(f.name for f in models))
    return found
