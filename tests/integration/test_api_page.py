"""docs/api.md cannot lie: its examples are sent, and its tables are the code's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.driving import Driver
from tests.support.keys import issue
from tests.support.payments import FakeStripe
from tests.support.requests import ASKS
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.edge.answers import WARNINGS
from tollkeeper.edge.routes import API_ROUTES, SCOPES, SIGNATURE

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^### `(.+)`$", re.MULTILINE)
WILD = "…"


@dataclass(frozen=True)
class Message:
    """One fenced block: its first line, its headers and its body."""

    line: str
    headers: dict[str, str]
    body: str


def read_message(block: str) -> Message:
    """The block as HTTP reads it."""
    head, _, body = block.partition("\n\n")
    line, *headers = head.splitlines()
    pairs = (header.partition(": ") for header in headers)
    return Message(line, {name.lower(): value for name, _, value in pairs}, body.strip())


def examples() -> list[tuple[Message, Message]]:
    """Each request with its answer, in the page's order."""
    messages = [read_message(block) for block in BLOCK.findall(PAGE)]
    assert len(messages) % 2 == 0
    return list(zip(messages[::2], messages[1::2], strict=True))


def find_route(line: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The route of a request line, with its path's and query's members."""
    method, target = line.split(" ")
    parts = urlsplit(target)
    for route in API_ROUTES:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.partition(" ")[2])
        found = re.fullmatch(pattern, parts.path)
        if found and route.startswith(method + " "):
            return route, found.groupdict(), dict(parse_qsl(parts.query))
    raise AssertionError(f"no route for {line}")


def assert_like(shown: Any, real: Any, where: str) -> None:
    """The page shows what is real; `…` in a text stands for anything, as a last member for more."""
    if isinstance(shown, dict):
        members, found = cast("dict[str, Any]", shown), cast("dict[str, Any]", real)
        assert set(members) == set(found), where
        for name, value in members.items():
            assert_like(value, found[name], f"{where}.{name}")
    elif isinstance(shown, list):
        rows, given = cast("list[Any]", shown), cast("list[Any]", real)
        if rows and rows[-1] == WILD:
            rows = rows[:-1]
            given = given[: len(rows)]
        assert len(rows) == len(given), where
        for number, (one, other) in enumerate(zip(rows, given, strict=True)):
            assert_like(one, other, f"{where}[{number}]")
    elif isinstance(shown, str) and WILD in shown:
        pattern = ".*".join(re.escape(part) for part in shown.split(WILD))
        assert re.fullmatch(pattern, str(real), re.DOTALL), (where, real)
    else:
        assert shown == real, where


@pytest.fixture
def sender(driver: Driver, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A stack that sends its customers back to the page's own app."""
    assert stripe, "nothing goes to the real one"
    monkeypatch.setenv("RETURN_URLS", "https://app.example.com")
    return driver


def test_every_example_is_answered_as_the_page_shows(sender: Driver) -> None:
    bearer = f"Bearer {issue(sender, 'read', key='page')}"

    for request, answer in examples():
        route, path, query = find_route(request.line)
        headers = request.headers | {"authorization": bearer}
        key = headers.pop("idempotency-key", None)
        raw = request.body or None

        real = sender.call(route, raw=raw, path=path, query=query, key=key, headers=headers)

        assert f"HTTP/1.1 {real.status}" == answer.line, (request.line, real.text)
        for name, value in answer.headers.items():
            assert real.headers[name] == value, (request.line, name)
        if "csv" in real.headers["content-type"]:
            assert real.text.replace("\r\n", "\n").strip() == answer.body
        else:
            shown = json.loads(answer.body, parse_float=Decimal)
            assert_like(shown, real.body, request.line)


def test_every_route_has_its_section_and_no_other_route_has_one() -> None:
    assert sorted(HEADING.findall(PAGE)) == sorted(API_ROUTES)


def sections() -> dict[str, str]:
    """What the page says about each route; neighbours under one text share it."""
    parts = HEADING.split(PAGE)[1:]
    found: dict[str, str] = {}
    waiting: list[str] = []
    for route, text in zip(parts[::2], parts[1::2], strict=True):
        waiting.append(route)
        if text.strip():
            found |= dict.fromkeys(waiting, text.partition("\n## ")[0])
            waiting = []
    return found


def test_every_member_of_every_request_is_explained() -> None:
    said = sections()
    for same in ("POST /v1/estimate", "POST /v1/deduct"):
        said[same] = said["POST /v1/check"]
    for step in ("POST /v1/holds", "POST /v1/holds/{hold_id}/settle"):
        said[step] += said["POST /v1/check"]
    for route, asks in ASKS.items():
        names = [*asks.members, *(name for name in asks.query if name != "unknown")]
        for name in names:
            assert f"`{name}`" in said[route] or f'"{name}"' in said[route], (route, name)


def test_the_table_of_scopes_is_the_one_in_force() -> None:
    for scope in SCOPES:
        routes = [key for key, route in API_ROUTES.items() if route.scope == scope]
        row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{scope}` |")), "")
        assert bool(row) == bool(routes), scope
        for route in routes:
            last = "/" + route.rpartition("/")[2]
            assert route in row or last in row, (scope, route)
    assert [route.scope for route in API_ROUTES.values()].count(SIGNATURE) == 1


def test_the_page_names_every_kind_status_outcome_and_warning() -> None:
    for words in (EntryKind, PurchaseStatus, PaymentOutcome):
        for word in words:
            assert f"`{word.value}`" in PAGE, word
    assert "`low_balance`" in PAGE
    assert "low_balance" in WARNINGS


def test_s3_01_every_endpoint_of_the_other_system_is_mapped_to_one_of_ours() -> None:
    mapping = dict(re.findall(r"^\| `(\w+ /api/credits/\w+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE))

    assert set(mapping) == {
        "GET /api/credits/balance",
        "POST /api/credits/checkout",
        "POST /api/credits/use",
        "GET /api/credits/packages",
        "GET /api/credits/transactions",
        "POST /api/credits/webhook",
    }
    assert set(mapping.values()) <= set(API_ROUTES)
