"""A catalog with a small price book, and what runs cost by it, each said in one line."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from typing import Any

from tests.unit.pricing_books import book_text
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.pricing import NOBODY, Consumption, Priced, Standing, price_run
from tollkeeper.domain.usage import TokenPools, Usage
from tollkeeper.edge.catalog_file import parse_source

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
SAID: dict[str, Any] = {
    "model": "gpt-5",
    "label": "essay",
    "subtype": "long",
    "service": "writer",
    "response_time_ms": 1234,
    "occurred_at": EARLIER,
}
TOLD: dict[str, Any] = {
    "model": "gpt-5",
    "label": "essay/long",
    "subtype": "long",
    "service": "writer",
    "response_time_ms": 1234,
    "occurred_at": EARLIER,
}
BOOK = book_text(
    {
        "openai": [
            {
                "id": "gpt-5",
                "rates": {"input": "1.25", "cached_input": "0.125", "output": "10"},
                "variants": {"batch": [{"rates": {"input": "0.625", "output": "5"}}]},
            },
            {"id": "gpt-5-mini", "rates": {"input": "0.25", "output": "2"}},
            {
                "id": "gpt-dated",
                "rates": {"input": "1", "output": "4"},
                "dated": [{"effective_from": "2026-12-01", "rates": {"input": "2", "output": "8"}}],
            },
            {"id": "whisper-1", "rates": {"audio_hours": "0.36"}},
            {"id": "embed", "rates": {"input": "0.02"}},
            {"id": "gifted", "rates": {"input": "0", "output": "1"}},
        ],
        "anthropic": [
            {
                "id": "claude-sonnet",
                "rates": {
                    "input": "3",
                    "cached_input": "0.3",
                    "output": "15",
                    "web_searches": "10",
                },
            },
            {"id": "claude-opus", "rates": {"input": "5", "output": "25"}},
        ],
    },
    openai={"meant": {"starts": ["gpt-", "whisper"]}},
    anthropic={"meant": {"starts": ["claude"]}},
)
HEAD = """
[account]
default_plan = "free"
[plans.free]
allocation = 10
[plans.pro]
allocation = 100
"""
PRICES = """
[prices]
usd_per_credit = "0.01"
markup = "1.5"
"""
LLM = """
[operations.llm]
rule = "tokens"
"""
RENDER = """
[operations.render]
rule = "resource"
per_cpu_second = "0.01"
per_gb_second = "0.002"
"""
SMS = """
[operations.sms]
rule = "per_unit"
unit = "message"
credits = 2
"""


def catalog_of(text: str, *, book: str = BOOK, head: str = HEAD) -> Catalog:
    """The catalog of that text, with two plans and the small book where it has prices."""
    document = tomllib.loads(head + text)
    kept = {"file": document, "book": book} if "prices" in document else document
    return parse_source(json.dumps(kept))


def priced_with(text: str, **more: Any) -> Catalog:
    """The catalog with prices, one operation by tokens and that text."""
    return catalog_of(PRICES + LLM + text, **more)


CATALOG = priced_with("")


def usage_of(
    *, model: str | None = None, cost: int | None = None, provider: str = "", **used: Any
) -> Usage:
    """Tokens by pool, and seconds or searches where they are named. Units: as in Usage."""
    others = {
        name: used.pop(name)
        for name in ("seconds_micro", "web_searches", "requests", "parts", "service_tier")
        if name in used
    }
    return Usage(TokenPools(**used), model, cost, (), provider=provider, **others)


def price(
    catalog: Catalog,
    operation: str = "llm",
    *,
    standing: Standing = NOBODY,
    **consumption: Any,
) -> Priced:
    """The run with its price, at noon."""
    asked: dict[str, Any] = {"priced_at": NOW, **consumption}
    return price_run(Consumption(operation, **asked), catalog, standing)


def llm(catalog: Catalog, model: str | None = "gpt-5", **used: Any) -> Priced:
    """A run by tokens with its price."""
    return price(catalog, model=model, usage=usage_of(**used))
