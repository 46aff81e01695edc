"""Every account in an export of the table is audited: does its ledger explain every credit?

    python -m local.verify_export FOLDER_OR_FILE...

Unlike the deployed `verify` it also finds rows whose account item is gone, since no index leads to
them. Exit: 0 where everything is explained, 1 where something is not, 2 where the export cannot be
read. Memory is bounded: a temporary SQLite file sorts the items by account, and of each account a
few numbers per row are kept while it is audited.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from local.export_files import ExportError, Item, counts_of, find_files, read_items
from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.money import show_micro
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.audit import audit_items

ROOT = Path(__file__).parents[1]
SHIPPED_CATALOG = ROOT / "layers/catalog/catalog.toml"
MOST_SHOWN = 20
ACCOUNTS = "A#"


@dataclass(slots=True)
class Report:
    """What was read and found so far. Units: micro-credits."""

    items: int = 0
    others: int = 0
    accounts: int = 0
    entries: int = 0
    findings: int = 0
    broken: int = 0
    unexplained_microcredits: int = 0


def main(arguments: Sequence[str]) -> int:
    """The report is printed. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="verify_export", description=str(__doc__).split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER_OR_FILE")
    parser.add_argument("--catalog", type=Path, default=SHIPPED_CATALOG, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        report = verify_export(chosen.paths, read_catalog(chosen.catalog))
    except (ExportError, CatalogError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(describe(report))
    return 1 if report.broken else 0


def verify_export(paths: Sequence[Path], catalog: Catalog) -> Report:
    """Every account in the files was audited; each that is not clean has its lines on stdout.

    Raises: ExportError.
    """
    report = Report()
    files, manifests = find_files(paths)
    expected = {name: count for each in manifests for name, count in counts_of(each).items()}
    with (
        tempfile.TemporaryDirectory(prefix="verify-export-") as folder,
        closing(sqlite3.connect(Path(folder) / "items.db")) as sorter,
    ):
        _fill(sorter, files, expected, report)
        for account, items in _by_account(sorter):
            _report_account(account, audit_items(items, catalog=catalog), report)
    return report


def _fill(
    sorter: sqlite3.Connection, files: list[Path], expected: dict[str, int], report: Report
) -> None:
    """The items of all accounts are in the sorter; what belongs to no account is counted."""
    sorter.execute("PRAGMA journal_mode = OFF")
    sorter.execute("PRAGMA synchronous = OFF")
    sorter.execute("CREATE TABLE items (pk TEXT, sk TEXT, item TEXT)")
    for file in files:
        before = report.items
        sorter.executemany("INSERT INTO items VALUES (?, ?, ?)", _rows(file, report))
        count = report.items - before
        if expected.get(file.name, count) != count:
            listed = expected[file.name]
            raise ExportError(f"{file}: has {count} items, and the manifest says {listed}")


def _rows(file: Path, report: Report) -> Iterator[tuple[str, str, str]]:
    for item in read_items(file):
        report.items += 1
        pk = str(item["pk"].get("S"))
        if pk.startswith(ACCOUNTS):
            yield pk, str(item["sk"].get("S")), json.dumps(item)
        else:
            report.others += 1


def _by_account(sorter: sqlite3.Connection) -> Iterator[tuple[str, Iterable[Item]]]:
    """Account after account with its items, its own first. An item that is twice there is one."""
    found = sorter.execute("SELECT pk, sk, item FROM items ORDER BY pk, sk, item")
    for pk, rows in groupby(_differing(found), key=_first):
        yield pk.removeprefix(ACCOUNTS), (json.loads(row[2]) for row in rows)


def _differing(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows without repeats. Raises: ExportError where one key has two contents."""
    last: Sequence[Any] = ("", "", "")
    for row in rows:
        if row[:2] == last[:2] and row != last:
            raise ExportError(f"{row[0]} {row[1]} is there twice: the files are of two moments")
        if row != last:
            yield row
        last = row


def _first(row: Sequence[Any]) -> str:
    return str(row[0])


def _report_account(account: str, findings: Findings, report: Report) -> None:
    report.accounts += 1
    report.entries += findings.entries
    report.findings += findings.count
    report.unexplained_microcredits += findings.unexplained_microcredits
    if findings.is_clean:
        return
    report.broken += 1
    unexplained = show_micro(findings.unexplained_microcredits)
    sys.stdout.write(f"{account}: {findings.count} findings, {unexplained} credits unexplained\n")
    for each in findings.found[:MOST_SHOWN]:
        sys.stdout.write(f"  {each.invariant:<4} {each.where}: {each.what}\n")
    if findings.count > MOST_SHOWN:
        sys.stdout.write(f"  and {findings.count - MOST_SHOWN} more\n")


def describe(report: Report) -> str:
    """The last lines: how much was read, and the verdict."""
    read = (
        f"{report.accounts:,} accounts with {report.entries:,} entries in {report.items:,} items "
        f"({report.others:,} of no account)\n"
    )
    if not report.broken:
        return read + "every credit is explained\n"
    unexplained = show_micro(report.unexplained_microcredits)
    return read + (
        f"{report.broken:,} accounts are not clean: {report.findings:,} findings, "
        f"{unexplained} credits unexplained\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
