"""Entitlements: the change of plan that features ask for, when it happens, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from tests.unit.building import CATALOG, NOON, ONE, a_key
from tollkeeper.domain.account import PlanState
from tollkeeper.domain.catalog import PlanTerms
from tollkeeper.domain.entitlements import (
    Entitle,
    Entitlement,
    change_for,
    explain_entitlement,
    find_entitlement,
    follow,
)
from tollkeeper.domain.operating import ChangePlan

STORE = replace(
    CATALOG,
    plans={**CATALOG.plans, "other": PlanTerms("other", "Other", 50 * ONE)},
    entitlements={"gold": "pro", "golden": "pro", "odd": "other", "low": "month"},
)
ASKED = Entitle(a_key(), "h", "", "service:auth", features=("gold",))
CHANGE = ChangePlan(a_key(), "h", "entitled by gold", "service:auth", plan="pro")


def on(plan: str, next_plan: str = "") -> PlanState:
    """The plan that an account is on, and the one that waits."""
    return PlanState(plan, 1, NOON, NOON, next_plan=next_plan)


def test_the_change_has_the_commands_own_members_and_says_what_it_follows_from() -> None:
    assert change_for(ASKED, STORE) == CHANGE
    assert change_for(replace(ASKED, reason="signed up"), STORE) == replace(
        CHANGE, reason="signed up"
    )
    assert change_for(replace(ASKED, features=("crm",)), STORE) == replace(
        CHANGE, plan="free", reason="no feature names a plan"
    )


@pytest.mark.parametrize(
    ("plan", "later"),
    [
        (on("free"), False),
        (on("other"), True),
        (on("pro"), False),
        (on("pro", "free"), True),
        (on("month"), False),
        (on("month", "free"), False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_plan_goes_up_at_once_and_down_when_its_period_ends(plan: PlanState, later: bool) -> None:
    assert follow(ASKED, plan, STORE) == replace(CHANGE, at_period_end=later)


def test_a_smaller_plan_waits_for_the_end_of_the_period() -> None:
    lower = replace(ASKED, features=("low",))

    assert follow(lower, on("pro"), STORE).at_period_end
    assert not follow(lower, on("free"), STORE).at_period_end


def test_of_two_features_that_name_one_plan_the_last_by_name_is_told() -> None:
    for features in permutations(["golden", "gold"]):
        assert find_entitlement(features, STORE) == Entitlement("pro", "golden")


def test_the_plan_decides_and_not_the_name_of_the_feature() -> None:
    assert find_entitlement(["gold", "low"], STORE) == Entitlement("pro", "gold")


def test_why_features_lead_to_their_plan_is_told_in_words() -> None:
    assert explain_entitlement(ASKED, STORE) == "the feature gold names the plan pro"
    assert explain_entitlement(replace(ASKED, features=()), STORE) == (
        "none of the features names a plan; free is the default"
    )
