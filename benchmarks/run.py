"""Every benchmark in one run: `make bench`, or `python -m benchmarks.run --quick calls cpu`.

The tables are Markdown on standard output, the progress goes to standard error. The exit status
is 1 where an aim is missed that is counted; one that is timed depends on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from benchmarks import calls, contention, cpu, http, imports, live, pricing, verify
from benchmarks.report import Aim, Section, aims_table
from benchmarks.stack import describe_machine

BENCHMARKS: dict[str, Callable[..., Section]] = {
    "calls": calls.run,
    "cpu": cpu.run,
    "imports": imports.run,
    "pricing": pricing.run,
    "contention": contention.run,
    "http": http.run,
    "live": live.run,
    "verify": verify.run,
}


def main(arguments: Sequence[str]) -> int:
    """The tables are printed; the exit status says whether every counted aim is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller tables")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    output = sys.stdout
    # What the functions log would stand between the tables; their logger keeps this file.
    with Path("/dev/null").open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        aims = print_all(given.names or list(BENCHMARKS), quick=given.quick, output=output)
    return 1 if any(aim.is_exact and not aim.is_met for aim in aims) else 0


def print_all(names: Sequence[str], *, quick: bool, output: TextIO) -> list[Aim]:
    """The tables of these benchmarks stand on the output, and all aims below them."""
    mode = "quick" if quick else "full"
    print(f"Measured on {describe_machine()}; a {mode} run.\n", file=output, flush=True)
    aims: list[Aim] = []
    for name in names:
        began = time.monotonic()
        section = BENCHMARKS[name](quick=quick)
        for table in section.tables:
            print(table.render(), file=output, flush=True)
        aims += section.aims
        sys.stderr.write(f"{name} took {time.monotonic() - began:.0f} s\n")
    if aims:
        print(aims_table(aims).render(), file=output)
    return aims


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
