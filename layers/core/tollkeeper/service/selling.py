"""Checkout: a purchase is recorded before its payment page opens, once per key."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import (
    AccountClosedError,
    BusyError,
    IdempotencyMismatchError,
    InvalidError,
    NotFoundError,
    TollkeeperError,
)
from tollkeeper.domain.purchases import (
    PURCHASE_ID,
    Linked,
    Purchase,
    offer,
    opened,
    purchase_id_of,
)
from tollkeeper.domain.return_urls import ReturnPolicy
from tollkeeper.service.charging import see_account
from tollkeeper.service.ports import CheckoutPage, StripeGateway, World
from tollkeeper.store.ledger import TakenError

MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """Who buys which pack, under which key, and where the customer goes afterwards."""

    account: AccountId
    pack: str
    success_url: str
    cancel_url: str
    key: EntryKey
    request_hash: str
    returns: ReturnPolicy


@dataclass(frozen=True, slots=True)
class Opened:
    """A purchase whose payment page is open."""

    purchase: Purchase
    was_replayed: bool


def open_checkout(world: World, gateway: StripeGateway, request: CheckoutRequest) -> Opened:
    """The purchase is recorded and its payment page is open: one of each per key.

    Timeline: recorded -> page opened at Stripe, by the purchase's id as its idempotency key ->
    page recorded -> answered. A crash between two steps is healed by the next try.
    Raises: InvalidError, NotFoundError, AccountClosedError, IdempotencyMismatchError,
    PaymentsUnavailableError; BusyError where the same request with the same key is safe.
    Cost: two GetItem and two TransactWriteItems, and one call to Stripe.
    Why: nobody is given a page that is not recorded, so a payment on another page that names
    this purchase can be told from its own.
    """
    purchase_id = purchase_id_of(request.account, request.key)
    refusal = _find_refusal(world, request)
    purchase = world.ledger.read_purchase(request.account, purchase_id)
    _refuse_other(purchase, request)
    if purchase is not None and purchase.checkout_url:
        return Opened(purchase, was_replayed=True)
    if refusal is not None:
        raise refusal
    if purchase is None:
        purchase = _record(world, request, purchase_id)
    page = gateway.open_checkout(
        purchase, success_url=request.success_url, cancel_url=request.cancel_url
    )
    return Opened(_record_page(world, purchase, page), was_replayed=False)


def _find_refusal(world: World, request: CheckoutRequest) -> TollkeeperError | None:
    """Why a new purchase cannot start; what was started before is not judged again."""
    try:
        request.returns.refuse_others(request.success_url, "success_url")
        request.returns.refuse_others(request.cancel_url, "cancel_url")
        _find_pack(world, request.pack)
        if see_account(world, request.account, is_strong=True).status is Status.CLOSED:
            return AccountClosedError(f"The account {request.account} is closed for good.")
    except (InvalidError, NotFoundError) as refusal:
        return refusal
    return None


def _find_pack(world: World, pack_id: str) -> Pack:
    packs = world.catalog.packs
    if pack_id not in packs:
        known = ", ".join(packs) or "none"
        raise InvalidError("pack", f"{pack_id!r} is not in the catalog; it has {known}")
    return packs[pack_id]


def _refuse_other(purchase: Purchase | None, request: CheckoutRequest) -> None:
    if purchase is not None and purchase.request_hash != request.request_hash:
        raise IdempotencyMismatchError(
            "This key was used before for another checkout; nothing was changed."
        )


def _record(world: World, request: CheckoutRequest, purchase_id: str) -> Purchase:
    """The purchase as it is recorded now, by this request or by one with the same key."""
    purchase = offer(
        _find_pack(world, request.pack),
        purchase_id=purchase_id,
        account=request.account,
        request_hash=request.request_hash,
        now=world.clock.now(),
    )
    try:
        world.ledger.write_purchase(purchase, Linked(purchase_id, request.account, purchase_id))
    except TakenError:
        found = world.ledger.read_purchase(request.account, purchase_id)
        assert found is not None, "what was written is not deleted"
        _refuse_other(found, request)
        return found
    return purchase


def _record_page(world: World, purchase: Purchase, page: CheckoutPage) -> Purchase:
    """The purchase with its page: this one, or the one that another request recorded first."""
    for _ in range(MOST_TRIES):
        if purchase.checkout_url:
            return purchase
        with_page = opened(purchase, session=page.session, checkout_url=page.url)
        try:
            world.ledger.write_purchase(with_page)
        except TakenError:
            purchase = read_purchase(world, purchase.id)
        else:
            return with_page
    raise BusyError("The purchase is busy; the same request with the same key is safe.")


def read_purchase(world: World, purchase_id: str) -> Purchase:
    """The purchase, whoever it belongs to. Raises: NotFoundError. Cost: two GetItem."""
    found = find_purchase(world, purchase_id)
    if found is None:
        raise NotFoundError("There is no such purchase.")
    return found


def find_purchase(world: World, purchase_id: str) -> Purchase | None:
    """The purchase, or None where there is none. Cost: two GetItem."""
    if PURCHASE_ID.fullmatch(purchase_id) is None:
        return None
    link = world.ledger.read_link(purchase_id)
    return None if link is None else world.ledger.read_purchase(link.account, link.purchase)
