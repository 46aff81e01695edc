"""The guarantees page: every rule is there, and every test, page and command it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guarantees.md"
TEXT = PAGE.read_text(encoding="utf-8")
RULES = {f"I{number}" for number in range(1, 23)}
# They wait for what they are about.
WAITING: frozenset[str] = frozenset()


def test_every_rule_has_its_sentence_or_says_what_it_waits_for() -> None:
    rows = set(re.findall(r"^\| (I\d+) \|", TEXT, re.MULTILINE))

    assert rows == RULES - WAITING
    assert all(rule in TEXT for rule in WAITING)


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    files = (ROOT / "tests").rglob("test_*.py")
    defined = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}

    assert named - defined == set()
    assert len(named) > 20


def test_every_page_and_command_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    pages = re.findall(r"\]\(([a-z/]+\.md)\)", TEXT)
    commands = set(re.findall(r"`make ([a-z-]+)", TEXT))

    assert [page for page in pages if not (PAGE.parent / page).exists()] == []
    assert [name for name in commands if not re.search(rf"^{name}\b.*:", makefile, re.M)] == []


def test_every_rule_that_a_storm_judges_is_on_the_page() -> None:
    sources = [file.read_text() for file in (ROOT / "simulation").glob("*.py")]
    judged = {
        rule
        for text in sources
        for rule in re.findall(r"(?:Violation|blame)\(\s*\"([A-Za-z0-9]+)\"", text)
    }

    assert {rule for rule in judged if f"| {rule} |" not in TEXT} == set()
    assert len(judged) > 12
