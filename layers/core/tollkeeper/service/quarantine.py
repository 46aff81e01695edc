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
from tollkeeper.service.part_lists import PartList, PartPage, Place, read_parts
from tollkeeper.service.ports import World
from tollkeeper.store.keys import WAITING_SHARDS, waiting_pk
from tollkeeper.store.quarantine import waiting_from_item
from tollkeeper.store.rows import Item


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


def list_quarantine(world: World, *, limit: int, place: Place | None) -> PartPage[Waiting]:
    """Up to `limit` charges that wait for their price. Cost: as read_parts."""
    charges = PartList(WAITING_SHARDS, waiting_pk, _open_from_item)
    return read_parts(world, charges, limit=limit, place=place)


def _open_from_item(item: Item) -> Waiting | None:
    waiting = waiting_from_item(item)
    return waiting if waiting.resolved_at is None else None
