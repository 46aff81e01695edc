"""Plants every bug and says at which seed the storm found it: `make planted`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from simulation.deployment import prepare_process
from simulation.evidence import commit_of
from simulation.planted.hunt import BUGS, MOST_SEEDS, Hunted, hunt
from simulation.storm import run_seed

HEAD = "| bug | what it is | found at seed | rule | what was seen |\n|---|---|---:|---|---|\n"
LONGEST_CELL = 90


def hunt_named(name: str) -> tuple[str, int | None, str, str]:
    """The hunt for the bug of that name, as plain values."""
    prepare_process(is_quiet=True)
    hunted = hunt(next(bug for bug in BUGS if bug.name == name))
    return name, hunted.seed, hunted.rule, hunted.what


def is_clean(seed: int) -> bool:
    """The storm of that seed finds nothing in the product as it is."""
    prepare_process(is_quiet=True)
    return not run_seed(seed).violations


def show(hunted: Hunted) -> str:
    """One row of the table."""
    what = hunted.what.replace("|", "\\|").replace("\n", " ")
    if len(what) > LONGEST_CELL:
        what = what[:LONGEST_CELL].rstrip("\\") + " …"
    seed = "**not found**" if hunted.seed is None else str(hunted.seed)
    return f"| {hunted.bug.name} | {hunted.bug.what} | {seed} | {hunted.rule} | {what} |\n"


def make_table(found: list[Hunted]) -> str:
    """All rows."""
    return HEAD + "".join(map(show, found))


def append_evidence(page: Path, text: str, *, seconds: float) -> None:
    """The run is a section at the end of the page."""
    today = datetime.now(UTC).date().isoformat()
    with page.open("a", encoding="utf-8") as file:
        file.write(
            f"\n## {today}, commit {commit_of()}\n\n{seconds:,.0f} s; `make planted`.\n\n{text}"
        )


def main() -> int:
    """What the command does. Shape: the exit code."""
    parser = argparse.ArgumentParser(prog="make planted", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--evidence", type=Path, help="the page that the table is appended to")
    given = parser.parse_args()
    began = time.monotonic()
    by_name = {bug.name: bug for bug in BUGS}
    seeds = range(1, MOST_SEEDS + 1)
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        found = [
            Hunted(by_name[name], seed, rule, what)
            for name, seed, rule, what in pool.imap(hunt_named, by_name)
        ]
        clean = sum(pool.imap_unordered(is_clean, seeds, chunksize=25))
    missed = [each.bug.name for each in found if each.seed is None]
    tail = f"\nWithout a bug: {clean} of {len(seeds)} seeds find nothing.\n"
    tail += f"Planted: {len(found)}; found within {MOST_SEEDS} seeds: {len(found) - len(missed)}.\n"
    text = make_table(found) + tail
    sys.stdout.write(text)
    if given.evidence is not None:
        append_evidence(given.evidence, text, seconds=time.monotonic() - began)
    return 1 if missed or clean < len(seeds) else 0


if __name__ == "__main__":
    sys.exit(main())
