"""Usage as Anthropic states it in messages: the caches stand beside the input, never inside."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.usage.models import other_model, sum_pools, to_parts
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import join_sides, split_input, split_output

IN_ONE_REGION = "us"
_MESSAGES = ("message", "fallback_message")


def read_messages(sheet: Sheet) -> TokenPools:
    """The pools of a message, all its iterations included.

    Why: the top level leaves out what compaction and advisors used, and the iterations do not;
    what is billed is their sum, each at its own model. Thinking, however, is named only at the top
    level, for the message itself.
    Source: anthropic_iterations.json, where the "message" rows add up to the top level.
    """
    notes = sheet.notes
    if notes.model is None or "claude" in notes.model:
        notes.provider = "anthropic"
    if sheet.text("inference_geo") == IN_ONE_REGION:
        # It is billed 1.1 times, which no price book says.
        sheet.warn("regional_inference")
    if sheet.has("server_tool_use"):
        tools = sheet.part("server_tool_use")
        notes.web_searches = 0 if tools is None else tools.tokens("web_search_requests")
    stated = _read_one(sheet)
    iterations = sheet.rows("iterations") if sheet.has("iterations") else ()
    if not iterations:
        return _with_total(sheet, stated)
    by_model: dict[str | None, TokenPools] = {}
    own_model = _own_model(iterations, notes.model)
    notes.model = notes.model or own_model
    for row in iterations:
        model = other_model(row, own_model, by_model)
        by_model[model] = by_model.get(model, TokenPools()).plus(_read_one(row))
    summed = sum_pools(by_model.values())
    if summed.total() < stated.total():
        sheet.warn("total_mismatch")
        return stated
    own = by_model.get(None, TokenPools())
    by_model[None] = _with_thinking(sheet, own, stated.reasoning)
    notes.parts = to_parts(by_model, notes.web_searches)
    return sum_pools(by_model.values())


def _own_model(rows: list[Sheet], model: str | None) -> str | None:
    """The name by which the iterations call the message's own model.

    Why: iterations may give it another of its names, or be sent without the message around them.
    The last message is the one that was answered: a fallback comes after what was declined.
    """
    named = [row.text("model") for row in rows]
    if None in named or model in named:
        return model
    messages = [row.text("model") for row in rows if row.text("type") in _MESSAGES]
    return messages[-1] if messages else model


def _with_thinking(sheet: Sheet, own: TokenPools, stated: int) -> TokenPools:
    thinking = max(own.reasoning, stated)
    output, reasoning, *_ = split_output(
        sheet, whole=own.output + own.reasoning, reasoning=thinking
    )
    return replace(own, output=output, reasoning=reasoning)


def _with_total(sheet: Sheet, stated: TokenPools) -> TokenPools:
    """The pools, where a vendor that copies the shape states a total as well.

    Why: Anthropic states none. A total of input and output alone has the caches inside the input.
    """
    total = sheet.count("total_tokens") if sheet.has("total_tokens") else None
    if total is None or total == stated.total():
        return stated
    beside = stated.cached_input + stated.cache_write_5m + stated.cache_write_1h
    if total == stated.total() - beside and beside <= stated.input:
        return replace(stated, input=stated.input - beside)
    if total < stated.total():
        sheet.warn("total_mismatch")
        return stated
    sheet.warn("hidden_tokens")
    return replace(stated, input=stated.input + total - stated.total())


def _read_one(sheet: Sheet) -> TokenPools:
    cached = sheet.tokens("cache_read_input_tokens")
    written, written_1h = read_cache_writes(sheet)
    thinking = 0
    if sheet.has("output_tokens_details"):
        details = sheet.part("output_tokens_details")
        thinking = 0 if details is None else details.tokens("thinking_tokens")
    said = sheet.count("output_tokens")
    return join_sides(
        split_input(
            sheet,
            whole=sheet.tokens("input_tokens") + cached + written,
            cached=cached,
            written=written,
            written_1h=written_1h,
        ),
        split_output(sheet, whole=thinking if said is None else said, reasoning=thinking),
    )


def read_cache_writes(sheet: Sheet) -> tuple[int, int]:
    """What went into any cache, and into that of 1 hour; the total stands, where it is given.

    Why: the split came later than the total, and five minutes is what a cache lives by default.
    """
    total = sheet.count("cache_creation_input_tokens")
    split = sheet.part("cache_creation") if sheet.has("cache_creation") else None
    if split is None:
        return total or 0, 0
    written_5m = split.count("ephemeral_5m_input_tokens")
    written_1h = split.count("ephemeral_1h_input_tokens")
    return reconcile_writes(sheet, total=total, written_5m=written_5m, written_1h=written_1h)


def reconcile_writes(
    sheet: Sheet, *, total: int | None, written_5m: int | None, written_1h: int | None
) -> tuple[int, int]:
    """What went into any cache, and into that of 1 hour, of a total and its split."""
    split = (written_5m or 0) + (written_1h or 0)
    if total is None:
        return split, written_1h or 0
    if written_5m is None and written_1h is None:
        return total, 0
    if split != total:
        sheet.warn("cache_write_mismatch")
    return total, min(written_1h or 0, total)
