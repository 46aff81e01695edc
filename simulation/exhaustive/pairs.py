"""Which two requests meet, and on which table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

from simulation.asking import Asked
from simulation.deployment import deployed
from simulation.exhaustive.stage import Prepared, Stage, empty
from simulation.short import shard_of
from simulation.stripe_side import COMPLETED, FAILED, SUCCEEDED, WEBHOOK, Bought, Delivery

ACCOUNT = "ada"
NEW = "bob"
QUIET = datetime(2026, 11, 30, 12, tzinfo=UTC)
# Half a second after the account's month, its plan's period and its day are over.
DUE = datetime(2026, 12, 1, 0, 0, 0, 500_000, tzinfo=UTC)
CHARGE = "c0"
SWEEP = "sweep"
RETURNS = {"success_url": "http://localhost:3000/paid", "cancel_url": "http://localhost:3000/packs"}


@dataclass
class Meeting:
    """What the two requests of one history are, made anew for each."""

    asked: list[Asked | None]
    bought: list[Bought] = field(default_factory=list[Bought])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests that meet. `is_due`: when time has work to do.

    `is_even`: the two differ in nothing but the names of their keys, so that it does not matter
    which of them comes first.
    """

    name: str
    make: Callable[[Prepared], Meeting]
    is_due: bool
    is_even: bool = False

    def prepared(self) -> Prepared:
        """The table that they meet on."""
        return prepare(is_due=self.is_due)


# ---- The table


@lru_cache(maxsize=2)
def prepare(*, is_due: bool) -> Prepared:
    """An account with 11 credits, one charge to give back, and two purchases to pay."""
    stage = Stage(empty(QUIET))
    with deployed(stage.deployment):
        stage.ask(_charge(ACCOUNT, CHARGE, {"operation": "video"}))
        for name in ("p0", "p1"):
            stage.ask(_checkout(name))
    assert all(asked.attempts[0].status in (200, 201) for asked in stage.asked)
    return stage.keep(DUE if is_due else QUIET + timedelta(minutes=1))


def purchase_of(prepared: Prepared, name: str) -> str:
    """The id of a purchase that was prepared."""
    asked = next(each for each in prepared.asked if each.key == name)
    return str(asked.attempts[0].body["purchase_id"])


def record_of(prepared: Prepared, name: str) -> Bought:
    """A prepared purchase as judges know it; nothing was paid yet."""
    return Bought(ACCOUNT, purchase_of(prepared, name), "small", "20")


# ---- The requests. Each takes nearly all that is there, so that two cannot both have it.


def _asked(route: str, body: Any, key: str, expects: tuple[int, ...], **more: Any) -> Asked:
    place = {"id": ACCOUNT} if "{id}" in route else {}
    asked = Asked(key, route, ACCOUNT, body, key, expects=expects)
    asked.path = more.get("path", place)
    asked.account = more.get("account", ACCOUNT)
    return asked


def _charge(account: str, key: str, run: dict[str, Any]) -> Asked:
    body = {"account": account, **run}
    return _asked("POST /v1/deduct", body, key, (200, 402, 422), account=account)


def _checkout(key: str, pack: str = "small") -> Asked:
    body = {"account": ACCOUNT, "pack": pack, **RETURNS}
    return _asked("POST /v1/checkout", body, key, (201, 422))


def _deduct(key: str, _: int) -> Asked:
    return _charge(ACCOUNT, key, {"operation": "text", "quantity": 6})


def _dear(key: str, _: int) -> Asked:
    return _charge(ACCOUNT, key, {"operation": "text", "quantity": 14})


def _first(key: str, _: int) -> Asked:
    return _charge(NEW, key, {"operation": "text", "quantity": 9})


def _grant(key: str, _: int) -> Asked:
    body = {"amount": 5, "reason": "r", "kind": "promo"}
    return _asked("POST /v1/accounts/{id}/grants", body, key, (201, 422))


def _adjust(key: str, _: int) -> Asked:
    body = {"amount": -7, "reason": "r"}
    return _asked("POST /v1/accounts/{id}/adjustments", body, key, (201, 402, 422))


def _void(key: str, _: int) -> Asked:
    route = "POST /v1/accounts/{id}/entries/{key}/void"
    path = {"id": ACCOUNT, "key": CHARGE}
    return _asked(route, {"reason": "r"}, key, (200, 409, 422), path=path)


def _refund(key: str, _: int) -> Asked:
    body = {"key": CHARGE, "amount": 1, "reason": "r"}
    return _asked("POST /v1/accounts/{id}/refunds", body, key, (201, 409, 422))


def _plan(key: str, slot: int) -> Asked:
    body = {"plan": ("rolling", "capped")[slot], "at": "now"}
    return _asked("PUT /v1/accounts/{id}/plan", body, key, (200, 422))


def _sell(key: str, _: int) -> Asked:
    return _checkout(key)


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
    "deduct": lambda key: _charge(ACCOUNT, key, {"operation": "text", "quantity": 5}),
    "grant": lambda key: _asked(
        "POST /v1/accounts/{id}/grants", {"amount": 6, "reason": "r"}, key, (201, 422)
    ),
    "checkout": lambda key: _checkout(key, "brief"),
}


# ---- The pairs


def pairs() -> dict[str, Pair]:
    """All pairs by name: of two kinds, of one key, and of one payment."""
    made = [_of_two(*kinds) for kinds in combinations_with_replacement(WORK, 2)]
    made += [_of_two(kind, "dear") for kind in ENABLED]
    made += [_of_two("first", "first"), *map(_again, AGAIN), *map(_other, OTHER)]
    made += [_of_payment(name, *steps) for name, steps in PAYMENTS.items()]
    return {pair.name: pair for pair in made}


def _of_two(first: str, second: str) -> Pair:
    def make(prepared: Prepared) -> Meeting:
        meeting = Meeting([])
        for slot, kind in enumerate((first, second)):
            _add(meeting, prepared, kind, slot)
        return meeting

    is_even = first == second and first != "plan"
    return Pair(f"{first}+{second}", make, is_due=SWEEP in (first, second), is_even=is_even)


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

    return Pair(f"{kind}+again", make_both, is_due=False, is_even=True)


def _other(kind: str) -> Pair:
    def make(_: Prepared) -> Meeting:
        return Meeting([REQUESTS[kind]("k0", 0), OTHER[kind]("k0")])

    return Pair(f"{kind}+other", make, is_due=False)


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

    return Pair(name, make, is_due=False, is_even=first == second)


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


def sweep_event() -> dict[str, Any]:
    """What the schedule sends for the account's shard."""
    return {"shards": [shard_of(ACCOUNT)]}
