"""Usage as OpenAI states it, in chat completions (and all who copy them) and in responses."""

from __future__ import annotations

from tollkeeper.domain.usage.beside import (
    Counts,
    hidden_in_total,
    place_caches,
    place_connectors,
    place_sound,
    written_of_turn,
)
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.searches import count_searches
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import (
    InputSide,
    OutputSide,
    complete_sides,
    join_sides,
    split_input,
    split_output,
)

# The singular is that of a run of an assistant.
_PROMPT_DETAILS = ("prompt_tokens_details", "prompt_token_details")
_COMPLETION_DETAILS = ("completion_tokens_details",)

# The cached count stands in the details, or beside them: `num_cached_tokens` (Mistral),
# `cached_tokens` (Together, Moonshot and other hosts), `prompt_cache_hit_tokens` (DeepSeek),
# `cached_prompt_text_tokens` (xAI), `cached_prompt_tokens` (CrewAI), `cache_read_input_tokens`
# (Databricks, LiteLLM). The native counts are those of a generation that OpenRouter looks up: the
# provider's own, and billed.
CHAT = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "total_tokens": "total",
    "num_cached_tokens": "cached",
    "cached_tokens": "cached",
    "prompt_cache_hit_tokens": "hit",
    "prompt_cache_miss_tokens": "miss",
    "cached_prompt_text_tokens": "cached",
    "cached_prompt_tokens": "cached",
    "cache_read_input_tokens": "read",
    "cache_creation_input_tokens": "written",
    "reasoning_tokens": "reasoning",
    "citation_tokens": "citations",
    "num_search_queries": "searches",
    "connector_tokens": "connectors",
    "native_tokens_prompt": "input",
    "native_tokens_completion": "output",
    "native_tokens_cached": "cached",
    "native_tokens_reasoning": "reasoning",
}
# `cached_input_tokens` and `reasoning_output_tokens` are Codex's, `total_output_tokens` is LM
# Studio's, `audio_tokens` Qwen's.
RESPONSES = {
    "input_tokens": "input",
    "output_tokens": "output",
    "total_output_tokens": "output",
    "total_tokens": "total",
    "cached_input_tokens": "cached",
    "reasoning_tokens": "reasoning",
    "reasoning_output_tokens": "reasoning",
    "audio_tokens": "heard",
}
# Names without `_tokens` are LangChain's, `cache_..._input_tokens` Perplexity's, and
# `cache_creation_tokens` LiteLLM's. LangChain puts the service tier before a name.
_INPUT_DETAILS = {
    "cached_tokens": "cached",
    "cache_read": "cached",
    "flex_cache_read": "cached",
    "priority_cache_read": "cached",
    "cache_read_input_tokens": "cached",
    "cache_write_tokens": "written",
    "cache_creation": "written",
    "cache_creation_tokens": "written",
    "cache_creation_input_tokens": "written",
    "ephemeral_5m_input_tokens": "written_5m",
    "ephemeral_1h_input_tokens": "written_1h",
    "text_tokens": "text",
    "audio_tokens": "audio",
    "audio": "audio",
    "image_tokens": "image",
    "image": "image",
    "video_tokens": "video",
    "video": "video",
}
# Qwen's `cache_creation` is an object, and LangChain's a count.
_SPLIT_DETAILS = {name: kind for name, kind in _INPUT_DETAILS.items() if name != "cache_creation"}
_CACHED_DETAILS = {
    "audio_tokens": "cached_audio",
    "image_tokens": "cached_image",
    "video_tokens": "cached_video",
}
_OUTPUT_DETAILS = {
    "reasoning_tokens": "reasoning",
    "thinking_tokens": "reasoning",
    "reasoning": "reasoning",
    "flex_reasoning": "reasoning",
    "priority_reasoning": "reasoning",
    "audio_tokens": "audio",
    "audio": "audio",
    "image_tokens": "image",
    "image": "image",
    "video_tokens": "video",
    "video": "video",
}
# Only Perplexity says these; there, thoughts and citations are billed beside the completion.
_PERPLEXITY = ("citation_tokens", "num_search_queries", "search_context_size")
_XAI = ("num_sources_used", "cost_in_usd_ticks")


def read_chat(sheet: Sheet) -> TokenPools:
    """The pools of a chat completion, a completion or an embedding."""
    counts = sheet.counts(CHAT)
    if not (counts.get("input") or counts.get("output")) and sheet.has("input_tokens"):
        # Some gateways write zeros in this dialect and the counts in the other.
        return read_responses(sheet)
    if "hit" in counts or "miss" in counts:
        counts.setdefault("input", counts.get("hit", 0) + counts.get("miss", 0))
        counts["cached"] = max(counts.get("cached", 0), counts.get("hit", 0))
    if "read" in counts or "written" in counts:
        place_caches(counts)
    sheet.notes.web_searches = counts.get("searches", 0) or count_searches(sheet)
    if any(map(sheet.has, _PERPLEXITY)):
        return _read_perplexity(sheet, counts)
    if "connectors" in counts:
        place_connectors(counts)
    return read_sides(sheet, counts, details=_PROMPT_DETAILS, output=_COMPLETION_DETAILS)


def read_completion(sheet: Sheet) -> TokenPools:
    """The pools of one model's completion; nothing beside them is noted."""
    counts = sheet.counts(CHAT)
    return read_sides(sheet, counts, details=_PROMPT_DETAILS, output=_COMPLETION_DETAILS)


def read_responses(sheet: Sheet) -> TokenPools:
    """The pools of a response, a transcription, an image or a realtime turn.

    Why: the singular spelling is that of the audio and realtime endpoints, and of LangChain;
    DashScope tells the cache as a chat does. Requests are those of a run of the Agents SDK.
    """
    sheet.notes.web_searches = count_searches(sheet)
    sheet.notes.requests = max(1, sheet.tokens("requests"))
    counts = sheet.counts(RESPONSES)
    if "heard" in counts:
        place_sound(counts)
    if sheet.has("seconds"):
        # Qwen's transcriptions are billed by their length, and count tokens besides.
        sheet.notes.seconds_micro = sheet.seconds_micro("seconds")
    if sheet.has("x_details"):
        counts["written"] = sum(map(written_of_turn, sheet.rows("x_details")))
    return read_sides(
        sheet,
        counts,
        details=("input_tokens_details", "input_token_details", "prompt_tokens_details"),
        output=("output_tokens_details", "output_token_details"),
    )


def read_sides(
    sheet: Sheet, counts: Counts, *, details: tuple[str, ...], output: tuple[str, ...]
) -> TokenPools:
    """Cached, cache-write and audio tokens are parts of the input; so is reasoning of the output.

    Source: OpenRouter's billed cost proves that `cache_write_tokens` are inside the prompt.
    """
    total = counts.get("total")
    input_side, output_side, hidden = complete_sides(
        sheet,
        input_side=counts.get("input"),
        output_side=counts.get("output"),
        total=total,
    )
    inside, outside = sheet.joined(*details), sheet.joined(*output)
    if hidden and sheet.has("prompt_audio_seconds"):
        # Mistral counts the sound of a transcription in the total alone.
        counts["audio"] = counts.get("audio", 0) + hidden
        input_side, hidden = (input_side or 0) + hidden, 0
    kind = _only_kind(sheet, inside) if outside is None else None
    if kind and hidden:
        sheet.warn("hidden_tokens")
        input_side, hidden = (input_side or 0) + hidden, 0
    read = _read_input(sheet, inside, counts, whole=input_side)
    if kind:
        whole = output_side or 0
        return join_sides(read, split_output(sheet, whole=whole, **{kind: whole}))
    said = _read_output(sheet, outside, counts, visible=output_side, hidden=hidden)
    return join_sides(read, said)


def _read_input(
    sheet: Sheet, inside: Sheet | None, counts: Counts, *, whole: int | None
) -> InputSide:
    cached, written = counts.get("cached", 0), counts.get("written", 0)
    if inside is None:
        kinds = {"audio": counts["audio"]} if "audio" in counts else None
        return split_input(sheet, whole=whole, cached=cached, written=written, kinds=kinds)
    kinds = _input_kinds(inside)
    cached = max(cached, kinds.get("cached", 0))
    written = max(written, kinds.get("written", 0))
    written_1h = 0
    if "audio" in counts:
        kinds["audio"] = max(counts["audio"], kinds.get("audio", 0))
    if "written_1h" in kinds or "written_5m" in kinds:
        written_1h = kinds.get("written_1h", 0)
        written = max(written, written_1h + kinds.get("written_5m", 0))
    if cached:
        held = inside.part("cached_tokens_details")
        if held is not None:
            kinds |= held.counts(_CACHED_DETAILS)
    if not (kinds.get("audio") or kinds.get("image") or kinds.get("video")):
        kinds = None
    return split_input(
        sheet, whole=whole, cached=cached, written=written, written_1h=written_1h, kinds=kinds
    )


def _input_kinds(inside: Sheet) -> Counts:
    """The details of an input, with how long lives what was put into a cache."""
    if inside.holds("cache_creation"):
        kinds, split = inside.counts(_SPLIT_DETAILS), inside.part("cache_creation")
    else:
        kinds, split = inside.counts(_INPUT_DETAILS), inside.part("cache_creation_token_details")
    if split is not None:
        for kind, count in split.counts(_SPLIT_DETAILS).items():
            kinds[kind] = max(count, kinds.get(kind, 0))
    return kinds


def _read_output(
    sheet: Sheet, outside: Sheet | None, counts: Counts, *, visible: int | None, hidden: int
) -> OutputSide:
    """The output side, with the thinking that a provider shows in the total alone.

    Why: Gemini's OpenAI-compatible endpoint says prompt 35, completion 12, total 109 and names the
    62 between them nowhere: they are thoughts, and billed. xAI names reasoning beside the
    completion instead of inside it, where total = prompt + completion + reasoning.
    """
    kinds = {} if outside is None else outside.counts(_OUTPUT_DETAILS)
    reasoning = max(kinds.get("reasoning", 0), counts.get("reasoning", 0))
    if visible is None:
        visible = reasoning + kinds.get("audio", 0) + kinds.get("image", 0) + kinds.get("video", 0)
    if hidden:
        if reasoning < hidden:
            sheet.warn("hidden_reasoning")
        visible, reasoning = visible + hidden, max(reasoning, hidden)
    elif reasoning and "total" not in counts:
        visible = _with_thinking(sheet, visible, reasoning)
    return split_output(
        sheet,
        whole=visible,
        reasoning=reasoning,
        audio=kinds.get("audio", 0),
        image=kinds.get("image", 0),
        video=kinds.get("video", 0),
    )


def _with_thinking(sheet: Sheet, visible: int, reasoning: int) -> int:
    """The whole output where no total says whether reasoning is inside or beside it.

    Why: it is beside the completion in a chat of xAI's, and inside it everywhere else, even in
    xAI's responses; there, reasoning above the completion leaves no room for an answer, and no less
    than the reasoning was billed.
    """
    model = sheet.notes.model or ""
    is_of_xai = model.startswith("grok") or any(map(sheet.has, _XAI))
    if is_of_xai and not sheet.has("output_tokens"):
        return visible + reasoning
    if reasoning > visible:
        sheet.warn("reasoning_above_output")
    return max(visible, reasoning)


def _read_perplexity(sheet: Sheet, counts: Counts) -> TokenPools:
    """Thoughts and citations are billed beside the completion, and are in no total.

    Why: citations are text that the model read, and billed like input.
    Source: Perplexity's sonar-deep-research states 163395 thoughts beside a completion of 7163.
    """
    thoughts, citations = counts.pop("reasoning", 0), counts.pop("citations", 0)
    beside = TokenPools(input=citations, reasoning=thoughts)
    if "total" in counts:
        # A total that has them as well must not count them twice.
        counts["total"] -= min(hidden_in_total(counts), beside.total())
    return read_sides(sheet, counts, details=_PROMPT_DETAILS, output=_COMPLETION_DETAILS).plus(
        beside
    )


def _only_kind(sheet: Sheet, inside: Sheet | None) -> str | None:
    """What all of an output is that is not split; None where it is text.

    Source: the `speech.audio.done` event of a stream states input and output tokens alone; Seedream
    says beside its output how many images that was.
    """
    if sheet.has("generated_images") or (inside is not None and _is_of_an_image(inside, sheet)):
        return "image"
    if sheet.notes.kind == "speech.audio.done" or "-tts" in (sheet.notes.model or ""):
        return "audio"
    return None


def _is_of_an_image(inside: Sheet, sheet: Sheet) -> bool:
    """Only the images endpoint tells text from images and says nothing of a cache.

    Why: its older answers do not split the output, and all of that is image.
    """
    return (
        sheet.has("input_tokens_details")
        and inside.has("image_tokens")
        and inside.has("text_tokens")
        and not inside.has("cached_tokens")
    )
