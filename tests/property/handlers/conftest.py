"""The handlers find the state machine's own stack, and an environment as the template gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.forgetting import forget
from tests.support.payments import SECRET
from tollkeeper.edge import wiring
from tollkeeper.edge.observability import logger

from .stack import TABLE, current
from .versions import CATALOG


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is kept from before, and nothing is logged."""
    values = {
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "CATALOG_PATH": str(CATALOG),
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "POWERTOOLS_SERVICE_NAME": "property",
        "POWERTOOLS_DEV": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget()
    monkeypatch.setattr(wiring, "world", lambda: current().world)
    monkeypatch.setattr(wiring, "clock", lambda: current().clock)
    monkeypatch.setattr(wiring, "ledger", lambda: current().world.ledger)
    monkeypatch.setattr(wiring, "stripe_gateway", lambda: current().stripe)
    level = logger().log_level
    logger().setLevel("CRITICAL")
    yield
    logger().setLevel(level)
    forget()
