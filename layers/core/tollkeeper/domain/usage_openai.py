"""Usage as OpenAI states it, in chat completions (and all who copy them) and in responses."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.usage_pools import TokenPools, complete_sides, split_input, split_output
from tollkeeper.domain.usage_sheet import Sheet


@dataclass(frozen=True, slots=True)
class _Names:
    """The two dialects differ in names only."""

    input_side: str
    output_side: str
    input_details: tuple[str, ...]
    output_details: tuple[str, ...]
    cached: tuple[str, ...]


# The cached count stands in the details, or beside them: `num_cached_tokens` (Mistral),
# `cached_tokens` (Together and other hosts of open models), `prompt_cache_hit_tokens` (DeepSeek).
_CHAT = _Names(
    input_side="prompt_tokens",
    output_side="completion_tokens",
    input_details=("prompt_tokens_details",),
    output_details=("completion_tokens_details",),
    cached=("num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens"),
)

# The singular spelling is that of the audio and realtime endpoints.
_RESPONSES = _Names(
    input_side="input_tokens",
    output_side="output_tokens",
    input_details=("input_tokens_details", "input_token_details"),
    output_details=("output_tokens_details", "output_token_details"),
    cached=(),
)


def read_chat(sheet: Sheet) -> TokenPools:
    """The pools of a chat completion, a completion or an embedding."""
    return _read(sheet, _CHAT)


def read_responses(sheet: Sheet) -> TokenPools:
    """The pools of a response, a transcription or a realtime turn."""
    return _read(sheet, _RESPONSES)


def _read(sheet: Sheet, names: _Names) -> TokenPools:
    """Cached, cache-write and audio tokens are parts of the input; so is reasoning of the output.

    Source: OpenRouter's billed cost proves that `cache_write_tokens` are inside the prompt.
    """
    details = sheet.part(*names.input_details)
    total = sheet.count("total_tokens")
    input_side, output_side, hidden = complete_sides(
        sheet,
        input_side=sheet.count(names.input_side),
        output_side=sheet.count(names.output_side),
        total=total,
    )
    cached_audio = details.part("cached_tokens_details").count("audio_tokens") or 0
    return split_input(
        sheet,
        whole=input_side,
        cached=max(details.largest("cached_tokens"), sheet.largest(*names.cached)),
        cache_write=details.largest("cache_write_tokens"),
        audio=max(0, details.largest("audio_tokens") - cached_audio),
    ).plus(
        _read_output(
            sheet.part(*names.output_details),
            visible=output_side,
            hidden=hidden,
            total_is_stated=total is not None,
        )
    )


def _read_output(details: Sheet, *, visible: int, hidden: int, total_is_stated: bool) -> TokenPools:
    """The output side, with the thinking that a provider shows in the total alone.

    Why: Gemini's OpenAI-compatible endpoint says prompt 35, completion 12, total 109 and names the
    62 between them nowhere: they are thoughts, and billed. xAI names reasoning beside the
    completion instead of inside it, where total = prompt + completion + reasoning.
    Without a total, reasoning above the completion can only be beside it.
    """
    reasoning = details.largest("reasoning_tokens")
    audio = details.largest("audio_tokens")
    if hidden:
        if reasoning < hidden:
            details.warn("hidden_reasoning")
        visible, reasoning = visible + hidden, max(reasoning, hidden)
    elif reasoning > visible and not total_is_stated:
        details.warn("reasoning_above_output")
        visible += reasoning
    return split_output(details, whole=visible, reasoning=reasoning, audio=audio)
