"""What a call used, in disjoint token pools, from whatever its provider reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage.anthropic import read_messages
from tollkeeper.domain.usage.bedrock import (
    CONVERSE_ONLY,
    SONIC_ONLY,
    read_converse,
    read_invoked,
    read_sonic,
)
from tollkeeper.domain.usage.breakdown import read_breakdown
from tollkeeper.domain.usage.cohere import read_cohere
from tollkeeper.domain.usage.finding import (
    REPORTS,
    Object,
    Report,
    find_report,
    last_report,
    length_beside,
    model_of,
    says_counts,
)
from tollkeeper.domain.usage.gemini import (
    CAMEL,
    INTERACTIONS_ONLY,
    SNAKE,
    read_gemini,
    read_gemini_sdk,
    read_interaction,
    read_vertex_embeddings,
)
from tollkeeper.domain.usage.libraries import (
    AI_SDK_ONLY,
    OLLAMA,
    PYDANTIC_ONLY,
    read_ai_sdk,
    read_ai_sdk_sides,
    read_ollama,
    read_pydantic,
)
from tollkeeper.domain.usage.openai import read_chat, read_responses
from tollkeeper.domain.usage.plain import PLAIN, read_plain
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.report import Usage
from tollkeeper.domain.usage.seconds import SECONDS, SECONDS_BESIDE, read_seconds
from tollkeeper.domain.usage.sheet import Notes, Sheet
from tollkeeper.domain.usage.tiers import read_tier
from tollkeeper.domain.usage.tools import read_tools


@dataclass(frozen=True, slots=True)
class _Dialect:
    """A usage object with any of these members is read by this function."""

    read: Callable[[Sheet], TokenPools]
    members: Iterable[str]


_ANTHROPIC_ONLY = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "iterations",
    "server_tool_use",
    "service_tier",
    "inference_geo",
    "speed",
)

# The first dialect that fits is taken, so the order is from the most telling names to the least.
# Anthropic, OpenAI's responses and pydantic-ai share `input_tokens`, and mean different things by
# it: with the cache outside and inside. What only one of them says tells them apart; where none
# does, no cache is named and all readings agree. So do Bedrock and the AI SDK with `inputTokens`,
# and Nova Sonic and Gemini's interactions with `totalInputTokens`.
_DIALECTS = (
    _Dialect(read_ai_sdk, ("cachedInputTokenCount", "reasoningTokenCount")),
    _Dialect(read_invoked, ("generation_token_count", "inputTokenCount", "outputTokenCount")),
    _Dialect(read_gemini, CAMEL),
    _Dialect(read_gemini_sdk, SNAKE),
    _Dialect(read_sonic, SONIC_ONLY),
    _Dialect(read_interaction, INTERACTIONS_ONLY),
    _Dialect(read_cohere, ("billed_units",)),
    _Dialect(
        read_chat,
        (
            "prompt_tokens",
            "completion_tokens",
            "prompt_cache_hit_tokens",
            "prompt_cache_miss_tokens",
            "native_tokens_prompt",
        ),
    ),
    _Dialect(read_converse, CONVERSE_ONLY),
    _Dialect(read_ai_sdk, AI_SDK_ONLY),
    _Dialect(
        read_converse,
        ("inputTokens", "outputTokens", "totalTokens", "cacheReadTokens", "cacheWriteTokens"),
    ),
    _Dialect(read_responses, ("input_tokens_details", "input_token_details")),
    _Dialect(read_pydantic, (*PYDANTIC_ONLY, "details", "audio_seconds", "input_audio_seconds")),
    _Dialect(read_messages, _ANTHROPIC_ONLY),
    _Dialect(read_responses, ("input_tokens", "output_tokens")),
    _Dialect(read_ollama, OLLAMA),
    _Dialect(read_invoked, ("inputTextTokenCount", "totalOutputTextTokenCount")),
    _Dialect(read_vertex_embeddings, ("predictions",)),
    _Dialect(read_seconds, (*SECONDS, "prompt_audio_seconds")),
)
_RANKS = {
    member: rank
    for rank, dialect in reversed(tuple(enumerate(_DIALECTS)))
    for member in dialect.members
}
_NONE = len(_DIALECTS)
_SECONDS = _NONE - 1
_PLAINEST = _RANKS["input_tokens"]
MEMBERS = tuple(_RANKS)
# A length in seconds is that of many things in a stream, and no usage of it.
_COUNTS = frozenset(member for member, rank in _RANKS.items() if rank < _SECONDS)


def normalise_usage(raw: Mapping[str, object]) -> Usage:
    """The usage in disjoint pools that add up to the provider's own total.

    Shape: plain counts by pool name (or `total` alone), a provider's usage object, its whole
    response body, one event of its stream, or {"events": [...]}: docs/usage.md lists who is
    understood.
    Raises: InvalidError when nothing can be recognised, or a plain count is wrong. A provider's
    own impossible numbers are cut and named in `warnings`, never negative, never an error, unless
    no possible number is left.
    """
    report = _find(cast("Object", raw))
    usage = report.usage
    notes = Notes(report.model, report.kind)
    sheet = Sheet(usage, notes)
    pools = _read(sheet, usage)
    if report.more is not None:
        pools = read_tools(report.more, notes, read_breakdown(report.more, notes, pools))
    cost_picousd = sheet.cost_picousd()
    if not notes.understood:
        if cost_picousd is None:
            raise InvalidError("usage", "holds no possible token count")
        sheet.warn("cost_only")
    if notes.seconds_micro is None:
        notes.seconds_micro = sheet.seconds_micro(*SECONDS_BESIDE)
    if cost_picousd is not None and ("is_byok" in usage or "cost_details" in usage):
        notes.provider = "openrouter"
    service_tier = read_tier(sheet, usage, report.tier)
    return Usage(
        pools,
        notes.model,
        cost_picousd,
        tuple(notes.warnings),
        notes.seconds_micro,
        notes.web_searches,
        notes.requests,
        notes.provider,
        service_tier,
        notes.parts,
    )


def _find(raw: Object) -> Report:
    """The usage object wherever in the body it stands, or the body. Raises: InvalidError."""
    events = raw.get("events")
    if isinstance(events, list):
        return last_report(cast("list[object]", events), _COUNTS)
    report = find_report(raw)
    if report is not None:
        return report
    named = [name for name in REPORTS if name in raw]
    if not named or says_counts(raw, _RANKS):
        return Report(length_beside(raw) or raw, model_of(raw), None, raw.get("type"))
    if all(raw[name] is None for name in named):
        reason = "is empty: the provider has not reported what the call used"
        raise InvalidError(f"usage.{named[0]}", reason)
    raise InvalidError(f"usage.{named[0]}", "must be the provider's usage object")


def _read(sheet: Sheet, usage: Object) -> TokenPools:
    rank = _rank(usage)
    if sheet.holds("inputTokens") and sheet.holds("outputTokens"):
        return read_ai_sdk_sides(sheet)
    if rank == _PLAINEST and _thinks_like_claude(sheet):
        return read_messages(sheet)
    if rank < _SECONDS:
        return _DIALECTS[rank].read(sheet)
    if not PLAIN.isdisjoint(usage):
        return read_plain(sheet, usage)
    if rank == _SECONDS:
        return read_seconds(sheet)
    if "total_tokens" in usage:
        return read_chat(sheet)
    if sheet.holds("tokens"):
        return read_cohere(sheet)
    if sheet.has("cost_in_usd_ticks") or sheet.has("is_byok"):
        # An image or a film at xAI or OpenRouter states what it cost, and nothing else.
        return TokenPools()
    raise _not_understood(usage)


def _thinks_like_claude(sheet: Sheet) -> bool:
    """Whether a bare input and output are Anthropic's: nobody else calls reasoning thinking."""
    details = sheet.part("output_tokens_details") if sheet.holds("output_tokens_details") else None
    return details is not None and details.has("thinking_tokens")


def _rank(usage: Object) -> int:
    """The dialect of the usage; a member that is null speaks none."""
    best = _NONE
    for member, value in usage.items():
        rank = _RANKS.get(member, best)
        if rank < best and value is not None:
            best = rank
    return best


def _not_understood(usage: Object) -> InvalidError:
    if any(member in _RANKS for member in usage):
        return InvalidError("usage", "holds no possible token count")
    if "pages_processed" in usage or "usage_info" in usage:
        return InvalidError("usage", "counts pages, not tokens; send them as a quantity")
    return InvalidError(
        "usage",
        "is not recognised; send token counts such as input and output, or the usage object of "
        "OpenAI (and whoever answers like it), Anthropic, Gemini, Bedrock, Cohere, Ollama, "
        "the AI SDK, LangChain or pydantic-ai",
    )
