"""Usage as libraries word it that stand between a caller and a provider."""

from __future__ import annotations

from tollkeeper.domain.usage.anthropic import reconcile_writes
from tollkeeper.domain.usage.openai import read_sides
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import complete_sides, join_sides, split_input, split_output

# Vercel's AI SDK; the second pair of names is that of its older versions, and the counts are
# those of .NET's Extensions.AI.
AI_SDK = {
    "inputTokens": "input",
    "outputTokens": "output",
    "promptTokens": "input",
    "completionTokens": "output",
    "totalTokens": "total",
    "cachedInputTokens": "cached",
    "reasoningTokens": "reasoning",
    "inputTokenCount": "input",
    "outputTokenCount": "output",
    "totalTokenCount": "total",
    "cachedInputTokenCount": "cached",
    "reasoningTokenCount": "reasoning",
}
AI_SDK_ONLY = (
    "cachedInputTokens",
    "reasoningTokens",
    "promptTokens",
    "completionTokens",
    "inputTokenDetails",
    "outputTokenDetails",
)
# The sides as its providers tell them, each in an object of its own.
_AI_SDK_INPUT = {"total": "input", "cacheRead": "cached", "cacheWrite": "written"}
_AI_SDK_OUTPUT = {"total": "output", "reasoning": "reasoning"}
# The short names are LangChain's, in the spelling of JavaScript.
_AI_SDK_DETAILS = {
    "cacheReadTokens": "cached",
    "cacheRead": "cached",
    "cacheWriteTokens": "written",
    "cacheCreation": "written",
    "reasoningTokens": "reasoning",
    "reasoning": "reasoning",
}
# pydantic-ai and genai-prices: `input_tokens` and `output_tokens`, which once were those of the
# request and the response, have everything in them.
PYDANTIC = {
    "input_tokens": "input",
    "output_tokens": "output",
    "request_tokens": "input",
    "response_tokens": "output",
    "total_tokens": "total",
    "cache_read_tokens": "cached",
    "cache_write_tokens": "written",
    "cache_write_5m_tokens": "written_5m",
    "cache_write_1h_tokens": "written_1h",
    "input_audio_tokens": "audio",
    "input_image_tokens": "image",
    "input_video_tokens": "video",
    "cache_audio_read_tokens": "cached_audio",
    "cache_image_read_tokens": "cached_image",
    "cache_video_read_tokens": "cached_video",
    "output_reasoning_tokens": "reasoning",
    "reasoning_tokens": "reasoning",
    "reasoning_output_tokens": "reasoning",
    "cached_input_tokens": "cached",
    "output_audio_tokens": "said_audio",
    "output_image_tokens": "said_image",
    "output_video_tokens": "said_video",
    "web_searches": "searches",
    "requests": "requests",
}
# What a response may say as well proves nothing; Codex says the last two.
_SHARED = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "reasoning_tokens",
    "reasoning_output_tokens",
    "cached_input_tokens",
)
PYDANTIC_ONLY = tuple(name for name in PYDANTIC if name not in _SHARED)
_PYDANTIC_DETAILS = {"reasoning_tokens": "reasoning", "thoughts_tokens": "reasoning"}
_PYDANTIC_SECONDS = ("audio_seconds", "input_audio_seconds")
# llama.cpp's own server evaluates and predicts; Replicate counts both sides in its metrics.
OLLAMA = {
    "prompt_eval_count": "input",
    "eval_count": "output",
    "tokens_evaluated": "input",
    "tokens_predicted": "output",
    "input_token_count": "input",
    "output_token_count": "output",
}


def read_ai_sdk(sheet: Sheet) -> TokenPools:
    """The pools of a call through the AI SDK: caches inside the input, as in a chat."""
    counts = sheet.counts(AI_SDK)
    for name in ("inputTokenDetails", "outputTokenDetails"):
        part = sheet.part(name)
        if part is not None:
            for kind, count in part.counts(_AI_SDK_DETAILS).items():
                counts[kind] = max(count, counts.get(kind, 0))
    return read_sides(sheet, counts, details=(), output=())


def read_ai_sdk_sides(sheet: Sheet) -> TokenPools:
    """The same, as the AI SDK has it of its providers: an object for each side."""
    counts: dict[str, int] = {}
    for name, kinds in (("inputTokens", _AI_SDK_INPUT), ("outputTokens", _AI_SDK_OUTPUT)):
        side = sheet.part(name)
        if side is not None:
            counts |= side.counts(kinds)
    return read_sides(sheet, counts, details=(), output=())


def read_pydantic(sheet: Sheet) -> TokenPools:
    """The pools of a call through pydantic-ai, or as genai-prices takes them."""
    counts = sheet.counts(PYDANTIC)
    details = sheet.part("details")
    if details is not None:
        said = details.counts(_PYDANTIC_DETAILS).get("reasoning", 0)
        counts["reasoning"] = max(said, counts.get("reasoning", 0))
    sheet.notes.web_searches = counts.get("searches", 0)
    sheet.notes.requests = max(1, counts.get("requests", 1))
    sheet.notes.seconds_micro = sheet.seconds_micro(*_PYDANTIC_SECONDS)
    written, written_1h = reconcile_writes(
        sheet,
        total=counts.get("written"),
        written_5m=counts.get("written_5m"),
        written_1h=counts.get("written_1h"),
    )
    input_side, output_side, hidden = complete_sides(
        sheet,
        input_side=counts.get("input"),
        output_side=counts.get("output"),
        total=counts.get("total"),
    )
    if hidden:
        sheet.warn("hidden_reasoning")
    read = split_input(
        sheet,
        whole=input_side,
        cached=counts.get("cached", 0),
        written=written,
        written_1h=written_1h,
        kinds=counts,
    )
    return join_sides(read, _read_output(sheet, counts, whole=output_side, hidden=hidden))


def read_ollama(sheet: Sheet) -> TokenPools:
    """The pools of a model on the caller's own machine, or of one that is counted like it."""
    counts = sheet.counts(OLLAMA)
    return TokenPools(input=counts.get("input", 0), output=counts.get("output", 0))


def _read_output(
    sheet: Sheet, counts: dict[str, int], *, whole: int | None, hidden: int
) -> tuple[int, int, int, int, int]:
    reasoning = counts.get("reasoning", 0)
    said = [counts.get(f"said_{kind}", 0) for kind in ("audio", "image", "video")]
    if whole is None:
        whole = reasoning + sum(said)
    return split_output(
        sheet,
        whole=whole + hidden,
        reasoning=max(reasoning, hidden),
        audio=said[0],
        image=said[1],
        video=said[2],
    )
