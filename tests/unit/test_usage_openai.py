"""OpenAI, and everybody who answers like it: parts stand inside their sides."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage


def pools_of(raw: dict[str, object]) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


def warnings_of(raw: dict[str, object]) -> tuple[str, ...]:
    return normalise_usage(raw).warnings


class TestOpenAIChat:
    def test_cached_tokens_leave_the_input(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": 80, "audio_tokens": 0},
        }

        assert pools_of(raw) == {"input": 20, "cached_input": 80, "output": 10}

    @pytest.mark.parametrize(
        "vendor",
        [
            {"num_cached_tokens": 80},
            {"cached_tokens": 80},
            {"prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 20},
            {"cached_tokens": 80, "prompt_tokens_details": {"cached_tokens": 80}},
            {"prompt_cache_hit_tokens": 80, "num_cached_tokens": 80, "cached_tokens": 80},
        ],
        ids=str,
    )
    def test_cached_tokens_are_counted_once_however_often_they_are_named(
        self, vendor: dict[str, object]
    ) -> None:
        raw: dict[str, object] = {"prompt_tokens": 100, "completion_tokens": 1, **vendor}

        assert pools_of(raw) == {"input": 20, "cached_input": 80, "output": 1}
        assert warnings_of(raw) == ()

    def test_cache_writes_leave_the_input_too(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        }

        assert pools_of(raw) == {
            "input": 10,
            "cached_input": 60,
            "cache_write_5m": 30,
            "output": 1,
        }

    def test_audio_leaves_both_sides(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_tokens_details": {"audio_tokens": 70},
            "completion_tokens_details": {"audio_tokens": 40},
        }

        assert pools_of(raw) == {"input": 30, "output": 10, "audio_input": 70, "audio_output": 40}

    def test_cached_audio_is_cached_and_not_audio(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "prompt_tokens_details": {
                "audio_tokens": 90,
                "cached_tokens": 60,
                "cached_tokens_details": {"audio_tokens": 55},
            },
        }

        assert pools_of(raw) == {"input": 5, "cached_input": 60, "audio_input": 35}
        assert warnings_of(raw) == ()

    def test_the_cache_wins_where_it_may_overlap_with_audio(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "prompt_tokens_details": {"audio_tokens": 90, "cached_tokens": 60},
        }

        assert pools_of(raw) == {"cached_input": 60, "audio_input": 40}

    def test_reasoning_leaves_the_output(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 50,
            "total_tokens": 55,
            "completion_tokens_details": {"reasoning_tokens": 45},
        }

        assert pools_of(raw) == {"input": 5, "output": 5, "reasoning": 45}

    def test_what_only_the_total_knows_is_reasoning(self) -> None:
        raw: dict[str, object] = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 17}

        assert pools_of(raw) == {"input": 5, "output": 2, "reasoning": 10}
        assert warnings_of(raw) == ("hidden_reasoning",)

    @pytest.mark.parametrize("reasoning", [1, 30])
    def test_reasoning_beside_the_completion_is_proven_by_the_total(self, reasoning: int) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "total_tokens": 7 + reasoning,
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }

        assert pools_of(raw) == {"input": 5, "output": 2, "reasoning": reasoning}
        assert warnings_of(raw) == ()

    def test_reasoning_above_the_completion_is_beside_it_where_no_total_says_otherwise(
        self,
    ) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "completion_tokens_details": {"reasoning_tokens": 30},
        }

        assert pools_of(raw) == {"input": 5, "output": 2, "reasoning": 30}
        assert warnings_of(raw) == ("reasoning_above_output",)

    def test_reasoning_above_a_completion_that_the_total_confirms_is_cut(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "total_tokens": 7,
            "completion_tokens_details": {"reasoning_tokens": 30},
        }

        assert pools_of(raw) == {"input": 5, "reasoning": 2}
        assert warnings_of(raw) == ("reasoning_above_output",)

    def test_an_embedding_is_input_alone(self) -> None:
        assert pools_of({"prompt_tokens": 4, "total_tokens": 4}) == {"input": 4}

    @pytest.mark.parametrize("missing", ["prompt_tokens", "completion_tokens"])
    def test_a_missing_side_is_what_the_total_leaves(self, missing: str) -> None:
        raw: dict[str, object] = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}

        del raw[missing]

        assert pools_of(raw) == {"input": 4, "output": 6}

    def test_a_missing_prompt_is_the_whole_total_where_nothing_was_answered(self) -> None:
        assert pools_of({"completion_tokens": 0, "total_tokens": 10}) == {"input": 10}

    def test_audio_beside_reasoning_is_cut_to_what_reasoning_leaves(self) -> None:
        raw: dict[str, object] = {
            "completion_tokens": 10,
            "completion_tokens_details": {"reasoning_tokens": 6, "audio_tokens": 5},
        }

        assert pools_of(raw) == {"reasoning": 6, "audio_output": 4}
        assert warnings_of(raw) == ("audio_above_output",)

    def test_a_provider_total_alone_is_input_and_says_so(self) -> None:
        assert pools_of({"total_tokens": 9}) == {"input": 9}
        assert warnings_of({"total_tokens": 9}) == ("total_only",)

    def test_a_total_below_its_parts_is_overruled_by_them(self) -> None:
        raw: dict[str, object] = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 6}

        assert pools_of(raw) == {"input": 5, "output": 2}
        assert warnings_of(raw) == ("total_mismatch",)

    def test_null_details_are_no_details(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        }

        assert pools_of(raw) == {"input": 5, "output": 2}
        assert warnings_of(raw) == ()

    def test_cached_above_the_prompt_is_cut_and_said(self) -> None:
        raw: dict[str, object] = {"prompt_tokens": 5, "completion_tokens": 2, "cached_tokens": 9}

        assert pools_of(raw) == {"cached_input": 5, "output": 2}
        assert warnings_of(raw) == ("cached_above_input",)


class TestOpenAIResponses:
    def test_parts_leave_their_sides(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 15},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 45},
            "total_tokens": 150,
        }

        assert pools_of(raw) == {
            "input": 5,
            "cached_input": 80,
            "cache_write_5m": 15,
            "output": 5,
            "reasoning": 45,
        }

    def test_a_transcription_counts_its_audio(self) -> None:
        raw: dict[str, object] = {
            "type": "tokens",
            "input_tokens": 14,
            "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
            "output_tokens": 9,
            "total_tokens": 23,
        }

        assert pools_of(raw) == {"input": 4, "output": 9, "audio_input": 10}

    def test_input_details_keep_the_cache_inside_whatever_else_stands_there(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 10,
            "output_tokens": 1,
            "input_tokens_details": {"cached_tokens": 4},
            "service_tier": "default",
        }

        assert pools_of(raw) == {"input": 6, "cached_input": 4, "output": 1}
