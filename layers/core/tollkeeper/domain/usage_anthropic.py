"""Usage as Anthropic states it in messages: the caches stand beside the input, never inside."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.usage_pools import TokenPools, split_output
from tollkeeper.domain.usage_sheet import Sheet


def read_messages(sheet: Sheet, model: str | None) -> TokenPools:
    """The pools of a message, all its iterations included.

    Why: the top level leaves out what compaction and advisors used, and the iterations do not;
    what is billed is their sum. Thinking, however, is named only at the top level.
    Source: anthropic_iterations.json, where the "message" rows add up to the top level.
    """
    stated = _read_one(sheet)
    iterations = sheet.rows("iterations")
    if not iterations:
        return stated
    if any(row.text("model") not in (None, model) for row in iterations):
        sheet.warn("iterations_other_model")
    summed = TokenPools()
    for row in iterations:
        summed = summed.plus(_read_one(row))
    if summed.total() < stated.total():
        sheet.warn("total_mismatch")
        return stated
    thinking = max(summed.reasoning, stated.reasoning)
    output = split_output(sheet, whole=summed.output + summed.reasoning, reasoning=thinking)
    return replace(summed, output=output.output, reasoning=output.reasoning)


def _read_one(sheet: Sheet) -> TokenPools:
    written_5m, written_1h = _read_cache_writes(sheet)
    output = split_output(
        sheet,
        whole=sheet.count("output_tokens") or 0,
        reasoning=sheet.part("output_tokens_details").largest("thinking_tokens"),
    )
    return replace(
        output,
        input=sheet.count("input_tokens") or 0,
        cached_input=sheet.count("cache_read_input_tokens") or 0,
        cache_write_5m=written_5m,
        cache_write_1h=written_1h,
    )


def _read_cache_writes(sheet: Sheet) -> tuple[int, int]:
    """What went into the caches of 5 minutes and of 1 hour; together the total, where it is given.

    Why: the split came later than the total, and five minutes is what a cache lives by default.
    """
    split = sheet.part("cache_creation")
    written_5m = split.count("ephemeral_5m_input_tokens")
    written_1h = split.count("ephemeral_1h_input_tokens")
    total = sheet.count("cache_creation_input_tokens")
    if total is None:
        return written_5m or 0, written_1h or 0
    if written_5m is None and written_1h is None:
        return total, 0
    if (written_5m or 0) + (written_1h or 0) != total:
        sheet.warn("cache_write_mismatch")
    written_1h = min(written_1h or 0, total)
    return total - written_1h, written_1h
