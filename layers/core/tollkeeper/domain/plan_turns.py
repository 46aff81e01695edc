"""Plans that are left and begun at Stripe: which credits end, and what drives the plan then."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tollkeeper.domain.account import PlanState
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import BY_END, BY_OTHER_END, Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import NO_IDS, GrantKind
from tollkeeper.domain.next_period import driven_by, first_anchor, roll_over
from tollkeeper.domain.operating import take_own_moment
from tollkeeper.domain.paid_periods import (
    drop_subscribed,
    find_subscribed,
    largest_live,
)
from tollkeeper.domain.periods import period_end
from tollkeeper.domain.roll import allocate, expire_grant


def end_key(subscription: str) -> EntryKey:
    """The key of a subscription's end."""
    return EntryKey(f"s#subscription_end:{subscription}")


def own_grants(draft: Draft, subscription: str) -> frozenset[str]:
    """The plan's grants that end with the subscription's own period, or when it begins to drive.

    Why: those that no subscription brought are the calendar's, or rolled over into this one; of
    another subscription's period they are no part of this one's.
    """
    account = draft.account
    owners = {grant: each.id for each in account.plan.paid for grant in each.grants}
    is_alone = account.plan.subscription in ("", subscription)
    ends = {subscription, ""} if is_alone else {subscription}
    plans = (g.id for g in account.grants if g.kind is GrantKind.PLAN and not g.has_ended)
    return frozenset(each for each in plans if owners.get(each, "") in ends)


def turn(
    draft: Draft,
    plan: PlanState,
    allocation: int,
    *,
    ends: frozenset[str] = NO_IDS,
    keeps_microcredits: int | None = None,
) -> None:
    """The period has begun with so much allocation, and these grants of the old one are over.

    `keeps_microcredits` of them roll over at most; None: nothing ever does.
    Why: as with a period that time ends, what rolls over is in the reset's own row, and what is
    left expires in the row after it.
    """
    account, catalog = draft.account, draft.catalog
    if keeps_microcredits is None:
        for grant_id in sorted(ends, key=lambda each: (len(each), each)):
            expire_grant(draft, grant_id)
        draft.account = replace(draft.account, plan=plan)
        allocate(draft, catalog, allocation_microcredits=allocation)
        return
    at = draft.at
    grants = tuple(replace(g, expires_at=at) if g.id in ends else g for g in account.grants)
    account = replace(account, grants=grants)
    keeps = partial(min, keeps_microcredits)
    kept, rolled = roll_over(account, catalog, at=at, end_at=plan.period_end_at, keeps=keeps)
    draft.account = replace(account, grants=kept, plan=plan)
    allocate(draft, catalog, rolled, allocation_microcredits=allocation)
    over = [g.id for g in kept if g.id in ends and g.expires_at == at]
    for grant_id in over:
        expire_grant(draft, grant_id)


def end_subscription(draft: Draft, subscription: str) -> Entry | None:
    """What the subscription brought is over, and another drives the plan if it did.

    That is the plan that an operator chose for then, else another subscription's that is paid,
    else the default one. None, and nothing changed, where nothing of it is there.
    """
    left = draft.account.plan
    known = find_subscribed(left.paid, subscription)
    is_driver = left.subscription == subscription
    if not is_driver and (known is None or not known.is_live(draft.at)):
        return None
    take_own_moment(draft)
    paid = drop_subscribed(left.paid, subscription)
    ends = own_grants(draft, subscription)
    if is_driver:
        plan, allocation = _follow(draft, replace(left, paid=paid))
        turn(draft, plan, allocation, ends=ends)
    else:
        for grant_id in sorted(ends & frozenset(known.grants if known else ())):
            expire_grant(draft, grant_id)
        draft.account = replace(draft.account, plan=replace(left, paid=paid))
    to = draft.account.plan.id
    at = BY_END if is_driver else BY_OTHER_END
    return draft.post(
        draft.account,
        key=end_key(subscription),
        kind=EntryKind.PLAN_CHANGE,
        delta=0,
        reason="the subscription ended",
        actor="stripe",
        details={"from": left.id, "to": to, "at": at, "subscription": subscription},
    )


def _follow(draft: Draft, left: PlanState) -> tuple[PlanState, int]:
    """The plan after a subscription's end, and what it still has to bring."""
    catalog, zone = draft.catalog, draft.account.zone
    waits = catalog.plans.get(left.next_plan)
    can_follow = waits is not None and waits.sale is None
    rival = largest_live(left.paid, draft.at)
    if rival is not None and not can_follow:
        return driven_by(rival, left, at=draft.at), 0
    terms = waits if waits is not None and can_follow else catalog.plan(catalog.default_plan)
    anchor = left.next_anchor if can_follow else None
    anchor = anchor or first_anchor(terms, draft.at, zone)
    plan = PlanState(
        id=terms.id,
        generation=left.generation + 1,
        period_start_at=draft.at,
        period_end_at=period_end(anchor, draft.at, zone),
        anchor=anchor,
        paid=left.paid,
    )
    return plan, 0 if draft.account.parent else terms.allocation_microcredits
