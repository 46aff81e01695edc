"""Which period follows another, of which plan, and how much of what is left goes into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import partial

from tollkeeper.domain.account import Account, PlanState
from tollkeeper.domain.catalog import Catalog, Driver, PlanTerms, Rollover
from tollkeeper.domain.grants import Draw, Grant, GrantKind, Grants
from tollkeeper.domain.paid_periods import (
    Subscribed,
    drop_forgotten,
    drop_subscribed,
    keep_subscribed,
    largest_live,
)
from tollkeeper.domain.periods import GRACE, local_date, period_end


def first_anchor(terms: PlanTerms, at: datetime, zone: str) -> date | None:
    """The day that periods of this plan count from, when it begins then; None for calendar."""
    return local_date(at, zone) if terms.anchor == "opening" else None


def period_after(account: Account, at: datetime, catalog: Catalog) -> PlanState:
    """The period that time alone begins at that moment.

    Why: where the subscription that drives the plan is not paid again, another one that is paid
    drives it; that one's credits are there already.
    """
    old = account.plan
    if old.driver is not None:
        driver = old.driver.with_rest(_rest_at(account, at), catalog)
        old = replace(old, paid=keep_subscribed(old.paid, driver))
    if old.subscription and not old.next_plan:
        other = largest_live(drop_subscribed(old.paid, old.subscription), at)
        if other is not None:
            return driven_by(other, old, at=at)
    plan_id = _plan_after(account, catalog)
    anchor = old.next_anchor if old.next_plan else old.anchor
    if plan_id != (old.next_plan or old.id) or old.subscription:
        anchor = first_anchor(catalog.plan(plan_id), at, account.zone)
    changed = (plan_id, anchor) != (old.id, old.anchor) or bool(old.subscription)
    return PlanState(
        id=plan_id,
        generation=old.generation + (1 if changed else 0),
        period_start_at=at,
        period_end_at=period_end(anchor, at, account.zone),
        anchor=anchor,
        paid=drop_forgotten(old.paid, at),
    )


def _rest_at(account: Account, at: datetime) -> int:
    """What is left of the plan's grants that end then. Units: micro-credits."""
    return sum(
        grant.remaining_microcredits
        for grant in account.grants
        if grant.kind is GrantKind.PLAN and grant.expires_at is not None and grant.expires_at <= at
    )


def driven_by(subscribed: Subscribed, left: PlanState, *, at: datetime) -> PlanState:
    """The period that begins then, until the days of grace after what is paid for.

    Why: what is told only after its time was paid all the same, so it is there for those days.
    """
    return PlanState(
        id=subscribed.plan,
        generation=left.generation + 1,
        period_start_at=at,
        period_end_at=max(subscribed.newest.end_at, at) + GRACE,
        subscription=subscribed.id,
        paid=keep_subscribed(left.paid, subscribed),
    )


def _plan_after(account: Account, catalog: Catalog) -> str:
    """The plan of the period that time alone begins.

    Why: a period of a plan that Stripe drives begins with a paid invoice and with nothing else,
    so one that nobody paid for again is left for the default plan, as one that the catalog does
    not have any more.
    """
    plan = account.plan
    wanted = plan.next_plan or ("" if plan.subscription else plan.id)
    found = catalog.plans.get(wanted)
    is_there = found is not None and (found.driver is Driver.CALENDAR or bool(account.parent))
    return wanted if is_there else catalog.default_plan


def roll_over(
    account: Account,
    catalog: Catalog,
    *,
    at: datetime,
    end_at: datetime,
    keeps: Callable[[int], int] | None = None,
) -> tuple[Grants, tuple[Draw, ...]]:
    """The grants without what goes into the next period, and what goes.

    `keeps` says how much of a rest goes, where that is not what the plan, or the subscription
    that drives it, lets roll over.
    Why: what a hold took of a plan that rolls everything over would have rolled over too, so its
    grant stays to take it back, empty, for one more period.
    """
    terms = catalog.plan(account.plan.id)
    driver = account.plan.driver
    if keeps is None and driver is not None:
        keeps = partial(driver.kept_of, catalog=catalog)
    keeps = keeps or terms.rolled_over
    rolled: list[Draw] = []
    grants: list[Grant] = []
    rest_of_all = moved_of_all = 0
    held_ids = account.held_grants
    for grant in account.grants:
        is_over = grant.expires_at is not None and grant.expires_at <= at and not grant.has_ended
        if grant.kind is not GrantKind.PLAN or not is_over:
            grants.append(grant)
            continue
        # Why: a plan has several grants where an invoice raised it, and one cap for all of them.
        rest_of_all += grant.remaining_microcredits
        moved = keeps(rest_of_all) - moved_of_all
        moved_of_all += moved
        if moved:
            rolled.append(Draw(grant, moved))
        rest = replace(grant, remaining_microcredits=grant.remaining_microcredits - moved)
        if grant.id in held_ids and terms.rollover is Rollover.ALL:
            grants.append(replace(rest, expires_at=end_at))
        elif rest.remaining_microcredits or grant.id in held_ids:
            grants.append(rest)
    return tuple(sorted(grants, key=Grant.order)), tuple(rolled)
