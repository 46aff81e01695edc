"""The account as a value: what it holds, what it may spend, and how drafts change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from tollkeeper.domain.catalog import (
    NO_LIMITS,
    Catalog,
    ClawbackPolicy,
    Limits,
    PlanTerms,
    SettlePolicy,
)
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.grants import Grants, spendable_total
from tollkeeper.domain.held import Hold
from tollkeeper.domain.paid_periods import Place, Subscribed, SubscribedAll, find_subscribed
from tollkeeper.domain.seen import Seen, SeenSizes
from tollkeeper.domain.totals import Totals


class Status(StrEnum):
    """What an account may do."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PlanState:
    """The plan an account is on and its current period. `next_plan` waits for the period's end.

    `subscription` is Stripe's id of what drives the plan, "" where the calendar does. Its period
    ends days of grace after `paid_until_at`, which the invoice's line says. `paid` is what this
    subscription and others brought, also those that drive it no more or do not drive it.
    """

    id: str
    generation: int
    period_start_at: datetime
    period_end_at: datetime
    anchor: date | None = None
    next_plan: str = ""
    next_anchor: date | None = None
    subscription: str = ""
    paid: SubscribedAll = ()

    @property
    def driver(self) -> Subscribed | None:
        """What is known of the subscription that drives the plan."""
        return find_subscribed(self.paid, self.subscription) if self.subscription else None

    @property
    def line_at(self) -> Place | None:
        """The place of its newest line among all lines."""
        return None if self.driver is None else self.driver.line_at

    @property
    def paid_until_at(self) -> datetime | None:
        """Until when it is paid."""
        return None if self.driver is None else self.driver.newest.end_at

    @property
    def allocated_microcredits(self) -> int:
        """The largest allocation that the lines of its period brought."""
        return 0 if self.driver is None else self.driver.newest.allocated_microcredits

    @property
    def shown_end_at(self) -> datetime:
        """When the period ends that was paid for, without the days of grace after it."""
        return self.paid_until_at or self.period_end_at


@dataclass(frozen=True, slots=True)
class Windows:
    """What was spent in the current day, month and plan period. Units: micro-credits."""

    day: int = 0
    month: int = 0
    period: int = 0

    def plus(self, amount_microcredits: int) -> Windows:
        """The same with the amount spent now, in each of them."""
        return Windows(
            self.day + amount_microcredits,
            self.month + amount_microcredits,
            self.period + amount_microcredits,
        )


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Counters that only a ledger replay could give otherwise. Units: micro-credits."""

    granted: int = 0
    purchased: int = 0
    spent: int = 0
    refunded: int = 0
    expired: int = 0
    adjusted_down: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    uncollected: int = 0
    clawed_back: int = 0


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """The limits that were set for this account: by an operator, and by its user.

    None in `thresholds` and `low_balance_microcredits` means what the catalog says.
    """

    operator: Limits = NO_LIMITS
    user: Limits = NO_LIMITS
    thresholds: tuple[int, ...] | None = None
    low_balance_microcredits: int | None = None


NO_OWN_LIMITS = OwnLimits()


@dataclass(frozen=True, slots=True)
class Rung:
    """Which alerts have rung: the highest threshold of each current window, and a low balance.

    Units: percent; 101 is a hundred that was left again. `is_low` is None until the balance
    was once above what is low.
    """

    is_low: bool | None = None
    day: int = 0
    month: int = 0
    period: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that decides what an account may do next. `parent` funds a budget.

    `due_at` is when the sweep was told to look, as it was read: early at worst, never late.

    `volumes` are what the period used of each feature that has an allowance or tiers.

    `debt_microcredits` is all that the account owes: overdraft, and of it
    `clawback_debt_microcredits` for credits whose money went back after they were spent. What
    comes in pays that part first.

    `top_up_below_microcredits`: each row that leaves less than that available asks for a top-up.

    `today` is the local day that `totals` count; `rolled_to` is the moment up to which time has
    been applied, and never goes back.

    Units: `volumes` in millionths of a call, a unit or a token.
    """

    id: AccountId
    plan: PlanState
    zone: str
    today: date
    rolled_to: datetime
    version: int = 0
    seq: int = 0
    status: Status = Status.ACTIVE
    next_zone: str = ""
    next_zone_at: datetime | None = None
    name: str = ""
    grants: Grants = ()
    debt_microcredits: int = 0
    clawback_debt_microcredits: int = 0
    top_up_below_microcredits: int | None = None
    features: Mapping[str, int] = field(default_factory=dict[str, int])
    volumes: Mapping[str, int] = field(default_factory=dict[str, int])
    windows: Windows = Windows()
    totals: Totals = field(default_factory=dict[Any, Any])
    lifetime: Lifetime = Lifetime()
    holds: tuple[Hold, ...] = ()
    limits: OwnLimits = NO_OWN_LIMITS
    rung: Rung = Rung()
    parent: str = ""
    seen: SeenSizes = field(default_factory=dict[str, Seen])
    due_at: datetime | None = field(default=None, compare=False)

    @property
    def held_microcredits(self) -> int:
        """What open holds have set aside."""
        return sum(hold.amount_microcredits for hold in self.holds)

    @property
    def held_grants(self) -> frozenset[str]:
        """The grants that open holds drew from."""
        return frozenset(grant_id for hold in self.holds for grant_id, _ in hold.draws)

    def terms(self, catalog: Catalog) -> PlanTerms:
        """What its plan gives it.

        Why: a budget has what its parent gave it, and nothing else. It makes no debt, because
        nobody would pay it once the budget is closed.
        """
        terms = catalog.plan(self.plan.id)
        if not self.parent:
            return terms
        lent = replace(
            terms,
            allocation_microcredits=0,
            overdraft_microcredits=0,
            clawback=ClawbackPolicy.FLOOR,
        )
        if lent.settle_above_hold is SettlePolicy.DEBT:
            lent = replace(lent, settle_above_hold=SettlePolicy.CHARGE_AVAILABLE)
        return lent

    def limits_in_force(self, catalog: Catalog) -> Limits:
        """The tightest of what the operator and the user set.

        The plan's own stand in for the operator's where there are none.
        """
        operator = self.limits.operator.or_else(catalog.plan(self.plan.id).limits)
        return operator.and_also(self.limits.user)

    @property
    def available_microcredits(self) -> int:
        """What started grants hold, less debt; may be negative."""
        return spendable_total(self.grants) - self.debt_microcredits

    def spendable_microcredits(self, catalog: Catalog) -> int:
        """Available plus what is left of the plan's overdraft; no overdraft for who owes money.

        Why: a downgrade can leave more debt than the new plan allows; then nothing is left.
        """
        if self.clawback_debt_microcredits:
            return max(0, self.available_microcredits)
        overdraft = self.terms(catalog).overdraft_microcredits
        left = max(0, overdraft - self.debt_microcredits)
        return spendable_total(self.grants) + left if left else max(0, self.available_microcredits)

    def missing_microcredits(self, amount_microcredits: int, catalog: Catalog) -> int:
        """The least that has to come in before that amount can be spent; not above 0: nothing.

        Why: the part owed for money that went back is paid first and has to be paid whole, then
        an overdraft is there again.
        """
        overdraft = self.terms(catalog).overdraft_microcredits
        missing = amount_microcredits - self.available_microcredits - overdraft
        owed = self.clawback_debt_microcredits
        return max(missing, owed) if owed else missing
