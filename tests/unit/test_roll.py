"""Time happens at the next touch: in order, once, and in slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    a_run,
    an_account,
    charged,
    draft_of,
    granted,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.roll import (
    DAY,
    EXPIRE,
    MOST_MOMENTS_PER_SLICE,
    RESET,
    START,
    Moment,
    begin,
    look,
    next_moment,
    roll,
)
from tollkeeper.domain.windows import day_end, month_end

A_DAY = timedelta(days=1)
TICK = timedelta(milliseconds=1)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def rolled(account: Account, at: datetime) -> Draft:
    """The draft of the account at that moment."""
    return draft_of(account, at)


def kinds(draft: Draft) -> list[str]:
    """The rows that the draft wrote, in order."""
    return [entry.kind.value for entry in draft.entries]


def test_an_account_opens_on_the_default_plan_with_its_allocation() -> None:
    draft, is_rolled = begin(None, ACCOUNT, now=NOON, catalog=CATALOG)

    account = draft.account
    assert is_rolled
    assert (account.plan.id, account.zone, account.today) == ("free", "UTC", date(2026, 11, 20))
    assert account.available_microcredits == 10 * ONE
    assert (account.plan.period_start_at, account.plan.period_end_at) == (NOON, DECEMBER)
    assert [e.key for e in draft.entries] == ["t#reset:1:2026-11-20T12:00:00.000000Z"]


@pytest.mark.parametrize(("plan", "credits"), [("free", 10), ("pro", 50), ("month", 20)])
def test_s2_18_p1_a_plan_allocates_its_credits(plan: str, credits: int) -> None:
    assert an_account(plan).available_microcredits == credits * ONE


def test_a_plan_without_an_allocation_opens_without_a_grant() -> None:
    assert (an_account("deep").grants, an_account("deep").seq) == ((), 1)


def test_s2_18_p6_remaining_is_the_allocation_less_what_was_used() -> None:
    account, _ = charged(an_account("pro"), a_run("sms", quantity=13 * ONE))

    (grant,) = account.grants
    assert grant.amount_microcredits - account.windows.period == grant.remaining_microcredits
    assert grant.remaining_microcredits == 37 * ONE


def test_nothing_happens_before_its_moment() -> None:
    draft = rolled(an_account(), DECEMBER - TICK)

    assert (kinds(draft), draft.account.rolled_to) == ([], DECEMBER - TICK)


def test_s2_09_at_its_moment_the_period_resets_and_the_rest_expires() -> None:
    account, _ = charged(an_account(), a_run("call", quantity=3 * ONE))

    draft = rolled(account, DECEMBER)

    assert kinds(draft) == ["reset", "expire"]
    assert [e.delta_microcredits // ONE for e in draft.entries] == [10, -7]
    assert draft.account.available_microcredits == 10 * ONE
    assert (draft.account.features, draft.account.windows.period) == ({}, 0)
    assert draft.entries[0].key == "t#reset:1:2026-12-01T00:00:00.000000Z"
    assert draft.entries[1].key == "t#expire:g1"


def test_rows_of_time_have_the_time_of_their_moment() -> None:
    draft = rolled(an_account(), DECEMBER + 5 * A_DAY)

    assert {entry.at for entry in draft.entries} == {DECEMBER}
    assert draft.at == DECEMBER + 5 * A_DAY


def test_rolling_twice_is_rolling_once() -> None:
    once = rolled(an_account(), DECEMBER).decide(None).account

    again = rolled(once, DECEMBER)

    assert (kinds(again), replace(again.account, version=once.version)) == ([], once)


def test_rolling_in_two_steps_is_rolling_in_one() -> None:
    account, _ = charged(an_account("keep", zone="Europe/Berlin"), a_run())
    half = rolled(account, DECEMBER + 9 * A_DAY).account

    assert rolled(half, DECEMBER + 99 * A_DAY).account == (
        rolled(account, DECEMBER + 99 * A_DAY).account
    )


def test_a_clock_that_is_behind_moves_no_time_back() -> None:
    account = rolled(an_account(), DECEMBER).account

    draft, _ = begin(account, ACCOUNT, now=NOON, catalog=CATALOG)

    assert (draft.at, draft.account) == (DECEMBER, account)


def test_at_one_moment_the_day_closes_the_period_resets_grants_expire_then_start() -> None:
    account, _ = granted(an_account(), 2, lasts=DECEMBER - NOON)
    account, _ = granted(account, 3, key="later", starts_in=DECEMBER - NOON)
    account, _ = charged(account, a_run(), at=DECEMBER - TICK)
    assert sorted([DAY, RESET, EXPIRE, START]) == [DAY, RESET, EXPIRE, START]
    assert next_moment(account) == Moment(DECEMBER, DAY)

    draft = rolled(account, DECEMBER)

    assert [d.day for d in draft.days] == [date(2026, 11, 30)]
    assert kinds(draft) == ["reset", "expire", "expire", "grant"]
    assert [e.key for e in draft.entries[1:]] == ["t#expire:g1", "t#expire:g2", "t#start:g3"]


def test_at_one_moment_older_grants_go_first() -> None:
    grants = tuple(a_grant(n, 1, expires_at=DECEMBER) for n in (10, 9, 2))
    account = replace(an_account("deep"), grants=grants)
    account = replace(account, lifetime=replace(account.lifetime, granted=3 * ONE))

    expired = [e.key for e in rolled(account, DECEMBER).entries if e.kind is EntryKind.EXPIRE]

    assert expired == ["t#expire:g2", "t#expire:g9", "t#expire:g10"]


def test_a_grant_that_starts_later_counts_from_its_moment() -> None:
    account, entry = granted(an_account("deep"), 3, starts_in=A_DAY, lasts=A_DAY)
    assert (entry.delta_microcredits, entry.moved_microcredits) == (0, 3 * ONE)
    assert account.lifetime.granted == 0

    started = rolled(account, NOON + A_DAY)
    gone = rolled(account, NOON + 2 * A_DAY)

    assert [e.key for e in started.entries] == ["t#start:g2"]
    assert started.account.available_microcredits == started.account.lifetime.granted == 3 * ONE
    assert (kinds(gone), gone.account.available_microcredits) == (["grant", "expire"], 0)


def test_a_grant_that_starts_pays_debt_first() -> None:
    account, _ = granted(an_account("deep"), 3, starts_in=A_DAY)
    account, _ = charged(account, a_run("sms", quantity=2 * ONE))

    draft = rolled(account, NOON + A_DAY)

    assert draft.account.debt_microcredits == 0
    assert draft.account.available_microcredits == ONE
    assert draft.entries[-1].debt_change_microcredits == -2 * ONE


def test_a_rollover_is_explained_by_the_reset_that_took_it() -> None:
    account, _ = charged(an_account("keep"), a_run("sms", quantity=4 * ONE))

    draft = rolled(account, DECEMBER)

    (reset,) = draft.entries
    assert (reset.delta_microcredits, reset.moved_microcredits) == (10 * ONE, 10 * ONE)
    assert [(d.grant.id, d.amount_microcredits) for d in reset.draws] == [("g1", 6 * ONE)]
    assert reset.grant is not None and reset.grant.remaining_microcredits == 16 * ONE
    assert reset.details["rolled_over_microcredits"] == str(6 * ONE)
    assert draft.account.lifetime.granted == 20 * ONE


def test_a_removed_plan_ends_with_its_period_and_the_default_follows() -> None:
    account = an_account("pro")
    catalog = replace(CATALOG, plans={k: v for k, v in CATALOG.plans.items() if k != "pro"})

    draft = draft_of(account, DECEMBER, catalog)

    assert (draft.account.plan.id, draft.account.plan.generation) == ("free", 2)
    assert draft.account.available_microcredits == 10 * ONE


def test_an_allocation_that_the_operator_changed_begins_with_the_next_period() -> None:
    account = an_account()
    plans = {**CATALOG.plans, "free": replace(CATALOG.plans["free"], allocation_microcredits=ONE)}
    catalog = replace(CATALOG, plans=plans)

    assert look(account, now=NOON + A_DAY, catalog=catalog).available_microcredits == 10 * ONE
    assert look(account, now=DECEMBER, catalog=catalog).available_microcredits == ONE


# Days.


def test_a_day_with_runs_closes_once_and_an_empty_one_never() -> None:
    account, _ = charged(an_account(), a_run())

    draft = rolled(account, NOON + 3 * A_DAY)
    later = rolled(draft.account, NOON + 6 * A_DAY)

    assert [d.day for d in draft.days] == [date(2026, 11, 20)]
    assert draft.days[0].totals == account.totals
    assert (draft.account.today, draft.account.totals) == (date(2026, 11, 23), {})
    assert (later.days, later.account.today) == ([], date(2026, 11, 26))


def test_windows_of_day_and_month_turn_with_the_local_date() -> None:
    account, _ = charged(an_account("pro", zone="Asia/Tokyo"), a_run())
    midnight = datetime(2026, 11, 20, 15, tzinfo=UTC)

    assert day_end(account) == midnight
    assert month_end(account) == datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert look(account, now=midnight - TICK, catalog=CATALOG).windows.day == ONE
    assert look(account, now=midnight, catalog=CATALOG).windows.day == 0
    assert look(account, now=midnight, catalog=CATALOG).windows.month == ONE
    assert look(account, now=month_end(account) - TICK, catalog=CATALOG).windows.month == ONE
    assert look(account, now=month_end(account), catalog=CATALOG).windows.month == 0


def test_the_same_month_of_another_year_is_another_month() -> None:
    account, _ = charged(an_account(), a_run())

    assert look(account, now=NOON + 365 * A_DAY, catalog=CATALOG).windows.month == 0


def test_a_date_that_comes_twice_does_not_take_the_day_back() -> None:
    # At 00:01 the clocks of St. John's went back to 23:01 of the day before.
    account = an_account(at=datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC), zone="America/St_Johns")

    later = look(account, now=datetime(2010, 11, 7, 2, 40, tzinfo=UTC), catalog=CATALOG)

    assert account.today == later.today == date(2010, 11, 7)


def test_a_day_that_is_empty_is_not_due() -> None:
    account = an_account()
    assert next_moment(account).rank == RESET

    account, _ = charged(account, a_run())

    assert (next_moment(account).rank, next_moment(account).at) == (DAY, day_end(account))


# Slices.


def test_a_slice_takes_forty_moments_and_leaves_a_sound_account() -> None:
    account, _ = charged(an_account("keep"), a_run())
    now = NOON + 3660 * A_DAY
    draft, is_rolled = begin(account, ACCOUNT, now=now, catalog=CATALOG)

    decision = draft.decide(None)

    assert not is_rolled
    assert len(decision.entries) + len(decision.days) == MOST_MOMENTS_PER_SLICE == 40
    assert decision.account.rolled_to == decision.entries[-1].at < now
    assert decision.account.available_microcredits == (9 + 39 * 10) * ONE


def test_slices_in_a_row_lead_where_a_look_does() -> None:
    account, _ = charged(an_account(), a_run())
    now, slices = NOON + 3660 * A_DAY, 0
    seen = look(account, now=now, catalog=CATALOG)
    is_rolled = False
    while not is_rolled:
        draft, is_rolled = begin(account, ACCOUNT, now=now, catalog=CATALOG)
        account, slices = draft.decide(None).account, slices + 1

    assert replace(account, version=seen.version) == seen
    # 120 months and a third of one: a reset and an expiry each, and a day.
    assert slices == 1 + (2 * 120 + 1) // 40


def test_a_look_writes_nothing() -> None:
    account = an_account()
    before = replace(account)

    look(account, now=NOON + 999 * A_DAY, catalog=CATALOG)

    assert account == before


def test_the_command_goes_with_the_last_slice() -> None:
    account, _ = charged(an_account(), a_run())
    draft = rolled(account, DECEMBER)

    decision = decide_charge(draft, Charge(a_key("k2"), "h", a_run()), CATALOG)

    assert [e.kind for e in decision.entries] == [
        EntryKind.RESET,
        EntryKind.EXPIRE,
        EntryKind.CHARGE,
    ]
    assert [e.seq for e in decision.entries] == [3, 4, 5]
    assert decision.answer is decision.entries[-1]
    assert decision.account.version == account.version + 1


def test_no_roll_ever_stands_still() -> None:
    account = an_account("month", at=datetime(2028, 1, 31, 9, tzinfo=UTC), zone="Africa/Cairo")
    draft = Draft(account, account, account.rolled_to, CATALOG)
    while not roll(draft, datetime(2098, 1, 1, tzinfo=UTC), CATALOG):
        pass

    starts = [e.at for e in draft.entries if e.kind is EntryKind.RESET]
    assert len(starts) == 70 * 12 - 1
    assert all(later - earlier >= 27 * A_DAY for earlier, later in pairwise(starts))
    assert draft.account.grants[0].kind is GrantKind.PLAN
