"""Does a test fail when the code is wrong? `make mutation`, or with names for a part of it:

    python -m tests.mutation.run 'tollkeeper.domain.money.*'

Every function of the domain and the store is changed a little, one change at a time, and the
fast tests run against it. A change that no test sees survives; those that may, and why, stand in
`survivors.toml`. The exit status is 1 where another one survived, where a listed one did not,
or where fewer than nine of ten are killed.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import (
    KILLED,
    PACKAGE,
    Mutant,
    compare,
    read_mutants,
    read_survivors,
)

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "layers" / "core" / PACKAGE
LEAST_KILLED = 0.9
NICENESS = "15"


def main(arguments: Sequence[str]) -> int:
    """The figures are printed; the exit status says whether they are as they should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run")
    parser.add_argument("names", nargs="*", metavar="name", help="mutants, with * for many")
    parser.add_argument("--workspace", type=Path, default=ROOT / ".mutation")
    parser.add_argument("--keep", action="store_true", help="keep what is known from the last run")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    began = time.monotonic()
    prepare(given.workspace, keep=given.keep or bool(given.names))
    mutate(given.workspace, given.names, given.processes)
    mutants = read_mutants(given.workspace)
    late = [mutant.name for mutant in mutants if mutant.status == "timeout"]
    if late:
        # Why: a machine that was busy for a moment must not pass for a test that failed.
        mutate(given.workspace, late, 1)
        mutants = read_mutants(given.workspace)
    sys.stdout.write(table(mutants))
    sys.stdout.write(f"\nIt took {time.monotonic() - began:.0f} s.\n")
    return judge(mutants)


def prepare(workspace: Path, *, keep: bool) -> None:
    """The workspace has the code as a package of its own, beside the tests that judge it.

    Why: the changed package must be found first by whoever imports it, and this one is installed
    from another folder.
    """
    if not keep:
        shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True, exist_ok=True)
    for name in ("pyproject.toml", "tests", "docs", "layers", "examples"):
        link = workspace / name
        if not link.is_symlink():
            link.symlink_to(ROOT / name)
    target = workspace / PACKAGE
    for old in [*target.rglob("*.py")]:
        if not (SOURCE / old.relative_to(target)).exists():
            old.unlink()
    for path in SOURCE.rglob("*.py"):
        copy = target / path.relative_to(SOURCE)
        if not copy.exists() or not filecmp.cmp(path, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def mutate(workspace: Path, names: Sequence[str], processes: int) -> None:
    """Every mutant, or those of these names, has met its tests."""
    command = ["nice", "-n", NICENESS, str(Path(sys.executable).with_name("mutmut")), "run"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*command, "--max-children", str(processes), *names],
        cwd=workspace,
        env=environment,
        stdout=sys.stderr,
        check=True,
    )


def table(mutants: Sequence[Mutant]) -> str:
    """The figures of each module of which anything was run, in Markdown."""
    mutants = [mutant for mutant in mutants if mutant.status != "not checked"]
    lines = ["| module | mutants | killed | by the clock | survived | no test | killed |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    modules = sorted({mutant.module for mutant in mutants})
    for module in modules:
        lines.append(_row(module, [m for m in mutants if m.module == module]))
    lines.append(_row("all", list(mutants)))
    return "\n".join(lines) + "\n"


def _row(name: str, mutants: list[Mutant]) -> str:
    count = Counter(mutant.status for mutant in mutants)
    killed = sum(count[status] for status in KILLED)
    share = 100 * killed / len(mutants)
    survived = len(mutants) - killed - count["no tests"]
    return (
        f"| {name} | {len(mutants)} | {count['killed']} | {count['timeout']} | {survived} "
        f"| {count['no tests']} | {share:.1f} % |"
    )


def judge(mutants: Sequence[Mutant]) -> int:
    """0 where the survivors are the listed ones and few enough; else 1, and what is different."""
    tested = [mutant for mutant in mutants if mutant.status != "not checked"]
    modules = {m.module for m in mutants} - {m.module for m in mutants if m not in tested}
    found = compare(tested, read_survivors(), modules)
    for change in found.new:
        sys.stdout.write(f"survived: {change}\n")
    for change in found.gone:
        sys.stdout.write(f"listed, and did not survive: {change}\n")
    killed = sum(mutant.status in KILLED for mutant in tested)
    if killed < LEAST_KILLED * len(tested):
        sys.stdout.write(f"{killed} of {len(tested)} are killed, which is too few\n")
        return 1
    return 1 if found.new or found.gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
