"""Days, months and plan periods in an account's own zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tollkeeper.domain.errors import InvalidError

GRACE = timedelta(days=3)
"""How long a plan that Stripe drives goes on after what was paid for, until the next payment.

Why: a renewal's invoice is paid an hour to days after the period's end, and nobody is refused in
between.
"""


@lru_cache(maxsize=600)
def find_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises: InvalidError for `zone`."""
    try:
        # Why: names such as localtime or right/UTC are files of one machine, no zones.
        if name[:1].isupper():
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise InvalidError("zone", f"{name!r} is no IANA time zone such as Europe/Berlin")


def local_date(at: datetime, zone: str) -> date:
    """The calendar date at that moment in the zone."""
    return at.astimezone(find_zone(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The first moment of the day in the zone, in UTC, also where midnight does not exist.

    Why: at a spring gap over midnight, `fold=0` reads the missing time with the offset before
    the change, which is exactly the moment of the change.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=find_zone(zone))
    return midnight.astimezone(UTC)


def add_months(anchor: date, months: int) -> date:
    """The anchor moved by whole months; day 31 becomes the last day of a shorter month.

    Why: always counted from the original anchor, so a February does not shorten a March.
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def next_boundary(anchor: date | None, day: date) -> date:
    """The first period boundary after the day: next month's first, or the anchor's next."""
    if anchor is None:
        return add_months(day.replace(day=1), 1)
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    this_month = add_months(anchor, months)
    return this_month if this_month > day else add_months(anchor, months + 1)


def period_end(anchor: date | None, start_at: datetime, zone: str) -> datetime:
    """The moment at which a period that starts then ends."""
    return start_of_day(next_boundary(anchor, local_date(start_at, zone)), zone)


def zone_change_at(*, today: date, new_zone: str, now: datetime) -> datetime:
    """The first midnight of the new zone with a later date than the account's today.

    Why: the local day never goes back, so no day is counted twice; the current one is longer.
    """
    ahead = max(today, local_date(now, new_zone))
    return start_of_day(ahead + timedelta(days=1), new_zone)
