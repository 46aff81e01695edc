"""The tables of a catalog file: which keys there are, and what each may hold by itself."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    WithJsonSchema,
)

from tollkeeper.domain.catalog import (
    DEFAULT_OPEN_HOLDS,
    DEFAULT_THRESHOLDS,
    MOST_OPEN_HOLDS,
)
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.money import MICRO, parse_micro
from tollkeeper.domain.usage.pools import POOL_NAMES

MOST_PLANS = 100
MOST_ROLES = 500
MOST_ENTITLEMENTS = 500
MOST_FORMER_PRICES = 50
MOST_OPERATIONS = 500
MOST_PACKS = 100
MOST_MODELS = 200
MOST_PATTERNS = 200
MOST_FEATURES = 50
MOST_PACK_LINES = 20
MOST_FACTORS = 200
MOST_OVERRIDES = 200
MOST_TIERS = 20
DEFAULT_OUTPUT_PERCENT = 25
LONGEST_EXPIRY_DAYS = 3650
LARGEST_COUNT = 10**9

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_PATTERN = re.compile(r"[!-~]{1,128}")
_CURRENCY = re.compile(r"[a-z]{3}")
_STRIPE_PRICE = re.compile(r"price_[A-Za-z0-9_]{1,200}")


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(
            "must be 1 to 64 characters of a-z, 0-9, '_', '.' and '-', and begin with a letter "
            "or digit"
        )
    return value


def _text(value: str) -> str:
    if not 1 <= len(value) <= 100 or not value.isprintable() or value != value.strip():
        raise ValueError("must be 1 to 100 printable characters with no space at either end")
    return value


def _pattern(value: str) -> str:
    if not _PATTERN.fullmatch(value):
        raise ValueError("must be 1 to 128 characters with no spaces, such as gpt-4-*")
    return value


def _currency(value: str) -> str:
    if not _CURRENCY.fullmatch(value):
        raise ValueError("must be three lower-case letters such as usd")
    return value


def _stripe_price(value: str) -> str:
    if not _STRIPE_PRICE.fullmatch(value):
        raise ValueError("must be the id of a Stripe price; it starts with price_")
    return value


def _pool(value: str) -> str:
    if value not in POOL_NAMES:
        raise ValueError(f"is no token pool; known: {', '.join(POOL_NAMES)}")
    return value


def _more_than_zero(value: object) -> int:
    """Units: millionths."""
    return exact_micro(value, allow_zero=False)


def _zero_or_more(value: object) -> int:
    """Units: millionths."""
    if (isinstance(value, int) and value < 0) or str(value).startswith("-"):
        raise ValueError("must not be negative")
    return exact_micro(value, allow_zero=True)


def ascending(value: list[int]) -> list[int]:
    """The percentages, each above the one before it."""
    if any(one >= other for one, other in pairwise(value)):
        raise ValueError("must be in ascending order, none twice")
    return value


def exact_micro(value: object, *, allow_zero: bool) -> int:
    """The amount in exact millionths. Raises: ValueError with the reason, as pydantic wants it."""
    try:
        return parse_micro(value, "", allow_zero=allow_zero)
    except InvalidError as error:
        raise ValueError(error.problems[0][1]) from None


def _said(pattern: re.Pattern[str]) -> WithJsonSchema:
    """What editors are told of a text."""
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern.pattern})$"})


_AMOUNT = {"type": "string", "pattern": r"^[0-9]{1,10}(?:\.[0-9]{1,6})?$"}
ZERO_OR_MORE = {"anyOf": [{"type": "integer", "minimum": 0}, _AMOUNT]}
POSITIVE = {"anyOf": [{"type": "integer", "minimum": 1}, _AMOUNT]}

Id = Annotated[str, AfterValidator(_id), _said(_ID)]
Text = Annotated[str, AfterValidator(_text)]
Pattern = Annotated[str, AfterValidator(_pattern), _said(_PATTERN)]
Currency = Annotated[str, AfterValidator(_currency), _said(_CURRENCY)]
StripePrice = Annotated[str, AfterValidator(_stripe_price), _said(_STRIPE_PRICE)]
Pool = Annotated[
    str, AfterValidator(_pool), WithJsonSchema({"type": "string", "enum": list(POOL_NAMES)})
]
Positive = Annotated[int, BeforeValidator(_more_than_zero), WithJsonSchema(POSITIVE)]
ZeroOrMore = Annotated[int, BeforeValidator(_zero_or_more), WithJsonSchema(ZERO_OR_MORE)]
Thresholds = Annotated[
    list[Annotated[int, Field(ge=1, le=100)]],
    Field(min_length=1, max_length=10),
    AfterValidator(ascending),
]
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Factors = Annotated[dict[Pattern, Positive], Field(max_length=MOST_FACTORS)]


class Table(BaseModel):
    """Keys as they are: none coerced, none unknown. Units: amounts are read as millionths."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AccountTable(Table):
    """[account]: what holds for every account."""

    default_plan: str
    zone: str = "UTC"
    auto_open: bool = True
    public: bool = False
    low_balance: ZeroOrMore = 5_000_000
    alert_thresholds: Thresholds = Field(default_factory=lambda: list(DEFAULT_THRESHOLDS))


class PlanTable(Table):
    """[plans.<id>]: what is given each period."""

    name: Text | None = None
    allocation: ZeroOrMore
    driven_by: Literal["calendar", "stripe"] = "calendar"
    price: Positive | None = None
    currency: Currency | None = None
    interval: Literal["month", "year"] | None = None
    stripe_price: StripePrice | None = None
    former_prices: Annotated[list[StripePrice], Field(max_length=MOST_FORMER_PRICES)] = Field(
        default_factory=list[str]
    )
    anchor: Literal["calendar", "opening"] = "calendar"
    rollover: Literal["none", "all", "capped"] = "none"
    rollover_cap: Positive | None = None
    overdraft: ZeroOrMore = 0
    daily_limit: Positive | None = None
    monthly_limit: Positive | None = None
    per_run_max: Positive | None = None
    settle_above_hold: Literal["charge_available", "debt", "reject"] = "charge_available"
    clawback: Literal["debt", "floor"] = "debt"
    open_holds: Annotated[int, Field(ge=1, le=MOST_OPEN_HOLDS)] = DEFAULT_OPEN_HOLDS
    features: Annotated[dict[Id, Count], Field(max_length=MOST_FEATURES)] = Field(
        default_factory=dict[str, int]
    )
    prices: Annotated[dict[Id, PlanPriceTable], Field(max_length=MOST_OPERATIONS)] = Field(
        default_factory=dict[str, "PlanPriceTable"]
    )


class PackTable(Table):
    """[packs.<id>]: credits for sale."""

    name: Text
    credits: Positive
    price: Positive
    currency: Currency
    features: Annotated[list[Text], Field(max_length=MOST_PACK_LINES)] = Field(
        default_factory=list[str]
    )
    stripe_price: StripePrice | None = None
    expires_after_days: Annotated[int, Field(ge=1, le=LONGEST_EXPIRY_DAYS)] | None = None


class ModelTable(Table):
    """[[operations.<id>.models]]: one family of models and its price."""

    name: Text
    patterns: Annotated[list[Pattern], Field(min_length=1, max_length=MOST_PATTERNS)]
    credits: Positive
    usd_per_million: Annotated[dict[Pool, ZeroOrMore], Field(min_length=1)] | None = None


class SizesTable(Table):
    """estimate = { smallest, typical, largest }: how big a call is."""

    smallest: Positive
    typical: Positive
    largest: Positive


Models = Annotated[list[ModelTable], Field(max_length=MOST_MODELS)]


class OperationTable(Table):
    """What every operation may say, whatever its rule."""

    name: Text | None = None
    feature: Id | None = None


class TierTable(Table):
    """tiers = [{ above, percent }]: what the period's volume above so much costs of the price."""

    above: ZeroOrMore
    percent: Positive


Tiers = Annotated[list[TierTable], Field(min_length=1, max_length=MOST_TIERS)]


class PricedTable(OperationTable):
    """What every operation that has a price may say, whatever its rule."""

    minimum: Positive | None = None
    free_allowance: Positive | None = None
    tiers: Tiers | None = None


class FlatTable(PricedTable):
    """So much per call, or per call and model."""

    rule: Literal["flat"]
    credits: ZeroOrMore | None = None
    free: bool = False
    models: Models = Field(default_factory=list[ModelTable])
    estimate: SizesTable | None = None
    usd_per_call: ZeroOrMore | None = None


class PerUnitTable(PricedTable):
    """So much per minute, message or document."""

    rule: Literal["per_unit"]
    credits: Positive
    unit: Text
    fractional: bool = False
    estimate: SizesTable | None = None
    usd_per_unit: ZeroOrMore | None = None


class Per1kTokensTable(PricedTable):
    """So much per 1,000 tokens, by family of models."""

    rule: Literal["per_1k_tokens"]
    models: Models = Field(default_factory=list[ModelTable])
    estimate: SizesTable | None = None


class TokensTable(PricedTable):
    """What the provider bills, times a markup."""

    rule: Literal["tokens"]
    unknown_model: Literal["reject", "ceiling", "quarantine"] = "reject"
    markup: Positive | None = None
    markups: Factors = Field(default_factory=dict[str, int])
    estimate: SizesTable | None = None
    output_percent: Annotated[int, Field(ge=0, le=100)] = DEFAULT_OUTPUT_PERCENT


class ResourceTable(PricedTable):
    """So much for what a run takes of a machine."""

    rule: Literal["resource"]
    per_cpu_second: Positive | None = None
    per_gb_second: Positive | None = None
    per_second: Positive | None = None


class LocalTable(OperationTable):
    """Runs on the user's own machine."""

    rule: Literal["local"]


AnyOperation = Annotated[
    FlatTable | PerUnitTable | Per1kTokensTable | TokensTable | ResourceTable | LocalTable,
    Discriminator("rule"),
]
RULES: dict[str, type[OperationTable]] = {
    "flat": FlatTable,
    "per_unit": PerUnitTable,
    "per_1k_tokens": Per1kTokensTable,
    "tokens": TokensTable,
    "resource": ResourceTable,
    "local": LocalTable,
}


class PlanPriceTable(Table):
    """[plans.<id>.prices.<operation>]: the keys of the operation that differ on this plan."""

    credits: ZeroOrMore | None = None
    free: bool = False
    models: Models = Field(default_factory=list[ModelTable])
    minimum: Positive | None = None
    free_allowance: Positive | None = None
    tiers: Tiers | None = None
    markup: Positive | None = None
    markups: Factors = Field(default_factory=dict[str, int])
    unknown_model: Literal["reject", "ceiling", "quarantine"] | None = None
    per_cpu_second: Positive | None = None
    per_gb_second: Positive | None = None
    per_second: Positive | None = None
    estimate: SizesTable | None = None


class OverrideTable(Table):
    """[[prices.overrides]]: what models cost, whatever the price book says."""

    patterns: Annotated[list[Pattern], Field(min_length=1, max_length=MOST_PATTERNS)]
    usd_per_million: Annotated[dict[Pool, ZeroOrMore], Field(min_length=1)] | None = None
    usd_per_audio_hour: Positive | None = None
    usd_per_1k_searches: Positive | None = None
    usd_per_1k_requests: Positive | None = None


class PricesTable(Table):
    """[prices]: what a credit is worth, and what is added to what models cost."""

    usd_per_credit: Positive
    markup: Positive = MICRO
    use_provider_cost: bool = True
    models: Annotated[list[Pattern], Field(max_length=MOST_PATTERNS)] = Field(
        default_factory=list[str]
    )
    markups: Factors = Field(default_factory=dict[str, int])
    overrides: Annotated[list[OverrideTable], Field(max_length=MOST_OVERRIDES)] = Field(
        default_factory=list[OverrideTable]
    )


class CatalogTables(Table):
    """The whole file."""

    account: AccountTable
    plans: Annotated[dict[Id, PlanTable], Field(min_length=1, max_length=MOST_PLANS)]
    roles: Annotated[dict[Text, str], Field(max_length=MOST_ROLES)] = Field(
        default_factory=dict[str, str]
    )
    entitlements: Annotated[dict[Text, str], Field(max_length=MOST_ENTITLEMENTS)] = Field(
        default_factory=dict[str, str]
    )
    operations: Annotated[dict[Id, AnyOperation], Field(min_length=1, max_length=MOST_OPERATIONS)]
    packs: Annotated[dict[Id, PackTable], Field(max_length=MOST_PACKS)] = Field(
        default_factory=dict[str, PackTable]
    )
    prices: PricesTable | None = None
