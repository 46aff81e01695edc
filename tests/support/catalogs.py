"""Catalogs that a test changes, deployed with the price book that they need beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollkeeper.edge import settings, wiring

BOOK = Path(__file__).parents[2] / "layers" / "catalog" / "prices.json"


def put_catalog(folder: Path, text: str) -> Path:
    """The catalog's file in the folder, with the shipped price book beside it."""
    (folder / BOOK.name).write_bytes(BOOK.read_bytes())
    path = folder / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    return path


def use_catalog(monkeypatch: pytest.MonkeyPatch, folder: Path, *changes: tuple[str, str]) -> None:
    """From now on the catalog that held until now holds with some of its text replaced."""
    text = settings.read_settings().catalog_path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    monkeypatch.setenv("CATALOG_PATH", str(put_catalog(folder, text)))
    settings.read_settings.cache_clear()
    wiring.world.cache_clear()
