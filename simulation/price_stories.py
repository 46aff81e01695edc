"""Stories of prices: volumes that are crossed, and models that nobody knows until later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulation.asking import DAY_US, HOLD, HOUR_US, Asked
from simulation.hold_stories import HELD, open_one, settle_one
from simulation.loop import SECOND_US
from simulation.short import CHARGED
from simulation.stories import Cast, Story, booked, charge, rely, run_of, send

RERATE = "POST /v1/accounts/{id}/entries/{key}/rerate"
VOID = "POST /v1/accounts/{id}/entries/{key}/void"
REFUND = "POST /v1/accounts/{id}/refunds"
RERATED = (200, 404, 409, 422)
BACK = (200, 201, 404, 409, 422)
# One that the next version knows, one that is dearer there than anything is now, one that nobody
# ever knows.
UNKNOWN = ("newest", "newest", "newest", "grand", "nobody")
LATER_US = (0, 0, 20_000, SECOND_US, HOUR_US, 3 * DAY_US, 40 * DAY_US)


def unknown_run(cast: Cast, account: str) -> dict[str, Any]:
    """The body of a run of a model that the first version does not know."""
    body = {"account": account, "operation": "ask", **booked(cast)}
    body["model"] = cast.clients.random.choice(UNKNOWN)
    if cast.clients.random.random() < 0.3:
        body["provider"] = cast.clients.random.choice(("acme", "zenith"))
    return body


def reprice(cast: Cast, deploy: Callable[[], None]) -> None:
    """Charges wait for a price; a version that has it comes, and several ask for it at once."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    if random.random() < 0.3:
        _rely_on_the_last(cast, account, deploy)
        return
    for number in range(random.choice((1, 1, 2))):
        charged = _charge_unknown(replace(cast, name=f"{cast.name}-{number}"), account)
        if random.random() < 0.2:
            clients.ask(_rerate(cast, charged, f"{cast.name}-{number}-e"))
        clients.loop.sleep(random.choice((0, 10_000, SECOND_US)))
        if random.random() < 0.8:
            deploy()
        _price_anew(cast, charged, f"{cast.name}-{number}")
        if random.random() < 0.3:
            own = Cast(clients, (account,), f"{cast.name}-{number}-c")
            clients.loop.spawn(lambda own=own: charge(own), after_us=random.randrange(20_000))


def _rely_on_the_last(cast: Cast, account: str, deploy: Callable[[], None]) -> None:
    """A run is charged or held at an estimate of the version before."""
    random = cast.clients.random
    body = run_of(cast, account)
    for name in ("success", "plan"):
        body.pop(name, None)
    if random.random() < 0.5:
        asked = cast.ask("POST /v1/deduct", account, body, expects=CHARGED)
    else:
        asked = cast.ask(HOLD, account, body, expects=HELD)
    rely(cast, asked, odds=1)
    deploy()
    send(cast, asked)


def _charge_unknown(cast: Cast, account: str) -> Asked:
    random = cast.clients.random
    if random.random() < 0.7:
        asked = cast.ask("POST /v1/deduct", account, unknown_run(cast, account), expects=CHARGED)
        send(cast, asked)
        return asked
    opened = open_one(cast, account, cast.name)
    for name in ("quantity", "resource", "estimate", "per_run_max"):
        opened.body.pop(name, None)
    opened.body |= unknown_run(cast, account)
    cast.clients.ask(opened)
    settled = settle_one(cast, opened, name=random.choice(("", "", f"{cast.name}-p")))
    settled.body.pop("model", None)
    cast.clients.ask(settled)
    return settled


def _price_anew(cast: Cast, charged: Asked, name: str) -> None:
    """Somebody asks for the new price; so do others, and others give the charge back."""
    clients, random = cast.clients, cast.clients.random
    asked = [_rerate(cast, charged, f"{name}-r")]
    for number in range(random.choice((0, 1, 1, 2))):
        make = random.choice((_rerate, _rerate, _void, _refund))
        asked.append(make(cast, charged, f"{name}-{number}"))
    random.shuffle(asked)
    same_us = random.choice(LATER_US)
    for each in asked:
        after_us = same_us if random.random() < 0.8 else random.choice(LATER_US)
        clients.loop.spawn(
            lambda each=each: send(cast, each), after_us=after_us + random.randrange(20_000)
        )


def _rerate(cast: Cast, charged: Asked, key: str) -> Asked:
    path = {"id": charged.account, "key": _shown(charged)}
    body = {"reason": "known"}
    return cast.ask(RERATE, charged.account, body, key=key, path=path, expects=RERATED)


def _void(cast: Cast, charged: Asked, key: str) -> Asked:
    path = {"id": charged.account, "key": _shown(charged)}
    return cast.ask(VOID, charged.account, {}, key=key, path=path, expects=BACK)


def _refund(cast: Cast, charged: Asked, key: str) -> Asked:
    body: dict[str, Any] = {"key": _shown(charged), "reason": "r"}
    if cast.clients.random.random() < 0.5:
        body["amount"] = "0.01"
    return cast.ask(REFUND, charged.account, body, key=key, expects=BACK)


def _shown(charged: Asked) -> str:
    return charged.row_key.removeprefix("c#").replace("#", "~")


def cross(cast: Cast) -> None:
    """Several runs together use up an allowance and pass a tier; some of them are undone."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    operation = random.choice(("page", "page", "think"))
    for number in range(random.choice((2, 3, 5))):
        own = replace(cast, name=f"{cast.name}-{number}")
        after_us = random.choice((0, 0, 0, SECOND_US, 35 * DAY_US)) + random.randrange(30_000)
        clients.loop.spawn(lambda own=own: _use(own, account, operation), after_us=after_us)


def _use(cast: Cast, account: str, operation: str) -> None:
    random = cast.clients.random
    body: dict[str, Any] = {"account": account, "operation": operation}
    body |= booked(cast) if operation == "think" else {"quantity": random.choice((1, 2, 3))}
    if random.random() < 0.3:
        opened = open_one(cast, account, cast.name)
        for name in ("estimate", "resource", "usage", "model", "service_tier"):
            opened.body.pop(name, None)
        opened.body |= body
        cast.clients.ask(opened)
        send(cast, settle_one(cast, opened))
        return
    asked = cast.ask("POST /v1/deduct", account, body, expects=CHARGED)
    send(cast, asked)
    if random.random() < 0.3:
        cast.clients.loop.sleep(random.choice((0, SECOND_US, 33 * DAY_US)))
        send(cast, _void(cast, asked, f"{cast.name}-v"))


# How often each is told, of about a hundred.
PRICE_STORIES: tuple[tuple[Story, int], ...] = ((cross, 8),)
