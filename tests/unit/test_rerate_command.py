"""`make rerate`: every charge that waits and has a price by now is priced anew, through the API."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.rerate import ApiError, key_of, main, send_http
from tollkeeper.domain.entries import ID_PATTERN

ASKED = ["--url", "https://api/", "--reason", "gpt-9 has a price"]


def charge(account: str, key: str, model: str = "gpt-9") -> dict[str, Any]:
    return {"account": account, "key": key, "model": model}


@dataclass
class Stack:
    """An API with charges that wait, and what it answers for each."""

    charges: list[dict[str, Any]]
    answers: dict[str, tuple[int, dict[str, Any]]] = field(
        default_factory=dict[str, "tuple[int, dict[str, Any]]"]
    )
    busy: int = 0
    sent: list[tuple[str, str, Mapping[str, str], bytes | None]] = field(default_factory=list[Any])

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        """What it answers."""
        self.sent.append((method, url, headers, body))
        if self.busy:
            self.busy -= 1
            return 503, {"code": "busy"}
        if method == "GET":
            page = int(url.partition("cursor=")[2] or "0")
            more = str(page + 1) if page + 1 < len(self.charges) else None
            return 200, {"charges": self.charges[page : page + 1], "next_cursor": more}
        key = re.split("/", url)[-2]
        done = {"before": Decimal(5), "price": Decimal("0.9")}
        return self.answers.get(key, (200, done))

    def posted(self) -> list[str]:
        """The addresses that were posted to."""
        return [url for method, url, _, _ in self.sent if method == "POST"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, and no waiting."""
    monkeypatch.setenv("TOLLKEEPER_KEY", "tk_live_secret")
    monkeypatch.setattr("local.rerate.time.sleep", print)


def test_every_page_is_worked_off(capsys: pytest.CaptureFixture[str]) -> None:
    stack = Stack([charge("ada", "k1"), charge("auth0|7", "h~h1~settle")])

    assert main(ASKED, send=stack.send) == 0

    assert stack.posted() == [
        "https://api/v1/accounts/ada/entries/k1/rerate",
        "https://api/v1/accounts/auth0%7C7/entries/h~h1~settle/rerate",
    ]
    said = capsys.readouterr().out
    assert "ada k1 gpt-9: 5 -> 0.9" in said
    assert said.endswith("2 charges were priced anew, 0 still wait\n")
    _, _, headers, body = stack.sent[-1]
    assert headers["authorization"] == "Bearer tk_live_secret"
    assert json.loads(body or b"") == {"reason": "gpt-9 has a price"}


def test_a_charge_has_the_same_key_each_time_and_two_have_two() -> None:
    one, other = charge("a", "b" * 128), charge("a" * 128, "b")

    assert key_of(one) == key_of(dict(one)) != key_of(other)
    assert ID_PATTERN.fullmatch(key_of(one))


def test_what_has_no_price_yet_waits_on(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = (409, {"code": "still_unknown", "detail": "no"})
    gone = (409, {"code": "already_refunded", "detail": "no"})
    stack = Stack([charge("ada", "k1"), charge("ada", "k2")], {"k1": unknown, "k2": gone})

    assert main(ASKED, send=stack.send) == 0

    assert capsys.readouterr().out == "0 charges were priced anew, 1 still wait\n"


def test_a_refusal_is_named_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    broken = (500, {"code": "internal", "detail": "our mistake"})
    stack = Stack([charge("ada", "k1"), charge("ada", "k2")], {"k1": broken})

    assert main(ASKED, send=stack.send) == 1

    said = capsys.readouterr()
    assert "ada k1 gpt-9: internal our mistake" in said.err
    assert "1 charges were priced anew" in said.out


def test_a_busy_api_is_asked_again_with_the_same_key() -> None:
    stack = Stack([charge("ada", "k1")], busy=2)

    assert main(ASKED, send=stack.send) == 0

    assert len(stack.sent) == 4


def test_a_key_without_the_scope_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    def forbid(*_: object) -> tuple[int, dict[str, Any]]:
        return 403, {"detail": "This needs a key with the scope 'admin'."}

    assert main(ASKED, send=forbid) == 2

    assert "scope 'admin'" in capsys.readouterr().err


def test_without_a_key_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLKEEPER_KEY")

    with pytest.raises(SystemExit):
        main(ASKED)


class Answering(BaseHTTPRequestHandler):
    """One good answer, one problem and one that is no JSON."""

    def do_GET(self) -> None:
        """The answer that the path asks for."""
        status, text = {
            "/good": (200, '{"price": 0.1}'),
            "/bad": (409, '{"code": "still_unknown"}'),
            "/html": (502, "<html>"),
            "/broken": (200, "<html>"),
        }[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


def test_over_http_a_problem_is_an_answer_and_silence_is_an_error() -> None:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"

    try:
        assert send_http("GET", url + "/good", {}, None) == (200, {"price": Decimal("0.1")})
        assert send_http("GET", url + "/bad", {}, None) == (409, {"code": "still_unknown"})
        assert send_http("GET", url + "/html", {}, None) == (502, {})
        with pytest.raises(ApiError):
            send_http("GET", url + "/broken", {}, None)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(ApiError, match="does not answer"):
        send_http("GET", url + "/good", {}, None)
