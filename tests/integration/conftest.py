"""Real handlers, one thread, the table of template.yaml: in memory, or moto's where marked so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session
import moto
import pytest

from local.template import read_template, table_definition
from simulation.store import SimStore
from tests.support.contract import assert_documented
from tests.support.driving import Driver, FakeClock
from tests.support.faults import FaultyClient
from tests.support.forgetting import forget
from tests.support.listing import FakeLists
from tests.support.money_back import FakeRefunds
from tests.support.payments import FakeStripe, buy
from tests.support.provider import Provider, choose, serve
from tests.support.shipped import SHIPPED, read_once
from tests.support.stripe_machine import Machine, plug_in
from tests.support.top_ups import stand
from tollkeeper.edge import wiring

ROOT = Path(__file__).parents[2]
TABLE = "tollkeeper-test"
# Why: a session of its own would read the SDK's service model again for every test's clients.
SESSION = botocore.session.get_session()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that the template would give a function, and nothing kept from before."""
    values = {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "CATALOG_PATH": str(SHIPPED),
        "WEB_PATH": str(ROOT / "clients/web/modules"),
        "KEY_PEPPER": "pepper-for-tests",
        "QUOTE_SECRET": "quotes-for-tests",
        "STRIPE_WEBHOOK_SECRET": "whsec_test",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_DEV": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.setattr(botocore.session, "get_session", lambda: SESSION)
    monkeypatch.setattr(wiring, "read_catalog", read_once)
    forget()
    yield
    forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """A clock that stands still until a test moves it."""
    fake = FakeClock()
    monkeypatch.setattr(wiring, "SystemClock", lambda: fake)
    return fake


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> FaultyClient:
    """The client under the ledger, which fails where a test says."""
    assert driver, "the table is made first"
    client = FaultyClient(wiring.connect())
    monkeypatch.setattr(wiring, "connect", lambda: client)
    forget()
    return client


@lru_cache(maxsize=1)
def table_of_template() -> dict[str, Any]:
    """The table as the template has it, read once: parsing takes longer than most tests."""
    return dict(table_definition(read_template(ROOT / "template.yaml"), name=TABLE))


@pytest.fixture
def store(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> SimStore:
    """The table in memory itself, for tests that look into it."""
    made = SimStore(table_of_template(), now=clock.monotonic_s)
    monkeypatch.setattr(wiring, "connect", lambda: made)
    forget()
    return made


@pytest.fixture
def driver(clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Driver]:
    """A stack with an empty table, and somebody with every scope who calls it.

    The table is the one in memory, which tests/conformance holds against moto and the engines,
    request by request; of the tests that are marked so it is moto's, at ten times the cost.
    """
    if not request.node.get_closest_marker("moto"):
        assert not request.getfixturevalue("store").commits, "the table is empty"
        yield Driver(clock, check_answer=assert_documented)
        return
    with moto.mock_aws():
        client: Any = botocore.session.get_session().create_client("dynamodb")
        client.create_table(**table_of_template())
        yield Driver(clock, check_answer=assert_documented)


@pytest.fixture
def provider(
    driver: Driver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """An auth provider on loopback, whose tokens for `tollkeeper` the stack believes."""
    assert driver, "the table is made first"
    with serve(clock) as made:
        choose(monkeypatch, preset="custom", issuer=made.url, audience="tollkeeper")
        yield made


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> FakeLists:
    """What the test's own Stripe lists: nothing at first."""
    fake = FakeLists()
    monkeypatch.setattr(wiring, "stripe_lists", lambda: fake)
    return fake


@pytest.fixture
def refunds(monkeypatch: pytest.MonkeyPatch) -> FakeRefunds:
    """What gives money back in place of Stripe."""
    fake = FakeRefunds()
    monkeypatch.setattr(wiring, "refund_gateway", lambda: fake)
    return fake


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch, lists: FakeLists) -> FakeStripe:
    """A Stripe of the test's own, which the checkout function opens pages at."""
    assert not lists.calls, "nothing goes to the real one"
    fake = FakeStripe()
    monkeypatch.setattr(wiring, "stripe_gateway", lambda: fake)
    return fake


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Machine:
    """The simulated Stripe account that this stack charges saved cards of."""
    made = Machine(clock)
    plug_in(monkeypatch, made)
    return made


@pytest.fixture
def ready(driver: Driver, machine: Machine) -> Driver:
    """user_1 has 15 credits, tops itself up below 20, and has a customer whose card works."""
    stand(driver, machine, "good")
    return driver


@pytest.fixture
def bought(driver: Driver, stripe: FakeStripe) -> str:
    """A purchase of the pack `pro` (500 credits for 50.00) by user_1, who has 15 credits."""
    assert stripe, "the page is opened at the test's own Stripe"
    driver.deduct("user_1", "sms", "b-1")
    driver.void("user_1", "b-1", "b-2")
    return buy(driver)["purchase_id"]
