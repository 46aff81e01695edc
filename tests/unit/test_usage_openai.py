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

    def test_cached_audio_is_in_a_pool_of_its_own(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "prompt_tokens_details": {
                "audio_tokens": 90,
                "cached_tokens": 60,
                "cached_tokens_details": {"audio_tokens": 55},
            },
        }

        assert pools_of(raw) == {
            "input": 5,
            "cached_input": 5,
            "audio_input": 35,
            "cached_audio_input": 55,
        }
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

    def test_reasoning_above_the_completion_is_all_of_it_where_no_total_says_otherwise(
        self,
    ) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 2,
            "completion_tokens_details": {"reasoning_tokens": 30},
        }

        assert pools_of(raw) == {"input": 5, "reasoning": 30}
        assert warnings_of(raw) == ("reasoning_above_output",)

    @pytest.mark.parametrize(
        ("model", "more"), [("grok-4", {}), ("any", {"num_sources_used": 0})], ids=str
    )
    def test_xai_bills_reasoning_beside_the_completion_even_without_a_total(
        self, model: str, more: dict[str, object]
    ) -> None:
        usage: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 20,
            "completion_tokens_details": {"reasoning_tokens": 8},
        }

        assert pools_of({"model": model, "usage": usage | more}) == {
            "input": 5,
            "output": 20,
            "reasoning": 8,
        }

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


class TestVendors:
    def test_deepseek_counts_the_prompt_in_two_halves(self) -> None:
        raw: dict[str, object] = {
            "prompt_cache_hit_tokens": 80,
            "prompt_cache_miss_tokens": 20,
            "completion_tokens": 1,
        }

        assert pools_of(raw) == {"input": 20, "cached_input": 80, "output": 1}

    def test_perplexity_bills_thoughts_and_citations_beside_the_completion(self) -> None:
        """Why: they are in no total, and its bill has them; citations cost what input does."""
        raw: dict[str, object] = {
            "prompt_tokens": 33,
            "completion_tokens": 7163,
            "total_tokens": 7196,
            "citation_tokens": 20016,
            "num_search_queries": 28,
            "reasoning_tokens": 163395,
            "search_context_size": "low",
        }

        usage = normalise_usage(raw)

        assert usage.pools.nonzero() == {"input": 20049, "output": 7163, "reasoning": 163395}
        assert (usage.web_searches, usage.warnings) == (28, ())

    def test_perplexitys_responses_name_cache_and_searches_their_own_way(self) -> None:
        raw: dict[str, object] = {
            "input_tokens": 100,
            "input_tokens_details": {"cache_read_input_tokens": 80},
            "output_tokens": 9,
            "total_tokens": 109,
            "tool_calls_details": {"search_web": {"invocation": 2}},
        }

        assert pools_of(raw) == {"input": 20, "cached_input": 80, "output": 9}
        assert normalise_usage(raw).web_searches == 2

    def test_reasoning_named_at_the_top_is_inside_the_completion(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 5,
            "completion_tokens": 50,
            "reasoning_tokens": 45,
            "total_tokens": 55,
        }

        assert pools_of(raw) == {"input": 5, "output": 5, "reasoning": 45}

    @pytest.mark.parametrize(
        ("total", "pools"),
        [
            (110, {"input": 20, "cached_input": 60, "cache_write_5m": 20, "output": 10}),
            (190, {"input": 100, "cached_input": 60, "cache_write_5m": 20, "output": 10}),
            (None, {"input": 20, "cached_input": 60, "cache_write_5m": 20, "output": 10}),
        ],
        ids=["inside", "beside", "no total"],
    )
    def test_caches_named_as_anthropic_does_are_inside_unless_the_total_has_them_beside(
        self, total: int | None, pools: dict[str, int]
    ) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 20,
            "total_tokens": total,
        }

        assert pools_of(raw) == pools
        assert warnings_of(raw) == ()

    def test_a_gateway_tells_how_long_what_it_wrote_into_a_cache_lives(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
            "prompt_tokens_details": {
                "cache_creation_tokens": 30,
                "cache_creation_token_details": {
                    "ephemeral_5m_input_tokens": 10,
                    "ephemeral_1h_input_tokens": 20,
                },
            },
        }

        assert pools_of(raw) == {
            "input": 70,
            "cache_write_5m": 10,
            "cache_write_1h": 20,
            "output": 10,
        }

    @pytest.mark.parametrize(
        "tools",
        [
            {"server_tool_use": {"web_search_requests": 2}},
            {"server_side_tool_usage_details": {"web_search_calls": 2, "x_search_calls": 3}},
        ],
        ids=["openrouter", "xai"],
    )
    def test_searches_of_a_vendors_own_tools_are_counted(self, tools: dict[str, object]) -> None:
        chat: dict[str, object] = {"prompt_tokens": 5, **tools}
        response: dict[str, object] = {"input_tokens": 5, "input_tokens_details": {}, **tools}

        assert normalise_usage(chat).web_searches == 2
        assert normalise_usage(response).web_searches == 2

    def test_a_known_part_of_a_prompt_that_is_not_said_is_that_prompt(self) -> None:
        raw: dict[str, object] = {
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 5},
        }

        assert pools_of(raw) == {"cached_input": 60, "audio_input": 5, "output": 1}
        assert warnings_of(raw) == ()

    def test_video_and_images_of_openrouter_have_pools_of_their_own(self) -> None:
        raw: dict[str, object] = {
            "prompt_tokens": 270,
            "prompt_tokens_details": {"video_tokens": 258, "image_tokens": 2},
            "completion_tokens": 28,
            "completion_tokens_details": {"image_tokens": 20},
            "total_tokens": 298,
        }

        assert pools_of(raw) == {
            "input": 10,
            "image_input": 2,
            "video_input": 258,
            "output": 8,
            "image_output": 20,
        }


IMAGE: dict[str, object] = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 4160,
    "total_tokens": 4210,
}


class TestImages:
    def test_all_that_an_image_model_says_is_image_where_it_is_not_split(self) -> None:
        assert pools_of(IMAGE) == {"input": 10, "image_input": 40, "image_output": 4160}

    def test_a_split_output_is_what_the_split_says(self) -> None:
        split: dict[str, object] = {
            "output_tokens_details": {"image_tokens": 4000, "text_tokens": 160}
        }

        assert pools_of({**IMAGE, **split}) == {
            "input": 10,
            "image_input": 40,
            "output": 160,
            "image_output": 4000,
        }

    def test_a_response_that_saw_an_image_is_text(self) -> None:
        raw: dict[str, object] = {
            **IMAGE,
            "input_tokens_details": {"cached_tokens": 0, "text_tokens": 10, "image_tokens": 40},
        }

        assert pools_of(raw) == {"input": 10, "image_input": 40, "output": 4160}


class TestRealtime:
    def test_cached_sound_and_images_leave_their_kinds(self) -> None:
        event: dict[str, object] = {
            "type": "response.done",
            "response": {
                "usage": {
                    "total_tokens": 253,
                    "input_tokens": 132,
                    "output_tokens": 121,
                    "input_token_details": {
                        "text_tokens": 60,
                        "audio_tokens": 52,
                        "image_tokens": 20,
                        "cached_tokens": 64,
                        "cached_tokens_details": {
                            "text_tokens": 40,
                            "audio_tokens": 16,
                            "image_tokens": 8,
                        },
                    },
                    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
                }
            },
        }

        assert pools_of(event) == {
            "input": 20,
            "cached_input": 40,
            "output": 30,
            "audio_input": 36,
            "audio_output": 91,
            "cached_audio_input": 16,
            "image_input": 12,
            "cached_image_input": 8,
        }
        assert warnings_of(event) == ()


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
