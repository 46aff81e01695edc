"""What every rule may have besides: the free part of a period, tiers by volume, a minimum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

from tollkeeper.domain.entries import Line
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.rules import PERCENT, Tier, VolumeTerms


@dataclass(frozen=True, slots=True)
class Volume:
    """Where a run stands in its period. Units: millionths of a call, a unit or a token."""

    before_micro: int = 0
    micro: int = 0


NO_VOLUME = Volume()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the run's volume that costs another part of its price.

    Units: millionths from the run's beginning; millionths of a percent.
    """

    item: str
    start: int
    end: int
    percent: int


def apply_volume(tally: Tally, terms: VolumeTerms, volume: Volume) -> Tally:
    """The price with the free part taken off and the rest at its tiers, exactly.

    Why: of what has several prices, as tokens have, the dearest comes first. So an allowance covers
    that, and more of anything never costs less. What has no volume has its whole price.
    """
    if not volume.micro or not terms.by_volume:
        return tally
    pieces = tuple(_cut(terms, volume))
    counted = [share for share in tally.shares if share.volume_micro]
    if not pieces:
        return tally
    if not counted:
        # Why: what a call took of a machine is one call, however many lines it has.
        counted = [Share("", "", "", tally.numerator, volume.micro)]
    factor = lcm(*(share.volume_micro for share in counted))
    rates = [(share.numerator * factor // share.volume_micro, share) for share in counted]
    rates.sort(key=lambda pair: pair[0], reverse=True)
    more = (
        Share(
            piece.item,
            show_micro(piece.end - piece.start),
            f"{show_micro(piece.percent)}%",
            sum(rate * micro for rate, micro in _overlaps(rates, piece))
            * (piece.percent - PERCENT),
        )
        for piece in pieces
    )
    return tally.scaled(factor * PERCENT, *more)


def _overlaps(rates: list[tuple[int, Share]], piece: _Piece) -> Iterator[tuple[int, int]]:
    """How much of the piece stands at each rate, when one share follows the other."""
    start = 0
    for rate, share in rates:
        end = start + share.volume_micro
        micro = min(end, piece.end) - max(start, piece.start)
        if micro > 0:
            yield rate, micro
        start = end


def _cut(terms: VolumeTerms, volume: Volume) -> Iterator[_Piece]:
    """The stretches of the run that do not cost the whole price."""
    before, end = volume.before_micro, volume.before_micro + volume.micro
    free = min(end, terms.free_micro)
    if free > before:
        yield _Piece("free allowance", 0, free - before, 0)
    for index, tier in enumerate(terms.tiers):
        is_last = index + 1 == len(terms.tiers)
        until = end if is_last else min(end, terms.tiers[index + 1].above_micro)
        start = max(before, free, tier.above_micro)
        if until > start and tier.percent_micro != PERCENT:
            yield _Piece(_above(tier), start - before, until - before, tier.percent_micro)


def _above(tier: Tier) -> str:
    return f"above {show_micro(tier.above_micro)} in the period"


def is_all_free(terms: VolumeTerms, volume: Volume, *, uses_something: bool) -> bool:
    """The allowance covers the whole run; also one that used nothing, while any of it is left.

    Why: what was used and is not counted, as time is where tokens are, no allowance covers.
    """
    left = terms.free_micro - volume.before_micro
    is_counted = volume.micro > 0 or not uses_something
    return is_counted and left > 0 and volume.micro <= left


def raise_to(
    charged: int, lines: tuple[Line, ...], least: int, item: str
) -> tuple[int, tuple[Line, ...]]:
    """The charge, or the least that a run may cost, with a line for the difference."""
    if charged >= least:
        return charged, lines
    rate = show_micro(least)
    return least, (*lines, Line(item, "1", rate, least - charged))


def least_of(terms: VolumeTerms, *, is_first: bool, uses_something: bool) -> int:
    """The least that a run may cost. Units: micro-credits.

    Why: a run that is split into parts has one minimum, and what uses anything is never free.
    """
    minimum = terms.minimum_microcredits if is_first else 0
    return max(minimum, 1) if uses_something else minimum
