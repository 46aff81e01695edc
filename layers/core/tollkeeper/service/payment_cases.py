"""Payments that need a person: a case is opened once, listed, and resolved once."""

from __future__ import annotations

from datetime import timedelta

from tollkeeper.domain.cases import Case, case_id_of
from tollkeeper.domain.errors import BusyError
from tollkeeper.domain.payments import Payment, PaymentOutcome
from tollkeeper.domain.purchases import Purchase
from tollkeeper.service.applied import Applied, Told, seen
from tollkeeper.service.ports import World

MISSING_FOR = timedelta(hours=1)


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


def open_case_late(world: World, told: Told, case: Case, *, missing: str) -> Applied:
    """The case about money whose owner or purchase is not there; open an hour after its event.

    Why: what is missing may come with another event or not at all. For an hour Stripe is asked
    to send this one again; the money that came in is then left to a person.
    Raises: BusyError with the sentence `missing` within the hour.
    """
    if world.clock.now() - told.created_at < MISSING_FOR:
        raise BusyError(f"{missing}; send the event again.")
    return open_case(world, told, case)
