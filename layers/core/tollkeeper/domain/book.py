"""What a provider bills for a run, from the price book: exact to the last digit, never rounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tollkeeper.domain.book_names import PriceBook
from tollkeeper.domain.money import MICRO, show_micro, show_scaled
from tollkeeper.domain.rates import (
    ATTO_PER_USD,
    AUDIO_HOURS,
    INPUT_RATES,
    REQUESTS,
    WEB_SEARCHES,
    Applied,
    BookModel,
    DatedRates,
    Rate,
    flat_model,
)
from tollkeeper.domain.usage.pools import TokenPools

__all__ = [
    "ATTO_PER_USD",
    "COST_DENOMINATOR",
    "REQUEST",
    "BookModel",
    "Cost",
    "CostLine",
    "DatedRates",
    "Metered",
    "PriceBook",
    "Rate",
    "cost_part",
    "dearest",
    "flat_model",
]

REQUEST = "request"
"""The line of a fee per request, which a run that used nothing has too."""

# Every cost is a whole number of pico-dollars over this: a rate has up to 18 decimals, is per
# million tokens, and an hour has 3600 * 10^6 microseconds.
COST_DENOMINATOR = 3600 * 10**12
# What one atto-dollar of a rate comes to, in numerators, per token, search and request. For a
# microsecond of audio it is exactly 1.
_PER_TOKEN, _PER_SEARCH, _PER_REQUEST = 3600, 3600 * 1000, 3600 * 1000


@dataclass(frozen=True, slots=True)
class Metered:
    """What one model used, as far as it is billed. Units: microseconds of audio."""

    pools: TokenPools
    seconds_micro: int | None = None
    web_searches: int = 0
    requests: int = 1


@dataclass(frozen=True, slots=True)
class CostLine:
    """One thing that is billed. Shape: `what` is a pool or audio seconds, web searches, request.

    Units: `pico_numerator` of pico-dollars over COST_DENOMINATOR.
    """

    what: str
    quantity: str
    rate: str
    pico_numerator: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a provider bills. Units: USD are `pico_numerator` / (10^12 * COST_DENOMINATOR).

    `unpriced` is what was used and has no rate at all: the lines do not contain it.
    """

    pico_numerator: int
    lines: tuple[CostLine, ...]
    warnings: tuple[str, ...]
    unpriced: tuple[str, ...] = ()


def cost_part(model: BookModel, part: Metered, *, at: datetime, service_tier: str = "") -> Cost:
    """What the provider bills for this part at that moment, line by line, exactly.

    Shape: the warning `tier_not_priced` says that the standard rates stand in for the service
    tier's; `pool_not_priced` that something in `unpriced` was used.
    """
    applied = model.applied(at, service_tier)
    size = _input_tokens(part, applied)
    lines: list[CostLine] = []
    unpriced: list[str] = []
    total = 0
    for what, quantity, per, rate, units in _billed(model, applied, part):
        if rate is None:
            unpriced.append(what)
            continue
        atto = rate.above(size)
        total += atto * units
        lines.append(CostLine(what, quantity, show_rate(atto, per), atto * units))
    warnings = () if applied.has_service_tier else ("tier_not_priced",)
    if unpriced:
        warnings = (*warnings, "pool_not_priced")
    return Cost(total, tuple(lines), warnings, tuple(unpriced))


def _billed(
    model: BookModel, applied: Applied, part: Metered
) -> Iterator[tuple[str, str, str, Rate | None, int]]:
    """Everything that was used, by its name, with its rate or None.

    Shape: the name, the quantity, what the rate is per, the rate, and how many numerators one
    atto-dollar of the rate comes to.
    Why: a request has a fee with some models only, so one without is not unpriced.
    """
    for pool, tokens in part.pools.nonzero().items():
        yield pool, str(tokens), "1M", applied.by_pool.get(pool), tokens * _PER_TOKEN
    rates = applied.by_count
    if part.seconds_micro:
        micro = max(part.seconds_micro, model.minimum_seconds * MICRO)
        yield "audio seconds", show_micro(micro), "hour", rates.get(AUDIO_HOURS), micro
    if part.web_searches:
        count = part.web_searches
        yield "web searches", str(count), "1000", rates.get(WEB_SEARCHES), count * _PER_SEARCH
    if part.requests and REQUESTS in rates:
        count = part.requests
        yield REQUEST, str(count), "1000", rates[REQUESTS], count * _PER_REQUEST


def _input_tokens(part: Metered, applied: Applied) -> int:
    """Everything that was read, where it matters."""
    if not applied.is_tiered:
        return 0
    used = part.pools.nonzero().items()
    return sum(tokens for pool, tokens in used if pool in INPUT_RATES)


@lru_cache(maxsize=4096)
def show_rate(atto: int, per: str) -> str:
    """The rate as an exact decimal with its unit: `0.125 USD/1M`."""
    return f"{show_scaled(atto, 18)} USD/{per}"


def dearest(
    book: PriceBook, provider: str, metered: Metered, *, at: datetime, service_tier: str = ""
) -> BookModel:
    """The model that would bill most for this use: of that provider, or of all where none would.

    Why: it stands for a model that nobody knows the price of, so it must not be cheaper.
    Cost: one pricing per model of the provider.
    """

    def total(model: BookModel) -> tuple[bool, int]:
        """Whether what was used has a price, and all of it. Why: a fee alone says nothing of it."""
        applied = model.applied(at, service_tier)
        size = _input_tokens(metered, applied)
        used = fees = 0
        for what, *_, rate, units in _billed(model, applied, metered):
            amount = 0 if rate is None else rate.above(size) * units
            used, fees = (used, fees + amount) if what == REQUEST else (used + amount, fees)
        return used > 0, used + fees

    own = max(book.models(provider), key=total, default=None)
    if own is None or not total(own)[0]:
        return max(book.models(), key=total)
    return own
