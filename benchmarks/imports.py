"""What it costs to load each handler, and what it must not load."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import wait4

from benchmarks.report import Aim, Section, Table, ratio, spread
from benchmarks.stack import ROOT

MOST_MS = 400.0
MOST_SHOWN = 5
WATCHED = ("check", "deduct")
MAY_IMPORT_STRIPE = frozenset({"checkout"})
OF_PAYMENTS = "tollkeeper.domain.purchases"
BARE = "bare interpreter"
REFERENCE = "boto3 alone"

_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")


def handler_names() -> tuple[str, ...]:
    """The functions there are."""
    return tuple(sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py")))


def _module(function: str) -> str:
    return f"functions.{function}.handler"


def _python(code: str, *options: str) -> list[str]:
    # -I: nothing of this shell's environment, so that .pyc files are read and written.
    return [sys.executable, "-I", *options, "-c", code]


def cpu_ms(code: str) -> float:
    """CPU of a fresh interpreter that runs this, user and system together."""
    process = subprocess.Popen(_python(code), cwd=ROOT)
    _, status, usage = wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, f"{code} failed"
    return (usage.ru_utime + usage.ru_stime) * 1000


def loaded_modules(functions: Iterable[str]) -> frozenset[str]:
    """The modules that stand in a fresh interpreter after these handlers were imported."""
    imports = "; ".join(f"import {_module(name)}" for name in functions)
    code = f"import sys; {imports}; print(*sys.modules)"
    answer = subprocess.run(
        _python(code), cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return frozenset(answer.stdout.split())


def forbidden_imports() -> tuple[str, ...]:
    """Which handlers load what they must not.

    That is nothing but checkout stripe, none the X-Ray SDK, and no charge what payments need.
    """
    names = handler_names()
    others = [name for name in names if name not in MAY_IMPORT_STRIPE]
    found: list[str] = []
    if "stripe" in loaded_modules(others):
        found += [f"{name}: stripe" for name in others if "stripe" in loaded_modules([name])]
    if "aws_xray_sdk" in loaded_modules(names):
        found.append("aws_xray_sdk")
    if OF_PAYMENTS in loaded_modules(WATCHED):
        found.append(f"{' or '.join(WATCHED)}: {OF_PAYMENTS}")
    return tuple(found)


@dataclass(frozen=True)
class Package:
    """What the modules of one package took themselves. Units: microseconds."""

    name: str
    self_us: int


def dearest_packages(function: str) -> tuple[Package, ...]:
    """The packages by the time that their own modules took, the dearest first.

    Why: the time under a module also holds whatever it was the first to import.
    """
    answer = subprocess.run(
        _python(f"import {_module(function)}", "-X", "importtime"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    sums: dict[str, int] = {}
    for line in answer.stderr.splitlines():
        found = _IMPORT_TIME.match(line)
        if found:
            package = found[2].split(".")[0]
            package = "standard library" if package in sys.stdlib_module_names else package
            sums[package] = sums.get(package, 0) + int(found[1])
    ordered = sorted(sums.items(), key=lambda pair: -pair[1])
    return tuple(Package(name, took) for name, took in ordered)


def run(*, quick: bool) -> Section:
    """CPU milliseconds to import each handler, and its dearest packages."""
    names = WATCHED if quick else handler_names()
    codes = {BARE: "pass", REFERENCE: "import boto3"}
    codes |= {name: f"import {_module(name)}" for name in names}
    samples = measure(codes, rounds=5 if quick else 9)
    bare = samples.pop(BARE)
    above = {
        name: [took - least for took, least in zip(values, bare, strict=True)]
        for name, values in samples.items()
    }
    forbidden = forbidden_imports()
    section = Section(tables=[_table(above, bare), _packages_table()])
    section.aims.append(
        Aim(
            what="no stripe but in checkout, no X-Ray SDK, no payments in a charge",
            wanted="none",
            found=", ".join(forbidden) or "none",
            is_met=not forbidden,
            is_exact=True,
        )
    )
    for name in WATCHED:
        found = sorted(above[name])[len(above[name]) // 2]
        section.aims.append(
            Aim(
                what=f"{name}: CPU to import",
                wanted=f"<= {MOST_MS:.0f} ms",
                found=f"{found:.0f} ms",
                is_met=found <= MOST_MS,
                is_exact=False,
            )
        )
    return section


def measure(codes: Mapping[str, str], *, rounds: int) -> dict[str, list[float]]:
    """CPU milliseconds of each, a figure per round; the first round only writes .pyc files."""
    samples: dict[str, list[float]] = {name: [] for name in codes}
    for number in range(rounds + 1):
        for name, code in codes.items():
            took = cpu_ms(code)
            if number:
                samples[name].append(took)
    return samples


def _table(above: Mapping[str, list[float]], bare: list[float]) -> Table:
    _, median, _ = spread(bare, 1)
    table = Table(
        title="CPU to import a handler",
        columns=("handler", "CPU ms min", "median", "max", "ratio"),
        notes=[
            f"User and system time of a fresh interpreter with .pyc files, {len(bare)} rounds, "
            f"less a bare interpreter's ({median} ms).",
            "Ratio: to `import boto3`, the median over the rounds.",
        ],
    )
    for name, values in above.items():
        table.add(name, *spread(values), f"{ratio(values, above[REFERENCE]):.2f}")
    return table


def _packages_table() -> Table:
    table = Table(
        title=f"The {MOST_SHOWN} dearest imports",
        columns=("handler", *[str(place) for place in range(1, MOST_SHOWN + 1)]),
        notes=[
            "`python -X importtime`, the time of a package's own modules in milliseconds. Timing "
            "each import makes them all dearer; the order counts."
        ],
    )
    for name in WATCHED:
        packages = dearest_packages(name)[:MOST_SHOWN]
        table.add(name, *[f"{each.name} {each.self_us / 1000:.0f}" for each in packages])
    return table
