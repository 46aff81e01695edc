"""Stories of limits and of budgets."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from simulation.asking import DAY_US, HOUR_US, Asked
from simulation.hold_stories import hold, race_end, return_settled
from simulation.loop import SECOND_US
from simulation.short import shard_of, spend_all, top_up
from simulation.stories import Cast, Story, charge, give_back, send

LIMITS = "PUT /v1/accounts/{id}/limits"
FUND = "POST /v1/accounts/{id}/budgets"
CLOSE = "POST /v1/accounts/{id}/budgets/{budget}/close"
AMOUNTS = (None, "0.5", 3, 8, 20)
THRESHOLDS = (None, [50], [10, 90], [1, 100], [25, 50, 75, 100])


def limit(cast: Cast) -> None:
    """A limit is set, or taken away, while somebody spends and after; maybe twice."""
    clients, random = cast.clients, cast.clients.random
    account = cast.account()
    for number in range(random.choice((1, 1, 2))):
        asked = _limits(cast, account, f"{cast.name}-l{number}")
        clients.loop.spawn(lambda asked=asked: send(cast, asked), after_us=random.randrange(30_000))
    clients.loop.sleep(random.choice((0, 20_000, SECOND_US, DAY_US)))
    for number in range(random.choice((1, 2, 4))):
        story = random.choice((charge, charge, hold, give_back, race_end))
        own = Cast(clients, (account,), f"{cast.name}-{number}")
        clients.loop.spawn(
            lambda story=story, own=own: story(own), after_us=random.randrange(30_000)
        )


def _limits(cast: Cast, account: str, key: str) -> Asked:
    random = cast.clients.random
    body: dict[str, Any] = {}
    for name in ("daily", "monthly", "per_run_max"):
        if random.random() < 0.5:
            body[name] = random.choice(AMOUNTS)
    if random.random() < 0.3:
        body["alert_thresholds"] = random.choice(THRESHOLDS)
    if random.random() < 0.3:
        body["low_balance"] = random.choice((None, 0, 1, 10))
    if random.random() < 0.5 or not body:
        body["daily"] = random.choice(AMOUNTS)
    if random.random() < 0.4:
        body["set_by"] = "user"
    return cast.ask(LIMITS, account, body, key=key, expects=(200, 403, 422))


def budget(cast: Cast) -> None:
    """A budget is funded, spent by its own people, and closed while they and others go on."""
    clients, random = cast.clients, cast.clients.random
    parent = random.choice(cast.accounts)
    if random.random() < 0.1:
        parent = budgets_of(parent)[0]
    child = random.choice(budgets_of(parent))
    funded = fund(cast, parent, child, f"{cast.name}-f")
    send(cast, funded)
    for number in range(random.choice((1, 2, 3))):
        story = random.choice(WORK)
        own = Cast(clients, (child,), f"{cast.name}-{number}")
        after_us = random.choice((0, 0, SECOND_US, HOUR_US)) + random.randrange(30_000)
        clients.loop.spawn(lambda story=story, own=own: story(own), after_us=after_us)
    own = Cast(clients, (parent,), f"{cast.name}-o")
    clients.loop.spawn(lambda: charge(own), after_us=random.randrange(30_000))
    if random.random() < 0.5:
        more = fund(cast, parent, child, f"{cast.name}-m")
        clients.loop.spawn(lambda: send(cast, more), after_us=random.randrange(30_000))
    if random.random() < 0.5:
        clients.loop.sleep(random.choice((0, 10_000, SECOND_US, 2 * HOUR_US, 35 * DAY_US)))
        send(cast, close(cast, parent, child, f"{cast.name}-x"))


def fund(cast: Cast, parent: str, child: str, key: str) -> Asked:
    """A request to give a budget credits, and now and then limits."""
    random = cast.clients.random
    body: dict[str, Any] = {"budget": child, "amount": random.choice(("0.5", 2, 5, 9))}
    for name in ("daily", "monthly", "per_run_max"):
        if random.random() < 0.2:
            body[name] = random.choice(AMOUNTS[1:])
    asked = cast.ask(FUND, parent, body, key=key, expects=(201, 402, 403, 409, 422))
    asked.partner = child
    return asked


def close(cast: Cast, parent: str, child: str, key: str) -> Asked:
    """A request to end a budget."""
    path = {"id": parent, "budget": child}
    asked = cast.ask(CLOSE, parent, {}, key=key, path=path, expects=(200, 403, 404, 409, 422))
    asked.partner = child
    return asked


@lru_cache(maxsize=100)
def budgets_of(parent: str) -> tuple[str, ...]:
    """The ids of its budgets: two, in the parent's own shard of what is due."""
    names = (f"{parent}.{number}" for number in range(10_000))
    found = (name for name in names if shard_of(name) == shard_of(parent))
    return next(found), next(found)


WORK: tuple[Story, ...] = (
    charge,
    charge,
    hold,
    hold,
    give_back,
    race_end,
    return_settled,
    spend_all,
    top_up,
)

# How often each is told, of about a hundred.
GATE_STORIES: tuple[tuple[Story, int], ...] = (
    (limit, 12),
    (budget, 14),
)
