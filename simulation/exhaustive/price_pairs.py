"""Pairs of what is done with charges whose price depends on others, or is not final."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement

from simulation.asking import SETTLE, Asked
from simulation.exhaustive.stage import Prepared
from simulation.exhaustive.tables import (
    ACCOUNT,
    HELD,
    PAGED,
    WAITS,
    Meeting,
    Pair,
    ask_of,
    charge_of,
)
from simulation.price_stories import BACK, REFUND, RERATE, RERATED, VOID

Make = Callable[[str, int], Asked]


def _page(key: str, slot: int) -> Asked:
    return charge_of(ACCOUNT, key, {"operation": "page", "quantity": (2, 3)[slot]})


def _settle(_: str, slot: int) -> Asked:
    body = {"account": ACCOUNT, "quantity": (2, 4)[slot]}
    path = {"hold_id": HELD}
    return ask_of(SETTLE, body, "settle", (200, 404, 409, 422), path=path, header="")


def _part(key: str, slot: int) -> Asked:
    body = {"account": ACCOUNT, "quantity": (1, 2)[slot], "final": False}
    return ask_of(SETTLE, body, key, (200, 404, 409, 422), path={"hold_id": HELD})


def _unpage(key: str, _: int) -> Asked:
    return ask_of(VOID, {}, key, BACK, path={"id": ACCOUNT, "key": PAGED})


def _move(key: str, slot: int) -> Asked:
    body = {"plan": ("rolling", "owing")[slot], "at": "now"}
    return ask_of("PUT /v1/accounts/{id}/plan", body, key, (200, 422))


def _rerate(key: str, _: int) -> Asked:
    return ask_of(RERATE, {"reason": "r"}, key, RERATED, path={"id": ACCOUNT, "key": WAITS})


def _void(key: str, _: int) -> Asked:
    return ask_of(VOID, {}, key, BACK, path={"id": ACCOUNT, "key": WAITS})


def _refund(key: str, _: int) -> Asked:
    return ask_of(REFUND, {"key": WAITS, "amount": "0.1", "reason": "r"}, key, BACK)


def _spend(key: str, _: int) -> Asked:
    return charge_of(ACCOUNT, key, {"operation": "text", "quantity": 2})


VOLUME: dict[str, Make] = {
    "page": _page,
    "settle-pages": _settle,
    "part-of-pages": _part,
    "unpage": _unpage,
}
NEW_PRICES: dict[str, Make] = {"rerate": _rerate, "undo": _void, "give-back": _refund}
OTHERS: dict[str, Make] = {"move-plan": _move, "buy-text": _spend}
ALL = {**VOLUME, **NEW_PRICES, **OTHERS}


def price_pairs() -> list[Pair]:
    """Of two that count in one volume, of two that end one wait, and of one key."""
    made = [_of_two(*kinds, "paged") for kinds in combinations_with_replacement(VOLUME, 2)]
    made += [_of_two(kind, "move-plan", "paged") for kind in VOLUME]
    made += [_of_two("rerate", kind, "waits") for kind in (*NEW_PRICES, *OTHERS)]
    made += [_again("page", "paged"), _again("rerate", "waits")]
    return made


def _of_two(first: str, second: str, table: str) -> Pair:
    def make(_: Prepared) -> Meeting:
        return Meeting([ALL[kind](f"k{slot}", slot) for slot, kind in enumerate((first, second))])

    is_even = first == second and first in ("rerate", "unpage")
    return Pair(f"{first}+{second}", make, table, is_even=is_even)


def _again(kind: str, table: str) -> Pair:
    def make(_: Prepared) -> Meeting:
        return Meeting([ALL[kind]("k0", 0)] * 2)

    return Pair(f"{kind}+itself", make, table, is_even=True)
