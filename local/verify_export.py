"""Every account in an export of the table is audited: does its ledger explain every credit?

    python -m local.verify_export FOLDER_OR_FILE...

Unlike the deployed `verify` it also finds rows whose account item is gone, since no index leads to
them, and it computes every price again from what its row says was used, under the prices that the
row names (I18).
Exit: 0 where everything is explained, 1 where something is not, 2 where the export cannot be read.
Memory is bounded: a temporary SQLite file sorts the items by account, and of each account a
few numbers per row are kept while it is audited.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from local.export_files import ExportError, read_whole
from local.price_check import PriceCheck
from local.sorted_items import open_sorter
from tollkeeper.domain.audit_findings import Finding, Findings
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.money import show_micro
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.audit import audit_items

ROOT = Path(__file__).parents[1]
SHIPPED_CATALOG = ROOT / "layers/catalog/catalog.toml"
MOST_SHOWN = 20


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
    prices: int = 0
    unknown_prices: int = 0


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
    with open_sorter() as sorter:
        sorter.add(read_whole(paths))
        report.items, report.others = sorter.items, sorter.others
        prices = PriceCheck(catalog, sorter.versions)
        for account, items in sorter.by_account():
            findings = audit_items(prices.watch(items), catalog=catalog)
            _report_account(account, _with(findings, prices.take()), report)
        report.prices, report.unknown_prices = prices.prices, prices.unknown
    return report


def _with(findings: Findings, more: Sequence[Finding]) -> Findings:
    """The findings and those of prices."""
    if not more:
        return findings
    return replace(findings, found=(*findings.found, *more), count=findings.count + len(more))


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
        f"({report.others:,} of no account); {_prices(report)}\n"
    )
    if not report.broken:
        return read + "every credit is explained\n"
    unexplained = show_micro(report.unexplained_microcredits)
    return read + (
        f"{report.broken:,} accounts are not clean: {report.findings:,} findings, "
        f"{unexplained} credits unexplained\n"
    )


def _prices(report: Report) -> str:
    """Why: rows of earlier versions say less, and an export may lack the prices of some."""
    again = f"{report.prices - report.unknown_prices:,} prices computed again"
    return f"{again}, {report.unknown_prices:,} cannot be" if report.unknown_prices else again


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
