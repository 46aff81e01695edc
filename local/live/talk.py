"""What a socket of the event API says and hears: its messages, without the socket.

Source: AWS, "Understanding the Event API WebSocket protocol".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import cast

from local.live.hub import Hub, Listener

PROTOCOL = "aws-appsync-event-ws"
HEADER = "header-"
CONNECT, SUBSCRIBE = "EVENT_CONNECT", "EVENT_SUBSCRIBE"
SILENCE_MS = 300_000
"""After so long without a message a client takes the connection for dead."""

_CHANNEL = re.compile(r"/?[A-Za-z0-9-]{1,50}(/[A-Za-z0-9-]{1,50}){0,4}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_+-]{1,128}", re.ASCII)

Message = dict[str, object]
Authorize = Callable[[str, Mapping[str, object], str | None], bool]
"""An operation, what was sent to authorize it, and its channel; whether it may be."""


def read_header(protocols: list[str]) -> dict[str, object] | None:
    """What stands in the subprotocol that carries the authorization; None where nothing does."""
    for protocol in protocols:
        if protocol.startswith(HEADER):
            text = protocol.removeprefix(HEADER)
            try:
                decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
                return _members(json.loads(decoded))
            except (binascii.Error, ValueError):
                return None
    return None


class Talk:
    """One connection's talk: `hear` takes each message, and answers go to `say`."""

    def __init__(
        self, hub: Hub, listener: Listener, *, authorize: Authorize, say: Callable[[Message], None]
    ) -> None:
        self._hub = hub
        self._listener = listener
        self._authorize = authorize
        self._say = say

    def hear(self, text: str) -> None:
        """The message was answered, and has had its effect."""
        try:
            message = _members(json.loads(text)) or {}
        except (ValueError, RecursionError):
            message = {}
        match message.get("type"):
            case "connection_init":
                self._say({"type": "connection_ack", "connectionTimeoutMs": SILENCE_MS})
            case "subscribe":
                self._subscribe(message)
            case "unsubscribe":
                self._unsubscribe(message)
            case "publish":
                self._refuse("publish_error", message, "UnauthorizedException")
            case _:
                self._refuse("error", message, "UnsupportedOperation")

    def _subscribe(self, message: Message) -> None:
        name, channel = message.get("id"), message.get("channel")
        if not (isinstance(name, str) and _ID.fullmatch(name)):
            return self._refuse("subscribe_error", message, "BadRequestException")
        sent = _members(message.get("authorization")) or {}
        if not (isinstance(channel, str) and _is_channel(channel)):
            return self._refuse("subscribe_error", message, "BadRequestException")
        if not self._authorize(SUBSCRIBE, sent, channel):
            return self._refuse("subscribe_error", message, "UnauthorizedException")
        # It hears from here on: what is published once this is answered must not be missed.
        if not self._hub.subscribe(self._listener, name, "/" + channel.removeprefix("/")):
            return self._refuse("subscribe_error", message, "DuplicatedOperationException")
        return self._say({"type": "subscribe_success", "id": name})

    def _unsubscribe(self, message: Message) -> None:
        name = str(message.get("id"))
        if self._hub.unsubscribe(self._listener, name):
            self._say({"type": "unsubscribe_success", "id": name})
        else:
            self._refuse("unsubscribe_error", message, "UnknownOperationError")

    def _refuse(self, kind: str, message: Message, error: str) -> None:
        name = message.get("id")
        identified: Message = {"id": name} if isinstance(name, str) else {}
        self._say({"type": kind, **identified, "errors": [{"errorType": error, "message": error}]})


def _is_channel(channel: str) -> bool:
    """A channel's path; a pattern's last segment may be a star, which nobody is let in by."""
    return _CHANNEL.fullmatch(channel.removesuffix("/*")) is not None


def _members(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None
