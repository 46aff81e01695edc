"""Which two requests meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations_with_replacement

from simulation.asking import Asked
from simulation.exhaustive.gate_pairs import gate_pairs
from simulation.exhaustive.price_pairs import price_pairs
from simulation.exhaustive.stage import Prepared
from simulation.exhaustive.tables import (
    ACCOUNT,
    CHARGE,
    SWEEP,
    Meeting,
    Pair,
    ask_of,
    charge_of,
    checkout_of,
    purchase_of,
)
from simulation.stripe_side import COMPLETED, FAILED, SUCCEEDED, WEBHOOK, Bought, Delivery

NEW = "bob"


def record_of(prepared: Prepared, name: str) -> Bought:
    """A prepared purchase as judges know it; nothing was paid yet."""
    return Bought(ACCOUNT, purchase_of(prepared, name), "small", "20")


# ---- The requests. Each takes nearly all that is there, so that two cannot both have it.


def _deduct(key: str, _: int) -> Asked:
    return charge_of(ACCOUNT, key, {"operation": "text", "quantity": 6})


def _dear(key: str, _: int) -> Asked:
    return charge_of(ACCOUNT, key, {"operation": "text", "quantity": 14})


def _first(key: str, _: int) -> Asked:
    return charge_of(NEW, key, {"operation": "text", "quantity": 9})


def _grant(key: str, _: int) -> Asked:
    body = {"amount": 5, "reason": "r", "kind": "promo"}
    return ask_of("POST /v1/accounts/{id}/grants", body, key, (201, 422))


def _adjust(key: str, _: int) -> Asked:
    body = {"amount": -7, "reason": "r"}
    return ask_of("POST /v1/accounts/{id}/adjustments", body, key, (201, 402, 422))


def _void(key: str, _: int) -> Asked:
    route = "POST /v1/accounts/{id}/entries/{key}/void"
    path = {"id": ACCOUNT, "key": CHARGE}
    return ask_of(route, {"reason": "r"}, key, (200, 409, 422), path=path)


def _refund(key: str, _: int) -> Asked:
    body = {"key": CHARGE, "amount": 1, "reason": "r"}
    return ask_of("POST /v1/accounts/{id}/refunds", body, key, (201, 409, 422))


def _plan(key: str, slot: int) -> Asked:
    body = {"plan": ("rolling", "capped")[slot], "at": "now"}
    return ask_of("PUT /v1/accounts/{id}/plan", body, key, (200, 422))


def _sell(key: str, _: int) -> Asked:
    return checkout_of(key)


REQUESTS: dict[str, Callable[[str, int], Asked]] = {
    "deduct": _deduct,
    "grant": _grant,
    "adjust": _adjust,
    "void": _void,
    "refund": _refund,
    "plan": _plan,
    "checkout": _sell,
}
WORK = (*REQUESTS, "paid", SWEEP)
# A charge that is above what is there, until the other request has brought some.
ENABLED = ("grant", "void", "paid", SWEEP)
AGAIN = ("deduct", "first", "grant", "adjust", "void", "refund", "plan", "checkout")
OTHER: dict[str, Callable[[str], Asked]] = {
    "deduct": lambda key: charge_of(ACCOUNT, key, {"operation": "text", "quantity": 5}),
    "grant": lambda key: ask_of(
        "POST /v1/accounts/{id}/grants", {"amount": 6, "reason": "r"}, key, (201, 422)
    ),
    "checkout": lambda key: checkout_of(key, "brief"),
}


# ---- The pairs


def pairs() -> dict[str, Pair]:
    """All pairs by name: of two kinds, of one key, of one payment, and of holds."""
    made = [_of_two(*kinds) for kinds in combinations_with_replacement(WORK, 2)]
    made += [_of_two(kind, "dear") for kind in ENABLED]
    made += [_of_two("first", "first"), *map(_again, AGAIN), *map(_other, OTHER)]
    made += [_of_payment(name, *steps) for name, steps in PAYMENTS.items()]
    made += [*gate_pairs(), *price_pairs()]
    return {pair.name: pair for pair in made}


def _of_two(first: str, second: str) -> Pair:
    def make(prepared: Prepared) -> Meeting:
        meeting = Meeting([])
        for slot, kind in enumerate((first, second)):
            _add(meeting, prepared, kind, slot)
        return meeting

    is_even = first == second and first != "plan"
    return Pair(
        f"{first}+{second}",
        make,
        table="due" if SWEEP in (first, second) else "quiet",
        is_even=is_even,
    )


def _add(meeting: Meeting, prepared: Prepared, kind: str, slot: int) -> None:
    if kind == SWEEP:
        meeting.asked.append(None)
    elif kind == "paid":
        record = record_of(prepared, f"p{slot}")
        _deliver(meeting, record, prepared, (COMPLETED, "paid", f"evt_{slot}"))
        meeting.bought.append(record)
    else:
        make = {**REQUESTS, "dear": _dear, "first": _first}[kind]
        meeting.asked.append(make(f"k{slot}", slot))


def _again(kind: str) -> Pair:
    make = REQUESTS.get(kind, _first)

    def make_both(_: Prepared) -> Meeting:
        return Meeting([make("k0", 0)] * 2)

    return Pair(f"{kind}+again", make_both, is_even=True)


def _other(kind: str) -> Pair:
    def make(_: Prepared) -> Meeting:
        return Meeting([REQUESTS[kind]("k0", 0), OTHER[kind]("k0")])

    return Pair(f"{kind}+other", make)


Step = tuple[str, str, str]
PAID: Step = (COMPLETED, "paid", "evt_a")
PAYMENTS: dict[str, tuple[Step, Step]] = {
    "paid+again": (PAID, PAID),
    "paid+second": (PAID, (SUCCEEDED, "paid", "evt_b")),
    "paid+unpaid": (PAID, (COMPLETED, "unpaid", "evt_b")),
    "unpaid+failed": ((COMPLETED, "unpaid", "evt_a"), (FAILED, "unpaid", "evt_b")),
}


def _of_payment(name: str, first: Step, second: Step) -> Pair:
    def make(prepared: Prepared) -> Meeting:
        record, meeting = record_of(prepared, "p0"), Meeting([])
        for step in (first, second):
            _deliver(meeting, record, prepared, step)
        if first == second:
            meeting.asked = [meeting.asked[0]] * 2
        meeting.bought.append(record)
        return meeting

    return Pair(name, make, is_even=first == second)


def _deliver(meeting: Meeting, record: Bought, prepared: Prepared, step: Step) -> None:
    type_, status, event = step
    session = prepared.sessions[record.purchase] | {"payment_status": status}
    body = {
        "id": event,
        "object": "event",
        "created": int(prepared.starts_at.timestamp()),
        "data": {"object": session},
        "livemode": False,
        "type": type_,
    }
    record.paths.append(f"{type_}/{status}")
    meeting.asked.append(
        Delivery(event, WEBHOOK, ACCOUNT, None, raw=json.dumps(body), expects=(200,))
    )
