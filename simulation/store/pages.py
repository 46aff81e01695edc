"""Pages of a query: which items it covers, where a page ends, and what it shows of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from simulation.store.reading import Query
from simulation.store.schema import Index, Position, Schema
from simulation.store.table import Partition
from simulation.store.values import Image, item_bytes


def span_of(partition: Partition, query: Query) -> tuple[int, int]:
    """The part of the partition's order that the sort key's condition covers."""
    order = partition.order
    first, last = 0, len(order)
    match query.word:
        case "=" | "BETWEEN":
            first = bisect_left(order, query.low, key=_sort_key)
            last = bisect_right(order, query.high, key=_sort_key)
        case "<":
            last = bisect_left(order, query.high, key=_sort_key)
        case "<=":
            last = bisect_right(order, query.high, key=_sort_key)
        case ">":
            first = bisect_right(order, query.low, key=_sort_key)
        case ">=":
            first = bisect_left(order, query.low, key=_sort_key)
        case "begins_with":
            first = bisect_left(order, query.low, key=_sort_key)
            size = len(query.low)
            last = bisect_right(order, query.low, lo=first, key=lambda place: place[0][:size])
        case _:
            pass
    return first, last


def _sort_key(place: Position) -> Any:
    return place[0]


def places_of(partition: Partition, query: Query) -> list[Position]:
    """The places that the query covers from its start on, in its order."""
    first, last = span_of(partition, query)
    start = query.start
    if query.is_forward:
        if start is not None:
            first = max(first, bisect_right(partition.order, start))
        if query.limit is not None:
            last = min(last, first + query.limit)
        return partition.order[first:last]
    if start is not None:
        last = min(last, bisect_left(partition.order, start))
    if query.limit is not None:
        first = max(first, last - query.limit)
    places = partition.order[first:last]
    places.reverse()
    return places


def fits_page(images: list[Image], index: Index | None, *, page_bytes: int) -> int:
    """How many of the items are in one page.

    Why: an index's items are at most as large as the table's, so mostly nothing is measured.
    """
    if sum(image.size for image in images) <= page_bytes:
        return len(images)
    read = 0
    for number, image in enumerate(images):
        if index is None or index.projected is None:
            read += image.size
        else:
            read += item_bytes({n: image[n] for n in index.projected if n in image})
        if read > page_bytes:
            return max(1, number)
    return len(images)


def seen_in(image: Image, index: Index | None) -> dict[str, Any]:
    """The item as the table or the index has it: an index knows only what it projects."""
    if index is None or index.projected is None:
        return image
    names = index.projected
    return {name: value for name, value in image.items() if name in names}


def shown(image: Image, query: Query) -> dict[str, Any]:
    """The item as the query answers with it: the values are the image's own."""
    names = query.names
    if names is None:
        names = None if query.index is None else query.index.projected
    if names is None:
        return dict(image)
    return {name: value for name, value in image.items() if name in names}


def key_of(schema: Schema, index: Index | None, image: Image) -> dict[str, Any]:
    """The key that the next page starts behind."""
    names = (*schema.keys.names, *(() if index is None else index.keys.names))
    return {name: image[name] for name in names}
