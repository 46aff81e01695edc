"""Service keys as callers have them, and what the authorizer says about them."""

from __future__ import annotations

from typing import Any

from tests.support.driving import Driver, FakeContext, load


def issue(driver: Driver, *scopes: str, key: str = "", **members: Any) -> str:
    """The text of a fresh key with these scopes."""
    body = {"name": "test", "scopes": list(scopes), **members}
    answer = driver.call("POST /v1/keys", body, key=key or f"issue-{driver.requests}")
    assert answer.status == 201, answer.text
    return str(answer["key"])


def authorizer_event(route_key: str, authorization: str | None) -> dict[str, Any]:
    """What API Gateway asks the authorizer (payload 2.0)."""
    method, _, path = route_key.partition(" ")
    headers = {} if authorization is None else {"authorization": authorization}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:api/$default/" + method + path,
        "identitySource": [authorization or "", route_key],
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}, "routeKey": route_key},
        "pathParameters": {},
    }


def ask(route_key: str, authorization: str | None) -> dict[str, Any]:
    """The authorizer's answer about this header on this route."""
    event = authorizer_event(route_key, authorization)
    answer: dict[str, Any] = load("authorizer").handler(event, FakeContext())
    return answer


def is_let_in(route_key: str, text: str) -> bool:
    """The key opens the route."""
    return ask(route_key, f"Bearer {text}")["isAuthorized"] is True
