"""Prices that at least two independent sources agree on come out to the last digit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tollkeeper.domain.book import COST_DENOMINATOR, Cost, Metered, PriceBook, cost_part
from tollkeeper.domain.money import show_usd
from tollkeeper.domain.usage import TokenPools
from tollkeeper.edge.book_file import read_book

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared/data/price_cases.json"
PAST_DATES = datetime(2026, 11, 21, tzinfo=UTC)


@cache
def cases() -> list[dict[str, Any]]:
    """The cases, or none where the file is not here."""
    return json.loads(CASES.read_text(encoding="utf-8"))["cases"] if CASES.exists() else []


@cache
def book() -> PriceBook:
    return read_book(ROOT / "layers/catalog/prices.json")


def to_pools(usage: dict[str, int]) -> TokenPools:
    """The case's totals as disjoint pools."""
    cached, audio = usage.get("cache_read_tokens", 0), usage.get("input_audio_tokens", 0)
    written, hour = usage.get("cache_write_tokens", 0), usage.get("cache_write_1h_tokens", 0)
    cached_audio = usage.get("cache_audio_read_tokens", 0)
    reasoning = usage.get("output_reasoning_tokens", 0)
    spoken = usage.get("output_audio_tokens", 0)
    return TokenPools(
        input=usage["input_tokens"] - cached - written - (audio - cached_audio),
        cached_input=cached - cached_audio,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        audio_input=audio - cached_audio,
        cached_audio_input=cached_audio,
        output=usage.get("output_tokens", 0) - reasoning - spoken,
        reasoning=reasoning,
        audio_output=spoken,
    )


def price(case: dict[str, Any]) -> Cost:
    model = book().find(case["model"], case["provider"])
    assert model is not None
    at = datetime.fromisoformat(case["request_time"]) if case["request_time"] else PAST_DATES
    tier = case["price_context"]["service_tier"] if case["price_context"] else ""
    return cost_part(model, Metered(to_pools(case["usage"])), at=at, service_tier=tier)


def test_the_cases_are_the_fifteen() -> None:
    if not cases():
        pytest.skip(f"{CASES} is not here")
    assert len(cases()) == 15


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_case_costs_what_its_sources_say(case: dict[str, Any]) -> None:
    cost = price(case)

    picousd, rest = divmod(cost.pico_numerator, COST_DENOMINATOR)
    assert (show_usd(picousd), rest) == (case["expected_usd"], 0)
    assert (cost.warnings, cost.unpriced) == ((), ())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_case_is_billed_at_the_rates_it_lists(case: dict[str, Any]) -> None:
    listed: dict[str, int] = {}
    for each in case["rates_usd_per_million"]:
        if each["tokens"]:
            rate = f"{each['rate']} USD/1M"
            listed[rate] = listed.get(rate, 0) + each["tokens"]

    billed: dict[str, int] = {}
    for line in price(case).lines:
        billed[line.rate] = billed.get(line.rate, 0) + int(line.quantity)

    assert billed == listed
