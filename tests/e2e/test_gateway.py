"""`make run` over real sockets: it serves, keeps, recovers and ends as it promises."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.engine import dynoxide, ministack
from tests.e2e.running_gateway import (
    Client,
    RunningGateway,
    StartGateway,
    is_running,
    wait_until,
)

pytestmark = pytest.mark.e2e

TAKEOVER_S = 10.0

needs_dynoxide = pytest.mark.skipif(
    dynoxide(data=Path(), port=1) is None, reason="npm has no dynoxide for this machine"
)
needs_ministack = pytest.mark.skipif(
    ministack(data=Path(), port=1) is None, reason="python -m local.install --all installs it"
)


def granted(client: Client, account: str) -> object:
    """What is available after a grant; the default plan may have given something before."""
    body = {"amount": 100, "kind": "promo", "reason": "for a test"}
    reply = client.ask("POST", f"/v1/accounts/{account}/grants", body, idempotency_key="g1")
    assert reply.status == 201, reply
    return reply.json["available"]


def available(client: Client, account: str) -> object:
    reply = client.ask("GET", f"/v1/accounts/{account}")
    assert reply.status == 200, reply
    return reply.json["available"]


def test_it_prints_where_it_serves_and_with_which_key(gateway: RunningGateway) -> None:
    lines = gateway.log().splitlines()

    assert f"TOLLKEEPER_URL={gateway.url}" in lines
    assert f"TOLLKEEPER_KEY={gateway.key}" in lines


def test_it_listens_on_the_loopback_interface_alone(gateway: RunningGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)):
        pass

    with pytest.raises(OSError, match=r"refused|unreachable|Cannot assign"):
        socket.create_connection(("::1", gateway.port), timeout=2)
    if sys.platform == "linux":
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", gateway.port), timeout=2)


def test_thirty_two_kept_connections_are_served_at_once(gateway: RunningGateway) -> None:
    clients = [gateway.client() for _ in range(32)]

    def ask_often(client: Client) -> list[tuple[int, str | None]]:
        replies = [client.ask("GET", "/v1/packs") for _ in range(10)]
        return [(reply.status, reply.headers.get("connection")) for reply in replies]

    with ThreadPoolExecutor(32) as pool:
        answers = [pair for pairs in pool.map(ask_often, clients) for pair in pairs]

    assert set(answers) == {(200, "keep-alive")}
    assert len(answers) == 320


@pytest.mark.parametrize(
    ("key", "request_line", "status", "message"),
    [
        (None, "POST /v1/deduct", 401, "Unauthorized"),
        ("", "GET /v1/accounts/user_1", 401, "Unauthorized"),
        ("tk_dev_nobody_0123456789abcdef", "POST /v1/deduct", 403, "Forbidden"),
        (None, "GET /v1/deduct", 404, "Not Found"),
        (None, "POST /v1/nothing", 404, "Not Found"),
        (None, "GET /nothing", 404, "Not Found"),
    ],
)
def test_what_no_function_sees_is_answered_as_api_gateway_does(
    gateway: RunningGateway, key: str | None, request_line: str, status: int, message: str
) -> None:
    method, path = request_line.split()
    client = gateway.anonymous()
    headers = {} if key is None else {"Authorization": f"Bearer {key}" if key else ""}

    reply = client.ask(method, path, headers=headers)

    assert (reply.status, reply.json) == (status, {"message": message})
    assert reply.headers["content-type"] == "application/json"


def test_a_body_above_ten_megabytes_is_refused(gateway: RunningGateway) -> None:
    reply = gateway.client().ask("POST", "/v1/deduct", b"x" * (10 * 1024 * 1024 + 1))

    assert (reply.status, reply.json) == (413, {"message": "Request Entity Too Large"})


def test_a_body_in_chunks_arrives_whole(
    gateway: RunningGateway, new_account: Callable[[], str]
) -> None:
    account = new_account()
    body = b'{"amount": 5, "kind": "promo", "reason": "sent in pieces"}'
    request = (
        f"POST /v1/accounts/{account}/grants HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {gateway.key}\r\nIdempotency-Key: g1\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7)
    )

    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(request + pieces + b"0\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201 ")

    entries = gateway.client().ask("GET", f"/v1/accounts/{account}/entries").json["entries"]
    assert entries[0]["delta"] == 5


def test_the_schedules_of_the_template_can_be_run_by_hand(gateway: RunningGateway) -> None:
    reply = gateway.anonymous().ask("POST", "/_local/schedules/PeriodResetFunction")

    assert reply.status == 200, reply.body


def test_a_restart_keeps_the_data_and_the_key(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway, account = start_gateway(), new_account()
    credits = granted(gateway.client(), account)

    gateway.stop()
    gateway.environment = {"DEV_KEY": ""}
    gateway.start()

    assert gateway.log().count(f"TOLLKEEPER_KEY={gateway.key}\n") == 2
    assert available(gateway.client(), account) == credits


def test_after_kill_9_the_next_gateway_takes_over_within_ten_seconds(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway, account = start_gateway(), new_account()
    credits = granted(gateway.client(), account)
    engine_pid = gateway.engine_pid

    gateway.kill9()
    gateway.close_clients()
    took_s = gateway.start()

    assert took_s < TAKEOVER_S
    assert not is_running(engine_pid)
    assert available(gateway.client(), account) == credits


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process(start_gateway: StartGateway, number: signal.Signals) -> None:
    gateway = start_gateway()
    engine_pid = gateway.engine_pid
    assert is_running(engine_pid)

    assert gateway.stop(number) == 0

    assert not is_running(engine_pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties it on Linux")
def test_kill_9_of_the_gateway_takes_the_engine_with_it(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    engine_pid = gateway.engine_pid

    gateway.kill9()

    wait_until(lambda: not is_running(engine_pid), timeout_s=5, what="the engine's end")


@needs_dynoxide
def test_an_engine_that_is_killed_comes_back_with_its_data(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway, account = start_gateway(), new_account()
    client = gateway.client()
    credits = granted(client, account)
    first_pid = gateway.engine_pid

    os.kill(first_pid, signal.SIGKILL)
    statuses: list[int] = []

    def answers_again() -> bool:
        statuses.append(client.ask("GET", f"/v1/accounts/{account}").status)
        return statuses[-1] == 200 and gateway.engine_pid != first_pid

    wait_until(answers_again, timeout_s=TAKEOVER_S, what="the engine's return")
    assert set(statuses) <= {200, 500, 503}
    assert available(client, account) == credits


def test_a_second_gateway_on_the_same_data_is_refused_with_a_sentence(
    start_gateway: StartGateway,
) -> None:
    first = start_gateway("shared")

    second = start_gateway("shared", is_waited_for=False)

    assert second.wait() == 1
    assert f"Another gateway uses {first.data}: pid {first.pid}, {first.url}." in second.log()
    assert first.is_ready()


def test_a_gateway_waits_for_one_that_is_just_ending(start_gateway: StartGateway) -> None:
    first = start_gateway("shared")
    second = start_gateway("shared", is_waited_for=False)
    wait_until(lambda: "waiting 10 s" in second.log(), timeout_s=10, what="the second one's wait")

    first.stop()

    wait_until(second.is_ready, timeout_s=TAKEOVER_S, what="the second one's start")


def test_a_port_in_use_is_said_in_a_sentence(start_gateway: StartGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        gateway = start_gateway(is_waited_for=False, port=port)

        assert gateway.wait() == 1

    assert f"Port {port} of 127.0.0.1 cannot be used" in gateway.log()
    assert "Traceback" not in gateway.log()


def test_a_key_of_another_form_is_said_in_a_sentence(start_gateway: StartGateway) -> None:
    gateway = start_gateway(is_waited_for=False, key="secret")

    assert gateway.wait() == 1

    assert "Tollkeeper does not start. DEV_KEY: " in gateway.log()
    assert "Traceback" not in gateway.log()


def test_a_broken_catalog_is_said_in_a_sentence(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    catalog = tmp_path / "broken.toml"
    catalog.write_text("[operations.chat]\nrule = 'by the moon'\n", encoding="utf-8")

    gateway = start_gateway(is_waited_for=False, environment={"CATALOG_PATH": str(catalog)})

    assert gateway.wait() == 1
    assert "Tollkeeper does not start. " in gateway.log()
    assert "broken.toml" in gateway.log()
    assert "Traceback" not in gateway.log()


def test_the_user_s_own_database_takes_the_engine_s_place(
    gateway: RunningGateway, start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    endpoint = next(
        word.rstrip(",")
        for word in gateway.log().split()
        if word.startswith("http") and word.endswith(",")
    )
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "TABLE_NAME": "another-table"}

    other, account = start_gateway(environment=environment), new_account()

    assert not (other.data / "engine.json").exists()
    credits = granted(other.client(), account)
    assert available(other.client(), account) == credits


@needs_ministack
def test_ministack_serves_where_there_is_no_dynoxide(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway = start_gateway(environment={"TOLLKEEPER_ENGINE": "ministack"})
    account = new_account()
    assert "saves only when it is stopped cleanly" in gateway.log()
    credits = granted(gateway.client(), account)
    engine_pid = gateway.engine_pid

    gateway.restart()

    assert not is_running(engine_pid)
    assert available(gateway.client(), account) == credits


@needs_ministack
def test_ministack_saves_when_only_the_gateway_is_killed(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway = start_gateway(environment={"TOLLKEEPER_ENGINE": "ministack"})
    account = new_account()
    credits = granted(gateway.client(), account)

    gateway.kill9()
    gateway.close_clients()
    took_s = gateway.start()

    assert took_s < TAKEOVER_S
    assert available(gateway.client(), account) == credits
