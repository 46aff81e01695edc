"""What a price source offers, and the installed `genai-prices` package read as one."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal

from genai_prices import types as genai
from genai_prices.data_snapshot import get_snapshot

PACKAGE = "genai-prices"
# The package's key and the book's rate. Where two keys mean one rate, the first one wins.
RATE_KEYS: Mapping[str, str] = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "cache_audio_read_mtok": "cached_audio_input",
    "input_image_mtok": "image_input",
    "cache_image_read_mtok": "cached_image_input",
    "output_image_mtok": "image_output",
    "input_video_mtok": "video_input",
    "output_video_mtok": "video_output",
    "input_audio_hours": "audio_hours",
    "audio_hours": "audio_hours",
    "web_searches_kcount": "web_searches",
    "requests_kcount": "requests",
}
SERVICE_TIERS: Mapping[tuple[str, str], str] = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "fast",
    ("speed", "fast"): "fast",
}
STANDARD_TIER = ("service_tier", "default")
# The package says this in its code and not in its data: Groq bills ten seconds at least.
MINIMUM_SECONDS: Mapping[tuple[str, str], int] = {
    ("groq", "whisper-large-v3"): 10,
    ("groq", "whisper-large-v3-turbo"): 10,
}

# A rate, or one and then those above so many tokens, as the book writes them.
Tier = tuple[int, str]
WrittenRate = str | tuple[str | Tier, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """Rates as the book writes them: at all times, from a day on, or in some hours of each day."""

    rates: Mapping[str, WrittenRate]
    effective_from: str = ""
    hours: tuple[str, str] | None = None

    def write(self) -> dict[str, object]:
        """The price as a member of the book."""
        written: dict[str, object] = {}
        if self.effective_from:
            written["effective_from"] = self.effective_from
        if self.hours:
            written["hours"] = self.hours
        written["rates"] = self.rates
        return written


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as its source offers it, in the words of the book.

    Shape: `left_out` are keys and variants that no usage can be charged by.
    """

    id: str
    aliases: dict[str, object]
    prices: Sequence[Price]
    variants: Mapping[str, Sequence[Price]] = field(default_factory=dict[str, Sequence[Price]])
    minimum_seconds: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider with its models in the order in which a name is tried."""

    id: str
    offers: Sequence[Offer]
    called: dict[str, object] = field(default_factory=dict[str, object])
    meant: dict[str, object] = field(default_factory=dict[str, object])
    sells: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a source offers, in its own order."""

    name: str
    providers: Sequence[Provider]


def read_package() -> Source:
    """What the installed package offers. Nothing is fetched."""
    version = importlib.metadata.version(PACKAGE)
    providers = [read_provider(each) for each in get_snapshot().providers]
    return Source(f"{PACKAGE} {version}", providers)


def read_provider(provider: genai.Provider) -> Provider:
    """The provider in the words of the book."""
    return Provider(
        id=provider.id,
        offers=[read_model(provider.id, each) for each in provider.models],
        called=read_clause(provider.provider_match) if provider.provider_match else {},
        meant=read_clause(provider.model_match) if provider.model_match else {},
        sells=tuple(provider.fallback_model_providers or ()),
    )


def read_model(provider: str, model: genai.ModelInfo) -> Offer:
    """The model in the words of the book."""
    left_out: set[str] = set()
    listed = model.prices if isinstance(model.prices, list) else [model.prices]
    variants: dict[str, list[Price]] = {}
    for variant in model.price_variants or ():
        tier = _service_tier(variant.when)
        if tier:
            entry = _dated(variant.constraint, variant.prices, left_out)
            variants.setdefault(tier, []).append(entry)
        elif tuple(variant.when.items()) != (STANDARD_TIER,):
            left_out.add(" and ".join(f"{key}={value}" for key, value in variant.when.items()))
    return Offer(
        id=model.id,
        aliases=read_clause(model.match),
        prices=[_price(each, left_out) for each in listed],
        variants=variants,
        minimum_seconds=MINIMUM_SECONDS.get((provider, model.id), 0),
        left_out=tuple(sorted(left_out)),
    )


def _service_tier(when: Mapping[str, str]) -> str:
    pairs = tuple(when.items())
    return SERVICE_TIERS.get(pairs[0], "") if len(pairs) == 1 else ""


def _price(price: genai.ModelPrice | genai.ConditionalPrice, left_out: set[str]) -> Price:
    if isinstance(price, genai.ConditionalPrice):
        return _dated(price.constraint, price.prices, left_out)
    return _dated(None, price, left_out)


def _dated(
    constraint: genai.StartDateConstraint | genai.TimeOfDateConstraint | None,
    price: genai.ModelPrice,
    left_out: set[str],
) -> Price:
    rates = _rates(price, left_out)
    if isinstance(constraint, genai.StartDateConstraint):
        return Price(rates, effective_from=constraint.start_date.isoformat())
    if isinstance(constraint, genai.TimeOfDateConstraint):
        return Price(rates, hours=(_clock(constraint.start_time), _clock(constraint.end_time)))
    return Price(rates)


def _clock(at: time) -> str:
    offset = at.utcoffset()
    if offset or at.second or at.microsecond:
        raise ValueError(f"the time {at} is not a whole minute in UTC")
    return f"{at:%H:%M}"


def _rates(price: genai.ModelPrice, left_out: set[str]) -> dict[str, WrittenRate]:
    given: Mapping[str, Decimal | genai.TieredPrices | None] = vars(price)
    stated = {key: value for key, value in given.items() if value is not None}
    left_out |= stated.keys() - RATE_KEYS.keys()
    rates: dict[str, WrittenRate] = {}
    for key, name in RATE_KEYS.items():
        if key in stated and name not in rates:
            rates[name] = _write_rate(stated[key])
    return rates


def _write_rate(value: Decimal | genai.TieredPrices) -> WrittenRate:
    if isinstance(value, genai.TieredPrices):
        tiers = tuple((tier.start, show_decimal(tier.price)) for tier in value.tiers)
        return (show_decimal(value.base), *tiers) if tiers else show_decimal(value.base)
    return show_decimal(value)


def show_decimal(value: Decimal) -> str:
    """The number with no exponent and no trailing zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def read_clause(clause: genai.MatchLogic) -> dict[str, object]:
    """The clause as lists of what a name may be or have; a name is matched in lower case."""
    found: dict[str, list[object]] = {}
    for each in _alternatives(clause):
        key, value = _read_simple(each)
        if value not in found.setdefault(key, []):
            found[key].append(value)
    return {key: found[key] for key in ("is", "starts", "ends", "has", "re", "all") if key in found}


def _alternatives(clause: genai.MatchLogic) -> list[genai.MatchLogic]:
    if isinstance(clause, genai.ClauseOr):
        return [simple for each in clause.or_ for simple in _alternatives(each)]
    return [clause]


def _read_simple(clause: genai.MatchLogic) -> tuple[str, object]:
    match clause:
        case genai.ClauseEquals():
            return "is", clause.equals.lower()
        case genai.ClauseStartsWith():
            return "starts", clause.starts_with.lower()
        case genai.ClauseEndsWith():
            return "ends", clause.ends_with.lower()
        case genai.ClauseContains():
            return "has", clause.contains.lower()
        case genai.ClauseRegex():
            re.compile(clause.regex)
            return "re", clause.regex
        case genai.ClauseAnd():
            return "all", [read_clause(each) for each in clause.and_]
        case genai.ClauseOr():
            raise AssertionError("alternatives were taken apart before")
