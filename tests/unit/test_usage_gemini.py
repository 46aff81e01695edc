"""Gemini: the cache stands inside the prompt, thoughts beside the answer."""

from __future__ import annotations

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

    def test_cached_audio_is_cached_and_not_audio(self) -> None:
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
            "cached_input": 60,
            "output": 5,
            "audio_input": 30,
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
