"""Channels and news: the last entry of an account, on a channel that changes every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind
from tollkeeper.domain.live import (
    CHANNEL,
    OVERLAP_S,
    SPAN_S,
    News,
    channels_at,
    latest_news,
    moves_on_at,
)

HOUR = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT = AccountId("user_1")
MOMENTS = st.integers(0, 3_600_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


def charge_entry(account: str, seq: int, left: int) -> Entry:
    """A charge of one credit that left so many."""
    return Entry(
        account=AccountId(account),
        key=EntryKey(f"c#{seq}"),
        seq=seq,
        kind=EntryKind.CHARGE,
        at=HOUR,
        delta_microcredits=-1_000_000,
        available_after_microcredits=left * 1_000_000,
    )


IDS = st.from_regex(r"\A[A-Za-z0-9_.:@|-]{1,128}\Z").map(AccountId)


@given(IDS, MOMENTS)
def test_a_channel_has_the_services_form_and_hides_the_id(
    account: AccountId, now: datetime
) -> None:
    for channel in channels_at(account, now):
        assert CHANNEL.fullmatch(channel)
        assert account not in channel or len(account) < 4


@given(IDS, IDS, MOMENTS)
def test_two_accounts_never_share_a_channel(one: AccountId, two: AccountId, now: datetime) -> None:
    shared = set(channels_at(one, now)) & set(channels_at(two, now))

    assert bool(shared) == (one == two)


def test_the_channel_is_another_one_every_hour_and_the_last_one_is_told_for_two_minutes() -> None:
    before = channels_at(ACCOUNT, HOUR - timedelta(seconds=1))
    at = channels_at(ACCOUNT, HOUR)
    late = channels_at(ACCOUNT, HOUR + timedelta(seconds=OVERLAP_S))

    assert len(before) == 1
    assert at == (late[0], before[0])
    assert late == channels_at(ACCOUNT, HOUR + timedelta(seconds=SPAN_S - 1))
    assert set(late).isdisjoint(before)


@given(IDS, MOMENTS)
def test_who_moves_on_in_time_misses_nothing(account: AccountId, now: datetime) -> None:
    """The channel that was given is told until the listener left, and the next one before."""
    given_now = channels_at(account, now)[0]
    leaves_at = moves_on_at(account, now)
    lagging = leaves_at + timedelta(seconds=15)

    assert now < leaves_at <= now + timedelta(seconds=SPAN_S + OVERLAP_S)
    assert given_now in channels_at(account, leaves_at)
    assert given_now in channels_at(account, lagging)
    assert channels_at(account, leaves_at)[0] != given_now


def test_accounts_do_not_all_move_on_at_once() -> None:
    seconds = {moves_on_at(AccountId(f"user_{n}"), HOUR).second for n in range(200)}

    assert len(seconds) > 40


def test_the_news_is_that_of_the_last_entry_whatever_the_order() -> None:
    rows = [charge_entry("a", 2, 98), charge_entry("a", 3, 97), charge_entry("b", 9, 1)]

    for order in (rows, rows[::-1]):
        assert sorted(latest_news(order), key=lambda news: news.account) == [
            News(AccountId("a"), 97_000_000, 3, "charge"),
            News(AccountId("b"), 1_000_000, 9, "charge"),
        ]


@pytest.mark.parametrize(
    "text",
    ["/accounts/*", "/accounts", "/accounts/" + "g" * 40, "/other/" + "0" * 40, "/accounts/a/b"],
)
def test_a_pattern_is_no_channel(text: str) -> None:
    assert CHANNEL.fullmatch(text) is None
