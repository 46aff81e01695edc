"""What operators do to an account: grants, adjustments, plans, profile and standing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tollkeeper.domain.account import Account, PlanState, Status
from tollkeeper.domain.catalog import Catalog, Driver, PlanTerms
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.errors import (
    GrantLimitError,
    InsufficientCreditsError,
    InvalidError,
    Position,
)
from tollkeeper.domain.grants import MOST_GRANTS, PRIORITY, Grant, GrantKind, draw_down
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.money import LARGEST_MICROCREDITS, show_micro
from tollkeeper.domain.next_period import first_anchor
from tollkeeper.domain.periods import find_zone, period_end, zone_change_at
from tollkeeper.domain.roll import allocate, expire_grant, paid_only

MOMENT = timedelta(milliseconds=1)
"""The smallest step of time that is stored."""


@dataclass(frozen=True, slots=True)
class Command:
    """Who asks for what, once: the members that every operator command has."""

    key: EntryKey
    request_hash: str
    reason: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class GiveGrant(Command):
    """Credits for the account. Units: micro-credits."""

    amount_microcredits: int = 0
    kind: GrantKind = GrantKind.PROMO
    priority: int | None = None
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Adjust(Command):
    """A correction up (a grant) or down (a draw). Units: micro-credits, signed."""

    delta_microcredits: int = 0


@dataclass(frozen=True, slots=True)
class ChangePlan(Command):
    """Another plan, or another anchor, now or when the period ends."""

    plan: str = ""
    anchor: date | None = None
    at_period_end: bool = False


@dataclass(frozen=True, slots=True)
class ChangeProfile(Command):
    """Zone and name; None leaves a member as it is."""

    zone: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeStanding(Command):
    """Freeze, unfreeze or close."""

    kind: EntryKind = EntryKind.FREEZE


def post_command(
    draft: Draft,
    command: Command,
    account: Account,
    *,
    kind: EntryKind,
    delta: int = 0,
    **facts: Any,
) -> Entry:
    """The command's own row: under its key, with who asked and why."""
    return draft.post(
        account,
        key=command.key,
        kind=kind,
        delta=delta,
        request_hash=command.request_hash,
        reason=command.reason,
        actor=command.actor,
        **facts,
    )


def decide_grant(draft: Draft, command: GiveGrant) -> Decision:
    """The credits are in the account, or wait for their start.

    Raises: GrantLimitError at the bound, InvalidError above what an account can hold; neither
    for a purchase, because what was paid for is never refused for lack of room.
    """
    if not command.key.startswith("s#"):
        _refuse_full(draft.account, command.amount_microcredits)
    effective_at = max(command.effective_at or draft.at, draft.at)
    if command.expires_at is not None and command.expires_at <= effective_at:
        raise InvalidError("expires_at", "must be later than now and than effective_at")
    priority = PRIORITY[command.kind] if command.priority is None else command.priority
    grant = Grant(
        id=next_grant_id(draft),
        kind=command.kind,
        priority=priority,
        amount_microcredits=command.amount_microcredits,
        remaining_microcredits=command.amount_microcredits,
        effective_at=effective_at,
        expires_at=command.expires_at,
        has_started=effective_at <= draft.at,
    )
    account, held, paid = take_in(draft.account, grant)
    entry = post_command(
        draft,
        command,
        account,
        kind=EntryKind.GRANT,
        delta=command.amount_microcredits if grant.has_started else 0,
        moved_microcredits=command.amount_microcredits,
        debt_change_microcredits=paid,
        grant=held,
        details=dict(command.details),
    )
    return draft.decide(entry)


def _refuse_full(account: Account, amount: int) -> None:
    if len(account.grants) >= MOST_GRANTS:
        raise GrantLimitError(f"The account holds {MOST_GRANTS} grants; let some be used first.")
    if sum(g.remaining_microcredits for g in account.grants) + amount > LARGEST_MICROCREDITS:
        most = show_micro(LARGEST_MICROCREDITS)
        raise InvalidError("amount", f"would take the account above {most} credits")


def decide_adjustment(draft: Draft, command: Adjust) -> Decision:
    """The balance is corrected by exactly the delta, or nothing changed.

    Raises: InsufficientCreditsError where more would be taken than is there.
    """
    if command.delta_microcredits > 0:
        return _adjust_up(draft, command)
    amount = -command.delta_microcredits
    account = draft.account
    grants, draws, missing = draw_down(account.grants, amount, account.held_grants)
    if missing:
        available = account.available_microcredits
        raise InsufficientCreditsError(
            f"An adjustment cannot take {show_micro(amount)} credits; "
            f"{show_micro(available)} are available.",
            Position(
                required_microcredits=amount,
                available_microcredits=available,
                spendable_microcredits=max(0, available),
                held_microcredits=account.held_microcredits,
            ),
        )
    life = account.lifetime
    account = replace(
        account, grants=grants, lifetime=replace(life, adjusted_down=life.adjusted_down + amount)
    )
    entry = post_command(
        draft,
        command,
        account,
        kind=EntryKind.ADJUSTMENT,
        delta=-amount,
        moved_microcredits=amount,
        draws=draws,
    )
    return draft.decide(entry)


def _adjust_up(draft: Draft, command: Adjust) -> Decision:
    amount = command.delta_microcredits
    _refuse_full(draft.account, amount)
    grant = Grant(
        id=next_grant_id(draft),
        kind=GrantKind.ADJUSTMENT,
        priority=PRIORITY[GrantKind.ADJUSTMENT],
        amount_microcredits=amount,
        remaining_microcredits=amount,
        effective_at=draft.at,
        expires_at=None,
    )
    account, held, paid = take_in(draft.account, grant)
    entry = post_command(
        draft,
        command,
        account,
        kind=EntryKind.ADJUSTMENT,
        delta=amount,
        moved_microcredits=amount,
        debt_change_microcredits=paid,
        grant=held,
    )
    return draft.decide(entry)


def is_on_plan(account: Account, command: ChangePlan) -> bool:
    """The account is, or will be, on the plan already, so that a repeated PUT changes nothing.

    Why: an app that says the current plan at every sign-in must not begin a new period with
    it, not even while another plan waits for this one's end.
    """
    plan = account.plan
    if command.at_period_end and plan.next_plan:
        return plan.next_plan == command.plan and _same_anchor(plan.next_anchor, command)
    return plan.id == command.plan and _same_anchor(plan.anchor, command)


def _same_anchor(anchor: date | None, command: ChangePlan) -> bool:
    return command.anchor is None or command.anchor == anchor


def decide_plan_change(draft: Draft, command: ChangePlan, catalog: Catalog) -> Decision:
    """The account is on the plan: now, with a new period, or once this period ends.

    Now: what is left of the old plan's grant expires and the new allocation is there in full.
    Raises: InvalidError for a plan that the catalog does not have.
    """
    if command.plan not in catalog.plans:
        known = ", ".join(sorted(catalog.plans))
        raise InvalidError("plan", f"{command.plan!r} is not in the catalog; it has {known}")
    account = draft.account
    is_taken_back = command.at_period_end and is_same_plan(account, command)
    if catalog.plan(command.plan).driver is Driver.STRIPE and not is_taken_back:
        raise InvalidError("plan", paid_only(command.plan))
    if draft.before is None and is_on_plan(account, command):
        return draft.decide(_note_plan(draft, command, account, "opening", left=account.plan.id))
    if command.at_period_end:
        plan = _wait_for_end(account, command, catalog.plan(command.plan))
        account = replace(account, plan=plan)
        return draft.decide(_note_plan(draft, command, account, "period_end", left=plan.id))
    return draft.decide(_change_now(draft, command, catalog))


def is_same_plan(account: Account, command: ChangePlan) -> bool:
    """The command names the account's own plan, as it is."""
    return command.plan == account.plan.id and command.anchor is None


def _wait_for_end(account: Account, command: ChangePlan, terms: PlanTerms) -> PlanState:
    """The current period with what follows it; asking for the current plan takes a change back."""
    plan = account.plan
    if is_same_plan(account, command):
        return replace(plan, next_plan="", next_anchor=None)
    anchor = command.anchor or first_anchor(terms, plan.period_end_at, account.zone)
    return replace(plan, next_plan=command.plan, next_anchor=anchor)


def _change_now(draft: Draft, command: ChangePlan, catalog: Catalog) -> Entry:
    """The row of the change, after those of the credits that it moved.

    Why: the answer is made from this row, so its balance must be the one after the whole change.
    What expires is the old plan's, so that what its period spent rings at none of the new limits.
    """
    take_own_moment(draft)
    account = draft.account
    anchor = command.anchor or first_anchor(catalog.plan(command.plan), draft.at, account.zone)
    plan = PlanState(
        id=command.plan,
        generation=account.plan.generation + 1,
        period_start_at=draft.at,
        period_end_at=period_end(anchor, draft.at, account.zone),
        anchor=anchor,
        paid=account.plan.paid,
    )
    change_period(draft, plan, catalog)
    return _note_plan(draft, command, draft.account, "now", left=account.plan.id)


def change_period(draft: Draft, plan: PlanState, catalog: Catalog) -> None:
    """The new period has begun with its allocation, and the old plan's rest has expired."""
    grants = draft.account.grants
    for grant_id in [g.id for g in grants if g.kind is GrantKind.PLAN and not g.has_ended]:
        expire_grant(draft, grant_id)
    draft.account = replace(draft.account, plan=plan)
    allocate(draft, catalog)


def take_own_moment(draft: Draft) -> None:
    """The draft stands at a moment that no earlier row of the account has.

    Why: a charge counts in the period whose start is not after it. One of the same millisecond,
    which two machines' clocks can bring about, must not move into the period that begins now.
    """
    before = draft.account.rolled_to if draft.before is None else draft.before.rolled_to
    last = draft.entries[-1].at if draft.entries else before
    draft.at = max(draft.at, last + MOMENT)
    draft.account = replace(draft.account, rolled_to=draft.at)


def _note_plan(
    draft: Draft, command: ChangePlan, account: Account, when: str, *, left: str
) -> Entry:
    """The row that names the plan that is left and the new one; credits have rows of their own."""
    details = {"from": left, "to": command.plan, "at": when}
    return post_command(draft, command, account, kind=EntryKind.PLAN_CHANGE, details=details)


def decide_profile_change(draft: Draft, command: ChangeProfile) -> Decision:
    """The name is set; a new zone begins at its first midnight with a later date.

    Raises: InvalidError for a zone that does not exist.
    """
    account = draft.account
    details: dict[str, str] = {}
    if command.name is not None:
        account = replace(account, name=command.name)
        details["name"] = command.name
    if command.zone is not None:
        find_zone(command.zone)
        account = _ask_zone(account, command.zone, draft.at)
        details["zone"] = command.zone
    return draft.decide(
        post_command(draft, command, account, kind=EntryKind.PROFILE, details=details)
    )


def has_profile(account: Account, command: ChangeProfile) -> bool:
    """The account has the name and the zone, or waits for the zone, so a PUT changes nothing."""
    zone = account.next_zone or account.zone
    return command.name in (None, account.name) and command.zone in (None, zone)


def _ask_zone(account: Account, zone: str, now: datetime) -> Account:
    if zone == account.zone:
        return replace(account, next_zone="", next_zone_at=None)
    at = zone_change_at(today=account.today, new_zone=zone, now=now)
    return replace(account, next_zone=zone, next_zone_at=at)


def decide_standing(draft: Draft, command: ChangeStanding) -> Decision:
    """The account is frozen, active again, or closed for good.

    Raises: InvalidError where a closed account should be frozen or unfrozen.
    """
    account = draft.account
    if account.status is Status.CLOSED and command.kind is not EntryKind.CLOSE:
        raise InvalidError("account", "is closed for good")
    status = {
        EntryKind.FREEZE: Status.FROZEN,
        EntryKind.UNFREEZE: Status.ACTIVE,
        EntryKind.CLOSE: Status.CLOSED,
    }[command.kind]
    account = replace(account, status=status)
    return draft.decide(post_command(draft, command, account, kind=command.kind))
