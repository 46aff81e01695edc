"""The whole ledger is computed again from its own rows, and comes to the same numbers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.catalog_diff import Range, compare
from local.item_pages import show_item
from local.sorted_items import open_sorter
from simulation.store import SimStore
from tests.support.deploying import OVERRIDE, deploy
from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.dumping import table_client
from tests.support.forgetting import forget
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.recompute import PRICED_KINDS, recompute
from tollkeeper.edge.catalog_file import parse_source, read_catalog
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.versions import version_from_item

ACCOUNTS = ("ada", "bob", "eve", "team")
MODELS = ("gpt-5", "gpt-5-mini", "claude-5", "claude-5-haiku", "gpt-9", "whisper-1")
NEW = {"id": "gpt-9", "rates": {"input": "2", "output": "8"}}


class Story:
    """A customer base that does everything, as a seed says."""

    def __init__(self, driver: Driver, seed: int) -> None:
        self.driver = driver
        self.random = random.Random(seed)
        self.number = 0
        self.charges: list[tuple[str, str]] = []
        self.holds: list[tuple[str, str, str]] = []
        self.statuses: Counter[int] = Counter()

    def next_id(self) -> str:
        """A key that nobody used."""
        self.number += 1
        return f"k{self.number}"

    def note(self, answer: Answered) -> Answered:
        """The answer, which may be a refusal and never a failure."""
        self.statuses[answer.status] += 1
        assert answer.status < 500, answer.text
        return answer

    def act(self, name: str) -> None:
        """Somebody does that."""
        acts: dict[str, Callable[[str], None]] = {
            "run": self.run,
            "fail": self.fail,
            "hold": self.hold,
            "settle": self.settle,
            "void": self.void,
            "refund": self.refund,
            "quote": self.quote,
            "again": self.again,
            "wait": lambda _: self.driver.clock.forward(hours=self.random.randint(1, 60)),
        }
        acts[name](self.random.choice(ACCOUNTS))

    def usage(self) -> dict[str, Any]:
        """A body as some provider reports it, with a cost of its own now and then."""
        some = self.random.randint
        body: dict[str, Any] = self.random.choice(
            [
                {"input": some(0, 3000), "output": some(0, 900), "cached_input": some(0, 50)},
                {"total": some(1, 500)},
                {
                    "prompt_tokens": some(1, 900),
                    "completion_tokens": some(0, 900),
                    "prompt_tokens_details": {"cached_tokens": 1},
                },
                {
                    "input_tokens": some(100000, 300000),
                    "output_tokens": some(1, 50),
                    "cache_creation_input_tokens": some(0, 70),
                    "server_tool_use": {"web_search_requests": some(0, 3)},
                },
            ]
        )
        if self.random.random() < 0.15:
            body["cost"] = self.random.choice(["0.00123", "0.5", 0])
        return body

    def wanted(self) -> dict[str, Any]:
        """An operation with what it used."""
        operation = self.random.choice(
            ["llm", "llm", "llm", "bulk", "bulk", "chat", "image", "call", "voice", "render", "own"]
        )
        more: dict[str, Any] = {"operation": operation, "feature": "chat", "service": "openai"}
        if operation in ("llm", "bulk", "chat"):
            models = MODELS if operation != "chat" else MODELS[:2]
            more |= {"usage": self.usage(), "model": self.random.choice(models)}
            more |= self.random.choice([{}, {"service_tier": "batch"}, {"subtype": "pdf"}])
            more |= self.random.choice([{}, {}, {"provider": "openai"}])
        elif operation == "image":
            more |= {"model": "large", "quantity": self.random.randint(1, 3)}
        elif operation == "voice":
            more |= {"quantity": self.random.choice([0.5, 2, 3.333333])}
        elif operation == "render":
            used = {"cpu_ms": 1234, "mem_mb": 512, "duration_ms": self.random.randint(1, 9999)}
            more |= {"resource": used}
        return more

    def run(self, account: str) -> None:
        """A deduct."""
        key = self.next_id()
        body = {"account": account, **self.wanted()}
        if self.note(self.driver.call("POST /v1/deduct", body, key=key)).status == 200:
            self.charges.append((account, key))

    def fail(self, account: str) -> None:
        """A run that failed."""
        body = {"account": account, **self.wanted(), "success": False}
        self.note(self.driver.call("POST /v1/deduct", body, key=self.next_id()))

    def hold(self, account: str) -> None:
        """A hold: of an estimate, of a usage or of a typical size."""
        wanted, hold_id = self.wanted(), self.next_id()
        operation = str(wanted["operation"])
        if self.random.random() < 0.4:
            sizes = ("usage", "quantity", "resource")
            wanted = {n: v for n, v in wanted.items() if n not in sizes} | {"estimate": 2}
        body = {"account": account, "hold_id": hold_id, **wanted}
        if self.note(self.driver.call("POST /v1/holds", body)).status == 201:
            self.holds.append((account, hold_id, operation))

    def settle(self, _: str) -> None:
        """A hold's end, or a part of a long run."""
        if not self.holds:
            return
        account, hold_id, operation = self.random.choice(self.holds)
        used: dict[str, Any] = {"usage": self.usage()}
        if operation == "voice":
            used = {"quantity": self.random.choice([0.25, 7])}
        elif operation == "render":
            used = {"resource": {"cpu_ms": 10, "mem_mb": 10, "duration_ms": 10}}
        elif operation not in ("llm", "bulk", "chat") or self.random.random() < 0.2:
            used = {"amount": self.random.choice([1, 3, 0.5])}
        key = self.next_id() if self.random.random() < 0.3 else None
        answer = self.note(self.driver.settle(account, hold_id, key=key, **used))
        if answer.status == 200:
            self.charges.append((account, key or f"h~{hold_id}~settle"))

    def void(self, _: str) -> None:
        """A charge undone."""
        if self.charges:
            account, charge = self.random.choice(self.charges)
            self.note(self.driver.void(account, charge, self.next_id()))

    def refund(self, _: str) -> None:
        """A part of a charge given back."""
        if self.charges:
            account, charge = self.random.choice(self.charges)
            body = {"key": charge, "amount": 0.01, "reason": "slow"}
            route = "POST /v1/accounts/{id}/refunds"
            self.note(self.driver.call(route, body, path={"id": account}, key=self.next_id()))

    def quote(self, account: str) -> None:
        """An estimate that pins the prices of a deduct."""
        wanted = self.wanted()
        answer = self.note(self.driver.call("POST /v1/estimate", {"account": account, **wanted}))
        if answer.status == 200:
            body = {"account": account, **wanted, "quote_id": answer["quote_id"]}
            key = self.next_id()
            self.driver.clock.forward(seconds=30)
            if self.note(self.driver.call("POST /v1/deduct", body, key=key)).status == 200:
                self.charges.append((account, key))

    def again(self, _: str) -> None:
        """A correction of whatever waits, where its model has a price by now."""
        waiting = self.driver.call("GET /v1/quarantine")["charges"]
        for each in [each for each in waiting if each["model"] == "gpt-9"][:2]:
            route = "POST /v1/accounts/{id}/entries/{key}/rerate"
            path = {"id": each["account"], "key": each["key"]}
            self.note(self.driver.call(route, {"reason": "r"}, path=path, key=self.next_id()))


ACTS = (
    *("run",) * 12,
    *("hold",) * 4,
    *("settle",) * 5,
    *("fail", "void", "refund", "quote", "quote", "again", "wait"),
)


def stored(store: SimStore) -> tuple[list[Entry], dict[str, Catalog]]:
    """Every row of the table, and every catalog that the table keeps, parsed anew."""
    items = list(store.items())
    rows = [entry_from_item(item) for item in items if item["sk"]["S"].startswith("E#")]
    catalogs = {
        item["pk"]["S"][2:]: parse_source(version_from_item(item))
        for item in items
        if item["pk"]["S"].startswith("V#")
    }
    return rows, catalogs


@pytest.mark.parametrize("seed", [1])
def test_every_charge_of_a_long_ledger_computes_to_the_same_again(
    driver: Driver,
    store: SimStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    seed: int,
) -> None:
    story = Story(driver, seed)
    versions: list[dict[str, Any]] = [
        {},
        {"markup": "2", "chat": 30, "pro": ""},
        {"prices": OVERRIDE, "unknown": "ceiling"},
        {"unknown": "reject", "markup": "1.25"},
    ]
    for number, changed in enumerate(versions):
        models = (NEW,) if number % 2 else ()
        deploy(monkeypatch, tmp_path / str(number), *models, **changed)
        if number == 0:
            for account in ACCOUNTS:
                driver.grant(account, 2000, key=f"start-{account}")
            change = {"plan": "pro"}
            driver.call("PUT /v1/accounts/{id}/plan", change, path={"id": "bob"}, key="pro")
            budget = {"budget": "team", "amount": 500}
            driver.call("POST /v1/accounts/{id}/budgets", budget, path={"id": "ada"}, key="b")
        unknown = {"account": "eve", "operation": "llm", "model": "gpt-9", "usage": {"input": 900}}
        driver.call("POST /v1/deduct", unknown, key=story.next_id())
        story.again("eve")
        for _ in range(60):
            story.act(story.random.choice(ACTS))
            driver.clock.forward(seconds=story.random.randint(0, 600))
        if number == 0:
            assert_same_under_the_same(tmp_path / "0", store)
    driver.clock.forward(days=2)
    for account in ACCOUNTS:
        driver.deduct(account, "own", "last")
    forget()

    rows, catalogs = stored(store)
    priced = [row for row in rows if row.kind in PRICED_KINDS and row.run is not None]

    kinds = Counter(row.kind for row in priced)
    assert min(kinds[kind] for kind in PRICED_KINDS) > 0, kinds
    assert len(catalogs) == len(versions)
    operations = {row.run.operation for row in priced if row.run is not None}
    assert len(operations) == 8, operations
    for row in priced:
        assert row.run is not None
        again = recompute(row, catalogs[row.run.price_version], is_traced=True)
        assert again.agrees is True, (row, again.why)
        assert again.trace is None or again.trace.charged == again.stated_microcredits, row
    for row in story.random.sample(priced, 40):
        assert_explained(driver, row)
    for account in ACCOUNTS:
        verify_ledger(driver, account)
        answer = driver.call("GET /v1/verify/{id}", path={"id": account})
        assert answer["is_clean"], answer.text


def assert_same_under_the_same(folder: Path, store: SimStore) -> None:
    """A ledger of one catalog would have cost under that catalog what it did, row by row."""
    with open_sorter() as sorter:
        sorter.add(show_item(item) for item in store.items())
        days = Range(date.min, date.max)
        diff = compare(sorter.by_ledger(), read_catalog(folder / "catalog.toml"), days)
    assert diff.total.charges > 20
    assert (diff.total.change, diff.left_out, diff.unreadable) == (0, {}, {})
    changed = {name: each for g in diff.groups.values() for name, each in g.items() if each.change}
    assert changed == {}


def assert_explained(driver: Driver, row: Entry) -> None:
    """The row says over the API that it agrees, and its steps lead to what it charged."""
    key = row.key.removeprefix("c#").replace("#", "~")
    path = {"id": row.account, "key": key}
    shown = driver.call("GET /v1/accounts/{id}/entries/{key}", path=path)["computation"]
    assert (shown["agrees"], shown["why"]) == (True, None)
    if row.kind is EntryKind.RUN_FAILED:
        assert shown["computed"] is None
        return
    assert shown["computed"] == shown["price"]
    numbers = {step["step"]: step["numbers"] for step in shown["steps"]}
    if "rounding" in numbers:
        rounded = Decimal(numbers["rounding"]["credits"])
        raised = Decimal(numbers.get("minimum", {}).get("added", "0"))
        assert rounded + raised == shown["price"]
        exact = [s["numbers"] for s in shown["steps"] if s["step"] in ("markup", "rate")]
        assert exact


@pytest.mark.moto
def test_a_version_that_is_not_stored_is_said_and_no_error(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deploy(monkeypatch, tmp_path / "first")
    charged = driver.deduct("ada", "call", "k")
    version = charged["price_version"]
    client = table_client()
    client.delete_item(
        TableName="tollkeeper-test", Key={"pk": {"S": f"V#{version}"}, "sk": {"S": "V"}}
    )
    deploy(monkeypatch, tmp_path / "second", markup="3")

    path = {"id": "ada", "key": "k"}
    shown = driver.call("GET /v1/accounts/{id}/entries/{key}", path=path)

    assert shown.status == 200
    computation = shown["computation"]
    assert (computation["agrees"], computation["computed"]) == (None, None)
    assert computation["why"] == f"the prices {version} are not stored"
    assert computation["steps"][0]["step"] == "usage"
