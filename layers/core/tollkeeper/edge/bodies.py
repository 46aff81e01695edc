"""Request bodies: strict types, no unknown members, amounts exact."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import AccountId, parse_id
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import parse_micro
from tollkeeper.domain.pricing import Consumption
from tollkeeper.domain.usage import Usage, normalise_usage
from tollkeeper.edge.wire import write_json
from tollkeeper.service.charging import RunRequest

LARGEST_METADATA_BYTES = 4096
LARGEST_LABEL_BYTES = 64
# Why: what Python reads as a moment, a day or a number differs from version to version.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
CATALOG_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
ROWS = re.compile(r"[1-9]\d{0,3}", re.ASCII)
# Why: a text for people, on one line or several; other control characters hide what it says.
PLAIN_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


def _micro(value: object) -> int:
    try:
        return parse_micro(value, "")
    except InvalidError as error:
        raise ValueError(error.problems[0][1]) from None


def _signed_micro(value: object) -> int:
    """A decimal that may be negative, but not 0."""
    match value:
        case str() if value.startswith("-"):
            return -_micro(value[1:])
        case int() if value < 0:
            return -_micro(-value)
        case Decimal() if value < 0:
            return -_micro(value.copy_negate())
        case _:
            return _micro(value)


def _account(value: object) -> str:
    try:
        return parse_id(value, "")
    except InvalidError as error:
        raise ValueError(error.problems[0][1]) from None


def _id(value: object) -> str:
    if not isinstance(value, str) or CATALOG_ID.fullmatch(value) is None:
        raise ValueError("must be 1 to 64 of a-z 0-9 _ . - and begin with a letter or digit")
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or MOMENT.fullmatch(value) is None:
        raise ValueError("must be a moment such as 2026-11-20T12:00:00Z or …+01:00")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise ValueError("is no moment of any calendar") from None
    except OverflowError:
        raise ValueError("is out of range") from None
    if not 2000 <= moment.year <= 2999:
        raise ValueError("must be between the years 2000 and 2999")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _day(value: object) -> date:
    if not isinstance(value, str) or DAY.fullmatch(value) is None:
        raise ValueError("must be a day such as 2026-11-20")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day of any calendar") from None
    if not 2000 <= day.year <= 2999:
        raise ValueError("must be between the years 2000 and 2999")
    return day


def _metadata(value: object) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode())
    if size > LARGEST_METADATA_BYTES:
        raise ValueError(f"must not be larger than {LARGEST_METADATA_BYTES} bytes; it has {size}")
    return write_json(cast("dict[str, object]", value))


def _label(value: str) -> str:
    # Why: labels are counted in the account item, whose size is bounded in bytes.
    if len(value.encode()) > LARGEST_LABEL_BYTES:
        raise ValueError(f"must not be larger than {LARGEST_LABEL_BYTES} bytes")
    return value


def _limit(value: object) -> int:
    if not isinstance(value, str) or ROWS.fullmatch(value) is None:
        raise ValueError("must be a whole number from 1 to 5000")
    return int(value)


Micro = Annotated[int, BeforeValidator(_micro)]
SignedMicro = Annotated[int, BeforeValidator(_signed_micro)]
Account = Annotated[str, BeforeValidator(_account)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Metadata = Annotated[str, BeforeValidator(_metadata)]
Label = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_label),
]
Model = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[!-~]+$"),
]
MODEL = re.compile(r"[!-~]{1,128}")
Id = Annotated[str, BeforeValidator(_id)]
Reason = Annotated[
    str,
    StringConstraints(
        strict=True, strip_whitespace=True, min_length=1, max_length=300, pattern=PLAIN_TEXT
    ),
]
Name = Annotated[str, StringConstraints(strict=True, max_length=128, pattern=PLAIN_TEXT)]


class StrictBody(BaseModel):
    """Members as they are, none coerced, none unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RunBody(StrictBody):
    """POST /v1/check, /v1/estimate and /v1/deduct."""

    account: Account
    operation: Id
    quantity: Micro | None = None
    usage: dict[str, Any] | None = None
    model: Model | None = None
    feature: Label | None = None
    service: Label | None = None
    subtype: Label | None = None
    response_time_ms: int | None = Field(default=None, ge=0, le=10**9)
    occurred_at: Moment | None = None
    success: bool = True
    plan: Id | None = None
    role: Label | None = None
    quote_id: None = None
    metadata: Metadata | None = None

    def to_run(self, catalog: Catalog) -> RunRequest:
        """What the use cases work with.

        Raises: InvalidError for a usage that nobody understands or a plan that does not exist.
        """
        consumption = Consumption(
            operation=self.operation,
            model=self.model,
            quantity_micro=self.quantity,
            usage=None if self.usage is None else _read_usage(self.usage),
            label=self.feature or "",
            subtype=self.subtype or "",
            service=self.service or "",
            response_time_ms=self.response_time_ms,
            occurred_at=self.occurred_at,
        )
        return RunRequest(
            account=AccountId(self.account),
            consumption=consumption,
            opens_on=read_plan(self.plan, self.role, catalog),
            has_succeeded=self.success,
            metadata=self.metadata or "",
        )


def _read_usage(raw: dict[str, Any]) -> Usage:
    """The usage, with a model that can stand in a ledger. Raises: InvalidError."""
    usage = normalise_usage(raw)
    if usage.model is not None and MODEL.fullmatch(usage.model) is None:
        raise InvalidError("usage.model", "must be 1 to 128 printable characters without spaces")
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
    """POST /v1/accounts/{id}/freeze, /unfreeze and /close."""

    reason: Reason


class KeyBody(StrictBody):
    """POST /v1/keys."""

    name: Label
    scopes: list[
        Literal["check", "deduct", "read", "grant", "refund", "admin", "purchase", "report"]
    ] = Field(min_length=1, max_length=8)
    expires_at: Moment | None = None


class CheckoutBody(StrictBody):
    """POST /v1/checkout."""

    account: Account
    pack: Id
    success_url: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2048)]
    cancel_url: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2048)]


class HistoryQuery(BaseModel):
    """GET /v1/accounts/{id}/entries."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, BeforeValidator(_limit), Field(le=5000)] | None = None
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class StatsQuery(BaseModel):
    """GET /v1/accounts/{id}/stats."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    bucket: Literal["day", "week", "month"] = "day"
    group_by: Literal["operation", "model", "feature"] | None = None
