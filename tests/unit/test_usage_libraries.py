"""Libraries between a caller and a provider: their words for the same pools."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, object]
Pools = dict[str, int]


def pools_of(raw: Raw) -> Pools:
    return normalise_usage(raw).pools.nonzero()


class TestPydantic:
    @pytest.mark.parametrize(
        ("raw", "pools"),
        [
            ({"input_tokens": 9, "output_tokens": 4}, {"input": 9, "output": 4}),
            ({"input_tokens": 9, "requests": 1}, {"input": 9}),
            (
                {"input_tokens": 9, "output_tokens": 40, "output_reasoning_tokens": 30},
                {"input": 9, "output": 10, "reasoning": 30},
            ),
            (
                {"input_tokens": 90, "cache_read_tokens": 80, "output_tokens": 4},
                {"input": 10, "cached_input": 80, "output": 4},
            ),
            (
                {"input_tokens": 90, "cache_write_tokens": 80, "cache_read_tokens": 0},
                {"input": 10, "cache_write_5m": 80},
            ),
            (
                {
                    "input_tokens": 100,
                    "cache_write_tokens": 60,
                    "cache_write_5m_tokens": 50,
                    "cache_write_1h_tokens": 10,
                },
                {"input": 40, "cache_write_5m": 50, "cache_write_1h": 10},
            ),
            (
                {"input_tokens": 100, "cache_write_1h_tokens": 10},
                {"input": 90, "cache_write_1h": 10},
            ),
            (
                {
                    "input_tokens": 20,
                    "input_audio_tokens": 18,
                    "output_tokens": 9,
                    "output_audio_tokens": 7,
                },
                {"input": 2, "audio_input": 18, "output": 2, "audio_output": 7},
            ),
            (
                {
                    "input_tokens": 50,
                    "input_audio_tokens": 20,
                    "cache_read_tokens": 10,
                    "cache_audio_read_tokens": 0,
                },
                {"input": 20, "audio_input": 20, "cached_input": 10},
            ),
            (
                {
                    "input_tokens": 50,
                    "input_audio_tokens": 20,
                    "cache_read_tokens": 10,
                    "cache_audio_read_tokens": 8,
                },
                {"input": 28, "audio_input": 12, "cached_input": 2, "cached_audio_input": 8},
            ),
            (
                {
                    "input_tokens": 50,
                    "input_image_tokens": 20,
                    "cache_read_tokens": 10,
                    "cache_image_read_tokens": 10,
                    "input_video_tokens": 5,
                    "output_tokens": 9,
                    "output_image_tokens": 6,
                    "output_video_tokens": 2,
                },
                {
                    "input": 25,
                    "image_input": 10,
                    "cached_image_input": 10,
                    "video_input": 5,
                    "output": 1,
                    "image_output": 6,
                    "video_output": 2,
                },
            ),
        ],
        ids=str,
    )
    def test_input_and_output_have_everything_in_them(self, raw: Raw, pools: Pools) -> None:
        assert pools_of(raw) == pools
        assert normalise_usage(raw).warnings == ()

    def test_its_runs_count_requests_and_searches_and_name_thoughts_in_details(self) -> None:
        usage = normalise_usage(
            {
                "requests": 3,
                "tool_calls": 9,
                "web_searches": 2,
                "input_tokens": 9,
                "output_tokens": 40,
                "cache_read_tokens": 0,
                "details": {"reasoning_tokens": 30, "text_prompt_tokens": 9},
            }
        )

        assert usage.pools.nonzero() == {"input": 9, "output": 10, "reasoning": 30}
        assert (usage.requests, usage.web_searches) == (3, 2)

    def test_parts_of_a_side_that_is_not_said_are_that_side(self) -> None:
        raw: Raw = {
            "cache_read_tokens": 7,
            "input_audio_tokens": 5,
            "output_reasoning_tokens": 3,
            "output_audio_tokens": 2,
        }

        assert pools_of(raw) == {
            "cached_input": 7,
            "audio_input": 5,
            "reasoning": 3,
            "audio_output": 2,
        }

    def test_what_only_a_total_knows_is_thinking(self) -> None:
        raw: Raw = {"input_tokens": 5, "output_tokens": 2, "requests": 1, "total_tokens": 20}

        assert pools_of(raw) == {"input": 5, "output": 2, "reasoning": 13}
        assert normalise_usage(raw).warnings == ("hidden_reasoning",)

    def test_seconds_of_sound_are_read(self) -> None:
        usage = normalise_usage({"audio_seconds": 27})

        assert (usage.seconds_micro, usage.pools.total()) == (27_000_000, 0)


class TestLangChain:
    def test_caches_and_thoughts_are_inside_their_sides(self) -> None:
        body: Raw = {
            "content": "hi",
            "usage_metadata": {
                "input_tokens": 100,
                "output_tokens": 50,
                "total_tokens": 150,
                "input_token_details": {"cache_read": 60, "cache_creation": 30, "audio": 4},
                "output_token_details": {"reasoning": 45, "audio": 2},
            },
        }

        assert pools_of(body) == {
            "input": 6,
            "cached_input": 60,
            "cache_write_5m": 30,
            "audio_input": 4,
            "output": 3,
            "reasoning": 45,
            "audio_output": 2,
        }

    @pytest.mark.parametrize("creation", [0, 30])
    def test_writes_are_split_by_how_long_the_cache_lives(self, creation: int) -> None:
        raw: Raw = {
            "input_tokens": 100,
            "output_tokens": 5,
            "input_token_details": {
                "cache_creation": creation,
                "ephemeral_5m_input_tokens": 10,
                "ephemeral_1h_input_tokens": 20,
            },
        }

        assert pools_of(raw) == {
            "input": 70,
            "cache_write_5m": 10,
            "cache_write_1h": 20,
            "output": 5,
        }

    def test_the_spelling_of_javascript_means_the_same(self) -> None:
        body: Raw = {
            "usageMetadata": {
                "inputTokens": 100,
                "outputTokens": 50,
                "totalTokens": 150,
                "inputTokenDetails": {"cacheRead": 60, "cacheCreation": 30},
                "outputTokenDetails": {"reasoning": 45},
            }
        }

        assert pools_of(body) == {
            "input": 10,
            "cached_input": 60,
            "cache_write_5m": 30,
            "output": 5,
            "reasoning": 45,
        }

    def test_a_service_tier_before_a_name_changes_nothing_of_it(self) -> None:
        raw: Raw = {
            "input_tokens": 100,
            "output_tokens": 5,
            "input_token_details": {"priority": 20, "priority_cache_read": 80},
            "output_token_details": {"priority": 1, "priority_reasoning": 4},
        }

        assert pools_of(raw) == {"input": 20, "cached_input": 80, "output": 1, "reasoning": 4}


class TestAISDK:
    def test_the_cache_and_the_thoughts_are_inside_their_sides(self) -> None:
        raw: Raw = {
            "inputTokens": 100,
            "cachedInputTokens": 80,
            "outputTokens": 50,
            "reasoningTokens": 45,
            "totalTokens": 150,
        }

        usage = normalise_usage(raw)

        assert usage.pools.nonzero() == {
            "input": 20,
            "cached_input": 80,
            "output": 5,
            "reasoning": 45,
        }
        assert usage.provider == ""

    def test_its_details_say_the_same_and_the_writes_as_well(self) -> None:
        raw: Raw = {
            "inputTokens": 100,
            "inputTokenDetails": {
                "noCacheTokens": 5,
                "cacheReadTokens": 80,
                "cacheWriteTokens": 15,
            },
            "cachedInputTokens": 80,
            "outputTokens": 50,
            "outputTokenDetails": {"textTokens": 5, "reasoningTokens": 45},
            "reasoningTokens": 45,
            "totalTokens": 150,
        }

        assert pools_of(raw) == {
            "input": 5,
            "cached_input": 80,
            "cache_write_5m": 15,
            "output": 5,
            "reasoning": 45,
        }

    def test_thoughts_beside_the_output_are_proven_by_the_total(self) -> None:
        raw: Raw = {
            "inputTokens": 10,
            "outputTokens": 5,
            "reasoningTokens": 45,
            "totalTokens": 60,
        }

        assert pools_of(raw) == {"input": 10, "output": 5, "reasoning": 45}

    def test_a_cache_above_the_input_is_cut_and_said(self) -> None:
        usage = normalise_usage({"inputTokens": 10, "cachedInputTokens": 99, "outputTokens": 1})

        assert usage.pools.nonzero() == {"cached_input": 10, "output": 1}
        assert usage.warnings == ("cached_above_input",)

    def test_its_older_names_are_read_too(self) -> None:
        raw: Raw = {"promptTokens": 10, "completionTokens": 5, "totalTokens": 15}

        assert pools_of(raw) == {"input": 10, "output": 5}


def test_ollama_counts_what_it_evaluated() -> None:
    body: Raw = {
        "model": "llama3",
        "message": {"role": "assistant", "content": "hi"},
        "done": True,
        "total_duration": 5_191_566_416,
        "prompt_eval_count": 26,
        "prompt_eval_duration": 383_809_000,
        "eval_count": 298,
    }

    assert pools_of(body) == {"input": 26, "output": 298}


def test_cursors_events_have_caches_beside_the_input() -> None:
    event: Raw = {
        "model": "claude-4-sonnet",
        "tokenUsage": {
            "inputTokens": 3,
            "outputTokens": 4,
            "cacheReadTokens": 50,
            "cacheWriteTokens": 20,
            "totalCents": 1.5,
        },
    }

    assert pools_of(event) == {"input": 3, "cached_input": 50, "cache_write_5m": 20, "output": 4}
