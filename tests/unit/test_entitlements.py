"""S2.2: the plan for the features that an auth provider states, pushed or in a token."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from tests.unit.building import CATALOG, ONE
from tests.unit.subscribers import SOLD
from tollkeeper.domain.catalog import PlanTerms
from tollkeeper.domain.entitlements import (
    LONGEST_FEATURE,
    MOST_CLAIMED,
    Entitlement,
    find_entitlement,
    read_features,
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


CLAIMS: list[tuple[dict[str, object], str, tuple[str, ...]]] = [
    ({"features": ["b", "a", "b"]}, "features", ("a", "b")),
    ({"fea": "u:voice,o:exports"}, "fea", ("o:exports", "u:voice")),
    ({"scope": "read  write"}, "scope", ("read", "write")),
    ({"app": {"plan": {"features": ["a"]}}}, "app.plan.features", ("a",)),
    ({"https://a.example/features": ["a"]}, "https://a.example/features", ("a",)),
    ({"flags": {"a": True, "b": False, "c": 1, "d": None}}, "flags", ("a",)),
    ({"items": [{"slug": "a", "name": "A"}, {"name": "b"}, {"id": 7}]}, "items", ("a", "b")),
    ({}, "features", ()),
    ({"features": None}, "features", ()),
    ({"features": 7}, "features", ()),
    ({"features": [None, 7, [], {}, ""]}, "features", ()),
    ({"app": "text"}, "app.plan", ()),
]


@pytest.mark.parametrize(("claims", "path", "features"), CLAIMS)
def test_a_tokens_claim_is_read_in_the_forms_that_providers_use(
    claims: dict[str, object], path: str, features: tuple[str, ...]
) -> None:
    assert read_features(claims, path) == features


def test_a_claim_of_any_size_is_read_up_to_a_bound() -> None:
    many = read_features({"f": [f"f{n}" for n in range(10_000)]}, "f")
    long = read_features({"f": ["x" * (LONGEST_FEATURE + 1), "y" * LONGEST_FEATURE]}, "f")

    assert len(many) == MOST_CLAIMED
    assert long == ("y" * LONGEST_FEATURE,)
