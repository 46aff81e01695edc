"""Stripe's deliveries: read, applied and answered."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_alarm, log_fact, log_outcome
from tollkeeper.edge.stripe_events import Delivery, read_delivery
from tollkeeper.service.ports import Secrets, World
from tollkeeper.service.purchasing import Applied, apply_payment

NOT_OURS = Applied(PaymentOutcome.IGNORED)


def answer_delivery(
    world: World, secrets: Secrets, request: Request, *, expects_live: bool
) -> Response[str]:
    """What became of the event, after it had its one effect.

    Raises: MalformedError for what Stripe did not sign or is no event; BusyError and
    PaymentsUnavailableError where Stripe should send it again.
    """
    delivery = read_delivery(request, secrets)
    payment = delivery.payment
    if payment is None:
        applied = NOT_OURS
    else:
        applied = apply_payment(world, payment, expects_live=expects_live)
    _log(delivery, applied)
    return Answer({"received": True, "outcome": applied.outcome.value}).to_response()


def _log(delivery: Delivery, applied: Applied) -> None:
    """One line for each event; money that needs a person is an error."""
    facts = {"event": delivery.event, "type": delivery.type, "outcome": applied.outcome.value}
    if applied.purchase is not None:
        facts |= {"account": applied.purchase.account, "purchase": applied.purchase.id}
    if applied.reason:
        facts["reason"] = applied.reason
    if applied.outcome is PaymentOutcome.QUARANTINED:
        log_alarm("payment quarantined", **facts)
    else:
        log_fact("stripe event", **facts)
    if applied.granted is not None:
        log_outcome("purchased", applied.granted)
