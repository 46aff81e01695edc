"""Open holds: credits set aside for calls under way, and the terms that they were opened on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tollkeeper.domain.catalog import SettlePolicy

SHORTEST_HOLD_S = 1
LONGEST_HOLD_S = 24 * 60 * 60
DEFAULT_HOLD_S = 15 * 60
MOST_EXTENSIONS = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """What a hold was opened for, and what its settle goes by: prices and the plan's policy.

    `priced_at` is the moment whose dated rates apply, where that is not the opening.
    """

    operation: str
    model: str = ""
    label: str = ""
    service: str = ""
    subtype: str = ""
    price_version: str = ""
    feature: str = ""
    feature_count: int = 0
    above_hold: SettlePolicy = SettlePolicy.CHARGE_AVAILABLE
    provider: str = ""
    service_tier: str = ""
    priced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Credits that have left their grants and are not spent yet. Units: micro-credits.

    Shape: `draws` are pairs of a grant's id and what was taken from it, in draw-down order;
    `debt_microcredits` is the part that no grant covered. `parts` counts partial settles.
    """

    id: str
    opened_at: datetime
    expires_at: datetime
    terms: Terms
    draws: tuple[tuple[str, int], ...] = ()
    debt_microcredits: int = 0
    extensions: int = 0
    parts: int = 0

    @property
    def amount_microcredits(self) -> int:
        """What is still set aside."""
        return sum(amount for _, amount in self.draws) + self.debt_microcredits
