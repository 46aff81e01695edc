"""S2.2: the plan for the features that an auth provider states and a backend passes on."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from tests.unit.building import CATALOG, ONE
from tests.unit.subscribers import SOLD
from tollkeeper.domain.catalog import PlanTerms
from tollkeeper.domain.entitlements import (
    Entitlement,
    find_entitlement,
)

STORE = replace(
    CATALOG,
    plans={
        **CATALOG.plans,
        **SOLD,
        "starter_user": PlanTerms("starter_user", "Starter", 25 * ONE),
        "pro_user": PlanTerms("pro_user", "Pro", 50 * ONE),
        "other_pro": PlanTerms("other_pro", "Other", 50 * ONE),
    },
    entitlements={
        "starter_user": "starter_user",
        "pro_user": "pro_user",
        "gold": "other_pro",
        "paid": "large",
        "old": "a_plan_that_is_gone",
    },
)


def test_s2_02_the_largest_plan_that_applies_counts_in_whatever_order_they_are_named() -> None:
    for features in permutations(["starter_user", "pro_user", "crm", "old"]):
        assert find_entitlement(features, STORE) == Entitlement("pro_user", "pro_user")


@pytest.mark.parametrize("features", [[], ["crm"], ["old"], ["PRO_USER"], ["paid"]])
def test_s2_02_features_that_name_no_plan_lead_to_the_default_one(features: list[str]) -> None:
    assert find_entitlement(features, STORE) == Entitlement("free")


def test_of_two_plans_that_give_as_much_it_is_always_the_same_one() -> None:
    found = {find_entitlement(each, STORE) for each in permutations(["gold", "pro_user"])}

    assert found == {Entitlement("pro_user", "pro_user")}
