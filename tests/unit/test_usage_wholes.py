"""A chat of each shape as the whole usage that it comes to: pools, warnings and all beside."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


def usage_of(
    pools: dict[str, int], warnings: tuple[str, ...] = (), *, model: str | None = None, **more: Any
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, more.pop("cost_picousd", None), warnings, **more)


CHATS: dict[str, Case] = {
    "a cache beside the prompt": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 3,
            "total_tokens": 33,
            "cache_read_input_tokens": 13,
            "cache_creation_input_tokens": 7,
        },
        {"input": 10, "cached_input": 13, "cache_write_5m": 7, "output": 3},
        (),
    ),
    "only a read beside it": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 3,
            "total_tokens": 26,
            "cache_read_input_tokens": 13,
        },
        {"input": 10, "cached_input": 13, "output": 3},
        (),
    ),
    "only a write beside it": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 3,
            "total_tokens": 20,
            "cache_creation_input_tokens": 7,
        },
        {"input": 10, "cache_write_5m": 7, "output": 3},
        (),
    ),
    "a cache beside the prompt of an embedding": (
        {"prompt_tokens": 10, "total_tokens": 23, "cache_read_input_tokens": 13},
        {"input": 10, "cached_input": 13},
        (),
    ),
    "a cache inside the prompt": (
        {
            "prompt_tokens": 30,
            "completion_tokens": 3,
            "total_tokens": 33,
            "cache_read_input_tokens": 13,
            "cache_creation_input_tokens": 7,
        },
        {"input": 10, "cached_input": 13, "cache_write_5m": 7, "output": 3},
        (),
    ),
    "a cache inside it without a total": (
        {
            "prompt_tokens": 30,
            "completion_tokens": 3,
            "cache_read_input_tokens": 13,
            "cache_creation_input_tokens": 7,
        },
        {"input": 10, "cached_input": 13, "cache_write_5m": 7, "output": 3},
        (),
    ),
    "a cache inside a prompt that only the total tells": (
        {"completion_tokens": 3, "total_tokens": 33, "cache_read_input_tokens": 13},
        {"input": 17, "cached_input": 13, "output": 3},
        (),
    ),
    "the larger of two cached counts": (
        {
            "prompt_tokens": 30,
            "completion_tokens": 3,
            "cached_tokens": 20,
            "cache_read_input_tokens": 13,
        },
        {"input": 10, "cached_input": 20, "output": 3},
        (),
    ),
    "the larger of two cached counts, the other way": (
        {
            "prompt_tokens": 30,
            "completion_tokens": 3,
            "cached_tokens": 2,
            "cache_read_input_tokens": 13,
        },
        {"input": 17, "cached_input": 13, "output": 3},
        (),
    ),
    "no cached token where only a write is named": (
        {"prompt_tokens": 30, "completion_tokens": 3, "cache_creation_input_tokens": 7},
        {"input": 23, "cache_write_5m": 7, "output": 3},
        (),
    ),
    "hits and misses alone": (
        {"prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 4, "completion_tokens": 3},
        {"input": 4, "cached_input": 8, "output": 3},
        (),
    ),
    "hits alone": (
        {"prompt_cache_hit_tokens": 8, "completion_tokens": 3},
        {"cached_input": 8, "output": 3},
        (),
    ),
    "misses alone": (
        {"prompt_cache_miss_tokens": 4, "completion_tokens": 3},
        {"input": 4, "output": 3},
        (),
    ),
    "hits below another cached count": (
        {"prompt_tokens": 12, "prompt_cache_hit_tokens": 2, "cached_tokens": 5},
        {"input": 7, "cached_input": 5},
        (),
    ),
    "details above what stands beside them": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "cached_tokens": 5,
            "cache_creation_input_tokens": 3,
            "prompt_tokens_details": {
                "cached_tokens": 40,
                "cache_write_tokens": 20,
                "audio_tokens": 10,
                "image_tokens": 6,
                "video_tokens": 2,
                "cached_tokens_details": {"audio_tokens": 4, "image_tokens": 1, "video_tokens": 1},
            },
            "completion_tokens_details": {
                "reasoning_tokens": 11,
                "audio_tokens": 7,
                "image_tokens": 5,
                "video_tokens": 3,
            },
        },
        {
            "input": 28,
            "cached_input": 35,
            "cache_write_5m": 20,
            "output": 24,
            "reasoning": 11,
            "audio_input": 6,
            "audio_output": 7,
            "cached_audio_input": 4,
            "image_input": 5,
            "cached_image_input": 1,
            "image_output": 5,
            "video_input": 1,
            "video_output": 3,
        },
        (),
    ),
    "details below what stands beside them": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "cached_tokens": 45,
            "cache_creation_input_tokens": 23,
            "reasoning_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 20},
            "completion_tokens_details": {"reasoning_tokens": 11},
        },
        {"input": 32, "cached_input": 45, "cache_write_5m": 23, "output": 30, "reasoning": 20},
        (),
    ),
    "a write that says how long it lives": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 1,
            "prompt_tokens_details": {
                "cache_creation_token_details": {
                    "ephemeral_5m_input_tokens": 10,
                    "ephemeral_1h_input_tokens": 30,
                }
            },
        },
        {"input": 60, "cache_write_5m": 10, "cache_write_1h": 30, "output": 1},
        (),
    ),
    "a write of one hour alone": (
        {
            "prompt_tokens": 100,
            "prompt_tokens_details": {"cache_creation": 50, "ephemeral_1h_input_tokens": 30},
        },
        {"input": 50, "cache_write_5m": 20, "cache_write_1h": 30},
        (),
    ),
    "a write of five minutes alone": (
        {"prompt_tokens": 100, "prompt_tokens_details": {"ephemeral_5m_input_tokens": 30}},
        {"input": 70, "cache_write_5m": 30},
        (),
    ),
    "a write of one hour beside one of any time": (
        {
            "prompt_tokens": 100,
            "cache_creation_input_tokens": 30,
            "prompt_tokens_details": {"ephemeral_1h_input_tokens": 30},
        },
        {"input": 70, "cache_write_1h": 30},
        (),
    ),
    "parts above their sides": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "cached_tokens": 11,
            "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 2},
        },
        {"cached_input": 10, "reasoning": 4, "audio_output": 1},
        ("cached_above_input", "audio_above_output"),
    ),
    "details above their sides": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"audio_tokens": 11, "cached_tokens": 2},
        },
        {"cached_input": 2, "output": 5, "audio_input": 8},
        ("audio_above_input",),
    ),
    "sides that only the parts tell": (
        {
            "prompt_cache_hit_tokens": None,
            "prompt_tokens": None,
            "completion_tokens": None,
            "cached_tokens": 4,
            "num_cached_tokens": 3,
            "prompt_cache_miss_tokens": 9,
            "completion_tokens_details": {
                "reasoning_tokens": 5,
                "audio_tokens": 4,
                "image_tokens": 3,
                "video_tokens": 2,
            },
        },
        {
            "input": 5,
            "cached_input": 4,
            "reasoning": 5,
            "audio_output": 4,
            "image_output": 3,
            "video_output": 2,
        },
        (),
    ),
    "thinking that only the total tells": (
        {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109},
        {"input": 35, "output": 12, "reasoning": 62},
        ("hidden_reasoning",),
    ),
    "thinking that is named beside the completion": (
        {
            "prompt_tokens": 35,
            "completion_tokens": 12,
            "total_tokens": 109,
            "completion_tokens_details": {"reasoning_tokens": 62},
        },
        {"input": 35, "output": 12, "reasoning": 62},
        (),
    ),
    "thinking that is named above what the total has beside": (
        {
            "prompt_tokens": 35,
            "completion_tokens": 12,
            "total_tokens": 57,
            "completion_tokens_details": {"reasoning_tokens": 11},
        },
        {"input": 35, "output": 11, "reasoning": 11},
        (),
    ),
    "thinking that is all of the completion": (
        {
            "prompt_tokens": 5,
            "completion_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 12},
        },
        {"input": 5, "reasoning": 12},
        (),
    ),
    "thinking above the completion": (
        {
            "prompt_tokens": 5,
            "completion_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 13},
        },
        {"input": 5, "reasoning": 13},
        ("reasoning_above_output",),
    ),
    "a total below its sides": (
        {"prompt_tokens": 5, "completion_tokens": 12, "total_tokens": 16},
        {"input": 5, "output": 12},
        ("total_mismatch",),
    ),
    "a total alone": ({"total_tokens": 16}, {"input": 16}, ("total_only",)),
    "zeros in one dialect and counts in the other": (
        {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 7, "output_tokens": 3},
        {"input": 7, "output": 3},
        (),
    ),
    "one side in one dialect": (
        {"prompt_tokens": 0, "completion_tokens": 4, "input_tokens": 7, "output_tokens": 3},
        {"output": 4},
        (),
    ),
}


@pytest.mark.parametrize(("raw", "pools", "warnings"), CHATS.values(), ids=CHATS.keys())
def test_a_chat_is_the_whole_usage_that_it_says(
    raw: Raw, pools: dict[str, int], warnings: tuple[str, ...]
) -> None:
    assert normalise_usage({"model": "m", "usage": raw}) == usage_of(pools, warnings, model="m")
