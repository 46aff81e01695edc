"""Every table of this folder, held against the model and against the handlers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.property.handlers.stack import CURRENT, Stack

from .books import ModelBook, WireBook
from .runner import read_table, run_table

FOLDER = Path(__file__).parent
TABLES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_model_leaves_what_the_table_says(path: Path) -> None:
    table = read_table(path)

    expected, actual = run_table(table, ModelBook(table.catalog))

    assert actual == expected


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_handlers_leave_what_the_table_says(path: Path) -> None:
    table = read_table(path)
    stack = Stack()
    CURRENT.append(stack)
    stack.deploy(table.catalog)

    expected, actual = run_table(table, WireBook(stack))
    CURRENT.remove(stack)

    assert actual == expected
