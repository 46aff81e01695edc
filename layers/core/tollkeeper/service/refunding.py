"""Refunds that operators start: asked for, made at Stripe, and applied at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tollkeeper.domain.errors import BusyError, NotRefundableError
from tollkeeper.domain.money_back import MoneyBack
from tollkeeper.domain.payments import MoneyNews
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.domain.refunding import (
    RefundRequest,
    begin_refund,
    end_refund,
    find_ask,
    refuse_forgotten,
)
from tollkeeper.service.charging import Keyed
from tollkeeper.service.money_back import apply_money_back
from tollkeeper.service.patience import MOST_TRIES, pause
from tollkeeper.service.ports import RefundGateway, RefundMade, World
from tollkeeper.service.selling import read_purchase
from tollkeeper.store.ledger import TakenError


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund that Stripe made, by its id, and the purchase after it."""

    purchase: Purchase
    refund: str
    was_replayed: bool


def refund_purchase(
    world: World,
    gateway: RefundGateway,
    purchase_id: str,
    request: RefundRequest,
    *,
    keyed: Keyed,
) -> Refunded:
    """The money is on its way back and the credits are gone with it: once for the key.

    Timeline: asked for -> made at Stripe, by a key of the purchase and the caller's -> credits
    follow -> noted as made. A crash between two steps is healed by the next try, or by Stripe's
    own event, which says the same.
    Raises: NotFoundError, NotRefundableError, InvalidError, IdempotencyMismatchError,
    PaymentsUnavailableError; BusyError where the same request with the same key is safe.
    """
    ask = _ask(world, purchase_id, request, keyed)
    if ask.refund:
        return Refunded(read_purchase(world, purchase_id), ask.refund, was_replayed=True)
    refuse_forgotten(ask, world.clock.now())
    purchase = read_purchase(world, purchase_id)
    try:
        made = gateway.refund(purchase, ask)
    except NotRefundableError:
        _write(world, purchase_id, lambda found: end_refund(found, ask, ""))
        raise
    apply_money_back(world, _news(world, purchase, made))
    after = _write(world, purchase_id, lambda found: end_refund(found, ask, made.refund))
    return Refunded(after, made.refund, was_replayed=False)


def _ask(world: World, purchase_id: str, request: RefundRequest, keyed: Keyed) -> RefundAsk:
    """What is asked for with this key, recorded now or before."""
    asked: list[RefundAsk] = []

    def begin(purchase: Purchase) -> Purchase:
        known = find_ask(purchase, keyed.key, keyed.request_hash)
        if known is not None:
            asked.append(known)
            return purchase
        now = world.clock.now()
        fresh = RefundAsk(keyed.key, keyed.request_hash, 0, now, request.reason, keyed.actor)
        after, fresh = begin_refund(purchase, request, ask=fresh)
        asked.append(fresh)
        return after

    _write(world, purchase_id, begin)
    return asked[-1]


def _write(world: World, purchase_id: str, change: Callable[[Purchase], Purchase]) -> Purchase:
    """The purchase as the change leaves it, which sees what is there now; it may be asked again."""
    for number in range(MOST_TRIES):
        found = read_purchase(world, purchase_id)
        after = change(found)
        if after.version == found.version:
            return found
        try:
            world.ledger.write_purchase(after)
        except TakenError:
            pause(world, number)
        else:
            return after
    raise BusyError("The purchase is busy; the same request with the same key is safe.")


def _news(world: World, purchase: Purchase, made: RefundMade) -> MoneyNews:
    return MoneyNews(
        event="",
        type="refund",
        created_at=world.clock.now(),
        is_live=None,
        back=MoneyBack(charged_minor=made.charged_minor, refunded_minor=made.refunded_minor),
        charge=made.charge,
        payment_intent=made.payment_intent or purchase.payment_intent,
        purchase=purchase.id,
    )
