"""Alerts: a threshold is said once per crossing and window, by the row that crossed it."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.account import Account, Rung, Status
from tollkeeper.domain.catalog import Catalog

FULL = 100
LEFT_AGAIN = 101
LOW_BALANCE = "low_balance"
RECOVERED = ":recovered"
TOP_UP = "top_up"


def ring(
    account: Account, catalog: Catalog, *, is_lower: bool = False
) -> tuple[Account, tuple[str, ...]]:
    """The account with its crossings noted, and the alerts that these are.

    A low balance rings when it is crossed and again, as recovered, when it is left; held credits
    count as there, so that a hold that is released rings nothing. A window's threshold rings once
    in that window, by what was spent in it; a full one that is left again says so once. A top-up
    is asked for by each row that lowers the balance (`is_lower`) below where it is wanted. A
    closed account rings nothing: it is empty on purpose, and nobody is to top it up.
    Why: in the transaction of the row, so that no alert is lost or said twice.
    """
    if account.status is Status.CLOSED:
        return account, ()
    rung, codes = _ring_balance(account, catalog)
    limits = account.limits_in_force(catalog)
    allocation = account.terms(catalog).allocation_microcredits
    spent, thresholds = account.windows, thresholds_of(account, catalog)
    full = (
        ("day", spent.day, limits.day, rung.day),
        ("month", spent.month, limits.month, rung.month),
        ("period", spent.period, allocation, rung.period),
    )
    for name, amount, limit, before in full:
        after, crossed = _ring_window(amount, limit, before=before, thresholds=thresholds)
        if after != before:
            rung = replace(rung, **{name: after})
            codes += tuple(f"{name}{each}" for each in crossed)
    if is_lower and _is_top_up_due(account):
        codes += (TOP_UP,)
    return (account if rung == account.rung else replace(account, rung=rung)), codes


def _is_top_up_due(account: Account) -> bool:
    """Why: a frozen account cannot spend, so nobody's card is charged for it."""
    below = account.top_up_below_microcredits
    is_active = account.status is Status.ACTIVE
    return is_active and below is not None and account.available_microcredits < below


def thresholds_of(account: Account, catalog: Catalog) -> tuple[int, ...]:
    """The percentages of a window that ring for this account."""
    own = account.limits.thresholds
    return catalog.alert_thresholds if own is None else own


def low_balance_of(account: Account, catalog: Catalog) -> int:
    """The balance at which this account is low. Units: micro-credits."""
    own = account.limits.low_balance_microcredits
    return catalog.low_balance_microcredits if own is None else own


def _ring_balance(account: Account, catalog: Catalog) -> tuple[Rung, tuple[str, ...]]:
    """Why: an account that was never above its low balance has not crossed it."""
    balance = account.available_microcredits + account.held_microcredits
    is_low = balance <= low_balance_of(account, catalog)
    rung = account.rung
    if rung.is_low is None:
        return (rung if is_low else replace(rung, is_low=False)), ()
    if is_low == rung.is_low:
        return rung, ()
    return replace(rung, is_low=is_low), (LOW_BALANCE if is_low else LOW_BALANCE + RECOVERED,)


def _ring_window(
    spent: int, limit: int | None, *, before: int, thresholds: tuple[int, ...]
) -> tuple[int, tuple[str, ...]]:
    if not limit:
        return before, ()
    percent = spent * 100 // limit
    crossed = tuple(each for each in thresholds if before < each <= percent)
    if crossed:
        return crossed[-1], tuple(f":{each}" for each in crossed)
    if before == FULL and percent < FULL:
        return LEFT_AGAIN, (RECOVERED,)
    return before, ()
