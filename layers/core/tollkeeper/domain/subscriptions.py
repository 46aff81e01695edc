"""Subscriptions: what Stripe's paid invoices and the subscription's end do to an account's plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.account import PlanState
from tollkeeper.domain.catalog import PlanTerms, Rollover
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import (
    BY_END,
    BY_INVOICE,
    BY_PRORATION,
    AccountId,
    Entry,
    EntryKey,
    EntryKind,
)
from tollkeeper.domain.grants import PRIORITY, Grant, GrantKind
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.invoices import PlanLine
from tollkeeper.domain.operating import change_period, take_own_moment
from tollkeeper.domain.periods import GRACE, period_end
from tollkeeper.domain.purchases import Purchase, PurchaseKind, purchase_id_of
from tollkeeper.domain.roll import allocate, expire_grant, first_anchor, roll_over


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """What the rows of a line name: its invoice and the purchase that stands for it."""

    invoice: str
    purchase: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What a line did: its own row, None where nothing changed, and the credits that came in.

    `grant` holds them. Units: micro-credits.
    """

    entry: Entry | None = None
    credits_microcredits: int = 0
    grant: str = ""


NOTHING = Brought()


def offer_plan(
    terms: PlanTerms, *, purchase_id: str, account: AccountId, request_hash: str, now: datetime
) -> Purchase:
    """The purchase that is recorded before the customer can subscribe; its invoices bring credits.

    The plan has a price.
    """
    sale = terms.sale
    assert sale is not None, "only a plan with a price is sold"
    return Purchase(
        id=purchase_id,
        account=account,
        pack="",
        pack_name=terms.name,
        credits_microcredits=0,
        price_minor=sale.price_minor,
        currency=sale.currency,
        created_at=now,
        stripe_price=sale.stripe_price,
        request_hash=request_hash,
        kind=PurchaseKind.PLAN,
        plan=terms.id,
    )


def line_key(invoice: str, line: str) -> EntryKey:
    """The key of what a line did: one per line, for ever."""
    return EntryKey(f"s#line:{invoice}.{line}")


def end_key(subscription: str) -> EntryKey:
    """The key of a subscription's end."""
    return EntryKey(f"s#subscription_end:{subscription}")


def invoice_purchase_id(account: AccountId, invoice: str) -> str:
    """The id of the purchase that stands for the invoice: always the same one."""
    return purchase_id_of(account, EntryKey(f"s#invoice:{invoice}"))


def apply_line(draft: Draft, each: PlanLine, origin: LineOrigin) -> Brought:
    """The line has done what it pays for, whatever came before it.

    A new period begins: the old plan's rest rolls over or expires, the allocation is there in
    full and the counters begin anew. Lines of one period together bring the largest of their
    allocations, in whatever order they come, so that changing to and fro brings nothing. A line
    that is older than the account's brings what would have rolled over from its period.
    """
    plan, line = draft.account.plan, each.line
    is_same = plan.subscription == each.subscription
    is_late = plan.line_at is not None and each.place < plan.line_at
    if is_same and plan.paid_until_at == line.end_at:
        return _raise_allocation(draft, each, origin, is_late=is_late)
    if is_late:
        return _bring_late(draft, each, origin) if is_same else NOTHING
    return _begin_period(draft, each, origin, rolls_over=is_same)


def _begin_period(draft: Draft, each: PlanLine, origin: LineOrigin, *, rolls_over: bool) -> Brought:
    """The period has begun, until the days of grace after what is paid for.

    Why: what is told only after its time was paid all the same, so it is there for those days.
    """
    take_own_moment(draft)
    catalog = draft.catalog
    left = draft.account.plan
    plan = PlanState(
        id=each.terms.id,
        generation=left.generation + 1,
        period_start_at=draft.at,
        period_end_at=max(each.line.end_at, draft.at) + GRACE,
        paid_until_at=each.line.end_at,
        subscription=each.subscription,
        line_at=each.place,
    )
    if rolls_over:
        _roll_into(draft, plan)
    else:
        change_period(draft, plan, catalog)
    reset = next(e for e in reversed(draft.entries) if e.kind is EntryKind.RESET)
    allocated = reset.moved_microcredits
    draft.account = replace(
        draft.account, plan=replace(draft.account.plan, allocated_microcredits=allocated)
    )
    entry = _note(draft, each, origin, at=BY_INVOICE, left=left.id)
    return Brought(entry, allocated, "" if reset.grant is None else reset.grant.id)


def _roll_into(draft: Draft, plan: PlanState) -> None:
    """The period ended now, when the next one was paid, and the next one has begun.

    Why: as with a period that time ends, what rolls over is in the reset's own row, and what is
    left expires in the row after it.
    """
    account = draft.account
    at = draft.at
    grants = tuple(
        replace(g, expires_at=at) if g.kind is GrantKind.PLAN and not g.has_ended else g
        for g in account.grants
    )
    terms = account.terms(draft.catalog)
    account = replace(account, grants=grants)
    kept, rolled = roll_over(account, terms, at=at, end_at=plan.period_end_at)
    draft.account = replace(account, grants=kept, plan=plan)
    allocate(draft, draft.catalog, rolled)
    over = [g.id for g in kept if g.kind is GrantKind.PLAN and g.expires_at == at]
    for grant_id in over:
        expire_grant(draft, grant_id)


def _raise_allocation(
    draft: Draft, each: PlanLine, origin: LineOrigin, *, is_late: bool
) -> Brought:
    """The period has at least the allocation of this line's plan, and the newest line's plan."""
    account = draft.account
    plan = account.plan
    allocation = 0 if account.parent else each.terms.allocation_microcredits
    more = max(0, allocation - plan.allocated_microcredits)
    left = plan.id
    plan = replace(plan, allocated_microcredits=max(allocation, plan.allocated_microcredits))
    if is_late:
        draft.account = replace(account, plan=plan)
        return _bring(draft, each, origin, amount_microcredits=more)
    plan = replace(plan, id=each.terms.id, line_at=each.place)
    draft.account = replace(account, plan=plan)
    brought = _bring(draft, each, origin, amount_microcredits=more, suffix=".raise")
    entry = _note(draft, each, origin, at=BY_PRORATION, left=left)
    return replace(brought, entry=entry)


def _bring_late(draft: Draft, each: PlanLine, origin: LineOrigin) -> Brought:
    """What would have rolled over from the line's period, had it been told in time."""
    account = draft.account
    terms = each.terms
    amount = 0 if account.parent else terms.rolled_over(terms.allocation_microcredits)
    if terms.rollover is Rollover.CAPPED:
        plan = account.plan
        given = sum(
            g.amount_microcredits
            for g in account.grants
            if g.kind is GrantKind.PLAN and g.effective_at >= plan.period_start_at
        )
        rolled = max(0, given - plan.allocated_microcredits)
        amount = max(0, min(amount, terms.rollover_cap_microcredits - rolled))
    return _bring(draft, each, origin, amount_microcredits=amount)


def _bring(
    draft: Draft, each: PlanLine, origin: LineOrigin, *, amount_microcredits: int, suffix: str = ""
) -> Brought:
    """The credits are in the current period, with one row; no row for none."""
    if not amount_microcredits:
        return NOTHING
    grant = Grant(
        id=next_grant_id(draft),
        kind=GrantKind.PLAN,
        priority=PRIORITY[GrantKind.PLAN],
        amount_microcredits=amount_microcredits,
        remaining_microcredits=amount_microcredits,
        effective_at=draft.at,
        expires_at=draft.account.plan.period_end_at,
    )
    account, held, paid = take_in(draft.account, grant)
    entry = draft.post(
        account,
        key=EntryKey(line_key(origin.invoice, each.line.id) + suffix),
        kind=EntryKind.GRANT,
        delta=amount_microcredits,
        moved_microcredits=amount_microcredits,
        debt_change_microcredits=paid,
        grant=held,
        reason=f"plan {each.terms.id}",
        actor="stripe",
        details=_details(each, origin),
    )
    return Brought(entry, amount_microcredits, held.id)


def _note(draft: Draft, each: PlanLine, origin: LineOrigin, *, at: str, left: str) -> Entry:
    """The line's own row; credits have rows of their own."""
    details = {"from": left, "to": each.terms.id, "at": at} | _details(each, origin)
    return draft.post(
        draft.account,
        key=line_key(origin.invoice, each.line.id),
        kind=EntryKind.PLAN_CHANGE,
        delta=0,
        reason=f"plan {each.terms.id}",
        actor="stripe",
        details=details,
    )


def _details(each: PlanLine, origin: LineOrigin) -> dict[str, str]:
    return {
        "invoice": origin.invoice,
        "line": each.line.id,
        "purchase": origin.purchase,
        "subscription": each.subscription,
    }


def end_subscription(draft: Draft, subscription: str) -> Entry | None:
    """The account is on the plan that waits, or on the default one, from now on.

    None, and nothing changed, where another subscription or the calendar drives its plan.
    """
    left = draft.account.plan
    if left.subscription != subscription:
        return None
    take_own_moment(draft)
    catalog, zone = draft.catalog, draft.account.zone
    waits = catalog.plans.get(left.next_plan)
    can_follow = waits is not None and waits.sale is None
    terms = waits if waits is not None and can_follow else catalog.plan(catalog.default_plan)
    anchor = left.next_anchor if can_follow else None
    anchor = anchor or first_anchor(terms, draft.at, zone)
    plan = PlanState(
        id=terms.id,
        generation=left.generation + 1,
        period_start_at=draft.at,
        period_end_at=period_end(anchor, draft.at, zone),
        anchor=anchor,
    )
    change_period(draft, plan, catalog)
    return draft.post(
        draft.account,
        key=end_key(subscription),
        kind=EntryKind.PLAN_CHANGE,
        delta=0,
        reason="the subscription ended",
        actor="stripe",
        details={"from": left.id, "to": terms.id, "at": BY_END, "subscription": subscription},
    )
