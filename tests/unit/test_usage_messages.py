"""Anthropic and Bedrock: a report whose caches stand beside its input, as the whole usage."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, Usage, UsagePart, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


def usage_of(
    pools: dict[str, int], warnings: tuple[str, ...] = (), *, model: str | None = None, **more: Any
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, more.pop("cost_picousd", None), warnings, **more)


MESSAGE: Raw = {
    "input_tokens": 10,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 12, "ephemeral_1h_input_tokens": 18},
    "output_tokens": 40,
    "output_tokens_details": {"thinking_tokens": 15},
    "server_tool_use": {"web_search_requests": 2},
}
MESSAGE_POOLS = {
    "input": 10,
    "cached_input": 20,
    "cache_write_5m": 12,
    "cache_write_1h": 18,
    "output": 25,
    "reasoning": 15,
}


class TestMessages:
    @pytest.mark.parametrize(
        ("changed", "pools", "warnings"),
        [
            ({}, {}, ()),
            ({"total_tokens": 100}, {}, ()),
            ({"total_tokens": 105}, {"input": 15}, ("hidden_tokens",)),
            ({"total_tokens": 99}, {}, ("total_mismatch",)),
            ({"total_tokens": 50}, {}, ("total_mismatch",)),
            ({"input_tokens": 60, "total_tokens": 100}, {"input": 10}, ()),
            ({"input_tokens": 50, "total_tokens": 90}, {"input": 0}, ()),
            ({"output_tokens": None}, {"output": 0}, ()),
            (
                {"output_tokens": 14},
                {"output": 0, "reasoning": 14},
                ("reasoning_above_output",),
            ),
            ({"output_tokens_details": {}}, {"output": 40, "reasoning": 0}, ()),
            ({"output_tokens_details": None}, {"output": 40, "reasoning": 0}, ()),
            ({"cache_creation": None}, {"cache_write_5m": 30, "cache_write_1h": 0}, ()),
            ({"cache_creation": {}}, {"cache_write_5m": 30, "cache_write_1h": 0}, ()),
            (
                {"cache_creation": {"ephemeral_1h_input_tokens": 18}},
                {},
                ("cache_write_mismatch",),
            ),
            (
                {"cache_creation": {"ephemeral_1h_input_tokens": 31}},
                {"cache_write_5m": 0, "cache_write_1h": 30},
                ("cache_write_mismatch",),
            ),
            (
                {"cache_creation": {"ephemeral_5m_input_tokens": 30}},
                {"cache_write_5m": 30, "cache_write_1h": 0},
                (),
            ),
            ({"cache_creation_input_tokens": None}, {}, ()),
            (
                {
                    "cache_creation_input_tokens": None,
                    "cache_creation": {"ephemeral_5m_input_tokens": 5},
                },
                {"cache_write_5m": 5, "cache_write_1h": 0},
                (),
            ),
            (
                {
                    "cache_creation_input_tokens": None,
                    "cache_creation": {"ephemeral_1h_input_tokens": 5},
                },
                {"cache_write_5m": 0, "cache_write_1h": 5},
                (),
            ),
        ],
        ids=str,
    )
    def test_a_message_is_the_whole_usage_that_it_says(
        self, changed: Raw, pools: dict[str, int], warnings: tuple[str, ...]
    ) -> None:
        read = normalise_usage({"model": "claude-x", "usage": MESSAGE | changed})

        assert read == usage_of(
            MESSAGE_POOLS | pools, warnings, model="claude-x", provider="anthropic", web_searches=2
        )

    def test_iterations_are_summed_and_each_model_is_a_part(self) -> None:
        own: Raw = {"model": "claude-x", "input_tokens": 10, "output_tokens": 40}
        other: Raw = {"model": "advisor", "input_tokens": 5, "output_tokens": 6}
        raw: Raw = {
            "input_tokens": 10,
            "output_tokens": 40,
            "output_tokens_details": {"thinking_tokens": 15},
            "server_tool_use": {"web_search_requests": 2},
            "iterations": [own, other, {**other, "output_tokens": 1}],
        }

        read = normalise_usage({"model": "claude-x", "usage": raw})

        assert read == usage_of(
            {"input": 20, "output": 32, "reasoning": 15},
            model="claude-x",
            provider="anthropic",
            web_searches=2,
            parts=(
                UsagePart(None, TokenPools(10, output=25, reasoning=15), 2),
                UsagePart("advisor", TokenPools(10, output=7)),
            ),
        )

    def test_a_part_of_nothing_is_none_unless_it_searched(self) -> None:
        other: Raw = {"model": "advisor", "input_tokens": 5, "output_tokens": 6}
        raw: Raw = {
            "input_tokens": 0,
            "output_tokens": 0,
            "iterations": [{**other, "model": "first"}, other],
        }
        parts = tuple(UsagePart(name, TokenPools(5, output=6)) for name in ("first", "advisor"))
        tools = {"server_tool_use": {"web_search_requests": 2}}
        pools = {"input": 10, "output": 12}

        assert normalise_usage(raw) == usage_of(pools, provider="anthropic", parts=parts)
        assert normalise_usage(raw | tools) == usage_of(
            pools,
            provider="anthropic",
            parts=(*parts, UsagePart(None, TokenPools(), 2)),
            web_searches=2,
        )

    def test_iterations_of_less_than_the_top_level_are_not_believed(self) -> None:
        raw: Raw = {**MESSAGE, "iterations": [{"input_tokens": 10, "output_tokens": 40}]}

        assert normalise_usage(raw) == usage_of(
            MESSAGE_POOLS, ("total_mismatch",), provider="anthropic", web_searches=2
        )

    @pytest.mark.parametrize("iterations", [5, "none", {"input_tokens": 1}])
    def test_iterations_that_are_no_list_are_noticed(self, iterations: object) -> None:
        assert normalise_usage({**MESSAGE, "iterations": iterations}) == usage_of(
            MESSAGE_POOLS, ("impossible_details",), provider="anthropic", web_searches=2
        )

    def test_an_empty_list_of_iterations_is_none(self) -> None:
        raw: Raw = {**MESSAGE, "iterations": [], "total_tokens": 105}

        assert normalise_usage(raw) == usage_of(
            {**MESSAGE_POOLS, "input": 15},
            ("hidden_tokens",),
            provider="anthropic",
            web_searches=2,
        )


BEDROCK: dict[str, tuple[Raw, dict[str, int], tuple[str, ...], str]] = {
    "all that converse says": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 45,
            "cacheReadInputTokens": 20,
            "cacheWriteInputTokens": 10,
            "cacheDetails": [
                {"inputTokens": 4, "ttl": "5m"},
                {"inputTokens": 5, "ttl": "1h"},
                {"inputTokens": 1},
            ],
        },
        {"input": 10, "cached_input": 20, "cache_write_5m": 5, "cache_write_1h": 5, "output": 5},
        (),
        "aws",
    ),
    "no details": (
        {"inputTokens": 10, "outputTokens": 5, "cacheWriteInputTokens": 10, "cacheDetails": []},
        {"input": 10, "cache_write_5m": 10, "output": 5},
        (),
        "aws",
    ),
    "details alone": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "cacheDetails": [{"inputTokens": 4, "ttl": "1h"}, {"inputTokens": 3, "ttl": "1h"}],
        },
        {"input": 10, "cache_write_1h": 7, "output": 5},
        (),
        "aws",
    ),
    "details that do not add up": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "cacheWriteInputTokens": 10,
            "cacheDetails": [{"inputTokens": 4, "ttl": "1h"}],
        },
        {"input": 10, "cache_write_5m": 6, "cache_write_1h": 4, "output": 5},
        ("cache_write_mismatch",),
        "aws",
    ),
    "parts above their side": (
        {
            "inputTokens": 1,
            "outputTokens": 5,
            "cacheReadInputTokens": 2,
            "cacheDetails": [{"inputTokens": 4, "ttl": "1h"}, "x"],
        },
        {"input": 1, "cached_input": 2, "cache_write_1h": 4, "output": 5},
        ("impossible_details",),
        "aws",
    ),
    "an empty list of details": (
        {"inputTokens": 1, "outputTokens": 5, "cacheDetails": []},
        {"input": 1, "output": 5},
        (),
        "aws",
    ),
    "nothing of bedrock alone": (
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15},
        {"input": 10, "output": 5},
        (),
        "",
    ),
    "more in the total": (
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 16},
        {"input": 11, "output": 5},
        ("hidden_tokens",),
        "",
    ),
    "less in the total": (
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 14},
        {"input": 10, "output": 5},
        ("total_mismatch",),
        "",
    ),
    "no output": ({"inputTokens": 10, "totalTokens": 16}, {"input": 10, "output": 6}, (), ""),
    "no input": ({"outputTokens": 10, "totalTokens": 16}, {"input": 6, "output": 10}, (), ""),
    "a total alone": ({"totalTokens": 16}, {"input": 16}, ("total_only",), ""),
    "cursors caches": (
        {"inputTokens": 10, "outputTokens": 5, "cacheReadTokens": 3, "cacheWriteTokens": 2},
        {"input": 10, "cached_input": 3, "cache_write_5m": 2, "output": 5},
        (),
        "",
    ),
    "what an invocation says": (
        {
            "inputTokenCount": 10,
            "outputTokenCount": 5,
            "cacheReadInputTokenCount": 3,
            "cacheWriteInputTokenCount": 2,
        },
        {"input": 10, "cached_input": 3, "cache_write_5m": 2, "output": 5},
        (),
        "aws",
    ),
    "what titan says": (
        {"inputTextTokenCount": 10, "results": [{"tokenCount": 5}, {"tokenCount": 4}, {}]},
        {"input": 10, "output": 9},
        (),
        "aws",
    ),
    "what llama says": (
        {"prompt_token_count": 10, "generation_token_count": 5},
        {"input": 10, "output": 5},
        (),
        "aws",
    ),
}


@pytest.mark.parametrize(
    ("raw", "pools", "warnings", "provider"), BEDROCK.values(), ids=BEDROCK.keys()
)
def test_bedrock_says_the_whole_usage(
    raw: Raw, pools: dict[str, int], warnings: tuple[str, ...], provider: str
) -> None:
    assert normalise_usage(raw) == usage_of(pools, warnings, provider=provider)


@pytest.mark.parametrize(
    ("geo", "warnings"),
    [
        ("us", ("regional_inference",)),
        ("global", ()),
        ("not_available", ()),
        (None, ()),
        (5, ()),
    ],
    ids=str,
)
def test_a_region_that_costs_more_than_the_book_says_is_told(
    geo: object, warnings: tuple[str, ...]
) -> None:
    usage = normalise_usage({"input_tokens": 25, "output_tokens": 150, "inference_geo": geo})

    assert usage.pools == TokenPools(input=25, output=150)
    assert usage.warnings == warnings
