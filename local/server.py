"""One listening socket, one thread per connection, connections kept open between requests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from collections.abc import Callable
from io import BufferedReader
from typing import BinaryIO, Literal, cast

from local.wire import (
    Answer,
    BadRequestError,
    Request,
    encode_answer,
    message_answer,
    read_request,
)

CONNECTIONS_MAX = 512
IDLE_TIMEOUT_S = 75.0
LINGER_S = 2.0
LINGER_MAX_BYTES = 64 * 1024 * 1024

# What programs ask all the time; of an event the bus itself says a line.
_QUIET_PATHS = frozenset({"/healthz", "/_local/bus"})


Conversation = Callable[[socket.socket, bytes], None]
"""Takes a connection over, with what was read of it behind the request; at its end it is closed."""


class Server:
    """Requests of a socket are answered by `respond`, from `start` until `stop` is called.

    Clients that connect before `start` wait; they are not turned away. `upgrade` says what takes
    a connection over that asks to be another protocol's; None where nothing does.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        respond: Callable[[Request], Answer],
        log: Callable[[str], None],
        upgrade: Callable[[Request], Conversation | Answer | None] = lambda _: None,
    ) -> None:
        self._upgrade = upgrade
        self._listener = listener
        self._listener.listen(128)
        self._respond = respond
        self._log = log
        self._lock = threading.Lock()
        self._busy: dict[socket.socket, bool] = {}
        self._stopping = threading.Event()
        self._accepting = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Connections are accepted from now on."""
        self._listener.settimeout(0.5)
        self._accepting.start()

    def stop(self, *, grace_s: float) -> bool:
        """No connection is open any more; True if every request under way was answered."""
        self._stopping.set()
        self._listener.close()
        deadline = time.monotonic() + grace_s
        while True:
            with self._lock:
                idle = [connection for connection, busy in self._busy.items() if not busy]
                under_way = len(self._busy) - len(idle)
            for connection in idle:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            if not under_way or time.monotonic() > deadline:
                return not under_way
            time.sleep(0.02)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                # Out of file descriptors, or a client that went away while it waited.
                self._stopping.wait(0.05)
                continue
            with self._lock:
                full = len(self._busy) >= CONNECTIONS_MAX
                if not full:
                    self._busy[connection] = False
            if full:
                connection.close()
                continue
            threading.Thread(
                target=self._serve, args=(connection, str(address[0])), daemon=True
            ).start()

    def _serve(self, connection: socket.socket, source_ip: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(IDLE_TIMEOUT_S)
        stream = cast("BinaryIO", connection.makefile("rb", buffering=65_536))
        try:
            while not self._stopping.is_set() and self._serve_one(
                connection, stream=stream, source_ip=source_ip
            ):
                pass
        except (OSError, ValueError):
            # The client went away, or the socket was closed under a stop: nobody to answer.
            pass
        finally:
            with self._lock:
                self._busy.pop(connection, None)
            with contextlib.suppress(OSError):
                stream.close()
                connection.close()

    def _serve_one(self, connection: socket.socket, *, stream: BinaryIO, source_ip: str) -> bool:
        """One request is answered; False where the connection has to end with it."""
        try:
            request = read_request(
                stream,
                source_ip=source_ip,
                send_continue=lambda: connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"),
            )
        except BadRequestError as error:
            refusal = message_answer(error.status)
            connection.sendall(encode_answer(refusal, method="GET", keep_open=False))
            self._log(f"(refused before it was read) {error.status}")
            _linger(connection)
            return False
        if request is None:
            return False
        began = time.perf_counter()
        self._busy[connection] = True
        try:
            taken = self._upgrade(request) if request.header("upgrade") else None
            if taken is not None and not isinstance(taken, Answer):
                return self._hand_over(connection, stream=stream, to=taken)
            answer = taken or self._respond(request)
        except Exception:  # noqa: BLE001 - our own bug costs this request and no other
            self._log(traceback.format_exc())
            answer = message_answer(500, "Internal Server Error")
        keep_open = request.keeps_open and not self._stopping.is_set()
        try:
            payload = encode_answer(answer, method=request.method, keep_open=keep_open)
        except ValueError:
            answer = message_answer(500, "Internal Server Error")
            payload = encode_answer(answer, method=request.method, keep_open=keep_open)
        connection.sendall(payload)
        self._busy[connection] = False
        if request.raw_path not in _QUIET_PATHS:
            took_ms = (time.perf_counter() - began) * 1000
            self._log(f"{request.method} {request.raw_path} {answer.status} {took_ms:.1f} ms")
        return keep_open

    def _hand_over(
        self, connection: socket.socket, *, stream: BinaryIO, to: Conversation
    ) -> Literal[False]:
        """The conversation is over, and the connection with it; a stop ends it as an idle one."""
        self._busy[connection] = False
        connection.setblocking(False)
        to(connection, cast("BufferedReader", stream).peek())
        return False


def _linger(connection: socket.socket) -> None:
    """What the client still sends is thrown away for a moment.

    Why: closing a socket with unread bytes resets the connection, and a reset can overtake the
    answer; the client would see a broken pipe in place of 413.
    """
    deadline = time.monotonic() + LINGER_S
    left = LINGER_MAX_BYTES
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(LINGER_S)
        while left > 0 and time.monotonic() < deadline:
            received = len(connection.recv(65_536))
            if not received:
                return
            left -= received
