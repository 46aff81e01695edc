"""Pairs of what is done with holds, limits and budgets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement, product
from typing import Any

from simulation.asking import EXTEND, RELEASE, SETTLE, Asked
from simulation.exhaustive.stage import Prepared
from simulation.exhaustive.tables import (
    ACCOUNT,
    CHILD,
    HELD,
    HELD_S,
    SWEEP,
    Meeting,
    Pair,
    ask_of,
    charge_of,
    fund_of,
    hold_of,
)
from simulation.gate_stories import CLOSE, LIMITS

PLACE = {"hold_id": HELD}
Make = Callable[[str, int], Asked]


def _settle(amount: int) -> Asked:
    body = {"account": ACCOUNT, "amount": amount}
    return ask_of(SETTLE, body, "settle", (200, 404, 409, 422), path=PLACE, header="")


def _release(reason: str) -> Asked:
    body = {"account": ACCOUNT, "reason": reason}
    return ask_of(RELEASE, body, "release", (200, 404, 409, 422), path=PLACE, header="")


def _part(key: str, _: int) -> Asked:
    body = {"account": ACCOUNT, "amount": 3, "final": False}
    return ask_of(SETTLE, body, key, (200, 404, 409, 422), path=PLACE)


def _extend(key: str, _: int) -> Asked:
    body = {"account": ACCOUNT, "expires_in_s": 900}
    return ask_of(EXTEND, body, key, (200, 403, 404, 409, 422), path=PLACE)


def _limit(key: str, slot: int) -> Asked:
    body: dict[str, Any] = {"daily": (10, 8)[slot]}
    return ask_of(LIMITS, body, key, (200, 422))


def _close(key: str, _: int) -> Asked:
    path = {"id": ACCOUNT, "budget": CHILD}
    return ask_of(CLOSE, {}, key, (200, 403, 404, 409, 422), path=path, partner=CHILD)


def _plan(key: str, slot: int) -> Asked:
    body = {"plan": ("strict", "owing")[slot], "at": "now"}
    return ask_of("PUT /v1/accounts/{id}/plan", body, key, (200, 422))


def _grant(key: str, _: int) -> Asked:
    body = {"amount": 5, "reason": "r", "kind": "promo"}
    return ask_of("POST /v1/accounts/{id}/grants", body, key, (201, 422))


GATE: dict[str, Make] = {
    "hold": lambda key, _: hold_of(ACCOUNT, key, estimate=2),
    "settle": lambda _, slot: _settle((4, 2)[slot]),
    "above": lambda _, slot: _settle((9, 7)[slot]),
    "part": _part,
    "release": lambda _, slot: _release("rs"[slot]),
    "extend": _extend,
    "limits": _limit,
    "fund": lambda key, _: fund_of(key, 2),
    "close": _close,
}
OTHERS: dict[str, Make] = {
    "spend": lambda key, _: charge_of(ACCOUNT, key, {"operation": "text", "quantity": 2}),
    "give": _grant,
    "move": _plan,
}
INSIDE: dict[str, Make] = {
    "within": lambda key, _: charge_of(CHILD, key, {"operation": "text", "quantity": 2}),
    "hold-within": lambda key, _: hold_of(CHILD, key, estimate=2),
}
ALL = {**GATE, **OTHERS, **INSIDE}
STEPS = ("settle", "above", "part", "release", "extend")
# What meets the sweep, on which table.
SWEPT = (
    *product(("edge", "ended"), (*STEPS, "hold", "spend")),
    *product(("over",), ("settle", "part", "release", "extend", "hold", "fund", "close", "move")),
)
AGAIN = ("hold", "settle", "part", "release", "extend", "limits", "fund", "close")
# Those whose two requests differ in more than the name of their key.
UNEVEN = frozenset({"settle", "above", "release", "limits", "move"})


def gate_pairs() -> list[Pair]:
    """Of two kinds, at each end of a hold, with the sweep, and of one key."""
    made = [_of_two(*kinds) for kinds in combinations_with_replacement(GATE, 2)]
    made += [_of_two(*kinds) for kinds in product(GATE, OTHERS)]
    made += [_of_two(*kinds) for kinds in product(INSIDE, ("fund", "close", *INSIDE))]
    made += [
        _of_two(*kinds, table=table)
        for table in ("edge", "ended", "late")
        for kinds in combinations_with_replacement(STEPS, 2)
    ]
    made += [_ahead(*kinds) for kinds in product((*STEPS, "hold"), STEPS)]
    made += [_of_two(kind, SWEEP, table=table) for table, kind in SWEPT]
    made += [_again(kind, table) for kind in AGAIN for table in ("held", "edge")]
    return made


def _of_two(first: str, second: str, *, table: str = "held") -> Pair:
    def make(_: Prepared) -> Meeting:
        kinds = enumerate((first, second))
        return Meeting(
            [None if kind == SWEEP else ALL[kind](f"k{slot}", slot) for slot, kind in kinds]
        )

    is_even = first == second and first not in UNEVEN
    return _pair(f"{first}+{second}", make, table, is_even=is_even)


def _ahead(first: str, second: str) -> Pair:
    """The second one's clock says that the hold is over; or it is of a hold just being opened."""

    def make(_: Prepared) -> Meeting:
        asked = [ALL[first]("k0", 0), ALL[second]("k1", 1)]
        if first == "hold":
            asked[0].body["expires_in_s"] = HELD_S
            asked[1].path = {"hold_id": "k0"}
        return Meeting([*asked])

    name = f"ahead:{first}+{second}"
    return Pair(name, make, "held", is_timed=True, ahead_s=2 * HELD_S)


def _again(kind: str, table: str) -> Pair:
    def make(_: Prepared) -> Meeting:
        return Meeting([ALL[kind]("k0", 0)] * 2)

    return _pair(f"{kind}+itself", make, table, is_even=True)


def _pair(name: str, make: Callable[[Prepared], Meeting], table: str, *, is_even: bool) -> Pair:
    name = name if table == "held" else f"{table}:{name}"
    return Pair(name, make, table, is_even=is_even, is_timed=table == "edge")
