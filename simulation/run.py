"""Runs storms: `make storm SEEDS=2000`, or one of them again: `make storm SEED=17`."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from simulation.deployment import prepare_process
from simulation.evidence import append_evidence
from simulation.shrink import shorten
from simulation.storm import MOST_STORIES, Outcome, Plot, run_plot
from simulation.telling import tell_outcome

CHUNK = 25


@dataclass
class Totals:
    """What many storms came to."""

    seeds: int = 0
    requests: int = 0
    calls: int = 0
    transactions: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    failed: list[int] = field(default_factory=list[int])

    def add(self, other: Totals) -> None:
        """The other's are counted, too."""
        self.seeds += other.seeds
        self.requests += other.requests
        self.calls += other.calls
        self.transactions += other.transactions
        self.faults.update(other.faults)
        self.failed += other.failed

    def count(self, outcome: Outcome) -> None:
        """One more storm."""
        self.seeds += 1
        self.requests += outcome.requests
        self.calls += outcome.calls
        self.transactions += outcome.transactions
        self.faults.update(outcome.faults)
        if outcome.violations:
            self.failed.append(outcome.plot.seed)


def run_chunk(seeds: range, most_stories: int = MOST_STORIES) -> Totals:
    """The storms of these seeds, one after the other.

    Why: a storm leaves little behind; one collection at the end is cheaper than many on the way.
    """
    prepare_process(is_quiet=True)
    totals = Totals()
    gc.disable()
    try:
        for seed in seeds:
            totals.count(run_plot(Plot(seed, most_stories=most_stories)))
    finally:
        gc.enable()
    gc.collect()
    return totals


def run_all(seeds: range, *, jobs: int, most_stories: int = MOST_STORIES) -> Iterator[Totals]:
    """The storms of these seeds, in as many processes, part by part."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    run = partial(run_chunk, most_stories=most_stories)
    if jobs == 1:
        yield from map(run, chunks)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, maxtasksperchild=200) as pool:
        yield from pool.imap(run, chunks)


def show(totals: Totals, *, seconds: float) -> str:
    """One line of totals."""
    return (
        f"{totals.seeds:,} seeds, {totals.requests:,} requests, {totals.calls:,} calls, "
        f"{totals.transactions:,} transactions, {totals.faults.total():,} faults, "
        f"{len(totals.failed)} failed, {seconds:,.0f} s"
    )


def run_one(plot: Plot) -> int:
    """One storm, told in full where something is wrong with it. Shape: the exit code."""
    prepare_process(is_quiet=False)
    outcome = run_plot(plot, tells=True)
    if outcome.violations:
        outcome = shorten(outcome)
    sys.stdout.write(tell_outcome(outcome))
    return 1 if outcome.violations else 0


def run_many(seeds: range, *, jobs: int, most_stories: int, evidence: Path | None) -> int:
    """Many storms. Shape: the exit code; the first that failed is told in full."""
    began = time.monotonic()
    totals = Totals()
    try:
        for part in run_all(seeds, jobs=jobs, most_stories=most_stories):
            totals.add(part)
            if totals.failed and evidence is None:
                break
            if sys.stderr.isatty() or totals.seeds % 10_000 == 0:
                sys.stderr.write(f"\r{show(totals, seconds=time.monotonic() - began)}  ")
    except KeyboardInterrupt:
        # What was run counts: parts come in order, so these are the first seeds, all of them.
        seeds = seeds[: totals.seeds]
    seconds = time.monotonic() - began
    sys.stdout.write(f"\n{show(totals, seconds=seconds)}\n")
    for kind, count in sorted(totals.faults.items()):
        sys.stdout.write(f"  {kind:20} {count:>12,}\n")
    if evidence is not None:
        command = f"make storm FIRST={seeds.start} SEEDS={len(seeds)}{_size(most_stories)}"
        append_evidence(evidence, totals, command=command, seconds=seconds)
    if totals.failed:
        first = Plot(min(totals.failed), most_stories=most_stories)
        sys.stdout.write(f"\nfailed: {sorted(totals.failed)[:20]}\n{command_of(first)}\n\n")
        run_one(first)
        return 1
    return 0


def command_of(plot: Plot) -> str:
    """The one command that runs the storm again."""
    return f"make storm SEED={plot.seed}{_size(plot.most_stories)}"


def _size(most_stories: int) -> str:
    return "" if most_stories == MOST_STORIES else f" STORIES={most_stories}"


def main() -> int:
    """What the command does. Shape: the exit code."""
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="just this one, told in full")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stories", type=int, default=MOST_STORIES, help="at most, in each")
    parser.add_argument("--evidence", type=Path, help="the page that the totals are appended to")
    given = parser.parse_args()
    if given.seed is not None:
        return run_one(Plot(given.seed, most_stories=given.stories))
    seeds = range(given.first, given.first + given.seeds)
    return run_many(seeds, jobs=given.jobs, most_stories=given.stories, evidence=given.evidence)


if __name__ == "__main__":
    sys.exit(main())
