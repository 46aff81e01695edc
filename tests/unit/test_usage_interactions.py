"""Gemini beyond generated content: interactions, embeddings of Vertex, caches told apart."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import normalise_usage

Raw = dict[str, Any]

TOLD: Raw = {
    "total_input_tokens": 7,
    "input_tokens_by_modality": [{"modality": "text", "tokens": 7}],
    "total_cached_tokens": 0,
    "total_output_tokens": 23,
    "total_tool_use_tokens": 0,
    "total_thought_tokens": 49,
    "total_tokens": 79,
}


class TestInteractions:
    def test_thoughts_stand_beside_the_output(self) -> None:
        usage = normalise_usage({"model": "gemini-3-flash-preview", "usage": TOLD})

        assert usage.pools.nonzero() == {"input": 7, "output": 23, "reasoning": 49}
        assert (usage.model, usage.provider) == ("gemini-3-flash-preview", "google")
        assert usage.warnings == ()

    def test_every_kind_leaves_its_side_and_what_tools_brought_is_input(self) -> None:
        usage = normalise_usage(
            {
                "total_input_tokens": 500,
                "input_tokens_by_modality": [
                    {"modality": "text", "tokens": 100},
                    {"modality": "image", "tokens": 300},
                    {"modality": "audio", "tokens": 100},
                ],
                "total_cached_tokens": 120,
                "cached_tokens_by_modality": [
                    {"modality": "text", "tokens": 60},
                    {"modality": "image", "tokens": 60},
                ],
                "total_output_tokens": 1300,
                "output_tokens_by_modality": [{"modality": "image", "tokens": 1290}],
                "total_tool_use_tokens": 40,
                "tool_use_tokens_by_modality": [{"modality": "document", "tokens": 30}],
                "total_thought_tokens": 60,
                "total_tokens": 1900,
            }
        )

        assert usage.pools.nonzero() == {
            "input": 40 + 10,
            "cached_input": 60,
            "output": 10,
            "reasoning": 60,
            "audio_input": 100,
            "image_input": 240 + 30,
            "cached_image_input": 60,
            "image_output": 1290,
        }
        assert usage.warnings == ()

    @pytest.mark.parametrize(
        "raw",
        [
            {
                "total_input_tokens": 50,
                "total_cached_tokens": 20,
                "total_output_tokens": 5,
                "total_thought_tokens": 7,
            },
            {
                "total_input_tokens": 50,
                "total_cached_tokens": 20,
                "total_output_tokens": 5,
                "total_reasoning_tokens": 7,
                "total_tokens": 62,
            },
            {
                "totalInputTokens": 50,
                "totalCachedTokens": 20,
                "totalOutputTokens": 5,
                "totalThoughtTokens": 7,
                "totalTokens": 62,
            },
        ],
        ids=["without a total", "of its first version", "at Vertex"],
    )
    def test_all_its_spellings_mean_the_same(self, raw: Raw) -> None:
        pools = {"input": 30, "cached_input": 20, "output": 5, "reasoning": 7}

        assert normalise_usage(raw).pools.nonzero() == pools

    def test_the_last_event_of_a_stream_has_the_interaction(self) -> None:
        events: list[Raw] = [
            {"event_type": "interaction.created", "interaction": {"status": "in_progress"}},
            {"event_type": "step.delta", "delta": {"text": "Hello"}},
            {"event_type": "interaction.completed", "interaction": {"model": "g", "usage": TOLD}},
        ]

        usage = normalise_usage({"events": events})

        assert (usage.pools.total(), usage.model) == (79, "g")

    def test_searches_are_counted_and_maps_are_not(self) -> None:
        tools = [{"type": "google_search", "count": 2}, {"type": "google_maps", "count": 5}]

        assert normalise_usage({**TOLD, "grounding_tool_count": tools}).web_searches == 2
        assert normalise_usage({**TOLD, "groundingToolCount": tools}).web_searches == 2
        assert normalise_usage(TOLD).web_searches == 0

    def test_a_cache_above_the_input_is_cut_and_said(self) -> None:
        usage = normalise_usage({**TOLD, "total_cached_tokens": 8})

        assert usage.pools.nonzero() == {"cached_input": 7, "output": 23, "reasoning": 49}
        assert usage.warnings == ("cached_above_input",)


def test_embeddings_of_vertex_state_what_each_text_had() -> None:
    body: Raw = {
        "predictions": [
            {"embeddings": {"statistics": {"token_count": 6, "truncated": False}, "values": [0.1]}},
            {"embeddings": {"statistics": {"token_count": 7, "truncated": False}, "values": [0.2]}},
            {"embeddings": {"values": [0.3]}},
        ],
        "metadata": {"billableCharacterCount": 30},
    }

    usage = normalise_usage(body)

    assert (usage.pools.nonzero(), usage.provider) == ({"input": 13}, "google")


@pytest.mark.parametrize("predictions", [[], [{"bytesBase64Encoded": "x"}], "x"], ids=str)
def test_predictions_without_a_count_are_no_usage(predictions: object) -> None:
    with pytest.raises(InvalidError, match="holds no possible token count"):
        normalise_usage({"predictions": predictions})


def test_what_a_cache_held_is_believed_where_nothing_tells_the_prompt_apart() -> None:
    usage = normalise_usage(
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 60,
            "totalTokenCount": 1060,
            "cachedContentTokenCount": 900,
            "cacheTokensDetails": [
                {"modality": "AUDIO", "tokenCount": 800},
                {"modality": "TEXT", "tokenCount": 100},
            ],
        }
    )

    assert usage.pools.nonzero() == {
        "input": 100,
        "cached_input": 100,
        "output": 60,
        "cached_audio_input": 800,
    }


def test_a_type_of_traffic_alone_does_not_hide_the_counts_before_it() -> None:
    chunks: list[Raw] = [
        {"usageMetadata": {"trafficType": "ON_DEMAND"}},
        {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3}},
        {"usageMetadata": {"trafficType": "ON_DEMAND"}},
        {"usageMetadata": {}},
    ]

    assert normalise_usage({"events": chunks}).pools.nonzero() == {"input": 7, "output": 3}
