"""What became of a Stripe event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tollkeeper.domain.cases import Case
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.domain.purchases import EventSeen, Purchase
from tollkeeper.service.commit import Outcome
from tollkeeper.service.ports import World


class Told(Protocol):
    """Any fact of Stripe's: which event told it, and when that was made."""

    @property
    def event(self) -> str:
        """The event's id; empty where somebody looked the fact up."""
        ...

    @property
    def type(self) -> str:
        """The event's type."""
        ...

    @property
    def created_at(self) -> datetime:
        """When Stripe made the event."""
        ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the event.

    `granted` is the ledger's row where credits moved by it, and `case` what a person must decide.
    """

    outcome: PaymentOutcome
    purchase: Purchase | None = None
    reason: str = ""
    granted: Outcome | None = None
    case: Case | None = None


def seen(world: World, told: Told, outcome: PaymentOutcome) -> tuple[EventSeen, ...]:
    """The event as processed, to be written with its effect; nothing where none was delivered."""
    if not told.event:
        return ()
    return (EventSeen(told.event, told.type, outcome.value, world.clock.now()),)
