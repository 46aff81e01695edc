"""Which family prices a model, which plan a role gets, and what a provider will bill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, GPT_3, GPT_4, ONE, a_run
from tollkeeper.domain.catalog import Catalog, Flat, ModelPrice, Operation, Per1kTokens, find_model
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.pricing import Consumption, estimate_run, price_run, typical_run
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools

ANY = ModelPrice("any", ("*",), ONE)
SHORT = ModelPrice("short", ("gpt-*",), ONE)
LONG = ModelPrice("long", ("gpt-4*",), ONE)
SAME = ModelPrice("same", ("gp?-4*",), ONE)
CHAT = Operation("chat", "Chat", Per1kTokens((ANY,)), "chat")


def found(model: str | None, *models: ModelPrice) -> str:
    """The name of the family that prices the model."""
    return find_model(CHAT, models, model).name


def test_the_longest_pattern_wins_in_whatever_order_they_are_listed() -> None:
    assert found("gpt-4o", ANY, SHORT, LONG) == "long"
    assert found("gpt-4o", LONG, SHORT, ANY) == "long"
    assert found("gpt-5", LONG, SHORT, ANY) == "short"


def test_of_patterns_of_one_length_the_first_wins() -> None:
    assert found("gpt-4o", LONG, SAME) == "long"
    assert found("gpt-4o", SAME, LONG) == "same"


def test_a_call_that_names_no_model_is_not_priced_as_any_model() -> None:
    for model in (None, ""):
        with pytest.raises(UnknownModelError):
            found(model, ANY)


def test_a_role_has_its_plan_then_everybodys_then_the_default() -> None:
    everybody = replace(CATALOG, roles={"coach": "pro", "*": "keep"})

    assert CATALOG.plan_for_role("coach") == "pro"
    assert CATALOG.plan_for_role("guest") == "free"
    assert everybody.plan_for_role("coach") == "pro"
    assert everybody.plan_for_role("guest") == "keep"


# ---- What a provider bills


def cost(family: ModelPrice, **pools: int) -> int | None:
    """The provider's bill for these tokens, in 10^-12 USD."""
    operation = Operation("chat", "Chat", Per1kTokens((family,)), "chat")
    catalog = replace(CATALOG, operations={"chat": operation})
    usage = Usage(TokenPools(**pools), None, None, ())
    return price_run(Consumption("chat", "m", usage=usage), catalog).run.cost_picousd


def test_a_pool_with_a_rate_of_its_own_is_billed_at_it() -> None:
    rates = {"input": 30, "cached_input": 3, "output": 60, "reasoning": 70}
    family = ModelPrice("m", ("m",), ONE, rates)

    assert cost(family, reasoning=1) == 70
    assert cost(family, cached_input=1) == 3
    assert cost(family, input=1, output=1) == 90


def flat_by_model(picousd: int | None) -> Catalog:
    """Images, at a price by model, which cost the operator so much a call."""
    operation = Operation(
        "image", "Image", Flat(None, (GPT_4, GPT_3)), "image", usd_pico_per_call=picousd
    )
    return replace(CATALOG, operations={"image": operation})


def test_a_flat_run_whose_tokens_nobody_knows_costs_what_the_catalog_says_for_a_call() -> None:
    catalog = flat_by_model(7)
    usage = Usage(TokenPools(input=2), None, None, ())

    unknown = price_run(Consumption("image", "gpt-4", quantity_micro=3 * ONE), catalog)
    known = price_run(Consumption("image", "gpt-4", usage=usage), catalog)

    assert (unknown.run.cost_picousd, known.run.cost_picousd) == (21, 60)


# ---- What a run says


def test_a_run_keeps_how_many_units_were_asked_for() -> None:
    assert a_run("minute", quantity=ONE // 2).run.quantity_micro == ONE // 2
    assert a_run("minute").run.quantity_micro is None


def test_the_most_that_an_account_can_hold_can_be_charged_and_not_a_microcredit_more() -> None:
    most = 10**15

    assert a_run("sms", quantity=most).charged_microcredits == most
    with pytest.raises(InvalidError):
        a_run("sms", quantity=most + ONE)


def test_an_estimate_explains_the_typical_price() -> None:
    sized = estimate_run(Consumption("chat", "gpt-4"), CATALOG)
    exact = estimate_run(Consumption("sms", quantity_micro=2 * ONE), CATALOG)

    assert sized.explanation == "gpt-4 tokens: 1000 at 60/1000 credits"
    assert exact.explanation == "sms: 2 at 1/message credits"


def test_a_check_decides_on_what_the_request_says_where_it_says_it() -> None:
    usage = Usage(TokenPools(input=50), None, None, ())

    by_usage = typical_run(Consumption("chat", "gpt-4", usage=usage), CATALOG)
    by_quantity = typical_run(Consumption("minute", quantity_micro=30 * ONE), CATALOG)

    assert by_usage.charged_microcredits == 3 * ONE
    assert by_quantity.charged_microcredits == 9_999_990


def test_a_price_of_a_typical_size_has_nothing_to_warn_of() -> None:
    assert typical_run(Consumption("chat", "gpt-4"), CATALOG).run.warnings == ()
