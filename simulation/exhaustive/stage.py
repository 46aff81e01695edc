"""Where histories take place: a table that was prepared once, and everything around it anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulation.asking import Asked, Attempt, make_event, read_body
from simulation.card_side import SimulatedCards
from simulation.deployment import Deployment, Environment
from simulation.exhaustive.controller import Controller, Lagging
from simulation.hold_watch import HoldBook
from simulation.loop import EPOCH, MICROSECOND, Loop
from simulation.money import KindestLimits, catalogs
from simulation.price_watch import PriceBook
from simulation.spend_watch import SpendBook
from simulation.store import Commit, SimStore
from simulation.storm import table
from simulation.stripe_side import SimulatedStripe
from simulation.watch import Kept, Watch
from tollkeeper.domain.catalog import Catalog
from tollkeeper.edge.routes import ROUTES

Place = tuple[str, str]


class Warm(Deployment):
    """Environments that know their price version to be stored.

    Why: what a process does before its first charge is a write of its own, which is under no key
    and changes no balance; it would make every history of a charge three times as long.
    """

    def _start(self, function: str, others: list[Environment]) -> Environment:
        environment = super()._start(function, others)
        environment.world.versions.add(environment.world.catalog.version)
        return environment


@dataclass
class Prepared:
    """A table at a moment, with what is known of how it came to be.

    `version` is which of the price versions the functions then have.
    """

    store: SimStore
    lag: Lagging
    dump: Any
    starts_at: datetime
    asked: list[Asked] = field(default_factory=list[Asked])
    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    accounts: dict[str, Kept] = field(default_factory=dict[str, Kept])
    holds: dict[str, HoldBook] = field(default_factory=dict[str, HoldBook])
    spending: dict[str, SpendBook] = field(default_factory=dict[str, SpendBook])
    prices: dict[str, PriceBook] = field(default_factory=dict[str, PriceBook])
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    touched: dict[Place, int] = field(default_factory=dict[Place, int])
    version: int = 0


class Stage:
    """One history's world. `step` counts what happened; judges see it as time."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.store = prepared.store
        self.store.restore(prepared.dump)
        self.loop = Loop(prepared.starts_at)
        self.begins_us = (prepared.starts_at - EPOCH) // MICROSECOND
        self.step = 0
        self.network = Controller(self.loop, self.store, prepared.lag)
        self.stripe = SimulatedStripe(self.network, dict(prepared.sessions))
        cards = SimulatedCards(self.network)
        self.deployment = Warm(self.network, self.stripe, cards, choose_catalog=self._catalog)
        self.watch = Watch(self.moment_us, KindestLimits())
        self.watch.rows = {account: dict(rows) for account, rows in prepared.rows.items()}
        self.watch.accounts = {
            name: Kept(kept.account, list(kept.versions))
            for name, kept in prepared.accounts.items()
        }
        self.watch.holds = {name: book.copy() for name, book in prepared.holds.items()}
        self.watch.prices = {name: book.copy() for name, book in prepared.prices.items()}
        self.watch.spending = {name: book.copy() for name, book in prepared.spending.items()}
        self.asked = list(prepared.asked)
        self.touched = dict(prepared.touched)
        self.store.on_commit = self._see

    def _catalog(self) -> Catalog:
        return catalogs()[self.prepared.version]

    def moment_us(self) -> int:
        """The time that judges go by: one microsecond a step."""
        return self.begins_us + self.step

    def _see(self, commit: Commit) -> None:
        for key, _, _ in commit.puts:
            self.touched[key] = commit.number
        self.watch.see(commit, self.network.writer)

    def send(self, asked: Asked) -> Attempt:
        """A try of the request that is under way, as far as its first call."""
        event = make_event(asked, asked.headers_at(self.network), len(self.deployment.invocations))
        invocation = self.deployment.invoke(ROUTES[asked.route_key].function, event)
        invocation.account, invocation.partner = asked.account, asked.partner
        attempt = Attempt(self.moment_us(), invocation)
        asked.attempts.append(attempt)
        self.loop.run()
        return attempt

    def end(self, attempt: Attempt) -> None:
        """The try is over, and its client knows the answer, if there is one."""
        attempt.ended_us = self.moment_us()
        answer = attempt.invocation.answer
        attempt.status = 500 if answer is None else int(answer["statusCode"])
        attempt.body = None if answer is None else read_body(answer)

    def ask(self, asked: Asked) -> Attempt:
        """The request is asked and answered with nothing else going on."""
        self.step += 2
        attempt = self.send(asked)
        self.step += 1
        self.end(attempt)
        self.asked.append(asked)
        return attempt

    def keep(self, starts_at: datetime, *, version: int = 0) -> Prepared:
        """Everything as it is now, to begin histories from at that moment and version."""
        return Prepared(
            store=self.store,
            lag=self.prepared.lag,
            dump=self.store.dump(),
            starts_at=starts_at,
            asked=self.asked,
            rows=self.watch.rows,
            accounts=self.watch.accounts,
            holds=self.watch.holds,
            spending=self.watch.spending,
            prices=self.watch.prices,
            sessions=self.stripe.sessions,
            touched=self.touched,
            version=version,
        )


def empty(starts_at: datetime) -> Prepared:
    """A table with nothing in it."""
    lag = Lagging()
    store = SimStore(table(), lag=lag)
    return Prepared(store, lag, store.dump(), starts_at)
