"""Iterations name the message's own model by whatever name: what it thought stays its own."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.usage import TokenPools, UsagePart, normalise_usage

Raw = dict[str, Any]

DATED = "claude-sonnet-5-20260601"


def row(kind: str, model: str | None, read: int, said: int) -> Raw:
    """An iteration without caches."""
    return {"type": kind, "model": model, "input_tokens": read, "output_tokens": said}


def usage_with(*rows: Raw) -> Raw:
    """A usage of 412 tokens read and 89 said, of which 40 were thought."""
    return {
        "input_tokens": 412,
        "output_tokens": 89,
        "output_tokens_details": {"thinking_tokens": 40},
        "iterations": list(rows),
    }


OWN = TokenPools(input=412, output=49, reasoning=40)


def test_a_usage_without_its_message_is_of_the_model_that_its_iterations_name() -> None:
    usage = normalise_usage(usage_with(row("message", DATED, 412, 89)))

    assert (usage.pools, usage.parts, usage.model) == (OWN, (), DATED)
    assert usage.warnings == ()


def test_another_name_of_the_messages_model_is_the_message_itself() -> None:
    body = {"model": DATED, "usage": usage_with(row("message", "claude-sonnet-5", 412, 89))}

    usage = normalise_usage(body)

    assert (usage.pools, usage.parts, usage.model) == (OWN, (), DATED)
    assert usage.warnings == ()


def test_a_fallback_is_the_message_and_what_was_declined_is_a_part() -> None:
    declined = row("message", "claude-fable-5", 400, 5)
    answered = row("fallback_message", "claude-sonnet-5", 412, 89)
    part = UsagePart("claude-fable-5", TokenPools(input=400, output=5))

    usage = normalise_usage({"model": DATED, "usage": usage_with(declined, answered)})

    assert set(usage.parts) == {part, UsagePart(None, OWN)}
    assert usage.pools == OWN.plus(part.pools)
    assert usage.warnings == ()


def test_an_advisor_is_never_the_message() -> None:
    advice = row("advisor_message", "claude-opus-5", 800, 90)

    usage = normalise_usage(usage_with(row("message", DATED, 412, 89), advice))

    assert usage.model == DATED
    assert [part.model for part in usage.parts] == [None, "claude-opus-5"]


START: Raw = {
    "type": "message_start",
    "message": {
        "model": "claude-sonnet-5",
        "usage": {
            "input_tokens": 25,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 300,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 100,
                "ephemeral_1h_input_tokens": 200,
            },
            "output_tokens": 1,
        },
    },
}
METRICS: Raw = {
    "type": "message_stop",
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 25,
        "outputTokenCount": 15,
        "cacheReadInputTokenCount": 7,
        "cacheWriteInputTokenCount": 300,
    },
}


def test_the_metrics_of_a_stream_do_not_hide_how_long_its_caches_live() -> None:
    delta: Raw = {"type": "message_delta", "usage": {"output_tokens": 15}}

    usage = normalise_usage({"events": [START, delta, METRICS]})

    assert usage.pools.nonzero() == {
        "input": 25,
        "cached_input": 7,
        "cache_write_5m": 100,
        "cache_write_1h": 200,
        "output": 15,
    }


def test_the_metrics_alone_are_the_usage() -> None:
    usage = normalise_usage({"events": [METRICS]})

    assert usage.pools.nonzero() == {
        "input": 25,
        "cached_input": 7,
        "cache_write_5m": 300,
        "output": 15,
    }
