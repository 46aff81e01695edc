"""What a provider bills, worked out with fractions from the plain JSON of a price book.

It is written from what the book's page says of each key, and imports nothing of Tollkeeper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

MILLION = 1_000_000
OUTPUT = ("output", "reasoning", "audio_output", "image_output", "video_output")
# Where no rate is stated, the nearest one that is more general.
GENERAL = {
    "cached_input": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "reasoning": ("output",),
    "audio_input": ("input",),
    "audio_output": ("output",),
    "image_input": ("input",),
    "image_output": ("output",),
    "video_input": ("input",),
    "video_output": ("output",),
}
# What is not counted in tokens: the rate's name, and how many of the thing it is for.
THINGS = {"seconds": ("audio_hours", 3600), "searches": ("web_searches", 1000)}


@dataclass(frozen=True)
class Metered:
    """What one model did. Units: tokens by pool, seconds of audio, searches, requests."""

    pools: Mapping[str, int] = field(default_factory=dict[str, int])
    seconds: Fraction = Fraction(0)
    searches: int = 0
    requests: int = 1


@dataclass(frozen=True)
class Model:
    """One model of the book, with its provider. `file` is its JSON."""

    provider: str
    id: str
    file: Mapping[str, Any]

    def names(self) -> tuple[str, ...]:
        """What a pattern of the catalog may call it."""
        return self.id.lower(), f"{self.provider}:{self.id}".lower()


@dataclass(frozen=True)
class Bill:
    """What it costs. `is_plain`: the service tier that was asked for has no rates of its own.

    Shape: `tokens` are what each pool costs, and how many tokens it is. `has_gap`: something
    that was used has no rate at all; `is_unpriced`: and nothing else of it has a price.
    """

    usd: Fraction
    is_plain: bool = False
    tokens: tuple[tuple[Fraction, int], ...] = ()
    has_gap: bool = False
    is_unpriced: bool = False


class Book:
    """One price book, read by somebody who only knows its documentation."""

    def __init__(self, file: Mapping[str, Any]) -> None:
        self.all = [
            Model(provider, str(each["id"]), each)
            for provider, models in file["models"].items()
            for each in models
        ]
        self.providers = {str(each["id"]) for each in file["providers"]}
        self.meant = {str(each["id"]): each.get("meant", {}) for each in file["providers"]}

    def find(self, name: str | None, provider: str = "") -> Model | None:
        """The model of that name, of that provider where one is named."""
        for each in self.all:
            if name and provider in ("", each.provider) and _is_called(each, name.lower()):
                return each
        return None

    def provider_of(self, name: str | None) -> str:
        """Whose model the name means, known or not; empty where it says nothing."""
        for provider, meant in self.meant.items():
            if name and _is_named(meant, name.lower()):
                return provider
        return ""

    def dearest(self, provider: str, used: Metered, at: int, tier: str) -> Model:
        """The model that would cost most for this; of all where none of the provider has a price.

        A fee per request counts, but says nothing of what the rest would cost.
        """

        def cost(model: Model) -> tuple[bool, Fraction]:
            whole = bill(model, used, at, tier).usd
            return bill(model, replace(used, requests=0), at, tier).usd > 0, whole

        mine = [each for each in self.all if each.provider == provider]
        best = max(mine, key=cost, default=None)
        return best if best is not None and cost(best)[0] else max(self.all, key=cost)


def _is_called(model: Model, name: str) -> bool:
    return _is_named(model.file.get("aliases", {"is": [model.id.lower()]}), name)


def _is_named(aliases: Mapping[str, list[str]], name: str) -> bool:
    return (
        name in aliases.get("is", ())
        or any(name.startswith(each) for each in aliases.get("starts", ()))
        or any(name.endswith(each) for each in aliases.get("ends", ()))
        or any(each in name for each in aliases.get("has", ()))
        or any(re.search(each, name) for each in aliases.get("re", ()))
    )


def bill(model: Model, used: Metered, at: int, tier: str = "") -> Bill:
    """What the provider bills for this at that moment: the whole of it at one set of rates."""
    dated = [{"rates": model.file["rates"]}, *model.file.get("dated", [])]
    rates = dict(_in_force(dated, at)[-1])
    # The newest of a tier's rates stand first, where those of all days stand before dated ones.
    variants = _in_force(model.file.get("variants", {}).get(tier, []), at)
    for variant in reversed(variants):
        rates.update(variant)
    return bill_at(rates, used, is_plain=bool(tier) and not variants)


def bill_at(rates: Mapping[str, Any], used: Metered, *, is_plain: bool = False) -> Bill:
    """What it costs at these rates."""
    read = sum(tokens for pool, tokens in used.pools.items() if pool not in OUTPUT)
    pools = tuple(
        (Fraction(tokens, MILLION) * _rate(rates, (pool, *GENERAL.get(pool, ())), read), tokens)
        for pool, tokens in used.pools.items()
    )
    total = sum((usd for usd, _ in pools), Fraction(0))
    for name, (rate, size) in THINGS.items():
        total += Fraction(getattr(used, name)) / size * _rate(rates, (rate,), read)
    has_gap = _has_gap(rates, used)
    is_unpriced = has_gap and not total
    total += Fraction(used.requests, 1000) * _rate(rates, ("requests",), read)
    return Bill(total, is_plain, pools, has_gap, is_unpriced)


def _has_gap(rates: Mapping[str, Any], used: Metered) -> bool:
    """Something was used that has no rate at all."""
    pools = [pool for pool, tokens in used.pools.items() if tokens]
    gaps = [pool for pool in pools if not {pool, *GENERAL.get(pool, ())} & rates.keys()]
    things = [
        name for name, (rate, _) in THINGS.items() if getattr(used, name) and rate not in rates
    ]
    return bool(gaps or things)


def _rate(rates: Mapping[str, Any], names: tuple[str, ...], read: int) -> Fraction:
    """The first of these rates that is stated, at the size of the whole request."""
    found: str | int | list[Any] = next((rates[name] for name in names if name in rates), "0")
    if isinstance(found, str | int):
        return Fraction(found)
    passed = [rate for above, rate in found[1:] if read > above]
    return Fraction(str(passed[-1] if passed else found[0]))


def _in_force(dated: list[dict[str, Any]], at: int) -> list[Mapping[str, Any]]:
    """The rates of those entries that have begun by then."""
    return [each["rates"] for each in dated if _has_begun(each, at)]


def _has_begun(entry: Mapping[str, Any], at: int) -> bool:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    since = entry.get("effective_from")
    if since is not None and moment.date() < date.fromisoformat(since):
        return False
    if "hours" not in entry:
        return True
    now, (start, end) = f"{moment:%H:%M}", entry["hours"]
    return start <= now < end if start <= end else now >= start or now < end


def pools_of(parts: list[Mapping[str, int]]) -> dict[str, int]:
    """All tokens of all parts, by pool."""
    names = sorted({pool for part in parts for pool in part})
    return {pool: sum(part.get(pool, 0) for part in parts) for pool in names}


def patterns_that_fit(patterns: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    """The patterns that fit one of the names, the best last: exact ones, then longer ones."""
    fitting = [each for each in patterns if any(fits(each, name) for name in names)]
    yield from sorted(fitting, key=lambda each: (each.lower() in names, len(each)))


def fits(pattern: str, name: str) -> bool:
    """The name, which is in lower case, is one that the pattern stands for."""
    text = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text.replace(r"\[0\-9\]", "[0-9]"), name) is not None
