"""SimStore answers as the other engines do, but for the differences that docs/engines.md lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.conformance.cases import SETUP
from tests.conformance.comparing import difference_of_case, difference_of_seed, prepared
from tests.conformance.differences import DIFFERENCES, listed
from tests.conformance.drawing import Drawer
from tests.conformance.engines import ask, by_key, empty_table, scan
from tests.conformance.query_cases import CASES

ROOT = Path(__file__).parents[2]
SEEDS = {"moto": 200, "ministack": 40, "dynoxide": 40}
STEPS = 25


def test_every_case_is_answered_alike_or_is_listed(engine: tuple[str, Any]) -> None:
    name, client = engine
    known = listed(name)
    start = by_key(prepared().items())
    found: dict[str, str] = {}

    empty_table(client)
    for case, requests in CASES.items():
        if scan(client) != start:
            empty_table(client)
            for request in SETUP:
                assert ask(client, *request).code == ""
        difference = difference_of_case(client, requests)
        if difference:
            found[case] = difference

    unlisted = {case: said for case, said in found.items() if case not in known}
    assert not unlisted, "\n".join(f"{case}: {said}" for case, said in unlisted.items())
    gone = set(known) - set(found)
    assert not gone, f"{name} does not differ any more: take these out of the list: {gone}"


def test_random_operations_are_answered_alike(engine: tuple[str, Any]) -> None:
    name, client = engine
    is_moto = name == "moto"

    for seed in range(SEEDS[name]):
        empty_table(client)
        drawer = Drawer(seed, has_tokens=not is_moto)
        difference = difference_of_seed(client, drawer, steps=STEPS, ends_early=is_moto)
        assert not difference, difference


def test_the_page_lists_every_difference() -> None:
    page = (ROOT / "docs/engines.md").read_text(encoding="utf-8")

    for engine, named in DIFFERENCES.items():
        section = page.partition(f"### {engine}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
        rows = re.findall(r"^\| ([^|]+?) \|", section, flags=re.MULTILINE)
        assert rows[1:] == list(named), engine


def test_the_lists_name_cases_once() -> None:
    for engine, named in DIFFERENCES.items():
        cases = [case for each in named.values() for case in each]
        assert len(cases) == len(set(cases)), engine
        assert set(cases) <= set(CASES), engine
