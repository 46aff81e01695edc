"""docs/prices.md cannot lie: its example is run, and its figures are those of the shipped book."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pytest

from tollkeeper.edge.book_file import read_book

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/prices.md"
BOOK = ROOT / "layers/catalog/prices.json"


def test_the_worked_example_comes_out_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    failed, tried = doctest.testfile(str(PAGE), module_relative=False)

    assert tried > 10
    assert failed == 0


def test_the_page_names_the_source_the_models_and_the_bytes_of_the_shipped_book() -> None:
    page, book = PAGE.read_text(encoding="utf-8"), read_book(BOOK)
    count = len(list(book.models()))

    name, version = book.source.split()
    assert f"`{name}` {version}" in page
    assert f"{count:,} models" in page
    assert f"{count} models of {book.source}, {BOOK.stat().st_size:,} bytes" in page


def test_the_model_that_the_page_shows_is_the_books() -> None:
    block = PAGE.read_text(encoding="utf-8").split("## What is in it\n\n```text\n")[1]
    shown = json.loads(block.split("```")[0])

    models = json.loads(BOOK.read_text(encoding="utf-8"))["models"]["google"]

    assert shown in models
