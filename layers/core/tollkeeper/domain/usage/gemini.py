"""Usage as Gemini states it: the cache is inside the prompt, thoughts are beside the answer."""

from __future__ import annotations

from collections.abc import Mapping

from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import (
    add_sides,
    complete_sides,
    join_sides,
    split_input,
    split_output,
)

# The JSON of the API, of Vertex and of Live sessions; then what the Python SDK makes of it.
CAMEL = {
    "promptTokenCount": "prompt",
    "candidatesTokenCount": "answer",
    "responseTokenCount": "answer",
    "thoughtsTokenCount": "thoughts",
    "toolUsePromptTokenCount": "tools",
    "cachedContentTokenCount": "cached",
    "totalTokenCount": "total",
}
SNAKE = {
    "prompt_token_count": "prompt",
    "candidates_token_count": "answer",
    "response_token_count": "answer",
    "thoughts_token_count": "thoughts",
    "tool_use_prompt_token_count": "tools",
    "cached_content_token_count": "cached",
    "total_token_count": "total",
}
# The Interactions API, and what Vertex makes of it. Its first version reasoned.
INTERACTIONS = {
    "total_input_tokens": "prompt",
    "total_output_tokens": "answer",
    "total_thought_tokens": "thoughts",
    "total_reasoning_tokens": "thoughts",
    "total_tool_use_tokens": "tools",
    "total_cached_tokens": "cached",
    "total_tokens": "total",
    "totalInputTokens": "prompt",
    "totalOutputTokens": "answer",
    "totalThoughtTokens": "thoughts",
    "totalToolUseTokens": "tools",
    "totalCachedTokens": "cached",
    "totalTokens": "total",
}
INTERACTIONS_ONLY = ("total_input_tokens", "totalInputTokens", "total_thought_tokens")
_PROMPT = (
    "promptTokensDetails",
    "promptTokenDetails",
    "prompt_tokens_details",
    "input_tokens_by_modality",
    "inputTokensByModality",
)
_CACHE = (
    "cacheTokensDetails",
    "cache_tokens_details",
    "cached_tokens_by_modality",
    "cachedTokensByModality",
)
_TOOLS = (
    "toolUsePromptTokensDetails",
    "tool_use_prompt_tokens_details",
    "tool_use_tokens_by_modality",
    "toolUseTokensByModality",
)
_ANSWER = (
    "candidatesTokensDetails",
    "responseTokensDetails",
    "candidates_tokens_details",
    "response_tokens_details",
    "output_tokens_by_modality",
    "outputTokensByModality",
)
_SEARCHES = ("grounding_tool_count", "groundingToolCount")
# A page of a document is read as an image.
_KINDS = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}


def read_gemini(sheet: Sheet) -> TokenPools:
    """The pools of generated content or of an embedding, as the API words them."""
    return _read(sheet, CAMEL)


def read_gemini_sdk(sheet: Sheet) -> TokenPools:
    """The same, as the Python SDK words them."""
    return _read(sheet, SNAKE)


def read_interaction(sheet: Sheet) -> TokenPools:
    """The pools of an interaction, whose input has the cache in it.

    Source: in Google's own example 7 read, 23 answered and 49 thought are a total of 79.
    """
    pools = _read(sheet, INTERACTIONS)
    sheet.notes.web_searches = sum(
        row.tokens("count")
        for row in sheet.rows(*_SEARCHES)
        if (row.text("type") or "").casefold() == "google_search"
    )
    return pools


def read_vertex_embeddings(sheet: Sheet) -> TokenPools:
    """The pools of embeddings that Vertex predicted: each states what it read."""
    sheet.notes.provider = "google"
    return TokenPools(input=sum(map(_embedded, sheet.rows("predictions"))))


def _embedded(prediction: Sheet) -> int:
    embeddings = prediction.part("embeddings")
    statistics = None if embeddings is None else embeddings.part("statistics")
    return 0 if statistics is None else statistics.tokens("token_count")


def _read(sheet: Sheet, names: Mapping[str, str]) -> TokenPools:
    """Zeros are left out of the JSON, so a missing count is what the total leaves for it.

    Why: details by modality may lack a count, or add up to less than the prompt: only what is not
    text is taken from them. Tokens that only the total knows of are thoughts.
    """
    sheet.notes.provider = "google"
    counts = sheet.counts(names)
    tools, thoughts = counts.get("tools", 0), counts.get("thoughts", 0)
    total = counts.get("total")
    prompt, answer, hidden = complete_sides(
        sheet,
        input_side=counts.get("prompt"),
        output_side=counts.get("answer"),
        total=None if total is None else total - tools - thoughts,
    )
    if hidden:
        sheet.warn("hidden_reasoning")
    kinds = _kinds(sheet, _PROMPT)
    cached = counts.get("cached", 0)
    if cached:
        kinds |= {f"cached_{kind}": count for kind, count in _kinds(sheet, _CACHE).items()}
    read = split_input(sheet, whole=prompt, cached=cached, kinds=kinds)
    if tools:
        used = split_input(sheet, whole=tools, kinds=_kinds(sheet, _TOOLS))
        read = add_sides(read, used)
    shown = _kinds(sheet, _ANSWER)
    said = split_output(sheet, whole=sum(shown.values()) if answer is None else answer, **shown)
    return join_sides(read, (said[0], thoughts + hidden, *said[2:]))


def _kinds(sheet: Sheet, names: tuple[str, ...]) -> dict[str, int]:
    """What is not text, by kind."""
    kinds: dict[str, int] = {}
    for row in sheet.rows(*names):
        kind = _KINDS.get((row.text("modality") or "").upper().rpartition(".")[2])
        if kind is not None:
            count = row.tokens("tokenCount") or row.tokens("token_count") or row.tokens("tokens")
            kinds[kind] = kinds.get(kind, 0) + count
    return {kind: count for kind, count in kinds.items() if count}
