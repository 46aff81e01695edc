"""One stack in memory with the stories' catalog: its customers, its webhook and what is left."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from local.template import read_template, table_definition
from simulation.store import SimStore
from tests.stripe_orders.making import OLD, Maker
from tests.support.catalogs import put_catalog
from tests.support.driving import Answered, Driver, FakeClock
from tests.support.faults import FaultyClient
from tests.support.forgetting import forget
from tests.support.payments import FakeStripe, deliver
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.money import show_price
from tollkeeper.edge import wiring
from tollkeeper.edge.observability import logger

ROOT = Path(__file__).parents[2]
TABLE = "tollkeeper-orders"
HOME = "http://localhost:3000"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "TABLE_NAME": TABLE,
    "STAGE": "local",
    "KEY_PEPPER": "pepper",
    "QUOTE_SECRET": "quotes",
    "STRIPE_WEBHOOK_SECRET": "whsec_test",
    "POWERTOOLS_SERVICE_NAME": "orders",
    "POWERTOOLS_DEV": "false",
    "RETURN_URLS": HOME,
}
MICRO = 1_000_000


@lru_cache(maxsize=1)
def definition() -> dict[str, Any]:
    """The table as the template has it."""
    return dict(table_definition(read_template(ROOT / "template.yaml"), name=TABLE))


@dataclass
class Lag:
    """How many commits behind a weak read of an item is."""

    item: int = 0

    def behind(self, what: str) -> int:
        """So many commits."""
        return self.item if what == "item" else 0


@dataclass
class Stack:
    """A stack, and what its customers bought."""

    store: SimStore
    client: FaultyClient
    driver: Driver
    stripe: FakeStripe
    lag: Lag
    bought: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def maker(self, shape: str = OLD) -> Maker:
        """A maker of events, none of which has the id of another's."""
        return Maker(shape, at=self.now, numbers=self.numbers)

    @property
    def now(self) -> int:
        """The moment. Units: seconds since 1970."""
        return int(self.driver.clock.now().timestamp())

    def buy(self, pack: str, *, account: str = "ada", key: str = "b1") -> dict[str, Any]:
        """A purchase that waits for its money, as Stripe's objects need it."""
        body = {
            "account": account,
            "pack": pack,
            "success_url": f"{HOME}/paid",
            "cancel_url": f"{HOME}/packs",
        }
        answer = self.driver.call("POST /v1/checkout", body, key=key)
        assert answer.status == 201, answer.text
        made = self.stripe.sessions[answer["purchase_id"]]
        bought = {
            "purchase_id": answer["purchase_id"],
            "account": account,
            "price_minor": made["amount_subtotal"],
            "currency": made["currency"],
            "session": made["id"],
        }
        self.bought.append(bought)
        return bought

    def subscribe(self, plan: str, *, account: str = "ada", key: str = "s1") -> dict[str, Any]:
        """A subscription's purchase that waits for its first invoice."""
        body = {
            "account": account,
            "plan": plan,
            "success_url": f"{HOME}/paid",
            "cancel_url": f"{HOME}/packs",
        }
        answer = self.driver.call("POST /v1/checkout", body, key=key)
        assert answer.status == 201, answer.text
        made = self.stripe.sessions[answer["purchase_id"]]
        return {
            "purchase_id": answer["purchase_id"],
            "account": account,
            "price_minor": made["amount_subtotal"],
            "currency": made["currency"],
            "session": made["id"],
        }

    def buy_at(self, gateway: Any, what: dict[str, str]) -> dict[str, Any]:
        """A pack or a plan that waits for its money at another gateway."""
        body = {"account": "ada", **what, "success_url": f"{HOME}/paid", "cancel_url": HOME}
        with patch.object(wiring, "stripe_gateway", lambda: gateway):
            answer = self.driver.call("POST /v1/checkout", body, key="b1")
        assert answer.status == 201, answer.text
        found = wiring.ledger().read_purchase(AccountId("ada"), answer["purchase_id"])
        assert found is not None, "it was recorded before its page opened"
        return {
            "purchase_id": found.id,
            "account": "ada",
            "price_minor": found.price_minor,
            "currency": found.currency,
            "session": found.session,
        }

    def deliver(self, event: dict[str, Any]) -> Answered:
        """What the webhook answers to the event, signed now."""
        return deliver(self.driver, event)

    def deliver_all(self, events: list[dict[str, Any]], *, rounds: int = 5) -> None:
        """Every event was taken: what was answered 503 came again after all others."""
        waiting = list(events)
        for _ in range(rounds):
            answers = [(event, self.deliver(event)) for event in waiting]
            for event, answer in answers:
                assert answer.status in (200, 503), (event["type"], answer.text)
            waiting = [event for event, answer in answers if answer.status == 503]
            if not waiting:
                return
        raise AssertionError(f"still not taken: {[event['type'] for event in waiting]}")

    def spend(self, amount: int, key: str, *, account: str = "ada") -> bool:
        """The account spent so much, or was refused."""
        return self.driver.deduct(account, "sms", key, quantity=amount).status == 200

    def status_of(self, bought: dict[str, Any]) -> str:
        """How the purchase stands, as its owner sees it."""
        found = wiring.ledger().read_purchase(bought["account"], bought["purchase_id"])
        assert found is not None, "it was recorded before its page opened"
        return found.shown_status.value

    def verify(self, account: str = "ada") -> list[Any]:
        """What the audit finds in the account's ledger."""
        answer = self.driver.call("GET /v1/verify/{id}", path={"id": account})
        assert answer.status == 200, answer.text
        return answer["findings"]


@contextmanager
def stacked() -> Generator[Stack]:
    """A stack with an empty table."""
    clock, stripe, lag = FakeClock(), FakeStripe(), Lag()
    store = SimStore(definition(), now=clock.monotonic_s, lag=lag)
    client = FaultyClient(store)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = (Path(__file__).parent / "catalog.toml").read_text(encoding="utf-8")
        catalog = put_catalog(folder, text)
        environment = ENVIRONMENT | {"CATALOG_PATH": str(catalog)}
        stack.enter_context(patch.dict("os.environ", environment))
        stack.enter_context(patch.object(wiring, "connect", lambda: client))
        stack.enter_context(patch.object(wiring, "SystemClock", lambda: clock))
        stack.enter_context(patch.object(wiring, "stripe_gateway", lambda: stripe))
        level = logger().log_level
        stack.callback(lambda: logger().setLevel(level))
        stack.callback(forget)
        forget()
        logger().setLevel("CRITICAL")
        yield Stack(store, client, Driver(clock), stripe, lag)


def show(value: Any) -> str:
    """The value on one line."""
    return json.dumps(value, default=str, sort_keys=True)


def price_of(bought: dict[str, Any]) -> str:
    """The price as people read it."""
    return show_price(bought["price_minor"], bought["currency"])
