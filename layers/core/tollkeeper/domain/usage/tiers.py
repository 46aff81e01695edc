"""The service tier of a call, in one set of words for all providers."""

from __future__ import annotations

from typing import cast

from tollkeeper.domain.usage.sheet import Sheet

PRICED = frozenset({"batch", "flex", "priority", "fast"})
# Capacity paid in advance is charged like the standard tier: its tokens have no price of their own.
STANDARD = frozenset(
    {
        "standard",
        "default",
        "auto",
        "on_demand",
        "standard_only",
        "scale",
        "reserved",
        "provisioned_throughput",
        "traffic_type_unspecified",
        "unspecified",
    }
)


def read_tier(sheet: Sheet, usage: dict[str, object], said: object) -> str:
    """The tier that the usage or the body around it names; "" where it is the standard one.

    Shape: `said` is the body's own member: a text, at Bedrock an object with a `type`.
    Why: Anthropic's priority tier is capacity paid in advance, with no price of its own; its fast
    mode is told as a speed. A line of a batch stays of the batch, whatever its body calls standard.
    """
    word = usage.get("service_tier") or usage.get("serviceTier") or said
    if word is None:
        word = usage.get("trafficType") or usage.get("traffic_type")
    speed = usage.get("speed")
    if word is None and speed is None:
        return ""
    tier = _plain(sheet, word)
    if sheet.notes.provider == "anthropic" and tier == "priority":
        tier = ""
    if tier == "" and said == "batch":
        return "batch"
    return "fast" if tier == "" and speed == "fast" else tier


def _plain(sheet: Sheet, word: object) -> str:
    if isinstance(word, dict):
        word = cast("dict[str, object]", word).get("type")
    if word is None:
        return ""
    if isinstance(word, str):
        plain = word.casefold().rpartition(".")[2].removeprefix("on_demand_")
        if plain in PRICED:
            return plain
        if plain in STANDARD:
            return ""
    sheet.warn("unknown_service_tier")
    return ""
