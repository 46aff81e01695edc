"""What is half said, said twice or said by nobody: the corners of the dialects."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, normalise_usage

Raw = dict[str, Any]


@pytest.mark.parametrize(
    ("raw", "pools", "warnings"),
    [
        (
            {"inputTokenCount": 5, "outputTokenCount": 6, "totalTokenCount": 3},
            {"input": 5, "output": 6},
            ("total_mismatch",),
        ),
        (
            {"usage": {"tokens": {"input_tokens": 5, "output_tokens": 1}, "cached_tokens": 9}},
            {"cached_input": 5, "output": 1},
            ("cached_above_input",),
        ),
        (
            {"prompt_tokens": 5, "citation_tokens": 4, "total_tokens": 9},
            {"input": 9},
            (),
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"video_tokens": 4}},
            {"input": 5, "video_input": 4},
            (),
        ),
        (
            {
                "input_tokens": 9,
                "input_tokens_details": {
                    "cache_creation": {"ephemeral_5m_input_tokens": 2},
                    "cache_creation_token_details": {},
                },
            },
            {"input": 7, "cache_write_5m": 2},
            (),
        ),
        (
            {
                "prompt_audio_seconds": 3,
                "prompt_tokens": 4,
                "completion_tokens": 2,
                "total_tokens": 10,
            },
            {"input": 4, "audio_input": 4, "output": 2},
            (),
        ),
        (
            {"prompt_tokens": 5, "connector_tokens": 4, "total_tokens": 9},
            {"input": 9},
            (),
        ),
    ],
    ids=str,
)
def test_a_count_that_is_missing_or_too_much_is_made_good(
    raw: Raw, pools: dict[str, int], warnings: tuple[str, ...]
) -> None:
    usage = normalise_usage(raw)

    assert (usage.pools, usage.warnings) == (TokenPools(**pools), warnings)


def test_searches_that_are_no_object_are_none() -> None:
    usage = normalise_usage({"input_tokens": 5, "output_tokens": 1, "server_tool_use": 7})

    assert (usage.web_searches, usage.warnings) == (0, ("impossible_details",))


def test_where_one_iteration_names_no_model_another_name_is_another_model() -> None:
    rows = [
        {"type": "message", "input_tokens": 3, "output_tokens": 1},
        {"type": "message", "model": "claude-x", "input_tokens": 4, "output_tokens": 2},
    ]

    usage = normalise_usage(
        {"model": "claude-y", "usage": {"input_tokens": 7, "output_tokens": 3, "iterations": rows}}
    )

    assert [part.model for part in usage.parts] == [None, "claude-x"]


def test_what_tools_used_is_read_from_the_last_event_of_a_stream() -> None:
    usage = {"input_tokens": 5, "output_tokens": 1}
    drawn = {
        "input_tokens": 2,
        "output_tokens": 13,
        "output_tokens_details": {"text_tokens": 3, "image_tokens": 10},
    }
    last = {"usage": usage, "tool_usage": {"web_search": {"num_requests": 2}, "image_gen": drawn}}

    found = normalise_usage({"events": [{"response": {"usage": usage}}, {"response": last}]})

    assert found.web_searches == 2
    assert found.pools == TokenPools(input=7, output=4, image_output=10)


def test_a_stream_on_bedrock_that_breaks_off_keeps_the_cache_of_its_start() -> None:
    start: Raw = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 8,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 8},
        "output_tokens": 1,
    }
    metrics = {"inputTokenCount": 3, "outputTokenCount": 1, "cacheWriteInputTokenCount": 8}

    usage = normalise_usage(
        {
            "events": [
                {"type": "message_start", "message": {"model": "claude-x", "usage": start}},
                {"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics},
            ]
        }
    )

    assert usage.pools == TokenPools(input=3, cache_write_1h=8, output=1)
