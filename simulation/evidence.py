"""What was run, when, on which commit, and what it came to: one row per run, never changed."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.run import Totals

ROOT = Path(__file__).parents[1]


def commit_of() -> str:
    """The commit that is checked out; with a + where files differ from it."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run(
        [*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "layers", "functions", "simulation", "template.yaml"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return head + ("+" if changed else "")


def append_evidence(page: Path, totals: Totals, *, command: str, seconds: float) -> None:
    """The run is a section at the end of the page."""
    today = datetime.now(UTC).date().isoformat()
    rows = "\n".join(f"| {kind} | {count:,} |" for kind, count in sorted(totals.faults.items()))
    text = f"""
## {today}, commit {commit_of()}

`{command}`, {seconds / 60:,.0f} minutes on {os.cpu_count()} shared cores, \
Python {platform.python_version()}.

| what | how many |
|---|---:|
| seeds | {totals.seeds:,} |
| requests | {totals.requests:,} |
| calls to the database | {totals.calls:,} |
| transactions that were written | {totals.transactions:,} |
| faults | {totals.faults.total():,} |
| **seeds with a violation** | **{len(totals.failed):,}** |

| fault | how many |
|---|---:|
{rows}
"""
    with page.open("a", encoding="utf-8") as file:
        file.write(text)
