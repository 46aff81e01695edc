"""Payments that need a person: a case is opened once, listed, and resolved once."""

from __future__ import annotations

from tollkeeper.domain.cases import Case, case_id_of
from tollkeeper.domain.payments import Payment, PaymentOutcome
from tollkeeper.domain.purchases import Purchase
from tollkeeper.service.applied import Applied, Told, seen
from tollkeeper.service.ports import World


def new_case(world: World, case: Case) -> Case | None:
    """The case, if there is none yet about the same subject. Cost: one GetItem."""
    return None if world.ledger.read_case(case.id) is not None else case


def case_of_payment(
    world: World, payment: Payment, reason: str, purchase: Purchase | None = None
) -> Case:
    """The case about a payment that is not turned into credits, at this moment."""
    return Case(
        id=case_id_of(payment.subject),
        at=world.clock.now(),
        reason=reason,
        event=payment.event,
        type=payment.type,
        account="" if purchase is None else purchase.account,
        purchase=payment.purchase,
        payment=payment.subject,
        amount_minor=payment.charged_minor or payment.subtotal_minor,
        currency=payment.currency,
    )


def open_case(world: World, told: Told, case: Case, purchase: Purchase | None = None) -> Applied:
    """The case is there, and the event is processed; a second delivery finds both.

    Why: whoever comes second to a case that is there writes nothing, and answers the same.
    """
    outcome = PaymentOutcome.QUARANTINED
    opened = new_case(world, case)
    if opened is not None:
        world.ledger.write_facts(opened, *seen(world, told, outcome))
    return Applied(outcome, purchase, case.reason, case=opened)
