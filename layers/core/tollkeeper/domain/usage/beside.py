"""Counts that some vendors put beside the side of a call that they belong to, and their totals."""

from __future__ import annotations

from tollkeeper.domain.usage.sheet import Sheet

Counts = dict[str, int]


def place_caches(counts: Counts) -> None:
    """Caches named as Anthropic does are inside the prompt, unless the total has them beside it."""
    read, written = counts.pop("read", 0), counts.get("written", 0)
    counts["cached"] = max(counts.get("cached", 0), read)
    if "total" not in counts or "input" not in counts:
        return
    if counts["total"] - counts["input"] - counts.get("output", 0) == read + written:
        counts["input"] += read + written


def place_connectors(counts: Counts) -> None:
    """What Mistral's tools brought is read by the model, and stands in the total alone.

    Source: its example of a search states 188 and 55 tokens, 7112 of connectors, 7355 in total.
    """
    _add_beside(counts, counts.pop("connectors"))


def place_sound(counts: Counts) -> None:
    """What Qwen-Audio heard stands beside the input, unless a total has it inside.

    Source: its own example states 85 tokens of sound and 33 of input.
    """
    counts["audio"] = counts.pop("heard")
    _add_beside(counts, counts["audio"])


def written_of_turn(turn: Sheet) -> int:
    """What a turn put into Qwen's cache; its responses say so in the bill of each turn alone."""
    details = turn.part("prompt_tokens_details")
    return 0 if details is None else details.tokens("cache_creation_input_tokens")


def hidden_in_total(counts: Counts) -> int:
    """What only the total knows of; nothing where the input is what the total leaves."""
    if "total" not in counts or "input" not in counts:
        return 0
    return max(0, counts["total"] - counts["input"] - counts.get("output", 0))


def _add_beside(counts: Counts, count: int) -> None:
    """The input with the count, as far as a total has room for it beside the input."""
    if "total" in counts:
        count = min(count, hidden_in_total(counts))
    if "input" in counts:
        counts["input"] += count
