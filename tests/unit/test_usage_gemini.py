"""Gemini: the cache stands inside the prompt, thoughts beside the answer."""

from __future__ import annotations

import pytest

from tollkeeper.domain.usage import normalise_usage


def pools_of(raw: dict[str, object]) -> dict[str, int]:
    return normalise_usage(raw).pools.nonzero()


def warnings_of(raw: dict[str, object]) -> tuple[str, ...]:
    return normalise_usage(raw).warnings


class TestGemini:
    def test_thoughts_and_tools_stand_beside_answer_and_prompt(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 20,
            "toolUsePromptTokenCount": 7,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 100,
            "totalTokenCount": 132,
        }

        assert pools_of(raw) == {"input": 27, "output": 5, "reasoning": 100}

    def test_cached_audio_is_in_a_pool_of_its_own(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 100,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 10},
                {"modality": "AUDIO", "tokenCount": 90},
            ],
            "cachedContentTokenCount": 60,
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}],
            "candidatesTokenCount": 5,
            "totalTokenCount": 105,
        }

        assert pools_of(raw) == {
            "input": 10,
            "output": 5,
            "audio_input": 30,
            "cached_audio_input": 60,
        }

    def test_spoken_answers_are_audio_output(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 1,
            "candidatesTokenCount": 50,
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 48}],
        }

        assert pools_of(raw) == {"input": 1, "output": 2, "audio_output": 48}

    def test_a_missing_answer_is_what_the_total_leaves(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 20,
            "toolUsePromptTokenCount": 5,
            "thoughtsTokenCount": 10,
            "totalTokenCount": 39,
        }

        assert pools_of(raw) == {"input": 25, "output": 4, "reasoning": 10}

    def test_details_without_a_count_say_nothing(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 7,
            "promptTokensDetails": [{"modality": "AUDIO"}],
        }

        assert pools_of(raw) == {"input": 7}
        assert warnings_of(raw) == ()

    def test_what_only_the_total_knows_is_reasoning(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 7,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 3,
            "totalTokenCount": 20,
        }

        assert pools_of(raw) == {"input": 7, "output": 2, "reasoning": 11}
        assert warnings_of(raw) == ("hidden_reasoning",)

    def test_a_total_below_its_parts_is_overruled_by_them(self) -> None:
        raw: dict[str, object] = {"thoughtsTokenCount": 10, "totalTokenCount": 5}

        assert pools_of(raw) == {"reasoning": 10}
        assert "total_mismatch" in warnings_of(raw)

    def test_every_kind_leaves_the_input_and_the_cached_part_of_it_the_cache(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 100,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 10},
                {"modality": "IMAGE", "tokenCount": 40},
                {"modality": "DOCUMENT", "tokenCount": 20},
                {"modality": "VIDEO", "tokenCount": 30},
            ],
            "cachedContentTokenCount": 50,
            "cacheTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 25},
                {"modality": "VIDEO", "tokenCount": 20},
                {"modality": "TEXT", "tokenCount": 5},
            ],
            "candidatesTokenCount": 30,
            "candidatesTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 20},
                {"modality": "VIDEO", "tokenCount": 4},
            ],
            "thoughtsTokenCount": 7,
            "totalTokenCount": 137,
        }

        assert pools_of(raw) == {
            "input": 5,
            "cached_input": 25,
            "image_input": 35,
            "cached_image_input": 25,
            "video_input": 10,
            "output": 6,
            "image_output": 20,
            "video_output": 4,
            "reasoning": 7,
        }
        assert warnings_of(raw) == ()

    def test_what_tools_brought_keeps_its_kind(self) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 10,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}],
            "toolUsePromptTokenCount": 30,
            "toolUsePromptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 9},
                {"modality": "AUDIO", "tokenCount": 21},
            ],
        }

        assert pools_of(raw) == {"input": 15, "audio_input": 25}

    @pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
    def test_a_kind_above_the_prompt_is_cut_and_said(self, kind: str) -> None:
        raw: dict[str, object] = {
            "promptTokenCount": 5,
            "promptTokensDetails": [{"modality": kind, "tokenCount": 9}],
        }

        assert pools_of(raw) == {f"{kind.lower()}_input": 5}
        assert warnings_of(raw) == (f"{kind.lower()}_above_input",)

    def test_a_live_session_names_its_answer_a_response(self) -> None:
        event: dict[str, object] = {
            "serverContent": {"turnComplete": True},
            "usageMetadata": {
                "promptTokenCount": 30,
                "responseTokenCount": 50,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 25}],
                "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
                "totalTokenCount": 80,
            },
        }

        assert pools_of(event) == {"input": 5, "audio_input": 25, "audio_output": 50}

    def test_the_names_of_the_python_sdk_mean_the_same(self) -> None:
        raw: dict[str, object] = {
            "prompt_token_count": 100,
            "prompt_tokens_details": [
                {"modality": "MediaModality.AUDIO", "token_count": 90},
                {"modality": "text", "token_count": 10},
            ],
            "cached_content_token_count": 60,
            "cache_tokens_details": [{"modality": "AUDIO", "token_count": 60}],
            "candidates_token_count": 5,
            "candidates_tokens_details": None,
            "thoughts_token_count": 3,
            "tool_use_prompt_token_count": 7,
            "total_token_count": 115,
        }

        usage = normalise_usage({"model_version": "gemini-x", "usage_metadata": raw})

        assert usage.pools.nonzero() == {
            "input": 17,
            "output": 5,
            "reasoning": 3,
            "audio_input": 30,
            "cached_audio_input": 60,
        }
        assert (usage.model, usage.provider, usage.warnings) == ("gemini-x", "google", ())

    def test_the_compatible_endpoint_hides_thinking_in_the_total(self) -> None:
        """Why: what is billed is the total less the prompt, where that is above the completion."""
        raw: dict[str, object] = {
            "prompt_tokens": 35,
            "completion_tokens": 12,
            "total_tokens": 109,
        }

        assert pools_of(raw) == {"input": 35, "output": 12, "reasoning": 62}
        assert warnings_of(raw) == ("hidden_reasoning",)
