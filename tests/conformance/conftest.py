"""The engines that SimStore is compared with, each started once; and SimStore under handlers."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from simulation.store import SimStore
from tests.conformance.engines import is_installed, running_engine, running_moto
from tests.integration.conftest import (
    bought,
    clock,
    environment,
    lists,
    refunds,
    stripe,
    table_of_template,
)
from tests.support import dumping
from tests.support.driving import Driver, FakeClock
from tests.support.faults import FaultyClient
from tests.support.forgetting import forget
from tollkeeper.edge import wiring

__all__ = ["bought", "clock", "environment", "lists", "refunds", "stripe"]

ENGINES = (
    "moto",
    pytest.param("ministack", marks=pytest.mark.e2e),
    pytest.param("dynoxide", marks=pytest.mark.e2e),
)


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[str, Any]]:
    """The engine's name, and a client of it."""
    name: str = request.param
    if name == "moto":
        with running_moto() as client:
            yield name, client
        return
    data = tmp_path_factory.mktemp(name)
    if not is_installed(name, data):
        pytest.skip(f"{name} is not installed here; `make test` installs it where it runs")
    with running_engine(name, data) as client:
        yield name, client


@pytest.fixture
def store(clock: FakeClock) -> SimStore:
    """An empty table of the template's."""
    return SimStore(table_of_template(), now=clock.monotonic_s)


class RawClient:
    """What tests use beside the handlers: everything in the table, and items of their own."""

    def __init__(self, store: SimStore) -> None:
        self._store = store

    def put_item(self, **request: Any) -> None:
        """The item is there, whatever a handler would think of it."""
        self._store.transact_write_items(TransactItems=[{"Put": request}])

    def get_paginator(self, operation: str) -> RawClient:
        """Itself: a scan has one page."""
        assert operation == "scan", operation
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        """The one page."""
        return [{"Items": list(self._store.items())}]


@pytest.fixture
def faults(store: SimStore, monkeypatch: pytest.MonkeyPatch) -> FaultyClient:
    """The client under the ledger, which fails where a test says."""
    client = FaultyClient(store)
    monkeypatch.setattr(wiring, "connect", lambda: client)
    monkeypatch.setattr(dumping, "table_client", lambda: RawClient(store))
    forget()
    return client


@pytest.fixture
def driver(clock: FakeClock, faults: FaultyClient) -> Driver:
    """A stack with an empty table, and somebody with every scope who calls it."""
    assert not faults.calls, "nothing was asked yet"
    return Driver(clock)
