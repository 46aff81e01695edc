"""Every member of a transfer's rows on both sides, and each grant as it comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
from tests.unit.holding import (
    BUDGET,
    closed,
    costing,
    funded,
    moved,
    opened,
    released,
    remaining,
    settled,
    settling,
)
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.budgets import CloseBudget, Fund, decide_close_budget, decide_fund
from tollkeeper.domain.catalog import SettlePolicy
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind
from tollkeeper.domain.errors import (
    AccountClosedError,
    GrantLimitError,
    HoldsOpenError,
    InsufficientCreditsError,
    InvalidError,
    NotFoundError,
    Position,
)
from tollkeeper.domain.grants import MOST_GRANTS, Draw, Grant, GrantKind, Origin
from tollkeeper.domain.operating import ChangePlan, decide_plan_change
from tollkeeper.domain.roll import begin

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
IN_THREE_DAYS = NOON + timedelta(days=3)
ACTOR, HASH, REASON = "service:0123456789ab", "a1b2", "agent 9"


def of_parent(kind: EntryKind, key: str, **facts: object) -> Entry:
    """The parent's row, under everything that its command said."""
    given: dict[str, object] = {"account": ACCOUNT, "request_hash": HASH}
    return a_row(kind, key, **(given | facts))


def a_row(kind: EntryKind, key: str, **facts: object) -> Entry:
    """A budget's row, with who asked and why."""
    given: dict[str, object] = {"account": BUDGET, "actor": ACTOR, "reason": REASON, "at": NOON}
    return Entry(key=EntryKey(key), kind=kind, **(given | facts))  # type: ignore[arg-type]


def a_copy(number: int, credits: int, source: Grant) -> Grant:
    """The grant of a budget with so many credits of that grant of its parent."""
    return Grant(
        id=f"g{number}",
        kind=GrantKind.TRANSFER,
        priority=source.priority,
        amount_microcredits=credits * ONE,
        remaining_microcredits=credits * ONE,
        effective_at=source.effective_at,
        expires_at=source.expires_at,
        origin=Origin(source.id, source.kind, source.amount_microcredits, source.origin),
    )


def grants_of(account: Account) -> dict[str, Grant]:
    """The account's grants by their ids."""
    return {grant.id: grant for grant in account.grants}


def on_plan(account: Account, plan: str) -> Account:
    """The account on another plan, now."""
    command = ChangePlan(a_key("plan"), "h", "", plan=plan)
    return decide_plan_change(draft_of(account), command, CATALOG).account


def budget_rows(decision: Decision) -> list[Entry]:
    """What the decision writes for the budget."""
    (also,) = decision.also
    assert isinstance(also, Decision)
    return [*also.entries]


def fund(parent: Account, budget: Draft, credits: float, **limits: int | None) -> Decision:
    """The decision on a command with everything in it."""
    command = Fund(
        a_key("fund"),
        HASH,
        REASON,
        ACTOR,
        budget=BUDGET,
        amount_microcredits=round(credits * ONE),
        limits=tuple(limits.items()),
    )
    return decide_fund(draft_of(parent), budget, command)


def a_new_budget() -> Draft:
    """The budget that the funding opens."""
    draft, _ = begin(
        None, BUDGET, now=NOON, catalog=CATALOG, plan_id="free", zone="UTC", parent=ACCOUNT
    )
    return draft


# Funding.


def test_the_parents_row_says_to_which_budget_and_what_is_there_now() -> None:
    parent = an_account()

    decision = fund(parent, a_new_budget(), 6)

    assert decision.answer == of_parent(
        EntryKind.TRANSFER_OUT,
        "c#fund",
        seq=2,
        delta_microcredits=-6 * ONE,
        available_after_microcredits=4 * ONE,
        moved_microcredits=6 * ONE,
        draws=(Draw(parent.grants[0], 6 * ONE),),
        details={"budget": "team_1", "budget_available_microcredits": "6000000"},
        alerts=("low_balance",),
    )


def test_the_budget_has_a_row_for_each_grant_and_its_limits_on_the_first() -> None:
    parent, _ = granted(an_account(), 3, lasts=timedelta(days=3))
    sources = grants_of(parent)

    decision = fund(parent, a_new_budget(), 5, day=2 * ONE, run=None)

    _, first, second = budget_rows(decision)
    assert first == a_row(
        EntryKind.TRANSFER_IN,
        "s#transfer:3:0",
        seq=2,
        delta_microcredits=3 * ONE,
        available_after_microcredits=3 * ONE,
        moved_microcredits=3 * ONE,
        grant=a_copy(2, 3, sources["g2"]),
        details={"parent": "user_1", "daily": "2", "per_run_max": "none"},
    )
    assert second == a_row(
        EntryKind.TRANSFER_IN,
        "s#transfer:3:1",
        seq=3,
        delta_microcredits=2 * ONE,
        available_after_microcredits=5 * ONE,
        moved_microcredits=2 * ONE,
        grant=a_copy(3, 2, sources["g1"]),
        details={"parent": "user_1"},
    )


def test_a_budget_makes_no_debt_where_its_plan_lets_accounts_do_so() -> None:
    catalog = settling(SettlePolicy.DEBT)
    _, budget, _ = funded(an_account(catalog=catalog), 2, catalog=catalog)
    budget, _ = opened(budget, 2, catalog=catalog)

    budget, entry = settled(budget, 3, catalog=catalog)

    assert (budget.available_microcredits, budget.debt_microcredits) == (0, 0)
    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (2 * ONE, ONE)


def test_what_a_budget_of_an_earlier_version_owes_is_paid_by_what_it_is_given_first() -> None:
    parent, budget, _ = funded(an_account(), 2)
    spent = replace(budget.lifetime, spent=budget.lifetime.spent + ONE)
    budget = replace(budget, debt_microcredits=ONE, lifetime=spent)

    _, budget, decision = funded(parent, 4, budget)

    (row,) = budget_rows(decision)
    assert (row.moved_microcredits, row.delta_microcredits) == (4 * ONE, 4 * ONE)
    assert (row.debt_change_microcredits, row.debt_after_microcredits) == (-ONE, 0)
    assert row.grant is not None
    assert row.grant.remaining_microcredits == 3 * ONE
    assert budget.available_microcredits == 5 * ONE


def test_a_grant_that_a_hold_drew_from_stays_for_it_when_the_rest_is_given_away() -> None:
    parent, _ = granted(an_account(), 3)
    parent, _ = opened(parent, 2)

    parent, _, _ = funded(parent, 1)

    assert remaining(parent) == {"g2": 0, "g1": 10}
    assert remaining(released(parent)[0]) == {"g2": 2, "g1": 10}


def test_a_budget_has_room_for_as_many_grants_as_an_account() -> None:
    parent, budget, _ = funded(an_account(), 1)
    more = tuple(replace(budget.grants[0], id=f"x{n}") for n in range(MOST_GRANTS - 1))
    life = replace(budget.lifetime, transferred_in=(MOST_GRANTS - 1) * ONE)
    crowded = replace(budget, grants=more, lifetime=life)

    _, full, _ = funded(parent, 1, crowded)

    assert len(full.grants) == MOST_GRANTS
    with pytest.raises(
        GrantLimitError, match=r"^The budget holds 40 grants; let some be used first\.$"
    ):
        funded(parent, 1, full)


@pytest.mark.parametrize("credits", [0.000001, 5])
def test_an_account_with_nothing_funds_nothing(credits: float) -> None:
    parent, _ = charged(an_account(), costing(10))

    with pytest.raises(InsufficientCreditsError) as refusal:
        funded(parent, credits)

    asked = round(credits * ONE)
    assert refusal.value.position == Position(asked, 0, 0, level="parent")


def test_an_account_in_debt_is_told_how_deep_it_is() -> None:
    parent, _ = opened(an_account("deep"), 2)
    parent, _ = charged(parent, costing(1))

    with pytest.raises(InsufficientCreditsError) as refusal:
        funded(parent, 4)

    assert refusal.value.position == Position(4 * ONE, -3 * ONE, 0, 2 * ONE, level="parent")
    assert refusal.value.detail == (
        "A budget of 4 credits cannot be funded; 0 are available in user_1."
    )


def test_a_wrong_budget_is_refused_by_the_name_of_its_member() -> None:
    parent = an_account()
    stranger = replace(an_account(), id=AccountId("stranger"))

    with pytest.raises(InvalidError) as itself:
        funded(parent, 1, parent, name=parent.id)
    with pytest.raises(InvalidError) as other:
        funded(parent, 1, stranger)

    assert itself.value.problems == (("budget", "must be another account"),)
    assert other.value.problems == (("budget", "is no budget of user_1; choose an id of its own"),)


def test_a_closed_budget_is_named_when_it_is_refused() -> None:
    parent, budget, _ = funded(an_account(), 1)
    parent, budget, _ = closed(parent, budget)

    says = r"^The budget team_1 is closed\.$"
    with pytest.raises(AccountClosedError, match=says):
        funded(parent, 1, budget)
    with pytest.raises(AccountClosedError, match=says):
        closed(parent, budget)


# Closing.


def test_both_rows_of_a_close_say_what_went_where_and_who_asked() -> None:
    parent, _ = granted(an_account(), 3, lasts=timedelta(days=3))
    sources = grants_of(parent)
    parent, budget, _ = funded(parent, 5)
    held = grants_of(budget)
    command = CloseBudget(a_key("close"), HASH, REASON, ACTOR, budget=BUDGET)

    decision = decide_close_budget(draft_of(parent), draft_of(budget), command)

    assert decision.answer == of_parent(
        EntryKind.TRANSFER_IN,
        "c#close",
        seq=4,
        delta_microcredits=5 * ONE,
        available_after_microcredits=13 * ONE,
        moved_microcredits=5 * ONE,
        returned=(
            Draw(replace(sources["g2"], remaining_microcredits=0), 3 * ONE),
            Draw(replace(sources["g1"], remaining_microcredits=8 * ONE), 2 * ONE),
        ),
        details={"budget": "team_1"},
    )
    assert grants_of(decision.account) == sources
    (row,) = budget_rows(decision)
    assert row == a_row(
        EntryKind.TRANSFER_OUT,
        "s#closed:4",
        seq=4,
        delta_microcredits=-5 * ONE,
        available_after_microcredits=0,
        moved_microcredits=5 * ONE,
        draws=(Draw(held["g2"], 3 * ONE), Draw(held["g3"], 2 * ONE)),
        details={"parent": "user_1", "closed": "true"},
    )


def test_a_plans_grant_that_was_given_away_whole_comes_back_with_its_end() -> None:
    before = an_account()
    parent, budget, _ = funded(before, 10)
    assert parent.grants == ()

    parent, _, _ = closed(parent, budget)

    assert parent.grants == before.grants
    assert parent.grants[0].expires_at == DECEMBER


def test_a_grant_that_was_used_in_part_comes_back_as_the_grant_it_was() -> None:
    parent, _ = granted(an_account(), 5, lasts=timedelta(days=3))
    parent, _ = charged(parent, costing(2))
    parent, budget, _ = funded(parent, 3)

    parent, _, _ = closed(parent, budget)

    assert grants_of(parent)["g2"] == replace(
        a_grant(2, 5, expires_at=IN_THREE_DAYS), remaining_microcredits=3 * ONE
    )


def test_nothing_goes_back_to_a_grant_that_ended_though_a_hold_still_keeps_it() -> None:
    parent, _ = opened(an_account(), 2)
    parent, budget, _ = funded(parent, 3)
    parent = on_plan(parent, "pro")

    parent, _, decision = closed(parent, budget)

    assert decision.answer is not None
    assert (decision.answer.expired_microcredits, decision.answer.returned) == (3 * ONE, ())
    assert grants_of(parent)["g1"].remaining_microcredits == 0
    assert parent.available_microcredits == 50 * ONE


def test_what_came_from_several_grants_that_are_over_expires_together() -> None:
    parent, budget, _ = funded(an_account(), 3)
    parent = on_plan(parent, "pro")
    parent, budget, _ = funded(parent, 4, budget)
    parent = on_plan(parent, "month")

    parent, _, decision = closed(parent, budget)

    assert decision.answer is not None
    assert decision.answer.expired_microcredits == 7 * ONE
    assert (decision.answer.moved_microcredits, decision.answer.delta_microcredits) == (7 * ONE, 0)
    assert parent.available_microcredits == 20 * ONE


def test_all_that_others_gave_the_budget_comes_back_in_one_adjustment() -> None:
    parent, budget, _ = funded(an_account(), 1)
    budget, _ = granted(budget, 2, key="a")
    budget, _ = granted(budget, 3, key="b")

    parent, _, decision = closed(parent, budget)

    assert decision.answer is not None
    assert decision.answer.grant == a_grant(3, 5, GrantKind.ADJUSTMENT)
    assert parent.available_microcredits == 15 * ONE


def test_what_has_not_started_stays_in_the_budget_until_it_does() -> None:
    parent, budget, _ = funded(an_account(), 6)
    budget, _ = granted(budget, 4, starts_in=timedelta(days=1))

    parent, budget, decision = closed(parent, budget)

    assert decision.answer is not None
    assert decision.answer.moved_microcredits == 6 * ONE
    assert moved(budget_rows(decision)[-1].draws) == [("g2", 6)]
    assert parent.available_microcredits == 10 * ONE
    assert (budget.status, remaining(budget)) == (Status.CLOSED, {"g3": 4})

    tomorrow = NOON + timedelta(days=1)
    parent, budget, _ = closed(parent, budget, at=tomorrow)

    assert (parent.available_microcredits, budget.grants) == (14 * ONE, ())


def test_a_budget_is_named_when_it_cannot_be_closed() -> None:
    parent, budget, _ = funded(an_account(), 6)
    budget, _ = opened(budget, 2, run=a_run("sms"))

    with pytest.raises(
        HoldsOpenError, match=r"^The budget team_1 has open holds; close them first\.$"
    ):
        closed(parent, budget)
    with pytest.raises(NotFoundError, match=r"^other has no budget team_1\.$"):
        closed(replace(an_account(), id=AccountId("other")), budget)
