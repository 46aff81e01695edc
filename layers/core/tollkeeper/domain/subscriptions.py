"""Subscriptions: what Stripe's paid invoices and the subscription's end do to an account's plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.account import PlanState
from tollkeeper.domain.catalog import PlanTerms, Rollover
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import (
    BY_INVOICE,
    BY_LATE,
    BY_PRORATION,
    AccountId,
    Entry,
    EntryKey,
    EntryKind,
)
from tollkeeper.domain.grants import PRIORITY, Grant, GrantKind
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.invoices import PlanLine
from tollkeeper.domain.next_period import driven_by
from tollkeeper.domain.operating import take_own_moment
from tollkeeper.domain.paid_periods import (
    KEPT_FOR,
    Paid,
    Subscribed,
    can_roll_over,
    drop_subscribed,
    find_subscribed,
    keep_subscribed,
    largest_live,
    with_line,
)
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.plan_turns import own_grants, turn
from tollkeeper.domain.purchases import Purchase, PurchaseKind, purchase_id_of


@dataclass(frozen=True, slots=True)
class LineOrigin:
    """What the rows of a line name: its invoice and the purchase that stands for it."""

    invoice: str
    purchase: str


@dataclass(frozen=True, slots=True)
class Concern:
    """What a person must look at, and what it is about: one case for each subject."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What a line did: its own row, None where nothing changed, and the credits that came in.

    `grant` holds them. Units: micro-credits.
    """

    entry: Entry | None = None
    credits_microcredits: int = 0
    grant: str = ""
    concern: Concern | None = None

    def and_also(self, other: Brought) -> Brought:
        """What both lines of one invoice did."""
        return Brought(
            other.entry or self.entry,
            self.credits_microcredits + other.credits_microcredits,
            other.grant or self.grant,
            other.concern or self.concern,
        )


NOTHING = Brought()


@dataclass(frozen=True, slots=True)
class _Change:
    """A line, and what is known of its subscription before and with it."""

    each: PlanLine
    origin: LineOrigin
    paid: Paid
    before: Subscribed | None
    after: Subscribed


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


def invoice_purchase_id(account: AccountId, invoice: str) -> str:
    """The id of the purchase that stands for the invoice: always the same one."""
    return purchase_id_of(account, EntryKey(f"s#invoice:{invoice}"))


def apply_line(draft: Draft, each: PlanLine, origin: LineOrigin) -> Brought:
    """The line has done what it pays for, whatever came before it.

    A new period begins: the old one's rest rolls over or expires, the allocation is there in
    full and the counters begin anew. Lines of one period together bring the largest of their
    allocations, in whatever order they come, so that changing to and fro brings nothing. A line
    of an older period brings what it makes of a difference to what would have rolled over.

    Each of several subscriptions brings its own; that of the largest plan drives.
    """
    account, line = draft.account, each.line
    allocation = 0 if account.parent else each.terms.allocation_microcredits
    paid = Paid(each.subscription, each.terms.id, allocation, each.place, line.end_at)
    before = find_subscribed(account.plan.paid, each.subscription)
    after = with_line(before, paid, draft.catalog)
    is_known = before is not None and before.has(line.end_at)
    is_long_ago = not is_known and draft.at >= line.end_at + KEPT_FOR
    if after is None or is_long_ago:
        return _leave_forgotten(each, origin, is_long_ago=is_long_ago)
    change = _Change(each, origin, paid, before, after)
    if before is None or after.newest.end_at != before.newest.end_at:
        brought = _begin_period(draft, change)
    else:
        brought = _raise_allocation(draft, change, before)
    return replace(brought, concern=_find_rival(draft, after))


def _leave_forgotten(each: PlanLine, origin: LineOrigin, *, is_long_ago: bool) -> Brought:
    """Nothing changes; a person looks at it where something of its period could be left."""
    if each.terms.rollover is Rollover.NONE and not is_long_ago:
        return NOTHING
    reason = "paid, but for a period so long ago that nobody knows what is left of it"
    return Brought(concern=Concern(origin.invoice, reason))


def _find_rival(draft: Draft, after: Subscribed) -> Concern | None:
    """Whoever pays for two subscriptions at once hardly wants to."""
    rival = largest_live(drop_subscribed(draft.account.plan.paid, after.id), draft.at)
    if rival is None or not after.is_live(draft.at):
        return None
    first, second = sorted((rival.id, after.id))
    reason = f"the account pays for two subscriptions at once, {first} and {second}"
    return Concern(f"subscriptions:{first}:{second}", reason)


def _drives(left: PlanState, after: Subscribed, at: datetime) -> bool:
    """The subscription drives the plan from now on: of those that are paid, the largest does."""
    rival = largest_live(drop_subscribed(left.paid, after.id), at)
    if rival is not None:
        return after.is_live(at) and after.size > rival.size
    return left.subscription in ("", after.id) or after.is_live(at)


def _begin_period(draft: Draft, change: _Change) -> Brought:
    """The subscription's period has begun, and the account's, if it drives the plan."""
    take_own_moment(draft)
    change = _with_rest(draft, change)
    left, after = draft.account.plan, change.after
    allocation = after.newest.allocated_microcredits
    if _drives(left, after, draft.at):
        ends, rolls = own_grants(draft, after.id), change.before is not None
        return _drive(draft, change, allocation, ends=ends, rolls=rolls)
    change = replace(change, after=_with_grants_left(draft, change))
    ends_at = max(after.newest.end_at, draft.at) + GRACE
    if left.subscription != after.id:
        return _bring(draft, change, amount_microcredits=allocation, expires_at=ends_at)
    brought = _bring(
        draft, change, amount_microcredits=allocation, expires_at=ends_at, suffix=".raise"
    )
    return _hand_over(draft, change, brought, left=left.id)


def _with_rest(draft: Draft, change: _Change) -> _Change:
    """The line with what is known of the subscription now that its last period is over.

    Why: a line of that period which is told later brings nothing back that was spent by then.
    """
    before, account, catalog = change.before, draft.account, draft.catalog
    if before is None:
        return change
    ends = own_grants(draft, before.id)
    rest = sum(g.remaining_microcredits for g in account.grants if g.id in ends)
    is_over = not account.plan.subscription
    before = (before.with_less if is_over else before.with_rest)(rest, catalog)
    after = with_line(before, change.paid, catalog)
    assert after is not None, "a line that begins a period is not too old"
    return replace(change, after=after)


def _with_grants_left(draft: Draft, change: _Change) -> Subscribed:
    """The subscription with the grants of its last period that are still there.

    Why: where it does not drive the plan, they end by themselves, after their days of grace.
    """
    before = change.before
    own = frozenset[str]() if before is None else frozenset(before.grants)
    left = tuple(g.id for g in draft.account.grants if g.id in own and not g.has_ended)
    return replace(change.after, grants=left)


def _hand_over(draft: Draft, change: _Change, brought: Brought, *, left: str) -> Brought:
    """Another subscription drives the plan, whose credits are there already."""
    plan = draft.account.plan
    rival = largest_live(plan.paid, draft.at)
    assert rival is not None, "it drives until there is a larger one"
    turn(draft, driven_by(rival, plan, at=draft.at), 0)
    return replace(brought, entry=_note(draft, change, at=BY_INVOICE, left=left))


def _drive(
    draft: Draft, change: _Change, allocation: int, *, ends: frozenset[str], rolls: bool
) -> Brought:
    """The account's period is the subscription's, with so much allocation."""
    left, after = draft.account.plan, change.after
    plan = driven_by(after, left, at=draft.at)
    keeps = after.came_in_microcredits(draft.catalog) if rolls else None
    turn(draft, plan, allocation, ends=ends, keeps_microcredits=keeps)
    reset = next(e for e in reversed(draft.entries) if e.kind is EntryKind.RESET)
    grant = "" if reset.grant is None else reset.grant.id
    _keep(draft, after, grant)
    entry = _note(draft, change, at=BY_INVOICE, left=left.id)
    return Brought(entry, allocation, grant)


def _raise_allocation(draft: Draft, change: _Change, before: Subscribed) -> Brought:
    """The subscription's period has what all of its lines make of it, and no more than that."""
    each, after, catalog = change.each, change.after, draft.catalog
    plan = draft.account.plan
    more = max(0, after.brought_microcredits(catalog) - before.brought_microcredits(catalog))
    is_driver = plan.subscription == after.id
    is_of_newest = each.line.end_at == after.newest.end_at and after.is_live(draft.at)
    if not is_driver and is_of_newest and _drives(plan, after, draft.at):
        take_own_moment(draft)
        ends = own_grants(draft, after.id) - frozenset(before.grants)
        return _drive(draft, change, more, ends=ends, rolls=False)
    is_newest = is_driver and each.place >= before.line_at
    brought = _bring(
        draft,
        change,
        amount_microcredits=more,
        expires_at=_end_of_late(draft, change, before),
        suffix=".raise" if is_newest else "",
    )
    if is_newest and not _drives(plan, after, draft.at):
        take_own_moment(draft)
        return _hand_over(draft, change, brought, left=plan.id)
    if is_newest:
        draft.account = replace(draft.account, plan=replace(draft.account.plan, id=after.plan))
        return replace(brought, entry=_note(draft, change, at=BY_PRORATION, left=plan.id))
    is_news = after != before and can_roll_over(catalog)
    if brought.entry is None and (is_news or after.plan != before.plan):
        return replace(brought, entry=_note(draft, change, at=BY_LATE, left=plan.id))
    return brought


def _end_of_late(draft: Draft, change: _Change, before: Subscribed) -> datetime:
    """Until when credits stay that a line adds to a period.

    Why: what is told only after its time was paid all the same, so it is there for the days of
    grace; and what would have rolled over is there as long as what did.
    """
    plan, after, catalog = draft.account.plan, change.after, draft.catalog
    if plan.subscription == after.id:
        return plan.period_end_at
    if after.is_live(draft.at):
        return after.newest.end_at + GRACE
    kept = after.kept_of(after.brought_microcredits(catalog), catalog=catalog)
    is_kept = kept > before.kept_of(before.brought_microcredits(catalog), catalog=catalog)
    until = draft.at + GRACE
    return max(until, plan.period_end_at) if is_kept else until


def _keep(draft: Draft, after: Subscribed, grant: str = "") -> None:
    """What is known of the subscription is in the account, with the grant that it has now."""
    plan = draft.account.plan
    if grant and grant not in after.grants:
        after = replace(after, grants=(*after.grants, grant))
    paid = keep_subscribed(plan.paid, after, driver=plan.subscription)
    draft.account = replace(draft.account, plan=replace(plan, paid=paid))


def _bring(
    draft: Draft,
    change: _Change,
    *,
    amount_microcredits: int,
    expires_at: datetime,
    suffix: str = "",
) -> Brought:
    """The credits are there until then, with one row; no row for none."""
    each = change.each
    _keep(draft, change.after)
    if not amount_microcredits:
        return NOTHING
    grant = Grant(
        id=next_grant_id(draft),
        kind=GrantKind.PLAN,
        priority=PRIORITY[GrantKind.PLAN],
        amount_microcredits=amount_microcredits,
        remaining_microcredits=amount_microcredits,
        effective_at=draft.at,
        expires_at=expires_at,
    )
    account, held, paid = take_in(draft.account, grant)
    entry = draft.post(
        account,
        key=EntryKey(line_key(change.origin.invoice, each.line.id) + suffix),
        kind=EntryKind.GRANT,
        delta=amount_microcredits,
        moved_microcredits=amount_microcredits,
        debt_change_microcredits=paid,
        grant=held,
        reason=f"plan {each.terms.id}",
        actor="stripe",
        details=_details(change),
    )
    _keep(draft, change.after, held.id)
    return Brought(entry, amount_microcredits, held.id)


def _note(draft: Draft, change: _Change, *, at: str, left: str) -> Entry:
    """The line's own row; credits have rows of their own."""
    to = draft.account.plan.id
    return draft.post(
        draft.account,
        key=line_key(change.origin.invoice, change.each.line.id),
        kind=EntryKind.PLAN_CHANGE,
        delta=0,
        reason=f"plan {to}",
        actor="stripe",
        details={"from": left, "to": to, "at": at} | _details(change),
    )


def _details(change: _Change) -> dict[str, str]:
    return {
        "invoice": change.origin.invoice,
        "line": change.each.line.id,
        "purchase": change.origin.purchase,
        "subscription": change.after.id,
    }
