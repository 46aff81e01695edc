"""Every order of two requests' calls, with up to two faults in every place: `make exhaustive`.

Or one history again: `make exhaustive PAIR=deduct+void CHOICES=0,1,0`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from simulation.deployment import prepare_process
from simulation.evidence import commit_of
from simulation.exhaustive.pairs import pairs
from simulation.exhaustive.search import Counted, Search
from simulation.exhaustive.telling import command_of, tell_history

MOST_FAULTS = 2
Result = tuple[Counted, float]


def search(task: tuple[str, int]) -> Result:
    """All histories of the pair with up to so many faults, and how long it took. Units: seconds."""
    name, most_faults = task
    prepare_process(is_quiet=True)
    began = time.monotonic()
    counted = Search(pairs()[name], most_faults=most_faults).run()
    return counted, time.monotonic() - began


def search_all(names: list[str], *, most_faults: int, jobs: int) -> Iterator[Result]:
    """The same of many pairs, as they are done."""
    tasks = [(name, most_faults) for name in names]
    if jobs == 1:
        yield from map(search, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(search, tasks, chunksize=1)


def show(result: Result) -> str:
    """One row of the table."""
    counted, seconds = result
    placed = sum(counted.faults.values())
    failed = "0" if counted.failed is None else "**1**"
    return (
        f"| {counted.pair} | {counted.histories:,} | {counted.given_up:,} | {counted.steps:,} | "
        f"{placed:,} | {failed} | {seconds:,.0f} s |\n"
    )


HEAD = "| pair | histories | the same in another order | calls | faults | failed | time |\n"
RULE = "|---|---:|---:|---:|---:|---:|---:|\n"


def make_table(results: list[Result]) -> str:
    """All rows and their sum."""
    total = Counted("**all**")
    for counted, _ in results:
        total.histories += counted.histories
        total.given_up += counted.given_up
        total.steps += counted.steps
        total.faults.update(counted.faults)
        total.failed = total.failed or counted.failed
    rows = "".join(map(show, sorted(results, key=lambda result: result[0].pair)))
    faults = ", ".join(f"{kind} {count:,}" for kind, count in sorted(total.faults.items()))
    whole = show((total, sum(seconds for _, seconds in results)))
    return f"{HEAD}{RULE}{rows}{whole}\nFaults by kind: {faults}.\n"


def append_evidence(page: Path, text: str, *, most_faults: int, seconds: float) -> None:
    """The run is a section at the end of the page."""
    today = datetime.now(UTC).date().isoformat()
    machine = f"{os.cpu_count()} shared cores, Python {platform.python_version()}"
    with page.open("a", encoding="utf-8") as file:
        file.write(f"\n## {today}, commit {commit_of()}, at most {most_faults} at a time\n\n")
        command = f"`make exhaustive FAULTS={most_faults}`"
        file.write(f"{seconds / 60:,.0f} minutes on {machine}; {command}.\n\n{text}")


def run_pairs(names: list[str], *, most_faults: int, jobs: int, evidence: Path | None) -> int:
    """The search. Shape: the exit code; the first history that failed is told in full."""
    began = time.monotonic()
    results: list[Result] = []
    for result in search_all(names, most_faults=most_faults, jobs=jobs):
        results.append(result)
        sys.stderr.write(f"{len(results)} of {len(names)} {show(result)}")
    text = make_table(results)
    sys.stdout.write(text)
    if evidence is not None:
        seconds = time.monotonic() - began
        append_evidence(evidence, text, most_faults=most_faults, seconds=seconds)
    failed = [counted for counted, _ in results if counted.failed is not None]
    for counted in failed:
        sys.stdout.write(f"\n{command_of(counted.pair, counted.failed or ())}\n")
        sys.stdout.writelines(f"VIOLATION {violation}\n" for violation in counted.violations)
    return 1 if failed else 0


def main() -> int:
    """What the command does. Shape: the exit code."""
    parser = argparse.ArgumentParser(prog="make exhaustive", description=__doc__)
    parser.add_argument("--pair", choices=sorted(pairs()), help="just this one")
    parser.add_argument("--choices", help="just this history of it, told in full")
    parser.add_argument("--faults", type=int, default=MOST_FAULTS, help="at most so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--evidence", type=Path, help="the page that the counts are appended to")
    given = parser.parse_args()
    if given.choices is not None and given.pair is not None:
        prepare_process(is_quiet=False)
        choices = tuple(int(each) for each in given.choices.split(",") if each)
        told, found = tell_history(pairs()[given.pair], choices)
        sys.stdout.write(told)
        return 1 if found else 0
    names = [given.pair] if given.pair else list(pairs())
    return run_pairs(names, most_faults=given.faults, jobs=given.jobs, evidence=given.evidence)


if __name__ == "__main__":
    sys.exit(main())
