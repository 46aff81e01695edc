"""The windows that spending is counted in: when they end, and how full they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.periods import find_zone, next_boundary, start_of_day


def day_end(account: Account) -> datetime:
    """The moment at which the account's local day ends; a change of zone moves it."""
    if account.next_zone_at is not None:
        return account.next_zone_at
    return start_of_day(account.today.fromordinal(account.today.toordinal() + 1), account.zone)


def month_end(account: Account) -> datetime:
    """The moment at which the account's local month ends."""
    return start_of_day(next_boundary(None, account.today), account.zone)


def paid_until(account: Account) -> datetime:
    """When the plan's period ends, or what is paid for, on the clock of the account's zone."""
    return account.plan.shown_end_at.astimezone(find_zone(account.zone))


def reset_moment(account: Account) -> datetime:
    """When the period's counters begin anew at the latest, on the clock of the account's zone.

    Why: once what was paid for is over, only the end of the days of grace is certain.
    """
    plan = account.plan
    is_over = plan.shown_end_at <= account.rolled_to
    end_at = plan.period_end_at if is_over else plan.shown_end_at
    return end_at.astimezone(find_zone(account.zone))


@dataclass(frozen=True, slots=True)
class Window:
    """One window as it is now. Units: micro-credits; `limit_microcredits` None is no limit.

    The plan period's limit is its allocation, which nothing refuses: packs go further.
    """

    name: str
    spent_microcredits: int
    limit_microcredits: int | None
    resets_at: datetime

    def percent(self, also_microcredits: int = 0) -> int | None:
        """How much of the limit is used, rounded down; None without a limit."""
        if not self.limit_microcredits:
            return None
        return (self.spent_microcredits + also_microcredits) * 100 // self.limit_microcredits


def read_windows(account: Account, catalog: Catalog) -> tuple[Window, ...]:
    """Day, month and plan period, each with its reset in the account's zone."""
    zone = find_zone(account.zone)
    limits = account.limits_in_force(catalog)
    spent = account.windows
    allocation = account.terms(catalog).allocation_microcredits
    return (
        Window("day", spent.day, limits.day, day_end(account).astimezone(zone)),
        Window("month", spent.month, limits.month, month_end(account).astimezone(zone)),
        Window("period", spent.period, allocation or None, reset_moment(account)),
    )
