"""What a model costs: its rates by tier, date, hour and service tier, all exact integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

ATTO_PER_USD = 10**18
TOKEN_RATES = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_input",
    "audio_output",
    "cached_audio_input",
    "image_input",
    "cached_image_input",
    "image_output",
    "video_input",
    "video_output",
)
OUTPUT_RATES = frozenset(["output", "reasoning", "audio_output", "image_output", "video_output"])
INPUT_RATES = frozenset(TOKEN_RATES) - OUTPUT_RATES
AUDIO_HOURS, WEB_SEARCHES, REQUESTS = "audio_hours", "web_searches", "requests"
RATE_NAMES = (*TOKEN_RATES, AUDIO_HOURS, WEB_SEARCHES, REQUESTS)
SERVICE_TIERS = ("batch", "flex", "priority", "fast")

# A provider that states no rate for a kind of token bills it as the next more general kind.
_MORE_GENERAL: Mapping[str, tuple[str, ...]] = {
    "cached_input": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "reasoning": ("output",),
    "audio_input": ("input",),
    "audio_output": ("output",),
    "cached_audio_input": ("cached_input", "audio_input", "input"),
    "image_input": ("input",),
    "cached_image_input": ("cached_input", "image_input", "input"),
    "image_output": ("output",),
    "video_input": ("input",),
    "video_output": ("output",),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate, which a longer request may change for the whole of it.

    Units: atto-dollars (10^-18 USD) per million tokens, per hour of audio, per thousand searches
    or per thousand requests.
    Shape: `tiers` are (tokens, rate) in ascending order: above so many tokens of input, this rate.
    """

    base_atto: int
    tiers: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        assert self.base_atto >= 0 and all(atto >= 0 for _, atto in self.tiers), "rates are not < 0"
        assert list(self.tiers) == sorted(self.tiers), "tiers ascend"

    def above(self, input_tokens: int) -> int:
        """The rate of a request that reads so many tokens in all."""
        chosen = self.base_atto
        for threshold, atto in self.tiers:
            if input_tokens <= threshold:
                break
            chosen = atto
        return chosen


@dataclass(frozen=True, slots=True)
class DatedRates:
    """Rates from a day on, or in some hours of every day. Both are in UTC.

    Shape: `hours` are two seconds of the day: from the first until before the second, over
    midnight where the second is earlier.
    """

    rates: Mapping[str, Rate]
    effective_from: date | None = None
    hours: tuple[int, int] | None = None

    def is_active(self, day: date, second: int) -> bool:
        """The rates apply at that second of that day."""
        if self.effective_from is not None and day < self.effective_from:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        if end < start:
            return second >= start or second < end
        return start <= second < end


@dataclass(frozen=True, slots=True)
class Applied:
    """The rates of one moment and service tier, with a rate found for every pool that has one.

    Shape: `by_pool` has the rate of each token pool that can be priced, `by_count` the others'.
    `stated` are the rates as the source states them.
    """

    by_pool: Mapping[str, Rate]
    by_count: Mapping[str, Rate]
    stated: Mapping[str, Rate]
    is_tiered: bool
    has_service_tier: bool


@dataclass(frozen=True, slots=True)
class BookModel:
    """A model with everything that it ever costs.

    Shape: the last active of `prices` applies, else the first. Of a service tier's `variants`, the
    first active one that states a rate overrides that rate; the others stay as they are.
    `rates_of` is the provider whose list the rates are from: Azure sells models of OpenAI.
    Units: `minimum_seconds` of audio are billed at least, where any are.
    """

    id: str
    provider: str
    source: str
    prices: tuple[DatedRates, ...]
    variants: Mapping[str, tuple[DatedRates, ...]] = field(
        default_factory=dict[str, "tuple[DatedRates, ...]"]
    )
    minimum_seconds: int = 0
    rates_of: str = ""
    # Why: the same few combinations come with every call, and finding a rate for each pool anew
    # would be most of what pricing takes. What is kept follows from the other fields.
    _applied: dict[object, Applied] = field(
        default_factory=dict[object, Applied], compare=False, repr=False
    )

    def applied(self, at: datetime, service_tier: str = "") -> Applied:
        """The rates at that moment, for that service tier where the model has it."""
        if len(self.prices) == 1 and not service_tier:
            chosen, active = 0, ()
        else:
            chosen, active = self._choose(at, service_tier)
        key = (chosen, service_tier, active)
        found = self._applied.get(key)
        if found is None:
            found = self._apply(chosen, service_tier, active)
            self._applied[key] = found
        return found

    def _choose(self, at: datetime, service_tier: str) -> tuple[int, tuple[int, ...]]:
        """Which of the prices, and which of the tier's variants, are active."""
        moment = at.astimezone(UTC)
        day, second = moment.date(), moment.hour * 3600 + moment.minute * 60 + moment.second
        chosen = 0
        for index in range(len(self.prices) - 1, 0, -1):
            if self.prices[index].is_active(day, second):
                chosen = index
                break
        variants = self.variants.get(service_tier, ())
        active = (index for index, each in enumerate(variants) if each.is_active(day, second))
        return chosen, tuple(active)

    def _apply(self, chosen: int, service_tier: str, active: tuple[int, ...]) -> Applied:
        overriding: dict[str, Rate] = {}
        for index in active:
            for name, rate in self.variants[service_tier][index].rates.items():
                overriding.setdefault(name, rate)
        stated = {**self.prices[chosen].rates, **overriding}
        by_pool = find_rates(stated)
        return Applied(
            by_pool=by_pool,
            by_count={name: stated[name] for name in RATE_NAMES[-3:] if name in stated},
            stated=stated,
            is_tiered=any(rate.tiers for rate in stated.values()),
            has_service_tier=bool(active) or not service_tier,
        )


def find_rates(stated: Mapping[str, Rate]) -> dict[str, Rate]:
    """A rate for each token pool that has one, or whose more general pool has one."""
    found: dict[str, Rate] = {}
    for pool in TOKEN_RATES:
        for name in (pool, *_MORE_GENERAL.get(pool, ())):
            if name in stated:
                found[pool] = stated[name]
                break
    return found


def flat_model(*, id: str, provider: str, source: str, rates: Mapping[str, Rate]) -> BookModel:
    """A model with these rates at all times, for an operator's own price."""
    return BookModel(id=id, provider=provider, source=source, prices=(DatedRates(rates),))


def same_standard_prices(models: Sequence[BookModel]) -> bool:
    """All of them cost the same, service tiers aside."""
    return all(model.prices == models[0].prices for model in models)
