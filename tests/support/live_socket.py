"""A client of the event API's protocol over a plain socket, which sees each message as it is."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    RejectConnection,
    Request,
    TextMessage,
)

PROTOCOL = "aws-appsync-event-ws"


class RefusedError(Exception):
    """The server answered the handshake with another status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class ClosedError(Exception):
    """The server ended the connection."""


def header(host: str, token: str | None) -> str:
    """The subprotocol that carries the authorization."""
    sent = {"host": host} | ({} if token is None else {"Authorization": token})
    encoded = base64.urlsafe_b64encode(json.dumps(sent).encode()).decode().rstrip("=")
    return f"header-{encoded}"


class LiveSocket:
    """An open socket. Messages that come while another one is waited for are kept."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        host: str | None = None,
        headers: Mapping[str, str] | None = None,
        protocols: list[str] | None = None,
        buffer: int | None = None,
    ) -> None:
        place = urlsplit(url)
        self.host = host or place.netloc
        self.token = token
        self._wire = socket.socket()
        if buffer is not None:
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._wire.settimeout(10)
        self._wire.connect((place.hostname, place.port))
        self._frames = WSConnection(ConnectionType.CLIENT)
        self.messages: list[dict[str, Any]] = []
        self._text = ""
        self._is_accepted = False
        asked = [PROTOCOL, header(self.host, token)] if protocols is None else protocols
        extra = [(name.encode(), text.encode()) for name, text in (headers or {}).items()]
        sent_host = dict(headers or {}).get("host", place.netloc)
        extra = [each for each in extra if each[0] != b"host"]
        self._send(
            Request(host=sent_host, target=place.path, subprotocols=asked, extra_headers=extra)
        )
        try:
            while not self._is_accepted:
                self._receive(time.monotonic() + 10)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """The connection is gone, without a word."""
        self._wire.close()

    def say(self, message: Mapping[str, object]) -> None:
        """The message is sent."""
        self._send(TextMessage(data=json.dumps(message)))

    def say_text(self, text: str) -> None:
        """The text is sent, whatever it is."""
        self._send(TextMessage(data=text))

    def hear(self, kind: str, *, within_s: float = 10) -> dict[str, Any]:
        """The next message of that type. Raises: ClosedError, TimeoutError."""
        deadline = time.monotonic() + within_s
        while True:
            for message in self.messages:
                if message["type"] == kind:
                    self.messages.remove(message)
                    return message
            self._receive(deadline)

    def start(self) -> dict[str, Any]:
        """The connection is acknowledged."""
        self.say({"type": "connection_init"})
        return self.hear("connection_ack")

    def subscribe(
        self, channel: str, *, name: str = "s1", token: str | None = None
    ) -> dict[str, Any]:
        """The answer to a subscription: a success or an error."""
        sent = {"host": self.host, "Authorization": token or self.token}
        self.say({"type": "subscribe", "id": name, "channel": channel, "authorization": sent})
        while True:
            for message in self.messages:
                if message["type"].startswith("subscribe_") and message.get("id") == name:
                    self.messages.remove(message)
                    return message
            self._receive(time.monotonic() + 10)

    def news(self, *, within_s: float = 10) -> dict[str, Any]:
        """The next news of a channel."""
        found: dict[str, Any] = json.loads(self.hear("data", within_s=within_s)["event"])
        return found

    def _send(self, event: Any) -> None:
        self._wire.sendall(self._frames.send(event))

    def _receive(self, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._wire.settimeout(left_s)
        data = self._wire.recv(65_536)
        if not data:
            raise ClosedError
        self._frames.receive_data(data)
        for event in self._frames.events():
            match event:
                case AcceptConnection():
                    self._is_accepted = True
                    self.subprotocol = event.subprotocol
                case RejectConnection():
                    raise RefusedError(event.status_code)
                case TextMessage():
                    self._text += event.data
                    if event.message_finished:
                        text, self._text = self._text, ""
                        self.messages.append(cast("dict[str, Any]", json.loads(text)))
                case CloseConnection():
                    raise ClosedError(event.code)
                case _:
                    raise AssertionError(event)
