"""One socket: a taken-over connection, spoken to by WebSocket frames."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from local.live.hub import Hub
from local.live.talk import PROTOCOL, Authorize, Message, Talk

KEEP_ALIVE_S = 60.0
MESSAGE_MAX = 32_768
UNREAD_MAX_BYTES = 65_536
TOO_BIG, BAD_DATA = 1009, 1003

Headers = list[tuple[bytes, bytes]]


class Socket:
    """A connection that talks, from `serve` until either side ends it. Hashed by identity."""

    def __init__(
        self,
        hub: Hub,
        connection: socket.socket,
        *,
        authorize: Authorize,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        self._hub = hub
        self._connection = connection
        self._keep_alive_s = keep_alive_s
        self._frames = WSConnection(ConnectionType.SERVER)
        self._lock = threading.RLock()
        self._is_open = True
        self._text = ""
        self._talk = Talk(hub, self, authorize=authorize, say=self.say)

    def serve(self, headers: Headers, path: str, first: bytes) -> None:
        """The connection has ended; until then it was answered and told.

        Shape: `first` is what was read behind the request's head.
        """
        self._connection.setblocking(False)
        # What a client does not read is kept by the kernel up to here; then it is dropped.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_MAX_BYTES)
        try:
            self._frames.initiate_upgrade_connection(headers, path)
            self._take(first)
            self._listen()
        except (ProtocolError, OSError):
            self._drop()
        finally:
            self._hub.leave(self)

    def say(self, message: Message) -> None:
        """The message was sent, or the connection is closed."""
        self._send(TextMessage(data=json.dumps(message)))

    def tell(self, subscription: str, text: str) -> None:
        """The subscription's news was sent, or the connection is closed."""
        self.say({"id": subscription, "type": "data", "event": text})

    def _listen(self) -> None:
        ready = select.poll()
        ready.register(self._connection, select.POLLIN)
        due_at = time.monotonic() + self._keep_alive_s
        while self._is_open:
            left_s = due_at - time.monotonic()
            if left_s <= 0:
                self.say({"type": "ka"})
                due_at += self._keep_alive_s
            elif ready.poll(left_s * 1000):
                with contextlib.suppress(BlockingIOError):
                    data = self._connection.recv(65_536)
                    if not data:
                        return
                    self._take(data)

    def _take(self, data: bytes) -> None:
        with self._lock:
            if data:
                self._frames.receive_data(data)
            events = list(self._frames.events())
        for event in events:
            self._on(event)

    def _on(self, event: Event) -> None:
        match event:
            case Request():
                self._send(AcceptConnection(subprotocol=PROTOCOL))
            case TextMessage():
                self._text += event.data
                if len(self._text) > MESSAGE_MAX:
                    self._end(CloseConnection(code=TOO_BIG))
                elif event.message_finished:
                    text, self._text = self._text, ""
                    self._talk.hear(text)
            case Ping():
                self._send(event.response())
            case CloseConnection():
                self._end(event.response())
            case _:
                self._end(CloseConnection(code=BAD_DATA))

    def _end(self, event: CloseConnection) -> None:
        self._send(event)
        self._drop()

    def _send(self, event: Event) -> None:
        """The frame is with the kernel whole; a connection that has no room for it is dropped."""
        with self._lock:
            if not self._is_open:
                return
            try:
                data = self._frames.send(event)
                if self._connection.send(data) == len(data):
                    return
            except (OSError, ProtocolError):
                pass
            self._drop()

    def _drop(self) -> None:
        self._is_open = False
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
