"""What a refused caller can do next: the pack to buy, and what the account can pay already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_run
from tollkeeper.domain.catalog import Catalog, Pack
from tollkeeper.domain.offers import Help, find_help

SMALL = Pack("small", "Small", 100 * ONE, 1000, "usd")
LARGE = Pack("large", "Large", 500 * ONE, 4000, "usd")
MIDDLE = Pack("middle", "Middle", 200 * ONE, 4000, "usd")


def help_with(shortfall: int, *packs: Pack, spendable: int = 0) -> Help:
    """What would help an account that lacks so many micro-credits for a call."""
    catalog = replace(CATALOG, packs={pack.id: pack for pack in packs})
    return find_help(
        a_run("video"),
        catalog,
        shortfall_microcredits=shortfall,
        spendable_microcredits=spendable,
    )


def test_the_cheapest_pack_that_covers_the_shortfall_is_offered() -> None:
    assert help_with(101 * ONE, SMALL, LARGE, MIDDLE).offers == (LARGE,)
    assert help_with(50 * ONE, LARGE, SMALL).offers == (SMALL,)


def test_of_packs_at_one_price_the_first_by_name_is_offered() -> None:
    assert help_with(150 * ONE, MIDDLE, LARGE).offers == (LARGE,)


def test_a_pack_of_exactly_the_shortfall_covers_it() -> None:
    assert help_with(100 * ONE, SMALL, LARGE).offers == (SMALL,)


def test_where_no_pack_covers_the_shortfall_the_largest_is_offered() -> None:
    assert help_with(900 * ONE, SMALL, LARGE, MIDDLE).offers == (LARGE,)


def test_a_catalog_without_packs_offers_none() -> None:
    assert help_with(ONE).offers == ()


def for_tokens(tokens: int, spendable: int, catalog: Catalog = CATALOG) -> dict[str, object]:
    """What an account that has so many micro-credits can pay, asking for tokens of gpt-4."""
    found = find_help(
        a_run("chat", model="gpt-4", tokens=tokens),
        catalog,
        shortfall_microcredits=ONE,
        spendable_microcredits=spendable,
    )
    return dict(found.affordable)


def test_tokens_that_are_affordable_are_counted_down_and_can_then_be_paid() -> None:
    """Why: 60 credits for a thousand tokens are 0.06 for one, and a part of one is none."""
    assert for_tokens(2000, 60 * ONE - 1) == {"tokens_total": 999, "models": ("gpt-3.5",)}
    assert for_tokens(2000, 60 * ONE)["tokens_total"] == 1000


def test_a_model_fits_where_the_same_tokens_cost_exactly_what_is_there() -> None:
    assert for_tokens(2000, 4 * ONE)["models"] == ("gpt-3.5",)
    assert for_tokens(2000, 4 * ONE - 1)["models"] == ()
    assert for_tokens(2000, 120 * ONE)["models"] == ("gpt-4", "gpt-3.5")


def test_an_account_at_nothing_can_pay_no_token_and_one_in_debt_is_told_nothing() -> None:
    assert for_tokens(2000, 0) == {"tokens_total": 0, "models": ()}
    assert for_tokens(2000, -1) == {}


@pytest.mark.parametrize("operation", ["video", "minute", "own"])
def test_what_is_not_priced_by_tokens_has_no_tokens_to_afford(operation: str) -> None:
    found = find_help(
        a_run(operation), CATALOG, shortfall_microcredits=ONE, spendable_microcredits=ONE
    )

    assert found.affordable == {}


def test_a_flat_price_by_model_has_no_tokens_to_afford_though_its_usage_is_known() -> None:
    found = find_help(
        a_run("image", model="gpt-4", tokens=1000),
        CATALOG,
        shortfall_microcredits=ONE,
        spendable_microcredits=ONE,
    )

    assert found.affordable == {}
