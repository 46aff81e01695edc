"""Makes screenshots small for the docs: `python -m tests.browser.pictures docs/images/*.png`.

A picture keeps its 256 commonest colours; each other one becomes the nearest of them.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
BYTES_PER_PIXEL = {2: 3, 6: 4}
PALETTE = 3


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG, each with its name."""
    at = len(SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += 12 + size


def chunk(name: bytes, data: bytes) -> bytes:
    """One part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def predict(kind: int, left: int, above: int, corner: int) -> int:
    """What a filter of PNG says a byte will be, from its neighbours."""
    if kind == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda each: abs(guess - each))
    return (0, left, above, (left + above) >> 1)[kind]


def rows_of(raw: bytes, *, width: int, step: int) -> Iterator[bytes]:
    """The lines of a picture, without their filters."""
    size = width * step
    before = bytes(size)
    for at in range(0, len(raw), size + 1):
        kind, line = raw[at], bytearray(raw[at + 1 : at + 1 + size])
        for place in range(size if kind else 0):
            left, corner = (line[place - step], before[place - step]) if place >= step else (0, 0)
            line[place] = (line[place] + predict(kind, left, before[place], corner)) & 255
        before = bytes(line)
        yield before


def shrink(png: bytes) -> bytes:
    """The same picture in at most 256 colours; one that has a palette already stays as it is."""
    parts = list(chunks(png))
    width, height, depth, kind = struct.unpack_from(">IIBB", parts[0][1])
    if depth != 8 or kind not in BYTES_PER_PIXEL:
        return png
    step = BYTES_PER_PIXEL[kind]
    raw = zlib.decompress(b"".join(data for name, data in parts if name == b"IDAT"))
    lines = [
        [line[at : at + 3] for at in range(0, len(line), step)]
        for line in rows_of(raw, width=width, step=step)
    ]
    counted = Counter(pixel for line in lines for pixel in line)
    palette = [colour for colour, _ in counted.most_common(COLOURS)]
    places = {colour: nearest(colour, palette) for colour in counted}
    packed = b"".join(b"\0" + bytes(places[pixel] for pixel in line) for line in lines)
    head = struct.pack(">IIBBBBB", width, height, 8, PALETTE, 0, 0, 0)
    return (
        SIGNATURE
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", b"".join(palette))
        + chunk(b"IDAT", zlib.compress(packed, 9))
        + chunk(b"IEND", b"")
    )


def nearest(colour: bytes, palette: Sequence[bytes]) -> int:
    """The place of the colour that looks most like it."""
    return min(
        range(len(palette)),
        key=lambda place: sum((a - b) ** 2 for a, b in zip(palette[place], colour, strict=True)),
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        picture = Path(argument)
        picture.write_bytes(shrink(picture.read_bytes()))
