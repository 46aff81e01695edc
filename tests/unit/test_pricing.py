"""A run costs what its rule says, rounded up once, and keeps how that came about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import CATALOG, GPT_4, ONE, STEADY
from tollkeeper.domain.catalog import Catalog, Flat, Operation
from tollkeeper.domain.errors import InvalidError, UnknownModelError, UnknownOperationError
from tollkeeper.domain.pricing import (
    LOCAL_EXPLANATION,
    Consumption,
    describe_run,
    estimate_run,
    price_run,
    typical_run,
)
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools


def tokens(**pools: int) -> Usage:
    """Usage of so many tokens."""
    return Usage(TokenPools(**pools), None, None, ("odd",) if pools.get("reasoning") else ())


def cost_of(operation: str, quantity: int | None = None, **more: object) -> int:
    """What the run is charged. Units: `quantity` in millionths."""
    consumption = Consumption(operation, quantity_micro=quantity, **more)  # type: ignore[arg-type]
    return price_run(consumption, CATALOG).charged_microcredits


@pytest.mark.parametrize(
    ("operation", "quantity", "charged"),
    [
        ("call", None, ONE),
        ("call", 3 * ONE, 3 * ONE),
        ("video", 2 * ONE, 14 * ONE),
        ("sms", None, ONE),
        ("sms", 4 * ONE, 4 * ONE),
        ("minute", None, 333_333),
        ("minute", ONE // 2, 166_667),
        ("minute", 1, 1),
        ("minute", 3 * ONE, 999_999),
        ("own", None, 0),
        ("own", 5 * ONE, 0),
    ],
)
def test_a_rule_charges_by_call_or_by_unit(
    operation: str, quantity: int | None, charged: int
) -> None:
    assert cost_of(operation, quantity) == charged


@pytest.mark.parametrize("operation", ["call", "sms", "image"])
def test_parts_are_refused_where_only_whole_ones_count(operation: str) -> None:
    with pytest.raises(InvalidError, match="whole number"):
        cost_of(operation, ONE + 1, model="gpt-4")


@pytest.mark.parametrize(
    ("model", "pools", "charged"),
    [
        ("gpt-4", {"input": 20, "output": 5}, 1_500_000),
        ("gpt-4", {"input": 1}, 60_000),
        ("gpt-3.5", {"input": 1}, 2_000),
        ("gpt-4", {"input": 1000, "cached_input": 1000, "output": 1000}, 180 * ONE),
        ("gpt-4", dict.fromkeys(["cache_write_5m", "cache_write_1h", "reasoning"], 10), 1_800_000),
        ("gpt-4", {"audio_input": 500, "audio_output": 500}, 60 * ONE),
        ("gpt-4", {}, 0),
    ],
)
def test_tokens_of_all_pools_are_charged_in_proportion(
    model: str, pools: dict[str, int], charged: int
) -> None:
    assert cost_of("chat", model=model, usage=tokens(**pools)) == charged


def test_tokens_are_rounded_up_to_one_microcredit_once() -> None:
    family = replace(GPT_4, credits_microcredits=1)
    rule = replace(CATALOG.operations["chat"].rule, models=(family,))
    catalog = replace(CATALOG, operations={"chat": replace(CATALOG.operations["chat"], rule=rule)})

    charged = [
        price_run(Consumption("chat", "gpt-4", usage=tokens(input=n, output=n)), catalog)
        for n in (1, 500, 501)
    ]

    assert [p.charged_microcredits for p in charged] == [1, 1, 2]


@STEADY
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_tokens_in_two_pools_cost_what_they_cost_in_one(some: int, others: int) -> None:
    apart = cost_of("chat", model="gpt-4", usage=tokens(input=some, output=others))

    assert apart == cost_of("chat", model="gpt-4", usage=tokens(input=some + others))
    assert apart * 1000 >= (some + others) * 60 * ONE > (apart - 1) * 1000


@STEADY
@given(st.integers(1, 10**12))
def test_a_charge_is_never_less_than_the_units_used_nor_a_microcredit_more(micro: int) -> None:
    exact = micro * 333_333

    assert exact <= cost_of("minute", micro) * ONE < exact + ONE


def test_tokens_need_usage_and_take_no_quantity() -> None:
    with pytest.raises(InvalidError, match="priced by tokens") as missing:
        cost_of("chat", model="gpt-4")
    with pytest.raises(InvalidError, match="priced by tokens") as beside:
        cost_of("chat", ONE, model="gpt-4", usage=tokens(input=1))

    assert missing.value.problems[0][0] == "usage"
    assert beside.value.problems[0][0] == "quantity"


def test_an_operation_that_nobody_priced_is_refused() -> None:
    with pytest.raises(UnknownOperationError, match="teleport"):
        cost_of("teleport")


@pytest.mark.parametrize("model", [None, "", "gpt-4o", "o3"])
def test_a_model_that_nobody_priced_is_refused_and_never_free(model: str | None) -> None:
    for operation in ("chat", "image"):
        with pytest.raises(UnknownModelError):
            cost_of(operation, model=model, usage=tokens(input=1))


def test_the_model_is_the_requests_or_else_the_usages() -> None:
    usage = replace(tokens(input=1000), model="gpt-4-0613")

    assert cost_of("chat", usage=usage) == 60 * ONE
    assert cost_of("chat", model="gpt-3.5", usage=usage) == 2 * ONE


def test_what_would_cost_more_than_an_account_can_hold_is_refused() -> None:
    with pytest.raises(InvalidError, match="more than one account can hold"):
        cost_of("video", 10**15)


def test_a_flat_price_can_differ_by_model() -> None:
    assert cost_of("image", model="gpt-4-turbo") == 60 * ONE
    assert cost_of("image", 2 * ONE, model="gpt-3.5") == 4 * ONE


def test_the_breakdown_adds_up_to_the_charge() -> None:
    runs = [
        price_run(Consumption("call", quantity_micro=3 * ONE), CATALOG),
        price_run(Consumption("minute", quantity_micro=ONE // 2), CATALOG),
        price_run(Consumption("chat", "gpt-4", usage=tokens(input=25)), CATALOG),
        price_run(Consumption("own"), CATALOG),
    ]

    for priced in runs:
        assert sum(x.credits_microcredits for x in priced.run.lines) == priced.charged_microcredits
    shown = [(x.item, x.quantity, x.rate) for priced in runs for x in priced.run.lines]
    assert shown == [
        ("call", "3", "1"),
        ("minute", "0.5", "0.333333/minute"),
        ("gpt-4 tokens", "25", "60/1000"),
        (LOCAL_EXPLANATION, "1", "0"),
    ]


# What the provider bills.


def picousd_of(operation: str, **more: object) -> int | None:
    """The run's cost in USD."""
    return price_run(Consumption(operation, **more), CATALOG).run.cost_picousd  # type: ignore[arg-type]


def test_cost_in_dollars_is_each_pool_at_its_rate() -> None:
    assert picousd_of("chat", model="gpt-4", usage=tokens(input=20, output=5)) == 20 * 30 + 5 * 60


def test_thinking_is_billed_as_output_and_a_cached_read_at_most_as_a_first_one() -> None:
    assert picousd_of("chat", model="gpt-4", usage=tokens(reasoning=2)) == 2 * 60
    assert picousd_of("chat", model="gpt-4", usage=tokens(cached_input=2)) == 2 * 30


@pytest.mark.parametrize("pool", ["cache_write_5m", "cache_write_1h", "audio_input"])
def test_a_pool_that_has_no_rate_makes_the_cost_unknown(pool: str) -> None:
    usage = Usage(replace(TokenPools(input=20), **{pool: 1}), None, None, ())

    assert picousd_of("chat", model="gpt-4", usage=usage) is None


def test_a_cost_that_the_provider_reports_is_the_cost() -> None:
    usage = replace(tokens(input=20), cost_picousd=99)
    assert picousd_of("chat", model="gpt-4", usage=usage) == 99


def test_a_reported_cost_of_nothing_is_believed_only_where_nothing_else_is_known() -> None:
    usage = replace(tokens(input=20), cost_picousd=0)

    assert picousd_of("chat", model="gpt-4", usage=usage) == 20 * 30
    assert picousd_of("chat", model="gpt-3.5", usage=usage) == 0


def test_a_family_without_rates_has_no_cost_rather_than_none_to_pay() -> None:
    assert picousd_of("chat", model="gpt-3.5", usage=tokens(input=20)) is None


def test_a_cost_per_call_grows_with_the_calls_and_one_of_tokens_does_not() -> None:
    assert picousd_of("call", quantity_micro=3 * ONE) == 21
    assert picousd_of("minute", quantity_micro=ONE // 2) == 3
    assert picousd_of("image", model="gpt-4", quantity_micro=3 * ONE, usage=tokens(input=2)) == 60


# What is kept of a run.


def test_a_run_keeps_what_the_request_said() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    consumption = Consumption(
        "chat",
        "gpt-4",
        usage=tokens(input=7, reasoning=1),
        label="story",
        subtype="pdf",
        service="openai",
        response_time_ms=812,
        occurred_at=at,
    )

    run = price_run(consumption, CATALOG).run

    assert (run.operation, run.model, run.label, run.feature) == (
        "chat",
        "gpt-4",
        "story/pdf",
        "chat",
    )
    assert (run.service, run.subtype, run.response_time_ms) == ("openai", "pdf", 812)
    assert (run.occurred_at, run.price_version, run.warnings) == (at, "v1", ("odd",))


@pytest.mark.parametrize(
    ("label", "subtype", "shown"), [("", "", ""), ("a", "", "a"), ("", "b", "b"), ("a", "b", "a/b")]
)
def test_the_label_of_stats_joins_feature_and_subtype(label: str, subtype: str, shown: str) -> None:
    run = describe_run(Consumption("call", label=label, subtype=subtype), CATALOG)

    assert run.label == shown


@pytest.mark.parametrize(
    ("quantity", "count"), [(None, 1), (ONE, 1), (3 * ONE, 3), (1, 1), (ONE + 1, 2)]
)
def test_a_quantity_counts_as_many_begun_units_against_a_feature(
    quantity: int | None, count: int
) -> None:
    assert describe_run(Consumption("minute", quantity_micro=quantity), CATALOG).feature_count == (
        count
    )


def test_an_operation_can_count_against_another_feature() -> None:
    operation = Operation("retry", "Retry", Flat(ONE), "call")
    catalog = replace(CATALOG, operations={"retry": operation})

    assert describe_run(Consumption("retry"), catalog).feature == "call"


# Estimates.


def range_of(consumption: Consumption, catalog: Catalog = CATALOG) -> tuple[int, int, int]:
    """The estimate as three amounts."""
    estimate = estimate_run(consumption, catalog)
    return (
        estimate.smallest_microcredits,
        estimate.typical_microcredits,
        estimate.largest_microcredits,
    )


def test_what_is_known_is_estimated_exactly() -> None:
    known = Consumption("chat", "gpt-4", usage=tokens(input=25))

    assert range_of(known) == (1_500_000,) * 3
    assert range_of(Consumption("minute", quantity_micro=2 * ONE)) == (666_666,) * 3
    assert range_of(Consumption("call")) == (ONE,) * 3


def test_what_is_not_known_is_estimated_from_the_operations_sizes() -> None:
    assert range_of(Consumption("chat", "gpt-4")) == (6 * ONE, 60 * ONE, 480 * ONE)
    assert range_of(Consumption("minute")) == (333_333, 999_999, 9_999_990)


def test_a_check_decides_on_the_typical_size() -> None:
    typical = typical_run(Consumption("chat", "gpt-4"), CATALOG)

    assert typical.charged_microcredits == 60 * ONE
    assert typical_run(Consumption("call"), CATALOG).charged_microcredits == ONE


def test_s4_05_local_operations_are_estimated_at_nothing_and_say_so() -> None:
    estimate = estimate_run(Consumption("own"), CATALOG)

    assert range_of(Consumption("own")) == (0, 0, 0)
    assert estimate.explanation == "Local mode, 0 credits"


def test_an_estimate_refuses_what_a_charge_would_refuse() -> None:
    for refused in (Consumption("chat", "gpt-4o"), Consumption("teleport")):
        with pytest.raises((UnknownModelError, UnknownOperationError)):
            estimate_run(refused, CATALOG)
        with pytest.raises((UnknownModelError, UnknownOperationError)):
            typical_run(refused, CATALOG)
