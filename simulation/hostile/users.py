"""Hostile users: with a good token of one account they reach for another's, or for more."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from simulation.hostile.attacks import WITH_BODY, Attack, Maker
from simulation.hostile.corpus import good_bodies
from simulation.hostile.mutations import open_up, spoil_bytes, spoil_value, write
from simulation.hostile.target import ACCOUNTS, Target
from tests.support.keys import authorizer_event
from tests.support.requests import ACCOUNT, ASKS
from tollkeeper.domain.url_safe import to_url_safe
from tollkeeper.edge.routes import API_ROUTES, SIGNATURE

# Routes that ask for themselves take a header and no context; their tokens are forged below.
OWN = tuple(key for key, route in API_ROUTES.items() if route.is_own and not route.asks_itself)
OF_PATH = tuple(key for key in OWN if "{id}" in key)
OF_BODY = tuple(key for key in OWN if "account" in ASKS[key].members)
OF_PURCHASE = tuple(key for key in OWN if "{purchase_id}" in key)
CLOSED = tuple(
    key
    for key, route in API_ROUTES.items()
    if not (route.is_own or route.asks_itself or route.scope == SIGNATURE)
)
UNTIL = "2999-01-01T00:00:00+00:00"


def _as_user(event: dict[str, Any], account: str, **changes: str) -> dict[str, Any]:
    """The event as it comes from the account's user."""
    context = {"principal": f"user:{account}", "scopes": "", "account": account}
    event["requestContext"]["authorizer"] = {"lambda": {**context, "expires_at": UNTIL, **changes}}
    return event


def _two(random: Random) -> tuple[str, str]:
    """Who asks, and about whom."""
    asker, other = random.sample(ACCOUNTS, 2)
    return asker, other


def _spell(random: Random, asker: str, other: str) -> str:
    """A name for somebody else's account, or none for the own one."""
    return random.choice(
        (
            other,
            other,
            "".join(f"%{ord(each):02x}" for each in other),
            f"{asker}/../{other}",
            f"{asker}#A#{other}",
            f"{asker}\x00{other}",
            f"{asker},{other}",
            f" {asker}",
            f"{asker} ",
            f"{asker}\n",
            f"user:{asker}",
            "ME",
            "me ",
            "%6d%65",
            "nobody_at_all",
            other.upper(),
        )
    )


def anothers_account(random: Random, target: Target) -> Attack:
    """A good request about an account that is not the asker's, in the path or in the body."""
    asker, other = _two(random)
    route = random.choice(OF_PATH + OF_BODY)
    path, raw = dict(ASKS[route].path), None
    body: dict[str, Any] = random.choice(good_bodies()[route]) if route in WITH_BODY else {}
    if route in OF_PATH:
        path["id"] = _spell(random, asker, other)
    else:
        body = {**body, "account": _spell(random, asker, other)}
    if route in WITH_BODY:
        raw = json.dumps(body)
    event = target.driver.event(route, raw=raw, path=path, key=f"u{random.randrange(10**9)}")
    return Attack("others", route, _as_user(event, asker), must_refuse=True)


def anothers_purchase(random: Random, target: Target) -> Attack:
    """A purchase that belongs to somebody else."""
    asker = random.choice([each for each in ACCOUNTS if each != ACCOUNT])
    path = {"purchase_id": random.choice((target.purchase, target.paid))}
    route = random.choice(OF_PURCHASE)
    event = target.driver.event(route, path=path)
    return Attack("others", route, _as_user(event, asker), must_refuse=True)


def closed_route(random: Random, target: Target) -> Attack:
    """A good request of a user to a route that moves credits or is an operator's."""
    route = random.choice(CLOSED)
    raw = json.dumps(random.choice(good_bodies()[route])) if route in WITH_BODY else None
    path = dict(ASKS[route].path)
    event = target.driver.event(route, raw=raw, path=path, key=f"u{random.randrange(10**9)}")
    scopes = API_ROUTES[route].scope if random.random() < 0.5 else ""
    user = _as_user(event, path.get("id", ACCOUNT), scopes=scopes)
    return Attack("others", route, user, must_refuse=True)


def strange_user(random: Random, target: Target) -> Attack:
    """A context with an account that no authorizer makes: it is nobody's."""
    route = random.choice(OWN)
    raw = json.dumps(random.choice(good_bodies()[route])) if route in WITH_BODY else None
    event = target.driver.event(route, raw=raw, path=dict(ASKS[route].path), key="u1")
    changes: dict[str, str] = random.choice(
        (
            {"principal": "service:x"},
            {"principal": "user:poor"},
            {"principal": "user:"},
            {"expires_at": ""},
            {"expires_at": "2026-11-20T12:00:00+00:00"},
            {"principal": ""},
        )
    )
    return Attack("others", route, _as_user(event, ACCOUNT, **changes), must_refuse=True)


def own_account(random: Random, target: Target) -> Attack:
    """A request for the own account, good or spoilt: it writes to no other."""
    asker = random.choice(ACCOUNTS)
    route = random.choice(OF_PATH + OF_BODY)
    path, raw = dict(ASKS[route].path), None
    if route in OF_PATH:
        path["id"] = random.choice((asker, "me"))
    if route in WITH_BODY:
        body = {n: v for n, v in random.choice(good_bodies()[route]).items() if n != "account"}
        if route in OF_BODY and random.random() < 0.5:
            body["account"] = random.choice((asker, "me"))
        raw = write(spoil_value(random, open_up(body), times=random.choice((0, 0, 1, 2))))
        raw = raw.encode("utf-8", "replace").decode()
    event = target.driver.event(route, raw=raw, path=path, key=f"u{random.randrange(10**9)}")
    return Attack("own", route, _as_user(event, asker), owner=asker)


def forged_token(random: Random, target: Target) -> Attack:
    """A header that is nearly a customer token's, or the token of a provider that nobody knows."""
    text = spoil_bytes(random, target.token.encode(), b"tkc_live_tkc_test_.e30.").decode("latin-1")
    if random.random() < 0.2:
        header, claims = '{"alg":"none","kid":"one"}', f'{{"sub":"{ACCOUNT}","exp":9999999999}}'
        parts = (to_url_safe(part.encode()) for part in (header, claims))
        text = ".".join((*parts, random.choice(("", "AAAA"))))
    if text.strip() == target.token:
        text += "x"
    event = authorizer_event(random.choice(OWN), "Bearer " + text)
    return Attack("keys", "GET /v1/accounts/{id}", event, must_refuse=True)


USERS: tuple[tuple[int, Maker], ...] = (
    (40, anothers_account),
    (5, anothers_purchase),
    (15, closed_route),
    (5, strange_user),
    (25, own_account),
    (10, forged_token),
)
