"""The table's items in their order, its indexes, and what it was some commits ago."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from simulation.store.schema import Index, Position, Schema, index_place
from simulation.store.values import Image

# The key as plain values, and the images before and after; None where there is no item.
Change = tuple[Position, Image | None, Image | None]

_owners = count(1)


@dataclass(frozen=True, slots=True)
class Commit:
    """What one transaction wrote. Shape: `number` counts from 1; `puts` are (key, old, new)."""

    number: int
    puts: tuple[Change, ...]


class Partition:
    """The items of one partition of the table or of an index, in order."""

    __slots__ = ("images", "order", "owner")

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self.images: dict[Position, Image] = {}
        self.order: list[Position] = []

    def copy(self, owner: int) -> Partition:
        """The same items; what is written to one is not in the other."""
        fresh = Partition(owner)
        fresh.images = self.images.copy()
        fresh.order = self.order.copy()
        return fresh

    def put(self, place: Position, image: Image) -> None:
        """The item is at its place."""
        if place not in self.images:
            order = self.order
            if not order or place > order[-1]:
                order.append(place)
            else:
                insort(order, place)
        self.images[place] = image

    def remove(self, place: Position) -> None:
        """No item is at the place."""
        if self.images.pop(place, None) is not None:
            del self.order[bisect_left(self.order, place)]


Partitions = dict[Any, Partition]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole table. It shares everything with the table until one of the two is written."""

    partitions: Partitions
    indexes: Mapping[str, Partitions]
    commits: int
    recent: tuple[Commit, ...]


class Table:
    """All items. It changes by commits alone, and remembers the last `kept_commits` of them."""

    def __init__(self, schema: Schema, *, kept_commits: int) -> None:
        self.schema = schema
        self.commits = 0
        self.recent: deque[Commit] = deque(maxlen=kept_commits)
        self._owner = next(_owners)
        self._partitions: Partitions = {}
        self._indexes: dict[str, Partitions] = {name: {} for name in schema.indexes}

    def get(self, key: Position) -> Image | None:
        """The item of that key."""
        partition = self._partitions.get(key[0])
        return None if partition is None else partition.images.get(key[1:])

    def images(self) -> Iterator[Image]:
        """All items, a partition after the other."""
        for partition in list(self._partitions.values()):
            for place in list(partition.order):
                yield partition.images[place]

    def commit(self, changes: list[tuple[Position, Image | None]]) -> Commit:
        """All of it is written, and remembered as the next commit."""
        puts: list[Change] = []
        for key, new in changes:
            old = self.get(key)
            self._write(self._partitions, key[0], key[1:], new)
            for index in self.schema.indexes.values():
                self._index(index, key, old, new)
            puts.append((key, old, new))
        self.commits += 1
        commit = Commit(self.commits, tuple(puts))
        self.recent.append(commit)
        return commit

    def _index(self, index: Index, key: Position, old: Image | None, new: Image | None) -> None:
        before = None if old is None else index_place(index, old, key)
        after = None if new is None else index_place(index, new, key)
        partitions = self._indexes[index.name]
        if before is not None and before != after:
            self._write(partitions, *before, None)
        if after is not None:
            self._write(partitions, *after, new)

    def _write(
        self, partitions: Partitions, name: Any, place: Position, image: Image | None
    ) -> None:
        partition = partitions.get(name)
        if partition is None:
            if image is None:
                return
            partition = partitions[name] = Partition(self._owner)
        elif partition.owner != self._owner:
            partition = partitions[name] = partition.copy(self._owner)
        if image is not None:
            partition.put(place, image)
            return
        partition.remove(place)
        if not partition.order:
            del partitions[name]

    def partition(self, index: Index | None, name: Any, *, behind: int) -> Partition:
        """The partition as it was that many commits ago. It must not be written to."""
        partitions = self._partitions if index is None else self._indexes[index.name]
        found = partitions.get(name) or Partition(self._owner)
        if behind <= 0 or not self.recent:
            return found
        past = self._before(behind)
        moves = [
            (place_now, place_then, then)
            for key, then in past.items()
            for place_now, place_then in [self._places(index, name, key, then)]
            if place_now is not None or place_then is not None
        ]
        if not moves:
            return found
        found = found.copy(self._owner)
        for place_now, _, _ in moves:
            if place_now is not None:
                found.remove(place_now)
        for _, place_then, then in moves:
            if place_then is not None and then is not None:
                found.put(place_then, then)
        return found

    def _places(
        self, index: Index | None, name: Any, key: Position, then: Image | None
    ) -> tuple[Position | None, Position | None]:
        """Where in this partition the item is now and was then; None where it is not in it."""
        found: list[Position | None] = []
        for image in (self.get(key), then):
            at = None
            if image is not None:
                at = (key[0], key[1:]) if index is None else index_place(index, image, key)
            found.append(at[1] if at is not None and at[0] == name else None)
        return found[0], found[1]

    def get_before(self, key: Position, behind: int) -> Image | None:
        """The item of that key as it was that many commits ago."""
        found = self.get(key)
        for _, commit in zip(range(behind), reversed(self.recent), strict=False):
            for changed, old, _ in commit.puts:
                if changed == key:
                    found = old
        return found

    def _before(self, behind: int) -> dict[Position, Image | None]:
        """What was written in the last commits, as it was before them."""
        past: dict[Position, Image | None] = {}
        for _, commit in zip(range(behind), reversed(self.recent), strict=False):
            for key, old, _ in commit.puts:
                past[key] = old
        return past

    def snapshot(self) -> Snapshot:
        """The table as it is. Cost: one step for each partition, none for each item."""
        self._owner = next(_owners)
        indexes = {name: partitions.copy() for name, partitions in self._indexes.items()}
        return Snapshot(self._partitions.copy(), indexes, self.commits, tuple(self.recent))

    def restore(self, snapshot: Snapshot) -> None:
        """The table is as it was when the snapshot was taken; the snapshot can be used again."""
        self._owner = next(_owners)
        self._partitions = dict(snapshot.partitions)
        self._indexes = {name: dict(each) for name, each in snapshot.indexes.items()}
        self.commits = snapshot.commits
        self.recent = deque(snapshot.recent, maxlen=self.recent.maxlen)
