"""Budgets: credits that one account lends another, and what comes back when it is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import (
    CATALOG,
    NOON,
    ONE,
    STEADY,
    a_run,
    an_account,
    charged,
    draft_of,
    granted,
)
from tests.unit.holding import (
    BUDGET,
    closed,
    costing,
    funded,
    kinds,
    moved,
    opened,
    released,
    remaining,
)
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.catalog import Limits
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    GrantLimitError,
    HoldsOpenError,
    InsufficientCreditsError,
    InvalidError,
    NotFoundError,
)
from tollkeeper.domain.grants import GrantKind, Origin

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def budget_rows(decision: Decision) -> Decision:
    """What the decision writes for the budget."""
    (also,) = decision.also
    assert isinstance(also, Decision)
    return also


def everything(*accounts: Account) -> int:
    """All credits that there are in them, spent and expired ones included."""
    return sum(
        a.available_microcredits + a.held_microcredits + a.lifetime.spent + a.lifetime.expired
        for a in accounts
    )


# Funding.


def test_a_budget_opens_with_what_its_account_gives_it_and_nothing_else() -> None:
    parent, budget, decision = funded(an_account(), 6)

    assert (parent.available_microcredits, budget.available_microcredits) == (4 * ONE, 6 * ONE)
    assert (budget.id, budget.parent, budget.plan.id) == (BUDGET, "user_1", "free")
    assert kinds(decision) == ["transfer_out"]
    assert kinds(budget_rows(decision)) == ["reset", "transfer_in"]
    assert parent.lifetime.transferred_out == budget.lifetime.transferred_in == 6 * ONE
    assert (parent.lifetime.spent, budget.lifetime.granted) == (0, 0)
    assert decision.answer is not None
    assert decision.answer.details == {
        "budget": "team_1",
        "budget_available_microcredits": "6000000",
    }


def test_its_grants_keep_the_order_the_end_and_the_origin_of_those_they_came_from() -> None:
    parent, _ = granted(an_account(), 3, lasts=timedelta(days=3))
    parent, _ = granted(parent, 20, GrantKind.PACK, key="pack")

    parent, budget, decision = funded(parent, 15)

    assert decision.answer is not None
    assert moved(decision.answer.draws) == [("g2", 3), ("g1", 10), ("g3", 2)]
    assert [(g.kind, g.priority, g.remaining_microcredits // ONE) for g in budget.grants] == [
        (GrantKind.TRANSFER, 10, 3),
        (GrantKind.TRANSFER, 20, 10),
        (GrantKind.TRANSFER, 50, 2),
    ]
    assert [g.expires_at for g in budget.grants] == [NOON + timedelta(days=3), DECEMBER, None]
    assert [g.origin for g in budget.grants] == [
        Origin("g2", GrantKind.PROMO, 3 * ONE),
        Origin("g1", GrantKind.PLAN, 10 * ONE),
        Origin("g3", GrantKind.PACK, 20 * ONE),
    ]
    assert remaining(parent) == {"g3": 18}


def test_funding_again_adds_to_the_budget() -> None:
    parent, budget, _ = funded(an_account(), 3, limits={"month": 4 * ONE})

    parent, budget, decision = funded(parent, 2, budget, limits={"day": 2 * ONE})

    assert (parent.available_microcredits, budget.available_microcredits) == (5 * ONE, 5 * ONE)
    assert kinds(budget_rows(decision)) == ["transfer_in"]
    assert budget.limits.operator == Limits(day=2 * ONE, month=4 * ONE), "what is not named stays"

    parent, budget, _ = funded(parent, 1, budget, limits={"month": None})

    assert budget.limits.operator == Limits(day=2 * ONE), "and null takes one away"


def test_what_a_budget_is_given_expires_there_with_the_grant_it_came_from() -> None:
    _, budget, _ = funded(an_account(), 6)

    draft = draft_of(budget, DECEMBER)

    assert [(row.kind.value, row.moved_microcredits) for row in draft.entries] == [
        ("reset", 0),
        ("expire", 6 * ONE),
    ]
    assert draft.account.available_microcredits == 0


def test_a_budget_has_no_overdraft_of_its_own() -> None:
    parent, _ = granted(an_account("deep"), 6)
    _, budget, _ = funded(parent, 6)

    assert budget.spendable_microcredits(CATALOG) == 6 * ONE
    with pytest.raises(InsufficientCreditsError):
        charged(budget, costing(6.000001))


def test_exactly_what_is_there_can_be_given_and_no_overdraft_and_nothing_that_is_held() -> None:
    parent, _ = granted(an_account("deep"), 6)
    parent, _ = opened(parent, 2)

    assert funded(parent, 4)[0].available_microcredits == 0
    with pytest.raises(InsufficientCreditsError) as refusal:
        funded(parent, 4.000001)

    error = refusal.value
    assert (error.blocking, error.position.level) == ("parent", "parent")
    assert (error.shortfall_microcredits, error.position.held_microcredits) == (1, 2 * ONE)
    assert "in user_1" in error.detail


def test_a_frozen_or_closed_account_funds_nothing_and_a_closed_budget_is_not_funded() -> None:
    parent, budget, _ = funded(an_account(), 3)

    with pytest.raises(AccountFrozenError):
        funded(replace(parent, status=Status.FROZEN), 1, budget)
    with pytest.raises(AccountClosedError):
        funded(replace(parent, status=Status.CLOSED), 1, budget)
    parent, budget, _ = closed(parent, budget)
    with pytest.raises(AccountClosedError):
        funded(parent, 1, budget)


def test_a_frozen_budget_gets_credits_and_spends_none() -> None:
    parent, budget, _ = funded(an_account(), 3)
    budget = replace(budget, status=Status.FROZEN)

    _, budget, _ = funded(parent, 1, budget)

    assert budget.available_microcredits == 4 * ONE
    with pytest.raises(AccountFrozenError):
        charged(budget, costing(1))


def test_only_a_budget_of_this_account_is_funded() -> None:
    parent = an_account()
    stranger = replace(an_account(), id=AccountId("stranger"))
    _, of_another, _ = funded(stranger, 3)

    with pytest.raises(InvalidError, match="no budget of user_1"):
        funded(parent, 1, stranger)
    with pytest.raises(InvalidError, match="no budget of user_1"):
        funded(parent, 1, of_another)
    with pytest.raises(InvalidError, match="another account"):
        funded(parent, 1, parent, name=parent.id)


def test_a_budget_holds_no_more_grants_than_an_account() -> None:
    parent, budget, _ = funded(an_account(), 1)
    grants = tuple(replace(budget.grants[0], id=f"x{n}") for n in range(39))
    crowded = replace(budget, grants=(*budget.grants, *grants))

    with pytest.raises(GrantLimitError):
        funded(parent, 1, crowded)


# Spending.


def test_a_budgets_charges_and_holds_touch_only_the_budget() -> None:
    parent, budget, _ = funded(an_account(), 6)

    budget, _ = charged(budget, costing(2))
    budget, _ = opened(budget, 3)

    assert (budget.available_microcredits, budget.held_microcredits) == (ONE, 3 * ONE)
    assert (parent.available_microcredits, parent.windows.day) == (4 * ONE, 0)


# Closing.


def test_closing_returns_the_rest_to_the_grants_it_came_from() -> None:
    parent, _ = granted(an_account(), 3, lasts=timedelta(days=3))
    parent, _ = granted(parent, 20, GrantKind.PACK, key="pack")
    parent, budget, _ = funded(parent, 15)
    budget, _ = charged(budget, costing(4))

    parent, budget, decision = closed(parent, budget)

    assert decision.answer is not None
    assert moved(decision.answer.returned) == [("g1", 9), ("g3", 2)]
    assert (decision.answer.moved_microcredits, decision.answer.delta_microcredits) == (
        11 * ONE,
        11 * ONE,
    )
    assert remaining(parent) == {"g1": 9, "g3": 20}
    assert (budget.status, budget.available_microcredits, budget.grants) == (Status.CLOSED, 0, ())
    assert kinds(decision) == ["transfer_in"]
    assert kinds(budget_rows(decision)) == ["transfer_out"]
    assert parent.lifetime.transferred_in == budget.lifetime.transferred_out == 11 * ONE


def test_a_grant_that_was_used_up_comes_back_as_it_was() -> None:
    parent, _ = granted(an_account(), 3, lasts=timedelta(days=3))
    before = next(grant for grant in parent.grants if grant.id == "g2")
    parent, budget, _ = funded(parent, 3)
    assert "g2" not in remaining(parent)

    parent, _, _ = closed(parent, budget)

    assert next(grant for grant in parent.grants if grant.id == "g2") == before


def test_what_came_from_a_grant_that_is_over_expires_in_the_parents_row() -> None:
    """Its end is the same in the budget, so only a grant that was ended early can be over."""
    parent, budget, _ = funded(an_account(), 6)
    budget = replace(budget, grants=tuple(replace(g, expires_at=None) for g in budget.grants))

    parent, _, decision = closed(parent, budget, at=DECEMBER)

    assert decision.answer is not None
    assert decision.answer.expired_microcredits == 6 * ONE
    assert (decision.answer.moved_microcredits, decision.answer.delta_microcredits) == (6 * ONE, 0)
    assert parent.available_microcredits == 10 * ONE
    assert parent.lifetime.expired == 10 * ONE


def test_what_comes_back_pays_debt_first() -> None:
    parent, _ = granted(an_account("deep"), 6)
    parent, budget, _ = funded(parent, 6)
    parent, _ = charged(parent, costing(4))

    parent, _, decision = closed(parent, budget)

    assert decision.answer is not None
    assert decision.answer.debt_change_microcredits == -4 * ONE
    assert (parent.debt_microcredits, parent.available_microcredits) == (0, 2 * ONE)


def test_credits_that_somebody_else_gave_the_budget_become_an_adjustment() -> None:
    parent, budget, _ = funded(an_account(), 1)
    budget, _ = granted(budget, 5)

    parent, _, decision = closed(parent, budget)

    assert decision.answer is not None and decision.answer.grant is not None
    assert decision.answer.grant.kind is GrantKind.ADJUSTMENT
    assert decision.answer.grant.remaining_microcredits == 5 * ONE
    assert parent.available_microcredits == 15 * ONE


def test_a_budget_with_open_holds_stays_open_until_they_are_closed() -> None:
    parent, budget, _ = funded(an_account(), 6)
    budget, _ = opened(budget, 2)

    with pytest.raises(HoldsOpenError):
        closed(parent, budget)
    budget, _ = released(budget)
    assert closed(parent, budget)[0].available_microcredits == 10 * ONE


def test_a_hold_that_time_closes_is_in_nobodys_way() -> None:
    parent, budget, _ = funded(an_account(), 6)
    budget, _ = opened(budget, 2)

    parent, budget, decision = closed(parent, budget, at=NOON + timedelta(minutes=15))

    assert kinds(budget_rows(decision)) == ["hold_expired", "transfer_out"]
    assert parent.available_microcredits == 10 * ONE


def test_only_the_account_that_funds_a_budget_closes_it_and_once() -> None:
    parent, budget, _ = funded(an_account(), 6)
    other = replace(an_account(), id=AccountId("other"))

    with pytest.raises(NotFoundError):
        closed(other, budget)
    with pytest.raises(NotFoundError):
        closed(parent, other)
    parent, budget, _ = closed(parent, budget)
    with pytest.raises(AccountClosedError):
        closed(parent, budget)


def test_a_frozen_account_and_a_frozen_budget_can_still_be_settled_up() -> None:
    parent, budget, _ = funded(an_account(), 6)

    parent, budget, _ = closed(
        replace(parent, status=Status.FROZEN), replace(budget, status=Status.FROZEN)
    )

    assert (parent.status, budget.status) == (Status.FROZEN, Status.CLOSED)
    assert parent.available_microcredits == 10 * ONE


@STEADY
@given(
    plan=st.sampled_from(["free", "pro", "keep", "deep"]),
    promo=st.integers(0, 9),
    gives=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    spends=st.lists(st.integers(1, 9), max_size=4),
    days=st.integers(0, 40),
)
def test_transfers_conserve_credits(
    *, plan: str, promo: int, gives: list[int], spends: list[int], days: int
) -> None:
    parent, budget = an_account(plan), None
    if promo:
        parent, _ = granted(parent, promo, lasts=timedelta(days=10))
    total = everything(parent)
    for amount in gives:
        try:
            parent, budget, _ = funded(parent, amount, budget)
        except InsufficientCreditsError:
            continue
        assert everything(parent, budget) == total
    if budget is None:
        return
    for number, amount in enumerate(spends):
        try:
            budget, _ = charged(budget, costing(amount), key=f"k{number}")
        except InsufficientCreditsError:
            continue
    later = NOON + timedelta(days=days)
    parent, budget = draft_of(parent, later).account, draft_of(budget, later).account
    total = everything(parent, budget)

    parent, budget, _ = closed(parent, budget)

    assert everything(parent, budget) == total
    assert budget.available_microcredits == 0
    assert parent.lifetime.transferred_out == budget.lifetime.transferred_in


def test_a_plan_change_of_the_budgets_account_leaves_the_budget_what_it_was_given() -> None:
    parent, budget, _ = funded(an_account(), 6)
    parent, _ = charged(parent, a_run("sms"))

    assert budget.available_microcredits == 6 * ONE
    assert closed(parent, budget)[0].available_microcredits == 9 * ONE


def test_a_budget_of_a_budget_gives_back_through_both_to_the_grant_at_the_top() -> None:
    """Why: a grant that was passed on whole comes back from what its copy remembers of it."""
    top, team, _ = funded(an_account(), 5)
    _, member, _ = funded(team, 5, name=AccountId("member"))
    team_after = replace(team, grants=(), lifetime=replace(team.lifetime, transferred_out=5 * ONE))

    team_back, _, _ = closed(team_after, member)
    top_back, _, decision = closed(top, team_back)

    assert [grant.origin for grant in team_back.grants] == [grant.origin for grant in team.grants]
    assert top_back.grants == an_account().grants
    assert decision.answer is not None
    assert decision.answer.grant is None
