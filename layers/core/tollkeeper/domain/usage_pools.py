"""Tokens in disjoint pools, and how one side of a call is split into them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollkeeper.domain.usage_sheet import Sheet


@dataclass(frozen=True, slots=True)
class TokenPools:
    """Every token of a call is in exactly one pool. Units: whole tokens.

    Shape: `input` is read by the model for the first time, text and images alike;
    `cached_input` is read from a cache; `cache_write_5m` and `cache_write_1h` are put into one;
    `output` is what the caller sees, `reasoning` what the model thought.
    """

    input: int = 0
    cached_input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0

    def total(self) -> int:
        """The sum of all pools: each token once."""
        return sum(self._counts().values())

    def nonzero(self) -> dict[str, int]:
        """The pools that hold anything, by wire name, in the order of the fields."""
        return {name: count for name, count in self._counts().items() if count}

    def plus(self, other: TokenPools) -> TokenPools:
        """The pools of both calls together."""
        theirs = other._counts()
        return TokenPools(**{name: mine + theirs[name] for name, mine in self._counts().items()})

    def _counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in POOL_NAMES}


POOL_NAMES: tuple[str, ...] = tuple(field.name for field in fields(TokenPools))


def split_input(
    sheet: Sheet, *, whole: int, cached: int = 0, cache_write: int = 0, audio: int = 0
) -> TokenPools:
    """The input side in pools that add up to `whole`, whatever its parts claim.

    Why: a part that does not fit is cut, never added, so nothing is charged twice. Cached audio is
    counted among both the cached and the audio tokens; the cache wins, it is what is billed.
    """
    if cached > whole:
        sheet.warn("cached_above_input")
    cached = min(cached, whole)
    rest = whole - cached
    if cache_write > rest:
        sheet.warn("cache_write_above_input")
    cache_write = min(cache_write, rest)
    if audio > whole:
        sheet.warn("audio_above_input")
    audio = min(audio, rest - cache_write)
    return TokenPools(
        input=rest - cache_write - audio,
        cached_input=cached,
        cache_write_5m=cache_write,
        audio_input=audio,
    )


def split_output(sheet: Sheet, *, whole: int, reasoning: int = 0, audio: int = 0) -> TokenPools:
    """The output side in pools that add up to `whole`, whatever its parts claim."""
    if reasoning > whole:
        sheet.warn("reasoning_above_output")
    reasoning = min(reasoning, whole)
    if audio > whole - reasoning:
        sheet.warn("audio_above_output")
    audio = min(audio, whole - reasoning)
    return TokenPools(output=whole - reasoning - audio, reasoning=reasoning, audio_output=audio)


def complete_sides(
    sheet: Sheet, *, input_side: int | None, output_side: int | None, total: int | None
) -> tuple[int, int, int]:
    """Input, output and what only the total knows of; together never less than the total.

    Why: some providers leave a side out and state the total, and some count tokens in the total
    that neither side shows. Where the sides exceed the total, the larger sum stands.
    """
    if total is None:
        return input_side or 0, output_side or 0, 0
    if input_side is None and output_side is None:
        sheet.warn("total_only")
        input_side, output_side = max(0, total), 0
    elif input_side is None:
        input_side = max(0, total - (output_side or 0))
    elif output_side is None:
        output_side = max(0, total - input_side)
    assert input_side is not None and output_side is not None
    hidden = total - input_side - output_side
    if hidden < 0:
        sheet.warn("total_mismatch")
    return input_side, output_side, max(0, hidden)
