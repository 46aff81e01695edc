"""What a ledger would have cost under another catalog, told before anybody is surprised."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.catalog_diff import main
from local.item_pages import show_item
from tests.support.deploying import OVERRIDE, deploy, write_catalog
from tests.support.driving import Driver
from tests.support.dumping import dump_table

pytestmark = pytest.mark.moto

USAGE = {"input": 1000, "output": 100}
NEW = {"id": "gpt-9", "rates": {"input": "2", "output": "8"}}


@dataclass
class Asker:
    """Somebody who asks what the ledger of a test would have cost."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def write_export(self) -> Path:
        """The table as an export."""
        path = self.folder / "export.json"
        lines = (json.dumps({"Item": show_item(item)}) for item in dump_table().values())
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def ask(self, *arguments: str, models: tuple[Any, ...] = (), **changed: Any) -> Any:
        """The comparison with this catalog, for programs."""
        self.capsys.readouterr()
        said = self.say("--json", *arguments, models=models, **changed)
        return json.loads(said, parse_float=Decimal)

    def say(self, *arguments: str, models: tuple[Any, ...] = (), **changed: Any) -> str:
        """The comparison with this catalog, for people."""
        path = write_catalog(self.folder / "new", *models, **changed)
        before = dump_table()
        status = main(["--new", str(path), "--export", str(self.write_export()), *arguments])
        assert status == 0, self.capsys.readouterr().err
        assert dump_table() == before
        return self.capsys.readouterr().out


@pytest.fixture
def asker(
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Asker:
    """A ledger of two accounts and three days."""
    deploy(monkeypatch, tmp_path / "first")
    for account in ("ada", "bob"):
        driver.grant(account, 100, key=f"g-{account}")
    for number in range(3):
        driver.deduct("ada", "llm", f"a{number}", model="gpt-5", usage=USAGE)
        driver.deduct("bob", "llm", f"b{number}", model="claude-5-haiku", usage=USAGE)
        driver.deduct("bob", "voice", f"v{number}", quantity=1)
        driver.clock.forward(days=1)
    return Asker(tmp_path, capsys)


def test_the_same_catalog_changes_nothing(asker: Asker) -> None:
    found = asker.ask()

    assert found["total"]["change"] == "0"
    assert found["total"]["charges"] == 9
    assert (found["by_operation"], found["by_account"], found["left_out"]) == ([], [], [])


def test_a_markup_moves_the_operations_models_and_accounts_that_it_is_for(asker: Asker) -> None:
    found = asker.ask(markup="3")

    each = Decimal("0.00225") / Decimal("0.01")
    assert found["total"]["change"] == str((each * Decimal("1.5") * 3).normalize())
    assert [row["operation"] for row in found["by_operation"]] == ["llm"]
    assert [row["model"] for row in found["by_model"]] == ["llm / gpt-5"]
    assert [row["account"] for row in found["by_account"]] == ["ada"]
    (ada,) = found["by_account"]
    assert (ada["charges"], ada["old"], ada["new"]) == (3, "1.0125", "2.025")


def test_days_bound_what_is_counted(asker: Asker) -> None:
    days = ("--from", "2026-11-21", "--to", "2026-11-21")

    assert asker.ask(*days)["total"]["charges"] == 3
    assert asker.ask("--from", "2026-11-22")["total"]["charges"] == 3
    assert asker.ask("--to", "2026-11-21")["total"]["charges"] == 6


def test_the_top_movers_come_first_and_the_others_are_counted(asker: Asker, driver: Driver) -> None:
    for number in range(4):
        usage = {"input": 1000 * (number + 1)}
        driver.deduct(f"user_{number}", "llm", "k", model="gpt-5", usage=usage)

    rows = asker.ask("--top", "2", markup="3")["by_account"]
    said = asker.say("--top", "2", markup="3")

    assert [row["account"] for row in rows] == ["ada", "user_3"]
    assert "by account: 5 of 6 change, the first 2" in said


def test_what_the_catalog_would_have_refused_is_told_with_its_credits(
    asker: Asker, driver: Driver
) -> None:
    driver.deduct("ada", "llm", "u", model="gpt-9", usage=USAGE)
    charged = driver.deduct("ada", "bulk", "c", model="gpt-9", usage=USAGE)["charged"]

    found = asker.ask(unknown="reject")
    said = asker.say(unknown="reject")

    (left,) = found["left_out"]
    assert left["why"] == "unknown_model llm / gpt-9"
    assert left["charges"] == 1
    assert found["on_stand_in"]["new"] == str(charged)
    assert "unknown_model llm / gpt-9" in said


def test_an_operation_that_is_gone_is_told(asker: Asker) -> None:
    path = write_catalog(asker.folder / "new")
    text = path.read_text(encoding="utf-8").replace("[operations.llm]", "[operations.other]")
    path.write_text(text.replace("plans.pro.prices.llm", "plans.pro.prices.other"), "utf-8")

    assert main(["--new", str(path), "--export", str(asker.write_export())]) == 0

    assert "unknown_operation llm" in asker.capsys.readouterr().out


def test_a_void_counts_on_both_sides_and_a_correction_in_what_was_charged(
    asker: Asker, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.deduct("eve", "llm", "k", model="gpt-5", usage=USAGE)
    driver.void("eve", "k", "v")
    driver.deduct("eve", "llm", "u", model="gpt-9", usage=USAGE)
    deploy(monkeypatch, asker.folder / "second", NEW)
    route = "POST /v1/accounts/{id}/entries/{key}/rerate"
    path = {"id": "eve", "key": "u"}
    price = driver.call(route, {"reason": "r"}, path=path, key="r")["price"]

    same = asker.ask(models=(NEW,))
    dearer = asker.ask(models=(NEW,), markup="3")

    assert same["total"]["change"] == "0"
    eve = next(row for row in dearer["by_account"] if row["account"] == "eve")
    assert (eve["charges"], eve["old"], eve["new"]) == (1, str(price), str(price * 2))


def test_a_new_allowance_counts_from_each_periods_first_charge(asker: Asker) -> None:
    """Voice has tiers; were the first two minutes free, bob's third one is what is left."""
    path = write_catalog(asker.folder / "new")
    text = path.read_text(encoding="utf-8")
    text = text.replace("fractional = true\n", "fractional = true\nfree_allowance = 2\n")
    path.write_text(text, encoding="utf-8")
    asker.capsys.readouterr()

    assert main(["--new", str(path), "--export", str(asker.write_export()), "--json"]) == 0

    found = json.loads(asker.capsys.readouterr().out)
    (voice,) = found["by_operation"]
    assert (voice["old"], voice["new"]) == ("0.999999", "0.333333")


def test_the_plan_of_each_account_is_the_one_it_was_on(asker: Asker, driver: Driver) -> None:
    path = {"id": "ada"}
    driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro"}, path=path, key="p")
    driver.deduct("ada", "llm", "on-pro", model="gpt-5", usage=USAGE)

    plain, same = asker.ask(pro=""), asker.ask()

    (ada,) = plain["by_account"]
    assert Decimal(ada["change"]) == Decimal("0.225") * Decimal("0.3")
    assert same["total"]["change"] == "0"


def test_rows_that_cannot_be_read_are_counted(asker: Asker) -> None:
    export = asker.write_export()
    broken = {"pk": {"S": "A#zoe"}, "sk": {"S": "E#c#k"}, "kind": {"S": "charge"}}
    export.write_text(export.read_text("utf-8") + "\n" + json.dumps({"Item": broken}), "utf-8")
    path = write_catalog(asker.folder / "new", prices=OVERRIDE)

    assert main(["--new", str(path), "--export", str(export)]) == 0

    assert "left out: 1 rows that cannot be read" in asker.capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["catalog", "export"])
def test_what_cannot_be_read_is_said_and_the_exit_says_so(asker: Asker, wrong: str) -> None:
    path = write_catalog(asker.folder / "new")
    if wrong == "catalog":
        path.write_text("[plans", encoding="utf-8")
    export = asker.folder / "nothing" if wrong == "export" else asker.write_export()

    assert main(["--new", str(path), "--export", str(export)]) == 2

    assert asker.capsys.readouterr().err
