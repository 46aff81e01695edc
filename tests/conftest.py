"""Every test: no example fails because the machine is busy, and event loops may be used."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test without a browser runs as in a process that has none.

    Why: the event loop that drives the browser counts as running in between its tests, too, and
    no other can be run beside it.
    """
    names: list[str] = getattr(item, "fixturenames", [])
    waiting = None if "browser" in names else asyncio._get_running_loop()
    if waiting is None:
        return (yield)
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(waiting)
