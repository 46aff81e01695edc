"""Exactly once over real sockets: 32 clients, one account, a real engine, and kill -9."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.running_gateway import Client, Reply, RunningGateway, StartGateway

pytestmark = pytest.mark.e2e

WEBHOOK_SECRET = "whsec_e2e"
CLIENTS = 32
PATIENCE_S = 60.0


def grant(client: Client, account: str, amount: int) -> None:
    """Credits for the account, on a plan that allocates 15 more."""
    path = f"/v1/accounts/{account}/grants"
    body = {"amount": amount, "reason": "e2e"}
    reply = client.ask("POST", path, body, idempotency_key=f"grant-{account}-{amount}")
    assert reply.status == 201, reply.body


def deduct(client: Client, account: str, key: str, quantity: int = 1) -> Reply:
    """One charge; 503 is repeated with the same key, as the answer asks."""
    body: dict[str, object] = {
        "account": account,
        "operation": "voice_call",
        "quantity": quantity,
    }
    ends = time.monotonic() + PATIENCE_S
    while True:
        reply = client.ask("POST", "/v1/deduct", body, idempotency_key=key)
        if reply.status not in (429, 503) or time.monotonic() > ends:
            return reply
        time.sleep(0.02)


def read_entries(client: Client, account: str) -> list[dict[str, Any]]:
    """All rows of the account, oldest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.ask("GET", f"/v1/accounts/{account}/entries?limit=200{cursor}").json
        found += page["entries"]
        if page["next_cursor"] is None:
            return sorted(found, key=lambda entry: entry["seq"])
        cursor = f"&cursor={page['next_cursor']}"


def check_ledger(client: Client, account: str) -> list[dict[str, Any]]:
    """A replay of the rows explains the balance; the rows are returned."""
    entries = read_entries(client, account)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    available = 0
    for entry in entries:
        available += entry["delta"]
        assert entry["available_after"] == pytest.approx(available)
    account_now = client.ask("GET", f"/v1/accounts/{account}").json
    assert account_now["available"] == pytest.approx(available)
    return entries


@pytest.fixture(scope="module")
def clients(gateway: RunningGateway) -> Iterator[list[Client]]:
    """32 kept-alive connections."""
    yield [gateway.client() for _ in range(CLIENTS)]
    gateway.close_clients()


def test_of_600_charges_on_500_credits_exactly_500_are_paid(
    clients: list[Client], new_account: Callable[[], str]
) -> None:
    account = new_account()
    grant(clients[0], account, 485)
    jobs = iter(range(600))
    lock = threading.Lock()
    statuses: Counter[int] = Counter()

    def work(client: Client) -> None:
        while True:
            with lock:
                number = next(jobs, None)
            if number is None:
                return
            status = deduct(client, account, f"job-{number}").status
            with lock:
                statuses[status] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, clients))

    assert statuses == {200: 500, 402: 100}
    entries = check_ledger(clients[0], account)
    assert sum(entry["kind"] == "charge" for entry in entries) == 500
    assert clients[0].ask("GET", f"/v1/accounts/{account}").json["available"] == 0
    stats = clients[0].ask("GET", f"/v1/accounts/{account}/stats").json["totals"]
    assert (stats["calls"], stats["credits"]) == (500, 500)


def test_s3_13_of_ten_concurrent_calls_on_three_credits_exactly_one_is_charged(
    clients: list[Client], new_account: Callable[[], str]
) -> None:
    account = new_account()
    grant(clients[0], account, 3)
    deduct(clients[0], account, "use-the-plan", 15)

    with ThreadPoolExecutor(10) as pool:
        replies = list(
            pool.map(deduct, clients, [account] * 10, [f"call-{n}" for n in range(10)], [3] * 10)
        )

    assert Counter(reply.status for reply in replies) == {200: 1, 402: 9}
    check_ledger(clients[0], account)


def test_one_key_sent_by_32_clients_at_once_is_charged_once(
    clients: list[Client], new_account: Callable[[], str]
) -> None:
    account = new_account()

    with ThreadPoolExecutor(CLIENTS) as pool:
        replies = list(pool.map(deduct, clients, [account] * CLIENTS, ["one"] * CLIENTS))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert sum("idempotency-replayed" not in reply.headers for reply in replies) == 1
    entries = check_ledger(clients[0], account)
    assert [entry["kind"] for entry in entries] == ["reset", "charge"]


def test_two_concurrent_deliveries_of_one_event_grant_once(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway = start_gateway(environment={"STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET})
    client = gateway.client()
    account = new_account()
    body = {
        "account": account,
        "pack": "pro",
        "success_url": "http://127.0.0.1:3000/paid",
        "cancel_url": "http://127.0.0.1:3000/packs",
    }
    purchase = client.ask("POST", "/v1/checkout", body, idempotency_key="buy-1").json
    session = purchase["checkout_url"].rpartition("/")[2]
    event = completed_event(purchase["purchase_id"], account, session)
    others = [gateway.anonymous() for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(deliver, others, [event] * len(others)))

    outcomes = Counter(reply.json["outcome"] for reply in replies if reply.status == 200)
    assert {reply.status for reply in replies} <= {200, 503}
    assert outcomes["granted"] == 1
    assert client.ask("GET", f"/v1/accounts/{account}").json["available"] == 515
    assert client.ask("GET", f"/v1/purchases/{purchase['purchase_id']}").json["status"] == "paid"
    check_ledger(client, account)


def completed_event(purchase: str, account: str, session_id: str) -> bytes:
    """A paid session as Stripe tells of it."""
    session = {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": 5000,
        "amount_total": 5000,
        "client_reference_id": purchase,
        "currency": "usd",
        "livemode": False,
        "metadata": {"purchase_id": purchase, "account": account},
        "mode": "payment",
        "payment_intent": "pi_e2e",
        "payment_status": "paid",
        "status": "complete",
    }
    event = {
        "id": "evt_e2e_1",
        "object": "event",
        "api_version": "2020-08-27",
        "created": int(time.time()),
        "data": {"object": session},
        "livemode": False,
        "type": "checkout.session.completed",
    }
    return json.dumps(event).encode()


def deliver(client: Client, event: bytes) -> Reply:
    """The event, signed as Stripe signs it."""
    at = int(time.time())
    signed = f"{at}.".encode() + event
    digest = hmac.new(WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={digest}", "Content-Type": "application/json"}
    return client.ask("POST", "/v1/webhooks/stripe", event, headers=headers)


def test_after_kill_9_under_load_every_acknowledged_charge_is_there_once(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway = start_gateway()
    account = new_account()
    grant(gateway.client(), account, 100_000)
    acknowledged: dict[str, int] = {}
    unknown: set[str] = set()
    lock = threading.Lock()
    is_over = threading.Event()

    def work(number: int) -> None:
        client = gateway.client()
        for turn in range(10_000):
            key = f"w{number}-{turn}"
            try:
                reply = deduct(client, account, key)
            except (OSError, http.client.HTTPException):
                with lock:
                    unknown.add(key)
                return
            if reply.status == 200:
                with lock:
                    acknowledged[key] = reply.json["seq"]
            if is_over.is_set():
                return

    with ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(work, number) for number in range(8)]
        while len(acknowledged) < 150:
            time.sleep(0.02)
        gateway.kill9()
        is_over.set()
        for worker in workers:
            worker.result(PATIENCE_S)
    gateway.start()
    client = gateway.client()

    entries = check_ledger(client, account)

    charges = {entry["key"]: entry["seq"] for entry in entries if entry["kind"] == "charge"}
    assert len(charges) == sum(entry["kind"] == "charge" for entry in entries)
    assert {key: charges.get(key) for key in acknowledged} == acknowledged
    assert set(charges) - set(acknowledged) <= unknown
    for key in unknown:
        assert deduct(client, account, key).status == 200
    after = {e["key"] for e in read_entries(client, account) if e["kind"] == "charge"}
    assert after == set(acknowledged) | unknown
