"""Whose thing it is: every route, asked by everybody, about own things and others' things.

The requests take the whole way: the gateway's routes and decoding, the authorizer, the function.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.gateway import Gateway
from local.wire import Answer, Request
from simulation.store import SimStore
from tests.hostile.wsgi import make_gateway
from tests.support.driving import Driver, FakeClock
from tests.support.keys import issue
from tests.support.money_back import FakeRefunds
from tests.support.payments import FakeStripe
from tests.support.requests import ACCOUNT, ASKS, BUDGET, CHARGE, HOLD
from tollkeeper.edge.oidc_policy import PRESETS
from tollkeeper.edge.routes import PUBLIC, ROUTES, SCOPES
from tollkeeper.edge.settings import Settings

TABLE = (Path(__file__).parent / "access_table.txt").read_text(encoding="utf-8")
COLUMNS = ("none", "own", "own%", "other", "other%", "service", "restricted", "revoked", "expired")
A, B, GHOST = "user_1", "user_2", "user_9"
NO_PURCHASE = "pur_" + "0" * 32


def read_rows() -> dict[str, dict[str, int]]:
    """What each route answers in each column."""
    rows: dict[str, dict[str, int]] = {}
    for line in TABLE.splitlines():
        if line and not line.startswith(("#", "route")):
            route, *cells = (cell.strip() for cell in line.split("|"))
            rows[route] = dict(zip(COLUMNS, map(int, cells), strict=True))
    return rows


ROWS = read_rows()


def encode(text: str) -> str:
    """Every character as a percent sign and its number."""
    return "".join(f"%{ord(character):02X}" for character in text)


@dataclass
class Stage:
    """Two users with the same things, and everybody who may ask about them."""

    driver: Driver
    store: SimStore
    gateway: Gateway
    purchases: dict[str, str] = field(default_factory=dict[str, str])
    bearers: dict[str, str] = field(default_factory=dict[str, str])
    without: dict[str, str] = field(default_factory=dict[str, str])

    def send(
        self, route: str, bearer: str | None, account: str, *, spelling: str | None = None
    ) -> Answer:
        """The answer to a good request about the account's things; `spelling` names it instead."""
        named = account if spelling is None else spelling
        target, raw = self.request(route, account, named)
        sent = [("host", "localhost"), ("content-type", "application/json")]
        sent += [("idempotency-key", "asked-1")] if not route.startswith("GET") else []
        sent += [("authorization", f"Bearer {bearer}")] if bearer else []
        before = self.store.dump()
        answer = self.gateway.respond(
            Request(
                method=route.partition(" ")[0],
                target=target,
                protocol="HTTP/1.1",
                headers=tuple(sent),
                body=raw,
                source_ip="127.0.0.1",
            )
        )
        assert answer.status < 500, (route, answer)
        if answer.status >= 300:
            assert self.store.dump() == before, "who is refused changes nothing"
        self.store.restore(before)
        return answer

    def request(self, route: str, account: str, named: str) -> tuple[str, bytes]:
        """The path with the account's things, and the body."""
        asks = ASKS.get(route)
        of_account = {
            ACCOUNT: named,
            CHARGE: CHARGE,
            HOLD: f"{HOLD}_{account}",
            BUDGET: f"{BUDGET}_{account}",
        }
        path = {} if asks is None else dict(asks.path)
        path = {name: of_account.get(value, value) for name, value in path.items()}
        if "purchase_id" in path:
            bought = self.purchases.get(account, NO_PURCHASE)
            path["purchase_id"] = bought if named == account else encode(bought)
        target = route.partition(" ")[2].replace("{file+}", "elements.js")
        for name, value in path.items():
            target = target.replace("{" + name + "}", value)
        if asks is None or asks.model is None:
            return target, b""
        members: dict[str, Any] = json.loads(asks.raw())
        members |= {"account": named} if "account" in members else {}
        return target, json.dumps(members).encode()


@pytest.fixture
def stage(
    driver: Driver, store: SimStore, stripe: FakeStripe, refunds: FakeRefunds, clock: FakeClock
) -> Iterator[Stage]:
    """user_1 and user_2 have a charge, a hold, a budget and a purchase each; user_9 has nothing."""
    assert stripe and refunds, "no money moves"
    made = Stage(driver, store, make_gateway())
    for user in (A, B):
        driver.grant(user, 100, key="start")
        driver.deduct(user, "sms", CHARGE)
        driver.hold(user, "sms", f"{HOLD}_{user}", estimate=5)
        funded = {"budget": f"{BUDGET}_{user}", "amount": 10}
        route = "POST /v1/accounts/{id}/budgets"
        assert driver.call(route, funded, path={"id": user}, key="b").status == 201
        page = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}
        wanted = {"account": user, "pack": "pro", **page}
        made.purchases[user] = driver.call("POST /v1/checkout", wanted, key="c")["purchase_id"]
    made.bearers["service"] = issue(driver, *SCOPES)
    for scope in SCOPES:
        made.without[scope] = issue(driver, *(SCOPES - {scope}))
    revoked, minting = issue(driver, *SCOPES), issue(driver, "token")
    for user in (A, B):
        made.bearers[user] = mint(made, user, made.bearers["service"])
        made.bearers[f"revoked {user}"] = mint(made, user, minting)
        made.bearers[f"expired {user}"] = mint(made, user, made.bearers["service"], 60)
    made.bearers["expired"] = issue(driver, *SCOPES, expires_at="2026-11-20T12:01:00Z")
    for text in (revoked, minting):
        driver.call("DELETE /v1/keys/{key_id}", path={"key_id": text.split("_")[2]})
    made.bearers["revoked"] = revoked
    clock.forward(seconds=60)
    yield made


def mint(stage: Stage, user: str, key: str, life_s: int = 900) -> str:
    """A token of the user, from the API itself."""
    answer = stage.gateway.respond(
        Request(
            method="POST",
            target="/v1/tokens",
            protocol="HTTP/1.1",
            headers=(("authorization", f"Bearer {key}"), ("content-type", "application/json")),
            body=json.dumps({"account": user, "expires_in_s": life_s}).encode(),
            source_ip="127.0.0.1",
        )
    )
    return str(json.loads(answer.body)["token"])


# Other ways to write somebody else's id, or a way to it from the own one.
SPELLINGS = (
    "{}",
    "{encoded}",
    "{twice}",
    "{}%00",
    "{}%20",
    "%20{}",
    "{}%23A",
    "{}%0A",
    "{upper}",
    "{}%7Cx",
    "me%7C{}",
    "user_1%00{}",
    "user_1%2C{}",
    "ME",
    "Me",
    "me%20",
    "m%65%00",
    "null",
    "undefined",
    "*",
    ".",
)
# With a slash in it the path is another route's, or none's: API Gateway decodes before it chooses.
SLASHED = ("me%2F..%2F{}", "user_1%2F..%2F{}", "..%2F{}", "{}%2F", "%2F{}")


def spell(pattern: str, account: str) -> str:
    """The pattern with the account's id in it."""
    once = encode(account)
    return pattern.format(
        account, encoded=once, twice=once.replace("%", "%25"), upper=account.upper()
    )


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert sorted(ROWS) == sorted(ROUTES)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_s3_12_a_route_answers_each_caller_as_its_row_says(stage: Stage, route: str) -> None:
    bearers, needed = stage.bearers, ROUTES[route].scope
    restricted = stage.without.get(needed, bearers["service"])

    found = {
        "none": {stage.send(route, None, A).status},
        "own": {stage.send(route, bearers[user], user).status for user in (A, B)},
        "own%": {stage.send(route, bearers[u], u, spelling=encode(u)).status for u in (A, B)},
        "other": {
            stage.send(route, bearers[asker], owner).status
            for asker, owner in ((A, B), (B, A), (A, GHOST), (B, GHOST))
        },
        "other%": {
            stage.send(route, bearers[A], B, spelling=spell(pattern, B)).status
            for pattern in SPELLINGS
        },
        "service": {stage.send(route, bearers["service"], user).status for user in (A, B)},
        "restricted": {stage.send(route, restricted, A).status},
        "revoked": {
            stage.send(route, bearers[name], A).status for name in ("revoked", f"revoked {A}")
        },
        "expired": {
            stage.send(route, bearers[name], A).status for name in ("expired", f"expired {A}")
        },
    }

    slashed = {stage.send(route, bearers[A], B, spelling=spell(s, B)).status for s in SLASHED}
    assert slashed <= {403, 404, ROWS[route]["other%"]}, slashed
    assert found == {column: {status} for column, status in ROWS[route].items()}, show(route, found)


def show(route: str, found: dict[str, set[int]]) -> str:
    """The route's row as the table has it."""
    cells = [",".join(map(str, sorted(found[column]))) for column in COLUMNS]
    return f"{route:49} | " + " | ".join(cells)


ABOUT_OWN = [
    key
    for key, route in ROUTES.items()
    if route.is_own and ("{" in key or (ASKS[key].model and "account" in ASKS[key].good))
]


@pytest.mark.parametrize("route", ABOUT_OWN)
def test_what_is_anothers_looks_like_what_does_not_exist(stage: Stage, route: str) -> None:
    bearer = stage.bearers[A]

    theirs, nobodys = stage.send(route, bearer, B), stage.send(route, bearer, GHOST)

    assert (theirs.status, comparable(theirs)) == (nobodys.status, comparable(nobodys))
    assert theirs.status == 404
    assert B not in theirs.body.decode()


def test_an_entry_of_another_account_looks_like_none(stage: Stage) -> None:
    """In the own account, by the key of another's entry."""
    stage.driver.deduct(B, "sms", "only_theirs")
    bearer = ("authorization", f"Bearer {stage.bearers[A]}")

    answers = [
        stage.gateway.respond(
            Request(
                method="GET",
                target=f"/v1/accounts/me/entries/{key}",
                protocol="HTTP/1.1",
                headers=(bearer,),
                body=b"",
                source_ip="127.0.0.1",
            )
        )
        for key in ("only_theirs", "nobodys")
    ]

    assert answers[0].status == 404
    assert comparable(answers[0]) == comparable(answers[1])


def comparable(answer: Answer) -> object:
    """The answer without what is another for every request."""
    headers = {n: v for n, v in answer.headers if n.lower() not in ("apigw-requestid",)}
    members = json.loads(answer.body)
    return headers, {name: value for name, value in members.items() if name != "request_id"}


@pytest.mark.parametrize("route", ABOUT_OWN)
def test_me_is_the_own_account(stage: Stage, route: str) -> None:
    own = stage.send(route, stage.bearers[A], A)
    me = stage.send(route, stage.bearers[A], A, spelling="me" if "purchase_id" not in route else A)

    assert me.status == own.status == ROWS[route]["own"]


def test_only_routes_that_are_an_accounts_own_open_to_its_user() -> None:
    for route, row in ROWS.items():
        opened = row["own"] not in (401, 403)
        is_open = ROUTES[route].is_own or ROUTES[route].scope == PUBLIC
        assert opened == is_open or route == "POST /v1/webhooks/stripe", route
        assert row["none"] == 401 or is_open or route == "POST /v1/webhooks/stripe", route


@pytest.mark.parametrize("page", ["access.md", "api.md"])
def test_the_pages_name_every_route_that_a_user_may_call(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")

    for route in (key for key, each in ROUTES.items() if each.is_own):
        last = f"`{route.partition('{id}')[2]}`"
        assert f"`{route}`" in text or last in text, route


def test_the_page_explains_every_preset_and_setting_of_providers() -> None:
    text = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    settings = [name for name in Settings.model_fields if name.startswith("oidc_")]

    assert [name for name in PRESETS if f"| `{name}` |" not in text] == []
    for name in settings:
        parameter = "".join(part.capitalize() for part in name.split("_"))
        assert f"| `{parameter}` |" in text, parameter
