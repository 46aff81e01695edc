"""Payments: what a verified Stripe event does to a purchase and its account."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.account import Status
from tollkeeper.domain.cases import Case, case_id_of
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import AccountClosedError
from tollkeeper.domain.payments import (
    Payment,
    PaymentOutcome,
    RefundFailed,
    Verdict,
    find_second,
    follow,
    judge_payment,
)
from tollkeeper.domain.purchases import (
    Early,
    Linked,
    Purchase,
    PurchaseKind,
    PurchaseMoved,
    PurchaseStatus,
    decide_purchase,
    follow_money,
    moved,
    purchase_entry_key,
)
from tollkeeper.service.applied import Applied, seen
from tollkeeper.service.commit import Order, commit
from tollkeeper.service.money_back import apply_once, find_link, find_paid, read_early
from tollkeeper.service.patience import until_written
from tollkeeper.service.payment_cases import case_of_payment, new_case, open_case, open_case_late
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase


def apply_payment(world: World, payment: Payment, *, expects_live: bool) -> Applied:
    """The event has had its one effect, now or before.

    Raises: BusyError where Stripe should send it again.
    Cost: three or four GetItem, and where it changes something what `commit` costs.
    Why: three things make a grant happen once: the event's item, the purchase's version and the
    row of the grant, all in its transaction. Whoever loses finds what the winner wrote.
    """
    return until_written(world, lambda: _apply(world, payment, expects_live=expects_live))


def _apply(world: World, payment: Payment, *, expects_live: bool) -> Applied:
    found = find_purchase(world, payment.purchase)
    if found is None:
        return _miss(world, payment)
    if not payment.session and found.kind is not PurchaseKind.TOP_UP:
        return _learn(world, payment, found, expects_live=expects_live)
    verdict = judge_payment(found, payment, expects_live=expects_live)
    if verdict.status is None:
        return _leave(world, payment, found, verdict)
    purchase = replace(
        found,
        session=found.session or payment.session,
        customer=payment.customer or found.customer,
        subscription=payment.subscription or found.subscription,
    )
    if verdict.status is not PurchaseStatus.PAID:
        return _move(world, payment, purchase, verdict)
    if purchase.kind is PurchaseKind.PLAN:
        return _begin_plan(world, payment, purchase)
    try:
        return _grant(world, payment, purchase)
    except AccountClosedError as error:
        closed = Verdict(PaymentOutcome.QUARANTINED, PurchaseStatus.QUARANTINED, error.detail)
        return _move(world, payment, purchase, closed)


def _miss(world: World, payment: Payment) -> Applied:
    """What becomes of an event whose purchase is not there.

    Why: a purchase is recorded before its page opens, so this is no race of ours. It is another
    stack on the same Stripe account, or a table that was restored to an earlier moment.
    """
    if payment.status is not PurchaseStatus.PAID:
        return Applied(PaymentOutcome.IGNORED, reason="no such purchase")
    case = case_of_payment(world, payment, "paid, but there is no such purchase")
    missing = f"The purchase {payment.purchase} is not there"
    return open_case_late(world, payment, case, missing=missing)


def _learn(world: World, payment: Payment, purchase: Purchase, *, expects_live: bool) -> Applied:
    """What the payment of a page says of its money; the page says what becomes of the purchase.

    Why: a customer may try several times on one page, and only the last try pays.
    """
    if payment.status is not PurchaseStatus.PAID or payment.is_live is not expects_live:
        return Applied(PaymentOutcome.IGNORED, purchase, "its page says what becomes of it")
    second = find_second(purchase, payment)
    if second:
        twice = Verdict(PaymentOutcome.QUARANTINED, reason=f"paid before, and {second}")
        return _leave(world, payment, purchase, twice)
    return apply_once(world, payment.news)


def _leave(world: World, payment: Payment, purchase: Purchase, verdict: Verdict) -> Applied:
    """The purchase stays as it is; money that came in all the same needs a person."""
    if verdict.outcome is PaymentOutcome.DUPLICATE and not payment.session:
        apply_once(world, payment.news)
    if payment.event and world.ledger.has_event(payment.event):
        return Applied(PaymentOutcome.DUPLICATE, purchase)
    if verdict.outcome is PaymentOutcome.QUARANTINED:
        case = case_of_payment(world, payment, verdict.reason, purchase)
        return open_case(world, payment, case, purchase)
    return Applied(verdict.outcome, purchase, verdict.reason)


def _early(world: World, payment: Payment, purchase: Purchase) -> Early:
    """What is known of the payment's money by now, with what it says itself."""
    early = read_early(world, purchase, payment.payment_intent, payment.charge)
    return replace(early, back=early.back.and_also(payment.news.back))


def _move(world: World, payment: Payment, purchase: Purchase, verdict: Verdict) -> Applied:
    """The purchase is what the event says, without credits.

    Its payment is linked already, so that money that goes back before the credits come is known.
    """
    early = _early(world, payment, purchase)
    known, _ = follow_money(purchase, early.back)
    after = follow(known, payment, verdict)
    case = None
    if verdict.outcome is PaymentOutcome.QUARANTINED:
        case = new_case(world, case_of_payment(world, payment, verdict.reason, purchase))
    also = (*early.links, *seen(world, payment, verdict.outcome))
    world.ledger.write_purchase(after, *also, *(() if case is None else (case,)))
    return Applied(verdict.outcome, after, verdict.reason, case=case)


def _begin_plan(world: World, payment: Payment, purchase: Purchase) -> Applied:
    """The purchase of a plan is paid and its subscription known; credits come by its invoices."""
    account = world.ledger.read_account(purchase.account, is_strong=True)
    if account is not None and account.status is Status.CLOSED:
        detail = f"The account {purchase.account} is closed for good."
        closed = Verdict(PaymentOutcome.QUARANTINED, PurchaseStatus.QUARANTINED, detail)
        return _move(world, payment, purchase, closed)
    outcome = PaymentOutcome.GRANTED
    after = moved(purchase, PurchaseStatus.PAID, paid_at=world.clock.now())
    links = [
        _lead(world, payment.subscription, purchase.account, purchase.id),
        _lead(world, payment.customer, purchase.account),
    ]
    new = [link for link in links if link is not None]
    world.ledger.write_purchase(after, *new, *seen(world, payment, outcome))
    return Applied(outcome, after)


def _lead(world: World, target: str, account: AccountId, purchase: str = "") -> Linked | None:
    """The link of that id, to be written; None where it leads to an account already."""
    link = find_link(world, target) if target else None
    if link is None or link.account:
        return None
    return replace(link, account=account, purchase=purchase, version=link.version + 1)


def _grant(world: World, payment: Payment, purchase: Purchase) -> Applied:
    early = _early(world, payment, purchase)
    event = next(iter(seen(world, payment, PaymentOutcome.GRANTED)), None)
    after = purchase

    def decide(draft: Draft) -> Decision:
        nonlocal after
        intent = payment.payment_intent
        decision = decide_purchase(draft, purchase, payment_intent=intent, event=event, early=early)
        after = next(each.purchase for each in decision.also if isinstance(each, PurchaseMoved))
        return decision

    key = purchase_entry_key(purchase.id)
    granted = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
    if granted.was_replayed:
        paid = world.ledger.read_purchase(purchase.account, purchase.id)
        return Applied(PaymentOutcome.DUPLICATE, paid)
    return Applied(PaymentOutcome.GRANTED, after, granted=granted)


def apply_failed_refund(world: World, refund: RefundFailed) -> Applied:
    """A refund that did not reach the customer is a case for a person; once for each refund.

    Why: the credits went with the announced refund, and Stripe has the money again. Whether the
    customer gets it another way, or the credits back, nobody here can know.
    """
    names = (refund.payment_intent, refund.charge)
    purchase = find_paid(world, *names)
    if purchase is None:
        return Applied(PaymentOutcome.IGNORED, reason="it is no payment of ours")
    why = f": {refund.reason}" if refund.reason else ""
    case = Case(
        id=case_id_of(refund.refund),
        at=world.clock.now(),
        reason=f"the refund {refund.refund} did not reach the customer{why}",
        event=refund.event,
        type=refund.type,
        account=purchase.account,
        purchase=purchase.id,
        payment=next(name for name in names if name),
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )
    return until_written(world, lambda: open_case(world, refund, case, purchase))
