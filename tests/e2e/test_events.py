"""What the running gateway tells: every row, at least once, also over crashes."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.e2e.running_gateway import RunningGateway, StartGateway

pytestmark = pytest.mark.e2e

SCHEMA = Path(__file__).parents[2] / "docs" / "events.schema.json"
PATIENCE_S = 20.0


def charge(gateway: RunningGateway, account: str, key: str) -> int:
    """The seq of a charge of one credit."""
    body = {"account": account, "operation": "sms"}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = gateway.client().ask("POST", "/v1/deduct", body, idempotency_key=key)
        if answer.status != 503 or time.monotonic() > deadline:
            break
    assert answer.status == 200, answer.body
    seq: int = answer.json["seq"]
    return seq


def grant(gateway: RunningGateway, account: str) -> None:
    """The account has a hundred credits more."""
    path, body = f"/v1/accounts/{account}/grants", {"amount": 100, "reason": "test"}
    assert gateway.client().ask("POST", path, body, idempotency_key="grant").status == 201


def read_events(gateway: RunningGateway, *, after: int = 0) -> dict[str, Any]:
    answer = gateway.client().ask("GET", f"/v1/events?after={after}")
    assert answer.status == 200
    shown: dict[str, Any] = answer.json
    return shown


def await_ids(gateway: RunningGateway, ids: set[str]) -> list[dict[str, Any]]:
    """The events that the gateway has once these are among them."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        events: list[dict[str, Any]] = read_events(gateway)["events"]
        missing = ids - {event["detail"]["id"] for event in events}
        if not missing:
            return events
        assert time.monotonic() < deadline, f"no {missing}:\n{gateway.log()}"
        time.sleep(0.05)


def test_a_charge_is_told_once_as_the_schema_says_and_printed(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    seq = charge(gateway, account, "k1")
    charge(gateway, account, "k1")

    events = await_ids(gateway, {f"{account}:1:0", f"{account}:{seq}:0"})

    mine = [event for event in events if event["detail"]["account"] == account]
    assert [event["detail-type"] for event in mine] == [
        "period.started",
        "credits.granted",
        "charge.recorded",
    ]
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for event in mine for error in schema.iter_errors(event)] == []
    assert f"event charge.recorded {account} seq {seq}" in gateway.log()


def test_a_reader_asks_for_what_came_after_and_gets_nothing_twice(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    await_ids(gateway, {f"{account}:{charge(gateway, account, 'k1')}:0"})
    last = read_events(gateway)["next"]

    seq = charge(gateway, account, "k2")
    await_ids(gateway, {f"{account}:{seq}:0"})

    new = read_events(gateway, after=last)["events"]
    mine = [event["detail"]["id"] for event in new if event["detail"]["account"] == account]
    assert mine == [f"{account}:{seq}:0"]


def test_no_row_is_left_out_over_crashes_of_either_process(start_gateway: StartGateway) -> None:
    first = start_gateway("crash")
    grant(first, "user_1")
    for number in range(20):
        charge(first, "user_1", f"a{number}")
    first.kill9()
    second = start_gateway("crash", key=first.key)
    charge(second, "user_1", "b1")
    os.kill(second.engine_pid, signal.SIGKILL)
    last = charge(second, "user_1", "b2")

    await_ids(second, {f"user_1:{last}:0"})

    told = set(re.findall(r"^event \S+ user_1 seq ([0-9]+),", second.log(), re.M))
    assert told == {str(seq) for seq in range(1, last + 1)}


def test_a_refused_check_is_told_with_its_reason_and_printed(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    body = {"account": account, "operation": "sms", "quantity": 5_000}

    answer = gateway.client().ask("POST", "/v1/check", body)

    request_id: str = answer.json["request_id"]
    assert answer.status == 402
    (event,) = [e for e in await_ids(gateway, {request_id}) if e["detail"]["id"] == request_id]
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in schema.iter_errors(event)] == []
    told = [event["detail"][name] for name in ("account", "route", "code", "required")]
    assert told == [account, "POST /v1/check", "insufficient_credits", "5000"]
    assert f"event spend.refused {account} insufficient_credits" in gateway.log()


def test_events_can_be_turned_off(start_gateway: StartGateway) -> None:
    gateway = start_gateway("off", environment={"TOLLKEEPER_EVENTS": "off"})

    charge(gateway, "user_1", "k1")
    refused = {"account": "user_1", "operation": "sms", "quantity": 5_000}
    assert gateway.client().ask("POST", "/v1/check", refused).status == 402
    time.sleep(0.5)

    assert read_events(gateway) == {"events": [], "next": 0}
    assert "/v1/events" not in gateway.log().split("TOLLKEEPER_URL")[0]
