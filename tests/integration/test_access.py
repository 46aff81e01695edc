"""Who may call what: the authorizer, and every function again for itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driving import Driver, FakeClock, FakeContext, load, read_answer
from tests.support.dumping import dump_table
from tests.support.faults import FaultyClient
from tests.support.keys import ask, authorizer_event, is_let_in, issue
from tests.support.payments import FakeStripe
from tests.support.requests import ASKS
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.edge import authorization
from tollkeeper.edge.routes import API_ROUTES, ROUTES, SCOPES, SIGNATURE
from tollkeeper.service.keys import STAGES

pytestmark = pytest.mark.moto

GUARDED = {key: route for key, route in API_ROUTES.items() if route.scope != SIGNATURE}
BY_CONTEXT = [key for key, route in GUARDED.items() if not route.asks_itself]
BY_ITSELF = [key for key, route in GUARDED.items() if route.asks_itself]
READ = "GET /v1/accounts/{id}"
DENIED: dict[str, Any] = {"isAuthorized": False, "context": {}}


def call(driver: Driver, route: str, **context: Any) -> Any:
    """The function's answer to a good request, with another authorizer context."""
    asks = ASKS[route]
    raw = asks.raw() if asks.model else None
    event = driver.event(route, raw=raw, path=dict(asks.path), key="access")
    event["requestContext"]["authorizer"] = {"lambda": context} if context else None
    return read_answer(load(ROUTES[route].function).handler(event, FakeContext()))


# ---- The authorizer


def test_s1_14_a_service_key_opens_a_route_of_its_scope(driver: Driver) -> None:
    text = issue(driver, "read", "check")

    answer = ask(READ, f"Bearer {text}")

    assert answer == {
        "isAuthorized": True,
        "context": {
            "principal": f"service:{text.split('_')[2]}",
            "scopes": "check read",
            "expires_at": "",
            "account": "",
        },
    }


@pytest.mark.parametrize("header", ["bearer {}", "BEARER {}", "Bearer  {}", " Bearer {} "])
def test_the_scheme_is_read_as_http_says(driver: Driver, header: str) -> None:
    text = issue(driver, "read")

    assert ask(READ, header.format(text))["isAuthorized"] is True


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Basic {}",
        "Token {}",
        "{}",
        "Bearer{}",
        "Bearer {} {}",
        "Bearer {},{}",
        "Bearer {}x",
        "Bearer x{}",
        "Bearer tk_",
        "Bearer tk_dev_",
        "Bearer tk_dev__",
        "Bearer tk_dev_a_b",
        "Bearer sk_live_abc_def",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer tk_dev_" + "x" * 5000,
        "Bearer tk_dev_é_é",
        "Bearer tk_dev_#_#",
        "Bearer null",
    ],
)
def test_what_is_no_key_of_ours_is_denied(driver: Driver, header: str | None) -> None:
    text = issue(driver, *SCOPES)

    answer = ask(READ, None if header is None else header.replace("{}", text))

    assert answer == DENIED


def test_an_event_without_headers_or_a_route_is_denied(driver: Driver) -> None:
    text = issue(driver, *SCOPES)
    event = authorizer_event(READ, f"Bearer {text}")
    handler = load("authorizer").handler

    changes: list[dict[str, Any]] = [
        {"headers": None},
        {"headers": {}},
        {"routeKey": ""},
        {"routeKey": None},
    ]
    for changed in changes:
        assert handler(event | changed, FakeContext()) == DENIED, changed
    for missing in ("headers", "routeKey"):
        cut = {name: value for name, value in event.items() if name != missing}
        assert handler(cut, FakeContext()) == DENIED, missing


def test_a_key_with_any_part_changed_is_denied(driver: Driver) -> None:
    text = issue(driver, "read")
    stage, (key_id, secret) = text[:6], text[7:].split("_", 1)
    other = issue(driver, "read")[7:].split("_", 1)[1]
    swapped = "b" if secret[-1] == "a" else "a"

    for forged in (
        f"{stage}_{key_id}_{other}",
        f"{stage}_{key_id}_{secret[:-1]}{swapped}",
        f"{stage}_{key_id}_{secret[:-1]}",
        f"{stage}_{key_id}_{secret.swapcase()}",
        f"{stage}_{key_id.upper()}_{secret}",
        f"{stage}_{key_id}",
        *(f"{name}_{key_id}_{secret}" for name in STAGES if name != stage),
    ):
        assert not is_let_in(READ, forged), forged
    assert is_let_in(READ, text)


def test_a_revoked_key_is_denied(driver: Driver) -> None:
    text = issue(driver, "read")
    driver.call("DELETE /v1/keys/{key_id}", path={"key_id": text.split("_")[2]})

    assert not is_let_in(READ, text)


def test_a_key_is_denied_from_the_moment_it_expires(driver: Driver, clock: FakeClock) -> None:
    text = issue(driver, "read", expires_at="2026-11-20T12:00:01Z")

    assert ask(READ, f"Bearer {text}")["context"]["expires_at"] == "2026-11-20T12:00:01+00:00"
    clock.forward(seconds=1)
    assert not is_let_in(READ, text)


@pytest.mark.parametrize(
    "route",
    [
        "GET /v1/nothing",
        "GET /v1/accounts/{id}/",
        "get /v1/accounts/{id}",
        "$default",
        "",
        "ANY /",
    ],
)
def test_a_route_without_a_row_is_denied_to_everybody(driver: Driver, route: str) -> None:
    assert not is_let_in(route, issue(driver, *SCOPES))


def test_the_webhooks_route_is_opened_by_no_key(driver: Driver) -> None:
    assert not is_let_in("POST /v1/webhooks/stripe", issue(driver, *SCOPES))


def test_every_route_is_opened_by_its_own_scope_and_by_no_other(driver: Driver) -> None:
    keys = {scope: issue(driver, scope) for scope in sorted(SCOPES)}

    for route_key, route in GUARDED.items():
        opens = {scope for scope, text in keys.items() if is_let_in(route_key, text)}
        assert opens == {route.scope}, route_key


def test_without_a_pepper_nobody_gets_in(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    text = issue(driver, *SCOPES)
    for pepper in (None, ""):
        authorization.gatehouse.cache_clear()
        if pepper is None:
            monkeypatch.delenv("KEY_PEPPER")
        else:
            monkeypatch.setenv("KEY_PEPPER", pepper)

        # The function fails, and API Gateway lets nobody through whose authorizer failed.
        with pytest.raises(TollkeeperError, match="KEY_PEPPER"):
            ask(READ, f"Bearer {text}")
    authorization.gatehouse.cache_clear()
    monkeypatch.setenv("KEY_PEPPER", "another pepper")
    assert not is_let_in(READ, text)


def test_while_the_table_does_not_answer_nobody_gets_in(
    driver: Driver, faults: FaultyClient
) -> None:
    text = issue(driver, *SCOPES)
    faults.forget()
    faults.plan[0] = "lost_before"

    with pytest.raises(TollkeeperError):
        ask(READ, f"Bearer {text}")
    assert is_let_in(READ, text)


# ---- The functions


@pytest.mark.parametrize("route", BY_CONTEXT)
def test_s3_12_a_function_answers_nobody_whom_the_authorizer_did_not_name(
    driver: Driver, route: str
) -> None:
    before = dump_table()

    for context in ({}, {"principal": ""}, {"scopes": " ".join(SCOPES)}, {"principal": None}):
        answer = call(driver, route, **context)

        assert (answer.status, answer["code"]) == (401, "unauthorized"), context
        assert answer.headers["content-type"] == "application/problem+json"
    assert dump_table() == before


@pytest.mark.parametrize("route", BY_CONTEXT)
def test_a_function_asks_for_its_routes_scope_itself(
    driver: Driver, stripe: FakeStripe, route: str
) -> None:
    before = dump_table()
    needed = ROUTES[route].scope

    for scope in sorted(SCOPES - {needed}):
        answer = call(driver, route, principal="service:x", scopes=scope)
        assert (answer.status, answer["code"]) == (403, "forbidden"), scope
        assert needed in answer["detail"]
    others = call(driver, route, principal="service:x", scopes=" ".join(SCOPES - {needed}))
    none = call(driver, route, principal="service:x", scopes="")
    assert (others.status, none.status) == (403, 403)
    assert dump_table() == before
    assert call(driver, route, principal="service:x", scopes=needed).status not in (401, 403)


@pytest.mark.parametrize("route", BY_CONTEXT)
def test_what_the_authorizer_cached_ends_with_the_key(
    driver: Driver, clock: FakeClock, stripe: FakeStripe, route: str
) -> None:
    scopes = " ".join(SCOPES)
    now, later = clock.now().isoformat(), "2026-11-20T12:00:00.001000+00:00"

    expired = call(driver, route, principal="service:x", scopes=scopes, expires_at=now)
    running = call(driver, route, principal="service:x", scopes=scopes, expires_at=later)

    assert (expired.status, expired["code"]) == (401, "unauthorized")
    assert running.status != 401


@pytest.mark.parametrize("route", BY_CONTEXT)
def test_who_may_not_call_a_route_learns_nothing_about_its_body(driver: Driver, route: str) -> None:
    event = driver.event(route, raw="{", path=dict(ASKS[route].path))
    handler = load(ROUTES[route].function).handler

    event["requestContext"]["authorizer"] = None
    assert read_answer(handler(event, FakeContext())).status == 401
    event["requestContext"]["authorizer"] = {"lambda": {"principal": "x", "scopes": "nothing"}}
    assert read_answer(handler(event, FakeContext())).status == 403


@pytest.mark.parametrize("route", BY_ITSELF)
def test_a_route_that_asks_itself_believes_no_context(driver: Driver, route: str) -> None:
    text = issue(driver, "read")

    assert call(driver, route, principal="service:x", scopes="read").status == 401
    assert driver.call(route, headers={"authorization": f"Bearer {text}"}).status == 200


def test_a_function_answers_no_route_of_another(driver: Driver) -> None:
    for function in sorted({route.function for route in API_ROUTES.values()}):
        for route_key, route in API_ROUTES.items():
            if route.function == function:
                continue
            event = driver.event(route_key, raw="{}", path=dict(ASKS[route_key].path), key="k")
            answer = read_answer(load(function).handler(event, FakeContext()))
            assert (answer.status, answer["code"]) == (404, "not_found"), (function, route_key)


def test_the_route_that_was_judged_is_the_route_that_runs(driver: Driver) -> None:
    """A path that looks like another route's, as an encoded slash makes it, changes nothing."""
    event = driver.event(READ, path={"id": "user_1/stats"})
    event["rawPath"] = "/v1/accounts/user_1/entries"

    answer = read_answer(load("account").handler(event, FakeContext()))

    assert (answer.status, answer["errors"][0]["member"]) == (422, "id")
