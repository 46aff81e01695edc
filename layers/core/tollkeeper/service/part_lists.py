"""Lists in parts: what is open in them is read page by page, one part after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tollkeeper.service.ports import World
from tollkeeper.store.rows import Item

ROWS_PER_READ = 200
MOST_READS = 20
"""How many reads one page may take, where most of what is read is not open any more."""

Place = tuple[int, str]
"""A part of the list, and the sort key of the last item that was read in it."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PartList(Generic[Row]):
    """A list: how many parts it has, where each is, and what an item of it says.

    `open_from_item` is None for an item that is resolved.
    """

    parts: int
    pk_of: Callable[[int], str]
    open_from_item: Callable[[Item], Row | None]


@dataclass(frozen=True, slots=True)
class PartPage(Generic[Row]):
    """What is open, and where the next page begins; None where there is none."""

    rows: tuple[Row, ...]
    next_place: Place | None


def read_parts(
    world: World, parts: PartList[Row], *, limit: int, place: Place | None
) -> PartPage[Row]:
    """Up to `limit` rows that are open, the oldest of each part of the list first.

    A page may be short, even empty, and yet have a next one.
    Cost: one strong Query per 200 items of the list, at most 20.
    """
    part, after = place or (0, "")
    found: list[Row] = []
    for _ in range(MOST_READS):
        items = world.ledger.read_items(parts.pk_of(part), limit=ROWS_PER_READ, after=after)
        for item in items:
            after = item["sk"]["S"]
            row = parts.open_from_item(item)
            if row is not None:
                found.append(row)
            if len(found) == limit:
                return PartPage(tuple(found), (part, after))
        if len(items) < ROWS_PER_READ:
            part, after = part + 1, ""
        if part == parts.parts:
            return PartPage(tuple(found), None)
    return PartPage(tuple(found), (part, after))
