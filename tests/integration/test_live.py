"""Live updates through the real functions: what is published, and who is let in to hear it."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_notify import record, records_of, rows_of
from tests.support.driving import Driver, FakeContext, load
from tests.support.forgetting import forget
from tests.support.keys import issue
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.live import OVERLAP_S, channels_at

EVENTS = Path(__file__).parents[2] / "events"
ROUTE = "GET /v1/accounts/{id}/live"
SOCKET = "wss://x.appsync-realtime-api.eu-west-1.amazonaws.com/event/realtime"


@dataclass
class FakeEventApi:
    """AppSync's way in on loopback: takes what is signed, or answers as it is told."""

    status: int = 200
    refuses: set[str] = field(default_factory=set[str])
    delay_s: float = 0
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    url: str = ""

    @property
    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Channels and news, in the order in which they came."""
        return [
            (each["channel"], json.loads(text)) for each in self.asked for text in each["events"]
        ]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What it says to a request."""
        time.sleep(self.delay_s)
        self.asked.append(body)
        if self.status != 200:
            return self.status, {"errors": [{"errorType": "UnauthorizedException"}]}
        if body["channel"] in self.refuses:
            return 200, {"successful": [], "failed": [{"index": 0, "code": 400}]}
        return 200, {"successful": [{"identifier": "i", "index": 0}], "failed": []}


@contextmanager
def serving(api: FakeEventApi) -> Generator[None]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            api.headers.append({name.lower(): text for name, text in self.headers.items()})
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer = api.answer(json.loads(body))
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}/event"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def event_api(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEventApi]:
    """An event API in the place of AppSync's."""
    driver.clock.forward(minutes=30)
    api = FakeEventApi()
    with serving(api):
        monkeypatch.setenv("LIVE_PUBLISH_URL", api.url)
        monkeypatch.setenv("LIVE_SOCKET_URL", SOCKET)
        forget()
        yield api


def publish(records: list[dict[str, Any]], **context: Any) -> list[int]:
    """The sequence numbers that the function reports as failed."""
    event = json.loads(json.dumps({"Records": records}))
    answer = load("live").handler(event, FakeContext(**context))
    assert set(answer) == {"batchItemFailures"}
    return [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]


def channel_of(driver: Driver, account: str) -> str:
    return channels_at(AccountId(account), driver.clock.now())[0]


# ---- Publishing


def test_s1_1_the_last_balance_of_each_account_of_a_batch_is_told_once(
    driver: Driver, event_api: FakeEventApi
) -> None:
    for account in ("ada", "bob|1@x.example:2"):
        driver.grant(account, 100, f"g-{account[:3]}")
        last = driver.deduct(account, "sms", f"d-{account[:3]}", quantity=3)
    rows = rows_of("ada") + rows_of("bob|1@x.example:2")
    records = [record(row, number) for number, row in enumerate(rows, 1)]

    assert publish(records) == []

    assert sorted(event_api.told) == sorted(
        (channel_of(driver, account), {"available": 112, "seq": last["seq"], "kind": "charge"})
        for account in ("ada", "bob|1@x.example:2")
    )


def test_a_request_is_signed_by_the_functions_role(driver: Driver, event_api: FakeEventApi) -> None:
    driver.deduct("ada", "sms", "d1")

    publish(records_of("ada"))

    (sent,) = event_api.headers
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
    assert "/eu-west-1/appsync/aws4_request" in sent["authorization"]
    assert "content-type" in sent["authorization"] and "host" in sent["authorization"]
    assert sent["content-type"] == "application/json"


def test_news_says_the_balance_and_nothing_of_what_was_run(
    driver: Driver, event_api: FakeEventApi
) -> None:
    driver.deduct("ada", "sms", "secret-key", metadata={"prompt": "a secret"}, feature="private")

    publish(records_of("ada"))

    assert "secret" not in json.dumps(event_api.asked) and "private" not in str(event_api.asked)
    assert "ada" not in json.dumps(event_api.asked)


def test_at_the_beginning_of_an_hour_the_last_hours_channel_is_told_too(
    driver: Driver, event_api: FakeEventApi
) -> None:
    old = channel_of(driver, "ada")
    driver.clock.forward(minutes=30, seconds=OVERLAP_S - 1)
    driver.deduct("ada", "sms", "d1")

    publish(records_of("ada"))

    assert [channel for channel, _ in event_api.told] == [channel_of(driver, "ada"), old]
    driver.clock.forward(seconds=1)
    event_api.asked.clear()
    publish(records_of("ada"))
    assert [channel for channel, _ in event_api.told] == [channel_of(driver, "ada")]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_what_is_refused_is_reported_by_its_last_row(
    driver: Driver, event_api: FakeEventApi, status: int
) -> None:
    event_api.status = status
    driver.deduct("ada", "sms", "d1")
    driver.deduct("ada", "sms", "d2")

    assert publish(records_of("ada")) == [3]


def test_one_account_that_fails_keeps_no_other_from_its_news(
    driver: Driver, event_api: FakeEventApi
) -> None:
    event_api.refuses = {channel_of(driver, "ada")}
    driver.deduct("ada", "sms", "a1")
    driver.deduct("bob", "sms", "b1")
    records = [*records_of("ada"), *(record(row, n) for n, row in enumerate(rows_of("bob"), 10))]

    assert publish(records) == [2]

    assert channel_of(driver, "bob") in [channel for channel, _ in event_api.told]


def test_nobody_who_answers_holds_the_stream_up_for_long(
    driver: Driver, event_api: FakeEventApi
) -> None:
    event_api.delay_s = 4
    driver.deduct("ada", "sms", "d1")
    began = time.monotonic()

    assert publish(records_of("ada")) == [2]

    assert time.monotonic() - began < 3


def test_without_time_nothing_is_sent_and_all_is_reported(
    driver: Driver, event_api: FakeEventApi
) -> None:
    driver.deduct("ada", "sms", "d1")

    assert publish(records_of("ada"), remaining_ms=3_000) == [2]

    assert event_api.asked == []


def test_nobody_there_is_reported_too(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_PUBLISH_URL", "http://127.0.0.1:9/event")
    forget()
    driver.deduct("ada", "sms", "d1")

    assert publish(records_of("ada")) == [2]


def test_a_row_that_cannot_be_read_is_left_out(driver: Driver, event_api: FakeEventApi) -> None:
    driver.deduct("ada", "sms", "d1")
    records = records_of("ada")
    broken = json.loads(json.dumps(records[-1]))
    broken["dynamodb"]["NewImage"]["sv"] = {"N": "99"}

    assert publish([broken]) == []
    assert event_api.asked == []
    assert publish([broken, *records]) == []
    assert [news["seq"] for _, news in event_api.told] == [2]


def test_other_records_of_the_stream_are_no_news(driver: Driver, event_api: FakeEventApi) -> None:
    driver.deduct("ada", "sms", "d1")
    (row, *_) = rows_of("ada")
    other = {**row, "sk": {"S": "A"}}

    assert publish([record(other, 1), record(row, 2, kind="MODIFY")]) == []

    assert event_api.asked == []


def test_the_recorded_event_is_told(driver: Driver, event_api: FakeEventApi) -> None:
    event = json.loads((EVENTS / "live.stream.json").read_text(encoding="utf-8"))

    assert publish(event["Records"]) == []

    news = {"available": 98.5, "seq": 3, "kind": "charge"}
    assert event_api.told == [(channel_of(driver, "user_1"), news)]


# ---- Where it is heard


def test_a_page_is_told_socket_channel_and_how_long_they_hold(
    driver: Driver, event_api: FakeEventApi
) -> None:
    answer = driver.call(ROUTE, path={"id": "ada"})

    assert (answer["url"], answer["protocol"]) == (SOCKET, "aws-appsync-event-ws")
    assert answer["host"] == event_api.url.split("/")[2]
    assert answer["channel"] == channel_of(driver, "ada")
    assert 1_800 < answer["expires_in_s"] <= 1_800 + OVERLAP_S
    assert driver.entries("ada") == []


def test_a_stack_without_it_says_so(driver: Driver) -> None:
    answer = driver.call(ROUTE, path={"id": "ada"})

    assert [answer[name] for name in ("url", "host", "channel", "expires_in_s")] == [None] * 4


def test_it_never_holds_longer_than_the_token(driver: Driver, event_api: FakeEventApi) -> None:
    token = mint(driver, "ada", expires_in_s=120)

    answer = as_user(driver, token, "me")

    assert answer["expires_in_s"] <= 120
    assert answer["account"] == "ada"


# ---- Who may hear it


def mint(driver: Driver, account: str, **members: Any) -> str:
    """A customer token, minted by a key that may."""
    key = issue(driver, "token")
    body = {"account": account, **members}
    event = driver.event("POST /v1/tokens", body)
    principal = f"service:{key.split('_')[2]}"
    event["requestContext"]["authorizer"]["lambda"]["principal"] = principal
    answer = load("admin").handler(event, FakeContext())
    assert answer["statusCode"] == 201, answer
    token: str = json.loads(answer["body"])["token"]
    return token


def as_user(driver: Driver, token: str, account: str) -> dict[str, Any]:
    """What the account's own user is answered."""
    asked = driver.event(ROUTE, path={"id": account})
    event: dict[str, Any] = {**asked, "headers": {"authorization": f"Bearer {token}"}}
    allowed = load("authorizer").handler({**event, "type": "REQUEST"}, None)
    assert allowed["isAuthorized"] is True
    event["requestContext"]["authorizer"]["lambda"] = allowed["context"]
    answer: dict[str, Any] = json.loads(load("account").handler(event, FakeContext())["body"])
    return answer


def may(token: str | None, operation: str, channel: str | None = None) -> bool:
    """What live_access answers to AppSync."""
    event: dict[str, Any] = json.loads(
        (EVENTS / "live_access.connect.json").read_text(encoding="utf-8")
    )
    event["authorizationToken"] = token
    event["requestContext"]["operation"] = operation
    if channel is not None:
        event["requestContext"] |= {"channel": channel, "channelNamespaceName": "accounts"}
    answer = load("live_access").handler(event, FakeContext())
    assert answer == {"isAuthorized": answer["isAuthorized"], "ttlOverride": 0}
    return bool(answer["isAuthorized"])


def test_a_user_hears_the_own_account_and_nothing_else(driver: Driver) -> None:
    driver.clock.forward(minutes=30)
    token = mint(driver, "ada")
    own = channel_of(driver, "ada")
    others = [
        channel_of(driver, "bob"),
        "/accounts/*",
        "/*",
        "/accounts/" + "0" * 40,
        own + "/x",
        own[:-1],
        own.replace("accounts", "other"),
        "",
    ]

    assert may(token, "EVENT_CONNECT")
    assert may(token, "EVENT_SUBSCRIBE", own)
    assert may(token, "EVENT_SUBSCRIBE", own.removeprefix("/"))
    assert may(f"Bearer {token}", "EVENT_SUBSCRIBE", own)
    assert not any(may(token, "EVENT_SUBSCRIBE", channel) for channel in others)
    assert not may(token, "EVENT_SUBSCRIBE")


def test_a_channel_of_another_hour_is_closed(driver: Driver) -> None:
    driver.clock.forward(minutes=59)
    token = mint(driver, "ada", expires_in_s=3600)
    old = channel_of(driver, "ada")
    driver.clock.forward(minutes=1)

    assert may(token, "EVENT_SUBSCRIBE", old)
    driver.clock.forward(seconds=OVERLAP_S)
    assert not may(token, "EVENT_SUBSCRIBE", old)
    assert may(token, "EVENT_SUBSCRIBE", channel_of(driver, "ada"))


@pytest.mark.parametrize("operation", ["EVENT_PUBLISH", "", "event_connect", "EVENT_SUBSCRIBE "])
def test_every_other_operation_is_denied(driver: Driver, operation: str) -> None:
    token = mint(driver, "ada")

    assert not may(token, operation, channel_of(driver, "ada"))


def test_an_expired_token_is_let_in_nowhere(driver: Driver) -> None:
    token = mint(driver, "ada", expires_in_s=60)
    driver.clock.forward(seconds=61)

    assert not may(token, "EVENT_CONNECT")
    assert not may(token, "EVENT_SUBSCRIBE", channel_of(driver, "ada"))


def test_a_token_dies_with_the_key_that_minted_it(driver: Driver) -> None:
    token = mint(driver, "ada")
    (found,) = driver.call("GET /v1/keys")["keys"]
    driver.call("DELETE /v1/keys/{key_id}", path={"key_id": found["key_id"]})

    assert not may(token, "EVENT_CONNECT")


@pytest.mark.parametrize("token", [None, "", "Bearer ", "x", "tkc_dev_x.y", "tk_dev_0_0", 7, ["a"]])
def test_who_is_not_known_is_denied(driver: Driver, token: Any) -> None:
    assert not may(token, "EVENT_CONNECT")
    assert not may(token, "EVENT_SUBSCRIBE", channel_of(driver, "ada"))


def test_a_service_key_that_reads_hears_any_account_by_its_channel(driver: Driver) -> None:
    reads, charges = issue(driver, "read"), issue(driver, "deduct", key="k2")

    assert may(reads, "EVENT_SUBSCRIBE", channel_of(driver, "ada"))
    assert not may(reads, "EVENT_SUBSCRIBE", "/accounts/*")
    assert not may(reads, "EVENT_PUBLISH", channel_of(driver, "ada"))
    assert not may(charges, "EVENT_CONNECT")


def test_an_event_without_its_parts_is_denied(driver: Driver) -> None:
    handler = load("live_access").handler

    events: list[dict[str, Any]] = [
        {},
        {"requestContext": None},
        {"authorizationToken": "x", "requestContext": {}},
    ]
    for event in events:
        assert handler(event, FakeContext())["isAuthorized"] is False


@pytest.mark.parametrize("name", ["connect", "subscribe", "pattern", "forged"])
def test_the_recorded_events_are_judged(driver: Driver, name: str) -> None:
    path = EVENTS / f"live_access.{name}.json"
    event = json.loads(path.read_text(encoding="utf-8"))
    event["authorizationToken"] = issue(driver, "read") if name != "forged" else "tk_dev_x_y"

    answer = load("live_access").handler(event, FakeContext())

    assert answer["isAuthorized"] is (name in ("connect", "subscribe"))
