"""What the catalog's values answer: plans, roles, rollover, and which family prices a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE
from tollkeeper.domain.catalog import Flat, ModelPrice, Operation, PlanTerms, Rollover, find_model
from tollkeeper.domain.errors import UnknownModelError, UnknownOperationError

OPERATION = Operation("chat", "Chat", Flat(ONE), "chat")
FAMILIES = (
    ModelPrice("any", ("*",), 1),
    ModelPrice("gpt-4", ("gpt-4", "gpt-4-*"), 2),
    ModelPrice("gpt-4-turbo", ("gpt-4-turbo*",), 3),
    ModelPrice("exactly", ("gpt-4-turbo-2024-04-09",), 4),
)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4", "gpt-4"),
        ("GPT-4", "gpt-4"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-4-turbo-preview", "gpt-4-turbo"),
        ("gpt-4-turbo-2024-04-09", "exactly"),
        ("gpt-4o", "any"),
        ("o3", "any"),
    ],
)
def test_an_exact_name_wins_then_the_longest_pattern(model: str, family: str) -> None:
    assert find_model(OPERATION, FAMILIES, model).name == family
    assert find_model(OPERATION, FAMILIES[::-1], model).name == family


def test_an_exact_name_wins_over_a_pattern_that_is_longer_than_it() -> None:
    families = (ModelPrice("pattern", ("gpt-[0-9]",), 1), ModelPrice("name", ("gpt-4",), 2))

    assert find_model(OPERATION, families, "gpt-4").name == "name"
    assert find_model(OPERATION, families, "gpt-5").name == "pattern"


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1", "gpt-45", "my-gpt-4", "gpt", "gpt-4 ", ""])
def test_s3_04_a_name_that_only_looks_like_a_family_is_refused(model: str) -> None:
    with pytest.raises(UnknownModelError) as refusal:
        find_model(OPERATION, FAMILIES[1:3], model)

    assert refusal.value.known == ("gpt-4", "gpt-4-turbo")
    assert (refusal.value.operation, refusal.value.model) == ("chat", model)


def test_no_model_is_refused_even_by_a_pattern_that_takes_all() -> None:
    for model in (None, ""):
        with pytest.raises(UnknownModelError, match="name the model"):
            find_model(OPERATION, FAMILIES, model)


def test_an_operation_is_found_by_its_id_alone() -> None:
    assert CATALOG.operation("call").name == "Call"
    with pytest.raises(UnknownOperationError) as refusal:
        CATALOG.operation("Call")

    assert refusal.value.operation == "Call"


@pytest.mark.parametrize(
    ("rollover", "rest", "moved"),
    [
        (Rollover.NONE, 7, 0),
        (Rollover.ALL, 7, 7),
        (Rollover.CAPPED, 3, 3),
        (Rollover.CAPPED, 4, 4),
        (Rollover.CAPPED, 7, 4),
        (Rollover.CAPPED, 0, 0),
    ],
)
def test_a_plan_rolls_over_what_its_rule_says(rollover: Rollover, rest: int, moved: int) -> None:
    terms = PlanTerms("p", "P", 10, rollover=rollover, rollover_cap_microcredits=4)

    assert terms.rolled_over(rest) == moved


def test_a_plan_that_was_removed_is_read_as_the_default_plan() -> None:
    assert CATALOG.plan("gone").id == "free"
    assert CATALOG.plan("pro").id == "pro"


def test_s1_06_a_role_has_its_plan_or_everybodys_or_the_default() -> None:
    with_star = replace(CATALOG, roles={"coach": "pro", "*": "month"})

    assert [CATALOG.plan_for_role(r) for r in ("coach", "reader")] == ["pro", "free"]
    assert [with_star.plan_for_role(r) for r in ("coach", "reader")] == ["pro", "month"]
