"""The real local system, and clients that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lossy_proxy import LossyProxy
from tests.e2e.conftest import gateway, new_account, start_gateway
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import Tollkeeper

__all__ = ["gateway", "new_account", "start_gateway"]

MakeClient = Callable[..., Tollkeeper]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where a test's clients keep what must still be delivered."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def make_client(gateway: RunningGateway) -> Generator[MakeClient]:
    """Makes clients of the running gateway: `make_client(journal=...)`; all are closed."""
    made: list[Tollkeeper] = []

    def make(base_url: str = gateway.url, **given: Any) -> Tollkeeper:
        client = Tollkeeper(base_url, gateway.key, **given)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> Tollkeeper:
    """A client of the running gateway."""
    return make_client()


@pytest.fixture
def proxy(gateway: RunningGateway) -> Generator[LossyProxy]:
    """A proxy before the running gateway that loses what it is told to lose."""
    with LossyProxy(gateway.port) as running:
        yield running
