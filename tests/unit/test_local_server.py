"""Connections are kept, shared out to threads, and ended in good order."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

from local.server import Server
from local.wire import BODY_MAX_BYTES, Answer, Request


def echo(request: Request) -> Answer:
    return Answer(status=200, body=request.method.encode() + b" " + request.body)


@contextmanager
def serving(
    respond: Callable[[Request], Answer], *, lines: list[str] | None = None
) -> Generator[tuple[Server, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(
        listener, respond=respond, log=lines.append if lines is not None else lambda _: None
    )
    server.start()
    try:
        yield server, int(listener.getsockname()[1])
    finally:
        server.stop(grace_s=5)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(connection: socket.socket, ending: bytes) -> bytes:
    data = b""
    while not data.endswith(ending):
        piece = connection.recv(65_536)
        assert piece, data
        data += piece
    return data


def test_one_connection_carries_many_requests() -> None:
    with (
        serving(echo) as (_, port),
        closing(http.client.HTTPConnection("127.0.0.1", port)) as client,
    ):
        for number in range(5):
            client.request("POST", "/", body=str(number))
            response = client.getresponse()
            assert response.read() == f"POST {number}".encode()
            assert response.getheader("Connection") == "keep-alive"


def test_requests_sent_without_waiting_are_answered_in_order() -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

    with serving(echo) as (_, port), connect(port) as connection:
        connection.sendall(request + b"1" + request + b"2" + request + b"3")
        data = received(connection, b"POST 3")

    assert data.index(b"POST 1") < data.index(b"POST 2") < data.index(b"POST 3")


def test_thirty_two_requests_are_under_way_at_once() -> None:
    together = threading.Barrier(32)

    def wait_for_all(request: Request) -> Answer:
        together.wait(10)
        return echo(request)

    with serving(wait_for_all) as (_, port):
        connections = [connect(port) for _ in range(32)]
        for _ in range(2):
            for connection in connections:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            for connection in connections:
                assert received(connection, b"GET ").startswith(b"HTTP/1.1 200 OK")
        for connection in connections:
            connection.close()


def test_a_client_that_waits_for_permission_gets_it() -> None:
    with serving(echo) as (_, port), connect(port) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert received(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert received(connection, b"POST ok").startswith(b"HTTP/1.1 200 OK")


def test_a_body_too_large_is_answered_while_the_client_still_sends() -> None:
    with serving(echo) as (_, port), connect(port) as connection:
        length = BODY_MAX_BYTES + 1
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
        connection.sendall(b"x" * length)
        assert received(connection, b"}").startswith(b"HTTP/1.1 413 ")


def test_bytes_that_are_no_request_are_answered_and_the_connection_ends() -> None:
    lines: list[str] = []

    with serving(echo, lines=lines) as (_, port), connect(port) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert received(connection, b"}").startswith(b"HTTP/1.1 400 Bad Request\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b""

    assert lines == ["(refused before it was read) 400"]


def test_each_request_is_one_line_of_the_log() -> None:
    lines: list[str] = []

    with serving(echo, lines=lines) as (_, port), connect(port) as connection:
        for path in (b"/v1/check?a=1", b"/healthz"):
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            received(connection, b"GET ")

    assert len(lines) == 1
    assert lines[0].startswith("GET /v1/check 200 ")
    assert lines[0].endswith(" ms")


def test_a_bug_of_the_gateway_costs_one_request() -> None:
    def fail(request: Request) -> Answer:
        raise ZeroDivisionError

    with serving(fail) as (_, port), connect(port) as connection:
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert received(connection, b"}").startswith(b"HTTP/1.1 500 ")


def test_a_stop_answers_what_is_under_way_and_closes_what_waits() -> None:
    arrived, release = threading.Event(), threading.Event()

    def slow(request: Request) -> Answer:
        if request.target != "/quick":
            arrived.set()
            release.wait(10)
        return echo(request)

    with serving(slow) as (server, port), connect(port) as busy, connect(port) as idle:
        # A connection that nobody accepted yet is reset, and not closed, when the listener goes.
        idle.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        received(idle, b"GET ")
        busy.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert arrived.wait(10)
        stopping = threading.Thread(target=server.stop, kwargs={"grace_s": 10.0})
        stopping.start()
        assert idle.recv(10) == b""
        release.set()
        answer = received(busy, b"GET ")
        stopping.join(10)

    assert b"Connection: close" in answer
