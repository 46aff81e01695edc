"""A bug of ours stops before it is written: what an account and its rows can never be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.building import (
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    an_account,
    draft_of,
)
from tollkeeper.domain.account import Account, Lifetime
from tollkeeper.domain.draft import Draft, assert_sound
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.money import LARGEST_MICROCREDITS

HELD = replace(an_account("deep"), grants=(a_grant(1, 7), a_grant(2, 3)))
SOUND = replace(HELD, lifetime=Lifetime(granted=10 * ONE))
OWING = replace(HELD, grants=(), debt_microcredits=ONE, lifetime=Lifetime(spent=ONE))
MOST = 1000 * LARGEST_MICROCREDITS


def with_plan(account: Account, **changes: Any) -> Account:
    """The account with its plan's state changed."""
    return replace(account, plan=replace(account.plan, **changes))


def of_lifetime(**counted: int) -> Account:
    """An account that holds ten credits, with these counters."""
    return replace(HELD, lifetime=Lifetime(**counted))


@pytest.mark.parametrize(
    "account",
    [
        SOUND,
        of_lifetime(granted=16 * ONE, spent=ONE, expired=2 * ONE, adjusted_down=3 * ONE),
        OWING,
        replace(OWING, clawback_debt_microcredits=ONE),
        of_lifetime(granted=12 * ONE, clawed_back=2 * ONE),
        replace(SOUND, grants=(*SOUND.grants, a_grant(3, 0))),
        of_lifetime(granted=MOST, spent=MOST - 10 * ONE),
        with_plan(SOUND, period_start_at=NOON, period_end_at=NOON),
    ],
    ids=[
        "held",
        "gone",
        "in debt",
        "owing for money",
        "clawed back",
        "empty grant",
        "largest",
        "period of no length",
    ],
)
def test_an_account_whose_numbers_agree_is_sound(account: Account) -> None:
    assert_sound(account)


@pytest.mark.parametrize(
    "account",
    [
        of_lifetime(granted=10 * ONE + 1),
        of_lifetime(granted=11 * ONE, spent=ONE, expired=ONE),
        replace(SOUND, debt_microcredits=-ONE, lifetime=Lifetime(granted=11 * ONE)),
        replace(OWING, clawback_debt_microcredits=ONE + 1),
        replace(OWING, clawback_debt_microcredits=-1),
        of_lifetime(granted=10 * ONE, clawed_back=ONE),
        of_lifetime(granted=9 * ONE, clawed_back=-ONE),
        replace(SOUND, grants=(a_grant(1, 11), a_grant(2, -1))),
        replace(SOUND, grants=(a_grant(1, 7), a_grant(1, 3))),
        of_lifetime(granted=MOST + 1, spent=MOST + 1 - 10 * ONE),
        with_plan(SOUND, period_start_at=NOON, period_end_at=NOON - timedelta(milliseconds=1)),
    ],
    ids=[
        "too much",
        "too little",
        "debt",
        "owed above the debt",
        "owed below zero",
        "clawed back and there",
        "given back above what was taken",
        "below zero",
        "same id",
        "too large",
        "backwards",
    ],
)
def test_an_account_whose_numbers_disagree_is_never_written(account: Account) -> None:
    draft = draft_of(SOUND)
    draft.account = account

    with pytest.raises(AssertionError):
        draft.decide(None)


def test_a_row_that_does_not_explain_its_change_cannot_be_posted() -> None:
    draft = draft_of(SOUND)

    with pytest.raises(AssertionError, match=r"^profile explains 10000001, not 10000000$"):
        draft.post(draft.account, key=a_key(), kind=EntryKind.PROFILE, delta=1)


def test_a_draft_is_changed_by_one_row_at_a_time() -> None:
    draft = draft_of(SOUND)
    old = draft.account
    draft.post(old, key=a_key("k1"), kind=EntryKind.PROFILE, delta=0)

    with pytest.raises(AssertionError):
        draft.post(old, key=a_key("k2"), kind=EntryKind.PROFILE, delta=0)


def test_only_a_row_of_a_run_counts_on_a_day() -> None:
    draft = draft_of(SOUND)

    entry = draft.post(draft.account, key=a_key(), kind=EntryKind.PROFILE, delta=0)

    assert entry.day is None


def test_a_decision_knows_the_account_that_it_was_made_on() -> None:
    """Why: the table compares its version, and refuses the decision if the account moved."""
    account = replace(SOUND, version=8)

    decision = draft_of(account).decide(None)

    assert decision.before == account
    assert decision.account.version == 9


def test_debt_that_equals_the_overdraft_leaves_what_grants_hold_beyond_it() -> None:
    """Why: a downgrade leaves debt beside grants; spending more would deepen it."""
    account = replace(an_account("deep"), grants=(a_grant(1, 7),))
    owing = replace(account, debt_microcredits=5 * ONE)

    assert owing.spendable_microcredits(CATALOG) == 2 * ONE


def test_each_row_says_what_it_changed_of_what_is_owed_for_money_that_went_back() -> None:
    life = Lifetime(spent=3 * ONE)
    owing = replace(SOUND, grants=(), debt_microcredits=3 * ONE, lifetime=life)
    draft = draft_of(replace(owing, clawback_debt_microcredits=ONE))

    changes: list[int] = []
    for owed in (3 * ONE, 3 * ONE, 0):
        account = replace(draft.account, clawback_debt_microcredits=owed)
        entry = draft.post(account, key=a_key(f"k{owed}"), kind=EntryKind.PROFILE, delta=0)
        changes.append(entry.clawback_debt_change_microcredits)

    assert changes == [2 * ONE, 0, -3 * ONE]


def test_the_first_row_of_an_account_that_opens_explains_all_that_it_owes() -> None:
    draft = Draft(None, replace(SOUND, clawback_debt_microcredits=ONE), NOON, CATALOG)

    entry = draft.post(draft.account, key=a_key(), kind=EntryKind.PROFILE, delta=10 * ONE)

    assert entry.clawback_debt_change_microcredits == ONE
