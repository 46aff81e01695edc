"""Paths that are encoded, doubled or bent: none leads around a scope, and none breaks anything."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.gateway import Gateway
from local.wire import Answer, Request
from simulation.hostile.target import Target
from tests.support.keys import issue
from tests.support.requests import ASKS
from tollkeeper.edge.routes import ROUTES

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "get", "post", "")


def send(gateway: Gateway, method: str, target: str, bearer: str, body: bytes = b"") -> Answer:
    """What the gateway answers."""
    headers = (
        ("host", "localhost"),
        ("authorization", f"Bearer {bearer}"),
        ("content-type", "application/json"),
        ("idempotency-key", "bent-1"),
    )
    return gateway.respond(
        Request(
            method=method,
            target=target,
            protocol="HTTP/1.1",
            headers=headers,
            body=body,
            source_ip="127.0.0.1",
        )
    )


def bent(path: str) -> Iterator[str]:
    """The path in other spellings."""
    head, _, tail = path.rpartition("/")
    yield from (path, path + "/", "/" + path, path + "//", path.upper(), path + "?", path + "%20")
    yield from (f"{head}//{tail}", f"{head}/./{tail}", f"{head}/x/../{tail}", f"{head}%2F{tail}")
    yield from (f"{head}%2f{tail}", f"{head}%252F{tail}", f"{head}\\{tail}", f"{head}%5C{tail}")
    yield from (f"{path}%00", f"{path}%23", f"{path}%3F", f"{path};a=b", f"{path}%0d%0aX: y")
    yield from (f"/v1/check/..{path[3:]}", f"/v1/check%2F..%2F{tail}", f"/v1/check;{path}")
    yield from (f"http://localhost{path}", path.replace("v1", "%76%31"), path.replace("/", "/%2e/"))
    yield from (path + "%ff", path + "%", path + "%zz", path + "\u00ff", "/" + "a" * 5000)


def all_paths() -> dict[str, None]:
    """Every route's path, with good ids, in every spelling; each once."""
    found: dict[str, None] = {}
    for route, asks in ASKS.items():
        path = route.partition(" ")[2].format(**asks.path)
        found |= dict.fromkeys(bent(path))
    return found


def test_no_spelling_of_a_path_gets_around_a_scope(target: Target, gateway: Gateway) -> None:
    bearer = issue(target.driver, "check")
    body = json.dumps({"reason": "r", "amount": 1}).encode()
    target.commits.clear()

    for path in all_paths():
        for method in METHODS:
            answer = send(gateway, method, path, bearer, body)
            assert answer.status in (400, 401, 403, 404, 422), (method, path, answer)
    assert target.commits == []


def test_no_spelling_of_a_path_breaks_anything(target: Target, gateway: Gateway) -> None:
    statuses: set[int] = set()

    for path in all_paths():
        for method in ("GET", "POST", "PUT", "DELETE"):
            target.commits.clear()
            answer = send(gateway, method, path, target.key, b'{"reason": "r"}')
            statuses.add(answer.status)
            assert answer.status < 500, (method, path, answer)
            if answer.status >= 300 or method == "GET":
                assert target.commits == [], (method, path)
            target.take_back()

    assert statuses == {200, 400, 404, 409, 422}


@pytest.mark.parametrize(
    ("encoded", "status"),
    [
        ("user_1", 200),
        ("%75ser_1", 200),
        ("auth0%7Cabc", 200),
        ("user_1%23A", 422),
        ("user_1%7Eopen", 422),
        ("user_1%00", 422),
        ("user_1%0A", 422),
        ("user%201", 422),
        ("user+1", 422),
        ("%FF", 422),
        ("%C3%A9", 422),
        ("user_1%2523", 422),
        ("%2E%2E", 200),
        ("x" * 129, 422),
        ("", 404),
    ],
)
def test_an_id_is_decoded_once_and_judged(
    target: Target, gateway: Gateway, encoded: str, status: int
) -> None:
    answer = send(gateway, "GET", f"/v1/accounts/{encoded}", target.key)

    assert answer.status == status, answer
    if status == 200:
        assert json.loads(answer.body)["account"] in ("user_1", "auth0|abc", "..")


@pytest.mark.parametrize("route", [r for r, asks in ASKS.items() if asks.path and asks.model])
def test_a_slash_in_an_id_leads_to_no_route_of_another_scope(
    target: Target, gateway: Gateway, route: str
) -> None:
    """What API Gateway decodes into a longer path is judged as the route that it then is."""
    needed = ROUTES[route].scope
    bearer = issue(target.driver, *({"check", "read", "purchase", "report"} - {needed}))
    target.commits.clear()
    method, path = route.split(" ")
    asks = ASKS[route]
    whole = path.format(**asks.path).replace("/v1/accounts/", "/v1/accounts%2F")

    for spelling in (whole, whole.replace("_1/", "_1%2F"), whole.replace("_1/", "_1%252F")):
        answer = send(gateway, method, spelling, bearer, asks.raw().encode())
        assert answer.status in (403, 404, 422), (spelling, answer)

    assert target.commits == []
