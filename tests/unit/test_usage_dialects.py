"""Cohere, libraries, seconds and plain counts: each as the whole usage it comes to."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


def usage_of(
    pools: dict[str, int], warnings: tuple[str, ...] = (), *, model: str | None = None, **more: Any
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, None, warnings, **more)


COHERE: dict[str, tuple[Raw, dict[str, int], int]] = {
    "billed units": (
        {
            "billed_units": {"input_tokens": 9, "output_tokens": 4, "image_tokens": 3},
            "tokens": {"input_tokens": 90, "output_tokens": 40},
            "cached_tokens": 2,
        },
        {"input": 9, "image_input": 3, "output": 4},
        1,
    ),
    "searches": ({"billed_units": {"search_units": 5}}, {}, 5),
    "classifications": (
        {"billed_units": {"classifications": 6, "input_tokens": 1}},
        {"input": 1},
        6,
    ),
    "nothing billed": (
        {
            "billed_units": {},
            "tokens": {"input_tokens": 90, "output_tokens": 40},
            "cached_tokens": 2,
        },
        {"input": 88, "cached_input": 2, "output": 40},
        1,
    ),
    "no search at all": ({"billed_units": {"search_units": 0}}, {}, 1),
}


@pytest.mark.parametrize(("raw", "pools", "requests"), COHERE.values(), ids=COHERE.keys())
def test_cohere_says_the_whole_usage(raw: Raw, pools: dict[str, int], requests: int) -> None:
    expected = usage_of(pools, provider="cohere", requests=requests)

    assert normalise_usage({"usage": raw}) == normalise_usage({"meta": raw}) == expected


LIBRARIES: dict[str, tuple[Raw, dict[str, int], tuple[str, ...], dict[str, Any]]] = {
    "the ai sdk": (
        {
            "inputTokens": 100,
            "outputTokens": 50,
            "totalTokens": 150,
            "cachedInputTokens": 30,
            "reasoningTokens": 20,
        },
        {"input": 70, "cached_input": 30, "output": 30, "reasoning": 20},
        (),
        {},
    ),
    "the ai sdk with details": (
        {
            "inputTokens": 100,
            "outputTokens": 50,
            "cachedInputTokens": 30,
            "reasoningTokens": 25,
            "inputTokenDetails": {"cacheReadTokens": 40, "cacheWriteTokens": 10},
            "outputTokenDetails": {"reasoningTokens": 20},
        },
        {"input": 50, "cached_input": 40, "cache_write_5m": 10, "output": 25, "reasoning": 25},
        (),
        {},
    ),
    "langchain in javascript": (
        {
            "inputTokens": 100,
            "outputTokens": 50,
            "totalTokens": 150,
            "inputTokenDetails": {"cacheRead": 40, "cacheCreation": 10},
            "outputTokenDetails": {"reasoning": 20},
        },
        {"input": 50, "cached_input": 40, "cache_write_5m": 10, "output": 30, "reasoning": 20},
        (),
        {},
    ),
    "the ai sdk of old": (
        {"promptTokens": 100, "completionTokens": 50, "totalTokens": 160},
        {"input": 100, "output": 50, "reasoning": 10},
        ("hidden_reasoning",),
        {},
    ),
    "pydantic-ai": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read_tokens": 30,
            "cache_write_tokens": 20,
            "input_audio_tokens": 12,
            "cache_audio_read_tokens": 5,
            "output_audio_tokens": 7,
            "details": {"reasoning_tokens": 9},
            "requests": 3,
        },
        {
            "input": 43,
            "cached_input": 25,
            "cache_write_5m": 20,
            "output": 34,
            "reasoning": 9,
            "audio_input": 7,
            "audio_output": 7,
            "cached_audio_input": 5,
        },
        (),
        {"requests": 3},
    ),
    "genai-prices": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_write_5m_tokens": 4,
            "cache_write_1h_tokens": 6,
            "input_image_tokens": 9,
            "cache_image_read_tokens": 2,
            "cache_read_tokens": 10,
            "input_video_tokens": 5,
            "cache_video_read_tokens": 1,
            "output_reasoning_tokens": 8,
            "output_image_tokens": 3,
            "output_video_tokens": 2,
            "web_searches": 4,
            "audio_seconds": 1.5,
            "requests": 0,
            "details": {"thoughts_tokens": 5},
        },
        {
            "input": 69,
            "cached_input": 8,
            "cache_write_5m": 4,
            "cache_write_1h": 6,
            "output": 37,
            "reasoning": 8,
            "image_input": 7,
            "cached_image_input": 2,
            "image_output": 3,
            "video_input": 4,
            "video_output": 2,
        },
        (),
        {"web_searches": 4, "seconds_micro": 1_500_000},
    ),
    "writes that do not add up": (
        {
            "input_tokens": 100,
            "cache_write_tokens": 11,
            "cache_write_5m_tokens": 4,
            "cache_write_1h_tokens": 6,
        },
        {"input": 89, "cache_write_5m": 5, "cache_write_1h": 6},
        ("cache_write_mismatch",),
        {},
    ),
    "parts without their sides": (
        {
            "cache_read_tokens": 10,
            "cache_write_tokens": 5,
            "input_audio_tokens": 4,
            "input_image_tokens": 3,
            "input_video_tokens": 2,
            "output_reasoning_tokens": 8,
            "output_audio_tokens": 3,
            "output_image_tokens": 2,
            "output_video_tokens": 1,
        },
        {
            "cached_input": 10,
            "cache_write_5m": 5,
            "reasoning": 8,
            "audio_input": 4,
            "image_input": 3,
            "video_input": 2,
            "audio_output": 3,
            "image_output": 2,
            "video_output": 1,
        },
        (),
        {},
    ),
    "parts of pydantic-ai above their sides": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_tokens": 12,
            "output_reasoning_tokens": 9,
            "total_tokens": 14,
        },
        {"cached_input": 10, "reasoning": 5},
        ("total_mismatch", "cached_above_input", "reasoning_above_output"),
        {},
    ),
    "parts of the ai sdk above their sides": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 15,
            "inputTokenDetails": {"cacheReadTokens": 8, "cacheWriteTokens": 3},
            "outputTokenDetails": {"reasoningTokens": 9},
        },
        {"cached_input": 8, "cache_write_5m": 2, "reasoning": 5},
        ("cache_write_above_input", "reasoning_above_output"),
        {},
    ),
    "a side that only the details tell": (
        {"input_tokens": 10, "requests": 1, "details": {"reasoning_tokens": 3}},
        {"input": 10, "reasoning": 3},
        (),
        {},
    ),
    "details of nothing": (
        {"input_tokens": 10, "output_tokens": 5, "details": {"reasoning_tokens": 0}, "requests": 1},
        {"input": 10, "output": 5},
        (),
        {},
    ),
    "details of nothing in the ai sdk": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "inputTokenDetails": {"cacheReadTokens": 0, "cacheWriteTokens": 0},
            "outputTokenDetails": {"reasoningTokens": 0},
        },
        {"input": 10, "output": 5},
        (),
        {},
    ),
    "details that say nothing": (
        {"input_tokens": 10, "output_tokens": 5, "requests": 1, "details": {"other": 3}},
        {"input": 10, "output": 5},
        (),
        {},
    ),
    "more in the total of pydantic-ai": (
        {"input_tokens": 10, "output_tokens": 5, "total_tokens": 22, "requests": 1},
        {"input": 10, "output": 5, "reasoning": 7},
        ("hidden_reasoning",),
        {},
    ),
    "a total alone": (
        {"total_tokens": 22, "requests": 2},
        {"input": 22},
        ("total_only",),
        {"requests": 2},
    ),
    "ollama": ({"prompt_eval_count": 7, "eval_count": 3}, {"input": 7, "output": 3}, (), {}),
    "ollama from its cache": ({"eval_count": 3}, {"output": 3}, (), {}),
    "ollama of an embedding": ({"prompt_eval_count": 7}, {"input": 7}, (), {}),
    "seconds": ({"seconds": 1.5}, {}, (), {"seconds_micro": 1_500_000}),
    "seconds and a total": (
        {"duration": 2, "total_tokens": 7},
        {"input": 7},
        ("total_only",),
        {"seconds_micro": 2_000_000},
    ),
    "the first of many seconds that can be": (
        {"seconds": -1, "billable_audio_seconds": 3, "audio_duration": 4},
        {},
        ("impossible_seconds",),
        {"seconds_micro": 3_000_000},
    ),
    "seconds beside tokens": (
        {"prompt_tokens": 5, "billable_audio_seconds": 3},
        {"input": 5},
        (),
        {"seconds_micro": 3_000_000},
    ),
    "other seconds beside tokens": ({"prompt_tokens": 5, "seconds": 3}, {"input": 5}, (), {}),
    "less than a microsecond": ({"seconds": 1e-9}, {}, (), {"seconds_micro": 1}),
    "the longest sound": ({"seconds": 10**8}, {}, (), {"seconds_micro": 10**14}),
    "plain counts": (
        {"input": 5, "cached_input": 4, "video_output": 3, "total": 12},
        {"input": 5, "cached_input": 4, "video_output": 3},
        (),
        {},
    ),
    "a plain total": ({"total": 12}, {"input": 12}, ("total_only",), {}),
    "plain nothing": ({"input": 0, "total": 0}, {}, (), {}),
}


@pytest.mark.parametrize(
    ("raw", "pools", "warnings", "more"), LIBRARIES.values(), ids=LIBRARIES.keys()
)
def test_each_dialect_says_the_whole_usage(
    raw: Raw, pools: dict[str, int], warnings: tuple[str, ...], more: dict[str, Any]
) -> None:
    assert normalise_usage(raw) == usage_of(pools, warnings, **more)


@pytest.mark.parametrize(
    ("raw", "member", "reason"),
    [
        (
            {"input": 5, "output": 3, "total": 9},
            "usage.total",
            "must be the sum of the pools, 8",
        ),
        (
            {"input": -1},
            "usage.input",
            "must be a whole number of tokens from 0 to 1000000000000",
        ),
        (
            {"input": 1, "x" * 70: 1},
            f"usage.{'x' * 64}",
            "is no token pool; known are input, cached_input, cache_write_5m, cache_write_1h, "
            "output, reasoning, audio_input, audio_output, cached_audio_input, image_input, "
            "cached_image_input, image_output, video_input, video_output, total",
        ),
        ({"seconds": 10**8 + 1}, "usage", "holds no possible token count"),
    ],
    ids=str,
)
def test_counts_of_ones_own_are_held_to_the_letter(raw: Raw, member: str, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        normalise_usage(raw)

    assert refused.value.problems == ((member, reason),)
