"""Hostile requests: a good one of some route, spoilt in one way, and what must become of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from simulation.hostile.corpus import RUN, Body, good_bodies, usages
from simulation.hostile.mutations import (
    HOSTILE,
    Object,
    Raw,
    open_up,
    spoil_bytes,
    spoil_value,
    write,
)
from simulation.hostile.oracle import read_body, refuses_body, refuses_key, refuses_path
from simulation.hostile.target import ACCOUNTS, Target
from tests.support.hostile import (
    BAD,
    BAD_CURSORS,
    BAD_DAYS,
    BAD_KEYS,
    BAD_LIMITS,
    BAD_PATHS,
    NOT_NUMBERS,
)
from tests.support.keys import authorizer_event
from tests.support.requests import ASKS, CHARGE
from tollkeeper.edge.routes import API_ROUTES, SCOPES, SIGNATURE

WITH_BODY = tuple(route for route, asks in ASKS.items() if asks.model is not None)
RUNS = ("POST /v1/check", "POST /v1/estimate", "POST /v1/deduct")
WITH_PATH = tuple(route for route, asks in ASKS.items() if asks.path)
WITH_QUERY = tuple(route for route, asks in ASKS.items() if asks.query)
GUARDED = tuple(key for key, route in API_ROUTES.items() if route.scope != SIGNATURE)
READERS = ("POST /v1/check", "POST /v1/estimate")
NUMBERS = ("amount", "quantity", "signed amount", "count", "priority")


@dataclass(frozen=True, slots=True)
class Attack:
    """One request, whether it must be refused, and whose account it may touch if it is not.

    `also` is the budget that the account may move credits to or from.
    `route` is empty where the function is asked for a route that is not its own. A request that
    `must_not_grant` may be taken, and brings no credits. One that `may_be_busy` may be answered
    503: it names what is not there yet.
    """

    kind: str
    route: str
    event: dict[str, Any]
    must_refuse: bool = False
    must_not_grant: bool = False
    may_be_busy: bool = False
    owner: str = ""
    also: str = ""
    function: str = ""


Maker = Callable[[Random, Target], Attack]


def _path_of(random: Random, route: str) -> dict[str, str]:
    path = dict(ASKS[route].path)
    if "id" in path and random.random() < 0.5:
        path["id"] = random.choice(ACCOUNTS)
    if "key" in path and random.random() < 0.3:
        path["key"] = random.choice((CHARGE, "run", "start", "t~expire:g1", "none"))
    return path


def _key(random: Random) -> str:
    """A fresh key, mostly; now and then one that was used."""
    if random.random() < 0.1:
        return random.choice((CHARGE, "start", "run", "undone", "issued"))
    return f"h{random.randrange(10**9)}"


def _with_body(random: Random, target: Target, raw: bytes, *, kind: str, route: str) -> Attack:
    """The request with this body, as text or as base64."""
    path = _path_of(random, route)
    event = target.driver.event(route, path=path, key=_key(random))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or random.random() < 0.3:
        event["body"] = base64.b64encode(raw).decode()
        event["isBase64Encoded"] = True
    else:
        event["body"] = text
    body = read_body(raw) or {}
    must = refuses_body(route, raw)
    owner, also = _owners(path, body)
    return Attack(kind, route, event, must_refuse=must, owner=owner, also=also)


def _owners(path: Mapping[str, object], body: Mapping[str, object]) -> tuple[str, str]:
    """Whose accounts the request may write to: its own, and a budget's."""
    owner = path.get("id") or body.get("account") or ""
    also = path.get("budget") or body.get("budget") or ""
    return str(owner), str(also)


def _good(random: Random, route: str) -> Body:
    return random.choice(good_bodies()[route])


def spoilt_bytes(random: Random, target: Target) -> Attack:
    """A body of which some bytes are changed."""
    route, other = random.choice(WITH_BODY), random.choice(WITH_BODY)
    raw = json.dumps(_good(random, route), ensure_ascii=False).encode()
    spoilt = spoil_bytes(random, raw, json.dumps(_good(random, other)).encode())
    return _with_body(random, target, spoilt, kind="bytes", route=route)


def spoilt_members(random: Random, target: Target) -> Attack:
    """A body of which some members are changed, lost, doubled, renamed or buried."""
    route = random.choice(WITH_BODY)
    body = spoil_value(random, open_up(_good(random, route)), times=random.choice((1, 1, 1, 2, 3)))
    raw = write(body).encode("utf-8", "surrogatepass")
    return _with_body(random, target, raw, kind="members", route=route)


def bad_members(random: Random, target: Target) -> Attack:
    """A body with one value of the lists of what a member of its kind may not be."""
    route = random.choice(WITH_BODY)
    asks = ASKS[route]
    name, kind = random.choice(list(asks.members.items()))
    text = random.choice(BAD[kind] + (NOT_NUMBERS if kind in NUMBERS else ()))
    good = [(n, value) for n, value in _good(random, route).items() if n != name]
    raw = write(Object([*good, (name, Raw(text))])).encode("utf-8", "surrogatepass")
    return _with_body(random, target, raw, kind="values", route=route)


def spoilt_usage(random: Random, target: Target) -> Attack:
    """A run whose usage is a provider's report, spoilt."""
    route = random.choice(RUNS)
    usage = random.choice(usages())
    run = {name: RUN[name] for name in ("account", "operation")} | {"model": "gpt-4"}
    if random.random() < 0.3:
        raw = json.dumps({**run, "usage": usage}, ensure_ascii=False).encode()
        raw = spoil_bytes(random, raw, raw)
    else:
        spoilt = spoil_value(random, open_up(usage), times=random.choice((1, 2, 4)))
        body = Object([*run.items(), ("usage", Raw(write(spoilt)))])
        raw = write(body).encode("utf-8", "surrogatepass")
    return _with_body(random, target, raw, kind="usage", route=route)


def spoilt_encoding(random: Random, target: Target) -> Attack:
    """A body that says it is base64 and is not, or the other way round, or is no text."""
    route = random.choice(WITH_BODY)
    raw = json.dumps(_good(random, route)).encode()
    encoded = base64.b64encode(raw).decode()
    body, flag = random.choice(
        (
            (raw.decode(), True),
            (encoded, False),
            (encoded[:-1], True),
            ("=" + encoded, True),
            (encoded + "!", True),
            ("\u00e9", True),
            (raw.decode()[:-1] + ', "\ud800": 1}', False),
            ("\udc80" + raw.decode(), False),
            ("%%%", True),
            ("\x00" * 10, False),
        )
    )
    event = target.driver.event(route, path=dict(ASKS[route].path), key=_key(random))
    event |= {"body": body, "isBase64Encoded": flag}
    return Attack("encoding", route, event, must_refuse=True)


def spoilt_headers(random: Random, target: Target) -> Attack:
    """A request whose Idempotency-Key or other headers are hostile."""
    route = random.choice(list(API_ROUTES))
    key = random.choice((*BAD_KEYS, *HOSTILE[:40], "x" * 128, "put:x", "c~seed", "t~reset"))
    if random.random() < 0.3:
        key = spoil_bytes(random, b"msg_812", b"user_1").decode("latin-1")
    raw = json.dumps(_good(random, route)) if route in WITH_BODY else None
    path = _path_of(random, route)
    event = target.driver.event(route, raw=raw, path=path, key=key)
    for name in random.sample(("accept", "cookie", "content-type", "x-forwarded-for", *MORE), 2):
        event["headers"][name] = random.choice(ODD_HEADERS)
    if random.random() < 0.1:
        event["headers"] = None if random.random() < 0.5 else {}
        key = None
    is_asked = ASKS[route].is_keyed or (route.startswith("PUT ") and key is not None)
    owner, also = _owners(path, json.loads(raw or "{}"))
    must = is_asked and (not key or refuses_key(route, key))
    return Attack("headers", route, event, must_refuse=must, owner=owner, also=also)


def spoilt_path(random: Random, target: Target) -> Attack:
    """A request whose path holds what separates keys, leads elsewhere or is no text."""
    route = random.choice(WITH_PATH)
    path = _path_of(random, route)
    name = random.choice(list(path))
    path[name] = random.choice((*BAD_PATHS[name], *ODD_PATHS))
    if random.random() < 0.3:
        path[name] = spoil_bytes(random, ASKS[route].path[name].encode(), b"#A~/").decode("latin-1")
    raw = json.dumps(_good(random, route)) if route in WITH_BODY else None
    event = target.driver.event(route, raw=raw, path=path, key=_key(random))
    event["rawPath"] = random.choice((event["rawPath"], *ODD_RAW_PATHS))
    if random.random() < 0.05:
        event.pop("pathParameters", None)
        path = {}
    must = refuses_path(route, path)
    owner, also = _owners(path, json.loads(raw or "{}"))
    return Attack("paths", route, event, must_refuse=must, owner=owner, also=also)


MORE = ("te", "if-none-match", "host", "x-forwarded-proto")
ODD_PATHS = (
    *("..", ".", "%00", "%23", "%2F", "user_1%2Fentries", "user_1/entries", "A#user_1", "*", "$"),
    *("user_1\r\nX-Scope: admin", "user_1;id=poor", "user_1?id=poor", "null", "undefined", "-1"),
    *("t~", "c~", "s~purchase:x", "h~a~open", "t~reset:1:2026", "\u202epoor", "user_1 ", " user_1"),
)
ODD_HEADERS = ("", "text/csv", "*/*", "\x00", "é" * 50, "a,b;c", "*", 'W/"x", "y', "," * 5000)
ODD_RAW_PATHS = (
    *("", "/", "//", "/v1/accounts/poor", "/v1/accounts/../keys", "/v1/keys", "/v1/%2e%2e/keys"),
    *("/v1/accounts/user_1/entries/seed/void", "\x00", "/v1/webhooks/stripe", "/" + "a" * 3000),
)


def spoilt_query(random: Random, target: Target) -> Attack:
    """A request whose query is hostile."""
    route = random.choice(WITH_QUERY)
    names = [*ASKS[route].query, "limit", "from", "", "cursor", "__proto__"]
    texts = (*BAD_LIMITS, *BAD_CURSORS, *BAD_DAYS, *HOSTILE[:60], "2026-11-20", "day", "1", "5000")
    query = {random.choice(names): random.choice(texts) for _ in range(random.randint(1, 3))}
    event = target.driver.event(route, path=_path_of(random, route), query=query)
    if random.random() < 0.3:
        event["headers"]["accept"] = "text/csv"
    must = not set(query) <= set(ASKS[route].query) - {"unknown"}
    return Attack("queries", route, event, must_refuse=must)


def spoilt_access(random: Random, target: Target) -> Attack:
    """A good request from somebody whom the authorizer did not name, or with other scopes."""
    route = random.choice(GUARDED)
    raw = json.dumps(_good(random, route)) if route in WITH_BODY else None
    event = target.driver.event(route, raw=raw, path=_path_of(random, route), key=_key(random))
    needed = API_ROUTES[route].scope
    others = " ".join(SCOPES - {needed})
    event["requestContext"]["authorizer"] = random.choice(
        (
            None,
            {},
            {"lambda": None},
            {"lambda": {}},
            {"lambda": {"principal": "", "scopes": " ".join(SCOPES)}},
            {"lambda": {"principal": "x", "scopes": others}},
            {"lambda": {"principal": "x", "scopes": ""}},
            {"lambda": {"principal": "x", "scopes": needed.upper()}},
            {"lambda": {"principal": "x", "scopes": "*"}},
            {"lambda": {"principal": "x", "scopes": f"{needed},{others}"[:8] + "x"}},
            {"jwt": {"claims": {"scope": " ".join(SCOPES)}}},
            {"principal": "service:x", "scopes": " ".join(SCOPES)},
            {"lambda": {"principal": "x", "scopes": " ".join(SCOPES), "expires_at": PAST}},
        )
    )
    return Attack("access", route, event, must_refuse=True)


PAST = "2026-11-20T12:00:00+00:00"


def foreign_route(random: Random, target: Target) -> Attack:
    """A good request that reaches a function of other routes."""
    route = random.choice(list(API_ROUTES))
    others = {each.function for each in API_ROUTES.values()} - {API_ROUTES[route].function}
    functions = sorted(others)
    raw = json.dumps(_good(random, route)) if route in WITH_BODY else None
    event = target.driver.event(route, raw=raw, path=_path_of(random, route), key=_key(random))
    if random.random() < 0.5:
        event["rawPath"] = random.choice(list(API_ROUTES)).partition(" ")[2]
    return Attack("routes", "", event, must_refuse=True, function=random.choice(functions))


def forged_key(random: Random, target: Target) -> Attack:
    """An Authorization header that is nearly a service key's."""
    raw = spoil_bytes(random, target.key.encode(), b"tk_live_tk_test_")
    text = raw.decode("latin-1") if random.random() < 0.9 else target.key.swapcase()
    scheme = random.choice(("Bearer ", "bearer ", "Basic ", "", "Bearer\t", "Token ", "Bearer "))
    if text.strip() == target.key:
        text += "x"
    route = random.choice((*GUARDED, "$default", "GET /v1/accounts", ""))
    return Attack("keys", route, authorizer_event(route, scheme + text), must_refuse=True)


BODIES: tuple[tuple[int, Maker], ...] = (
    (30, spoilt_bytes),
    (35, spoilt_members),
    (12, bad_members),
    (20, spoilt_usage),
    (3, spoilt_encoding),
)
REQUESTS: tuple[tuple[int, Maker], ...] = (
    (20, spoilt_headers),
    (30, spoilt_path),
    (15, spoilt_query),
    (15, spoilt_access),
    (10, foreign_route),
    (10, forged_key),
)
