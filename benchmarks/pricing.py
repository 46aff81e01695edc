"""CPU to price a provider's raw answer by the book, beside the package that the book is made of.

Both read the same answer, find its model and reckon the cost, in the same process and round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from genai_prices import extract_usage

from benchmarks.report import Aim, Section, Table, ratio, spread
from benchmarks.stack import ROOT
from tollkeeper.domain.book import COST_DENOMINATOR, Metered, PriceBook, cost_part
from tollkeeper.domain.usage import normalise_usage
from tollkeeper.edge.book_file import read_book

MOST_US, LEAST_RATIO, MOST_LOAD_MS = 60.0, 3.0, 5.0
PER_ROUND = 100
BOOK = ROOT / "layers/catalog/prices.json"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

Answer = dict[str, Any]

OPENAI: Answer = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1795262400,
    "model": "gpt-5-2025-08-07",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
    },
}
ANTHROPIC: Answer = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hi"}],
    "usage": {
        "input_tokens": 2048,
        "cache_creation_input_tokens": 556,
        "cache_read_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 503,
        "service_tier": "standard",
    },
}
GEMINI: Answer = {
    "modelVersion": "gemini-2.5-flash",
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}}],
    "usageMetadata": {
        "promptTokenCount": 5000,
        "candidatesTokenCount": 700,
        "totalTokenCount": 5900,
        "thoughtsTokenCount": 200,
        "cachedContentTokenCount": 1000,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 3000},
            {"modality": "AUDIO", "tokenCount": 2000},
        ],
        "cacheTokensDetails": [
            {"modality": "TEXT", "tokenCount": 800},
            {"modality": "AUDIO", "tokenCount": 200},
        ],
    },
}
# The answer, the provider, and the words that the package has for its shape.
CASES: Mapping[str, tuple[Answer, str, str]] = {
    "OpenAI chat": (OPENAI, "openai", "chat"),
    "Anthropic message": (ANTHROPIC, "anthropic", "default"),
    "Gemini": (GEMINI, "google", "default"),
}


def price_ours(book: PriceBook, answer: Answer, provider: str) -> Fraction:
    """USD of the answer by the book."""
    usage = normalise_usage(answer)
    model = book.find(usage.model or "", provider)
    assert model is not None, "the book has the model"
    cost = cost_part(model, Metered(usage.pools), at=NOW)
    return Fraction(cost.pico_numerator, 10**12 * COST_DENOMINATOR)


def price_theirs(answer: Answer, provider: str, flavor: str) -> Fraction:
    """USD of the answer by the package."""
    usage = extract_usage(answer, provider_id=provider, api_flavor=flavor)
    return Fraction(usage.calc_price(genai_request_timestamp=NOW).total_price)


def _act_ours(book: PriceBook, answer: Answer, provider: str) -> Callable[[], object]:
    def act() -> None:
        usage = normalise_usage(answer)
        model = book.find(usage.model or "", provider)
        assert model is not None
        cost_part(model, Metered(usage.pools), at=NOW)

    return act


def _act_theirs(answer: Answer, provider: str, flavor: str) -> Callable[[], object]:
    def act() -> None:
        usage = extract_usage(answer, provider_id=provider, api_flavor=flavor)
        usage.calc_price(genai_request_timestamp=NOW)

    return act


def run(*, quick: bool) -> Section:
    """Microseconds of CPU per priced answer, beside the package; milliseconds to read the book."""
    book = read_book(BOOK)
    table = Table(
        title="CPU to price a raw answer",
        columns=("answer", "CPU us min", "median", "max", "the package's median", "ratio"),
        notes=[
            f"Rounds of {PER_ROUND} answers, both in every round: the model found, the usage read, "
            "the cost reckoned line by line; ours against `extract_usage` and `calc_price` of the "
            "package that the book is made of.",
            "Ratio: the median over the rounds of the package's time to ours.",
        ],
    )
    medians: list[float] = []
    ratios: list[float] = []
    for name, (answer, provider, flavor) in CASES.items():
        assert price_ours(book, answer, provider) == price_theirs(answer, provider, flavor), name
        ours, theirs = _measure(
            _act_ours(book, answer, provider),
            _act_theirs(answer, provider, flavor),
            rounds=30 if quick else 200,
        )
        medians.append(statistics.median(ours))
        ratios.append(ratio(theirs, ours))
        their_median = f"{statistics.median(theirs):,.0f}"
        table.add(name, *spread(ours, 1), their_median, f"{ratios[-1]:.1f}")
    loads = _load_ms(BOOK, rounds=10 if quick else 50)
    table.notes.append(
        f"Reading {BOOK.name} ({BOOK.stat().st_size:,} bytes) takes {min(loads):.1f} ms of CPU at "
        f"least, {statistics.median(loads):.1f} in the median; a model is made at its first use."
    )
    return Section(tables=[table], aims=_aims(medians, ratios, loads))


def _measure(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int
) -> tuple[list[float], list[float]]:
    """Microseconds of CPU of each, a figure per round."""
    samples: tuple[list[float], list[float]] = ([], [])
    for act in (ours, theirs):
        for _ in range(PER_ROUND):
            act()
    for _ in range(rounds):
        for act, found in zip((ours, theirs), samples, strict=True):
            began = time.process_time_ns()
            for _ in range(PER_ROUND):
                act()
            found.append((time.process_time_ns() - began) / PER_ROUND / 1000)
    return samples


def _load_ms(path: Path, *, rounds: int) -> list[float]:
    """Milliseconds of CPU to read the book, a figure per round."""
    found: list[float] = []
    for _ in range(rounds):
        began = time.process_time_ns()
        read_book(path)
        found.append((time.process_time_ns() - began) / 1e6)
    return found


def _aims(medians: list[float], ratios: list[float], loads: list[float]) -> list[Aim]:
    load = statistics.median(loads)
    return [
        Aim(
            what="pricing a raw answer: CPU",
            wanted=f"<= {MOST_US:g} us",
            found=f"{max(medians):.0f} us",
            is_met=max(medians) <= MOST_US,
            is_exact=False,
        ),
        Aim(
            what="pricing a raw answer: times as fast as the package",
            wanted=f">= {LEAST_RATIO:g}",
            found=f"{min(ratios):.1f}",
            is_met=min(ratios) >= LEAST_RATIO,
            is_exact=False,
        ),
        Aim(
            what="the price book: CPU to read",
            wanted=f"< {MOST_LOAD_MS:g} ms",
            found=f"{load:.1f} ms",
            is_met=load < MOST_LOAD_MS,
            is_exact=False,
        ),
    ]
