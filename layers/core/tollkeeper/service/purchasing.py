"""Payments: what a verified Stripe event does to a purchase and its account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.errors import AccountClosedError, BusyError
from tollkeeper.domain.payments import Payment, PaymentOutcome, Verdict, follow, judge_payment
from tollkeeper.domain.purchases import (
    EventSeen,
    Purchase,
    PurchaseStatus,
    decide_purchase,
    purchase_entry_key,
)
from tollkeeper.service.commit import FIRST_PAUSE_S, Order, Outcome, commit
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase
from tollkeeper.store.ledger import ContendedError, TakenError

MOST_TRIES = 5
MISSING_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the event. `granted` is the ledger's row where credits came in by it."""

    outcome: PaymentOutcome
    purchase: Purchase | None = None
    reason: str = ""
    granted: Outcome | None = None


def apply_payment(world: World, payment: Payment, *, expects_live: bool) -> Applied:
    """The event has had its one effect, now or before.

    Raises: BusyError where Stripe should send it again.
    Cost: two GetItem, and where it changes something what `commit` costs.
    Why: three things make a grant happen once: the event's item, the purchase's version and the
    row of the grant, all in its transaction. Whoever loses finds what the winner wrote.
    """
    for number in range(MOST_TRIES):
        try:
            return _apply(world, payment, expects_live=expects_live)
        except (TakenError, ContendedError):
            world.clock.pause(FIRST_PAUSE_S * 2**number * (0.5 + world.ids.fraction()))
    raise BusyError("The purchase is busy; the same event is safe to send again.")


def _apply(world: World, payment: Payment, *, expects_live: bool) -> Applied:
    found = find_purchase(world, payment.purchase)
    if found is None:
        return _miss(world, payment)
    verdict = judge_payment(found, payment, expects_live=expects_live)
    if verdict.status is None:
        return _leave(world, payment, found, verdict)
    purchase = replace(found, session=found.session or payment.session)
    if verdict.status is not PurchaseStatus.PAID:
        return _move(world, payment, purchase, verdict)
    try:
        return _grant(world, payment, purchase)
    except AccountClosedError as error:
        closed = Verdict(PaymentOutcome.QUARANTINED, PurchaseStatus.QUARANTINED, error.detail)
        return _move(world, payment, purchase, closed)


def _miss(world: World, payment: Payment) -> Applied:
    """What becomes of an event whose purchase is not there.

    Why: a purchase is recorded before its page opens, so this is no race of ours. It is another
    stack on the same Stripe account, or a table that was restored to an earlier moment. For an
    hour Stripe is asked to send it again; money that came in is then left to a person.
    """
    if payment.status is not PurchaseStatus.PAID:
        return Applied(PaymentOutcome.IGNORED, reason="no such purchase")
    if world.clock.now() - payment.created_at < MISSING_FOR:
        raise BusyError(f"The purchase {payment.purchase} is not there; send the event again.")
    return Applied(PaymentOutcome.QUARANTINED, reason="paid, but there is no such purchase")


def _leave(world: World, payment: Payment, purchase: Purchase, verdict: Verdict) -> Applied:
    if world.ledger.has_event(payment.event):
        return Applied(PaymentOutcome.DUPLICATE, purchase)
    return Applied(verdict.outcome, purchase, verdict.reason)


def _move(world: World, payment: Payment, purchase: Purchase, verdict: Verdict) -> Applied:
    after = follow(purchase, payment, verdict)
    world.ledger.write_purchase(after, _seen(world, payment, verdict.outcome))
    return Applied(verdict.outcome, after, verdict.reason)


def _grant(world: World, payment: Payment, purchase: Purchase) -> Applied:
    seen = _seen(world, payment, PaymentOutcome.GRANTED)

    def decide(draft: Draft) -> Decision:
        intent = payment.payment_intent
        return decide_purchase(draft, purchase, payment_intent=intent, event=seen)

    key = purchase_entry_key(purchase.id)
    granted = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
    if granted.was_replayed:
        return Applied(PaymentOutcome.DUPLICATE, purchase)
    return Applied(PaymentOutcome.GRANTED, purchase, granted=granted)


def _seen(world: World, payment: Payment, outcome: PaymentOutcome) -> EventSeen:
    return EventSeen(payment.event, payment.type, outcome.value, world.clock.now())
