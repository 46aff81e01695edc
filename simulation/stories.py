"""What clients and operators of a storm want, each a small story with its own key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulation.asking import DAY_US, RETRY_US, Asked, Clients
from simulation.loop import EPOCH, SECOND_US

REFUSALS = (402, 403)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu")
PLANS = ("free", "rolling", "capped", "bare", "owing", "strict")
QUOTED = 0.15
ESTIMATED = (
    *("account", "operation", "model", "usage", "quantity", "estimate"),
    *("provider", "service_tier", "resource"),
)
OPERATIONS = (
    *("text", "text", "video", "call", "chat", "own"),
    *("ask", "ask", "think", "think", "page", "machine"),
)
BOOKED = ("mega", "mega", "mini", "mini-2", "dated", "zen", "lite", "own-one", "newest", "nobody")
MODELS = ("gpt-4", "gpt-4-turbo", "gpt-9")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the clients, the accounts of this storm, and the story's own name."""

    clients: Clients
    accounts: tuple[str, ...]
    name: str

    def account(self) -> str:
        """One of the accounts."""
        return self.clients.random.choice(self.accounts)

    def ask(
        self,
        route_key: str,
        account: str,
        body: Any = None,
        *,
        key: str | None = None,
        path: dict[str, str] | None = None,
        expects: tuple[int, ...] = (),
    ) -> Asked:
        """A request that is judged at the end; an account in the path unless said otherwise."""
        place = {"id": account} if "{id}" in route_key and path is None else path or {}
        return self.clients.note(
            Asked(
                story=self.name,
                route_key=route_key,
                account=account,
                body=body,
                key=self.name if key is None else key,
                path=place,
                expects=expects,
            )
        )


Story = Callable[[Cast], None]


def run_of(cast: Cast, account: str) -> dict[str, Any]:
    """The body of a run, of whatever operation."""
    random = cast.clients.random
    operation = random.choice(OPERATIONS)
    body: dict[str, Any] = {"account": account, "operation": operation}
    match operation:
        case "ask" | "think":
            body |= booked(cast)
        case "page":
            body["quantity"] = random.choice((1, 1, 2, 3))
        case "machine":
            body["resource"] = taken(cast)
        case "call":
            body["quantity"] = random.choice((1, 2, "0.5", "3.000001"))
        case "chat":
            body["model"] = random.choice(MODELS)
            body["usage"] = {"input": random.randrange(60), "output": random.randrange(1, 60)}
        case _:
            pass
    if random.random() < 0.3:
        body["feature"] = random.choice(("chat", "voice"))
    if random.random() < 0.1:
        body["success"] = False
    if random.random() < 0.1:
        body["plan"] = random.choice(PLANS)
    return body


def booked(cast: Cast) -> dict[str, Any]:
    """What a run of a model of the price book says, or of one that no book knows yet."""
    random = cast.clients.random
    body: dict[str, Any] = {"model": random.choice(BOOKED)}
    # Now and then as much as a tier of the book allows, and not one token more.
    read, said = random.choice((*range(60), *[40] * 20, *[50] * 5)), random.randrange(1, 60)
    body["usage"] = {"input": read, "output": said}
    if random.random() < 0.3:
        body["usage"] |= {"cached_input": random.randrange(40), "reasoning": random.randrange(9)}
    elif random.random() < 0.2:
        usage: dict[str, Any] = {"prompt_tokens": read, "completion_tokens": said}
        usage |= {"total_tokens": read + said, "cost": random.choice((0, 0, 0.0123))}
        body["usage"] = usage
    if random.random() < 0.2:
        body["service_tier"] = random.choice(("batch", "batch", "priority"))
    return body


def taken(cast: Cast) -> dict[str, int]:
    """What a run took of its machine."""
    random = cast.clients.random
    names = ("cpu_ms", "mem_mb", "duration_ms")
    return {name: random.choice((1, 250, 1_024, 3_333)) for name in names}


def charge(cast: Cast) -> None:
    """A run is charged; now and then twice at once, and again days later."""
    account = cast.account()
    asked = cast.ask(
        "POST /v1/deduct", account, run_of(cast, account), expects=(200, 422, *REFUSALS)
    )
    rely(cast, asked)
    send(cast, asked)
    _ask_otherwise(cast, asked)


def rely(cast: Cast, asked: Asked, *, odds: float = QUOTED) -> None:
    """Now and then the request relies on an estimate that was asked for some time before."""
    clients = cast.clients
    if clients.random.random() > odds:
        return
    body = {name: asked.body[name] for name in ESTIMATED if name in asked.body}
    attempt = clients.ask(
        cast.ask("POST /v1/estimate", asked.account, body, key="", expects=(200, 422))
    )
    if attempt.status == 200 and attempt.body["quote_id"]:
        asked.promised = attempt.body
        asked.body["quote_id"] = attempt.body["quote_id"]
        clients.loop.sleep(clients.random.choice((0, 20_000, SECOND_US, 20 * 60 * SECOND_US)))


def send(cast: Cast, asked: Asked) -> None:
    """The request is asked; now and then twice at once, and again much later."""
    clients = cast.clients
    if clients.faults.strikes("duplicate_request", 0.3):
        clients.faults.counts["duplicate_request"] -= 1
        clients.ask_twice_at_once(asked)
    else:
        clients.ask(asked)
    if clients.faults.strikes("late_replay", 0.3):
        clients.loop.sleep(clients.random.choice(RETRY_US))
        clients.ask(asked)


def _ask_otherwise(cast: Cast, asked: Asked) -> None:
    """The same key is used for something else."""
    if cast.clients.faults.strikes("other_body", 0.1):
        body = {**asked.body, "operation": "video", "quantity": 2}
        for name in ("model", "usage", "success", "service_tier", "resource"):
            body.pop(name, None)
        other = cast.ask(asked.route_key, asked.account, body, expects=asked.expects)
        cast.clients.ask(other)


def give_back(cast: Cast) -> None:
    """A charge is voided or refunded, and somebody else tries the same a moment later."""
    random = cast.clients.random
    account = cast.account()
    first = cast.ask(
        "POST /v1/deduct", account, run_of(cast, account), expects=(200, 422, 402, 403)
    )
    cast.clients.ask(first)
    asked = [_back(cast, account, f"{cast.name}-b{n}") for n in range(random.choice((1, 1, 2, 3)))]
    for each in asked[1:]:
        cast.clients.loop.spawn(
            lambda each=each: _finish(cast, each), after_us=random.randrange(40_000)
        )
    send(cast, asked[0])


def _finish(cast: Cast, asked: Asked) -> None:
    cast.clients.ask(asked)


def _back(cast: Cast, account: str, key: str) -> Asked:
    expects = (200, 201, 404, 409, 422)
    if cast.clients.random.random() < 0.5:
        path = {"id": account, "key": cast.name}
        route = "POST /v1/accounts/{id}/entries/{key}/void"
        return cast.ask(route, account, {"reason": "r"}, key=key, path=path, expects=expects)
    body: dict[str, Any] = {"key": cast.name, "reason": "r"}
    if cast.clients.random.random() < 0.5:
        body["amount"] = cast.clients.random.choice(("0.25", "0.25", 5))
    return cast.ask("POST /v1/accounts/{id}/refunds", account, body, key=key, expects=expects)


def grant(cast: Cast) -> None:
    """An operator gives credits: now, later, for a while, for good."""
    random = cast.clients.random
    body: dict[str, Any] = {
        "amount": random.choice((1, 5, "0.000001", "12.5")),
        "reason": "storm",
        "kind": random.choice(("promo", "adjustment")),
    }
    if random.random() < 0.4:
        body["expires_at"] = moment_in(cast, random.choice((1, 3_600, 90_000)) * SECOND_US)
    elif random.random() < 0.3:
        body["effective_at"] = moment_in(cast, random.choice((1, 90_000)) * SECOND_US)
    asked = cast.ask(
        "POST /v1/accounts/{id}/grants", cast.account(), body, expects=(201, 403, 409, 422)
    )
    send(cast, asked)


def moment_in(cast: Cast, span_us: int) -> str:
    """The moment that much later, as a body says it."""
    at_us = cast.clients.loop.now_us + span_us
    return (EPOCH + timedelta(microseconds=at_us // 1000 * 1000)).isoformat()


def adjust(cast: Cast) -> None:
    """An operator takes credits, or puts some in."""
    body = {"amount": cast.clients.random.choice((-1, -3, 2, "-0.000001")), "reason": "storm"}
    asked = cast.ask(
        "POST /v1/accounts/{id}/adjustments",
        cast.account(),
        body,
        expects=(201, 402, 403, 409, 422),
    )
    send(cast, asked)


def change_plan(cast: Cast) -> None:
    """The account moves to another plan, now or at the period's end."""
    random = cast.clients.random
    body = {"plan": random.choice(PLANS), "at": random.choice(("now", "period_end"))}
    asked = cast.ask("PUT /v1/accounts/{id}/plan", cast.account(), body, expects=(200, 403))
    send(cast, asked)


def change_zone(cast: Cast) -> None:
    """The account's days begin elsewhere, and somebody goes on working there."""
    account = cast.account()
    body = {"zone": cast.clients.random.choice(ZONES)}
    asked = cast.ask("PUT /v1/accounts/{id}/profile", account, body, expects=(200, 403))
    send(cast, asked)
    charge(Cast(cast.clients, (account,), f"{cast.name}-c"))


def freeze(cast: Cast) -> None:
    """The account is frozen for a while; rarely it is closed. Somebody tries to spend."""
    account = cast.account()
    is_last = cast.clients.random.random() < 0.1
    names = ("close",) if is_last else ("freeze", "unfreeze")
    for name in names:
        asked = cast.ask(
            f"POST /v1/accounts/{{id}}/{name}",
            account,
            {"reason": "storm"},
            key=f"{cast.name}-{name}",
            expects=(200, 403, 422),
        )
        send(cast, asked)
        charge(Cast(cast.clients, (account,), f"{cast.name}-{name}-c"))


def look(cast: Cast) -> None:
    """A page and a backend look at the account, and ask whether it can pay."""
    account = cast.account()
    body = run_of(cast, account)
    body.pop("success", None)
    for asked in (
        cast.ask("POST /v1/check", account, body, key="", expects=(200, 422, *REFUSALS)),
        cast.ask("GET /v1/accounts/{id}", account, key="", expects=(200,)),
        cast.ask("GET /v1/accounts/{id}/entries", account, key="", expects=(200,)),
    ):
        cast.clients.ask(asked)


def wait(cast: Cast) -> None:
    """Nobody does anything for days."""
    cast.clients.loop.sleep(cast.clients.random.randrange(1, 45) * DAY_US)
    look(cast)


# How often each is told, of about a hundred.
STORIES: tuple[tuple[Story, int], ...] = (
    (charge, 38),
    (give_back, 14),
    (grant, 10),
    (adjust, 7),
    (change_plan, 7),
    (change_zone, 5),
    (freeze, 3),
    (look, 4),
    (wait, 2),
)
