"""What it takes to audit a long ledger: CPU and memory per row, and whether both stay the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.filling import charged_account_to_items
from benchmarks.report import Aim, Section, Table
from benchmarks.stack import CATALOG, ROOT
from tollkeeper.domain.audit import Audit
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.audit import feed
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.rows import Item

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOST_BYTES_A_ROW = 200


@dataclass(frozen=True)
class Audited:
    """One ledger. Units: seconds of CPU; kilobytes at the peak of the whole process."""

    entries: int
    audit_s: float
    read_s: float
    peak_kb: int


class Watch:
    """CPU of what is done between `start` and `stop`, added up."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def start(self) -> None:
        """Counting begins."""
        self._began = time.process_time()

    def stop(self) -> None:
        """Counting ends."""
        self.seconds += time.process_time() - self._began


def audit_charges(charges: int) -> dict[str, float]:
    """An account with so many charges is audited row by row as it is made; none is kept."""
    audit, reading, auditing = Audit(), Watch(), Watch()
    catalog = read_catalog(CATALOG)
    items: Iterator[Item] = charged_account_to_items("grown", charges, now=NOW, catalog=catalog)
    for item in items:
        if item["sk"]["S"].startswith("E#"):
            reading.start()
            entry_from_item(item)
            reading.stop()
        auditing.start()
        feed(audit, item)
        auditing.stop()
    auditing.start()
    findings = audit.finish()
    auditing.stop()
    assert findings.is_clean, findings
    return {
        "entries": findings.entries,
        "audit_s": auditing.seconds,
        "read_s": reading.seconds,
    }


def audit_apart(charges: int) -> Audited:
    """The same in a process of its own, with the most memory that it had."""
    code = f"from benchmarks.verify import main; main({charges})"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0, "the audit ended well"
    return Audited(**json.loads(said), peak_kb=usage.ru_maxrss)


def main(charges: int) -> None:
    """The figures are on standard output."""
    print(json.dumps(audit_charges(charges)))


def run(*, quick: bool) -> Section:
    """Rows of one account; the ratio is to reading the same rows from their items."""
    sizes = (2_000, 20_000) if quick else (20_000, 200_000, 1_000_000)
    empty = audit_apart(0)
    table = Table(
        title="Auditing one account",
        columns=("entries", "CPU s", "us per entry", "ratio", "peak MB", "bytes per entry"),
        notes=[
            "A process each; rows are made, audited and forgotten one by one, the account last.",
            "Ratio: to turning the same items into rows and nothing else.",
            f"Bytes: what its peak is above a process without rows ({empty.peak_kb // 1024} MB).",
        ],
    )
    worst = 0.0
    for size in sizes:
        found = audit_apart(size)
        each_us = found.audit_s / found.entries * 1e6
        each_bytes = (found.peak_kb - empty.peak_kb) * 1024 / found.entries
        worst = max(worst, each_bytes) if size == sizes[-1] else worst
        table.add(
            f"{found.entries:,}",
            f"{found.audit_s:.1f}",
            f"{each_us:.1f}",
            f"{found.audit_s / found.read_s:.2f}",
            f"{found.peak_kb / 1024:.0f}",
            f"{each_bytes:.0f}",
        )
    aim = Aim(
        what=f"memory of an audit of {sizes[-1]:,} charges",
        wanted=f"<= {MOST_BYTES_A_ROW} bytes per entry",
        found=f"{worst:.0f}",
        is_met=worst <= MOST_BYTES_A_ROW,
        is_exact=False,
    )
    return Section(tables=[table], aims=[aim])
