"""Bugs of paid plans: what an upgrade brings, how long a period lasts, and who may end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import next_period, plan_turns, roll, subscriptions
from tollkeeper.domain.account import Account, PlanState
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed, SubscribedAll
from tollkeeper.service import subscribing


def allocation_per_upgrade(patches: Patches) -> None:
    """Every change within a period adds the new plan's allocation."""
    own = vars(subscriptions)["_raise_allocation"]

    def raise_allocation(draft: Draft, change: Any, before: Subscribed) -> Any:
        newest = replace(before.newest, plans=(("free", 0),))
        return own(draft, change, replace(before, periods=(newest,)))

    patches.replace(subscriptions, "_raise_allocation", raise_allocation)


def upgrade_begins_a_period(patches: Patches) -> None:
    """A change within a period begins it anew, with all of its allocation."""
    own = subscribing.apply_line

    def apply(draft: Draft, *given: Any) -> Any:
        draft.account = replace(draft.account, plan=replace(draft.account.plan, paid=()))
        return own(draft, *given)

    patches.replace(subscribing, "apply_line", apply)


def no_days_of_grace(patches: Patches) -> None:
    """The plan is gone the moment that its period is over, though renewals are paid later."""
    patches.replace(next_period, "GRACE", timedelta())


def downgrade_keeps_the_plan(patches: Patches) -> None:
    """The larger plan stays, whatever was paid for last."""
    own = vars(subscriptions)["_raise_allocation"]

    def raise_allocation(draft: Draft, *given: Any, **named: Any) -> Any:
        left = draft.account.plan
        brought = own(draft, *given, **named)
        if not brought.credits_microcredits:
            plan = replace(draft.account.plan, id=left.id)
            draft.account = replace(draft.account, plan=plan)
        return brought

    patches.replace(subscriptions, "_raise_allocation", raise_allocation)


def older_line_counts_whole(patches: Patches) -> None:
    """A line of an older period brings all that would have rolled over of its own plan."""

    def came_in(self: Subscribed, catalog: Catalog) -> int:
        older = self.periods[:-1]
        return sum(
            catalog.plan(plan).rolled_over(amount) for each in older for plan, amount in each.plans
        )

    patches.replace(Subscribed, "came_in_microcredits", came_in)


def nothing_is_spent(patches: Patches) -> None:
    """What was spent of an older period counts as if it were there."""

    def left_of(self: PaidPeriod, came_in: int) -> int:
        return came_in + self.allocated_microcredits

    patches.replace(PaidPeriod, "left_of", left_of)


def lapse_forgets(patches: Patches) -> None:
    """With the plan goes what its period has brought."""
    own: Any = vars(roll)["period_after"]

    def period_after(account: Account, at: datetime, catalog: Catalog) -> PlanState:
        return replace(own(account, at, catalog), paid=())

    patches.replace(roll, "period_after", period_after)


def last_one_paid_drives(patches: Patches) -> None:
    """Of two subscriptions the one that was paid last takes the plan, and the other's credits."""

    def drives(*_: Any) -> bool:
        return True

    def own_grants(draft: Draft, _: str) -> frozenset[str]:
        return frozenset(g.id for g in draft.account.grants if g.kind is GrantKind.PLAN)

    patches.replace(subscriptions, "_drives", drives)
    patches.replace(subscriptions, "own_grants", own_grants)


def other_one_forgotten(patches: Patches) -> None:
    """At the end of one of two subscriptions the account is on the default plan."""

    def nobody(_: SubscribedAll, __: datetime, *, but: str = "") -> None:
        del but

    patches.replace(plan_turns, "largest_live", nobody)


def end_and_invoice_pass(patches: Patches) -> None:
    """An invoice does not hold the mark of its subscription's end: both pass each other."""
    renewal: Any = vars(subscribing)["_Renewal"]

    def also(self: Any) -> Any:
        return (*self.early.links, *self.seen)

    patches.replace(renewal, "also", property(also))


# One that some order of a story shows, and those that come of what is spent and of two at once.
IN_ORDERS = (
    Bug("older line counts whole", "a late upgrade rolls over anew", older_line_counts_whole),
)
IN_LIVES = (
    Bug("nothing is spent", "a late line brings back what was spent", nothing_is_spent),
    Bug("last one paid drives", "one subscription takes the other's", last_one_paid_drives),
    Bug("other one forgotten", "the end of one is the end of both", other_one_forgotten),
)

BUGS = (
    Bug("allocation per upgrade", "each change of plan adds credits", allocation_per_upgrade),
    Bug("upgrade begins a period", "each change of plan resets", upgrade_begins_a_period),
    Bug("no days of grace", "a plan ends before its renewal is paid", no_days_of_grace),
    Bug("downgrade keeps the plan", "a smaller plan is not seen", downgrade_keeps_the_plan),
    Bug("lapse forgets", "a change told after the lapse brings all of its plan", lapse_forgets),
    Bug("end and invoice pass", "nothing holds the end's mark", end_and_invoice_pass),
)
