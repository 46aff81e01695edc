"""Gateways for the tests over real sockets: one for all, and others of a test's own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_gateway import RunningGateway, StartGateway, new_dev_key


@pytest.fixture
def start_gateway(tmp_path: Path) -> Generator[StartGateway]:
    """Starts gateways of a test's own: `start_gateway("name", environment={...})`.

    Shape: the name is the data folder's, so two of one name share their data.
    """
    started: list[RunningGateway] = []

    def start(name: str = "data", *, is_waited_for: bool = True, **given: Any) -> RunningGateway:
        given.setdefault("key", new_dev_key())
        gateway = RunningGateway(data=tmp_path / name, **given)
        started.append(gateway)
        if is_waited_for:
            gateway.start()
        else:
            gateway.launch()
        return gateway

    try:
        yield start
    finally:
        with contextlib.ExitStack() as stack:
            for gateway in started:
                stack.callback(gateway.stop)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """One gateway for all tests that leave it as it is; they use accounts of their own."""
    running = RunningGateway(data=tmp_path_factory.mktemp("gateway"), key=new_dev_key())
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def new_account() -> Callable[[], str]:
    """Names accounts that no other test uses."""
    return lambda: f"user_{secrets.token_hex(8)}"
