"""Request bodies: strict types, no unknown members, amounts exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId, Resource
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.held import DEFAULT_HOLD_S, LONGEST_HOLD_S, SHORTEST_HOLD_S
from tollkeeper.domain.pricing import Consumption
from tollkeeper.domain.usage import Usage, normalise_usage
from tollkeeper.edge.catalog_models import Thresholds
from tollkeeper.edge.members import (
    MODEL,
    USUAL_ROWS,
    Account,
    CallerId,
    CsvRows,
    Day,
    Id,
    KeyName,
    Label,
    Metadata,
    Micro,
    MicroOrZero,
    Model,
    Moment,
    Name,
    Provider,
    QuoteId,
    Reason,
    Rows,
    SignedMicro,
)
from tollkeeper.service.charging import RunRequest
from tollkeeper.service.holding import SettleRequest
from tollkeeper.service.tokens import LONGEST_LIFE_S, SHORTEST_LIFE_S, USUAL_LIFE_S

MOST_MS = 10**12
RECONCILE_CURSOR = "^[a-z_]{1,40}(:[A-Za-z0-9_]{1,255})?$"
STANDARD_TIERS = ("standard", "default", "auto")
ServiceTier = Literal["standard", "default", "auto", "batch", "flex", "priority", "fast"]


class StrictBody(BaseModel):
    """Members as they are, none coerced, none unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class StrictQuery(BaseModel):
    """A query's texts as its members, none unknown."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)


class ResourceBody(StrictBody):
    """What a run took of a machine; what its operation prices must be there."""

    cpu_ms: int | None = Field(default=None, ge=0, le=MOST_MS)
    mem_mb: int | None = Field(default=None, ge=0, le=10**9)
    duration_ms: int | None = Field(default=None, ge=0, le=MOST_MS)

    def to_resource(self) -> Resource:
        """What the use cases work with."""
        return Resource(self.cpu_ms, self.mem_mb, self.duration_ms)


class WantedBody(StrictBody):
    """What every request about a run may say, before or after it ran."""

    account: Account
    operation: Id
    quantity: Micro | None = None
    usage: dict[str, Any] | None = None
    model: Model | None = None
    feature: Label | None = None
    service: Label | None = None
    subtype: Label | None = None
    plan: Id | None = None
    role: Label | None = None
    per_run_max: Micro | None = None
    quote_id: QuoteId | None = None
    provider: Provider | None = None
    service_tier: ServiceTier | None = None
    resource: ResourceBody | None = None
    metadata: Metadata | None = None

    def to_run(self, catalog: Catalog) -> RunRequest:
        """What the use cases work with.

        Raises: InvalidError for a usage that nobody understands or a plan that does not exist.
        """
        return RunRequest(
            account=AccountId(self.account),
            consumption=self.to_consumption(),
            opens_on=read_plan(self.plan, self.role, catalog),
            metadata=self.metadata or "",
            quote_id=self.quote_id or "",
        )

    def to_consumption(self) -> Consumption:
        """What is, or may be, used. Raises: InvalidError."""
        return Consumption(
            operation=self.operation,
            model=self.model,
            quantity_micro=self.quantity,
            usage=None if self.usage is None else _read_usage(self.usage),
            label=self.feature or "",
            subtype=self.subtype or "",
            service=self.service or "",
            most_microcredits=self.per_run_max,
            provider=self.provider or "",
            service_tier=read_service_tier(self.service_tier),
            resource=None if self.resource is None else self.resource.to_resource(),
        )


class RunBody(WantedBody):
    """POST /v1/deduct, and what describes a run that was made."""

    response_time_ms: int | None = Field(default=None, ge=0, le=10**9)
    occurred_at: Moment | None = None
    success: bool = True

    def to_run(self, catalog: Catalog) -> RunRequest:
        """As asked for, and whether it succeeded."""
        return replace(super().to_run(catalog), has_succeeded=self.success)

    def to_consumption(self) -> Consumption:
        """As asked for, and how it went."""
        return replace(
            super().to_consumption(),
            response_time_ms=self.response_time_ms,
            occurred_at=self.occurred_at,
        )


class CheckBody(RunBody):
    """POST /v1/check and /v1/estimate: a run as it may become. `estimate` names its price."""

    estimate: Micro | None = None

    def to_consumption(self) -> Consumption:
        """As asked for, at the price that the caller expects. Raises: InvalidError."""
        return read_estimate(super().to_consumption(), self.estimate)


class HoldBody(WantedBody):
    """POST /v1/holds."""

    estimate: Micro | None = None
    hold_id: CallerId | None = None
    expires_in_s: int = Field(default=DEFAULT_HOLD_S, ge=SHORTEST_HOLD_S, le=LONGEST_HOLD_S)

    def to_consumption(self) -> Consumption:
        """As asked for, at the price that the caller expects. Raises: InvalidError."""
        return read_estimate(super().to_consumption(), self.estimate)


def read_estimate(consumption: Consumption, estimate: int | None) -> Consumption:
    """The consumption with a price of the caller's own. Raises: InvalidError with both."""
    if estimate is not None and consumption.is_sized:
        reason = "cannot be sent together with usage, quantity or resource"
        raise InvalidError("estimate", reason)
    return replace(consumption, amount_microcredits=estimate)


class SettleBody(StrictBody):
    """POST /v1/holds/{id}/settle: what the call used, in exactly one of four ways."""

    account: Account
    usage: dict[str, Any] | None = None
    quantity: Micro | None = None
    amount: Micro | None = None
    resource: ResourceBody | None = None
    model: Model | None = None
    provider: Provider | None = None
    service_tier: ServiceTier | None = None
    final: bool = True
    response_time_ms: int | None = Field(default=None, ge=0, le=10**9)
    occurred_at: Moment | None = None
    metadata: Metadata | None = None

    def to_settle(self, hold_id: str) -> SettleRequest:
        """What the use case works with. Raises: InvalidError."""
        sizes = (self.usage, self.quantity, self.amount, self.resource)
        if sum(size is not None for size in sizes) != 1:
            reason = "or quantity, resource or amount must be sent, exactly one of them"
            raise InvalidError("usage", reason)
        consumption = Consumption(
            operation="",
            model=self.model,
            quantity_micro=self.quantity,
            usage=None if self.usage is None else _read_usage(self.usage),
            amount_microcredits=self.amount,
            response_time_ms=self.response_time_ms,
            occurred_at=self.occurred_at,
            provider=self.provider or "",
            service_tier=read_service_tier(self.service_tier),
            resource=None if self.resource is None else self.resource.to_resource(),
        )
        return SettleRequest(
            account=AccountId(self.account),
            hold_id=hold_id,
            consumption=consumption,
            is_final=self.final,
            metadata=self.metadata or "",
        )


def read_service_tier(named: str | None) -> str | None:
    """The tier as rates know it: "" is the standard one. None stays what was not said."""
    return "" if named in STANDARD_TIERS else named


class ReleaseBody(StrictBody):
    """POST /v1/holds/{id}/release."""

    account: Account
    reason: Reason | None = None


class ExtendBody(StrictBody):
    """POST /v1/holds/{id}/extend: open until so long from now."""

    account: Account
    expires_in_s: int = Field(ge=SHORTEST_HOLD_S, le=LONGEST_HOLD_S)


class LimitsBody(StrictBody):
    """PUT /v1/accounts/{id}/limits. What is not sent stays; null takes a limit away."""

    daily: Micro | None = None
    monthly: Micro | None = None
    per_run_max: Micro | None = None
    alert_thresholds: Thresholds | None = None
    low_balance: MicroOrZero | None = None
    set_by: Literal["operator", "user"] = "operator"
    reason: Reason | None = None


class BudgetBody(StrictBody):
    """POST /v1/accounts/{id}/budgets."""

    budget: Account
    amount: Micro
    daily: Micro | None = None
    monthly: Micro | None = None
    per_run_max: Micro | None = None
    reason: Reason | None = None


def _read_usage(raw: dict[str, Any]) -> Usage:
    """The usage, with models that can stand in a ledger. Raises: InvalidError."""
    usage = normalise_usage(raw)
    for model in (usage.model, *(part.model for part in usage.parts)):
        if model is not None and MODEL.fullmatch(model) is None:
            reason = "must be 1 to 128 printable characters without spaces"
            raise InvalidError("usage.model", reason)
    return usage


def read_plan(plan: str | None, role: str | None, catalog: Catalog) -> str | None:
    """The plan that the request names itself or by a role. Raises: InvalidError."""
    if plan is not None and role is not None:
        raise InvalidError("role", "cannot be sent together with plan")
    if role is not None:
        return catalog.plan_for_role(role)
    if plan is not None and plan not in catalog.plans:
        raise InvalidError("plan", f"is not in the catalog; it has {', '.join(catalog.plans)}")
    return plan


class GrantBody(StrictBody):
    """POST /v1/accounts/{id}/grants."""

    amount: Micro
    reason: Reason
    kind: Literal["promo", "adjustment", "pack"] = "promo"
    effective_at: Moment | None = None
    expires_at: Moment | None = None
    priority: int | None = Field(default=None, ge=0, le=1000)


class AdjustmentBody(StrictBody):
    """POST /v1/accounts/{id}/adjustments. Negative takes away."""

    amount: SignedMicro
    reason: Reason


class RefundBody(StrictBody):
    """POST /v1/accounts/{id}/refunds. Without an amount the whole charge goes back."""

    key: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]
    amount: Micro | None = None
    reason: Reason


class VoidBody(StrictBody):
    """POST /v1/accounts/{id}/entries/{key}/void. May be empty."""

    reason: Reason | None = None


class PlanBody(StrictBody):
    """PUT /v1/accounts/{id}/plan."""

    plan: Id | None = None
    role: Label | None = None
    anchor: Day | None = None
    at: Literal["now", "period_end"] = "now"
    reason: Reason | None = None


class ProfileBody(StrictBody):
    """PUT /v1/accounts/{id}/profile."""

    zone: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64)] | None = None
    name: Name | None = None
    reason: Reason | None = None


class StandingBody(StrictBody):
    """POST /v1/accounts/{id}/freeze, /unfreeze and /close, and an entry's /rerate."""

    reason: Reason


class KeyBody(StrictBody):
    """POST /v1/keys."""

    name: KeyName
    scopes: list[
        Literal[
            "check", "deduct", "read", "grant", "refund", "admin", "purchase", "report", "token"
        ]
    ] = Field(min_length=1, max_length=9)
    expires_at: Moment | None = None


class TokenBody(StrictBody):
    """POST /v1/tokens."""

    account: Account
    expires_in_s: int = Field(default=USUAL_LIFE_S, ge=SHORTEST_LIFE_S, le=LONGEST_LIFE_S)


class ReconcileBody(StrictBody):
    """POST /v1/reconcile."""

    since: Moment = Field(alias="from")
    until: Moment = Field(alias="to")
    cursor: Annotated[str, StringConstraints(strict=True, pattern=RECONCILE_CURSOR)] | None = None


class HistoryQuery(StrictQuery):
    """GET /v1/accounts/{id}/entries."""

    limit: CsvRows | None = None
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class QuarantineQuery(StrictQuery):
    """GET /v1/quarantine and /v1/quarantine/payments."""

    limit: Rows = USUAL_ROWS
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=700)] | None = None


class StatsQuery(StrictQuery):
    """GET /v1/accounts/{id}/stats."""

    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    bucket: Literal["day", "week", "month"] = "day"
    group_by: Literal["operation", "model", "feature"] | None = None
