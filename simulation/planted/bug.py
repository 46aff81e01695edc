"""A planted bug: what it is, and how it gets into the product and out of it again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class Patches:
    """What of the product is replaced just now."""

    def __init__(self) -> None:
        self._kept: list[tuple[Any, str, Any]] = []

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """The module or class has this value there instead of its own."""
        members: Any = owner.__dict__
        self._kept.append((owner, name, members[name]))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Everything is the product's own again."""
        while self._kept:
            owner, name, value = self._kept.pop()
            setattr(owner, name, value)


Plant = Callable[[Patches], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that somebody else's credit system has, or could have."""

    name: str
    what: str
    plant: Plant


@contextmanager
def planted(bug: Bug) -> Generator[None]:
    """While it lasts the product has the bug; what the bug remembers begins anew."""
    patches = Patches()
    try:
        bug.plant(patches)
        yield
    finally:
        patches.undo()
