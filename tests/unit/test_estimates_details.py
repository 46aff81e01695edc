"""An estimate tells the typical run whole; a check decides on that same run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.building import CATALOG as PLAIN
from tests.unit.building import ONE
from tests.unit.priced import NOW, PRICES, catalog_of, priced_with, usage_of
from tollkeeper.domain.catalog import Catalog, Sizes
from tollkeeper.domain.entries import Line
from tollkeeper.domain.pricing import (
    Consumption,
    Estimate,
    Standing,
    estimate_run,
    price_run,
    typical_run,
)

SIZED = priced_with(
    "estimate = { smallest = 500, typical = 1000, largest = 10_000 }\noutput_percent = 20"
)
SMS = """
[operations.sms]
rule = "per_unit"
unit = "message"
credits = 2
estimate = { smallest = 1, typical = 2, largest = 3 }
[plans.pro.prices.sms]
credits = 5
estimate = { smallest = 10, typical = 20, largest = 30 }
"""
LLM = Consumption("llm", "gpt-5", priced_at=NOW)


def test_an_estimate_by_tokens_reads_most_of_its_size_and_writes_the_rest() -> None:
    lines = (
        Line("gpt-5 input", "800", "1.25 USD/1M x 1.5", 150_000),
        Line("gpt-5 output", "200", "10 USD/1M x 1.5", 300_000),
    )

    assert estimate_run(LLM, SIZED) == Estimate(
        225_000,
        450_000,
        4_500_000,
        "gpt-5 input: 800 at 1.25 USD/1M x 1.5; gpt-5 output: 200 at 10 USD/1M x 1.5",
        lines,
        3_000_000_000,
        (),
    )
    assert typical_run(LLM, SIZED).run.lines == lines


def test_what_is_read_of_a_size_is_rounded_up() -> None:
    sizes = Sizes(1, 9, 14)

    estimate = estimate_run(LLM, SIZED, sizes)

    assert [line.quantity for line in estimate.lines] == ["8", "1"]
    assert estimate.smallest_microcredits == 188
    assert estimate.largest_microcredits == 12 * 375 // 2 + 2 * 1500
    hundreds = estimate_run(LLM, SIZED, Sizes(100, 101, 500))
    assert hundreds.smallest_microcredits == 80 * 375 // 2 + 20 * 1500
    assert hundreds.largest_microcredits == 400 * 375 // 2 + 100 * 1500


def test_better_sizes_stand_in_the_place_of_the_catalogs() -> None:
    chat, sizes = Consumption("chat", "gpt-4"), Sizes(10, 20, 40)
    lines = (Line("gpt-4 tokens", "20", "60/1000", 1_200_000),)

    assert estimate_run(chat, PLAIN, sizes) == Estimate(
        600_000,
        1_200_000,
        2_400_000,
        "gpt-4 tokens: 20 at 60/1000 credits",
        lines,
        20 * 30,
    )
    assert estimate_run(Consumption("call"), PLAIN, Sizes(ONE, 2 * ONE, 3 * ONE)) == Estimate(
        ONE, 2 * ONE, 3 * ONE, "call: 2 at 1 credits", (Line("call", "2", "1", 2 * ONE),), 14
    )


def test_what_is_known_is_estimated_as_it_would_be_charged() -> None:
    used = Consumption("minute", quantity_micro=2 * ONE)
    line = Line("minute", "2", "0.333333/minute", 666_666)

    assert estimate_run(used, PLAIN) == Estimate(
        666_666, 666_666, 666_666, "minute: 2 at 0.333333/minute credits", (line,), 10
    )
    assert estimate_run(used, PLAIN, Sizes(1, 2, 3)) == estimate_run(used, PLAIN)
    assert typical_run(used, PLAIN) == price_run(used, PLAIN)
    assert typical_run(Consumption("call"), PLAIN) == price_run(Consumption("call"), PLAIN)


def test_the_warnings_of_what_is_typical_are_told() -> None:
    searched = Consumption("llm", "gpt-5", usage=usage_of(input=8, web_searches=1), priced_at=NOW)

    assert estimate_run(searched, SIZED).warnings == ("pool_not_priced",)
    assert estimate_run(Consumption("llm", "gpt-5", priced_at=NOW, service_tier="fast"), SIZED) == (
        Estimate(
            225_000,
            450_000,
            4_500_000,
            "gpt-5 input: 800 at 1.25 USD/1M x 1.5; gpt-5 output: 200 at 10 USD/1M x 1.5",
            estimate_run(LLM, SIZED).lines,
            3_000_000_000,
            ("tier_not_priced",),
        )
    )


@pytest.mark.parametrize(
    ("standing", "expected", "typical"),
    [
        (Standing(), (2, 4, 6), 4),
        (Standing("free"), (2, 4, 6), 4),
        (Standing("pro"), (50, 100, 150), 100),
    ],
)
def test_the_plan_has_prices_and_sizes_of_its_own(
    standing: Standing, expected: tuple[int, int, int], typical: int
) -> None:
    catalog = catalog_of(SMS)

    estimate = estimate_run(Consumption("sms"), catalog, None, standing)
    run = typical_run(Consumption("sms"), catalog, standing)

    assert (
        estimate.smallest_microcredits,
        estimate.typical_microcredits,
        estimate.largest_microcredits,
    ) == tuple(each * ONE for each in expected)
    assert run.charged_microcredits == typical * ONE
    assert run.run.plan == standing.plan
    known = Consumption("sms", quantity_micro=ONE)
    exact = estimate_run(known, catalog, None, standing)
    each = expected[0] // (10 if standing.plan == "pro" else 1)
    assert exact.largest_microcredits == exact.smallest_microcredits == each * ONE
    assert typical_run(known, catalog, standing).charged_microcredits == each * ONE


def test_what_is_left_free_of_the_period_is_free_in_an_estimate() -> None:
    catalog = catalog_of(SMS.replace("credits = 2", "credits = 2\nfree_allowance = 3"))
    used = Standing("free", {"sms": 2 * ONE})

    estimate = estimate_run(Consumption("sms"), catalog, None, used)

    assert estimate == Estimate(
        0,
        2 * ONE,
        4 * ONE,
        "sms: 2 at 2/message credits; free allowance: 1 at 0% credits",
        (Line("sms", "2", "2/message", 4 * ONE), Line("free allowance", "1", "0%", -2 * ONE)),
    )
    assert typical_run(Consumption("sms"), catalog, used).charged_microcredits == 2 * ONE
    assert typical_run(Consumption("sms"), catalog).charged_microcredits == 0


def test_the_range_ascends_in_whatever_order_its_sizes_are_said() -> None:
    """Why: sizes that somebody knows need not be in order."""
    estimate = estimate_run(Consumption("sms"), catalog_of(SMS), Sizes(3 * ONE, ONE, 2 * ONE))

    assert estimate.smallest_microcredits == 2 * ONE
    assert estimate.typical_microcredits == 4 * ONE
    assert estimate.largest_microcredits == 6 * ONE


def test_a_machine_of_ones_own_is_estimated_at_nothing() -> None:
    assert estimate_run(Consumption("own"), PLAIN) == Estimate(0, 0, 0, "Local mode, 0 credits")


def test_a_catalog_without_sizes_estimates_one_of_each() -> None:
    def of(catalog: Catalog, **consumption: Any) -> Estimate:
        return estimate_run(Consumption(**consumption), catalog)

    assert of(PLAIN, operation="sms") == Estimate(
        ONE, ONE, ONE, "sms: 1 at 1/message credits", (Line("sms", "1", "1/message", ONE),)
    )
    named = catalog_of(PRICES + '[operations.llm]\nrule = "tokens"\n')
    assert of(named, operation="llm", model="gpt-5", amount_microcredits=7) == Estimate(
        7, 7, 7, "llm: 1 at 0.000007 credits", (Line("llm", "1", "0.000007", 7),)
    )
