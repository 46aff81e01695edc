"""What a provider bills by the price book: tiers, dates, service tiers, fees, fallbacks."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.pricing_books import NOW, bill, book_of, model_of, usd
from tollkeeper.domain.book import Metered, Rate, cost_part, dearest, flat_model
from tollkeeper.domain.rates import TOKEN_RATES
from tollkeeper.domain.usage import POOL_NAMES, TokenPools

DOMAIN = Path(__file__).resolve().parents[2] / "layers/core/tollkeeper/domain"
MILLION = 1_000_000


def test_each_pool_is_billed_at_its_own_rate_per_million() -> None:
    rates = {name: str(at) for at, name in enumerate(TOKEN_RATES, 1)}
    model = model_of(rates)

    for name, rate in rates.items():
        assert usd(bill(model, {name: MILLION})) == int(rate), name


def test_the_rates_are_named_like_the_pools() -> None:
    assert TOKEN_RATES.__class__ is tuple
    assert set(TOKEN_RATES) == set(POOL_NAMES)


@pytest.mark.parametrize(
    ("pool", "general"),
    [
        ("cached_input", "input"),
        ("cache_write_5m", "input"),
        ("cache_write_1h", "cache_write_5m"),
        ("cache_write_1h", "input"),
        ("reasoning", "output"),
        ("audio_input", "input"),
        ("audio_output", "output"),
        ("cached_audio_input", "cached_input"),
        ("cached_audio_input", "audio_input"),
        ("cached_audio_input", "input"),
        ("image_input", "input"),
        ("cached_image_input", "cached_input"),
        ("cached_image_input", "image_input"),
        ("image_output", "output"),
        ("video_input", "input"),
        ("video_output", "output"),
    ],
)
def test_a_pool_without_a_rate_is_billed_as_the_more_general_one(pool: str, general: str) -> None:
    cost = bill(model_of({general: "3"}), {pool: MILLION})

    assert usd(cost) == 3
    assert [(line.what, line.rate) for line in cost.lines] == [(pool, "3 USD/1M")]
    assert cost.warnings == ()


def test_a_pool_with_no_rate_at_all_is_named_and_never_free_without_a_word() -> None:
    cost = bill(model_of({"input": "0.02"}), input=MILLION, output=5, web_searches=2)

    assert usd(cost) == Fraction("0.02")
    assert cost.unpriced == ("output", "web searches")
    assert cost.warnings == ("pool_not_priced",)


def test_the_whole_request_switches_above_the_threshold_and_not_at_it() -> None:
    rates = {
        "input": ["1", [100, "2"], [200, "4"]],
        "cached_input": "0.5",
        "output": ["8", [100, "16"]],
    }
    model = model_of(rates)

    assert usd(bill(model, input=60, cached_input=40, output=10)) * MILLION == 60 + 20 + 80
    assert usd(bill(model, input=61, cached_input=40, output=10)) * MILLION == 122 + 20 + 160
    assert usd(bill(model, input=201, output=10)) * MILLION == 804 + 160


def test_every_pool_that_is_read_counts_for_the_threshold_and_none_that_is_written() -> None:
    model = model_of({"input": ["1", [100, "2"]], "output": "1"})

    for pool in POOL_NAMES:
        is_read = bill(model, {"input": 1, pool: 101})
        assert ("2 USD/1M" in {line.rate for line in is_read.lines}) == (
            pool not in {"output", "reasoning", "audio_output", "image_output", "video_output"}
        ), pool


def test_a_dated_price_holds_from_midnight_utc_wherever_the_moment_is_told() -> None:
    later = [{"effective_from": "2026-12-01", "rates": {"input": "4"}}]
    model = model_of({"input": "2"}, dated=later)
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    in_berlin = midnight.astimezone(timezone(timedelta(hours=1)))

    assert usd(bill(model, at=midnight - timedelta(microseconds=1), input=MILLION)) == 2
    assert usd(bill(model, at=midnight, input=MILLION)) == 4
    assert usd(bill(model, at=in_berlin, input=MILLION)) == 4
    assert usd(bill(model, at=in_berlin - timedelta(seconds=1), input=MILLION)) == 2


def test_the_last_price_that_is_active_wins_over_those_before_it() -> None:
    dated = [
        {"effective_from": "2026-03-01", "rates": {"input": "3"}},
        {"hours": ["01:00", "04:00"], "rates": {"input": "9"}},
    ]
    model = model_of({"input": "2"}, dated=dated)

    def at(day: int, hour: int, minute: int = 0) -> Fraction:
        moment = datetime(2026, day, 1, hour, minute, tzinfo=UTC)
        return usd(bill(model, at=moment, input=MILLION))

    assert [at(1, 0), at(1, 1), at(1, 3, 59), at(1, 4)] == [2, 9, 9, 2]
    assert [at(4, 0), at(4, 1), at(4, 4)] == [3, 9, 3]


def test_hours_may_go_over_midnight() -> None:
    model = model_of({"input": "2"}, dated=[{"hours": ["16:30", "00:30"], "rates": {"input": "1"}}])

    def at(hour: int, minute: int) -> Fraction:
        moment = datetime(2026, 5, 1, hour, minute, tzinfo=UTC)
        return usd(bill(model, at=moment, input=MILLION))

    assert [at(16, 29), at(16, 30), at(23, 59), at(0, 0), at(0, 29), at(0, 30)] == [
        2,
        1,
        1,
        1,
        1,
        2,
    ]


def test_a_service_tier_overrides_only_the_rates_that_it_states() -> None:
    batch = {"batch": [{"rates": {"input": "1", "output": "5"}}]}
    model = model_of({"input": "2", "cached_input": "0.5", "output": "10"}, variants=batch)

    cost = bill(model, tier="batch", input=MILLION, cached_input=MILLION, output=MILLION)

    assert usd(cost) == 1 + Fraction("0.5") + 5
    assert cost.warnings == ()


def test_of_dated_variants_the_first_active_one_wins_rate_by_rate() -> None:
    variants = {
        "flex": [
            {"effective_from": "2027-01-01", "rates": {"input": "7"}},
            {"effective_from": "2026-10-15", "rates": {"input": "1", "output": "2"}},
        ]
    }
    model = model_of({"input": "5", "output": "6"}, variants=variants)

    def at(year: int, month: int) -> tuple[Fraction, tuple[str, ...]]:
        moment = datetime(year, month, 1, tzinfo=UTC)
        cost = bill(model, at=moment, tier="flex", input=MILLION, output=MILLION)
        return usd(cost), cost.warnings

    assert at(2026, 9) == (Fraction(11), ("tier_not_priced",))
    assert at(2026, 12) == (Fraction(3), ())
    assert at(2027, 1) == (Fraction(9), ())


def test_a_service_tier_that_the_model_lacks_costs_the_standard_rate_and_says_so() -> None:
    cost = bill(model_of({"input": "2"}), tier="priority", input=MILLION)

    assert usd(cost) == 2
    assert cost.warnings == ("tier_not_priced",)


def test_a_tier_that_costs_the_same_is_priced() -> None:
    model = model_of({"input": "2"}, variants={"batch": [{"rates": {}}]})

    assert bill(model, tier="batch", input=MILLION).warnings == ()


def test_audio_is_billed_to_the_microsecond_without_rounding() -> None:
    cost = bill(model_of({"audio_hours": "0.111"}), seconds_micro=7_000_001)

    assert usd(cost) == Fraction("0.111") * 7_000_001 / (3600 * MILLION)
    assert [(line.what, line.quantity, line.rate) for line in cost.lines] == [
        ("audio seconds", "7.000001", "0.111 USD/hour")
    ]


def test_fewer_than_the_minimum_of_seconds_are_billed_as_the_minimum() -> None:
    model = model_of({"audio_hours": "3.6"}, minimum_seconds=10)

    assert usd(bill(model, seconds_micro=1)) == Fraction("0.01")
    assert usd(bill(model, seconds_micro=10_000_000)) == Fraction("0.01")
    assert usd(bill(model, seconds_micro=11_000_000)) == Fraction("0.011")
    assert usd(bill(model, seconds_micro=0)) == 0


def test_searches_and_requests_are_billed_by_the_thousand() -> None:
    model = model_of({"web_searches": "10", "requests": "12"})

    cost = bill(model, web_searches=3, requests=2)

    assert usd(cost) == Fraction("0.03") + Fraction("0.024")
    assert [(line.what, line.quantity, line.rate) for line in cost.lines] == [
        ("web searches", "3", "10 USD/1000"),
        ("request", "2", "12 USD/1000"),
    ]


def test_a_rate_of_eighteen_decimals_keeps_them_all() -> None:
    cost = bill(model_of({"input": "0.083333333333333341"}), input=3)

    assert usd(cost) == Fraction("0.083333333333333341") * 3 / MILLION


def test_an_own_price_of_the_operator_is_a_model_too() -> None:
    rates = {"input": Rate(10**18), "output": Rate(8 * 10**18)}
    model = flat_model(id="gpt-5", provider="openai", source="catalog", rates=rates)

    assert usd(bill(model, input=MILLION, reasoning=MILLION)) == 9


COUNTS = st.lists(st.integers(0, 3000), min_size=14, max_size=14)
STEEP = model_of(
    {
        "input": ["1", [2000, "2"], [9000, "2.5"]],
        "cached_input": "0.1",
        "cache_write_1h": "2",
        "output": ["4", [2000, "6"]],
        "audio_output": "64",
        "audio_hours": "0.36",
        "web_searches": "10",
        "requests": "1",
    },
    minimum_seconds=10,
)
LINEAR = model_of({"input": "1.25", "cached_input": "0.125", "output": "10", "web_searches": "10"})


@given(
    counts=COUNTS, more=st.integers(0, 13), by=st.integers(1, 5000), seconds=st.integers(0, 10**8)
)
def test_more_of_any_pool_never_costs_less(
    counts: list[int], more: int, by: int, seconds: int
) -> None:
    raised = [count + (by if at == more else 0) for at, count in enumerate(counts)]

    less = cost_part(STEEP, Metered(TokenPools(*counts), seconds, 1), at=NOW)
    same = cost_part(STEEP, Metered(TokenPools(*raised), seconds + by, 1 + by), at=NOW)

    assert 0 <= less.pico_numerator < same.pico_numerator


@given(one=COUNTS, other=COUNTS)
def test_without_tiers_two_parts_cost_what_both_cost_together(
    one: list[int], other: list[int]
) -> None:
    together = TokenPools(*one).plus(TokenPools(*other))

    costs = [
        cost_part(LINEAR, Metered(pools, requests=0), at=NOW).pico_numerator
        for pools in (TokenPools(*one), TokenPools(*other), together)
    ]

    assert costs[0] + costs[1] == costs[2]


@given(counts=COUNTS)
def test_the_lines_add_up_to_the_cost(counts: list[int]) -> None:
    cost = cost_part(STEEP, Metered(TokenPools(*counts), 5, 2), at=NOW)

    assert sum(line.pico_numerator for line in cost.lines) == cost.pico_numerator


def test_the_dearest_model_is_the_dearest_for_this_use() -> None:
    book = book_of(
        {
            "a": [
                {"id": "reads", "rates": {"input": "9", "output": "1"}},
                {"id": "writes", "rates": {"input": "1", "output": "9"}},
            ],
            "b": [{"id": "other", "rates": {"input": "50", "output": "50"}}],
        }
    )

    def choose(provider: str, **used: int) -> str:
        return dearest(book, provider, Metered(TokenPools(**used)), at=NOW).id

    assert choose("a", input=10, output=1) == "reads"
    assert choose("a", input=1, output=10) == "writes"
    assert choose("", input=1) == "other"
    assert choose("nobody", input=1) == "other"


def test_a_provider_that_would_bill_nothing_does_not_stand_for_an_unknown_model() -> None:
    book = book_of(
        {
            "a": [{"id": "text", "rates": {"input": "9"}}],
            "b": [{"id": "voice", "rates": {"audio_hours": "1"}}],
        }
    )

    assert dearest(book, "a", Metered(TokenPools(), seconds_micro=5), at=NOW).id == "voice"


def test_a_fee_for_the_request_says_nothing_of_what_was_used() -> None:
    book = book_of(
        {
            "a": [{"id": "fee", "rates": {"input": "1", "requests": "1000000"}}],
            "b": [
                {"id": "voice", "rates": {"audio_hours": "1"}},
                {"id": "rerank", "rates": {"requests": "2"}},
            ],
        }
    )

    def choose(provider: str, metered: Metered) -> str:
        return dearest(book, provider, metered, at=NOW).id

    assert choose("a", Metered(TokenPools(), seconds_micro=5)) == "voice"
    assert choose("a", Metered(TokenPools(input=1))) == "fee"
    assert choose("b", Metered(TokenPools(), requests=3)) == "fee"


def test_the_dearest_model_is_so_at_its_service_tier() -> None:
    half = {"batch": [{"rates": {"input": "1"}}]}
    book = book_of(
        {
            "a": [
                {"id": "x", "rates": {"input": "9"}, "variants": half},
                {"id": "y", "rates": {"input": "5"}},
            ]
        }
    )
    used = Metered(TokenPools(input=1))

    assert dearest(book, "a", used, at=NOW).id == "x"
    assert dearest(book, "a", used, at=NOW, service_tier="batch").id == "y"


@pytest.mark.parametrize("file", ["book.py", "book_names.py", "rates.py"])
def test_the_book_reckons_without_a_float(file: str) -> None:
    tree = ast.parse((DOMAIN / file).read_text(encoding="utf-8"))

    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        assert not (isinstance(node, ast.Name) and node.id in {"float", "round"})
