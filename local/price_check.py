"""Rows whose price does not follow from what they say was used, under the prices that they name."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from local.export_files import Item
from tollkeeper.domain.audit_findings import Finding
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.recompute import PRICED_KINDS, recompute
from tollkeeper.edge.catalog_file import parse_source
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.versions import version_from_item


@dataclass(slots=True)
class PriceCheck:
    """Every price of a ledger once more. Shape: `versions` are items as an export has them.

    `unknown` counts the rows that cannot be computed again: those of earlier versions, and those
    whose prices are not there.
    """

    catalog: Catalog
    versions: Mapping[str, Item]
    prices: int = 0
    unknown: int = 0
    found: list[Finding] = field(default_factory=list[Finding])
    _read: dict[str, Catalog | None] = field(default_factory=dict[str, "Catalog | None"])

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items; each row with a price is computed again on its way."""
        for item in items:
            if item["sk"].get("S", "").startswith("E#"):
                self._see(item)
            yield item

    def take(self) -> list[Finding]:
        """What was found since the last time."""
        found, self.found = self.found, []
        return found

    def _see(self, item: Item) -> None:
        try:
            entry = entry_from_item(item)
        except (ValueError, KeyError, TypeError, AssertionError):
            return
        if entry.kind in PRICED_KINDS and entry.run is not None:
            self._judge(entry, entry.run.price_version)

    def _judge(self, entry: Entry, version: str) -> None:
        self.prices += 1
        catalog = self._catalog(version)
        again = None if catalog is None else recompute(entry, catalog)
        if again is None or again.agrees is None:
            self.unknown += 1
        elif not again.agrees:
            self.found.append(Finding("I18", f"seq {entry.seq}", f"price_differs: {again.why}"))

    def _catalog(self, version: str) -> Catalog | None:
        """The prices of that version, read once."""
        if version == self.catalog.version:
            return self.catalog
        if version not in self._read:
            self._read[version] = _read_catalog(self.versions.get(version))
        return self._read[version]


def _read_catalog(item: Item | None) -> Catalog | None:
    """The prices, where they are there and this version can read them."""
    if item is None:
        return None
    packed = base64.b64decode(item["catalog"]["B"])
    try:
        return parse_source(version_from_item({**item, "catalog": {"B": packed}}))
    except (CatalogError, ValueError, KeyError):
        return None
