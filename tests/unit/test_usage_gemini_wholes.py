"""Gemini: each report as the whole usage that it comes to."""

from __future__ import annotations

from typing import Any

import pytest

from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], tuple[str, ...]]


def usage_of(
    pools: dict[str, int], warnings: tuple[str, ...] = (), *, model: str | None = None, **more: Any
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, None, warnings, **more)


def kinds(**counts: int) -> list[Raw]:
    """Gemini's details by modality."""
    return [{"modality": name.upper(), "tokenCount": count} for name, count in counts.items()]


GEMINI: dict[str, Case] = {
    "everything": (
        {
            "promptTokenCount": 100,
            "candidatesTokenCount": 50,
            "thoughtsTokenCount": 30,
            "toolUsePromptTokenCount": 20,
            "cachedContentTokenCount": 40,
            "totalTokenCount": 200,
            "promptTokensDetails": kinds(text=40, audio=30, image=10, document=5, video=15),
            "cacheTokensDetails": kinds(text=10, audio=20, image=4, video=6),
            "toolUsePromptTokensDetails": kinds(text=10, image=8, audio=2),
            "candidatesTokensDetails": kinds(text=20, audio=15, image=10, video=5),
        },
        {
            "input": 30 + 10,
            "cached_input": 16,
            "output": 20,
            "reasoning": 30,
            "audio_input": 10 + 2,
            "audio_output": 15,
            "cached_audio_input": 20,
            "image_input": 11 + 8,
            "cached_image_input": 4,
            "image_output": 10,
            "video_input": 9,
            "video_output": 5,
        },
        (),
    ),
    "thoughts that only the total has": (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 22},
        {"input": 10, "output": 5, "reasoning": 7},
        ("hidden_reasoning",),
    ),
    "thoughts that are said and more": (
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 4,
            "toolUsePromptTokenCount": 1,
            "totalTokenCount": 22,
        },
        {"input": 11, "output": 5, "reasoning": 6},
        ("hidden_reasoning",),
    ),
    "no answer": (
        {"promptTokenCount": 10, "thoughtsTokenCount": 4, "totalTokenCount": 14},
        {"input": 10, "reasoning": 4},
        (),
    ),
    "no prompt": (
        {"responseTokenCount": 10, "toolUsePromptTokenCount": 1, "totalTokenCount": 14},
        {"input": 4, "output": 10},
        (),
    ),
    "no answer and no total": (
        {"promptTokenCount": 10, "responseTokensDetails": kinds(audio=3, image=2)},
        {"input": 10, "audio_output": 3, "image_output": 2},
        (),
    ),
    "a total below its parts": (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 14},
        {"input": 10, "output": 5},
        ("total_mismatch",),
    ),
    "kinds that are twice in a list": (
        {
            "promptTokenCount": 10,
            "promptTokensDetails": [
                *kinds(audio=3),
                *kinds(audio=2),
                {"modality": "MediaModality.IMAGE", "token_count": 4},
                {"modality": 5, "tokenCount": 1},
                {"tokenCount": 1},
            ],
        },
        {"input": 1, "audio_input": 5, "image_input": 4},
        (),
    ),
    "a cache of nothing": (
        {
            "promptTokenCount": 10,
            "promptTokensDetails": kinds(audio=3),
            "cacheTokensDetails": kinds(audio=2),
        },
        {"input": 7, "audio_input": 3},
        (),
    ),
    "a cache that is not split": (
        {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 6,
            "promptTokensDetails": kinds(audio=5),
        },
        {"cached_input": 6, "audio_input": 4},
        (),
    ),
    "kinds above what was answered and read": (
        {
            "promptTokenCount": 4,
            "candidatesTokenCount": 3,
            "cachedContentTokenCount": 5,
            "toolUsePromptTokenCount": 2,
            "promptTokensDetails": kinds(audio=5),
            "toolUsePromptTokensDetails": kinds(image=3),
            "candidatesTokensDetails": kinds(audio=2, image=2),
        },
        {"cached_input": 4, "image_input": 2, "audio_output": 2, "image_output": 1},
        ("cached_above_input", "audio_above_input", "image_above_input", "image_above_output"),
    ),
    "a list of what is no object": (
        {"promptTokenCount": 10, "promptTokensDetails": ["audio", *kinds(audio=2)]},
        {"input": 8, "audio_input": 2},
        ("impossible_details",),
    ),
    "what is no list": (
        {"promptTokenCount": 10, "promptTokensDetails": {"audio": 2}},
        {"input": 10},
        ("impossible_details",),
    ),
    "the words of the python library": (
        {
            "prompt_token_count": 100,
            "candidates_token_count": 50,
            "thoughts_token_count": 30,
            "tool_use_prompt_token_count": 20,
            "cached_content_token_count": 40,
            "total_token_count": 200,
            "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 30}],
            "cache_tokens_details": [{"modality": "AUDIO", "token_count": 25}],
            "tool_use_prompt_tokens_details": [{"modality": "IMAGE", "token_count": 8}],
            "candidates_tokens_details": [{"modality": "AUDIO", "token_count": 15}],
        },
        {
            "input": 55 + 12,
            "cached_input": 15,
            "output": 35,
            "reasoning": 30,
            "audio_input": 5,
            "audio_output": 15,
            "cached_audio_input": 25,
            "image_input": 8,
        },
        (),
    ),
}


@pytest.mark.parametrize(("raw", "pools", "warnings"), GEMINI.values(), ids=GEMINI.keys())
def test_gemini_says_the_whole_usage(
    raw: Raw, pools: dict[str, int], warnings: tuple[str, ...]
) -> None:
    read = normalise_usage({"modelVersion": "g", "usageMetadata": raw})

    assert read == usage_of(pools, warnings, model="g", provider="google")
