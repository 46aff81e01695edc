"""Stripe's deliveries: read, applied and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.invoices import InvoicePaid, SubscriptionNews
from tollkeeper.domain.payments import MoneyNews, Payment, PaymentOutcome, RefundFailed
from tollkeeper.domain.purchases import Purchase, PurchaseKind, PurchaseStatus
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import embed_metrics, log_alarm, log_fact, log_outcome
from tollkeeper.edge.stripe_events import Delivery, Fact, read_delivery, read_event
from tollkeeper.service.applied import Applied
from tollkeeper.service.money_back import apply_money_back
from tollkeeper.service.payers import note_dispute, note_top_up, save_payer
from tollkeeper.service.ports import Secrets, World
from tollkeeper.service.purchasing import apply_failed_refund, apply_payment
from tollkeeper.service.subscribing import apply_invoice, apply_subscription

EVENTS_METRIC = "stripe_events"
STRIPE_SOURCE = "aws.partner/stripe.com/"
NOT_OURS = Applied(PaymentOutcome.IGNORED)
OTHER_MODE = Applied(PaymentOutcome.IGNORED, reason="it is of the other mode, live or test")


def answer_delivery(
    world: World, secrets: Secrets, request: Request, *, expects_live: bool
) -> Response[str]:
    """What became of the event, after it had its one effect.

    Raises: MalformedError for what Stripe did not sign or is no event; BusyError and
    PaymentsUnavailableError where Stripe should send it again.
    """
    delivery = read_delivery(request, secrets)
    applied = _take(world, delivery, request.now, expects_live=expects_live)
    return Answer({"received": True, "outcome": applied.outcome.value}).to_response()


def is_bus_event(event: Mapping[str, Any]) -> bool:
    """EventBridge sends it, from Stripe's own event source.

    Why: no request can look so, because what a caller sends is inside the event's members, and
    who may invoke the function is written in the stack.
    """
    source = event.get("source")
    return isinstance(source, str) and source.startswith(STRIPE_SOURCE) and "routeKey" not in event


def take_bus_event(
    world: World, event: Mapping[str, Any], *, now: datetime, expects_live: bool
) -> dict[str, Any]:
    """What became of the event that EventBridge brought, after it had its one effect.

    Raises: MalformedError, BusyError, PaymentsUnavailableError. Why: whoever fails there is asked
    again, and what fails for good waits in a queue.
    """
    detail = json.dumps(event.get("detail"), ensure_ascii=False)
    delivery = read_event(detail.encode("utf-8", "surrogatepass"))
    return {"outcome": _take(world, delivery, now, expects_live=expects_live).outcome.value}


def _take(world: World, delivery: Delivery, now: datetime, *, expects_live: bool) -> Applied:
    applied = apply_fact(world, delivery.fact, expects_live=expects_live)
    _log(delivery, applied, now)
    return applied


def apply_fact(world: World, fact: Fact | None, *, expects_live: bool) -> Applied:
    """What the fact does to our payments is done, now or before; None is not about us.

    Why: a payment of the other mode that names a purchase is for a person; any other news of
    that mode is about money that was never ours.
    Raises: BusyError, PaymentsUnavailableError where it should be told again.
    """
    applied = _apply(world, fact, expects_live=expects_live)
    if applied.purchase is not None:
        _tell_payer(world, fact, applied.purchase)
    return applied


def _tell_payer(world: World, fact: Fact | None, purchase: Purchase) -> None:
    """How the account pays follows from what became of the purchase, now or before.

    Why: whatever is done here is the same however often, so a crash before it is healed by the
    next delivery.
    """
    is_paid = isinstance(fact, Payment) and fact.status is purchase.status is PurchaseStatus.PAID
    if isinstance(fact, Payment) and is_paid:
        save_payer(world, purchase.account, fact.customer, fact.payment_method)
    if isinstance(fact, Payment) and purchase.kind is PurchaseKind.TOP_UP:
        note_top_up(world, purchase)
    if purchase.back.disputes:
        is_disputed = purchase.back.is_disputed
        note_dispute(world, purchase.account, purchase.id, is_disputed=is_disputed)


def _apply(world: World, fact: Fact | None, *, expects_live: bool) -> Applied:
    match fact:
        case Payment():
            return apply_payment(world, fact, expects_live=expects_live)
        case MoneyNews() | RefundFailed() if fact.is_live is not expects_live:
            return OTHER_MODE
        case MoneyNews():
            return apply_money_back(world, fact)
        case RefundFailed():
            return apply_failed_refund(world, fact)
        case InvoicePaid():
            return apply_invoice(world, fact, expects_live=expects_live)
        case SubscriptionNews():
            return apply_subscription(world, fact, expects_live=expects_live)
        case _:
            return NOT_OURS


def _log(delivery: Delivery, applied: Applied, now: datetime) -> None:
    """One line for each event, counted by its outcome; money that needs a person is an error.

    Why: what brought its credits can have a case all the same, and then it is counted as one.
    """
    facts = {"event": delivery.event, "type": delivery.type, "outcome": applied.outcome.value}
    if applied.purchase is not None:
        facts |= {"account": applied.purchase.account, "purchase": applied.purchase.id}
    if applied.reason:
        facts["reason"] = applied.reason
    if applied.case is not None:
        facts["case"] = applied.case.id
    needs_person = applied.case is not None or applied.outcome is PaymentOutcome.QUARANTINED
    counted = PaymentOutcome.QUARANTINED if needs_person else applied.outcome
    counts = embed_metrics({EVENTS_METRIC: 1}, by={"outcome": counted.value}, at=now)
    if needs_person:
        log_alarm("payment quarantined", **(facts | counts))
    else:
        log_fact("stripe event", **(facts | counts))
    if applied.granted is not None:
        log_outcome("purchased", applied.granted)
