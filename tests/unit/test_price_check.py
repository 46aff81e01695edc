"""An export of a ledger is priced again: what does not follow from its rows is found."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from local.item_pages import show_item
from local.verify_export import main
from tests.unit.books import Book
from tests.unit.building import NOON, ONE
from tests.unit.test_recompute import catalog_of, llm, used
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.entries import caller_key
from tollkeeper.domain.pricing import Consumption, price_run
from tollkeeper.store.versions import version_to_item


def a_ledger(catalog: Catalog) -> dict[str, Any]:
    """Three charges at the prices of this catalog, by sort key."""
    book = Book()
    runs = [
        llm(used(input=1000, output=3)),
        Consumption("voice", quantity_micro=ONE),
        Consumption("call"),
    ]
    for number, run in enumerate(runs):
        priced = price_run(run, catalog)
        command = Charge(caller_key(f"k{number}"), "h", priced)
        book.do(lambda draft, command=command: decide_charge(draft, command, catalog))
    return book.items


def export(path: Path, items: dict[str, Any], *versions: Catalog) -> Path:
    """The items and these price versions as an export."""
    stored = [version_to_item(each.version, each.source, NOON) for each in versions]
    lines = [json.dumps({"Item": show_item(item)}) for item in [*items.values(), *stored]]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_prices_that_follow_from_their_rows_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of()
    path = export(tmp_path / "e.json", a_ledger(catalog), catalog)

    assert main([str(path)]) == 0

    assert "; 3 prices computed again\n" in capsys.readouterr().out


def test_prices_whose_version_is_not_there_are_said_and_are_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = export(tmp_path / "e.json", a_ledger(catalog_of()), catalog_of(markup="9"))

    assert main([str(path)]) == 0

    assert "; 0 prices computed again, 3 cannot be\n" in capsys.readouterr().out


def test_a_row_that_says_something_else_was_used_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of()
    items = copy.deepcopy(a_ledger(catalog))
    run = json.loads(items["E#c#k0"]["run"]["S"])
    run["p"]["output"] = 4
    items["E#c#k0"]["run"]["S"] = json.dumps(run)
    path = export(tmp_path / "e.json", items, catalog)

    assert main([str(path)]) == 1

    said = capsys.readouterr().out
    assert "I18  seq 2: price_differs: the row says" in said
    assert "1 accounts are not clean" in said


def test_a_version_that_cannot_be_read_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = catalog_of()
    broken = version_to_item(catalog.version, '{"plans": 7}', NOON)
    items = a_ledger(catalog) | {"version": broken}
    path = export(tmp_path / "e.json", items)

    assert main([str(path)]) == 0

    assert "3 cannot be" in capsys.readouterr().out
