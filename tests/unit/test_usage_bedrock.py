"""Bedrock: caches stand beside the input, whichever way they are spelled."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import Usage, normalise_usage

Raw = dict[str, object]


def read(raw: Raw) -> tuple[dict[str, int], tuple[str, ...]]:
    """The pools that hold anything, and the warnings."""
    usage = normalise_usage(raw)
    return usage.pools.nonzero(), usage.warnings


def converse(**more: object) -> Usage:
    """A conversation of 22 in and 13 out, and what else it says."""
    return normalise_usage({"usage": {"inputTokens": 22, "outputTokens": 13, **more}})


class TestConverse:
    def test_both_spellings_of_a_cache_are_counted_once_and_beside_the_input(self) -> None:
        usage = converse(
            cacheReadInputTokens=0,
            cacheReadInputTokenCount=0,
            cacheWriteInputTokens=2492,
            cacheWriteInputTokenCount=2492,
            serverToolUsage={},
            totalTokens=2527,
        )

        assert usage.pools.nonzero() == {"input": 22, "cache_write_5m": 2492, "output": 13}
        assert (usage.provider, usage.warnings) == ("aws", ())

    @pytest.mark.parametrize("name", ["cacheReadInputTokens", "cacheReadInputTokenCount"])
    def test_either_spelling_alone_is_enough(self, name: str) -> None:
        usage = converse(**{name: 2492}, totalTokens=2527)

        assert usage.pools.nonzero() == {"input": 22, "cached_input": 2492, "output": 13}

    @pytest.mark.parametrize(
        ("rows", "pools"),
        [
            ([{"inputTokens": 70, "ttl": "5m"}], {"cache_write_5m": 70}),
            ([{"inputTokens": 70, "ttl": "1h"}], {"cache_write_1h": 70}),
            (
                [{"inputTokens": 50, "ttl": "5m"}, {"inputTokens": 20, "ttl": "1h"}],
                {"cache_write_5m": 50, "cache_write_1h": 20},
            ),
            ([], {"cache_write_5m": 70}),
            (None, {"cache_write_5m": 70}),
        ],
        ids=str,
    )
    def test_writes_are_split_by_how_long_the_cache_lives(
        self, rows: object, pools: dict[str, int]
    ) -> None:
        usage = converse(cacheWriteInputTokens=70, cacheDetails=rows, totalTokens=105)

        assert usage.pools.nonzero() == {"input": 22, **pools, "output": 13}
        assert usage.warnings == ()

    def test_a_split_without_a_total_of_writes_is_the_total(self) -> None:
        usage = converse(cacheDetails=[{"inputTokens": 20, "ttl": "1h"}])

        assert usage.pools.nonzero() == {"input": 22, "cache_write_1h": 20, "output": 13}

    def test_a_split_that_does_not_add_up_yields_to_the_total_of_writes(self) -> None:
        usage = converse(cacheWriteInputTokens=70, cacheDetails=[{"inputTokens": 99, "ttl": "1h"}])

        assert usage.pools.nonzero() == {"input": 22, "cache_write_1h": 70, "output": 13}
        assert usage.warnings == ("cache_write_mismatch",)

    def test_counts_without_a_cache_prove_no_provider(self) -> None:
        """Why: the AI SDK says the same three names, and means the same."""
        usage = converse(totalTokens=35)

        assert usage.pools.nonzero() == {"input": 22, "output": 13}
        assert (usage.provider, usage.warnings) == ("", ())

    @pytest.mark.parametrize(
        ("raw", "pools", "warnings"),
        [
            ({"inputTokens": 3, "totalTokens": 10}, {"input": 3, "output": 7}, ()),
            ({"outputTokens": 3, "totalTokens": 10}, {"input": 7, "output": 3}, ()),
            ({"totalTokens": 10}, {"input": 10}, ("total_only",)),
            (
                {"inputTokens": 3, "outputTokens": 2, "totalTokens": 10},
                {"input": 8, "output": 2},
                ("hidden_tokens",),
            ),
            (
                {"inputTokens": 3, "outputTokens": 2, "totalTokens": 4},
                {"input": 3, "output": 2},
                ("total_mismatch",),
            ),
        ],
        ids=str,
    )
    def test_pools_are_never_less_than_the_total(
        self, raw: Raw, pools: dict[str, int], warnings: tuple[str, ...]
    ) -> None:
        assert read(raw) == (pools, warnings)

    def test_the_last_event_of_a_stream_says_it_as_metadata(self) -> None:
        event: Raw = {
            "metadata": {
                "usage": {"inputTokens": 5, "outputTokens": 4, "totalTokens": 9},
                "metrics": {"latencyMs": 300},
            }
        }

        assert read(event) == ({"input": 5, "output": 4}, ())


class TestInvoked:
    def test_claude_on_bedrock_words_it_as_anthropic_does(self) -> None:
        body: Raw = {
            "id": "msg_bdrk_1",
            "model": "claude-haiku-4-5-20251001",
            "usage": {
                "input_tokens": 3,
                "cache_creation_input_tokens": 1956,
                "cache_read_input_tokens": 9511,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 1956,
                    "ephemeral_1h_input_tokens": 0,
                },
                "output_tokens": 44,
            },
        }

        assert read(body)[0] == {
            "input": 3,
            "cached_input": 9511,
            "cache_write_5m": 1956,
            "output": 44,
        }

    def test_the_metrics_at_the_end_of_a_stream_are_read(self) -> None:
        event: Raw = {
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": 9,
                "outputTokenCount": 8,
                "cacheReadInputTokenCount": 7,
                "cacheWriteInputTokenCount": 6,
                "invocationLatency": 1200,
                "firstByteLatency": 400,
            },
        }

        usage = normalise_usage(event)

        assert usage.provider == "aws"
        assert usage.pools.nonzero() == {
            "input": 9,
            "cached_input": 7,
            "cache_write_5m": 6,
            "output": 8,
        }

    @pytest.mark.parametrize(
        ("body", "pools"),
        [
            (
                {"generation": "hi", "prompt_token_count": 9, "generation_token_count": 4},
                {"input": 9, "output": 4},
            ),
            (
                {"inputTextTokenCount": 9, "results": [{"tokenCount": 4, "outputText": "hi"}]},
                {"input": 9, "output": 4},
            ),
            ({"embedding": [], "inputTextTokenCount": 9}, {"input": 9}),
        ],
        ids=["llama", "titan", "titan embeddings"],
    )
    def test_other_models_are_read_as_they_answer(self, body: Raw, pools: dict[str, int]) -> None:
        assert read(body) == (pools, ())
