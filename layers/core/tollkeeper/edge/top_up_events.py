"""What makes a top-up happen: events of the bus, and the schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tollkeeper.domain.entries import AccountId, parse_id
from tollkeeper.edge.observability import log_alarm, log_fact, log_failure
from tollkeeper.service.ports import World
from tollkeeper.service.topping_up import Till, Topped, heal_top_ups, top_up


def answer_event(
    world: World, find_till: Callable[[], Till], event: Mapping[str, Any]
) -> dict[str, Any]:
    """The account of the event is topped up where that is wanted now.

    Shape: an event of ours as EventBridge sends it, {"detail": {"account": ...}}.
    Raises: InvalidError for another event; BusyError and PaymentsUnavailableError, after which
    the same event is worth sending again.
    """
    account = AccountId(parse_id(event["detail"].get("account"), "account"))
    topped = top_up(world, find_till, account)
    return _tell(topped)


def answer_schedule(
    world: World, find_till: Callable[[], Till], *, has_time: Callable[[], bool]
) -> dict[str, Any]:
    """Every top-up that waits for a look had one, until the time is nearly up."""
    healed = heal_top_ups(
        world,
        find_till,
        has_time=has_time,
        on_broken=lambda account: log_failure("top-up cannot be looked at", account=account),
    )
    for topped in healed.looked:
        _tell(topped)
    facts = {
        "looked": len(healed.looked),
        "busy": healed.busy,
        "broken": healed.broken,
        "left": healed.left,
    }
    log_fact("top-ups healed", **facts)
    return facts


def _tell(topped: Topped) -> dict[str, Any]:
    """One line for what was done; money that needs a person is an error."""
    facts: dict[str, Any] = {"account": topped.account, "outcome": topped.outcome}
    purchase = topped.purchase
    if purchase is not None:
        facts |= {"purchase": purchase.id}
    if topped.outcome == "quarantined":
        log_alarm(
            "payment quarantined", reason="" if purchase is None else purchase.reason, **facts
        )
    else:
        log_fact("top-up", **facts)
    return facts
