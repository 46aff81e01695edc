"""The route that answers is the one that API Gateway would choose."""

from __future__ import annotations

import pytest

from local.routing import RouteTable
from local.template import Route

KEYS = (
    "GET /v1/accounts/{id}",
    "GET /v1/accounts/{id}/entries",
    "GET /v1/accounts/{id}/entries/{key}",
    "POST /v1/accounts/{id}/entries/{key}/void",
    "GET /v1/accounts/me",
    "ANY /v1/accounts/{id}/plan",
    "PUT /v1/accounts/{id}/plan",
    "ANY /pages/{proxy+}",
    "GET /pages/about",
)


def make_table(keys: tuple[str, ...] = KEYS) -> RouteTable:
    return RouteTable(
        Route(
            route_key=key,
            method=key.split()[0],
            path=key.split()[1],
            function="account",
            authorizer=None,
        )
        for key in keys
    )


@pytest.mark.parametrize(
    ("method", "path", "route_key", "variables"),
    [
        ("GET", "/v1/accounts/u1", "GET /v1/accounts/{id}", {"id": "u1"}),
        ("GET", "/v1/accounts/a|b:c@d", "GET /v1/accounts/{id}", {"id": "a|b:c@d"}),
        ("GET", "/v1/accounts/me", "GET /v1/accounts/me", {}),
        ("GET", "/v1/accounts/me/entries", "GET /v1/accounts/{id}/entries", {"id": "me"}),
        (
            "POST",
            "/v1/accounts/u/entries/c~k/void",
            "POST /v1/accounts/{id}/entries/{key}/void",
            {"id": "u", "key": "c~k"},
        ),
        ("PUT", "/v1/accounts/u/plan", "PUT /v1/accounts/{id}/plan", {"id": "u"}),
        ("GET", "/v1/accounts/u/plan", "ANY /v1/accounts/{id}/plan", {"id": "u"}),
        ("GET", "/pages/about", "GET /pages/about", {}),
        ("POST", "/pages/about", "ANY /pages/{proxy+}", {"proxy": "about"}),
        ("GET", "/pages/a/b/c", "ANY /pages/{proxy+}", {"proxy": "a/b/c"}),
    ],
)
def test_the_most_exact_route_answers(
    method: str, path: str, route_key: str, variables: dict[str, str]
) -> None:
    match = make_table().match(method=method, path=path)

    assert match is not None
    assert match.route.route_key == route_key
    assert match.path_parameters == variables


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/v1/accounts/u1"),
        ("GET", "/v1/accounts/"),
        ("GET", "/v1/accounts//entries"),
        ("GET", "/v1/accounts/u1/"),
        ("GET", "/v1/accounts/u1/entries/a/b"),
        ("GET", "/V1/accounts/u1"),
        ("GET", "/pages/"),
        ("GET", "/pages"),
    ],
)
def test_what_no_route_names_is_not_found(method: str, path: str) -> None:
    assert make_table().match(method=method, path=path) is None
