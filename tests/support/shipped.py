"""The catalog that is shipped, read once for all tests of a process: it stays as it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.catalog_file import read_catalog

SHIPPED = Path(__file__).parents[2] / "layers/catalog/catalog.toml"


def read_once(path: Path) -> Catalog:
    """The catalog of the file; read anew where it is a test's own. Raises: CatalogError."""
    return _shipped() if path == SHIPPED else read_catalog(path)


@cache
def _shipped() -> Catalog:
    return read_catalog(SHIPPED)
