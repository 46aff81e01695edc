"""Real handlers, one thread, moto behind boto3, tables from template.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import moto
import pytest

from local.template import read_template, table_definition
from tests.support.driving import Driver, FakeClock
from tests.support.faults import FaultyClient
from tollkeeper.edge import authorization, settings, wiring
from tollkeeper.store.client import connect

ROOT = Path(__file__).parents[2]
TABLE = "tollkeeper-test"


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
        "CATALOG_PATH": str(ROOT / "layers/catalog/catalog.toml"),
        "KEY_PEPPER": "pepper-for-tests",
        "STRIPE_WEBHOOK_SECRET": "whsec_test",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_DEV": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    forget()
    yield
    forget()


# Taken before any test replaces one of them.
KEPT = (
    wiring.world,
    wiring.ledger,
    wiring.clock,
    wiring.stack_secrets,
    settings.read_settings,
    authorization.gatehouse,
)


def forget() -> None:
    """Whatever a process keeps between requests is forgotten."""
    for kept in KEPT:
        kept.cache_clear()


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
    client = FaultyClient(connect())
    monkeypatch.setattr(wiring, "connect", lambda: client)
    forget()
    return client


@pytest.fixture
def driver(clock: FakeClock) -> Iterator[Driver]:
    """A stack with an empty table, and somebody with every scope who calls it."""
    with moto.mock_aws():
        template = read_template(ROOT / "template.yaml")
        client: Any = botocore.session.get_session().create_client("dynamodb")
        client.create_table(**table_definition(template, name=TABLE))
        yield Driver(clock)
