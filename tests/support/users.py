"""Requests as they reach a function from the user of an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.driving import Answered, Driver, FakeContext, load, read_answer
from tollkeeper.edge.routes import ROUTES


def call_as(driver: Driver, account: str, route: str, body: Any = None, **request: Any) -> Answered:
    """What the function answers to the account's user."""
    event = driver.event(route, body, **request)
    until = driver.clock.now() + timedelta(minutes=5)
    event["requestContext"]["authorizer"]["lambda"] = {
        "principal": f"user:{account}",
        "scopes": "",
        "account": account,
        "expires_at": until.isoformat(),
    }
    return read_answer(load(ROUTES[route].function).handler(event, FakeContext()))
