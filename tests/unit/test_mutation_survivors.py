"""The list of mutants that may survive: each is still a change of the code, and has its reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.mutation.mutants import SURVIVORS, Mutant, compare, read_survivors

ROOT = Path(__file__).parents[2] / "layers" / "core" / "tollkeeper"


def in_one_line(module: str) -> str:
    """The module's code without its line ends, as changes are listed."""
    text = (ROOT / f"{module}.py").read_text(encoding="utf-8")
    return " ".join(line.strip() for line in text.splitlines())


def test_every_listed_survivor_is_a_change_of_code_that_is_there() -> None:
    for change, _ in read_survivors():
        place, removed, _ = change.split(" | ", 2) if change.count(" | ") == 2 else ("", "", "")
        module, _, function = place.partition(" ")
        name = function.rpartition(".")[2]
        assert place, f"{SURVIVORS.name}: write module function | before | after: {change}"
        assert f"def {name}(" in in_one_line(module), change
        assert removed in in_one_line(module), change


def test_every_listed_survivor_has_a_reason() -> None:
    assert all(len(reason.split()) > 3 for _, reason in read_survivors())


def survivor(removed: str, module: str = "domain/money") -> Mutant:
    """A mutant that no test saw."""
    return Mutant(module, "f", removed, "other", "survived")


def test_a_survivor_that_nobody_listed_is_new_and_a_listed_one_that_was_killed_is_gone() -> None:
    listed = [("domain/money f | a | other", "why"), ("domain/money f | b | other", "why")]

    found = compare([survivor("a"), survivor("c")], listed, {"domain/money"})

    assert found.new == ["domain/money f | c | other"]
    assert found.gone == ["domain/money f | b | other"]


def test_the_same_change_in_two_places_is_listed_twice() -> None:
    listed = [("domain/money f | a | other", "why")]

    found = compare([survivor("a"), survivor("a")], listed, {"domain/money"})

    assert Counter(found.new) == {"domain/money f | a | other": 1}


def test_what_was_not_measured_is_not_compared() -> None:
    found = compare([], [("domain/roll f | a | other", "why")], {"domain/money"})

    assert (found.new, found.gone) == ([], [])
