"""Checkout: a purchase is recorded before its payment page opens, once per key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Pack, PlanTerms
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import (
    AccountClosedError,
    BusyError,
    IdempotencyMismatchError,
    InvalidError,
    NoCustomerError,
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
from tollkeeper.domain.subscriptions import offer_plan
from tollkeeper.service.charging import see_account
from tollkeeper.service.payers import read_billing
from tollkeeper.service.ports import CheckoutPage, StripeGateway, World
from tollkeeper.store.ledger import TakenError

MOST_TRIES = 3
NO_PURCHASE = "There is no such purchase."
PORTAL_LINK_S = 60
"""So long one link to the portal is given to everybody who asks; it is good for minutes."""
IS_SUBSCRIBED = "cannot be bought: the account has a subscription, which POST /v1/portal changes"

Sold = TypeVar("Sold")


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """Who buys which pack or plan, under which key, and where the customer goes afterwards.

    `saves_card`: the card may be charged later without the customer.
    """

    account: AccountId
    pack: str | None
    plan: str | None
    saves_card: bool
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
        purchase,
        success_url=request.success_url,
        cancel_url=request.cancel_url,
        interval=_interval_of(world, purchase),
        saves_card=request.saves_card,
    )
    return Opened(_record_page(world, purchase, page), was_replayed=False)


@dataclass(frozen=True, slots=True)
class PortalRequest:
    """Whose page is opened, and where the customer goes afterwards."""

    account: AccountId
    return_url: str
    returns: ReturnPolicy


def open_portal(world: World, gateway: StripeGateway, request: PortalRequest) -> str:
    """The URL of the page at Stripe where the customer changes cards and subscriptions.

    Raises: InvalidError, NoCustomerError, PaymentsUnavailableError.
    Cost: one GetItem and one call to Stripe.
    """
    request.returns.refuse_others(request.return_url, "return_url")
    customer = read_billing(world, request.account).customer
    if not customer:
        raise NoCustomerError("The account has paid for nothing yet; POST /v1/checkout begins it.")
    minute = int(world.clock.now().timestamp()) // PORTAL_LINK_S
    asked = f"{request.account}\n{customer}\n{request.return_url}\n{minute}"
    key = f"portal_{hashlib.sha256(asked.encode()).hexdigest()[:32]}"
    return gateway.open_portal(customer, return_url=request.return_url, key=key)


def _find_refusal(world: World, request: CheckoutRequest) -> TollkeeperError | None:
    """Why a new purchase cannot start; what was started before is not judged again."""
    try:
        request.returns.refuse_others(request.success_url, "success_url")
        request.returns.refuse_others(request.cancel_url, "cancel_url")
        sold = _find_sold(world, request)
        account = see_account(world, request.account, is_strong=True)
        if account.status is Status.CLOSED:
            return AccountClosedError(f"The account {request.account} is closed for good.")
        if isinstance(sold, PlanTerms) and account.plan.subscription:
            raise InvalidError("plan", IS_SUBSCRIBED)
    except (InvalidError, NotFoundError) as refusal:
        return refusal
    return None


def _find_sold(world: World, request: CheckoutRequest) -> Pack | PlanTerms:
    """The one thing that is bought. Raises: InvalidError."""
    if (request.pack is None) is (request.plan is None):
        raise InvalidError("pack", "must be sent, or a plan, and not both")
    if request.pack is not None:
        return _find("pack", request.pack, world.catalog.packs, "is not in the catalog; it has")
    if request.saves_card:
        raise InvalidError("save_card", "is for packs; a subscription keeps its card anyway")
    plans = {plan: terms for plan, terms in world.catalog.plans.items() if terms.sale is not None}
    return _find("plan", request.plan or "", plans, "is not for sale; the plans for sale are")


def _find(member: str, sold: str, known: Mapping[str, Sold], why: str) -> Sold:
    if sold not in known:
        raise InvalidError(member, f"{sold!r} {why} {', '.join(known) or 'none'}")
    return known[sold]


def _interval_of(world: World, purchase: Purchase) -> str:
    """How often the plan is paid; nothing for what is paid once."""
    sale = world.catalog.plan(purchase.plan).sale if purchase.plan else None
    return "" if sale is None else sale.interval


def _refuse_other(purchase: Purchase | None, request: CheckoutRequest) -> None:
    if purchase is not None and purchase.request_hash != request.request_hash:
        raise IdempotencyMismatchError(
            "This key was used before for another checkout; nothing was changed."
        )


def _record(world: World, request: CheckoutRequest, purchase_id: str) -> Purchase:
    """The purchase as it is recorded now, by this request or by one with the same key."""
    sold = _find_sold(world, request)
    account, digest, now = request.account, request.request_hash, world.clock.now()
    if isinstance(sold, Pack):
        made = offer(sold, purchase_id=purchase_id, account=account, request_hash=digest, now=now)
    else:
        made = offer_plan(
            sold, purchase_id=purchase_id, account=account, request_hash=digest, now=now
        )
    # Why: the page is asked for again under the same key, so who pays must be the same then.
    purchase = replace(made, customer=read_billing(world, account).customer)
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
        raise NotFoundError(NO_PURCHASE)
    return found


def find_purchase(world: World, purchase_id: str) -> Purchase | None:
    """The purchase, or None where there is none. Cost: two GetItem."""
    if PURCHASE_ID.fullmatch(purchase_id) is None:
        return None
    link = world.ledger.read_link(purchase_id)
    return None if link is None else world.ledger.read_purchase(link.account, link.purchase)
