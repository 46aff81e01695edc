"""Charges, their undoing, and the one judgement of whether an account can pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.account import Account, ChargeReturned, Decision, Draft, Status, Windows
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    FeatureLimitError,
    InsufficientCreditsError,
    InvalidError,
)
from tollkeeper.domain.grants import (
    PRIORITY,
    Draw,
    Grant,
    GrantKind,
    Stay,
    draw_down,
    put_back,
)
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.offers import find_help
from tollkeeper.domain.periods import find_zone
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.totals import Total, count, key_of, total_of_charge


@dataclass(frozen=True, slots=True)
class Charge:
    """The command to charge a run that was priced."""

    key: EntryKey
    request_hash: str
    priced: Priced
    actor: str = ""
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The command to undo a charge (`void`), or to give back all or part of it (`refund`).

    Units: micro-credits; None is the whole charge.
    """

    key: EntryKey
    request_hash: str
    charge: Entry
    kind: EntryKind
    amount_microcredits: int | None = None
    reason: str = ""
    actor: str = ""


def refuse_unable(account: Account, priced: Priced, catalog: Catalog) -> None:
    """Nothing, where the account can pay for the run now.

    Raises: AccountClosedError, AccountFrozenError, FeatureLimitError, InsufficientCreditsError.
    Why: check and deduct ask the same function, so they never disagree.
    """
    refuse_inactive(account)
    available = account.available_microcredits
    spendable = account.spendable_microcredits(catalog)
    run = priced.run
    limit = catalog.plan(account.plan.id).features.get(run.feature)
    used = account.features.get(run.feature, 0)
    if limit is not None and used + run.feature_count > limit:
        raise FeatureLimitError(
            f"The plan {account.plan.id} allows {run.feature} {limit} times in a period; "
            f"{used} are used and this needs {run.feature_count}.",
            feature=run.feature,
            used=used,
            limit=limit,
            required_microcredits=priced.charged_microcredits,
            available_microcredits=available,
            spendable_microcredits=spendable,
            resets_at=reset_moment(account),
        )
    required = priced.charged_microcredits
    if required > spendable:
        allocation = catalog.plan(account.plan.id).allocation_microcredits
        raise InsufficientCreditsError(
            f"{_describe(priced)} needs {show_micro(required)} credits; "
            f"{show_micro(available)} are available.",
            required_microcredits=required,
            available_microcredits=available,
            spendable_microcredits=spendable,
            resets_at=reset_moment(account) if allocation else None,
            help_=find_help(
                priced,
                catalog,
                shortfall_microcredits=required - spendable,
                spendable_microcredits=spendable,
            ),
        )


def reset_moment(account: Account) -> datetime:
    """When the plan's period ends, on the clock of the account's zone."""
    return account.plan.period_end_at.astimezone(find_zone(account.zone))


def refuse_inactive(account: Account) -> None:
    """Nothing, where the account may spend. Raises: AccountFrozenError, AccountClosedError."""
    if account.status is Status.CLOSED:
        raise AccountClosedError(f"Account {account.id} is closed.")
    if account.status is Status.FROZEN:
        raise AccountFrozenError(f"Account {account.id} is frozen; an operator can unfreeze it.")


def _describe(priced: Priced) -> str:
    run = priced.run
    if run.model and run.pools is not None:
        return f"{run.model} for {run.pools.total():,} tokens"
    return f"{run.operation} with {run.model}" if run.model else run.operation


def decide_charge(draft: Draft, command: Charge, catalog: Catalog) -> Decision:
    """The account has paid for the run, drawn from its grants in order.

    Raises: as refuse_unable.
    """
    priced = command.priced
    refuse_unable(draft.account, priced, catalog)
    account, draws, debt = _spend(draft.account, priced.charged_microcredits)
    run = priced.run
    counts_feature = run.feature in catalog.plan(account.plan.id).features
    if counts_feature:
        used = account.features.get(run.feature, 0) + run.feature_count
        account = replace(account, features={**account.features, run.feature: used})
    total = total_of_charge(run, priced.charged_microcredits)
    account = replace(account, totals=count(account.totals, key_of(run), total))
    entry = draft.post(
        account,
        key=command.key,
        kind=EntryKind.CHARGE,
        delta=-priced.charged_microcredits,
        moved_microcredits=priced.charged_microcredits,
        request_hash=command.request_hash,
        run=run,
        draws=draws,
        debt_change_microcredits=debt,
        actor=command.actor,
        metadata=command.metadata,
        warnings=charge_warnings(account, priced, catalog),
    )
    return draft.decide(entry)


def charge_warnings(account: Account, priced: Priced, catalog: Catalog) -> tuple[str, ...]:
    """What the caller should know beside the amount: the usage's oddities and a low balance."""
    low = account.available_microcredits <= catalog.low_balance_microcredits
    return (*priced.run.warnings, "low_balance") if low else priced.run.warnings


def _spend(account: Account, amount: int) -> tuple[Account, tuple[Draw, ...], int]:
    grants, draws, missing = draw_down(account.grants, amount)
    life, windows = account.lifetime, account.windows
    spent = replace(
        account,
        grants=grants,
        overdraft_debt_microcredits=account.overdraft_debt_microcredits + missing,
        lifetime=replace(life, spent=life.spent + amount),
        windows=replace(
            windows,
            day=windows.day + amount,
            month=windows.month + amount,
            period=windows.period + amount,
        ),
    )
    return spent, draws, missing


def decide_run_failed(draft: Draft, command: Charge) -> Decision:
    """The run is recorded as failed and nothing is charged."""
    account = draft.account
    run = replace(command.priced.run, cost_picousd=None, lines=())
    totals = count(account.totals, key_of(run), Total(failed=1))
    entry = draft.post(
        replace(account, totals=totals),
        key=command.key,
        kind=EntryKind.RUN_FAILED,
        delta=0,
        request_hash=command.request_hash,
        run=run,
        actor=command.actor,
        metadata=command.metadata,
    )
    return draft.decide(entry)


def decide_give_back(draft: Draft, command: GiveBack) -> Decision:
    """The charge's credits are back in the grants they came from, at most once per charge.

    Credits of a grant that expired meanwhile become an adjustment grant; debt is paid first.
    Raises: InvalidError where the entry is no charge or the amount is above it.
    """
    charge = command.charge
    charged = charge.moved_microcredits
    amount = charged if command.amount_microcredits is None else command.amount_microcredits
    if charge.kind is not EntryKind.CHARGE or charge.run is None:
        raise InvalidError("key", f"names a {charge.kind} entry; only a charge can be given back")
    if amount > charged:
        raise InvalidError("amount", f"is above the {show_micro(charged)} credits that it charged")
    account, returned, held, debt = _return(draft, charge, amount)
    account = _uncount(account, charge, amount, is_void=command.kind is EntryKind.VOID)
    entry = draft.post(
        account,
        key=command.key,
        kind=command.kind,
        delta=amount,
        moved_microcredits=amount,
        request_hash=command.request_hash,
        run=replace(charge.run, lines=()),
        draws=returned,
        debt_change_microcredits=debt,
        grant=held,
        refers_to=charge.key,
        reason=command.reason,
        actor=command.actor,
    )
    return draft.decide(entry, ChargeReturned(charge.key, command.key))


def _return(
    draft: Draft, charge: Entry, amount: int
) -> tuple[Account, tuple[Draw, ...], Grant | None, int]:
    """The account with the amount back: debt first, then its grants, then a new one."""
    account = draft.account
    paid = min(account.overdraft_debt_microcredits, amount)
    stay = Stay(draft.at, account.plan.period_start_at, account.plan.period_end_at)
    grants, returned, homeless = put_back(account.grants, charge.draws, amount - paid, stay)
    life = account.lifetime
    account = replace(
        account,
        grants=grants,
        overdraft_debt_microcredits=account.overdraft_debt_microcredits - paid,
        lifetime=replace(life, spent=life.spent - amount, refunded=life.refunded + amount),
    )
    held: Grant | None = None
    if homeless:
        grant = Grant(
            id=next_grant_id(draft),
            kind=GrantKind.ADJUSTMENT,
            priority=PRIORITY[GrantKind.ADJUSTMENT],
            amount_microcredits=homeless,
            remaining_microcredits=homeless,
            effective_at=draft.at,
            expires_at=None,
        )
        account, held, _ = take_in(account, grant)
        life = account.lifetime
        # Not granted anew: these credits were granted before and come back from spent.
        account = replace(account, lifetime=replace(life, granted=life.granted - homeless))
    return account, returned, held, -paid


def _uncount(account: Account, charge: Entry, amount: int, *, is_void: bool) -> Account:
    """The counters without what was given back, each only where the charge is still in it."""
    run = charge.run
    assert run is not None, "a charge has a run"
    if is_void:
        total = total_of_charge(run, amount).minus()
    else:
        total = Total(credits_microcredits=-amount, refunded_microcredits=amount)
    in_period = charge.at >= account.plan.period_start_at
    features = dict(account.features)
    if is_void and in_period and run.feature in features:
        features[run.feature] = max(0, features[run.feature] - run.feature_count)
    return replace(
        account,
        totals=count(account.totals, key_of(run), total),
        features=features,
        windows=_shrink_windows(account, charge, amount),
    )


def _shrink_windows(account: Account, charge: Entry, amount: int) -> Windows:
    assert charge.day is not None, "a charge counts on a day"
    today, day, windows = account.today, charge.day, account.windows
    in_period = charge.at >= account.plan.period_start_at
    in_month = (day.year, day.month) == (today.year, today.month)
    return Windows(
        day=max(0, windows.day - amount) if day == today else windows.day,
        month=max(0, windows.month - amount) if in_month else windows.month,
        period=max(0, windows.period - amount) if in_period else windows.period,
    )
