"""Rates at their bounds: tiers, days, hours, service tiers, and what stands for a missing one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tollkeeper.domain.rates import (
    RATE_NAMES,
    TOKEN_RATES,
    Applied,
    BookModel,
    DatedRates,
    Rate,
    find_rates,
    flat_model,
    same_standard_prices,
)

TIERED = Rate(1, ((10, 2), (20, 3)))
DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC)
ONE, TWO, THREE = Rate(1), Rate(2), Rate(3)


def a_model(*prices: DatedRates, **variants: tuple[DatedRates, ...]) -> BookModel:
    """A model with these prices."""
    return BookModel("m", "p", "s", prices, variants)


@pytest.mark.parametrize(
    ("tokens", "rate"), [(0, 1), (10, 1), (11, 2), (20, 2), (21, 3), (10**9, 3)]
)
def test_a_tier_begins_above_its_threshold(tokens: int, rate: int) -> None:
    assert TIERED.above(tokens) == rate


def test_rates_below_nothing_or_out_of_order_are_a_bug_that_stops() -> None:
    assert Rate(0, ((1, 0),)).above(2) == 0
    for base, tiers in ((-1, ()), (1, ((1, -1),)), (1, ((20, 1), (10, 2)))):
        with pytest.raises(AssertionError):
            Rate(base, tiers)


def test_a_dated_rate_is_active_from_its_day_on() -> None:
    dated = DatedRates({}, DAY)

    assert [dated.is_active(DAY + timedelta(days=n), 0) for n in (-1, 0, 1)] == [
        False,
        True,
        True,
    ]
    assert DatedRates({}).is_active(DAY, 86_399)


@pytest.mark.parametrize(
    ("hours", "active"),
    [
        ((10, 20), {10: True, 9: False, 19: True, 20: False}),
        ((20, 10), {20: True, 19: False, 9: True, 10: False}),
        ((10, 10), {10: False, 9: False, 11: False}),
    ],
)
def test_hours_are_active_from_the_first_second_until_before_the_last(
    hours: tuple[int, int], active: dict[int, bool]
) -> None:
    dated = DatedRates({}, hours=hours)

    assert {second: dated.is_active(DAY, second) for second in active} == active
    assert not replace(dated, effective_from=DAY + timedelta(days=1)).is_active(DAY, 10)


def test_the_last_active_price_applies_and_else_the_first() -> None:
    first, second, third = (
        DatedRates({"input": ONE}, DAY + timedelta(days=9)),
        DatedRates({"input": TWO}, DAY),
        DatedRates({"input": THREE}, DAY + timedelta(days=1)),
    )

    assert a_model(first, second, third).applied(AT).stated == {"input": TWO}
    assert a_model(first, third).applied(AT).stated == {"input": ONE}
    assert a_model(first, second, replace(third, effective_from=DAY)).applied(AT).stated == {
        "input": THREE
    }


def test_the_second_of_the_day_is_in_utc() -> None:
    at = DatedRates({"input": TWO}, hours=(12 * 3600 + 60 + 1, 12 * 3600 + 60 + 2))
    model = a_model(DatedRates({"input": ONE}), at)
    moment = AT + timedelta(minutes=1)
    abroad = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert model.applied(moment).stated == model.applied(abroad).stated == {"input": TWO}
    for seconds in (-1, 1):
        assert model.applied(moment + timedelta(seconds=seconds)).stated == {"input": ONE}


def test_the_machines_own_zone_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_model(DatedRates({"input": ONE}), DatedRates({"input": TWO}, hours=(43_201, 43_202)))
    with monkeypatch.context() as tokyo:
        tokyo.setenv("TZ", "Asia/Tokyo")
        time.tzset()

        applied = model.applied(AT)

    time.tzset()
    assert applied.stated == {"input": TWO}


def test_a_variant_may_be_active_in_some_hours_only() -> None:
    night = DatedRates({"input": TWO}, hours=(43_202, 43_203))
    model = a_model(DatedRates({"input": ONE}), batch=(night,))

    assert model.applied(AT, "batch").has_service_tier is False
    assert model.applied(AT + timedelta(seconds=1), "batch").stated == {"input": TWO}


def test_only_what_is_no_token_is_counted_otherwise() -> None:
    model = a_model(DatedRates({"video_output": ONE, "audio_hours": TWO}))

    assert model.applied(AT).by_count == {"audio_hours": TWO}


def test_the_first_active_variant_that_states_a_rate_overrides_it() -> None:
    model = a_model(
        DatedRates({"input": ONE, "output": ONE, "requests": ONE}),
        batch=(
            DatedRates({"input": THREE}, DAY + timedelta(days=1)),
            DatedRates({"input": TWO}),
            DatedRates({"input": THREE, "web_searches": THREE}),
        ),
    )

    applied = model.applied(AT, "batch")

    stated = {"input": TWO, "output": ONE, "requests": ONE, "web_searches": THREE}
    assert applied == Applied(
        by_pool=find_rates(stated),
        by_count={"web_searches": THREE, "requests": ONE},
        stated=stated,
        is_tiered=False,
        has_service_tier=True,
    )
    assert model.applied(AT, "flex").has_service_tier is False
    assert model.applied(AT).has_service_tier is True
    assert model.applied(AT).stated["input"] == ONE
    tomorrow = model.applied(AT + timedelta(days=1), "batch")
    assert tomorrow.stated["input"] == THREE


def test_a_model_of_one_price_that_is_not_active_yet_has_it_all_the_same() -> None:
    model = a_model(DatedRates({"input": TIERED}, DAY + timedelta(days=1)))

    applied = model.applied(AT)

    assert (applied.stated, applied.is_tiered) == ({"input": TIERED}, True)
    assert model.applied(AT) is applied


def test_every_pool_has_the_rate_of_the_nearest_one_that_is_stated() -> None:
    stated = {"input": ONE, "output": TWO}
    outputs = {"output", "reasoning", "audio_output", "image_output", "video_output"}

    found = find_rates(stated)

    assert found == {pool: TWO if pool in outputs else ONE for pool in TOKEN_RATES}
    assert find_rates({"audio_input": THREE, "input": ONE})["cached_audio_input"] == THREE
    assert find_rates({"cached_input": TWO, "audio_input": THREE})["cached_audio_input"] == TWO
    assert find_rates({"cache_write_5m": TWO, "input": ONE})["cache_write_1h"] == TWO
    assert find_rates({"cached_input": TWO, "image_input": ONE})["cached_image_input"] == TWO
    assert find_rates({"image_input": THREE, "input": ONE})["cached_image_input"] == THREE
    assert find_rates({"requests": ONE}) == {}
    assert RATE_NAMES[-3:] == ("audio_hours", "web_searches", "requests")


def test_a_flat_model_has_its_rates_at_all_times() -> None:
    assert flat_model(id="m", provider="p", source="s", rates={"input": ONE}) == BookModel(
        id="m", provider="p", source="s", prices=(DatedRates({"input": ONE}),)
    )


def test_models_cost_the_same_where_all_of_their_prices_are_equal() -> None:
    one, same = (a_model(DatedRates({"input": ONE})) for _ in range(2))
    other = replace(one, prices=(DatedRates({"input": TWO}),))

    assert same_standard_prices([one])
    assert same_standard_prices([one, replace(same, id="n", provider="q")])
    assert not same_standard_prices([one, same, other])
    assert not same_standard_prices([other, one])
