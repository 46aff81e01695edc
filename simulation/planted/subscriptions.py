"""Bugs of paid plans: what an upgrade brings, how long a period lasts, and who may end it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import subscriptions
from tollkeeper.domain.draft import Draft
from tollkeeper.service import subscribing


def allocation_per_upgrade(patches: Patches) -> None:
    """Every change within a period adds the new plan's allocation."""
    own = vars(subscriptions)["_raise_allocation"]

    def raise_allocation(draft: Draft, *given: Any, **named: Any) -> Any:
        plan = replace(draft.account.plan, allocated_microcredits=0)
        draft.account = replace(draft.account, plan=plan)
        return own(draft, *given, **named)

    patches.replace(subscriptions, "_raise_allocation", raise_allocation)


def upgrade_begins_a_period(patches: Patches) -> None:
    """A change within a period begins it anew, with all of its allocation."""
    own = subscribing.apply_line

    def apply(draft: Draft, *given: Any) -> Any:
        plan = replace(draft.account.plan, paid_until_at=None)
        draft.account = replace(draft.account, plan=plan)
        return own(draft, *given)

    patches.replace(subscribing, "apply_line", apply)


def no_days_of_grace(patches: Patches) -> None:
    """The plan is gone the moment that its period is over, though renewals are paid later."""
    patches.replace(subscriptions, "GRACE", timedelta())


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


def end_and_invoice_pass(patches: Patches) -> None:
    """An invoice does not hold the mark of its subscription's end: both pass each other."""
    renewal: Any = vars(subscribing)["_Renewal"]

    def also(self: Any) -> Any:
        return (*self.early.links, *self.seen)

    patches.replace(renewal, "also", property(also))


BUGS = (
    Bug("allocation per upgrade", "each change of plan adds credits", allocation_per_upgrade),
    Bug("upgrade begins a period", "each change of plan resets", upgrade_begins_a_period),
    Bug("no days of grace", "a plan ends before its renewal is paid", no_days_of_grace),
    Bug("downgrade keeps the plan", "a smaller plan is not seen", downgrade_keeps_the_plan),
    Bug("end and invoice pass", "nothing holds the end's mark", end_and_invoice_pass),
)
