"""What an audit keeps of each row: a few numbers in a fixed place, so that any order will do."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple

from tollkeeper.domain.entries import Entry, EntryKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
KINDS = tuple(EntryKind)
NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}
CHUNK = 256
ROW = Struct("<BH14q3i")
PART = len(KINDS) + 1
"""The number of a settle after which its hold stays open."""


class Row(NamedTuple):
    """One row as it is kept. Texts are hashes, or numbers of `Names`.

    Shape: `kind` counts from 1 in the order of EntryKind, 0 is an empty place; `touched` are the
    grants' movements from `touches` on, in an array beside the rows.
    """

    kind: int
    touched: int
    delta: int
    after: int
    debt_change: int
    debt_after: int
    moved: int
    at_ms: int
    key: int
    refers_to: int
    touches: int
    hold: int
    held_change: int
    held_after: int
    counted: int
    volume: int
    day: int
    feature: int
    version: int


class Names:
    """Texts that come again and again, each kept once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's number, the same one each time."""
        return self._numbers.setdefault(text, len(self._numbers))

    def text(self, number: int) -> str:
        """The text of that number."""
        return list(self._numbers)[number]


def is_part(entry: Entry) -> bool:
    """The row settles a part of a long call, whose hold stays open."""
    return entry.kind is EntryKind.SETTLE and "part" in entry.details


def to_ms(moment: datetime) -> int:
    """The moment in whole epoch milliseconds."""
    return (moment - EPOCH) // MILLISECOND


@dataclass(slots=True)
class Rows:
    """Every row by its seq. Units: 127 bytes a row, and 32 more per movement of a grant."""

    names: Names = field(default_factory=Names)
    touches: array[int] = field(default_factory=lambda: array("q"))
    _chunks: dict[int, bytearray] = field(default_factory=dict[int, bytearray])

    def put(self, entry: Entry, touches: int) -> bool:
        """The row is in its place; false where another one has its seq.

        `touches` is the number of movements before this row's.
        """
        number, place = divmod(entry.seq, CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._chunks[number] = bytearray(CHUNK * ROW.size)
        at = place * ROW.size
        if chunk[at]:
            return False
        run = entry.run
        ROW.pack_into(
            chunk,
            at,
            PART if is_part(entry) else NUMBERS[entry.kind],
            len(self.touches) // 4 - touches,
            entry.delta_microcredits,
            entry.available_after_microcredits,
            entry.debt_change_microcredits,
            entry.debt_after_microcredits,
            entry.moved_microcredits,
            to_ms(entry.at),
            hash(entry.key),
            hash(entry.refers_to) if entry.refers_to else 0,
            touches,
            hash(entry.hold) if entry.hold else 0,
            entry.held_change_microcredits,
            entry.held_after_microcredits,
            run.feature_count if run else 0,
            run.volume_micro if run else 0,
            entry.day.toordinal() if entry.day else 0,
            self.names.number(run.feature) if run else 0,
            self.names.number(run.price_version) if run else 0,
        )
        return True

    def walk(self, last: int) -> Iterator[tuple[int, Row]]:
        """The rows up to that seq, in order; places without a row are left out."""
        for number in sorted(self._chunks):
            first = number * CHUNK
            for place, values in enumerate(ROW.iter_unpack(self._chunks[number])):
                if values[0] and first + place <= last:
                    yield first + place, Row._make(values)

    def find(self, seq: int) -> Row:
        """The row of that seq; an empty one where there is none."""
        number, place = divmod(seq, CHUNK)
        chunk = self._chunks.get(number) or bytes(CHUNK * ROW.size)
        return Row._make(ROW.unpack_from(chunk, place * ROW.size))
