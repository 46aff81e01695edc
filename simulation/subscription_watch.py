"""What a subscription's plan may never do, looked at with every write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.store.billing import billing_from_item

if TYPE_CHECKING:
    from simulation.store.table import Change

Blame = Callable[[str, str, str], None]
# Why: the promise itself, and not what the product makes of it.
DAYS_OF_GRACE = timedelta(days=3)
# How the rows of paid plans, and of their end, name what they are.
BY_STRIPE = ("invoice", "proration", "subscription_end")


@dataclass
class PlanBook:
    """Subscriptions that are over, and the purchase by card that each account has under way."""

    ended: set[str] = field(default_factory=set[str])
    pending: dict[str, str] = field(default_factory=dict[str, str])

    def note_billings(self, puts: Iterable[Change], blame: Blame) -> None:
        """At most one purchase of an account is under way: the one before has ended."""
        for (pk, sk), _, new in puts:
            if sk != "M" or new is None:
                continue
            before, now = self.pending.get(pk, ""), billing_from_item(new).state.pending
            if before and now and before != now:
                blame("I12", pk, f"{now} was begun while {before} was under way")
            self.pending[pk] = now

    def note_links(self, puts: Iterable[Change], blame: Blame) -> None:
        """A subscription that is over stays so."""
        for (pk, sk), _, new in puts:
            if sk != "L" or new is None:
                continue
            target = pk.removeprefix("L#")
            if "ended_at" in new:
                self.ended.add(target)
            elif target in self.ended:
                blame("I13", target, "was over, and is not any more")

    def see(
        self, before: Account | None, account: Account, entries: list[Entry], *, blame: Blame
    ) -> None:
        """The plan is driven by no subscription that is over, and is not left before its time."""
        plan = account.plan
        if plan.subscription in self.ended:
            blame("I13", account.id, f"{plan.subscription} is over and drives the plan")
        told = [e.details["to"] for e in entries if e.details.get("at") in BY_STRIPE]
        if told and plan.id != told[-1]:
            blame("I17", account.id, f"its row says {told[-1]}, it is on {plan.id}")
        left = None if before is None else before.plan
        if left is None or not left.subscription or left.paid_until_at is None:
            return
        if plan.subscription == left.subscription:
            if plan.paid_until_at is None or plan.paid_until_at < left.paid_until_at:
                blame("I13", account.id, f"was paid until {left.paid_until_at}, now less")
            return
        resets = [each.at for each in entries if each.kind is EntryKind.RESET]
        is_change = any(each.kind is EntryKind.PLAN_CHANGE for each in entries)
        over_at = left.paid_until_at + DAYS_OF_GRACE
        if not is_change and (not resets or resets[0] < over_at):
            blame("grace", account.id, f"is paid until {left.paid_until_at}, ended {resets}")
