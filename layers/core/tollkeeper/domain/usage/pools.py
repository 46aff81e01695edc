"""Tokens in disjoint pools: each token of a call is in exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import add, attrgetter


@dataclass(frozen=True, slots=True)
class TokenPools:
    """Every token of a call is in exactly one pool. Units: whole tokens.

    Shape: `input` is read by the model for the first time, and is neither sound, image nor video;
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
    cached_audio_input: int = 0
    image_input: int = 0
    cached_image_input: int = 0
    image_output: int = 0
    video_input: int = 0
    video_output: int = 0

    def total(self) -> int:
        """The sum of all pools: each token once."""
        return sum(_counts(self))

    def least(self) -> int:
        """The smallest of the pools: never negative in a report that was read."""
        return min(_counts(self))

    def nonzero(self) -> dict[str, int]:
        """The pools that hold anything, by wire name, in the order of the fields."""
        return {name: count for name, count in zip(POOL_NAMES, _counts(self), strict=True) if count}

    def plus(self, other: TokenPools) -> TokenPools:
        """The pools of both calls together."""
        return TokenPools(*map(add, _counts(self), _counts(other)))


POOL_NAMES: tuple[str, ...] = tuple(field.name for field in fields(TokenPools))
_counts: attrgetter[tuple[int, ...]] = attrgetter(*POOL_NAMES)
