"""Orders of a story's events: all of them where they are few, else many of them by a seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from random import Random
from typing import TypeVar

EVERY_ORDER = 720
MOST_ORDERS = 120
T = TypeVar("T")


def orders_of(count: int, *, most: int = MOST_ORDERS, seed: int = 1) -> Iterator[tuple[int, ...]]:
    """Every order of so many things; where there are more than 720, `most` of them.

    Why: the order in which things happened and its reverse are always among them.
    """
    if math.factorial(count) <= EVERY_ORDER:
        yield from itertools.permutations(range(count))
        return
    straight = tuple(range(count))
    yield straight
    yield straight[::-1]
    random = Random(seed)
    for _ in range(most - 2):
        yield tuple(random.sample(straight, count))


def doubled(order: tuple[int, ...], random: Random) -> list[tuple[int, bool]]:
    """The order with each thing a second time, anywhere after its first.

    Shape: the thing, and whether it comes as another event about the same fact.
    """
    found: list[tuple[int, bool]] = [(each, False) for each in order]
    for each in order:
        first = next(i for i, (what, _) in enumerate(found) if what == each)
        at = random.randint(first + 1, len(found))
        found.insert(at, (each, random.random() < 0.5))
    return found
