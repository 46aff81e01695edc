"""What a long storm over sockets came to, as a section of a page: one per run, never changed."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from simulation.evidence import commit_of

if TYPE_CHECKING:
    from tests.e2e.socket_storm import Report

HEAD = """# Storms over sockets

Client processes with threads send requests over HTTP to one `make run`: the real gateway, the real
engine, one machine. Meanwhile processes get `kill -9` or hang. At the end every request is repeated
until its answer is certain, and then the ledgers are held against what the clients wrote down.
`make storm-socket SECONDS=300` appends a section. Speed is not measured here.
"""


def append_evidence(page: Path, report: Report, *, began_on: str) -> None:
    """The run is a section at the end of the page, with the commit that it began on.

    Why: a gateway that is started again loads the files as they are then, so a commit that came
    during the run is said too.
    """
    ended_on = commit_of()
    commit = began_on if began_on == ended_on else f"{began_on}, at the end {ended_on}"
    page.parent.mkdir(parents=True, exist_ok=True)
    if not page.exists():
        page.write_text(HEAD, encoding="utf-8")
    with page.open("a", encoding="utf-8") as file:
        file.write(f"\n## {datetime.now(UTC).date().isoformat()}, commit {commit}\n")
        file.write(show_report(report))


def show_report(report: Report) -> str:
    """What was run, and how often everything was."""
    plan = report.plan
    unanswered = sum(n for status, n in report.tries.items() if status == 0 or status >= 500)
    counts = {
        "requests that change something, each with a certain answer in the end": report.requests,
        "tries of them": report.tries.total(),
        "tries without a certain answer (no answer, 500, 503)": unanswered,
        "reads under way": report.reads,
        "requests left open by the storm, finished afterwards": report.drained,
        "keys that were acknowledged": report.keys_acknowledged,
        "charges among them": report.charges_acknowledged,
        "keys applied by a try whose answer got lost, and acknowledged later": report.unheard,
        "purchases paid": report.purchases_paid,
        "accounts": report.accounts,
        "rows in their ledgers": report.rows,
        "rows audited in the table itself": report.audited_entries,
        "acknowledged requests sent once more at the end": report.replays,
    }
    rows = [f"| {what} | {count:,} |" for what, count in counts.items()]
    rows += [f"| {what} | {count:,} |" for what, count in sorted(report.faults.items())]
    table = "\n".join(rows)
    return f"""
{plan.seconds:,.0f} seconds of storm, seed {plan.seed}, {plan.processes} client processes of \
{plan.threads} threads, the engine {plan.engine}; Python {platform.python_version()} on \
{platform.system()}, {os.cpu_count()} shared cores.

| what | how many |
|---|---:|
{table}
| **violations** | **{len(report.violations):,}** |
"""
