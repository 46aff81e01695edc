"""How the two sides of a call are split into pools that add up, whatever their parts claim."""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING

from tollkeeper.domain.usage.pools import TokenPools

if TYPE_CHECKING:
    from tollkeeper.domain.usage.sheet import Sheet

# The counts of one side in the order of the names after `=`; one object per call is made of both.
InputSide = tuple[int, int, int, int, int, int, int, int, int]
# = input, cached, cache_write_5m, cache_write_1h, audio, cached_audio, image, cached_image, video
OutputSide = tuple[int, int, int, int, int]
# = output, reasoning, audio, image, video


def join_sides(read: InputSide, said: OutputSide) -> TokenPools:
    """Both sides of a call as its pools."""
    return TokenPools(
        read[0],
        read[1],
        read[2],
        read[3],
        said[0],
        said[1],
        read[4],
        said[2],
        read[5],
        read[6],
        read[7],
        said[3],
        read[8],
        said[4],
    )


def add_sides(one: InputSide, other: InputSide) -> InputSide:
    """What was read in both, pool by pool."""
    a, b, c, d, e, f, g, h, i = map(add, one, other)
    return a, b, c, d, e, f, g, h, i


def split_input(
    sheet: Sheet,
    *,
    whole: int | None,
    cached: int = 0,
    written: int = 0,
    written_1h: int = 0,
    kinds: dict[str, int] | None = None,
) -> InputSide:
    """The input side in pools that add up to `whole`; of an unknown whole, to its parts.

    Shape: `kinds` counts what is not text, cached or not, by `audio`, `image` and `video`, and the
    cached part of each by `cached_audio`, `cached_image` and `cached_video`.
    Why: a part that does not fit is cut, never added, so nothing is charged twice. Where it is not
    said what the cache held, the cache wins: what is left of the side is all that can be sound.
    """
    if whole is None:
        whole = cached + written + _new_of(kinds)
    if cached > whole:
        sheet.warn("cached_above_input")
        cached = whole
    rest = whole - cached
    if written > rest:
        sheet.warn("cache_write_above_input")
        written = rest
    rest -= written
    written_1h = min(written_1h, written)
    if not kinds:
        return rest, cached, written - written_1h, written_1h, 0, 0, 0, 0, 0
    cached, cached_audio, cached_image = _split_cached(cached, kinds)
    audio, image, video = _split_new(sheet, kinds, whole=whole, rest=rest)
    return (
        rest - audio - image - video,
        cached,
        written - written_1h,
        written_1h,
        audio,
        cached_audio,
        image,
        cached_image,
        video,
    )


def split_output(
    sheet: Sheet, *, whole: int, reasoning: int = 0, audio: int = 0, image: int = 0, video: int = 0
) -> OutputSide:
    """The output side in pools that add up to `whole`, whatever its parts claim."""
    if reasoning > whole:
        sheet.warn("reasoning_above_output")
        reasoning = whole
    rest = whole - reasoning
    if not (audio or image or video):
        return rest, reasoning, 0, 0, 0
    audio = _fit(sheet, audio, rest, "audio_above_output")
    image = _fit(sheet, image, rest - audio, "image_above_output")
    video = _fit(sheet, video, rest - audio - image, "video_above_output")
    return rest - audio - image - video, reasoning, audio, image, video


def complete_sides(
    sheet: Sheet, *, input_side: int | None, output_side: int | None, total: int | None
) -> tuple[int | None, int | None, int]:
    """Input, output and what only the total knows of; together never less than the total.

    Why: some providers leave a side out and state the total, and some count tokens in the total
    that neither side shows. Where the sides exceed the total, the larger sum stands. A side stays
    unknown where there is no total to tell it.
    """
    if total is None:
        return input_side, output_side, 0
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


def _new_of(kinds: dict[str, int] | None) -> int:
    if not kinds:
        return 0
    return sum(
        max(0, kinds.get(kind, 0) - kinds.get(f"cached_{kind}", 0))
        for kind in ("audio", "image", "video")
    )


def _split_cached(cached: int, kinds: dict[str, int]) -> tuple[int, int, int]:
    """What the cache held as text (and video, which has no cached pool), sound and images."""
    audio = min(kinds.get("cached_audio", 0), cached)
    image = min(kinds.get("cached_image", 0), cached - audio)
    return cached - audio - image, audio, image


def _split_new(
    sheet: Sheet, kinds: dict[str, int], *, whole: int, rest: int
) -> tuple[int, int, int]:
    """What was read for the first time, cut to what the side has left for it.

    Why: only what exceeds the whole side is impossible. What exceeds the rest was read from a
    cache whose contents are not told apart.
    """
    left = whole
    fresh: list[int] = []
    for kind in ("audio", "image", "video"):
        count = kinds.get(kind, 0)
        if count > left:
            sheet.warn(f"{kind}_above_input")
            count = left
        left -= count
        fresh.append(min(max(0, count - kinds.get(f"cached_{kind}", 0)), rest))
        rest -= fresh[-1]
    return fresh[0], fresh[1], fresh[2]


def _fit(sheet: Sheet, part: int, room: int, code: str) -> int:
    if part > room:
        sheet.warn(code)
    return min(part, room)
