"""Payments that need a person: which ones there are, and what a person decided, once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.cases import CASE_ID, Case, Release, Resolution, resolved
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import (
    AlreadyResolvedError,
    IdempotencyMismatchError,
    InvalidError,
    NotFoundError,
)
from tollkeeper.domain.purchases import (
    PLAIN_PURCHASES,
    Early,
    Linked,
    Purchase,
    PurchaseStatus,
    decide_purchase,
    purchase_entry_key,
    purchase_id_of,
)
from tollkeeper.service.charging import Keyed
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.money_back import read_early
from tollkeeper.service.part_lists import PartList, PartPage, Place, read_parts
from tollkeeper.service.patience import until_written
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase
from tollkeeper.store.cases import CASE_SHARDS, case_from_item
from tollkeeper.store.keys import case_list_pk
from tollkeeper.store.rows import Item


@dataclass(frozen=True, slots=True)
class Released:
    """The case as it was decided, and the ledger's row where credits came in by it now."""

    case: Case
    granted: Outcome | None = None
    was_replayed: bool = False


def release_case(world: World, release: Release, keyed: Keyed) -> Released:
    """The case is decided: its credits are granted, or it is put aside; once, whoever asks.

    Raises: NotFoundError, AlreadyResolvedError, IdempotencyMismatchError, InvalidError,
    AccountClosedError; BusyError where the same request with the same key is safe.
    Cost: one to five GetItem, and one TransactWriteItems or what `commit` costs.
    """
    return until_written(world, lambda: _release(world, release, keyed))


def _release(world: World, release: Release, keyed: Keyed) -> Released:
    is_id = CASE_ID.fullmatch(release.case) is not None
    case = world.ledger.read_case(release.case) if is_id else None
    if case is None:
        raise NotFoundError("There is no such case.")
    if case.resolved_at is not None:
        return _replay(case, keyed)
    signed = replace(case, by=keyed.key, request_hash=keyed.request_hash, actor=keyed.actor)
    if release.resolution is Resolution.GRANTED:
        return _grant(world, signed, release)
    if release.account or release.credits_microcredits is not None:
        raise InvalidError("action", "must be grant where an account or credits are named")
    after = resolved(signed, release, at=world.clock.now())
    world.ledger.write_facts(after)
    return Released(after)


def _replay(case: Case, keyed: Keyed) -> Released:
    if case.by != keyed.key:
        raise AlreadyResolvedError(f"The case {case.id} was resolved before: {case.resolution}.")
    if case.request_hash != keyed.request_hash:
        raise IdempotencyMismatchError(
            "This key was used before for another request; nothing was changed."
        )
    return Released(case, was_replayed=True)


def _grant(world: World, case: Case, release: Release) -> Released:
    """The credits are in the account, their purchase is paid and the case is resolved, at once."""
    known = find_purchase(world, case.purchase) if case.purchase else None
    purchase, links = _what_to_grant(world, case, release, known)
    early = read_early(world, purchase, case.payment)
    early = Early(early.back, (*early.links, *links))
    after = resolved(case, release, at=world.clock.now(), granted=purchase.id)

    def decide(draft: Draft) -> Decision:
        decision = decide_purchase(
            draft,
            purchase,
            payment_intent=case.payment or purchase.payment_intent,
            event=None,
            early=early,
            actor=case.actor,
        )
        return replace(decision, also=(*decision.also, after))

    key = purchase_entry_key(purchase.id)
    granted = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
    return Released(after, granted)


def _what_to_grant(
    world: World, case: Case, release: Release, known: Purchase | None
) -> tuple[Purchase, tuple[Linked, ...]]:
    """The purchase that waits for this decision; or a new one for money that has none.

    Raises: InvalidError.
    """
    is_waiting = (
        known is not None
        and known.status is PurchaseStatus.QUARANTINED
        and known.kind in PLAIN_PURCHASES
    )
    if known is not None and is_waiting:
        if release.account or release.credits_microcredits is not None:
            raise InvalidError("credits", "and account are those of the purchase")
        return replace(known, reason=""), ()
    if release.account and case.account and release.account != case.account:
        # Why: whoever mistypes an account must not give somebody's money to somebody else.
        raise InvalidError("account", f"is not the case's own, {case.account}; leave it out")
    account = AccountId(release.account or case.account)
    credits = release.credits_microcredits
    if not account:
        raise InvalidError("account", "is missing: the payment names none")
    if credits is None:
        raise InvalidError("credits", "is missing: the payment has no purchase that waits for it")
    purchase_id = purchase_id_of(account, EntryKey(f"s#case:{case.id}"))
    purchase = Purchase(
        id=purchase_id,
        account=account,
        pack="",
        pack_name="",
        credits_microcredits=credits,
        price_minor=case.amount_minor or 0,
        currency=case.currency or "usd",
        created_at=world.clock.now(),
        version=0,
        reason=f"case {case.id}",
    )
    return purchase, (Linked(purchase_id, account, purchase_id),)


def list_cases(world: World, *, limit: int, place: Place | None) -> PartPage[Case]:
    """Up to `limit` open cases. Cost: as read_parts."""
    cases = PartList(CASE_SHARDS, case_list_pk, _open_from_item)
    return read_parts(world, cases, limit=limit, place=place)


def _open_from_item(item: Item) -> Case | None:
    case = case_from_item(item)
    return case if case.resolved_at is None else None
