"""Days, months and periods turn on wall clocks, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.periods import (
    add_months,
    find_zone,
    local_date,
    next_boundary,
    period_end,
    start_of_day,
    zone_change_at,
)


def utc(text: str) -> datetime:
    """The moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "UTC\0", "é", "localtime"],
)
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidError, match="no IANA time zone") as refusal:
        find_zone(name)

    assert refusal.value.problems[0][0] == "zone"


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5"])
def test_a_zone_is_found_by_its_iana_name(name: str) -> None:
    assert str(find_zone(name)) == name


def test_the_date_is_that_of_the_wall_clock() -> None:
    moment = utc("2026-11-20T15:30")

    assert local_date(moment, "Asia/Tokyo") == date(2026, 11, 21)
    assert local_date(moment, "America/Los_Angeles") == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("day", "zone", "moment"),
    [
        (date(2026, 11, 20), "UTC", "2026-11-20T00:00"),
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00"),
        (date(2026, 3, 30), "Europe/Berlin", "2026-03-29T22:00"),
        (date(2026, 10, 26), "Europe/Berlin", "2026-10-25T23:00"),
        (date(2027, 3, 14), "America/Havana", "2027-03-14T05:00"),  # begins at 01:00
        (date(2026, 11, 1), "America/Havana", "2026-11-01T04:00"),  # has 00:00 twice: the first
        (date(2026, 4, 24), "Africa/Cairo", "2026-04-23T22:00"),  # begins at 01:00
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00"),  # the day before did not exist
    ],
)
def test_a_day_begins_at_its_first_moment(day: date, zone: str, moment: str) -> None:
    begins = start_of_day(day, zone)

    assert begins == utc(moment)
    assert local_date(begins, zone) == day
    assert local_date(begins - timedelta(milliseconds=1), zone) < day


@pytest.mark.parametrize(
    ("anchor", "months", "day"),
    [
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 1, 31), 2, date(2027, 3, 31)),
        (date(2027, 1, 31), 3, date(2027, 4, 30)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_are_counted_from_the_anchor_and_clamped(
    anchor: date, months: int, day: date
) -> None:
    assert add_months(anchor, months) == day


@pytest.mark.parametrize(
    ("anchor", "day", "boundary"),
    [
        (None, date(2026, 11, 20), date(2026, 12, 1)),
        (None, date(2026, 12, 1), date(2027, 1, 1)),
        (None, date(2026, 12, 31), date(2027, 1, 1)),
        (date(2028, 1, 31), date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 1, 31), date(2028, 2, 28), date(2028, 2, 29)),
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)),
        (date(2028, 1, 31), date(2029, 2, 28), date(2029, 3, 31)),
        (date(2026, 1, 15), date(2026, 11, 14), date(2026, 11, 15)),
        (date(2026, 1, 15), date(2026, 11, 15), date(2026, 12, 15)),
        (date(2027, 6, 10), date(2026, 11, 20), date(2026, 12, 10)),
    ],
)
def test_the_next_boundary_is_later_than_the_day(
    anchor: date | None, day: date, boundary: date
) -> None:
    assert next_boundary(anchor, day) == boundary


def test_the_boundaries_of_an_anchor_are_one_a_month_for_years() -> None:
    day = date(2026, 1, 31)
    found: list[date] = []
    for _ in range(48):
        day = next_boundary(date(2026, 1, 31), day)
        found.append(day)

    assert len({(d.year, d.month) for d in found}) == 48
    assert [d.day for d in found[:4]] == [28, 31, 30, 31]
    assert found[24].isoformat() == "2028-02-29"


def test_a_period_ends_at_midnight_of_the_zone() -> None:
    start = utc("2026-11-20T12:00")

    assert period_end(None, start, "Europe/Berlin") == utc("2026-11-30T23:00")
    assert period_end(None, start, "America/Los_Angeles") == utc("2026-12-01T08:00")
    assert period_end(date(2026, 11, 20), start, "Asia/Tokyo") == utc("2026-12-19T15:00")


def test_a_period_that_starts_on_its_boundary_is_a_whole_one() -> None:
    assert period_end(None, utc("2026-12-01T00:00"), "UTC") == utc("2027-01-01T00:00")


@pytest.mark.parametrize(
    ("today", "zone", "now", "moment"),
    [
        # from Tokyo, on the 21st there: Los Angeles' first later date is the 22nd
        (date(2026, 11, 21), "America/Los_Angeles", "2026-11-20T20:00", "2026-11-22T08:00"),
        # from Los Angeles, on the 20th there: it is the 21st in Tokyo already, so the 22nd
        (date(2026, 11, 20), "Asia/Tokyo", "2026-11-20T20:00", "2026-11-21T15:00"),
        # the same date in both: the next midnight
        (date(2026, 11, 20), "Europe/Berlin", "2026-11-20T12:00", "2026-11-20T23:00"),
        # a quarter before midnight there
        (date(2026, 11, 20), "Europe/Berlin", "2026-11-20T22:45", "2026-11-20T23:00"),
        # a quarter after
        (date(2026, 11, 20), "Europe/Berlin", "2026-11-20T23:15", "2026-11-21T23:00"),
    ],
)
def test_a_zone_begins_at_its_first_midnight_with_a_later_date(
    today: date, zone: str, now: str, moment: str
) -> None:
    at = zone_change_at(today=today, new_zone=zone, now=utc(now))

    assert at == utc(moment)
    assert at > utc(now)
    assert local_date(at, zone) > today
