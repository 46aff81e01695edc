"""Catalogs of every rule with a small price book, deployed one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.forgetting import forget

RATES: dict[str, Any] = {"input": "1.25", "cached_input": "0.125", "output": "10"}
GPT_5: dict[str, Any] = {
    "id": "gpt-5",
    "rates": RATES,
    "variants": {"batch": [{"rates": {"input": "0.625", "output": "5"}}]},
}
MINI: dict[str, Any] = {"id": "gpt-5-mini", "rates": {"input": "0.25", "output": "2"}}
WHISPER: dict[str, Any] = {"id": "whisper-1", "rates": {"audio_hours": "0.36"}}
CLAUDE: dict[str, Any] = {
    "id": "claude-5",
    "rates": {
        "input": ["3", [200000, "6"]],
        "cached_input": "0.3",
        "cache_write_5m": "3.75",
        "output": "15",
        "web_searches": "10",
    },
}
HAIKU: dict[str, Any] = {"id": "claude-5-haiku", "rates": {"input": "1", "output": "5"}}

CATALOG = """
[account]
default_plan = "free"

[plans.free]
allocation = 15

[plans.pro]
allocation = 100
settle_above_hold = "debt"
{pro}

[prices]
usd_per_credit = "0.01"
markup = "{markup}"
models = ["openai:*", "anthropic:*"]
{prices}

[prices.markups]
anthropic = "1.3"

[operations.llm]
rule = "tokens"
unknown_model = "{unknown}"
minimum = "0.001"

[operations.bulk]
rule = "tokens"
unknown_model = "ceiling"
free_allowance = 1000
tiers = [{{ above = 5000, percent = 80 }}, {{ above = 20000, percent = "33.3" }}]

[operations.chat]
rule = "per_1k_tokens"
[[operations.chat.models]]
name = "gpt-5"
patterns = ["gpt-5*"]
credits = {chat}

[operations.image]
rule = "flat"
[[operations.image.models]]
name = "large"
patterns = ["large"]
credits = 4

[operations.call]
rule = "flat"
credits = "0.5"
free_allowance = 2

[operations.voice]
rule = "per_unit"
unit = "minute"
credits = "0.333333"
fractional = true
tiers = [{{ above = 3, percent = 50 }}]

[operations.render]
rule = "resource"
per_cpu_second = "0.01"
per_gb_second = "0.002"
per_second = "0.001"

[operations.own]
rule = "local"
"""
PRO_PRICES = '[plans.pro.prices.llm]\nmarkup = "1.2"\n[plans.pro.prices.voice]\ncredits = "0.25"'
OVERRIDE = (
    '[[prices.overrides]]\npatterns = ["gpt-9"]\nusd_per_million = { input = 2, output = 8 }\n'
)
FIRST = {"pro": PRO_PRICES, "markup": "1.5", "prices": "", "unknown": "quarantine", "chat": 60}


def book_text(*more: dict[str, Any]) -> str:
    """The book, with further models of openai."""
    return json.dumps(
        {
            "format": 1,
            "source": "test 1",
            "generated": "2026-11-20",
            "models_of": ["openai:*", "anthropic:*"],
            "providers": [
                {"id": "openai", "meant": {"starts": ["gpt-", "whisper"]}},
                {"id": "anthropic", "meant": {"starts": ["claude"]}},
            ],
            "models": {"openai": [GPT_5, MINI, WHISPER, *more], "anthropic": [CLAUDE, HAIKU]},
        }
    )


def write_catalog(folder: Path, *models: dict[str, Any], **changed: Any) -> Path:
    """The catalog's file with its book beside it, some of it changed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "catalog.toml"
    path.write_text(CATALOG.format(**{**FIRST, **changed}), encoding="utf-8")
    (folder / "prices.json").write_text(book_text(*models), encoding="utf-8")
    return path


def deploy(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *models: dict[str, Any], **changed: Any
) -> None:
    """The next request is answered by functions that were deployed with this catalog."""
    monkeypatch.setenv("CATALOG_PATH", str(write_catalog(folder, *models, **changed)))
    forget()
