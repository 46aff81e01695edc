"""Stories of accounts that run short, and of those who ask at the moment when time moves them."""

from __future__ import annotations

from typing import Any

from simulation.deployment import TABLE
from simulation.loop import SECOND_US
from simulation.stories import PLANS, Cast, Story, run_of, send
from tollkeeper.domain.entries import AccountId
from tollkeeper.store.keys import account_key, due_shard

CHARGED = (200, 402, 403, 422)
LONGEST_WAIT_US = 3 * 86_400 * SECOND_US


def spend_all(cast: Cast) -> None:
    """Somebody spends all that is there, so that whoever asks again finds nothing left."""
    account = cast.account()
    seen = cast.clients.ask(cast.ask("GET /v1/accounts/{id}", account, key="", expects=(200,)))
    available = float(str(seen.body["available"])) if seen.status == 200 else 1.0
    body = {"account": account, "operation": "text", "quantity": max(1, int(available))}
    send(cast, cast.ask("POST /v1/deduct", account, body, expects=CHARGED))


def regret(cast: Cast) -> None:
    """Somebody spends all, the plan changes under it, and the charge is given back."""
    account = cast.account()
    spend_all(Cast(cast.clients, (account,), cast.name))
    change = {"plan": cast.clients.random.choice(PLANS), "at": "now"}
    if cast.clients.random.random() < 0.7:
        route = "PUT /v1/accounts/{id}/plan"
        send(cast, cast.ask(route, account, change, key=f"{cast.name}-p", expects=(200, 403)))
    path = {"id": account, "key": cast.name}
    route = "POST /v1/accounts/{id}/entries/{key}/void"
    expects = (200, 404, 409, 422)
    send(cast, cast.ask(route, account, {}, key=f"{cast.name}-v", path=path, expects=expects))


def top_up(cast: Cast) -> None:
    """Somebody who is refused gets credits and asks again at once, under the same key."""
    account = cast.account()
    body = {"account": account, "operation": "video", "quantity": 5}
    asked = cast.ask("POST /v1/deduct", account, body, expects=CHARGED)
    if cast.clients.ask(asked).status == 402:
        gift = {"amount": 20, "reason": "storm"}
        given = cast.ask(
            "POST /v1/accounts/{id}/grants",
            account,
            gift,
            key=f"{cast.name}-g",
            expects=(201, 403, 409, 422),
        )
        cast.clients.ask(given)
        cast.clients.ask(asked)


def rush(cast: Cast) -> None:
    """The sweep and a few runs come at the very moment at which something is due."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    wait_us = _until_due_us(cast, account)
    if wait_us is None:
        return
    clients.loop.sleep(wait_us + random.randrange(2_000))
    for _ in range(random.choice((1, 1, 2))):
        clients.deployment.invoke("period_reset", {"shards": [shard_of(account)]})
    for number in range(random.choice((1, 2, 3))):
        asked = cast.ask(
            "POST /v1/deduct",
            account,
            run_of(cast, account),
            key=f"{cast.name}-r{number}",
            expects=CHARGED,
        )
        clients.loop.spawn(lambda asked=asked: send(cast, asked), after_us=random.randrange(20_000))


def shard_of(account: str) -> int:
    """The shard whose sweep looks at the account."""
    return int(due_shard(account).removeprefix("DUE#"))


def _until_due_us(cast: Cast, account: str) -> int | None:
    """How long until something of the account is due; None where there is none, or too long."""
    network = cast.clients.deployment.network
    found: dict[str, Any] = network.store.get_item(
        TableName=TABLE, Key=account_key(AccountId(account)), ConsistentRead=True
    )
    if "Item" not in found:
        return None
    span_us = int(found["Item"]["due_at"]["N"]) * 1000 - network.loop.now_us
    return max(0, span_us) if span_us < LONGEST_WAIT_US else None


# How often each is told, of about a hundred.
SHORT_STORIES: tuple[tuple[Story, int], ...] = (
    (spend_all, 10),
    (top_up, 8),
    (rush, 8),
    (regret, 6),
)
