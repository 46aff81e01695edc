"""Weeks that accounts of the running system have lived, and the reports folded from them.

The handlers run in this process, on the system's own table, under a clock that tells the past.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from local.run import TABLE_NAME
from tests.browser.system import System
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tests.support.forgetting import forget
from tollkeeper.edge import wiring

DAYS = 12
RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("chat_refinement", {"feature": "editor"}),
    ("sms", {}),
    ("voice_call", {"quantity": 2, "feature": "support"}),
    ("ai_tokens", {"model": "gpt-4", "usage": {"input": 900, "output": 300}, "feature": "chat"}),
    ("ai_tokens", {"model": "gpt-3.5", "usage": {"input": 5000, "output": 900}}),
)


@contextmanager
def handlers_of(system: System, clock: FakeClock) -> Generator[Driver]:
    """Handlers of this process that work on the system's table, under that clock."""
    found = re.search(
        r"listening on (http://\S+)|database .* on (http://[^,\s]+)", system.gateway.log()
    )
    assert found, "the gateway says where its database is"
    values = {
        "AWS_ENDPOINT_URL_DYNAMODB": found[1] or found[2],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "TABLE_NAME": TABLE_NAME,
        "STAGE": "local",
        "CATALOG_PATH": "layers/catalog/catalog.toml",
        "KEY_PEPPER": "of-no-use",
        "QUOTE_SECRET": "of-no-use",
    }
    with (
        mock.patch.dict(os.environ, values),
        mock.patch.object(wiring, "SystemClock", lambda: clock),
    ):
        forget()
        yield Driver(clock)
    forget()


def live_weeks(system: System, accounts: list[str]) -> None:
    """The accounts lived for twelve days up to now, each busier than the one before."""
    clock = FakeClock()
    now = datetime.now(UTC).replace(microsecond=0)
    clock.moment = now - timedelta(days=DAYS)
    with handlers_of(system, clock) as driver:
        for account in accounts:
            assert driver.grant(account, 20_000, f"seed-{account}").status == 201
        for day in range(DAYS):
            for place, account in enumerate(accounts):
                for number in range((place + 1) * (1 + day % 5)):
                    operation, members = RUNS[(number + day) % len(RUNS)]
                    key = f"{account}-{day}-{number}"
                    assert driver.deduct(account, operation, key, **members).status == 200
            clock.forward(days=1)
        fold(clock)


def fold(clock: FakeClock) -> None:
    """What is over is complete."""
    load("period_reset").handler({}, FakeContext(remaining_ms=300_000))
    load("report").handler({}, FakeContext(remaining_ms=900_000))
    clock.forward(minutes=11)
    load("report").handler({}, FakeContext(remaining_ms=900_000))
