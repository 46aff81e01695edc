"""Prices that were promised: the catalog of another version, read back from the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import PriceVersionError
from tollkeeper.service.ports import World
from tollkeeper.store.versions import read_version

Result = TypeVar("Result")


def pinned_catalog(world: World, version: str) -> Catalog:
    """The catalog of that version, where this process has it.

    Raises: PriceVersionError. Why: never another price than the one that was promised.
    """
    if version == world.catalog.version:
        return world.catalog
    found = world.pinned.get(version)
    if found is None:
        raise PriceVersionError(version)
    return found


def with_pinned(
    world: World, act: Callable[[], Result], *, lost: Callable[[], Result] | None = None
) -> Result:
    """What the act comes to, once the prices that it needs were read; else what `lost` does.

    Raises: PriceVersionError where they are not stored and nothing says what then.
    Cost: one GetItem per version and process.
    """
    try:
        return act()
    except PriceVersionError as missing:
        source = read_version(world.ledger, missing.version)
        if source is None and lost is not None:
            return lost()
        if source is None or world.parse_catalog is None:
            raise
        world.pinned[missing.version] = world.parse_catalog(source)
    return act()
