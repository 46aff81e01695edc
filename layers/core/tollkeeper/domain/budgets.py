"""Budgets: accounts that another account funds, and that give back what they did not use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey, EntryKind
from tollkeeper.domain.errors import (
    AccountClosedError,
    GrantLimitError,
    HoldsOpenError,
    InsufficientCreditsError,
    InvalidError,
    NotFoundError,
    Position,
)
from tollkeeper.domain.gate import refuse_inactive
from tollkeeper.domain.grants import (
    MOST_GRANTS,
    Draw,
    Grant,
    GrantKind,
    Origin,
    Stay,
    draw_down,
    spendable_total,
)
from tollkeeper.domain.inflow import bring_back, next_grant_id, pay_debt, take_in
from tollkeeper.domain.limits import show_limits
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.operating import Command, post_command

NOBODY = AccountId("")


@dataclass(frozen=True, slots=True)
class Fund(Command):
    """Credits for a budget, which opens with them where it is new. Units: micro-credits.

    Shape: `limits` are pairs of `day`, `month` or `run` and a limit, None for none.
    """

    budget: AccountId = NOBODY
    amount_microcredits: int = 0
    limits: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class CloseBudget(Command):
    """The end of a budget: what it did not use goes back."""

    budget: AccountId = NOBODY


def decide_fund(draft: Draft, budget: Draft, command: Fund) -> Decision:
    """The credits have left the parent and are in the budget, which keeps their order and ends.

    Raises: InsufficientCreditsError (blocking `parent`), InvalidError where the id is not a
    budget of this account, AccountFrozenError, AccountClosedError, GrantLimitError.
    Why: only credits that are there are moved; an overdraft is the parent's own.
    """
    parent = draft.account
    refuse_inactive(parent)
    _refuse_other(parent, budget, command.budget)
    if budget.account.status is Status.CLOSED:
        raise AccountClosedError(f"The budget {command.budget} is closed.")
    amount = command.amount_microcredits
    _refuse_poor_parent(parent, amount)
    grants, draws, _ = draw_down(parent.grants, amount, parent.held_grants)
    if len(budget.account.grants) + len(draws) > MOST_GRANTS:
        raise GrantLimitError(f"The budget holds {MOST_GRANTS} grants; let some be used first.")
    life = parent.lifetime
    life = replace(life, transferred_out=life.transferred_out + amount)
    entry = post_command(
        draft,
        command,
        replace(parent, grants=grants, lifetime=life),
        kind=EntryKind.TRANSFER_OUT,
        delta=-amount,
        moved_microcredits=amount,
        draws=draws,
        details={
            "budget": command.budget,
            "budget_available_microcredits": str(budget.account.available_microcredits + amount),
        },
    )
    _bring(budget, command, draws, entry.seq)
    return draft.decide(entry, budget.decide(None))


def _refuse_other(parent: Account, budget: Draft, budget_id: AccountId) -> None:
    if budget_id == parent.id:
        raise InvalidError("budget", "must be another account")
    if budget.account.parent != parent.id:
        raise InvalidError("budget", f"is no budget of {parent.id}; choose an id of its own")


def _refuse_poor_parent(parent: Account, amount: int) -> None:
    available = max(0, parent.available_microcredits)
    if amount <= available:
        return
    raise InsufficientCreditsError(
        f"A budget of {show_micro(amount)} credits cannot be funded; "
        f"{show_micro(available)} are available in {parent.id}.",
        Position(
            required_microcredits=amount,
            available_microcredits=parent.available_microcredits,
            spendable_microcredits=available,
            held_microcredits=parent.held_microcredits,
            level="parent",
        ),
        blocking="parent",
    )


def _bring(budget: Draft, command: Fund, draws: tuple[Draw, ...], seq: int) -> None:
    """A row and a grant for each of the parent's grants, so that each keeps its own end."""
    account = budget.account
    operator = replace(account.limits.operator, **dict(command.limits))
    budget.account = replace(account, limits=replace(account.limits, operator=operator))
    limits = show_limits(command.limits)
    for index, draw in enumerate(draws):
        source = draw.grant
        grant = Grant(
            id=next_grant_id(budget),
            kind=GrantKind.TRANSFER,
            priority=source.priority,
            amount_microcredits=draw.amount_microcredits,
            remaining_microcredits=draw.amount_microcredits,
            effective_at=source.effective_at,
            expires_at=source.expires_at,
            origin=Origin(source.id, source.kind, source.amount_microcredits, source.origin),
        )
        account, held, paid = take_in(budget.account, grant)
        budget.post(
            account,
            key=EntryKey(f"s#transfer:{seq}:{index}"),
            kind=EntryKind.TRANSFER_IN,
            delta=draw.amount_microcredits,
            moved_microcredits=draw.amount_microcredits,
            debt_change_microcredits=paid,
            grant=held,
            actor=command.actor,
            reason=command.reason,
            details={"parent": account.parent} | ({} if index else limits),
        )


def decide_close_budget(draft: Draft, budget: Draft, command: CloseBudget) -> Decision:
    """The budget is closed and empty; its credits are in the grants that they came from.

    What came from a grant that is over expires in the parent's row; debt is paid first. A closed
    budget that got credits back from one of its own is emptied again.
    Raises: NotFoundError, HoldsOpenError, AccountClosedError where it was closed before.
    """
    if budget.before is None or budget.account.parent != draft.account.id:
        raise NotFoundError(f"{draft.account.id} has no budget {command.budget}.")
    left = budget.account
    amount = spendable_total(left.grants)
    if left.status is Status.CLOSED and not amount:
        raise AccountClosedError(f"The budget {command.budget} is closed.")
    if left.holds:
        raise HoldsOpenError(f"The budget {command.budget} has open holds; close them first.")
    back = _take_back(draft, left.grants)
    account, grant = back.account, None
    if back.homeless_microcredits:
        account, grant = bring_back(draft, account, back.homeless_microcredits)
    expired, life = back.expired_microcredits, account.lifetime
    life = replace(
        life, transferred_in=life.transferred_in + amount, expired=life.expired + expired
    )
    entry = post_command(
        draft,
        command,
        replace(account, lifetime=life),
        kind=EntryKind.TRANSFER_IN,
        delta=amount - expired,
        moved_microcredits=amount,
        returned=back.returned,
        expired_microcredits=expired,
        debt_change_microcredits=-back.paid_microcredits,
        grant=grant,
        details={"budget": command.budget},
    )
    _empty(budget, command, amount, entry.seq)
    return draft.decide(entry, budget.decide(None))


def _empty(budget: Draft, command: CloseBudget, amount: int, seq: int) -> None:
    account = budget.account
    draws = tuple(
        Draw(grant, grant.remaining_microcredits) for grant in account.grants if grant.has_started
    )
    life = account.lifetime
    account = replace(
        account,
        status=Status.CLOSED,
        grants=tuple(grant for grant in account.grants if not grant.has_started),
        lifetime=replace(life, transferred_out=life.transferred_out + amount),
    )
    budget.post(
        account,
        key=EntryKey(f"s#closed:{seq}"),
        kind=EntryKind.TRANSFER_OUT,
        delta=-amount,
        moved_microcredits=amount,
        draws=draws,
        reason=command.reason,
        actor=command.actor,
        details={"parent": account.parent, "closed": "true"},
    )


@dataclass(frozen=True, slots=True)
class _Back:
    """The parent with credits back, and where they went. Units: micro-credits."""

    account: Account
    returned: tuple[Draw, ...] = ()
    expired_microcredits: int = 0
    paid_microcredits: int = 0
    homeless_microcredits: int = 0


def _take_back(draft: Draft, grants: tuple[Grant, ...]) -> _Back:
    """What the budget's grants hold is back: debt first, then the grants that it came from.

    Credits that the budget got from elsewhere have no grant here and are left to the caller.
    """
    account = draft.account
    stay = Stay(draft.at, account.plan.period_start_at, account.plan.period_end_at)
    returned: list[Draw] = []
    expired = paid = homeless = 0
    for grant in grants:
        rest = grant.remaining_microcredits if grant.has_started else 0
        account, pays = pay_debt(account, rest)
        paid, rest = paid + pays, rest - pays
        home = _home_of(account, grant, stay)
        if grant.origin is None:
            homeless += rest
        elif home is None:
            expired += rest
        elif rest:
            account = _give(account, home, rest)
            returned.append(Draw(home, rest))
    return _Back(account, tuple(returned), expired, paid, homeless)


def _home_of(account: Account, grant: Grant, stay: Stay) -> Grant | None:
    """The parent's grant that the credits came from; None where it is over."""
    origin = grant.origin
    if origin is None:
        return None
    here = next((each for each in account.grants if each.id == origin.grant_id), None)
    if here is not None:
        return None if here.has_ended else here
    gone = replace(
        grant,
        id=origin.grant_id,
        kind=origin.kind,
        amount_microcredits=origin.amount_microcredits,
        origin=origin.origin,
    )
    return stay.home_of(gone)


def _give(account: Account, home: Grant, amount: int) -> Account:
    others = tuple(grant for grant in account.grants if grant.id != home.id)
    more = replace(home, remaining_microcredits=home.remaining_microcredits + amount)
    return replace(account, grants=tuple(sorted((*others, more), key=Grant.order)))
