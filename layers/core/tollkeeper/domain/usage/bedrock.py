"""Usage as Amazon Bedrock states it: Converse, the metrics of an invocation, Titan and Llama."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.usage.anthropic import reconcile_writes
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.domain.usage.sheet import Sheet
from tollkeeper.domain.usage.sides import (
    complete_sides,
    join_sides,
    split_input,
    split_output,
)

# Both spellings stand side by side and say the same. Cursor's events leave the `Input` out; what
# Claude's own agents used of each model is said in the last spelling.
CONVERSE = {
    "inputTokens": "input",
    "outputTokens": "output",
    "totalTokens": "total",
    "cacheReadInputTokens": "cached",
    "cacheReadInputTokenCount": "cached",
    "cacheReadTokens": "cached",
    "cacheWriteInputTokens": "written",
    "cacheWriteInputTokenCount": "written",
    "cacheWriteTokens": "written",
    "cacheCreationInputTokens": "written",
}
# What is named on Bedrock alone.
CONVERSE_ONLY = (
    "cacheReadInputTokens",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokens",
    "cacheWriteInputTokenCount",
    "cacheDetails",
    "serverToolUsage",
)
INVOKED = {
    "inputTokenCount": "input",
    "inputTextTokenCount": "input",
    "outputTokenCount": "output",
    "totalOutputTextTokenCount": "output",
    "totalTokenCount": "total",
    "prompt_token_count": "input",
    "generation_token_count": "output",
    "cacheReadInputTokenCount": "cached",
    "cacheWriteInputTokenCount": "written",
}
_SONIC = {
    "totalInputTokens": "input",
    "totalOutputTokens": "output",
    "totalTokens": "total",
}
SONIC_ONLY = ("promptName",)
_SPEECH = {"speechTokens": "audio", "textTokens": "text"}


def read_converse(sheet: Sheet) -> TokenPools:
    """The pools of a conversation: caches stand beside the input, and the total has them all."""
    if any(map(sheet.has, CONVERSE_ONLY)) and not sheet.has("cacheCreationInputTokens"):
        sheet.notes.provider = "aws"
    counts = sheet.counts(CONVERSE)
    written, written_1h = _read_writes(sheet, counts.get("written"))
    return _complete(sheet, counts, written=written, written_1h=written_1h)


def read_invoked(sheet: Sheet) -> TokenPools:
    """The pools of a model invoked directly: the metrics of its stream, or its own body.

    Why: with a total the same counts are LangChain4j's or .NET's, and prove no provider.
    """
    sheet.notes.provider = "" if sheet.has("totalTokenCount") else "aws"
    counts = sheet.counts(INVOKED)
    for row in sheet.rows("results"):
        counts["output"] = counts.get("output", 0) + row.tokens("tokenCount")
    return _complete(sheet, counts, written=counts.get("written", 0), written_1h=0)


def read_sonic(sheet: Sheet) -> TokenPools:
    """The pools of a spoken conversation so far: each event tells the whole session again.

    Source: the `usageEvent` of Amazon Nova Sonic, whose `details.total` splits both sides.
    """
    sheet.notes.provider = "aws"
    counts = sheet.counts(_SONIC)
    details = sheet.part("details")
    split = None if details is None else details.part("total")
    heard, said = _kinds_of(split, "input"), _kinds_of(split, "output")
    read, spoken, hidden = complete_sides(
        sheet,
        input_side=counts.get("input", sum(heard.values()) if heard else None),
        output_side=counts.get("output", sum(said.values()) if said else None),
        total=counts.get("total"),
    )
    if hidden:
        sheet.warn("hidden_tokens")
    return join_sides(
        split_input(sheet, whole=(read or 0) + hidden, kinds=heard),
        split_output(sheet, whole=spoken or 0, audio=said.get("audio", 0)),
    )


def _kinds_of(split: Sheet | None, side: str) -> dict[str, int]:
    """What of a spoken conversation's side was speech and what text."""
    kinds = None if split is None else split.part(side)
    return {} if kinds is None else kinds.counts(_SPEECH)


def _complete(sheet: Sheet, counts: dict[str, int], *, written: int, written_1h: int) -> TokenPools:
    """The pools, with what only the total knows of as input.

    Why: where a count is missing the total still has it; a total of too little is overruled.
    """
    cached, total = counts.get("cached", 0), counts.get("total")
    pools = join_sides(
        split_input(
            sheet,
            whole=counts.get("input", 0) + cached + written,
            cached=cached,
            written=written,
            written_1h=written_1h,
        ),
        split_output(sheet, whole=counts.get("output", 0)),
    )
    if total is None or total == pools.total():
        return pools
    missing = total - pools.total()
    if missing < 0:
        sheet.warn("total_mismatch")
        return pools
    if "input" not in counts:
        if "output" not in counts:
            sheet.warn("total_only")
        return replace(pools, input=missing)
    if "output" not in counts:
        return replace(pools, output=missing)
    sheet.warn("hidden_tokens")
    return replace(pools, input=pools.input + missing)


def _read_writes(sheet: Sheet, total: int | None) -> tuple[int, int]:
    """What went into any cache, and into that of 1 hour. Shape: rows of inputTokens and ttl."""
    if not sheet.has("cacheDetails"):
        return total or 0, 0
    by_life = {"5m": 0, "1h": 0}
    rows = sheet.rows("cacheDetails")
    for row in rows:
        life = "1h" if row.text("ttl") == "1h" else "5m"
        by_life[life] += row.tokens("inputTokens")
    if not rows:
        return total or 0, 0
    return reconcile_writes(sheet, total=total, written_5m=by_life["5m"], written_1h=by_life["1h"])
