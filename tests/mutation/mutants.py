"""What a mutation run left: each mutant as the change it made, and whether a test saw it."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

PACKAGE = "tollkeeper"
SURVIVORS = Path(__file__).with_name("survivors.toml")
KILLED = ("killed", "timeout")


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change of one function. `module` is a path such as `domain/money`."""

    module: str
    function: str
    removed: str
    added: str
    status: str
    name: str = ""

    def change(self) -> str:
        """The mutant as it is listed: it stays the same when code around the function moves."""
        return f"{self.module} {self.function} | {self.removed} | {self.added}"


def read_mutants(workspace: Path) -> list[Mutant]:
    """Every mutant of the last run there."""
    found: list[Mutant] = []
    with contextlib.chdir(workspace):
        for meta in sorted(Path("mutants", PACKAGE).rglob("*.py.meta")):
            path = meta.relative_to("mutants").with_suffix("")
            codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"]
            module = path.relative_to(PACKAGE).with_suffix("").as_posix()
            found += [_read(path, module, name, code) for name, code in codes.items()]
    return found


def _read(path: Path, module: str, name: str, code: int | None) -> Mutant:
    status = str(status_by_exit_code[code])
    if status in ("killed", "not checked"):
        return Mutant(module, _function(name), "", "", status, name)
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    removed = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    added = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return Mutant(module, _function(name), removed, added, status, name)


def _function(name: str) -> str:
    """`Draft.post` for `tollkeeper.domain.account.xǁDraftǁpost__mutmut_3`."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return mangled[2:].replace("ǁ", ".") if mangled[1] == "ǁ" else mangled.removeprefix("x_")


def read_survivors(path: Path = SURVIVORS) -> list[tuple[str, str]]:
    """The changes that may survive, each with its reason."""
    groups: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["group"]
    return [(change, group["reason"]) for group in groups for change in group["changes"]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`new` survived and have no reason; `gone` have one and did not survive."""

    new: list[str]
    gone: list[str]


def compare(mutants: list[Mutant], listed: list[tuple[str, str]], modules: set[str]) -> Comparison:
    """The survivors of these modules beside the listed ones."""
    survived = Counter(m.change() for m in mutants if m.status not in KILLED)
    known = Counter(change for change, _ in listed if change.partition(" ")[0] in modules)
    return Comparison(sorted((survived - known).elements()), sorted((known - survived).elements()))
