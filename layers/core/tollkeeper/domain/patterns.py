"""Names that patterns cover: an exact name first, then the longest pattern."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TypeVar

Said = TypeVar("Said")


def match_best(patterns: Iterable[tuple[str, Said]], names: tuple[str, ...]) -> Said | None:
    """What the closest pattern says of a thing that has these names; None where none covers it.

    Shape: patterns and names are in lower case; in a pattern `*` is any characters, `?` is one,
    `[0-9]` one of these.
    """
    best: tuple[int, Said] | None = None
    for pattern, said in patterns:
        if pattern in names:
            return said
        if best is not None and len(pattern) <= best[0]:
            continue
        if any(fnmatchcase(name, pattern) for name in names):
            best = (len(pattern), said)
    return None if best is None else best[1]
