"""Catalogs that a test changes, deployed with the price book that they need beside them."""

from __future__ import annotations

from pathlib import Path

BOOK = Path(__file__).parents[2] / "layers" / "catalog" / "prices.json"


def put_catalog(folder: Path, text: str) -> Path:
    """The catalog's file in the folder, with the shipped price book beside it."""
    (folder / BOOK.name).write_bytes(BOOK.read_bytes())
    path = folder / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    return path
