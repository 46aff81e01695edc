"""The real handlers on a table in memory: one stack, its clock, and what may go wrong with it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from local.template import read_template, table_definition
from simulation.store import Commit, SimStore
from tests.property.model import from_moment
from tests.support.contract import assert_documented
from tests.support.driving import Answered, Driver, FakeClock, FakeContext, load
from tests.support.faults import Crash, FaultyClient
from tests.support.payments import FakeStripe
from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.catalog_file import parse_source, read_catalog
from tollkeeper.service.ports import World
from tollkeeper.store.items import entry_from_item  # pyright: ignore[reportUnknownVariableType]
from tollkeeper.store.ledger import Ledger

from .versions import TEXT, book_of

ROOT = Path(__file__).parents[3]
TABLE = "tollkeeper-property"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one try: a call of its own fails, reads are stale, Stripe is away."""

    call: int = -1
    fault: str = ""
    lag: int = 0
    gateway: str = ""


CALM = Trouble()


class SeededIds:
    """Randomness that is the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(0)

    def new_secret(self) -> str:
        """A secret of 43 characters."""
        return f"{self._random.getrandbits(170):043x}"[:43]

    def fraction(self) -> float:
        """A number from 0 to 1."""
        return self._random.random()


@dataclass(frozen=True)
class Written:
    """One commit, and the model's time when it was made."""

    at: int
    commit: Commit


@dataclass(frozen=True)
class Attempt:
    """One try of a request: its answer, where one came, and what it wrote."""

    answer: Answered | None
    written: list[Written]
    ended: int
    was_struck: bool

    def puts(self) -> list[tuple[int, tuple[str, str], Any, Any]]:
        """When, where, what was there before, and what is there now."""
        return [(w.at, key, old, new) for w in self.written for key, old, new in w.commit.puts]


@lru_cache(maxsize=1)
def definition() -> dict[str, Any]:
    """The table as the template has it."""
    return dict(table_definition(read_template(ROOT / "template.yaml"), name=TABLE))


@lru_cache(maxsize=4)
def load_catalog(text: str) -> Catalog:
    """The catalog as the functions read it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        (path.parent / "prices.json").write_text(book_of(text), encoding="utf-8")
        return read_catalog(path)


@dataclass
class Weather:
    """How stale reads are, and after how many items a page ends."""

    lag: int = 0
    page: int | None = None

    def behind(self, what: str) -> int:
        """Lists of history are not read stale here: they may lag, and say so."""
        return self.lag if what == "item" else 0

    def cut(self) -> int | None:
        """Where a page ends."""
        return self.page


@dataclass
class Stack:
    """One deployment with an empty table."""

    clock: FakeClock = field(default_factory=FakeClock)
    weather: Weather = field(default_factory=Weather)
    stripe: FakeStripe = field(default_factory=FakeStripe)
    written: list[Written] = field(default_factory=list[Written])

    def __post_init__(self) -> None:
        self.store = SimStore(
            definition(),
            now=self._now_s,
            lag=self.weather,
            cut=self.weather.cut,
        )
        self.store.on_commit = self._note
        self.client = FaultyClient(self.store)
        self.driver = Driver(self.clock, check_answer=assert_documented)
        self.ids = SeededIds()
        self.deploy(TEXT)

    def deploy(self, text: str) -> None:
        """New environments with this catalog: nothing is kept from before."""
        self.world = World(
            ledger=Ledger(self.client, TABLE),
            clock=self.clock,
            ids=self.ids,
            catalog=load_catalog(text),
            parse_catalog=parse_source,
        )

    def _now_s(self) -> float:
        return self.clock.moment.timestamp()

    def now(self) -> int:
        """The clock, as the model counts."""
        return from_moment(self.clock.moment)

    def _note(self, commit: Commit) -> None:
        self.written.append(Written(self.now(), commit))

    def attempt(self, call: Callable[[], Answered], trouble: Trouble = CALM) -> Attempt:
        """One try of a request, with what goes wrong in it."""
        self.written.clear()
        self.client.forget()
        self._prepare(trouble)
        try:
            answer = call()
        except Crash:
            answer = None
        finally:
            self.weather.lag = 0
        is_away = bool(self.stripe.refusals or self.stripe.lost)
        was_struck = is_away or trouble.call in range(len(self.client.calls))
        self.client.forget()
        self.stripe.refusals.clear()
        self.stripe.lost.clear()
        return Attempt(answer, [*self.written], self.now(), was_struck)

    def _prepare(self, trouble: Trouble) -> None:
        self.weather.lag = trouble.lag
        if trouble.fault:
            self.client.plan[trouble.call] = trouble.fault
        if trouble.gateway == "refuses":
            self.stripe.refusals.add(self.stripe.calls)
        if trouble.gateway == "lost":
            self.stripe.lost.add(self.stripe.calls)

    def drop_old_events(self) -> set[str]:
        """The events that had outlived their time are gone, as DynamoDB deletes them.

        So is what waits for a price no more.
        """
        now_s = self.now() // 1000
        old = [
            {name: dict(item[name]) for name in ("pk", "sk")}
            for item in self.store.items()
            if "ttl" in item and int(item["ttl"]["N"]) < now_s
        ]
        for key in old:
            delete = {"Delete": {"TableName": TABLE, "Key": key}}
            self.store.transact_write_items(TransactItems=[delete])
        gone = {str(key["pk"]["S"]) for key in old}
        assert all(pk.startswith(("S#", "Q#")) for pk in gone)
        return {pk.removeprefix("S#") for pk in gone if pk.startswith("S#")}

    def alerts(self, account: str) -> list[list[str]]:
        """What the account's rows tell people, row by row."""
        rows = [
            entry_from_item(item)
            for item in self.store.items()
            if item["pk"]["S"] == f"A#{account}" and str(item["sk"]["S"]).startswith("E#")
        ]
        return [list(row.alerts) for row in sorted(rows, key=lambda row: row.seq)]

    def sweep(self) -> dict[str, Any]:
        """What the schedule's handler says it did."""
        self.written.clear()
        return load("period_reset").handler({}, FakeContext())


CURRENT: list[Stack] = []


def current() -> Stack:
    """The stack that the handlers find."""
    return CURRENT[-1]
