"""Anthropic: caches stand beside the input, iterations add up."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage


def pools_of(raw: dict[str, object]) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


def warnings_of(raw: dict[str, object]) -> tuple[str, ...]:
    return normalise_usage(raw).warnings


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

    @pytest.mark.parametrize(("model", "warnings"), [("a", ()), ("b", ("iterations_other_model",))])
    def test_an_iteration_of_another_model_is_said(
        self, model: str, warnings: tuple[str, ...]
    ) -> None:
        body: dict[str, object] = {
            "model": "a",
            "usage": {
                "input_tokens": 1,
                "output_tokens": 1,
                "iterations": [
                    {"input_tokens": 1, "output_tokens": 1},
                    {"input_tokens": 5, "output_tokens": 5, "model": model},
                ],
            },
        }

        assert pools_of(body) == {"input": 6, "output": 6}
        assert warnings_of(body) == warnings

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
