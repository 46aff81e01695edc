"""Money that went back at Stripe: facts that only ever grow, and the credits they take along."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from tollkeeper.domain.money import floor_div


class DisputeState(IntEnum):
    """Where a dispute stands. It only goes on: what was won is not withdrawn again."""

    WITHDRAWN = 1
    WON = 2


@dataclass(frozen=True, slots=True, order=True)
class Dispute:
    """One dispute of a charge. Units: the currency's smallest unit."""

    id: str
    amount_minor: int
    state: DisputeState


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What is known of a payment's money that went back. Units: the currency's smallest unit.

    `refunded_minor` is cumulative, as Stripe tells it. `charged_minor` is 0 until an event told
    it. `disputes` are sorted by id.
    """

    charged_minor: int = 0
    refunded_minor: int = 0
    disputes: tuple[Dispute, ...] = ()

    def and_also(self, other: MoneyBack) -> MoneyBack:
        """Both together: the same however often and in whatever order they are put together."""
        by_id = {each.id: each for each in self.disputes}
        for each in other.disputes:
            own = by_id.get(each.id, each)
            by_id[each.id] = replace(
                own,
                amount_minor=max(own.amount_minor, each.amount_minor),
                state=max(own.state, each.state),
            )
        return MoneyBack(
            charged_minor=max(self.charged_minor, other.charged_minor),
            refunded_minor=max(self.refunded_minor, other.refunded_minor),
            disputes=tuple(sorted(by_id.values())),
        )

    @property
    def is_disputed(self) -> bool:
        """A dispute holds some of the money."""
        return any(each.state is DisputeState.WITHDRAWN for each in self.disputes)

    def back_minor(self, price_minor: int) -> int:
        """How much of the money is back with the customer, at most all of it.

        Why: what was refunded and what disputes hold can be the same money only where both
        together are more than was paid; so no money is counted twice.
        """
        held = sum(e.amount_minor for e in self.disputes if e.state is DisputeState.WITHDRAWN)
        return min(self.charged_minor or price_minor, self.refunded_minor + held)

    def share_of(self, granted_microcredits: int, price_minor: int) -> int:
        """The credits that went back with the money, rounded down. Units: micro-credits."""
        charged = self.charged_minor or price_minor
        if not charged:
            return 0
        return floor_div(granted_microcredits * self.back_minor(price_minor), charged)


NO_MONEY_BACK = MoneyBack()
