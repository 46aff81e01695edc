"""Usage objects of their own names or places: each vendor's smallest body, read as it bills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage import TokenPools, Usage, normalise_usage

Raw = dict[str, Any]
Case = tuple[Raw, dict[str, int], dict[str, Any]]

CHAT: Raw = {"prompt_tokens": 19, "completion_tokens": 13, "total_tokens": 32}
CHOICE: Raw = {"index": 0, "finish_reason": "stop", "usage": {**CHAT, "cached_tokens": 10}}
GENERATION: Raw = {
    "model": "openai/gpt-5",
    "tokens_prompt": 10,
    "tokens_completion": 25,
    "native_tokens_prompt": 12,
    "native_tokens_completion": 27,
    "native_tokens_reasoning": 5,
    "native_tokens_cached": 3,
    "total_cost": Decimal("0.0015"),
    "usage": Decimal("0.0015"),
    "upstream_inference_cost": Decimal("0.02"),
    "is_byok": False,
}
SPOKEN: Raw = {
    "completionId": "c",
    "promptName": "p",
    "sessionId": "s",
    "totalInputTokens": 120,
    "totalOutputTokens": 75,
    "totalTokens": 195,
    "details": {
        "delta": {
            "input": {"speechTokens": 9, "textTokens": 0},
            "output": {"speechTokens": 7, "textTokens": 3},
        },
        "total": {
            "input": {"speechTokens": 100, "textTokens": 20},
            "output": {"speechTokens": 60, "textTokens": 15},
        },
    },
}
CASES: dict[str, Case] = {
    "moonshot's last chunk": (
        {"model": "kimi-k2", "choices": [None, {"index": 1}, CHOICE]},
        {"input": 9, "cached_input": 10, "output": 13},
        {"model": "kimi-k2"},
    ),
    "a usage beside the choices": (
        {"choices": [{"usage": {"prompt_tokens": 1}}], "usage": CHAT},
        {"input": 19, "output": 13},
        {},
    ),
    "nova sonic, which tells the session so far": (
        {"event": {"usageEvent": SPOKEN}},
        {"input": 20, "audio_input": 100, "output": 15, "audio_output": 60},
        {"provider": "aws"},
    ),
    "nova sonic in a stream": (
        {
            "events": [
                {"event": {"usageEvent": {**SPOKEN, "totalInputTokens": 50, "totalTokens": 125}}},
                {"event": {"contentEnd": {}}},
                {"event": {"usageEvent": SPOKEN}},
                {"event": {"completionEnd": {}}},
            ]
        },
        {"input": 20, "audio_input": 100, "output": 15, "audio_output": 60},
        {"provider": "aws"},
    ),
    "nova sonic without its details": (
        {"usageEvent": {**SPOKEN, "details": None}},
        {"input": 120, "output": 75},
        {"provider": "aws"},
    ),
    "nova sonic without its sums": (
        {"usageEvent": {"promptName": "p", "details": SPOKEN["details"]}},
        {"input": 20, "audio_input": 100, "output": 15, "audio_output": 60},
        {"provider": "aws"},
    ),
    "nova sonic with a side of no kinds": (
        {"usageEvent": {**SPOKEN, "details": {"total": {"input": {}, "output": {}}}}},
        {"input": 120, "output": 75},
        {"provider": "aws"},
    ),
    "nova sonic whose total knows of more": (
        {"usageEvent": {**SPOKEN, "totalTokens": 200}},
        {"input": 25, "audio_input": 100, "output": 15, "audio_output": 60},
        {"provider": "aws", "warnings": ("hidden_tokens",)},
    ),
    "nova sonic of one side": (
        {"usageEvent": {"promptName": "p", "totalInputTokens": 7, "totalTokens": 7}},
        {"input": 7},
        {"provider": "aws"},
    ),
    "nova sonic with a total alone": (
        {"usageEvent": {"promptName": "p", "totalTokens": 9}},
        {"input": 9},
        {"provider": "aws", "warnings": ("total_only",)},
    ),
    "nova sonic whose input is what the total leaves": (
        {"usageEvent": {"promptName": "p", "totalTokens": 10, "totalOutputTokens": 4}},
        {"input": 6, "output": 4},
        {"provider": "aws"},
    ),
    "nova sonic whose output is what the total leaves": (
        {"usageEvent": {"promptName": "p", "totalTokens": 10, "totalInputTokens": 4}},
        {"input": 4, "output": 6},
        {"provider": "aws"},
    ),
    "nova sonic that only spoke": (
        {"usageEvent": {"promptName": "p", "totalOutputTokens": 4}},
        {"output": 4},
        {"provider": "aws"},
    ),
    "nova sonic with more speech than tokens": (
        {
            "usageEvent": {
                **SPOKEN,
                "totalInputTokens": 90,
                "totalOutputTokens": 50,
                "totalTokens": 140,
            }
        },
        {"audio_input": 90, "audio_output": 50},
        {"provider": "aws", "warnings": ("audio_above_input", "audio_above_output")},
    ),
    "an answer of gemini's that was kept with its request": (
        {"request": {}, "response": {"usageMetadata": {"promptTokenCount": 5}}},
        {"input": 5},
        {"provider": "google"},
    ),
    "an answer of gemini's that was kept with its time": (
        {"processed_time": "1", "response": {"usageMetadata": {"promptTokenCount": 5}}},
        {"input": 5},
        {"provider": "google"},
    ),
    "an event of claude's in one of an agent's": (
        {
            "type": "stream_event",
            "event": {"type": "message_delta", "usage": {"input_tokens": 3, "output_tokens": 5}},
        },
        {"input": 3, "output": 5},
        {},
    ),
    "a line of a batch at vertex": (
        {
            "status": "",
            "processed_time": "2026-11-13T14:28:08.328+00:00",
            "request": {"contents": []},
            "response": {
                "modelVersion": "gemini-2.5-flash",
                "usageMetadata": {
                    "promptTokenCount": 12,
                    "candidatesTokenCount": 30,
                    "totalTokenCount": 42,
                    "trafficType": "ON_DEMAND",
                },
            },
        },
        {"input": 12, "output": 30},
        {"model": "gemini-2.5-flash", "provider": "google", "service_tier": "batch"},
    ),
    "codex": (
        {
            "type": "turn.completed",
            "usage": {
                "input_tokens": 24763,
                "cached_input_tokens": 24448,
                "output_tokens": 122,
                "reasoning_output_tokens": 64,
            },
        },
        {"input": 315, "cached_input": 24448, "output": 58, "reasoning": 64},
        {},
    ),
    "codex with what it wrote into a cache": (
        {
            "input_tokens": 100,
            "cached_input_tokens": 40,
            "cache_write_tokens": 10,
            "output_tokens": 9,
            "reasoning_output_tokens": 4,
        },
        {"input": 50, "cached_input": 40, "cache_write_5m": 10, "output": 5, "reasoning": 4},
        {},
    ),
    "an assistant's run": (
        {"usage": {**CHAT, "prompt_token_details": {"cached_tokens": 9}}},
        {"input": 10, "cached_input": 9, "output": 13},
        {},
    ),
    "a run of the agents sdk": (
        {"requests": 3, "input_tokens": 9, "output_tokens": 2, "input_tokens_details": {}},
        {"input": 9, "output": 2},
        {"requests": 3},
    ),
    "a batch as a whole": (
        {"object": "batch", "model": "gpt-5", "usage": {"input_tokens": 9, "output_tokens": 2}},
        {"input": 9, "output": 2},
        {"model": "gpt-5", "service_tier": "batch"},
    ),
    "a line of a batch of bedrock's": (
        {
            "recordId": "r",
            "modelOutput": {
                "model": "claude-sonnet-5",
                "usage": {"input_tokens": 9, "output_tokens": 2, "service_tier": "standard"},
            },
        },
        {"input": 9, "output": 2},
        {"model": "claude-sonnet-5", "provider": "anthropic", "service_tier": "batch"},
    ),
    "events with their names around them": (
        {
            "events": [
                {
                    "event": "message_start",
                    "data": {
                        "type": "message_start",
                        "message": {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4}},
                    },
                },
                {
                    "event": "message_delta",
                    "data": {"type": "message_delta", "usage": {"output_tokens": 5}},
                },
            ]
        },
        {"input": 9, "cached_input": 4, "output": 5},
        {"provider": "anthropic"},
    ),
    "an image of xai's": (
        {"data": [{"url": "x"}], "usage": {"cost_in_usd_ticks": 500_000_000}},
        {},
        {"cost_picousd": 50_000_000_000, "warnings": ("cost_only",)},
    ),
    "a film through openrouter": (
        {"status": "completed", "usage": {"cost": Decimal("0.5"), "is_byok": False}},
        {},
        {"cost_picousd": 500_000_000_000, "provider": "openrouter", "warnings": ("cost_only",)},
    ),
    "a cost beside an impossible count": (
        {"prompt_tokens": -1, "cost": 1},
        {},
        {"cost_picousd": 10**12, "warnings": ("impossible_number", "cost_only")},
    ),
    "images of seedream": (
        {"usage": {"generated_images": 1, "output_tokens": 4096, "total_tokens": 4096}},
        {"image_output": 4096},
        {},
    ),
    "speech": (
        {
            "type": "speech.audio.done",
            "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115},
        },
        {"input": 14, "audio_output": 101},
        {},
    ),
    "speech of a model": (
        {"model": "gpt-4o-mini-tts", "usage": {"input_tokens": 14, "output_tokens": 101}},
        {"input": 14, "audio_output": 101},
        {"model": "gpt-4o-mini-tts"},
    ),
    "speech whose output is split": (
        {
            "model": "x-tts",
            "usage": {
                "input_tokens": 14,
                "output_tokens": 9,
                "output_tokens_details": {"text_tokens": 2, "audio_tokens": 7},
            },
        },
        {"input": 14, "output": 2, "audio_output": 7},
        {"model": "x-tts"},
    ),
    "more in all of an image than its sides": (
        {
            "input_tokens": 50,
            "output_tokens": 40,
            "total_tokens": 100,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        },
        {"input": 20, "image_input": 40, "image_output": 40},
        {"warnings": ("hidden_tokens",)},
    ),
    "thinking without a cache": (
        {
            "input_tokens": 40,
            "output_tokens": 300,
            "output_tokens_details": {"thinking_tokens": 200},
        },
        {"input": 40, "output": 100, "reasoning": 200},
        {"provider": "anthropic"},
    ),
    "more thinking than output": (
        {"input_tokens": 5, "output_tokens": 8, "output_tokens_details": {"thinking_tokens": 50}},
        {"input": 5, "reasoning": 8},
        {"provider": "anthropic", "warnings": ("reasoning_above_output",)},
    ),
    "an older run of pydantic-ai": (
        {"requests": 2, "request_tokens": 50, "response_tokens": 10, "total_tokens": 60},
        {"input": 50, "output": 10},
        {"requests": 2},
    ),
    "thoughts in the details of pydantic-ai alone": (
        {"input_tokens": 100, "output_tokens": 60, "details": {"thoughts_tokens": 40}},
        {"input": 100, "output": 20, "reasoning": 40},
        {},
    ),
    "a generation that openrouter looked up": (
        {"data": GENERATION},
        {"input": 9, "cached_input": 3, "output": 22, "reasoning": 5},
        {"model": "openai/gpt-5", "provider": "openrouter", "cost_picousd": 1_500_000_000},
    ),
    "a generation with a key of one's own": (
        {"data": {**GENERATION, "is_byok": True}},
        {"input": 9, "cached_input": 3, "output": 22, "reasoning": 5},
        {"model": "openai/gpt-5", "provider": "openrouter", "cost_picousd": 21_500_000_000},
    ),
    "lm studio": (
        {
            "output": [],
            "stats": {
                "input_tokens": 646,
                "total_output_tokens": 586,
                "reasoning_output_tokens": 100,
            },
        },
        {"input": 646, "output": 486, "reasoning": 100},
        {},
    ),
    "llama.cpp": (
        {"content": "x", "model": "m", "tokens_evaluated": 28, "tokens_predicted": 10},
        {"input": 28, "output": 10},
        {"model": "m"},
    ),
    "ollama": (
        {"model": "llama3.2", "done": True, "prompt_eval_count": 26, "eval_count": 282},
        {"input": 26, "output": 282},
        {"model": "llama3.2"},
    ),
    "replicate": (
        {
            "model": "meta/llama",
            "metrics": {"predict_time": 1.2, "input_token_count": 17, "output_token_count": 56},
        },
        {"input": 17, "output": 56},
        {"model": "meta/llama"},
    ),
    "replicate's machines": (
        {"model": "openai/whisper", "metrics": {"predict_time": Decimal("1.25")}},
        {},
        {"model": "openai/whisper", "seconds_micro": 1_250_000},
    ),
    "elevenlabs": (
        {"text": "hi", "audio_duration_secs": Decimal("12.5")},
        {},
        {"seconds_micro": 12_500_000},
    ),
    "assemblyai": (
        {"status": "completed", "audio_duration": 281},
        {},
        {"seconds_micro": 281_000_000},
    ),
    "speech of mistral's": (
        {
            "event": "speech.audio.done",
            "data": {"usage": {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}},
        },
        {"input": 2, "audio_output": 4},
        {},
    ),
    "cohere without billed units": (
        {"usage": {"tokens": {"input_tokens": 9, "output_tokens": 2}, "cached_tokens": 4}},
        {"input": 5, "cached_input": 4, "output": 2},
        {"provider": "cohere"},
    ),
    "deepgram": (
        {"metadata": {"duration": Decimal("25.933313"), "channels": 1}, "results": {}},
        {},
        {"seconds_micro": 25_933_313},
    ),
    "the last chunk of titan's": (
        {"totalOutputTextTokenCount": 128, "inputTextTokenCount": None},
        {"output": 128},
        {"provider": "aws"},
    ),
    "cohere's images by the piece": (
        {"meta": {"billed_units": {"images": 2}}},
        {},
        {"provider": "cohere", "requests": 2},
    ),
    "cohere's images by the token": (
        {"meta": {"billed_units": {"images": 2, "image_tokens": 516}}},
        {"image_input": 516},
        {"provider": "cohere"},
    ),
    "langchain's message": (
        {
            "usage_metadata": {"input_tokens": 9, "output_tokens": 2},
            "response_metadata": {"model_name": "gpt-5"},
        },
        {"input": 9, "output": 2},
        {"model": "gpt-5"},
    ),
    "langchain's output": (
        {"token_usage": CHAT, "model_name": "gpt-5"},
        {"input": 19, "output": 13},
        {"model": "gpt-5"},
    ),
    "the ai sdk's result": (
        {"usage": {"inputTokens": 9, "outputTokens": 2}, "response": {"modelId": "gpt-5"}},
        {"input": 9, "output": 2},
        {"model": "gpt-5"},
    ),
    "the ai sdk's providers": (
        {
            "inputTokens": {"total": 100, "noCache": 50, "cacheRead": 40, "cacheWrite": 10},
            "outputTokens": {"total": 50, "text": 30, "reasoning": 20},
        },
        {"input": 50, "cached_input": 40, "cache_write_5m": 10, "output": 30, "reasoning": 20},
        {},
    ),
    "langchain4j": (
        {"inputTokenCount": 10, "outputTokenCount": 5, "totalTokenCount": 15},
        {"input": 10, "output": 5},
        {},
    ),
    "extensions.ai": (
        {
            "inputTokenCount": 100,
            "outputTokenCount": 50,
            "totalTokenCount": 150,
            "cachedInputTokenCount": 40,
            "reasoningTokenCount": 20,
        },
        {"input": 60, "cached_input": 40, "output": 30, "reasoning": 20},
        {},
    ),
    "a model of claude's agents": (
        {
            "inputTokens": 10,
            "outputTokens": 50,
            "cacheReadInputTokens": 500,
            "cacheCreationInputTokens": 300,
        },
        {"input": 10, "cached_input": 500, "cache_write_5m": 300, "output": 50},
        {},
    ),
    "crewai": (
        {**CHAT, "cached_prompt_tokens": 9},
        {"input": 10, "cached_input": 9, "output": 13},
        {},
    ),
    "agno": (
        {"input_tokens": 9, "output_tokens": 5, "cache_read_tokens": 4, "reasoning_tokens": 2},
        {"input": 5, "cached_input": 4, "output": 3, "reasoning": 2},
        {},
    ),
}


def usage_of(
    pools: dict[str, int],
    *,
    model: str | None = None,
    cost_picousd: int | None = None,
    warnings: tuple[str, ...] = (),
    **more: Any,
) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), model, cost_picousd, warnings, **more)


@pytest.mark.parametrize(("raw", "pools", "more"), CASES.values(), ids=CASES.keys())
def test_a_body_is_read_as_its_vendor_bills_it(
    raw: Raw, pools: dict[str, int], more: dict[str, Any]
) -> None:
    assert normalise_usage(raw) == usage_of(pools, **more)


@pytest.mark.parametrize(
    "raw",
    [
        {"choices": [{"usage": None}, "x", None]},
        {"choices": "x"},
        {"metadata": {"duration": 5}},
        {"metadata": {"channels": 1}, "results": {}},
        {"metrics": {"latencyMs": 5}},
        {"stats": {"tokens_per_second": 5}},
    ],
    ids=str,
)
def test_what_only_looks_like_it_is_no_usage(raw: Raw) -> None:
    with pytest.raises(InvalidError, match="is not recognised"):
        normalise_usage(raw)


@pytest.mark.parametrize(
    "raw",
    [
        {"inputTokens": {"total": -1}, "outputTokens": {}},
        {"inputTokens": {"total": 5}, "outputTokens": -2},
        {"metadata": {"duration": -5}, "results": {}},
        {"data": {"native_tokens_prompt": "x"}},
        {"usage": {"cost_in_usd_ticks": -5}},
        {"usage": {"cost": "free", "is_byok": True}},
    ],
    ids=str,
)
def test_a_body_without_one_possible_number_is_refused(raw: Raw) -> None:
    with pytest.raises(InvalidError, match="holds no possible token count"):
        normalise_usage(raw)
