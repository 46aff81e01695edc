"""Anthropic: caches stand beside the input, iterations add up."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import TokenPools, UsagePart, normalise_usage
from tollkeeper.domain.usage.models import MOST_PARTS


def pools_of(raw: dict[str, object]) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


def warnings_of(raw: dict[str, object]) -> tuple[str, ...]:
    return normalise_usage(raw).warnings


def message_with(*advised: dict[str, object]) -> dict[str, object]:
    """A message of model a that thought one token and searched the web, and who else worked."""
    return {
        "model": "a",
        "usage": {
            "input_tokens": 1,
            "output_tokens": 2,
            "output_tokens_details": {"thinking_tokens": 1},
            "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 9},
            "iterations": [{"input_tokens": 1, "output_tokens": 2}, *advised],
        },
    }


class TestAnthropic:
    def test_caches_stand_beside_the_input(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 3,
            "cache_read_input_tokens": 900,
            "cache_creation_input_tokens": 70,
            "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 40,
            "output_tokens_details": {"thinking_tokens": 30},
            "service_tier": "standard",
        }

        assert pools_of(raw) == {
            "input": 3,
            "cached_input": 900,
            "cache_write_5m": 50,
            "cache_write_1h": 20,
            "output": 10,
            "reasoning": 30,
        }
        assert warnings_of(raw) == ()

    def test_cache_writes_without_a_split_live_five_minutes(self) -> None:
        raw: dict[str, object] = {"input_tokens": 3, "cache_creation_input_tokens": 70}

        assert pools_of(raw) == {"input": 3, "cache_write_5m": 70}
        assert warnings_of(raw) == ()

    def test_a_split_without_a_total_is_the_total(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 3,
            "cache_creation": {"ephemeral_1h_input_tokens": 20},
        }

        assert pools_of(raw) == {"input": 3, "cache_write_1h": 20}

    @pytest.mark.parametrize(
        ("life", "pool"),
        [
            ("ephemeral_5m_input_tokens", "cache_write_5m"),
            ("ephemeral_1h_input_tokens", "cache_write_1h"),
        ],
    )
    def test_half_a_split_that_is_the_whole_total_needs_no_other_half(
        self, life: str, pool: str
    ) -> None:
        raw: dict[str, object] = {
            "input_tokens": 3,
            "cache_creation_input_tokens": 70,
            "cache_creation": {life: 70},
        }

        assert pools_of(raw) == {"input": 3, pool: 70}
        assert warnings_of(raw) == ()

    @pytest.mark.parametrize(
        ("written_1h", "pools"),
        [
            (20, {"cache_write_5m": 50, "cache_write_1h": 20}),
            (99, {"cache_write_1h": 70}),
        ],
    )
    def test_a_split_that_does_not_add_up_yields_to_the_total(
        self, written_1h: int, pools: dict[str, int]
    ) -> None:
        raw: dict[str, object] = {
            "input_tokens": 0,
            "cache_creation_input_tokens": 70,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 1,
                "ephemeral_1h_input_tokens": written_1h,
            },
        }

        assert pools_of(raw) == pools
        assert warnings_of(raw) == ("cache_write_mismatch",)

    def test_iterations_are_summed_and_the_top_level_only_names_the_thinking(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 10,
            "output_tokens": 8,
            "output_tokens_details": {"thinking_tokens": 6},
            "iterations": [
                {"type": "compaction", "input_tokens": 500, "output_tokens": 20},
                {
                    "type": "message",
                    "input_tokens": 10,
                    "cache_read_input_tokens": 7,
                    "output_tokens": 8,
                },
            ],
        }

        assert pools_of(raw) == {"input": 510, "cached_input": 7, "output": 22, "reasoning": 6}
        assert warnings_of(raw) == ()

    def test_iterations_of_one_model_are_no_parts(self) -> None:
        body = message_with({"input_tokens": 5, "output_tokens": 5, "model": "a"})

        assert pools_of(body) == {"input": 6, "output": 6, "reasoning": 1}
        assert normalise_usage(body).parts == ()

    def test_an_iteration_of_another_model_is_a_part_of_its_own(self) -> None:
        """Why: an advisor is billed at its own model; thinking and searches are the message's."""
        usage = normalise_usage(message_with({"input_tokens": 5, "output_tokens": 5, "model": "b"}))

        assert usage.pools == TokenPools(input=6, output=6, reasoning=1)
        assert usage.parts == (
            UsagePart(None, TokenPools(input=1, output=1, reasoning=1), web_searches=3),
            UsagePart("b", TokenPools(input=5, output=5)),
        )
        assert (usage.web_searches, usage.warnings) == (3, ())

    def test_every_iteration_of_a_model_is_in_one_part(self) -> None:
        row: dict[str, object] = {"input_tokens": 5, "output_tokens": 5, "model": "b"}

        assert normalise_usage(message_with(row, row)).parts[1:] == (
            UsagePart("b", TokenPools(input=10, output=10)),
        )

    def test_more_models_than_any_message_has_are_charged_as_its_own_and_said(self) -> None:
        rows: list[dict[str, object]] = [
            {"input_tokens": 1, "output_tokens": 1, "model": f"m{number}"} for number in range(50)
        ]

        usage = normalise_usage(message_with(*rows))

        assert usage.pools.total() == 3 + 100
        assert len(usage.parts) == MOST_PARTS
        assert usage.warnings == ("too_many_models",)

    def test_parts_add_up_to_the_pools_where_every_iteration_names_another_model(self) -> None:
        usage = normalise_usage(
            {
                "input_tokens": 0,
                "output_tokens": 0,
                "iterations": [
                    {"input_tokens": 2, "output_tokens": 3, "model": "b"},
                    {"input_tokens": 5, "output_tokens": 7, "model": "c"},
                ],
            }
        )

        assert usage.parts == (
            UsagePart("b", TokenPools(input=2, output=3)),
            UsagePart("c", TokenPools(input=5, output=7)),
        )
        assert usage.pools == TokenPools(input=7, output=10)

    @pytest.mark.parametrize("model", [None, "claude-opus-5", "eu.anthropic.claude-opus-5"])
    def test_the_shape_of_a_claude_is_anthropics(self, model: str | None) -> None:
        raw: dict[str, object] = {"input_tokens": 1, "cache_read_input_tokens": 0}

        assert normalise_usage({"model": model, "usage": raw}).provider == "anthropic"

    def test_the_same_shape_of_another_model_proves_nothing(self) -> None:
        raw: dict[str, object] = {"input_tokens": 1, "cache_read_input_tokens": 0}

        assert normalise_usage({"model": "MiniMax-M2", "usage": raw}).provider == ""

    @pytest.mark.parametrize(
        ("total", "pools", "warnings"),
        [
            (62, {"input": 8, "cached_input": 50, "output": 4}, ()),
            (112, {"input": 58, "cached_input": 50, "output": 4}, ()),
            (120, {"input": 66, "cached_input": 50, "output": 4}, ("hidden_tokens",)),
            (100, {"input": 58, "cached_input": 50, "output": 4}, ("total_mismatch",)),
        ],
    )
    def test_a_total_of_a_copy_says_whether_its_caches_are_inside_the_input(
        self, total: int, pools: dict[str, int], warnings: tuple[str, ...]
    ) -> None:
        raw: dict[str, object] = {
            "input_tokens": 58,
            "cache_read_input_tokens": 50,
            "output_tokens": 4,
            "total_tokens": total,
        }

        assert pools_of(raw) == pools
        assert warnings_of(raw) == warnings

    def test_one_iteration_equal_to_the_top_level_is_the_message_itself(self) -> None:
        counts: dict[str, object] = {
            "input_tokens": 10,
            "output_tokens": 8,
            "output_tokens_details": {"thinking_tokens": 6},
        }
        raw: dict[str, object] = {**counts, "iterations": [counts]}

        assert pools_of(raw) == {"input": 10, "output": 2, "reasoning": 6}
        assert warnings_of(raw) == ()

    def test_iterations_below_the_top_level_are_overruled_by_it(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 10,
            "output_tokens": 8,
            "iterations": [{"input_tokens": 1, "output_tokens": 1}],
        }

        assert pools_of(raw) == {"input": 10, "output": 8}
        assert warnings_of(raw) == ("total_mismatch",)

    def test_the_last_object_of_a_stream_may_name_the_output_alone(self) -> None:
        assert pools_of({"output_tokens": 15}) == {"output": 15}
