"""Many charges on one account at once: how often each has to be decided again.

The handlers run in threads of this process, each in a module instance of its own as `make run`
has them, so that the calls to the engine can be counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load import Ask, Load, drive, shown_busy
from benchmarks.metering import MeteredClient
from benchmarks.report import Section, Table, ratio, spread
from benchmarks.stack import ROOT, engine, handlers, make_table
from benchmarks.workload import RUN
from local.environments import load_handler
from local.template import read_template
from tests.support.driving import Driver, FakeContext
from tollkeeper.store.client import connect

CONTENDERS = (1, 8, 32)
HOT, SPREAD, TEAM = "one account", "an account each", "a budget each of one account"

Handler = Callable[..., Any]


@dataclass(kw_only=True)
class Contest:
    """What so many contenders got, a figure per round."""

    contenders: int
    where: str
    attempts: list[float] = field(default_factory=list[float])
    loads: list[Load] = field(default_factory=list[Load])


class Crowd:
    """Contenders that charge, each with a handler of its own."""

    def __init__(self, driver: Driver, client: MeteredClient) -> None:
        self._driver = driver
        self._client = client
        self._function = read_template().functions["deduct"]
        self._handlers: list[Handler] = []
        self._keys = itertools.count()
        self._funded: set[str] = set()

    def contest(self, contest: Contest, *, seconds: float) -> None:
        """One more round: its load, and the transactions that each charge took."""
        workers = [self._worker(number, contest) for number in range(contest.contenders)]
        self._client.take()
        load = drive(workers, seconds=seconds)
        calls = Counter(call.operation for call in self._client.take())
        contest.loads.append(load)
        contest.attempts.append(calls["TransactWriteItems"] / load.statuses[200])

    def _worker(self, number: int, contest: Contest) -> Ask:
        account = {HOT: "hot", SPREAD: f"own_{number}", TEAM: f"org:{number}"}[contest.where]
        if contest.where == TEAM:
            self._fund("org")
            self._fund_budget("org", account)
        else:
            self._fund(account)
        handler = self._handler(number)
        prefix = next(self._keys)

        def ask(request: int) -> int:
            body = {"account": account, **RUN}
            event = self._driver.event("POST /v1/deduct", body, key=f"{prefix}_{request}")
            return int(handler(event, FakeContext())["statusCode"])

        return ask

    def _fund(self, account: str) -> None:
        if account not in self._funded:
            self._funded.add(account)
            assert self._driver.grant(account, 10**8).status == 201
            assert self._driver.deduct(account, "sms", "settled", quantity=1).status == 200

    def _fund_budget(self, parent: str, budget: str) -> None:
        if budget not in self._funded:
            self._funded.add(budget)
            body = {"budget": budget, "amount": 10**6}
            path = {"id": parent}
            route = "POST /v1/accounts/{id}/budgets"
            assert self._driver.call(route, body, path=path, key=budget).status == 201
            assert self._driver.deduct(budget, "sms", "settled", quantity=1).status == 200

    def _handler(self, number: int) -> Handler:
        while len(self._handlers) <= number:
            name = f"contender-{len(self._handlers)}"
            folder = ROOT / "functions" / self._function.name
            self._handlers.append(load_handler(self._function, code=folder, name=name))
        return self._handlers[number]


def run(*, quick: bool) -> Section:
    """Attempts per charge by the number of contenders, on an engine of its own."""
    places = (SPREAD, HOT, TEAM)
    contests = [Contest(contenders=n, where=where) for n in CONTENDERS for where in places]
    with engine() as name:
        make_table()
        client = MeteredClient(connect())
        with handlers(lambda: client) as driver:
            crowd = Crowd(driver, client)
            for _ in range(2 if quick else 5):
                for contest in contests:
                    crowd.contest(contest, seconds=0.5 if quick else 2.0)
    return Section(tables=[_table(contests, name)])


def _table(contests: list[Contest], engine_name: str) -> Table:
    table = Table(
        title="Charges at once on one account",
        columns=(
            "contenders",
            "on",
            "attempts per charge min",
            "median",
            "max",
            "charges/s",
            "503 %",
            "ratio",
        ),
        notes=[
            f"Handlers in threads of one process, {engine_name} over loopback. An attempt is a "
            "TransactWriteItems; a 503 is sent again with the same key.",
            "Ratio: of charges a second, to the same contenders with an account each. A budget is "
            "funded once by its account; its charges touch nothing but itself.",
        ],
    )
    apart: list[float] = []
    for contest in contests:
        done = [load.done_per_s for load in contest.loads]
        apart = done if contest.where == SPREAD else apart
        table.add(
            str(contest.contenders),
            contest.where,
            *spread(contest.attempts, 2),
            spread(done)[1],
            shown_busy(contest.loads),
            f"{ratio(done, apart):.2f}",
        )
    return table
