"""Calling the real handlers as API Gateway would, and looking at what they left."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

from tollkeeper.edge import wiring
from tollkeeper.edge.routes import ROUTES, SCOPES
from tollkeeper.store.ledger import Ledger


class FakeClock:
    """A clock that stands still until it is moved. Waiting moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def monotonic_s(self) -> float:
        """Seconds since the epoch."""
        return self.moment.timestamp()

    def pause(self, seconds: float) -> None:
        """The clock goes on by whole milliseconds."""
        self.forward(milliseconds=max(1, round(seconds * 1000)))

    def forward(self, **span: float) -> None:
        """The clock goes on."""
        self.moment += timedelta(**span)


@dataclass(frozen=True)
class Answered:
    """What a handler answered. `body` has exact numbers."""

    status: int
    body: Any
    headers: dict[str, str]
    text: str

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass
class FakeContext:
    """What Lambda passes beside the event."""

    function_name: str = "test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
    remaining_ms: int = 15_000

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the time."""
        return self.remaining_ms


def load(function: str) -> ModuleType:
    """The function's handler module."""
    return importlib.import_module(f"functions.{function}.handler")


@dataclass
class Driver:
    """Somebody who calls routes with a key of certain scopes, and checks every answer."""

    clock: FakeClock
    scopes: frozenset[str] = SCOPES
    requests: int = field(default=0)
    check_answer: Callable[[str, Answered], object] | None = None

    def call(
        self,
        route_key: str,
        body: Any = None,
        *,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: str | None = None,
    ) -> Answered:
        """What the route's function answers to this request."""
        event = self.event(
            route_key, body, path=path, query=query, key=key, headers=headers, raw=raw
        )
        answer = read_answer(load(ROUTES[route_key].function).handler(event, FakeContext()))
        if self.check_answer is not None:
            self.check_answer(route_key, answer)
        return answer

    def event(
        self,
        route_key: str,
        body: Any = None,
        *,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: str | None = None,
    ) -> dict[str, Any]:
        """The event that API Gateway sends for the request."""
        self.requests += 1
        method, pattern = route_key.split(" ")
        raw_path = pattern
        for name, value in (path or {}).items():
            raw_path = raw_path.replace("{" + name + "}", value)
        sent = {"content-type": "application/json", **(headers or {})}
        if key is not None:
            sent["idempotency-key"] = key
        text = raw if raw is not None else None if body is None else json.dumps(body, default=float)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": raw_path,
            "rawQueryString": "",
            "headers": sent,
            "requestContext": {
                "http": {"method": method, "path": raw_path, "sourceIp": "127.0.0.1"},
                "requestId": f"request-{self.requests}",
                "stage": "$default",
                "authorizer": {
                    "lambda": {
                        "principal": "service:test",
                        "scopes": " ".join(sorted(self.scopes)),
                        "expires_at": "",
                    }
                },
            },
            "isBase64Encoded": False,
        }
        if path:
            event["pathParameters"] = path
        if query:
            event["queryStringParameters"] = query
        if text is not None:
            event["body"] = text
        return event

    # What tests do most, in words.

    def grant(self, account: str, amount: object, key: str = "g1", **members: Any) -> Answered:
        """Credits for the account."""
        body = {"amount": amount, "reason": "test", **members}
        return self.call("POST /v1/accounts/{id}/grants", body, path={"id": account}, key=key)

    def deduct(self, account: str, operation: str, key: str, **members: Any) -> Answered:
        """A charge."""
        body = {"account": account, "operation": operation, **members}
        return self.call("POST /v1/deduct", body, key=key)

    def check(self, account: str, operation: str, **members: Any) -> Answered:
        """May the account?"""
        return self.call("POST /v1/check", {"account": account, "operation": operation, **members})

    def void(self, account: str, charge: str, key: str) -> Answered:
        """A charge undone."""
        route = "POST /v1/accounts/{id}/entries/{key}/void"
        return self.call(route, path={"id": account, "key": charge}, key=key)

    def hold(self, account: str, operation: str, hold_id: str, **members: Any) -> Answered:
        """Credits set aside."""
        body = {"account": account, "operation": operation, "hold_id": hold_id, **members}
        return self.call("POST /v1/holds", body)

    def settle(
        self, account: str, hold_id: str, *, key: str | None = None, **members: Any
    ) -> Answered:
        """A hold settled, or with a key a part of it."""
        body = {"account": account, **members} | ({} if key is None else {"final": False})
        route = "POST /v1/holds/{hold_id}/settle"
        return self.call(route, body, path={"hold_id": hold_id}, key=key)

    def release(self, account: str, hold_id: str, **members: Any) -> Answered:
        """A hold given back."""
        body = {"account": account, **members}
        return self.call("POST /v1/holds/{hold_id}/release", body, path={"hold_id": hold_id})

    def account(self, account: str) -> Answered:
        """The account as its owner sees it."""
        return self.call("GET /v1/accounts/{id}", path={"id": account})

    def entries(self, account: str) -> list[dict[str, Any]]:
        """All rows, oldest first."""
        route = "GET /v1/accounts/{id}/entries"
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self.call(route, path={"id": account}, query=query)
            found += page["entries"]
            cursor = page["next_cursor"]
            if cursor is None:
                return sorted(found, key=lambda entry: entry["seq"])

    def stats(self, account: str, **query: str) -> Answered:
        """The account's stats."""
        return self.call("GET /v1/accounts/{id}/stats", path={"id": account}, query=query)


def read_answer(answer: dict[str, Any]) -> Answered:
    """The answer with its JSON read exactly."""
    sent: dict[str, str] = answer.get("headers") or {}
    headers = {name.lower(): str(value) for name, value in sent.items()}
    text = str(answer.get("body") or "")
    is_json = "json" in headers.get("content-type", "")
    body = json.loads(text, parse_float=Decimal) if is_json and text else text
    return Answered(int(answer["statusCode"]), body, headers, text)


def ledger_of_test() -> Ledger:
    """The table as the handlers see it."""
    return wiring.ledger()


def verify_ledger(driver: Driver, account: str) -> None:
    """A linear replay of the account's rows explains its balance, row by row."""
    entries = driver.entries(account)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    available = Decimal(0)
    for entry in entries:
        available += Decimal(entry["delta"])
        assert Decimal(entry["available_after"]) == available, entry
    assert Decimal(driver.account(account)["available"]) == available
