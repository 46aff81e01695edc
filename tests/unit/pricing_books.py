"""Small price books for tests, and what a part of a run costs in dollars."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from tollkeeper.domain.book import COST_DENOMINATOR, BookModel, Cost, Metered, PriceBook, cost_part
from tollkeeper.domain.usage import TokenPools
from tollkeeper.edge.book_file import parse_book

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def book_text(models: dict[str, list[dict[str, Any]]], **providers: dict[str, Any]) -> str:
    """The text of a book with these models; a provider may be described besides."""
    described = {provider: {} for provider in models} | providers
    return json.dumps(
        {
            "format": 1,
            "source": "test 1",
            "generated": "2026-11-21",
            "models_of": ["all:*"],
            "providers": [{"id": name, **each} for name, each in described.items()],
            "models": models,
        }
    )


def book_of(models: dict[str, list[dict[str, Any]]], **providers: dict[str, Any]) -> PriceBook:
    """A book with these models."""
    return parse_book(book_text(models, **providers))


def model_of(rates: dict[str, Any], **more: Any) -> BookModel:
    """The one model of a book."""
    found = book_of({"maker": [{"id": "m", "rates": rates, **more}]}).find("m", "maker")
    assert found is not None
    return found


def bill(
    model: BookModel,
    pools: Mapping[str, int] | None = None,
    *,
    at: datetime = NOW,
    tier: str = "",
    **used: Any,
) -> Cost:
    """What the use costs: pools by name, seconds in microseconds, searches, requests."""
    others = {
        name: used.pop(name)
        for name in ("seconds_micro", "web_searches", "requests")
        if name in used
    }
    metered = Metered(TokenPools(**(pools or {}), **used), **others)
    return cost_part(model, metered, at=at, service_tier=tier)


def usd(cost: Cost) -> Fraction:
    """The cost in dollars."""
    return Fraction(cost.pico_numerator, 10**12 * COST_DENOMINATOR)
