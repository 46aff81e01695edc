"""The event API of one machine, below /_live: its address in the stack is AppSync's.

`POST /_live/event` is where the live function publishes; `/_live/event/realtime` becomes a socket.
"""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Callable, Mapping
from typing import cast

from local.cloudformation import as_mapping, as_text
from local.environments import BusyError, FunctionError
from local.events import ACCOUNT_ID
from local.live.hub import Hub
from local.live.sockets import KEEP_ALIVE_S, Socket
from local.live.talk import CONNECT, PROTOCOL, read_header
from local.server import Conversation
from local.template import Template
from local.wire import Answer, Request, message_answer

PUBLISH_PATH = "/_live/event"
SOCKET_PATH = "/_live/event/realtime"
MOST_EVENTS = 5
ACCESS = "live_access"
NAMESPACE_TYPE = "AWS::AppSync::ChannelNamespace"

Invoke = Callable[[str, Mapping[str, object]], object]
Message = dict[str, object]


def defaults(template: Template, url: str) -> dict[str, str]:
    """The environment in which the functions find this event API; empty without live updates."""
    if not _namespaces(template):
        return {}
    return {
        "LIVE_PUBLISH_URL": url + PUBLISH_PATH,
        "LIVE_SOCKET_URL": url.replace("http", "ws", 1) + SOCKET_PATH,
    }


def make_site(template: Template, *, url: str, invoke: Invoke) -> LiveSite | None:
    """The event API that the template has; None where its live updates are off."""
    names = _namespaces(template)
    if not names:
        return None
    port = url.rpartition(":")[2]
    own = {f"http://{name}:{port}" for name in ("127.0.0.1", "localhost")}
    origins = frozenset(own.union(template.cors.allow_origins))
    return LiveSite(invoke=invoke, namespaces=names, origins=origins)


def _namespaces(template: Template) -> frozenset[str]:
    return frozenset(
        as_text(as_mapping(resource.get("Properties"), where=name).get("Name"), where=name)
        for name, resource in template.resources.items()
        if resource.get("Type") == NAMESPACE_TYPE
    )


class LiveSite:
    """Both ends of the event API.

    Shape: `invoke` answers for the functions, by their folders; `namespaces` are those of the
    template; a page of one of the `origins` may open a socket, and what is no page.
    """

    def __init__(
        self,
        *,
        invoke: Invoke,
        namespaces: frozenset[str],
        origins: frozenset[str],
        hub: Hub | None = None,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        self._invoke = invoke
        self._namespaces = namespaces
        self._origins = origins
        self._keep_alive_s = keep_alive_s
        self.hub = hub or Hub()

    def serves(self, path: str) -> bool:
        """The path is one of the two."""
        return path in (PUBLISH_PATH, SOCKET_PATH)

    def respond(self, request: Request, path: str) -> Answer:
        """The answer to a request that stays one."""
        if path == SOCKET_PATH:
            return Answer(status=426, headers=(("Upgrade", "websocket"),))
        return self._publish(request) if request.method == "POST" else message_answer(404)

    def upgrade(self, request: Request) -> Conversation | Answer:
        """What talks on the request's connection from now on, or why nothing does."""
        host = request.header("host") or ""
        origin = request.header("origin")
        # A page of the web may open a socket to any host; its origin tells whose page it is.
        if origin is not None and origin not in self._origins:
            return message_answer(403)
        protocols = _protocols(request)
        if request.method != "GET" or PROTOCOL not in protocols:
            return message_answer(400)

        def may(operation: str, sent: Mapping[str, object], channel: str | None) -> bool:
            return sent.get("host") == host and self._may(operation, sent, channel)

        if not may(CONNECT, read_header(protocols) or {}, None):
            return message_answer(401)

        def talk(connection: socket.socket, first: bytes) -> None:
            talking = Socket(self.hub, connection, authorize=may, keep_alive_s=self._keep_alive_s)
            if self.hub.enter(talking):
                talking.serve(_headers(request), request.target, first)

        return talk

    def _may(self, operation: str, sent: Mapping[str, object], channel: str | None) -> bool:
        """What the template's authorizer says to the event that AppSync would send it."""
        context: dict[str, object] = {
            "apiId": "local",
            "accountId": ACCOUNT_ID,
            "requestId": str(uuid.uuid4()),
            "operation": operation,
        }
        if channel is not None:
            context["channel"] = "/" + channel.removeprefix("/")
            context["channelNamespaceName"] = _namespace(channel)
            if context["channelNamespaceName"] not in self._namespaces:
                return False
        token = sent.get("Authorization")
        if not isinstance(token, str) or not token:
            return False
        event = {"authorizationToken": token, "requestContext": context, "requestHeaders": {}}
        try:
            answer = self._invoke(ACCESS, event)
        except (FunctionError, BusyError):
            return False
        return isinstance(answer, dict) and cast("Message", answer).get("isAuthorized") is True

    def _publish(self, request: Request) -> Answer:
        """Shape: {"successful": [...], "failed": []}; only what is signed is taken.

        Why: a page of the web can post here too, but not with this header.
        """
        if not (request.header("authorization") or "").startswith("AWS4-HMAC-SHA256 "):
            return message_answer(401)
        try:
            members = cast("Message", json.loads(request.body))
            channel, events = members["channel"], members["events"]
        except (ValueError, KeyError, TypeError):
            return message_answer(400)
        if not (isinstance(channel, str) and _are_texts(events)):
            return message_answer(400)
        if _namespace(channel) not in self._namespaces:
            return message_answer(401)
        texts = cast("list[str]", events)
        for text in texts:
            self.hub.publish("/" + channel.removeprefix("/"), text)
        taken = [{"identifier": str(uuid.uuid4()), "index": n} for n in range(len(texts))]
        body = json.dumps({"successful": taken, "failed": []}).encode()
        return Answer(status=200, headers=(("Content-Type", "application/json"),), body=body)


def _protocols(request: Request) -> list[str]:
    sent = request.header("sec-websocket-protocol") or ""
    return [each.strip() for each in sent.split(",") if each.strip()]


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in request.headers]


def _namespace(channel: str) -> str:
    return channel.removeprefix("/").partition("/")[0]


def _are_texts(events: object) -> bool:
    """One to five texts, each JSON of its own."""
    if not isinstance(events, list) or not 0 < len(cast("list[object]", events)) <= MOST_EVENTS:
        return False
    try:
        return all(json.loads(each) is not None for each in cast("list[str]", events))
    except (ValueError, TypeError):
        return False
