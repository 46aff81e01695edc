"""Good requests to spoil: of every route, of the documented examples, and what providers sent."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from local.openapi.examples import read_examples
from simulation.hostile.target import ACCOUNTS
from tests.support.requests import ASKS
from tollkeeper.edge.wire import LARGEST_BODY_BYTES

DATA = Path(__file__).parents[3] / "shared" / "data"
Body = dict[str, Any]

# The shapes that providers use, made up: what is recorded lies beside some checkouts only.
USAGES: tuple[Body, ...] = (
    {"input": 20, "output": 5},
    {"total": 25},
    {"input": 1, "cached_input": 2, "cache_write_5m": 3, "reasoning": 4, "audio_output": 5},
    {
        "object": "chat.completion",
        "model": "gpt-4",
        "usage": {
            "prompt_tokens": 30,
            "completion_tokens": 9,
            "total_tokens": 39,
            "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    },
    {
        "object": "response",
        "model": "gpt-4",
        "usage": {
            "input_tokens": 30,
            "input_tokens_details": {"cached_tokens": 10},
            "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 4},
            "total_tokens": 39,
        },
    },
    {
        "type": "message",
        "model": "claude",
        "usage": {
            "input_tokens": 30,
            "cache_creation_input_tokens": 4,
            "cache_read_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 9,
        },
    },
    {
        "modelVersion": "gemini-pro",
        "usageMetadata": {
            "promptTokenCount": 30,
            "cachedContentTokenCount": 10,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 4,
            "totalTokenCount": 39,
        },
    },
)
RUN: Body = {
    "account": "user_1",
    "operation": "ai_tokens",
    "model": "gpt-4",
    "usage": {"input": 20, "output": 5},
    "feature": "chat",
    "service": "openai",
    "subtype": "pdf",
    "response_time_ms": 812,
    "occurred_at": "2026-11-20T11:59:59Z",
    "success": True,
    "plan": "free",
    "quote_id": None,
    "metadata": {"character": "Ada"},
}


@lru_cache(maxsize=1)
def good_bodies() -> dict[str, list[Body]]:
    """Bodies that a route takes, from the rows of the tests and from docs/api.md."""
    examples = read_examples()
    found: dict[str, list[Body]] = {}
    for route, asks in ASKS.items():
        if asks.model is None:
            continue
        rows: list[Body] = [json.loads(asks.raw())]
        shown = examples[route].bodies if route in examples else []
        rows += [body for body in shown if set(body) <= set(asks.members)]
        if "usage" in asks.members:
            rows.append({name: value for name, value in RUN.items() if name in asks.members})
        if "success" in asks.members:
            rows += [{**rows[0], "quantity": 2}, {**rows[0], "success": False}]
        if "account" in asks.members:
            rows += [{**rows[0], "account": account} for account in ACCOUNTS[1:]]
        found[route] = rows
    return found


@lru_cache(maxsize=1)
def usages() -> list[Body]:
    """Usage as providers report it, recorded where the recordings are there."""
    found = list(USAGES)
    for path in sorted((DATA / "usage").glob("*.jsonl")) if DATA.is_dir() else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            body = json.loads(line)["body"]
            if isinstance(body, dict) and len(line) < LARGEST_BODY_BYTES // 2:
                found.append(cast("Body", body))
    return found


@lru_cache(maxsize=1)
def stripe_objects() -> list[Body]:
    """Events of Stripe, recorded where the recordings are there."""
    found: list[Body] = []
    for path in sorted((DATA / "stripe").glob("*.json")) if DATA.is_dir() else ():
        value = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(value, dict) and "object" in value:
            found.append(cast("Body", value))
    return found
