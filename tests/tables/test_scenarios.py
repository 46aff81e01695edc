"""Every scenario of this folder, read as a table and checked line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runner import read_scenario, run_scenario

FOLDER = Path(__file__).parent / "scenarios"
SCENARIOS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_ledger_leaves_what_the_table_says(path: Path) -> None:
    expected, actual = run_scenario(read_scenario(path))

    assert actual == expected


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("| 9         |", "| 8         |"),
        ("| plan 9                     |", "| plan 8                     |"),
        ("reset +10, expire -9 ", "expire -9, reset +10 "),
        ("ends=2026-12-01T00:00", "ends=2026-12-02T00:00"),
        ("2026-11-05T12:00 -> invalid", "2026-11-05T12:01"),
    ],
    ids=["available", "holds", "rows", "shows", "refusal"],
)
def test_a_table_that_says_something_else_fails(tmp_path: Path, right: str, wrong: str) -> None:
    text = (FOLDER / "what_is_left_expires_once.txt").read_text(encoding="utf-8")
    assert right in text
    changed = tmp_path / "changed.txt"
    changed.write_text(text.replace(right, wrong, 1), encoding="utf-8")

    expected, actual = run_scenario(read_scenario(changed))

    assert actual != expected
