"""The event API of one machine: who hears what, slow readers, bounds and the end of a stop."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from local.live.hub import MOST_SUBSCRIPTIONS, Hub
from local.live.site import LiveSite, defaults, make_site
from local.live.talk import PROTOCOL, Talk, read_header
from local.server import Server
from local.template import read_template
from local.wire import Answer, Request
from tests.support.live_socket import ClosedError, LiveSocket, RefusedError

CHANNEL = "/accounts/a"
SIGNED = (("authorization", "AWS4-HMAC-SHA256 x"),)


class FakeListener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, subscription: str, text: str) -> None:
        self.told.append((subscription, text))


# ---- The hub


def test_a_text_goes_to_every_subscription_of_its_channel_and_no_other() -> None:
    hub, one, two = Hub(), FakeListener(), FakeListener()
    for listener in (one, two):
        assert hub.enter(listener)
    assert hub.subscribe(one, "s1", "/accounts/a") and hub.subscribe(one, "s2", "/accounts/a")
    assert hub.subscribe(two, "s1", "/accounts/b")

    assert hub.publish("/accounts/a", "x") == 2
    assert hub.publish("/accounts/c", "y") == 0

    assert sorted(one.told) == [("s1", "x"), ("s2", "x")]
    assert two.told == []


def test_who_unsubscribed_or_left_hears_nothing_more() -> None:
    hub, one = Hub(), FakeListener()
    hub.enter(one)
    hub.subscribe(one, "s1", CHANNEL)
    hub.subscribe(one, "s2", CHANNEL)

    assert hub.unsubscribe(one, "s1") and not hub.unsubscribe(one, "s1")
    assert hub.publish(CHANNEL, "x") == 1
    hub.leave(one)
    hub.leave(one)
    assert hub.publish(CHANNEL, "y") == 0
    assert not hub.subscribe(one, "s3", CHANNEL)
    assert one.told == [("s2", "x")]


def test_sockets_and_subscriptions_are_bounded() -> None:
    hub, first, second = Hub(most=1), FakeListener(), FakeListener()

    assert hub.enter(first) and not hub.enter(second)
    assert all(hub.subscribe(first, f"s{n}", CHANNEL) for n in range(MOST_SUBSCRIPTIONS))
    assert not hub.subscribe(first, "more", CHANNEL)
    hub.leave(first)
    assert hub.enter(second) and hub.sockets == 1


# ---- The talk


def answers(*messages: object, may: bool = True) -> list[dict[str, Any]]:
    """What is said to these messages."""
    said: list[dict[str, Any]] = []
    hub, listener = Hub(), FakeListener()
    hub.enter(listener)

    def authorize(_: str, __: Mapping[str, object], ___: str | None) -> bool:
        return may

    talk = Talk(hub, listener, authorize=authorize, say=said.append)
    for message in messages:
        talk.hear(message if isinstance(message, str) else json.dumps(message))
    return said


def subscribing(**members: object) -> dict[str, object]:
    asked: dict[str, object] = {"type": "subscribe", "id": "s1", "channel": CHANNEL}
    return {**asked, "authorization": "none", **members}


@pytest.mark.parametrize(
    ("message", "kind", "error"),
    [
        ("", "error", "UnsupportedOperation"),
        ("nonsense", "error", "UnsupportedOperation"),
        ("[" * 5_000, "error", "UnsupportedOperation"),
        ({"type": ["subscribe"]}, "error", "UnsupportedOperation"),
        (subscribing(id=None), "subscribe_error", "BadRequestException"),
        (subscribing(id="x" * 129), "subscribe_error", "BadRequestException"),
        (subscribing(channel=None), "subscribe_error", "BadRequestException"),
        (subscribing(channel="/a/b/c/d/e/f"), "subscribe_error", "BadRequestException"),
        (subscribing(channel="/a//b"), "subscribe_error", "BadRequestException"),
        (subscribing(channel="/a/" + "b" * 51), "subscribe_error", "BadRequestException"),
        (subscribing(channel="/a/b_c"), "subscribe_error", "BadRequestException"),
        ({"type": "unsubscribe", "id": "s9"}, "unsubscribe_error", "UnknownOperationError"),
        ({"type": "publish", "id": "p"}, "publish_error", "UnauthorizedException"),
    ],
)
def test_what_cannot_be_done_is_answered_with_its_error(
    message: object, kind: str, error: str
) -> None:
    (said,) = answers(message)

    assert (said["type"], said["errors"][0]["errorType"]) == (kind, error)


def test_a_subscription_is_confirmed_once_and_refused_where_it_may_not() -> None:
    assert answers(subscribing()) == [{"type": "subscribe_success", "id": "s1"}]
    assert answers(subscribing(), may=False)[0]["type"] == "subscribe_error"


@pytest.mark.parametrize(
    "protocols",
    [[], [PROTOCOL], ["header-"], ["header-!!!"], ["header-W10"], ["header-" + "A" * 7]],
)
def test_a_header_that_says_nothing_is_none(protocols: list[str]) -> None:
    assert read_header(protocols) is None


# ---- The sockets


@contextmanager
def house(
    *,
    may: Callable[[Mapping[str, Any]], object] = lambda _: {"isAuthorized": True},
    most: int = 256,
    keep_alive_s: float = 60,
) -> Generator[tuple[LiveSite, str, Server]]:
    """A server with the event API alone."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def invoke(function: str, event: Mapping[str, Any]) -> object:
        assert function == "live_access"
        return may(event)

    site = LiveSite(
        invoke=invoke,
        namespaces=frozenset({"accounts"}),
        origins=frozenset({url}),
        hub=Hub(most=most),
        keep_alive_s=keep_alive_s,
    )

    def respond(request: Request) -> Answer:
        return site.respond(request, request.raw_path)

    server = Server(listener, respond=respond, upgrade=site.upgrade, log=lambda _: None)
    server.start()
    try:
        yield site, url.replace("http", "ws") + "/_live/event/realtime", server
    finally:
        server.stop(grace_s=5)


def publish(site: LiveSite, channel: str, *texts: object) -> int:
    """The status of a publish."""
    body = json.dumps({"channel": channel, "events": list(texts)}).encode()
    request = Request(
        method="POST",
        target="/_live/event",
        protocol="HTTP/1.1",
        headers=SIGNED,
        body=body,
        source_ip="127.0.0.1",
    )
    return site.respond(request, "/_live/event").status


def test_what_is_published_reaches_the_socket_as_it_was() -> None:
    with house() as (site, url, _), LiveSocket(url, token="t") as heard:
        heard.subscribe("accounts/a")

        assert publish(site, "/accounts/a", '{"seq": 1}', '{"seq": 2}') == 200

        assert [heard.news(), heard.news()] == [{"seq": 1}, {"seq": 2}]


@pytest.mark.parametrize(
    ("channel", "texts", "status"),
    [
        ("/accounts/a", (), 400),
        ("/accounts/a", ("{}",) * 6, 400),
        ("/accounts/a", ("nonsense",), 400),
        ("/accounts/a", ({"seq": 1},), 400),
        ("/other/a", ("{}",), 401),
    ],
)
def test_what_appsync_would_refuse_is_refused(
    channel: str, texts: tuple[object, ...], status: int
) -> None:
    with house() as (site, _, __):
        assert publish(site, channel, *texts) == status


def test_a_quiet_socket_is_kept_alive() -> None:
    with house(keep_alive_s=0.1) as (_, url, __), LiveSocket(url, token="t") as heard:
        assert heard.hear("ka") == heard.hear("ka") == {"type": "ka"}


def test_a_slow_reader_is_dropped_and_holds_nobody_up() -> None:
    with house() as (site, url, _), LiveSocket(url, token="t", buffer=4_096) as slow:
        slow.subscribe("accounts/a")
        with LiveSocket(url, token="t") as quick:
            quick.subscribe("accounts/a")
            text = json.dumps({"seq": 1, "more": "x" * 8_000})
            began, sent = time.monotonic(), 0
            while site.hub.sockets > 1 and time.monotonic() - began < 10:
                publish(site, "/accounts/a", text)
                quick.news()
                sent += 1

            assert site.hub.sockets == 1, sent
            publish(site, "/accounts/a", '{"seq": 2}')
            assert quick.news() == {"seq": 2}


def test_one_socket_too_many_is_ended_at_once() -> None:
    with house(most=1) as (site, url, _), LiveSocket(url, token="t"):
        deadline = time.monotonic() + 5
        while site.hub.sockets < 1 and time.monotonic() < deadline:
            time.sleep(0.01)

        with pytest.raises((ClosedError, ConnectionError)):
            LiveSocket(url, token="t")


def test_a_message_without_end_ends_the_socket() -> None:
    with house() as (_, url, __), LiveSocket(url, token="t") as heard:
        heard.say_text("x" * 40_000)

        with pytest.raises(ClosedError, match="1009"):
            heard.hear("never", within_s=5)


def test_a_stop_ends_open_sockets_at_once() -> None:
    with house() as (_, url, server), LiveSocket(url, token="t") as heard:
        heard.start()
        began = time.monotonic()

        assert server.stop(grace_s=5)

        assert time.monotonic() - began < 2
        with pytest.raises((ClosedError, ConnectionError)):
            heard.hear("never", within_s=5)


@pytest.mark.parametrize("answer", [{"isAuthorized": False}, {}, None, {"isAuthorized": "true"}])
def test_whatever_is_no_plain_yes_opens_nothing(answer: object) -> None:
    with house(may=lambda _: answer) as (_, url, __), pytest.raises(RefusedError, match="401"):
        LiveSocket(url, token="t")


def test_the_authorizer_is_asked_as_appsync_asks() -> None:
    asked: list[Mapping[str, Any]] = []

    def note(event: Mapping[str, Any]) -> object:
        asked.append(event)
        return {"isAuthorized": True}

    with house(may=note) as (_, url, __), LiveSocket(url, token="t1") as heard:
        heard.subscribe("accounts/a", token="t2")
        heard.subscribe("other/a", name="s2")

    first, second = asked
    assert (first["authorizationToken"], second["authorizationToken"]) == ("t1", "t2")
    assert first["requestContext"]["operation"] == "EVENT_CONNECT"
    assert "channel" not in first["requestContext"]
    assert second["requestContext"]["operation"] == "EVENT_SUBSCRIBE"
    assert second["requestContext"]["channel"] == "/accounts/a"
    assert second["requestContext"]["channelNamespaceName"] == "accounts"


def test_many_sockets_are_told_at_once() -> None:
    with house() as (site, url, _):
        sockets = [LiveSocket(url, token="t") for _ in range(20)]
        for each in sockets:
            each.subscribe("accounts/a")
        threads = [
            threading.Thread(target=publish, args=(site, "/accounts/a", '{"seq": 1}'))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [[each.news() for _ in range(5)] for each in sockets] == [[{"seq": 1}] * 5] * 20
        for each in sockets:
            each.close()


# ---- The template


def test_the_templates_option_turns_all_of_it_off() -> None:
    on, off = read_template(), read_template(parameters={"LiveUpdates": "off"})

    def nothing(_: str, __: Mapping[str, object]) -> object:
        return None

    assert make_site(on, url="http://127.0.0.1:1", invoke=nothing) is not None
    assert make_site(off, url="http://127.0.0.1:1", invoke=nothing) is None
    assert defaults(off, "http://127.0.0.1:1") == {}
    assert defaults(on, "http://127.0.0.1:1") == {
        "LIVE_PUBLISH_URL": "http://127.0.0.1:1/_live/event",
        "LIVE_SOCKET_URL": "ws://127.0.0.1:1/_live/event/realtime",
    }
