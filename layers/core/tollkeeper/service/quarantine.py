"""Charges that wait for their price: which ones there are, and what prices them anew."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, show_key
from tollkeeper.domain.errors import (
    InvalidError,
    NotFoundError,
    StillUnknownError,
    TollkeeperError,
    UnknownModelError,
)
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.recompute import price_again
from tollkeeper.domain.rerating import Rerate, decide_rerate, refuse_settled, refuse_unknown
from tollkeeper.service.charging import (
    Decide,
    Keyed,
    commit_on_charge,
    keep_version,
    refusing,
)
from tollkeeper.service.commit import Outcome
from tollkeeper.service.ports import World
from tollkeeper.store.keys import WAITING_SHARDS, waiting_pk
from tollkeeper.store.quarantine import waiting_from_item

ROWS_PER_READ = 200
MOST_READS = 20
"""How many reads one page may take, where most of what is read waits no more."""


@dataclass(frozen=True, slots=True)
class RerateRequest:
    """Which charge to price anew, and why."""

    account: AccountId
    charge: EntryKey
    reason: str


def rerate(world: World, request: RerateRequest, keyed: Keyed) -> Outcome:
    """The charge is corrected to what its run costs under the catalog in force, once.

    Raises: NotFoundError, NotPendingError, StillUnknownError, UnknownOperationError,
    AlreadyRefundedError, AlreadyReratedError and what commit raises.
    Cost: one GetItem for the charge more than commit.
    """
    return commit_on_charge(
        world,
        request.account,
        request.charge,
        keyed=keyed,
        decide_of=lambda charge: _decide(world, charge, request, keyed),
    )


def _decide(world: World, charge: Entry | None, request: RerateRequest, keyed: Keyed) -> Decide:
    """Why: what cannot be priced is refused like anything else, after the key was looked up."""
    if charge is None:
        return refusing(NotFoundError(f"There is no entry {show_key(request.charge)}."))
    try:
        refuse_settled(charge)
        priced = _price(charge, world.catalog)
    except TollkeeperError as error:
        return refusing(error)
    keep_version(world)
    command = Rerate(
        key=keyed.key,
        request_hash=keyed.request_hash,
        charge=charge,
        priced=priced,
        reason=request.reason,
        actor=keyed.actor,
    )

    def decide(draft: Draft) -> Decision:
        return decide_rerate(draft, command, world.catalog)

    return decide


def _price(charge: Entry, catalog: Catalog) -> Priced:
    """What the run costs under the catalog, whose rates are those of its own moment."""
    try:
        priced = price_again(charge, catalog)
    except (UnknownModelError, InvalidError) as error:
        raise StillUnknownError(error.detail) from error
    refuse_unknown(priced.run)
    return priced


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """What waits, and where the next page begins: a part of the list, and a place in it."""

    waiting: tuple[Waiting, ...]
    next_place: tuple[int, str] | None


def list_quarantine(world: World, *, limit: int, place: tuple[int, str] | None) -> WaitingPage:
    """Up to `limit` charges that wait for their price, the oldest of each part first.

    A page may be short, even empty, and yet have a next one.
    Cost: one strong Query per 200 items of the list, at most 20.
    """
    shard, after = place or (0, "")
    found: list[Waiting] = []
    for _ in range(MOST_READS):
        pk = waiting_pk(shard)
        items = world.ledger.read_items(pk, limit=ROWS_PER_READ, after=after)
        for item in items:
            after = item["sk"]["S"]
            waiting = waiting_from_item(item)
            if waiting.resolved_at is None:
                found.append(waiting)
            if len(found) == limit:
                return WaitingPage(tuple(found), (shard, after))
        if len(items) < ROWS_PER_READ:
            shard, after = shard + 1, ""
        if shard == WAITING_SHARDS:
            return WaitingPage(tuple(found), None)
    return WaitingPage(tuple(found), (shard, after))
