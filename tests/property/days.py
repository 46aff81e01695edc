"""The model's calendar: it walks from day to day and looks at wall clocks, and computes nothing."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=100_000)
def local_day(at: int, zone: str) -> int:
    """The ordinal of the date on a wall clock of the zone."""
    return datetime.fromtimestamp(at // 1000, tz=ZoneInfo(zone)).toordinal()


@lru_cache(maxsize=100_000)
def midnight(day: int, zone: str) -> int:
    """The first moment at which a wall clock of the zone shows that date or a later one."""
    noon = int(datetime.combine(date.fromordinal(day), datetime.min.time(), UTC).timestamp())
    low, high = noon - 40 * 3600, noon + 40 * 3600
    while high - low > 1:
        middle = (low + high) // 2
        if local_day(middle * 1000, zone) >= day:
            high = middle
        else:
            low = middle
    return high * 1000


def is_boundary(day: int, anchor: int | None) -> bool:
    """A period begins on this date: the first, or the anchor's day as far as the month has it."""
    when = date.fromordinal(day)
    if anchor is None:
        return when.day == 1
    wanted = date.fromordinal(anchor).day
    return when.day == min(wanted, monthrange(when.year, when.month)[1])


def period_end(start: int, anchor: int | None, zone: str) -> int:
    """Walk along the calendar, a day at a time, to the next boundary."""
    day = local_day(start, zone) + 1
    while not is_boundary(day, anchor):
        day += 1
    return midnight(day, zone)
