"""Holds: what is set aside, that each is closed once, extending, and undoing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

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
    granted,
)
from tests.unit.holding import (
    QUARTER,
    extended,
    kinds,
    moved,
    opened,
    released,
    remaining,
    rolled,
    settled,
    with_plan,
)
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.charges import GiveBack, decide_give_back
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.errors import (
    AccountFrozenError,
    ExtendLimitError,
    HoldLimitError,
    HoldMissingError,
    InsufficientCreditsError,
    InvalidError,
)
from tollkeeper.domain.held import MOST_EXTENSIONS
from tollkeeper.domain.roll import look

EXPIRY = NOON + QUARTER


def given_back(account: Account, charge: Entry, *, at: datetime | None = None) -> Account:
    """The account after the charge was voided."""
    command = GiveBack(a_key("void"), "h", charge, EntryKind.VOID)
    return decide_give_back(draft_of(account, at), command).account


# Opening.


def test_a_hold_takes_credits_out_of_the_grants_that_a_charge_would_draw_from() -> None:
    account, _ = granted(an_account(), 3)

    account, entry = opened(account, 5)

    assert (account.available_microcredits, account.held_microcredits) == (8 * ONE, 5 * ONE)
    assert moved(entry.draws) == [("g2", 3), ("g1", 2)]
    assert (entry.kind, entry.delta_microcredits) == (EntryKind.HOLD, -5 * ONE)
    assert (entry.held_after_microcredits, entry.held_change_microcredits) == (5 * ONE, 5 * ONE)
    assert entry.key == "h#h1#open"
    assert remaining(account) == {"g2": 0, "g1": 8}, "a used-up grant waits for what returns"


def test_a_hold_spends_nothing_and_counts_no_call() -> None:
    account, entry = opened(an_account(), 5)

    assert (account.lifetime.spent, account.windows.day, account.totals) == (0, 0, {})
    assert entry.day is None


def test_exactly_what_is_there_can_be_held_and_not_a_microcredit_more() -> None:
    account, _ = opened(an_account(), 10)

    assert account.available_microcredits == 0
    with pytest.raises(InsufficientCreditsError) as refusal:
        opened(an_account(), 10.000001)
    assert refusal.value.shortfall_microcredits == 1


def test_what_is_held_is_not_there_for_anybody_else() -> None:
    account, _ = opened(an_account(), 8)

    with pytest.raises(InsufficientCreditsError) as refusal:
        charged(account, a_run("sms", quantity=3 * ONE))

    position = refusal.value.position
    assert (position.available_microcredits, position.held_microcredits) == (2 * ONE, 8 * ONE)
    assert refusal.value.detail == "sms needs 3 credits; 2 are available and 8 are held."


def test_a_hold_goes_into_overdraft_only_as_far_as_a_charge_would() -> None:
    account, entry = opened(an_account("deep"), 5)

    assert (account.available_microcredits, account.debt_microcredits) == (
        -5 * ONE,
        5 * ONE,
    )
    assert (entry.draws, entry.debt_change_microcredits) == ((), 5 * ONE)
    with pytest.raises(InsufficientCreditsError):
        opened(account, 0.000001, hold="h2")


def test_as_many_holds_are_open_as_the_plan_allows_and_the_next_is_refused() -> None:
    catalog = with_plan(open_holds=2)
    account = an_account(catalog=catalog)
    for number in range(2):
        account, _ = opened(account, 1, hold=f"h{number}", catalog=catalog)

    with pytest.raises(HoldLimitError, match="2 open holds"):
        opened(account, 1, hold="h9", catalog=catalog)
    freed, _ = released(account, "h0", catalog=catalog)
    assert len(opened(freed, 1, hold="h9", catalog=catalog)[0].holds) == 2


def test_twenty_holds_are_open_where_the_plan_says_nothing() -> None:
    account = an_account("pro")
    for number in range(20):
        account, _ = opened(account, 1, hold=f"h{number}")

    with pytest.raises(HoldLimitError):
        opened(account, 1, hold="one more")


def test_what_credits_would_help_with_is_said_before_that_too_many_are_open() -> None:
    catalog = with_plan(open_holds=1)
    account, _ = opened(an_account(catalog=catalog), 8, catalog=catalog)

    with pytest.raises(InsufficientCreditsError):
        opened(account, 8, hold="h2", catalog=catalog)


def test_a_frozen_account_opens_and_extends_no_hold_and_settles_and_releases_those_it_has() -> None:
    account, _ = opened(an_account(), 5)
    account = replace(account, status=Status.FROZEN)

    with pytest.raises(AccountFrozenError):
        opened(account, 1, hold="h2")
    with pytest.raises(AccountFrozenError):
        extended(account, QUARTER)
    assert settled(account, 5)[1].moved_microcredits == 5 * ONE
    assert released(account)[0].available_microcredits == 10 * ONE


# Once.


def test_a_hold_that_is_settled_released_or_expired_is_not_open_any_more() -> None:
    account, _ = opened(an_account(), 5)
    for closed in (settled(account, 1)[0], released(account)[0], rolled(account, EXPIRY).account):
        with pytest.raises(HoldMissingError):
            settled(closed, 1)
        with pytest.raises(HoldMissingError):
            released(closed)
        with pytest.raises(HoldMissingError):
            extended(closed, QUARTER)


def test_time_closes_a_hold_at_its_expiry_and_not_before() -> None:
    account, _ = opened(an_account(), 5)

    before = rolled(account, EXPIRY - timedelta(milliseconds=1))
    at_expiry = rolled(account, EXPIRY)

    assert (kinds(before), before.account.held_microcredits) == ([], 5 * ONE)
    assert kinds(at_expiry) == ["hold_expired"]
    (row,) = at_expiry.entries
    assert (row.key, row.delta_microcredits, row.hold) == ("h#h1#expire", 5 * ONE, "h1")
    assert at_expiry.account.available_microcredits == 10 * ONE
    assert kinds(rolled(at_expiry.account, EXPIRY + QUARTER)) == []


def test_holds_expire_in_the_order_of_their_times_and_then_of_their_ids() -> None:
    account, _ = opened(an_account(), 1, hold="b")
    account, _ = opened(account, 1, hold="a")
    account, _ = opened(account, 1, hold="c", stays=timedelta(minutes=1))

    decision = rolled(account, EXPIRY)

    assert [entry.hold for entry in decision.entries] == ["c", "a", "b"]


def test_a_release_says_why_and_gives_all_of_it_back() -> None:
    account, _ = opened(an_account(), 5)

    account, entry = released(account)

    assert (entry.kind, entry.reason, entry.key) == (
        EntryKind.RELEASE,
        "it failed",
        "h#h1#release",
    )
    assert (entry.moved_microcredits, entry.held_change_microcredits) == (5 * ONE, -5 * ONE)
    assert account.lifetime.spent == 0


# Extending.


def test_an_extension_counts_from_now_and_never_makes_a_hold_shorter() -> None:
    account, _ = opened(an_account(), 5)

    longer, entry = extended(account, timedelta(hours=1))
    same, _ = extended(account, timedelta(minutes=1))

    assert longer.holds[0].expires_at == NOON + timedelta(hours=1)
    assert entry.details == {"expires_at": "2026-11-20T13:00:00+00:00"}
    assert (entry.delta_microcredits, entry.held_after_microcredits) == (0, 5 * ONE)
    assert same.holds[0].expires_at == EXPIRY
    assert kinds(rolled(longer, EXPIRY)) == []


def test_a_hold_is_extended_ten_times_and_not_once_more() -> None:
    account, _ = opened(an_account(), 5)
    for number in range(MOST_EXTENSIONS):
        account, _ = extended(account, QUARTER, key=f"longer-{number}")

    assert MOST_EXTENSIONS == 10
    with pytest.raises(ExtendLimitError):
        extended(account, QUARTER, key="once-more")


# Undoing.


def test_a_voided_settle_leaves_everything_as_before_the_hold() -> None:
    account, _ = granted(an_account(), 3)
    before = account
    account, _ = opened(account, 5, run=a_run("call"))
    account, charge = settled(account, 4, run=a_run("call"))

    account = given_back(account, charge)

    assert remaining(account) == remaining(before)
    assert account.windows == before.windows
    assert (account.totals, account.features) == ({}, {"call": 0})
    assert account.lifetime.spent == 0


def test_a_voided_settle_above_its_hold_gives_back_what_was_charged_and_no_more() -> None:
    account, _ = opened(an_account(), 5)
    account, charge = settled(account, 13)

    account = given_back(account, charge)

    assert account.available_microcredits == 10 * ONE
    assert account.lifetime.uncollected == 3 * ONE


def test_a_hold_or_a_release_is_no_charge_that_could_be_given_back() -> None:
    account, row = opened(an_account(), 5)
    after, release = released(account)

    for entry, standing in ((row, account), (release, after)):
        with pytest.raises(InvalidError, match="only a charge"):
            given_back(standing, entry)


def test_looking_at_an_account_shows_what_time_did_to_its_holds_and_writes_nothing() -> None:
    account, _ = opened(an_account(), 5)

    seen = look(account, now=EXPIRY, catalog=CATALOG)

    assert (seen.available_microcredits, seen.holds) == (10 * ONE, ())
    assert account.held_microcredits == 5 * ONE


def test_a_settle_and_its_rows_are_one_decision() -> None:
    account, _ = opened(an_account(), 5)

    after, entry = settled(account, 3)

    assert (after.seq, after.version) == (account.seq + 1, account.version + 1)
    assert entry.seq == after.seq
    assert done(draft_of(after).decide(entry))[1] is entry
