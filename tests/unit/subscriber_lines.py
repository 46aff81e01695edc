"""What a subscriber's account and rows are, as lines of text that a reviewer can check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.unit.building import ONE, a_key, done, draft_of
from tests.unit.subscribers import STORE, Subscriber
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.grants import Grant
from tollkeeper.domain.invoices import InvoicePaid
from tollkeeper.domain.operating import Adjust, decide_adjustment
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed


@dataclass
class Story(Subscriber):
    """A subscriber who is told of row by row."""

    shown: int = 0

    @classmethod
    def begin(cls, *invoices: InvoicePaid) -> Story:
        """An account whose invoices were paid on the day that it was opened."""
        opened = Subscriber.open()
        for invoice in invoices:
            opened.pay(invoice)
        return cls(opened.account, opened.entries, shown=len(opened.entries))

    def spend(self, credits: int) -> None:
        """The account has spent that many credits, which is not told."""
        key = a_key(f"c{len(self.entries)}")
        command = Adjust(key, "h", "used", delta_microcredits=-credits * ONE)
        decision = decide_adjustment(draft_of(self.account, catalog=STORE), command)
        self.account, entry = done(decision)
        self.entries.append(entry)
        self.hush()

    def hush(self) -> None:
        """What happened up to now is not told."""
        self.shown = len(self.entries)

    def tell(self) -> str:
        """The rows since the last time, and what there is."""
        fresh, self.shown = self.entries[self.shown :], len(self.entries)
        return "\n".join([*show_rows(fresh), "", *show_plan(self)])


def show_rows(entries: list[Entry]) -> list[str]:
    """A line per row: what it is, its key, what it moved and what it says."""
    return [_show_row(entry) for entry in entries]


def show_plan(who: Subscriber) -> list[str]:
    """The plan, a line per subscription that is known, and one per grant."""
    plan = who.account.plan
    driver = plan.subscription or f"calendar {plan.anchor or ''}".strip()
    since, until = _show_at(plan.period_start_at), _show_at(plan.period_end_at)
    waits = f" then {plan.next_plan}" if plan.next_plan else ""
    first = f"{plan.id}#{plan.generation} by {driver}: {since} to {until}{waits}"
    grants = [_show_grant(grant) for grant in who.account.grants]
    return [first, *(_show_subscribed(each) for each in plan.paid), *grants]


def _show_row(entry: Entry) -> str:
    parts = [entry.kind.value, entry.key, f"{entry.delta_microcredits / ONE:+g}"]
    assert entry.moved_microcredits == abs(entry.delta_microcredits)
    if entry.grant is not None:
        parts.append(_show_grant(entry.grant))
    parts += [f"{d.amount_microcredits / ONE:g} of {d.grant.id}" for d in entry.draws]
    told = entry.details
    if entry.kind is EntryKind.PLAN_CHANGE:
        parts.append(f"{told['from']} > {told['to']} at {told['at']}")
    return " ".join(parts)


def _show_grant(grant: Grant) -> str:
    until = "ever" if grant.expires_at is None else _show_at(grant.expires_at)
    sizes = f"{grant.remaining_microcredits / ONE:g}/{grant.amount_microcredits / ONE:g}"
    return f"{grant.id} {grant.kind.value} {sizes} until {until}"


def _show_subscribed(each: Subscribed) -> str:
    begins, made = each.line_at
    carried = f" carried {each.carried_microcredits / ONE:g}" if each.carried_microcredits else ""
    periods = "; ".join(_show_period(period) for period in each.periods)
    at = f"{_show_at(begins)} {_show_at(made)}"
    return f"{each.id} {each.plan} at {at}{carried} ({' '.join(each.grants)}) {periods}"


def _show_period(period: PaidPeriod) -> str:
    plans = " ".join(f"{plan}={amount / ONE:g}" for plan, amount in period.plans)
    spent = f" spent {period.spent_microcredits / ONE:g}" if period.spent_microcredits else ""
    return f"{_show_at(period.begin_at)} to {_show_at(period.end_at)} {plans}{spent}"


def _show_at(at: datetime) -> str:
    """`11-20 12h`, with its milliseconds where it has some; the year where it is a later one."""
    year = "" if at.year == 2026 else f"{at.year}-"
    hour = f" {at.hour}h" if at.hour else ""
    milliseconds = at.microsecond // 1000
    return f"{year}{at:%m-%d}{hour}" + (f"+{milliseconds}" if milliseconds else "")
