"""What each row says of open holds, and that an account whose holds are wrong is never written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import CATALOG, NOON, ONE, a_grant, an_account, draft_of, granted
from tests.unit.holding import BUDGET, opened, released
from tollkeeper.domain.account import Account, Lifetime
from tollkeeper.domain.draft import assert_sound
from tollkeeper.domain.held import Hold, Terms
from tollkeeper.domain.roll import begin


def a_hold(name: str, amount: int, debt: int = 0) -> Hold:
    """An open hold of whole credits, the first from the grant g1."""
    return Hold(
        id=name,
        opened_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
        terms=Terms("sms"),
        draws=(("g1", amount * ONE),),
        debt_microcredits=debt * ONE,
    )


def holding(*holds: Hold) -> Account:
    """An account with ten credits in a grant and two in these holds."""
    return replace(
        an_account("deep"),
        grants=(a_grant(1, 10),),
        holds=holds,
        lifetime=Lifetime(granted=12 * ONE),
    )


def test_what_is_held_counts_as_there() -> None:
    assert_sound(holding(a_hold("a", 1), a_hold("b", 1)))


@pytest.mark.parametrize(
    "holds",
    [
        (a_hold("a", 1), a_hold("a", 1)),
        (a_hold("a", 3, debt=-1),),
        (a_hold("a", 1),),
    ],
    ids=["same id", "debt below zero", "less than is gone"],
)
def test_an_account_whose_holds_are_wrong_is_never_written(holds: tuple[Hold, ...]) -> None:
    draft = draft_of(an_account())
    draft.account = holding(*holds)

    with pytest.raises(AssertionError):
        draft.decide(None)


def test_the_first_row_of_an_account_changes_nothing_that_is_held() -> None:
    draft, _ = begin(None, BUDGET, now=NOON, catalog=CATALOG, plan_id="free", zone="UTC")

    assert [row.held_change_microcredits for row in draft.entries] == [0]


def test_every_row_says_by_how_much_it_changed_what_is_held() -> None:
    account, first = opened(an_account(), 5)
    account, second = opened(account, 2, hold="h2")
    account, third = granted(account, 1)
    _, fourth = released(account)

    rows = (first, second, third, fourth)
    assert [row.held_change_microcredits // ONE for row in rows] == [5, 2, 0, -5]
    assert [row.held_after_microcredits // ONE for row in rows] == [5, 7, 7, 2]
