"""The one judgement of whether an account may spend: check, hold and deduct all ask here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.alerts import low_balance_of
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    FeatureLimitError,
    InsufficientCreditsError,
    LimitReachedError,
    Position,
)
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.offers import find_help, find_plans
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.windows import read_windows, reset_moment

WINDOW_NAMES = {"day": "daily_limit", "month": "monthly_limit"}
NEAR_PERCENT = 80
FULL_PERCENT = 100


def refuse_unable(account: Account, priced: Priced, catalog: Catalog) -> None:
    """Nothing, where the account may spend the price of the run now.

    Raises: AccountClosedError, AccountFrozenError, LimitReachedError, FeatureLimitError,
    InsufficientCreditsError.
    Why: what credits would not help with is said first, so that an offer always helps.
    """
    refuse_inactive(account)
    position = stand(account, catalog, priced.charged_microcredits)
    _refuse_run(account, priced, position, catalog)
    _refuse_feature(account, priced, position, catalog)
    _refuse_windows(account, priced, position, catalog)
    _refuse_poor(account, priced, position, catalog)


def refuse_inactive(account: Account) -> None:
    """Nothing, where the account may spend. Raises: AccountFrozenError, AccountClosedError."""
    if account.status is Status.CLOSED:
        raise AccountClosedError(f"Account {account.id} is closed.")
    if account.status is Status.FROZEN:
        raise AccountFrozenError(f"Account {account.id} is frozen; an operator can unfreeze it.")


def stand(account: Account, catalog: Catalog, required_microcredits: int) -> Position:
    """Where the account stands against that amount."""
    return Position(
        required_microcredits=required_microcredits,
        available_microcredits=account.available_microcredits,
        spendable_microcredits=account.spendable_microcredits(catalog),
        held_microcredits=account.held_microcredits,
        level="budget" if account.parent else "account",
    )


def _refuse_run(account: Account, priced: Priced, position: Position, catalog: Catalog) -> None:
    own = account.limits_in_force(catalog).run
    asked = priced.most_microcredits
    most = min((each for each in (own, asked) if each is not None), default=None)
    if most is not None and priced.charged_microcredits > most:
        raise LimitReachedError(
            f"{describe(priced)} needs {show_micro(priced.charged_microcredits)} credits; "
            f"one run may cost {show_micro(most)}{_whose(account)}.",
            position,
            blocking="per_run_max",
            limit_microcredits=most,
            spent_microcredits=0,
        )


def _refuse_feature(account: Account, priced: Priced, position: Position, catalog: Catalog) -> None:
    run = priced.run
    limit = catalog.plan(account.plan.id).features.get(run.feature)
    used = account.features.get(run.feature, 0)
    if limit is not None and used + run.feature_count > limit:
        raise FeatureLimitError(
            f"The plan {account.plan.id} allows {run.feature} {limit} times in a period; "
            f"{used} are used and this needs {run.feature_count}.",
            position,
            feature=run.feature,
            used=used,
            limit=limit,
            resets_at=reset_moment(account),
            help_=find_plans(account, priced, catalog),
        )


def _refuse_windows(account: Account, priced: Priced, position: Position, catalog: Catalog) -> None:
    held, required = position.held_microcredits, priced.charged_microcredits
    for window in read_windows(account, catalog):
        limit = window.limit_microcredits
        blocking = WINDOW_NAMES.get(window.name)
        used = window.spent_microcredits + held
        if blocking is None or limit is None or used + required <= limit or not required:
            continue
        also = f", {show_micro(held)} are held" if held else ""
        raise LimitReachedError(
            f"{describe(priced)} needs {show_micro(required)} credits; of the "
            f"{blocking.replace('_', ' ')} of {show_micro(limit)}{_whose(account)} "
            f"{show_micro(window.spent_microcredits)} are spent{also}.",
            position,
            blocking=blocking,
            limit_microcredits=limit,
            spent_microcredits=used,
            resets_at=window.resets_at,
        )


def _refuse_poor(account: Account, priced: Priced, position: Position, catalog: Catalog) -> None:
    required, spendable = position.required_microcredits, position.spendable_microcredits
    if required <= spendable:
        return
    held, owed = position.held_microcredits, account.clawback_debt_microcredits
    also = f" and {show_micro(held)} are held" if held else ""
    first = f" {show_micro(owed)} are owed for a payment that went back." if owed else ""
    missing = account.missing_microcredits(required, catalog) if owed else None
    raise InsufficientCreditsError(
        f"{describe(priced)} needs {show_micro(required)} credits; "
        f"{show_micro(position.available_microcredits)} are available{also}{_whose(account)}."
        f"{first}",
        replace(position, missing_microcredits=missing),
        blocking="debt" if owed else "balance",
        resets_at=_next_allocation(account, catalog),
        help_=find_help(account, priced, catalog),
    )


def _next_allocation(account: Account, catalog: Catalog) -> datetime | None:
    allocation = account.terms(catalog).allocation_microcredits
    return reset_moment(account) if allocation else None


def _whose(account: Account) -> str:
    """Whose limit or balance it is, where that is not plain. Why: a denial names the level."""
    return f" in the budget {account.id} of {account.parent}" if account.parent else ""


def describe(priced: Priced) -> str:
    """What the run is, for people."""
    run = priced.run
    if run.model and run.pools is not None:
        return f"{run.model} for {run.pools.total():,} tokens"
    return f"{run.operation} with {run.model}" if run.model else run.operation


def find_warnings(account: Account, priced: Priced, catalog: Catalog) -> tuple[str, ...]:
    """What the caller should know beside the amount: the usage's oddities, then the account's."""
    return (*priced.run.warnings, *account_warnings(account, catalog))


def account_warnings(account: Account, catalog: Catalog) -> tuple[str, ...]:
    """A low balance, and spend limits that are nearly or wholly used."""
    is_low = account.available_microcredits <= low_balance_of(account, catalog)
    codes = ["low_balance"] if is_low else []
    limits = account.limits_in_force(catalog)
    if limits.day is None and limits.month is None:
        return tuple(codes)
    for window in read_windows(account, catalog):
        name = WINDOW_NAMES.get(window.name)
        percent = window.percent(account.held_microcredits)
        if name and percent is not None and percent >= NEAR_PERCENT:
            codes.append(f"{name}_{'reached' if percent >= FULL_PERCENT else 'near'}")
    return tuple(codes)
