"""docs/requirements.md: every row of the five products, and the tests that keep it.

python -m local.requirements_page
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "tests" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
ROW_IN_NAME = re.compile(r"(?<![a-z0-9])s(\d)_(\d{2})(?![0-9])")

HEAD = """# Requirements

Five AI products described their credit systems. Each row is kept by the tests beside it, whose
names carry its number. This page is generated (`make docs`), and a test fails when it is stale.

"""


def find_tests(root: Path = ROOT) -> dict[str, list[str]]:
    """Which tests carry which rows in their names. Shape: row -> "path::test", sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name in _test_names(path):
            for system, number in ROW_IN_NAME.findall(name):
                row = f"S{system}.{int(number)}"
                found.setdefault(row, []).append(f"{path.relative_to(root)}::{name}")
    return found


def _test_names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def read_rows() -> tuple[list[str], dict[str, str], dict[str, str]]:
    """The rows that must be kept, all rows with their words, and the systems' names."""
    tables = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    return tables["kept"], tables["rows"], tables["systems"]


def write_page() -> str:
    """The page's text."""
    kept, rows, systems = read_rows()
    tests = find_tests()
    lines = [HEAD]
    for system, title in systems.items():
        lines.append(f"## {system} {title}\n\n| row | what | kept by |\n|---|---|---|\n")
        for row, words in rows.items():
            if row.startswith(f"{system}."):
                lines.append(f"| {row} | {words} | {_kept_by(row, tests, row in kept)} |\n")
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def _kept_by(row: str, tests: dict[str, list[str]], must: bool) -> str:
    names = [f"`{test.split('::')[1]}`" for test in tests.get(row, [])]
    if not names:
        return "missing" if must else "not yet"
    return "<br>".join(names) if must else "in part: " + "<br>".join(names)


def main() -> int:
    """The page is written."""
    PAGE.write_text(write_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
