"""What is attacked: every real handler on a table in memory, with accounts in each standing."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from local.template import read_template, table_definition
from simulation.store import Commit, Dump, SimStore
from tests.support.catalogs import put_catalog
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tests.support.forgetting import forget
from tests.support.keys import issue
from tests.support.listing import FakeLists
from tests.support.payments import FakeStripe, buy, deliver
from tests.support.requests import ACCOUNT, BUDGET, CHARGE, HOLD
from tollkeeper.edge import wiring
from tollkeeper.edge.observability import logger
from tollkeeper.edge.routes import SCOPES

ROOT = Path(__file__).parents[2]
TABLE = "tollkeeper-hostile"
SECRET = "whsec_hostile"
POOR, FROZEN, CLOSED, FULL, UNKNOWN = "poor", "frozen", "closed", "full", "nobody_yet"
ACCOUNTS = (ACCOUNT, POOR, FROZEN, CLOSED, FULL, UNKNOWN)
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "TABLE_NAME": TABLE,
    "STAGE": "local",
    "KEY_PEPPER": "pepper-of-the-hostile",
    "STRIPE_WEBHOOK_SECRET": SECRET,
    "POWERTOOLS_SERVICE_NAME": "hostile",
    "POWERTOOLS_DEV": "false",
    "RETURN_URLS": "http://localhost:3000,https://app.example.com",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


PLAN, PLAN_MINOR, STRIPE_PRICE = "attacked", 2000, "price_attacked"
# A plan that a subscription pays for, beside the ones that are shipped.
SOLD_PLAN = f"""
[plans.{PLAN}]
name = "Attacked"
allocation = 200
driven_by = "stripe"
price = "20.00"
currency = "usd"
interval = "month"
stripe_price = "{STRIPE_PRICE}"
"""


class LogLines:
    """Where log lines go: each must be one JSON object on one line, whoever wrote its parts."""

    def __init__(self) -> None:
        self.written = 0
        self.failures: list[str] = []

    def write(self, text: str) -> int:
        """The line is counted; what failed unexpectedly is kept."""
        line = text.removesuffix("\n")
        if line:
            assert "\n" not in line and "\r" not in line, line
            assert line.isascii() or line.encode("utf-8"), line
            self.written += 1
            if self.written % 50 == 0:
                json.loads(line)
            if '"exception"' in line:
                self.failures.append(line)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


@dataclass
class Target:
    """The handlers, the table below them and what a request wrote.

    `base` is the table, and `base_at` the time, to which everything is taken back now and then, so
    that the millionth request finds accounts of every kind, too.
    """

    store: SimStore
    driver: Driver
    stripe: FakeStripe
    logs: LogLines
    purchase: str = ""
    paid: str = ""
    key: str = ""
    token: str = ""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    base: Dump | None = None
    base_at: datetime = FakeClock().moment
    commits: list[Commit] = field(default_factory=list[Commit])

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """The function's answer; `commits` are the ones that it made."""
        self.commits.clear()
        answer: dict[str, Any] = load(function).handler(event, FakeContext())
        return answer

    def written(self) -> list[tuple[str, str]]:
        """The keys of what the last request wrote."""
        return [key for commit in self.commits for key, _, _ in commit.puts]

    def take_back(self) -> None:
        """The table and the time are as they were before the first attack."""
        assert self.base is not None, "the table was filled"
        self.store.restore(self.base)
        self.driver.clock.moment = self.base_at

    def digest(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The whole table by key."""
        return {(i["pk"]["S"], i["sk"]["S"]): dict(i) for i in self.store.items()}


@contextmanager
def attacked() -> Generator[Target]:
    """A target with accounts that are rich, poor, frozen, closed and full of grants."""
    definition = table_definition(read_template(ROOT / "template.yaml"), name=TABLE)
    clock, stripe, logs = FakeClock(), FakeStripe(), LogLines()
    store = SimStore(dict(definition), now=clock.monotonic_s)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        shipped = (ROOT / "layers" / "catalog" / "catalog.toml").read_text(encoding="utf-8")
        catalog = put_catalog(folder, shipped + SOLD_PLAN)
        environment = ENVIRONMENT | {"CATALOG_PATH": str(catalog)}
        stack.enter_context(patch.dict("os.environ", environment))
        stack.enter_context(patch.object(wiring, "connect", lambda: store))
        stack.enter_context(patch.object(wiring, "SystemClock", lambda: clock))
        stack.enter_context(patch.object(wiring, "stripe_gateway", lambda: stripe))
        stack.enter_context(patch.object(wiring, "stripe_lists", FakeLists))
        handler: Any = logger().registered_handler
        stack.callback(handler.setStream, handler.setStream(logs))
        stack.callback(forget)
        forget()
        target = Target(store, Driver(clock), stripe, logs)
        store.on_commit = target.commits.append
        fill(target)
        target.base = store.dump()
        yield target


def fill(target: Target) -> None:
    """Accounts in every standing, a hold, a budget, a purchase that waits, and a service key."""
    driver = target.driver
    for account in (ACCOUNT, FROZEN, CLOSED, FULL):
        assert driver.grant(account, 1000, key="start").status == 201
        assert driver.deduct(account, "sms", CHARGE, metadata={"n": 1}).status == 200
    assert driver.hold(ACCOUNT, "sms", HOLD, estimate=5, expires_in_s=86400).status == 201
    funded = {"budget": BUDGET, "amount": 10}
    path = {"id": ACCOUNT}
    assert driver.call("POST /v1/accounts/{id}/budgets", funded, path=path, key="b").status == 201
    usage = {"input": 20, "output": 5}
    assert driver.deduct(ACCOUNT, "ai_tokens", "run", model="gpt-4", usage=usage).status == 200
    assert driver.void(ACCOUNT, "run", "undone").status == 200
    path = {"id": POOR}
    driver.deduct(POOR, "sms", "first")
    left = driver.account(POOR)["available"]
    body = {"amount": -left, "reason": "all of it"}
    assert driver.call("POST /v1/accounts/{id}/adjustments", body, path=path, key="x").status == 201
    for account, verb in ((FROZEN, "freeze"), (CLOSED, "close")):
        route = f"POST /v1/accounts/{{id}}/{verb}"
        assert driver.call(route, {"reason": "r"}, path={"id": account}, key="s").status == 200
    for number in range(60):
        if driver.grant(FULL, 1, key=f"g{number}").status == 409:
            break
    bought = buy(driver)
    assert bought.status == 201, bought.text
    target.purchase = bought["purchase_id"]
    target.paid = buy(driver, key="b2")["purchase_id"]
    event = target.stripe.report(target.paid, at=driver.clock.now())
    assert deliver(driver, event, secret=SECRET)["outcome"] == "granted"
    target.key = issue(driver, *sorted(SCOPES), key="issued")
    minted = driver.call("POST /v1/tokens", {"account": ACCOUNT, "expires_in_s": 3600})
    target.token = minted["token"]
