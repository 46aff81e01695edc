"""A change of zone never counts a day twice; a change of standing is what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.building import (
    CATALOG,
    NOON,
    ONE,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
)
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.operating import (
    ChangeProfile,
    ChangeStanding,
    decide_profile_change,
    decide_standing,
    has_profile,
)
from tollkeeper.domain.roll import look

A_DAY = timedelta(days=1)


def profile(account: Account, at: datetime | None = None, **members: str) -> Account:
    """The account after a change of profile."""
    command = ChangeProfile(a_key("z"), "h", "", **members)
    return done(decide_profile_change(draft_of(account, at), command))[0]


def test_a_name_is_kept_and_noted() -> None:
    account = profile(an_account(), name="Ada")

    assert (account.name, account.zone, account.seq) == ("Ada", "UTC", 2)


def test_a_zone_waits_for_its_first_midnight_with_a_later_date() -> None:
    account = profile(an_account(), zone="Asia/Tokyo")
    midnight = datetime(2026, 11, 21, 15, tzinfo=UTC)

    assert (account.zone, account.next_zone, account.next_zone_at) == (
        "UTC",
        "Asia/Tokyo",
        datetime(2026, 11, 20, 15, tzinfo=UTC),
    )
    moved = look(account, now=midnight, catalog=CATALOG)
    assert (moved.zone, moved.next_zone, moved.today) == ("Asia/Tokyo", "", date(2026, 11, 22))


def test_a_new_zone_keeps_the_date_on_which_the_period_ends() -> None:
    account = profile(an_account(), zone="America/Los_Angeles")

    moved = look(account, now=NOON + 2 * A_DAY, catalog=CATALOG)

    assert moved.plan.period_end_at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert moved.plan.generation == 2
    assert [g.expires_at for g in moved.grants] == [moved.plan.period_end_at]


def test_a_zone_far_to_the_east_ends_a_period_at_once_and_never_in_the_past() -> None:
    start = datetime(2026, 11, 30, 10, 30, tzinfo=UTC)  # 23:30 on the 29th, 00:30 on the 1st
    account = profile(an_account(at=start, zone="Pacific/Pago_Pago"), zone="Pacific/Kiritimati")

    moved = look(account, now=start + 3 * A_DAY, catalog=CATALOG)

    assert moved.plan.period_start_at == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert moved.plan.period_end_at == datetime(2026, 12, 31, 10, tzinfo=UTC)
    assert moved.available_microcredits == 10 * ONE


def test_asking_for_the_current_zone_takes_a_waiting_one_back() -> None:
    account = profile(profile(an_account(), zone="Asia/Tokyo"), zone="UTC")

    assert (account.next_zone, account.next_zone_at) == ("", None)


def test_while_a_zone_waits_even_an_empty_day_goes_on() -> None:
    start = datetime(2026, 11, 20, 20, tzinfo=UTC)  # the 21st in Tokyo, the 20th in Los Angeles
    account = profile(an_account(at=start, zone="Asia/Tokyo"), zone="America/Los_Angeles")

    waiting = look(account, now=start + A_DAY, catalog=CATALOG)

    assert (waiting.zone, waiting.today) == ("Asia/Tokyo", date(2026, 11, 21))


def test_a_day_that_a_taken_back_zone_held_up_closes_once() -> None:
    account = profile(an_account(), zone="America/Los_Angeles")
    account, _ = charged(account, a_run())
    night = datetime(2026, 11, 21, 7, 59, tzinfo=UTC)  # the 20th goes on until 08:00
    account = profile(account, night, zone="UTC")

    draft = draft_of(account, night + timedelta(minutes=1))

    assert [d.day for d in draft.days] == [date(2026, 11, 20)]
    assert draft.account.today == date(2026, 11, 21)
    assert draft.account.rolled_to > account.rolled_to == night


@pytest.mark.parametrize(
    ("zone", "name", "is_same"),
    [
        (None, "Ada", True),
        ("Asia/Tokyo", None, True),
        ("Asia/Tokyo", "Ada", True),
        ("UTC", None, False),
        ("Asia/Tokyo", "Bob", False),
        (None, "", False),
    ],
)
def test_a_profile_that_is_set_or_waits_is_recognised(
    zone: str | None, name: str | None, is_same: bool
) -> None:
    account = profile(an_account(), zone="Asia/Tokyo", name="Ada")

    assert has_profile(account, ChangeProfile(a_key(), "h", "", zone=zone, name=name)) is is_same


def test_a_zone_that_does_not_exist_changes_nothing() -> None:
    with pytest.raises(InvalidError, match="IANA"):
        profile(an_account(), zone="Mars/Olympus", name="Ada")


# Standing.


def stand(account: Account, kind: EntryKind) -> Account:
    """The account after the change of standing."""
    return done(decide_standing(draft_of(account), ChangeStanding(a_key("s"), "h", "", kind=kind)))[
        0
    ]


def test_an_account_is_frozen_and_active_again() -> None:
    frozen = stand(an_account(), EntryKind.FREEZE)

    assert (frozen.status, frozen.available_microcredits) == (Status.FROZEN, 10 * ONE)
    assert stand(frozen, EntryKind.UNFREEZE).status is Status.ACTIVE


def test_closed_is_for_good() -> None:
    closed = stand(an_account(), EntryKind.CLOSE)

    for kind in (EntryKind.FREEZE, EntryKind.UNFREEZE):
        with pytest.raises(InvalidError, match="closed for good"):
            stand(closed, kind)
    assert closed.status is Status.CLOSED
