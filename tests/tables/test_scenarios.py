"""Every scenario of this folder, read as a table and checked line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runner import read_scenario, run_scenario

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_ledger_leaves_what_the_table_says(path: Path) -> None:
    expected, actual = run_scenario(read_scenario(path))

    assert actual == expected
