"""Bugs of charges that wait for their price, and of those that were priced with another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import draft, rerating
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import EntryKey
from tollkeeper.service import holding, quarantine


def _marked_as(patches: Patches, name: Callable[[str, str], str]) -> None:
    def mark(charge: EntryKey, by: EntryKey, *, is_rerate: bool = False) -> ChargeReturned:
        return ChargeReturned(EntryKey(name(charge, by)), by, is_rerate=is_rerate)

    patches.replace(rerating, "ChargeReturned", mark)


def rerate_beside_void(patches: Patches) -> None:
    """A new price and a return of the charge each look only for their own kind."""
    _marked_as(patches, lambda charge, _: f"{charge}#anew")


def rerate_again(patches: Patches) -> None:
    """A charge can be priced anew under every key."""
    _marked_as(patches, lambda charge, by: f"{charge}#{by}")


def waits_for_ever(patches: Patches) -> None:
    """What has its price now stays in the list of what waits."""

    def end_waiting(*_: Any, **__: Any) -> tuple[()]:
        return ()

    patches.replace(rerating, "end_waiting", end_waiting)


def nobody_waits(patches: Patches) -> None:
    """What was charged at a price that is not final is in no list."""

    def list_waiting(_: Any) -> tuple[()]:
        return ()

    patches.replace(draft, "list_waiting", list_waiting)


def rerate_on_another_plan(patches: Patches) -> None:
    """The new price is that of another plan than the charge was on."""
    own: Any = quarantine.price_again

    def price_again(charge: Any, catalog: Any) -> Any:
        return own(replace(charge, run=replace(charge.run, plan="rolling")), catalog)

    patches.replace(quarantine, "price_again", price_again)


def rates_of_the_settle(patches: Patches) -> None:
    """A hold is settled at the rates of the day on which that happens."""
    own: Any = vars(holding)["_price"]

    def price(world: Any, request: Any, terms: Any, account: Any) -> Any:
        return own(world, request, replace(terms, priced_at=world.clock.now()), account)

    patches.replace(holding, "_price", price)


BUGS = (
    Bug("rerate beside a void", "a new price and a void both happen", rerate_beside_void),
    Bug("rerate again", "a charge is priced anew twice", rerate_again),
    Bug("waits for ever", "what has its price still waits", waits_for_ever),
    Bug("nobody waits", "what waits for a price is not listed", nobody_waits),
    Bug("rerate on another plan", "a new price is another plan's", rerate_on_another_plan),
    Bug("rates of the settle", "a settle has the rates of its day", rates_of_the_settle),
)
