"""`python -m local.check_catalog FILE...`: every file is a catalog that the functions accept.

A problem is a line `file: key: reason`. Exit: 0 when all are right, 1 when any is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.catalog_file import read_catalog, read_problems


def main(arguments: Sequence[str]) -> int:
    """0 when every file is right; else 1, and each problem stands on a line of its own."""
    parser = argparse.ArgumentParser(
        prog="check_catalog", description="Check catalog files as the functions read them."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files: list[Path] = parser.parse_args(arguments).files
    are_right = [_check(file) for file in files]
    return 0 if all(are_right) else 1


def _check(file: Path) -> bool:
    problems = read_problems(file)
    for problem in problems:
        sys.stdout.write(f"{problem.detail}\n")
    if not problems:
        sys.stdout.write(f"{file}: right: {_describe(read_catalog(file))}\n")
    return not problems


def _describe(catalog: Catalog) -> str:
    counts = (
        (len(catalog.plans), "plans"),
        (len(catalog.operations), "operations"),
        (len(catalog.packs), "packs"),
    )
    contents = ", ".join(f"{count} {what}" for count, what in counts)
    return f"{contents}; version {catalog.version}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
