"""Stories of holds: credits are set aside, used in part, given back, forgotten, and fought over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulation.asking import DAY_US, EXTEND, HOLD, HOUR_US, MINUTE_US, RELEASE, SETTLE, Asked
from simulation.loop import SECOND_US
from simulation.short import shard_of
from simulation.stories import (
    BOOKED,
    PLANS,
    Cast,
    Story,
    booked,
    moment_in,
    rely,
    run_of,
    send,
    taken,
)

SPANS_S = (1, 1, 2, 30, 900, 3_600, 86_400)
HELD = (201, 402, 403, 422, 429)
SETTLED = (200, 404, 409, 422)
CHANGED = (200, 403, 404, 409, 422)
AMOUNTS = ("0.000001", "0.5", 1, 3, 4, 9)
# How long after its opening something happens to a hold: at once, soon, and long after its end.
LATER_US = (
    0,
    20_000,
    SECOND_US,
    2 * SECOND_US,
    15 * MINUTE_US,
    HOUR_US,
    DAY_US,
    3 * DAY_US,
    40 * DAY_US,
)


def hold_body(cast: Cast, account: str) -> dict[str, Any]:
    """The body of a hold, of whatever operation, size and length."""
    random = cast.clients.random
    body = run_of(cast, account)
    body.pop("success", None)
    if random.random() < 0.4:
        for name in ("usage", "quantity", "resource"):
            body.pop(name, None)
        if random.random() < 0.8:
            body["estimate"] = random.choice(AMOUNTS)
    if random.random() < 0.8:
        body["expires_in_s"] = random.choice(SPANS_S)
    if random.random() < 0.1:
        body["per_run_max"] = random.choice(("0.5", 2, 5))
    return body


def open_one(cast: Cast, account: str, name: str, **members: Any) -> Asked:
    """A request for a hold of that id, which is its key, in the body, in the header or in both."""
    random = cast.clients.random
    body = {**hold_body(cast, account), **members}
    way = random.randrange(3)
    if way:
        body["hold_id"] = name
    key = "" if way == 1 else name
    return cast.ask(HOLD, account, body, key=key, expects=HELD)


def settle_one(cast: Cast, hold: Asked, *, name: str = "") -> Asked:
    """A request to settle the hold: whole, or with a name one part of it."""
    random = cast.clients.random
    body: dict[str, Any] = {"account": hold.account}
    operation = hold.body["operation"]
    if operation == "chat" and random.random() < 0.6:
        body["usage"] = {"input": random.randrange(60), "output": random.randrange(1, 60)}
        if random.random() < 0.2:
            body["model"] = "gpt-9"
    elif operation in ("ask", "think") and random.random() < 0.7:
        body["usage"] = booked(cast)["usage"]
        if random.random() < 0.3:
            body["model"] = random.choice(BOOKED)
    elif operation == "machine" and random.random() < 0.6:
        body["resource"] = taken(cast)
    elif operation in ("call", "text", "video", "page") and random.random() < 0.5:
        body["quantity"] = random.choice((1, 1, 2, 5))
    else:
        body["amount"] = random.choice(AMOUNTS)
    if name:
        body["final"] = False
    path = {"hold_id": hold.hold}
    return cast.ask(SETTLE, hold.account, body, key=name, path=path, expects=SETTLED)


def release_one(cast: Cast, hold: Asked) -> Asked:
    """A request to give the hold back."""
    body = {"account": hold.account, "reason": cast.clients.random.choice(("r", "s"))}
    path = {"hold_id": hold.hold}
    return cast.ask(RELEASE, hold.account, body, key="", path=path, expects=SETTLED)


def extend_one(cast: Cast, hold: Asked, name: str) -> Asked:
    """A request to keep the hold open for longer."""
    body = {"account": hold.account, "expires_in_s": cast.clients.random.choice(SPANS_S)}
    path = {"hold_id": hold.hold}
    return cast.ask(EXTEND, hold.account, body, key=name, path=path, expects=CHANGED)


def hold(cast: Cast) -> None:
    """Credits are held for a run; it ends, dies, goes on for longer, or nobody hears of it."""
    random = cast.clients.random
    opened = open_one(cast, cast.account(), cast.name)
    rely(cast, opened)
    send(cast, opened)
    if cast.clients.faults.strikes("other_body", 0.1):
        other = open_one(cast, opened.account, opened.hold)
        cast.clients.ask(other)
    _go_on(cast, opened, random.choice((0, 1, 1, 1, 2, 3)))


def _go_on(cast: Cast, opened: Asked, count: int, *, within_us: int = 0) -> None:
    """So many things happen to the hold, each at a moment of its own."""
    clients, random = cast.clients, cast.clients.random
    same_us = random.choice(LATER_US) if random.random() < 0.6 else None
    for number in range(count):
        later_us = random.choice(LATER_US) if same_us is None else same_us
        step = _step(cast, opened, f"{cast.name}-{number}")
        clients.loop.spawn(
            lambda step=step: send(cast, step),
            after_us=(within_us or later_us) + random.randrange(30_000),
        )


def _step(cast: Cast, opened: Asked, name: str) -> Asked:
    kind = cast.clients.random.choices(("settle", "part", "release", "extend"), (5, 2, 3, 2))[0]
    match kind:
        case "settle":
            return settle_one(cast, opened)
        case "part":
            return settle_one(cast, opened, name=name)
        case "release":
            return release_one(cast, opened)
        case _:
            return extend_one(cast, opened, name)


def race_end(cast: Cast) -> None:
    """A short hold's time is over just as it is settled, released, extended and swept."""
    clients, random = cast.clients, cast.clients.random
    span_s = random.choice((1, 2))
    opened = open_one(cast, cast.account(), cast.name, expires_in_s=span_s)
    clients.ask(opened)
    if not opened.successes():
        return
    until_us = opened.attempts[-1].ended_us + span_s * SECOND_US - clients.loop.now_us
    _go_on(cast, opened, random.choice((1, 2, 2, 3)), within_us=max(1, until_us - 20_000))
    clients.loop.sleep(max(0, until_us - random.randrange(15_000)))
    for _ in range(random.choice((0, 1, 2))):
        clients.deployment.invoke("period_reset", {"shards": [shard_of(opened.account)]})


def stream(cast: Cast) -> None:
    """A long stream is settled in parts, extended on the way, and dies or ends."""
    clients, random = cast.clients, cast.clients.random
    opened = open_one(cast, cast.account(), cast.name, estimate=random.choice((3, 6, 9)))
    for name in ("usage", "quantity", "resource"):
        opened.body.pop(name, None)
    clients.ask(opened)
    for number in range(random.choice((1, 2, 4, 11))):
        part = settle_one(cast, opened, name=f"{cast.name}-p{number}")
        more = extend_one(cast, opened, f"{cast.name}-e{number}")
        for step in (part, more):
            if random.random() < 0.7:
                clients.ask(step)
    _go_on(cast, opened, random.choice((0, 1, 2)))


def return_settled(cast: Cast) -> None:
    """A settle, or a part of one, is voided or refunded, once, whoever asks."""
    clients, random = cast.clients, cast.clients.random
    opened = open_one(cast, cast.account(), cast.name, expires_in_s=random.choice((1, 900)))
    clients.ask(opened)
    if random.random() < 0.3:
        clients.loop.sleep(random.choice((2 * SECOND_US, 2 * DAY_US)))
    name = f"{cast.name}-p" if random.random() < 0.3 else ""
    settled = settle_one(cast, opened, name=name)
    clients.ask(settled)
    for number in range(random.choice((1, 1, 2))):
        back = _back(cast, settled, f"{cast.name}-b{number}")
        clients.loop.spawn(lambda back=back: send(cast, back), after_us=random.choice(LATER_US))
    if name and random.random() < 0.5:
        clients.ask(settle_one(cast, opened))


def _back(cast: Cast, settled: Asked, key: str) -> Asked:
    shown = settled.row_key.removeprefix("c#").replace("#", "~")
    expects = (200, 201, 404, 409, 422)
    if cast.clients.random.random() < 0.5:
        path = {"id": settled.account, "key": shown}
        route = "POST /v1/accounts/{id}/entries/{key}/void"
        return cast.ask(route, settled.account, {}, key=key, path=path, expects=expects)
    body: dict[str, Any] = {"key": shown, "reason": "r"}
    if cast.clients.random.random() < 0.5:
        body["amount"] = "0.5"
    route = "POST /v1/accounts/{id}/refunds"
    return cast.ask(route, settled.account, body, key=key, expects=expects)


def hold_over(cast: Cast) -> None:
    """The plan changes, a grant ends or the day is over while credits are held."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    if random.random() < 0.5:
        _give_for_a_second(cast, account)
    opened = open_one(cast, account, cast.name, expires_in_s=random.choice((900, 3_600, 86_400)))
    clients.ask(opened)
    clients.loop.sleep(random.choice((1_000, 2 * SECOND_US, HOUR_US)))
    if random.random() < 0.4:
        # It pays debt that the hold has made, so that what comes back has no debt to go to.
        _give_for_a_second(replace(cast, name=f"{cast.name}-l"), account)
    if random.random() < 0.6:
        body = {"plan": random.choice(PLANS), "at": random.choice(("now", "now", "period_end"))}
        route = "PUT /v1/accounts/{id}/plan"
        clients.ask(cast.ask(route, account, body, key=f"{cast.name}-p", expects=(200, 403)))
        if random.random() < 0.5:
            above = settle_one(cast, opened)
            above.body = {"account": account, "amount": random.choice((5, 12, 30))}
            send(cast, above)
    _go_on(cast, opened, random.choice((1, 2)))


def _give_for_a_second(cast: Cast, account: str) -> None:
    body = {
        "amount": cast.clients.random.choice((2, 5)),
        "reason": "storm",
        "kind": "promo",
        "expires_at": moment_in(cast, cast.clients.random.choice((1, 60)) * SECOND_US),
    }
    route = "POST /v1/accounts/{id}/grants"
    expects = (201, 403, 409, 422)
    cast.clients.ask(cast.ask(route, account, body, key=f"{cast.name}-g", expects=expects))


def crowd(cast: Cast) -> None:
    """Several holds and runs want the same credits at the same moment."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    for number in range(random.choice((2, 3, 5))):
        name = f"{cast.name}-{number}"
        asked = open_one(cast, account, name)
        clients.loop.spawn(
            lambda asked=asked, name=name: _hold_then(replace(cast, name=name), asked),
            after_us=random.randrange(20_000),
        )


def _hold_then(cast: Cast, asked: Asked) -> None:
    send(cast, asked)
    _go_on(cast, asked, cast.clients.random.choice((0, 1)))


# How often each is told, of about a hundred.
HOLD_STORIES: tuple[tuple[Story, int], ...] = (
    (hold, 24),
    (race_end, 10),
    (stream, 6),
    (return_settled, 7),
    (hold_over, 12),
    (crowd, 6),
)
