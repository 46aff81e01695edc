"""Bad input on every route: refused with a sentence that helps, and nothing changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulation.store import SimStore
from tests.support.driving import (
    Answered,
    Driver,
    FakeContext,
    load,
    read_answer,
    verify_ledger,
)
from tests.support.hostile import BAD, BAD_KEYS, BAD_PATHS, NOT_NUMBERS
from tests.support.payments import FakeStripe
from tests.support.requests import ACCOUNT, ASKS, BUDGET, CHARGE, CODE, HOLD, Asks, bad_bodies
from tollkeeper.edge import wiring
from tollkeeper.edge.problems import PROBLEMS
from tollkeeper.edge.routes import API_ROUTES

NUMBERS = ("amount", "quantity", "signed amount", "count", "priority")
WITH_BODY = [route for route, asks in ASKS.items() if asks.model is not None]
# The others have only refusals, or ask for a key themselves.
TAKEN = [
    route
    for route, asks in ASKS.items()
    if not asks.refuses_all and not API_ROUTES[route].asks_itself
]
KEYED = [route for route, asks in ASKS.items() if asks.is_keyed]


@pytest.fixture
def stack(driver: Driver, stripe: FakeStripe) -> Driver:
    """An account with credits, a charge, a hold and a budget; a key, and a Stripe that answers."""
    assert stripe, "no test goes to the real one"
    driver.grant(ACCOUNT, 100, key="start")
    assert driver.deduct(ACCOUNT, "sms", CHARGE, metadata={"n": 1}).status == 200
    held = {"account": ACCOUNT, "operation": "sms", "estimate": 5}
    assert driver.call("POST /v1/holds", held, key=HOLD).status == 201
    funded = {"budget": BUDGET, "amount": 10}
    path = {"id": ACCOUNT}
    assert driver.call("POST /v1/accounts/{id}/budgets", funded, path=path, key="b").status == 201
    code = {"code": CODE, "credits": 5, "reason": "r"}
    assert driver.call("POST /v1/codes", code, key="code").status == 201
    body = {"name": "n", "scopes": ["read"]}
    assert driver.call("POST /v1/keys", body, key="first").status == 201
    return driver


class Attack:
    """Sends bad requests to one route and holds every answer and the table against the rule."""

    def __init__(self, driver: Driver, route: str) -> None:
        self.driver = driver
        self.route = route
        self.asks = ASKS[route]
        self.store = cast("SimStore", wiring.connect())
        self.before = self.store.commits
        self.sent = 0

    def send(self, body: str | bytes | None, what: str, **changed: Any) -> Answered:
        """The answer, which must be a refusal that changed nothing."""
        answer = self.call(body, **changed)
        name = f"{self.route}: {what[:200]}"
        assert 400 <= answer.status < 500, (name, answer.status, answer.text[:300])
        assert_helpful(answer, name)
        assert self.store.commits == self.before, name
        return answer

    def call(self, body: str | bytes | None, **changed: Any) -> Answered:
        """The answer to the good request with some of it changed."""
        self.sent += 1
        request: dict[str, Any] = {"path": dict(self.asks.path), "key": f"bad-{self.sent}"}
        request |= changed
        event = self.driver.event(self.route, **request)
        if isinstance(body, bytes):
            event["body"] = base64.b64encode(body).decode()
            event["isBase64Encoded"] = True
        elif body is not None:
            event["body"] = body
        return read_answer(load(API_ROUTES[self.route].function).handler(event, FakeContext()))


def assert_helpful(answer: Answered, name: str) -> None:
    """It is a problem whose sentence says what is wrong, and it is not larger than a page."""
    assert answer.headers["content-type"] == "application/problem+json", name
    assert PROBLEMS[answer["code"]].status == answer.status == answer["status"], name
    assert answer["type"] == f"/problems/{answer['code']}", name
    assert answer["request_id"].startswith("request-"), name
    assert len(answer["detail"]) > 10, (name, answer["detail"])
    assert "Traceback" not in answer.text, name
    assert len(answer.text) < 8000, (name, len(answer.text))
    if answer["code"] == "invalid":
        assert answer["errors"], name
        assert all(e["member"] and e["reason"] for e in answer["errors"]), (name, answer.text)


def test_every_route_has_rows() -> None:
    assert set(ASKS) == set(API_ROUTES)
    for route, asks in ASKS.items():
        if asks.model is None:
            assert not asks.members, route
            continue
        fields = {field.alias or name for name, field in asks.model.model_fields.items()}
        assert set(asks.members) == fields, f"{route}: a member without rows, or rows without one"
        assert set(asks.members.values()) <= set(BAD), route


@pytest.mark.parametrize("route", TAKEN)
def test_what_the_table_calls_good_is_taken(stack: Driver, route: str) -> None:
    """Without this a row could be refused for another reason than the one it is there for."""
    attack = Attack(stack, route)

    answer = attack.call(attack.asks.raw() if attack.asks.model else None)

    assert answer.status in (200, 201), answer.text


def member_rows(asks: Asks) -> Iterator[tuple[str, str]]:
    """Each member with each text that it may not have."""
    for name, kind in asks.members.items():
        texts = BAD[kind] + (NOT_NUMBERS if kind in NUMBERS else ())
        for text in texts:
            yield name, text


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_member_of_the_wrong_type_or_range_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)

    for name, text in member_rows(attack.asks):
        answer = attack.send(attack.asks.raw(**{name: text}), f"{name} = {text}")

        if answer["code"] == "invalid":
            named = [error["member"] for error in answer["errors"]]
            assert any(member.startswith(name) for member in named), (name, text, named)


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_body_that_is_no_object_of_ours_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)

    for what, body in bad_bodies(attack.asks):
        answer = attack.send(body, what)

        assert answer.status in (400, 413, 422), (what, answer.text)
        if isinstance(body, bytes):
            assert answer["code"] == "malformed", what


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_body_that_is_no_base64_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)
    for text in ("%%%", "é", "YWJj=", "A"):
        event = stack.event(route, path=dict(attack.asks.path), key="bad")
        event |= {"body": text, "isBase64Encoded": True}

        answer = read_answer(load(API_ROUTES[route].function).handler(event, FakeContext()))

        assert (answer.status, answer["code"]) == (400, "malformed"), text
    assert attack.store.commits == attack.before


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_missing_member_is_named(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)
    assert attack.asks.model is not None
    found = attack.asks.model.model_fields
    fields = {each.alias or name: each for name, each in found.items()}
    needed = [name for name in attack.asks.good if fields[name].is_required()]
    for name in needed if len(attack.asks.good) > 1 else ():
        members = {k: json.loads(v) for k, v in attack.asks.good.items() if k != name}

        answer = attack.send(json.dumps(members), f"without {name}")

        assert answer["code"] == "invalid"
        assert {"member": name, "reason": "is missing"} in answer["errors"]


@pytest.mark.parametrize("route", KEYED)
def test_a_bad_idempotency_key_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)
    body = attack.asks.raw()

    missing = attack.send(body, "no key", key=None)

    assert (missing.status, missing["code"]) == (400, "malformed")
    assert "Idempotency-Key" in missing["detail"]
    for key in BAD_KEYS:
        answer = attack.send(body, f"key {key!r}", key=key)
        assert "Idempotency-Key" in answer["detail"], key


def test_a_hold_needs_an_id_of_its_own_or_a_key_and_where_it_has_both_the_same(
    stack: Driver,
) -> None:
    attack = Attack(stack, "POST /v1/holds")

    missing = attack.send(attack.asks.raw(), "no key", key=None)
    other = attack.send(attack.asks.raw(hold_id='"a"'), "another key", key="b")

    assert (missing.status, missing["code"]) == (400, "malformed")
    assert (other.status, other["errors"][0]["member"]) == (422, "hold_id")
    for key in BAD_KEYS:
        attack.send(attack.asks.raw(), f"key {key!r}", key=key)
    assert attack.call(attack.asks.raw(hold_id='"a"'), key="a").status == 201
    assert attack.call(attack.asks.raw(hold_id='"b"'), key=None).status == 201


def test_a_part_of_a_settle_needs_a_key_of_its_own(stack: Driver) -> None:
    attack = Attack(stack, "POST /v1/holds/{hold_id}/settle")

    for key in (None, *BAD_KEYS):
        answer = attack.send(attack.asks.raw(final="false"), f"key {key!r}", key=key)
        assert "Idempotency-Key" in answer["detail"], key


@pytest.mark.parametrize("route", [r for r in API_ROUTES if r.startswith("PUT ")])
def test_a_put_needs_no_key_but_takes_no_bad_one(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)

    for key in BAD_KEYS:
        attack.send(attack.asks.raw(), f"key {key!r}", key=key)

    assert attack.call(attack.asks.raw(), key=None).status == 200


@pytest.mark.parametrize("route", [route for route, asks in ASKS.items() if asks.path])
def test_a_bad_id_in_the_path_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)
    body = attack.asks.raw() if attack.asks.model else None

    for name in attack.asks.path:
        for text in BAD_PATHS[name]:
            path = {**attack.asks.path, name: text}
            answer = attack.send(body, f"{name} {text[:20]!r}", path=path)
            assert answer.status in (404, 422), (name, text[:20], answer.text)


@pytest.mark.parametrize("route", [route for route, asks in ASKS.items() if asks.query])
def test_a_bad_query_is_refused(stack: Driver, route: str) -> None:
    attack = Attack(stack, route)

    for name, texts in attack.asks.query.items():
        for text in texts:
            answer = attack.send(None, f"{name}={text}", query={name: text})
            assert answer["code"] == "invalid", (name, text)
            assert answer["errors"][0]["member"] == name


def test_days_in_the_wrong_order_or_too_many_are_refused(stack: Driver) -> None:
    attack = Attack(stack, "GET /v1/accounts/{id}/stats")
    for query in (
        {"from": "2026-11-20", "to": "2026-11-19"},
        {"from": "2025-10-16", "to": "2026-11-20"},
        {"from": "2000-01-01"},
        {"to": "2999-12-31", "from": "2000-01-01"},
    ):
        answer = attack.send(None, str(query), query=query)
        assert answer["errors"][0]["member"] == "from"


def test_an_unsigned_event_is_refused(stack: Driver) -> None:
    attack = Attack(stack, "POST /v1/webhooks/stripe")
    headers = (
        "",
        "t=",
        "t=1,v1=",
        "t=x,v1=00",
        "v1=00",
        "t=1,t=2,v1=00",
        "é",
        "t=1,v1=é",
        "," * 99,
    )
    for body in (None, "", "{}", '{"id": "evt_1"}', b"\xff", b"{}"):
        assert attack.send(body, "unsigned")["code"] == "malformed"
        for header in headers:
            sent = {"stripe-signature": header}
            assert attack.send(body, header, headers=sent)["code"] == "malformed"


def test_an_answer_names_no_more_members_than_a_person_can_read(stack: Driver) -> None:
    body = "{" + ", ".join(f'"u{n}": {n}' for n in range(4000)) + "}"

    answer = stack.call("POST /v1/check", raw=body)

    assert len(answer["errors"]) == 20


# ---- Random bodies

TEXTS = st.text(max_size=12) | st.sampled_from(["", "sms", "ai_tokens", "gpt-4", ACCOUNT, "free"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.integers(1, 1000)
    | st.floats()
    | TEXTS
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FUZZED = ("POST /v1/deduct", "POST /v1/check", "POST /v1/accounts/{id}/grants")
USAGE_NAMES = st.sampled_from(
    ["input", "output", "total", "prompt_tokens", "completion_tokens", "usage", "cached_input"]
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A route, and a body that is right but for a few members."""
    route = draw(st.sampled_from(FUZZED))
    asks = ASKS[route]
    body: dict[str, Any] = {name: json.loads(text) for name, text in asks.good.items()}
    for name in draw(st.lists(st.sampled_from(sorted(asks.members)), max_size=3)):
        texts = [text for text in BAD[asks.members[name]] if len(text) < 200]
        value = st.sampled_from(texts).map(read_leniently) | ANYTHING
        body[name] = draw(value)
    if route != FUZZED[2] and draw(st.booleans()):
        body |= {"operation": "ai_tokens", "model": "gpt-4"}
        body["usage"] = draw(st.dictionaries(USAGE_NAMES, LEAVES, max_size=3))
    return route, body


def read_leniently(text: str) -> Any:
    """The value, with duplicate names and huge numbers as Python has them."""
    return json.loads(text)


def test_random_bodies_never_break_anything(driver: Driver) -> None:
    driver.grant(ACCOUNT, 100, key="start")
    statuses: set[int] = set()

    @settings(
        max_examples=1000,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=(Phase.generate,),
    )
    @given(requests(), st.integers(1, 10))
    def attack(request: tuple[str, dict[str, Any]], key: int) -> None:
        route, body = request
        path = {"id": ACCOUNT} if "{id}" in route else None

        answer = driver.call(route, raw=json.dumps(body), path=path, key=f"k{key}")

        statuses.add(answer.status)
        assert answer.status < 500, (route, body, answer.text)
        if answer.status >= 400:
            assert_helpful(answer, route)

    attack()

    assert {200, 201, 400, 422} <= statuses
    verify_ledger(driver, ACCOUNT)
