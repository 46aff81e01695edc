"""Two who keep a table's books: the model, and the handlers on a table in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from tests.property.handlers.answering import answer
from tests.property.handlers.customers import Ask, Customer, show_account, show_grants
from tests.property.handlers.judging import show_listed
from tests.property.handlers.pricelist import PriceList
from tests.property.handlers.stack import Stack
from tests.property.handlers.teller import HOLDS, path_name
from tests.property.model import from_moment

BODY_NAMES_ACCOUNT = ("POST /v1/deduct", "POST /v1/holds")


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """An account as it is now: as the API shows it, and its rows, each with its alerts."""

    account: dict[str, Any]
    rows: list[tuple[dict[str, Any], tuple[str, ...]]]


class Book(Protocol):
    """Somebody who is asked, and looked at."""

    def ask(self, ask: Ask, at: datetime) -> Answer:
        """The answer."""
        ...

    def look(self, account: str, at: datetime) -> Look:
        """The account."""
        ...

    def sweep(self, at: datetime) -> None:
        """Time is applied to whoever is due."""
        ...


@dataclass
class ModelBook:
    """The model: it needs no sweep."""

    catalog: str
    customers: dict[str, Customer] = field(default_factory=dict[str, Customer])

    def __post_init__(self) -> None:
        self.prices = PriceList(self.catalog)

    def find(self, account: str) -> Customer:
        """The account, which nobody has touched yet perhaps."""
        if account not in self.customers:
            made = Customer(account, self.prices, self.prices.plans(), family=self.customers)
            self.customers[account] = made
        return self.customers[account]

    def ask(self, ask: Ask, at: datetime) -> Answer:
        """The model's answer."""
        if "budget" in (ask.body or {}):
            self.find((ask.body or {})["budget"])
        told = answer(self.find(ask.account), ask, from_moment(at), ask.key)
        code = {"code": told.codes[0]} if told.codes else {}
        replayed = {"replayed": True} if told.is_replay else {}
        return Answer(told.status, told.body | code | replayed)

    def look(self, account: str, at: datetime) -> Look:
        """The model's account, as far as time has touched it."""
        customer = self.find(account)
        state = customer.state(from_moment(at))
        shown = show_account(customer, state) | {"grants": show_grants(state)}
        numbered = enumerate(customer.state(from_moment(at)).rows, 1)
        rows = [(show_listed(customer, row, n), row.alerts) for n, row in numbered]
        return Look(shown, rows)

    def sweep(self, at: datetime) -> None:
        """Nothing: time is applied whenever somebody looks."""


@dataclass
class WireBook:
    """The real handlers, asked over their own wire."""

    stack: Stack

    def ask(self, ask: Ask, at: datetime) -> Answer:
        """What the route's function answers."""
        self.stack.clock.moment = at
        body, path = ask.body, {"id": ask.account}
        if ask.route in BODY_NAMES_ACCOUNT or ask.route.startswith(HOLDS):
            body, path = {"account": ask.account, **(body or {})}, dict[str, str]()
        if ask.entry:
            path[path_name(ask.route)] = ask.entry
        found = self.stack.driver.call(ask.route, body, path=path, key=ask.key or None)
        is_replay = found.headers.get("idempotency-replayed") == "true"
        body = cast("dict[str, Any]", found.body)
        return Answer(found.status, body | ({"replayed": True} if is_replay else {}))

    def look(self, account: str, at: datetime) -> Look:
        """What GET shows, and the rows that are stored."""
        self.sweep(at)
        shown = self.stack.driver.account(account).body
        told = [tuple(each) for each in self.stack.alerts(account)]
        return Look(shown, [*zip(self.stack.driver.entries(account), told, strict=True)])

    def sweep(self, at: datetime) -> None:
        """The schedule's handler runs until it has nothing to do."""
        self.stack.clock.moment = at
        while not self.stack.sweep()["is_finished"]:
            pass
