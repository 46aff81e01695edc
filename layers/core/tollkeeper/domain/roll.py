"""Time: what became due since an account was last touched happens now, in order, once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tollkeeper.domain.account import Account, PlanState, Windows
from tollkeeper.domain.catalog import Catalog, Driver
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import AccountId, EntryKey, EntryKind
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.grants import PRIORITY, Draw, Grant, GrantKind
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.next_period import first_anchor, period_after, roll_over
from tollkeeper.domain.periods import local_date, period_end, start_of_day
from tollkeeper.domain.returns import expire_hold
from tollkeeper.domain.totals import DayClosed
from tollkeeper.domain.windows import day_end

MOST_MOMENTS_PER_SLICE = 40

# The order at one instant. Between two of a kind, the id decides.
HOLD, DAY, RESET, EXPIRE, START = range(5)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that time alone makes happen. `age` puts g10 after g9, as drawing does."""

    at: datetime
    rank: int
    age: int = 0
    id: str = ""


def open_account(
    account_id: AccountId,
    *,
    plan_id: str,
    zone: str,
    now: datetime,
    catalog: Catalog,
    parent: str = "",
) -> Draft:
    """A draft that opens the account on the plan, with its first allocation.

    Raises: InvalidError for a plan that only a payment begins; a budget has its parent's.
    """
    terms = catalog.plan(plan_id)
    if terms.driver is Driver.STRIPE and not parent:
        raise InvalidError("plan", paid_only(terms.id))
    today = local_date(now, zone)
    anchor = first_anchor(terms, now, zone)
    plan = PlanState(terms.id, 1, now, period_end(anchor, now, zone), anchor)
    account = Account(
        id=account_id, plan=plan, zone=zone, today=today, rolled_to=now, parent=parent
    )
    draft = Draft(None, account, now, catalog)
    allocate(draft, catalog)
    return draft


def paid_only(plan_id: str) -> str:
    """Why nobody can be put onto the plan."""
    return f"{plan_id!r} is driven by Stripe: only a paid invoice puts an account onto it"


def roll(draft: Draft, now: datetime, catalog: Catalog) -> bool:
    """Time is applied up to `now`, or up to the bound of one slice; true when it is all applied.

    Cost: at most 40 due moments, each at most one row.
    """
    for _ in range(MOST_MOMENTS_PER_SLICE):
        moment = next_moment(draft.account)
        if moment.at > now:
            _settle_at(draft, now)
            return True
        draft.at = max(moment.at, draft.account.rolled_to)
        draft.account = replace(draft.account, rolled_to=draft.at)
        _happen(draft, moment, catalog)
    return False


def _settle_at(draft: Draft, now: datetime) -> None:
    """The draft stands at `now`; an empty day needs no closing, so today just moves on."""
    draft.at = now
    account = replace(draft.account, rolled_to=now)
    if not account.totals and not account.next_zone:
        account = _enter_day(account, now)
    draft.account = account


def next_moment(account: Account) -> Moment:
    """The first thing that time alone will make happen to this account."""
    moments = [Moment(account.plan.period_end_at, RESET)]
    if account.totals or account.next_zone:
        moments.append(Moment(day_end(account), DAY))
    moments += [Moment(hold.expires_at, HOLD, id=hold.id) for hold in account.holds]
    for grant in account.grants:
        if not grant.has_started:
            moments.append(Moment(grant.effective_at, START, len(grant.id), grant.id))
        elif grant.expires_at is not None and not grant.has_ended:
            moments.append(Moment(grant.expires_at, EXPIRE, len(grant.id), grant.id))
    return min(moments)


def _happen(draft: Draft, moment: Moment, catalog: Catalog) -> None:
    if moment.rank == HOLD:
        expire_hold(draft, moment.id)
    elif moment.rank == DAY:
        _close_day(draft, moment.at)
    elif moment.rank == RESET:
        _reset(draft, moment.at, catalog)
    elif moment.rank == EXPIRE:
        expire_grant(draft, moment.id)
    else:
        _start(draft, moment.id)


def _close_day(draft: Draft, at: datetime) -> None:
    account = draft.account
    if account.totals:
        draft.days.append(DayClosed(account.today, account.totals))
    account = replace(account, totals={})
    if account.next_zone:
        account = _move_zone(account)
    draft.account = _enter_day(account, at)


def _enter_day(account: Account, at: datetime) -> Account:
    """The account on the local day of that moment; a day never goes back."""
    today = local_date(at, account.zone)
    if today <= account.today:
        return account
    same_month = (today.year, today.month) == (account.today.year, account.today.month)
    windows = replace(account.windows, day=0, month=account.windows.month if same_month else 0)
    rung = replace(account.rung, day=0, month=account.rung.month if same_month else 0)
    return replace(account, today=today, windows=windows, rung=rung)


def _move_zone(account: Account) -> Account:
    """The account in its new zone, its plan's period ending on the same date there.

    Why: what an invoice paid for ends at a moment, wherever the customer is.
    """
    if account.plan.subscription:
        return replace(account, zone=account.next_zone, next_zone="", next_zone_at=None)
    plan = account.plan
    end_day = local_date(plan.period_end_at, account.zone)
    end_at = max(start_of_day(end_day, account.next_zone), account.rolled_to)
    grants = tuple(
        replace(g, expires_at=end_at)
        if g.kind is GrantKind.PLAN and g.expires_at == plan.period_end_at
        else g
        for g in account.grants
    )
    plan = replace(plan, generation=plan.generation + 1, period_end_at=end_at)
    return replace(
        account,
        zone=account.next_zone,
        next_zone="",
        next_zone_at=None,
        plan=plan,
        grants=tuple(sorted(grants, key=Grant.order)),
    )


def _reset(draft: Draft, at: datetime, catalog: Catalog) -> None:
    """The next period begins: the old plan grant's rest rolls over or is left to expire."""
    account = draft.account
    plan = period_after(account, at, catalog)
    grants, rolled = roll_over(account, catalog, at=at, end_at=plan.period_end_at)
    draft.account = replace(account, grants=grants, plan=plan)
    brought = 0 if plan.subscription else None
    allocate(draft, catalog, rolled, allocation_microcredits=brought)


def allocate(
    draft: Draft,
    catalog: Catalog,
    rolled: tuple[Draw, ...] = (),
    *,
    allocation_microcredits: int | None = None,
) -> None:
    """The current period has its allocation and fresh counters, explained by one reset row.

    `rolled` is what the last period's grants gave up for this one. `allocation_microcredits` is
    for a period that other rows brought a part of, or all.
    """
    account = draft.account
    rolled_over = sum(draw.amount_microcredits for draw in rolled)
    plan = account.plan
    allocation = allocation_microcredits
    if allocation is None:
        allocation = account.terms(catalog).allocation_microcredits
    account = replace(
        account,
        features={},
        volumes={},
        windows=Windows(account.windows.day, account.windows.month, 0),
        rung=replace(account.rung, period=0),
    )
    held: Grant | None = None
    paid = 0
    if allocation or rolled_over:
        grant = Grant(
            id=next_grant_id(draft),
            kind=GrantKind.PLAN,
            priority=PRIORITY[GrantKind.PLAN],
            amount_microcredits=allocation + rolled_over,
            remaining_microcredits=allocation + rolled_over,
            effective_at=draft.at,
            expires_at=plan.period_end_at,
        )
        account, held, paid = take_in(account, grant)
        life = account.lifetime
        account = replace(account, lifetime=replace(life, granted=life.granted - rolled_over))
    details = {"plan": plan.id, "period_end": plan.period_end_at.isoformat()}
    if plan.subscription:
        details["paid_until"] = plan.shown_end_at.isoformat()
    if rolled_over:
        details["rolled_over_microcredits"] = str(rolled_over)
    # The old plan grant gave up what rolled over before this row, so the row explains both.
    draft.post(
        account,
        key=reset_key(plan),
        kind=EntryKind.RESET,
        delta=allocation,
        moved_microcredits=allocation,
        draws=rolled,
        debt_change_microcredits=paid,
        grant=held,
        details=details,
    )


def reset_key(plan: PlanState) -> EntryKey:
    """The time key of the reset that began this period."""
    start = plan.period_start_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return EntryKey(f"t#reset:{plan.generation}:{start}")


def expire_grant(draft: Draft, grant_id: str) -> None:
    """The grant is gone and what it held is written as expired, in its one expire row.

    While a hold that drew from it is open it stays, ended: what comes back to it expires then.
    One with nothing left but what is held ends without a row, because no credits change.
    """
    account = draft.account
    grant = next(g for g in account.grants if g.id == grant_id)
    rest = grant.remaining_microcredits
    life = account.lifetime
    others = tuple(g for g in account.grants if g.id != grant_id)
    ended = replace(grant, remaining_microcredits=0, has_ended=True)
    is_held = grant_id in account.held_grants
    account = replace(
        account,
        grants=tuple(sorted((*others, ended), key=Grant.order)) if is_held else others,
        lifetime=replace(life, expired=life.expired + rest),
    )
    if not rest:
        draft.account = account
        return
    draft.post(
        account,
        key=EntryKey(f"t#expire:{grant_id}"),
        kind=EntryKind.EXPIRE,
        delta=-rest,
        moved_microcredits=rest,
        grant=replace(grant, remaining_microcredits=0),
    )


def _start(draft: Draft, grant_id: str) -> None:
    """A grant with a later start counts from now on."""
    account = draft.account
    grant = next(g for g in account.grants if g.id == grant_id)
    without = replace(account, grants=tuple(g for g in account.grants if g.id != grant_id))
    started = replace(grant, has_started=True)
    account, held, paid = take_in(without, started)
    draft.post(
        account,
        key=EntryKey(f"t#start:{grant_id}"),
        kind=EntryKind.GRANT,
        delta=grant.remaining_microcredits,
        moved_microcredits=grant.remaining_microcredits,
        debt_change_microcredits=paid,
        grant=held,
    )


def begin(
    account: Account | None,
    account_id: AccountId,
    *,
    now: datetime,
    catalog: Catalog,
    plan_id: str | None = None,
    zone: str | None = None,
    parent: str = "",
) -> tuple[Draft, bool]:
    """A draft of the account rolled to now (opened where it is new), and whether time is done."""
    if account is None:
        draft = open_account(
            account_id,
            plan_id=plan_id or catalog.default_plan,
            zone=zone or catalog.zone,
            now=now,
            catalog=catalog,
            parent=parent,
        )
        return draft, True
    now = max(now, account.rolled_to)
    draft = Draft(account, account, now, catalog)
    return draft, roll(draft, now, catalog)


def look(account: Account, *, now: datetime, catalog: Catalog) -> Account:
    """The account as it would be if it were touched now; nothing is written."""
    return catch_up(account, now=now, catalog=catalog).account


def catch_up(account: Account, *, now: datetime, catalog: Catalog) -> Draft:
    """A draft with all that a touch now would do first, in however many slices."""
    draft = Draft(account, account, now, catalog)
    while not roll(draft, max(now, account.rolled_to), catalog):
        pass
    return draft
