"""Holds, budgets and events over real sockets: many clients, a real engine, real time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.running_gateway import Client, Reply, RunningGateway, wait_until
from tests.e2e.test_money import check_ledger, grant

pytestmark = pytest.mark.e2e

CLIENTS = 20
PATIENCE_S = 60.0


def ask(client: Client, path: str, body: dict[str, object], key: str | None = None) -> Reply:
    """One write; 503 is repeated with the same key, as the answer asks."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        reply = client.ask("POST", path, body, idempotency_key=key)
        if reply.status != 503 or time.monotonic() > ends:
            return reply
        time.sleep(0.02)


def hold(client: Client, account: str, hold_id: str, **members: object) -> Reply:
    """Credits are set aside for a call of a minute."""
    body: dict[str, object] = {"account": account, "operation": "voice_call", "hold_id": hold_id}
    return ask(client, "/v1/holds", body | members)


def read(client: Client, account: str) -> dict[str, Any]:
    """The account as its owner sees it."""
    return client.ask("GET", f"/v1/accounts/{account}").json


def test_of_20_holds_of_75_at_once_on_500_credits_exactly_6_are_granted(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    clients = [gateway.client() for _ in range(CLIENTS)]
    grant(clients[0], account, 485)
    start = threading.Barrier(CLIENTS)

    def work(number: int) -> int:
        start.wait()
        return hold(clients[number], account, f"run-{number}", estimate=75).status

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = Counter(pool.map(work, range(CLIENTS)))

    assert statuses == {201: 6, 402: 14}
    now = read(clients[0], account)
    assert (now["available"], now["held"], len(now["holds"])) == (50, 450, 6)
    for each in now["holds"]:
        path = f"/v1/holds/{each['hold_id']}/settle"
        reply = ask(clients[0], path, {"account": account, "quantity": 7})
        assert (reply.status, reply.json["charged"], reply.json["released"]) == (200, 7, 68)
    now = read(clients[0], account)
    assert (now["available"], now["held"]) == (500 - 6 * 7, 0)
    check_ledger(clients[0], account)
    gateway.close_clients()


def test_a_settle_is_charged_once_however_many_send_it_at_once(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    clients = [gateway.client() for _ in range(8)]
    grant(clients[0], account, 100)
    assert hold(clients[0], account, "once", estimate=50).status == 201
    start = threading.Barrier(8)

    def work(client: Client) -> tuple[int, int]:
        start.wait()
        reply = ask(client, "/v1/holds/once/settle", {"account": account, "quantity": 30})
        return reply.status, reply.json["seq"]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(work, clients))

    assert len(answers) == 1
    assert read(clients[0], account)["available"] == 85
    check_ledger(clients[0], account)
    gateway.close_clients()


def test_a_call_that_outlives_its_hold_is_charged_late_and_once(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    client = gateway.client()
    grant(client, account, 100)
    assert hold(client, account, "long", estimate=20, expires_in_s=1).status == 201
    wait_until(
        lambda: read(client, account)["held"] == 0, timeout_s=10, what="the hold has expired"
    )

    first = ask(client, "/v1/holds/long/settle", {"account": account, "quantity": 12})
    again = ask(client, "/v1/holds/long/settle", {"account": account, "quantity": 12})
    other = ask(client, "/v1/holds/long/settle", {"account": account, "quantity": 13})
    freed = ask(client, "/v1/holds/long/release", {"account": account})

    assert (first.status, first.json["late"], first.json["charged"]) == (200, True, 12)
    assert (again.status, again.json["seq"]) == (200, first.json["seq"])
    assert other.status == 422
    assert (freed.status, freed.json["state"]) == (409, "settled")
    assert read(client, account)["available"] == 103
    check_ledger(client, account)
    gateway.close_clients()


def test_budgets_of_one_account_are_drawn_at_once_and_give_back_what_is_left(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    clients = [gateway.client() for _ in range(8)]
    grant(clients[0], account, 985)
    budgets = [f"{account}:agent-{number}" for number in range(8)]
    path = f"/v1/accounts/{account}/budgets"

    def work(number: int) -> Counter[int]:
        budget, client = budgets[number], clients[number]
        body: dict[str, object] = {"budget": budget, "amount": 50}
        statuses = Counter([ask(client, path, body, budget).status])
        for call in range(6):
            run: dict[str, object] = {"account": budget, "operation": "sms", "quantity": 10}
            statuses[ask(client, "/v1/deduct", run, f"{budget}-{call}").status] += 1
        return statuses

    with ThreadPoolExecutor(8) as pool:
        each = list(pool.map(work, range(8)))
    denied = clients[0].ask(
        "POST", "/v1/check", {"account": budgets[0], "operation": "sms", "quantity": 10}
    )
    closed = [
        ask(clients[0], f"{path}/{budget}/close", {}, f"close-{budget}") for budget in budgets[1:]
    ]

    assert all(statuses == {201: 1, 200: 5, 402: 1} for statuses in each)
    assert (denied.json["level"], account in denied.json["detail"]) == ("budget", True)
    assert {reply.json["returned"] for reply in closed} == {0}
    assert read(clients[0], account)["available"] == 1000 - 8 * 50
    for each_account in (account, *budgets):
        check_ledger(clients[0], each_account)
    gateway.close_clients()


def test_s3_10_every_alert_is_an_event_once(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    client = gateway.client()
    grant(client, account, 85)
    limits = client.ask("PUT", f"/v1/accounts/{account}/limits", {"daily": 100})
    assert limits.status == 200, limits.body
    for number in range(10):
        run: dict[str, object] = {"account": account, "operation": "sms", "quantity": 10}
        assert ask(client, "/v1/deduct", run, f"run-{number}").status == 200

    def seen() -> Counter[str]:
        events = client.ask("GET", "/v1/events?after=0").json["events"]
        return Counter(
            f"{event['detail-type']} {event['detail'].get('window', '')} "
            f"{event['detail'].get('percent', '')}"
            for event in events
            if event["detail"]["account"] == account
            and event["detail-type"] in ("limit.reached", "credits.low")
        )

    wait_until(lambda: sum(seen().values()) >= 7, timeout_s=10, what="the alerts have arrived")
    wanted = {f"limit.reached day {each}" for each in (50, 80, 100)}
    wanted |= {f"limit.reached period {each}" for each in (50, 80, 100)}
    assert seen() == Counter([*wanted, "credits.low  "])
    gateway.close_clients()
