"""The price book says what the package it is made of says: same model, same dollars, all digits.

Ours differs on purpose, and only so: a model without a rate at some time is not found (nothing is
free by accident); the package divides hours by 3600 with rounding and we do not; a request fee is
counted once per request where the package counts one whatever the usage covers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tollkeeper.domain.book import COST_DENOMINATOR, BookModel, Metered, PriceBook, cost_part
from tollkeeper.domain.rates import SERVICE_TIERS
from tollkeeper.domain.usage import TokenPools
from tollkeeper.edge.book_file import parse_book, read_book

pytest.importorskip("genai_prices", reason="the price package is not installed")

from genai_prices import types
from genai_prices.data_snapshot import get_snapshot

from benchmarks.pricing import CASES, price_ours, price_theirs
from local.prices.making import make_book
from local.prices.source import read_package

SHIPPED = Path(__file__).resolve().parents[2] / "layers/catalog/prices.json"
CONTEXTS = {
    "": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
# Before any date of the data, between them, after them, and at the edges of hours of the day.
MOMENTS = [
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2026, 9, 30, 1, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 3, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 21, 16, 30, tzinfo=UTC),
    datetime(2027, 6, 1, 23, 59, 59, 999999, tzinfo=UTC),
]
SMALL = Metered(TokenPools(*range(1, 15)), seconds_micro=7_500_000, web_searches=3)
LARGE = Metered(TokenPools(*(31_000 + at for at in range(14))), seconds_micro=3_600_000_001)


@cache
def whole_book() -> PriceBook:
    """A book of every model that the package has."""
    source = read_package()
    patterns = [f"{provider.id}:*" for provider in source.providers]
    return parse_book(make_book(source, patterns, generated="2026-11-21").text)


@cache
def offered() -> dict[tuple[str, str], tuple[types.Provider, types.ModelInfo]]:
    """What the package has, by provider and model."""
    providers = get_snapshot().providers
    return {
        (provider.id, each.id): (provider, each)
        for provider in providers
        for each in provider.models
    }


def to_usage(part: Metered) -> types.Usage:
    """The same use as the package counts it: totals that contain their parts."""
    pools = part.pools
    cached = pools.cached_input + pools.cached_audio_input + pools.cached_image_input
    written = pools.cache_write_5m + pools.cache_write_1h
    audio, image = pools.audio_input, pools.image_input
    given: dict[str, int | Decimal | float] = {
        "input_tokens": pools.input + cached + written + audio + image + pools.video_input,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "cache_write_5m_tokens": pools.cache_write_5m,
        "cache_write_1h_tokens": pools.cache_write_1h,
        "input_audio_tokens": audio + pools.cached_audio_input,
        "cache_audio_read_tokens": pools.cached_audio_input,
        "input_image_tokens": image + pools.cached_image_input,
        "cache_image_read_tokens": pools.cached_image_input,
        "input_video_tokens": pools.video_input,
        "output_tokens": pools.output
        + pools.reasoning
        + pools.audio_output
        + pools.image_output
        + pools.video_output,
        "output_reasoning_tokens": pools.reasoning,
        "output_audio_tokens": pools.audio_output,
        "output_image_tokens": pools.image_output,
        "output_video_tokens": pools.video_output,
        "web_searches": part.web_searches,
    }
    if part.seconds_micro is not None:
        seconds = Decimal(part.seconds_micro).scaleb(-6)
        given |= {"audio_seconds": seconds, "input_audio_seconds": seconds}
    return types.Usage(**given)


def their_usd(key: tuple[str, str], part: Metered, at: datetime, tier: str) -> Decimal:
    """What the package says that it costs, to 80 digits."""
    provider, model = offered()[key]
    with localcontext() as context:
        context.prec = 80
        return model.calc_price(
            to_usage(part), provider, genai_request_timestamp=at, price_context=CONTEXTS[tier]
        ).total_price


def our_usd(model: BookModel, part: Metered, at: datetime, tier: str) -> Fraction:
    """What the book says that it costs."""
    cost = cost_part(model, part, at=at, service_tier=tier)
    return Fraction(cost.pico_numerator, 10**12 * COST_DENOMINATOR)


def assert_same(model: BookModel, part: Metered, at: datetime, tier: str) -> None:
    """Both say the same, to the last digit where the package does not round."""
    theirs = Fraction(their_usd((model.provider, model.id), part, at, tier))
    ours = our_usd(model, part, at, tier)
    if part.seconds_micro:
        assert abs(ours - theirs) < Fraction(1, 10**60), f"{model.source} {at} {tier}"
    else:
        assert ours == theirs, f"{model.source} {at} {tier}"


@pytest.mark.parametrize("tier", list(CONTEXTS))
def test_every_model_costs_what_the_package_says_at_any_time_and_tier(tier: str) -> None:
    for model in whole_book().models():
        if tier and tier not in model.variants:
            continue
        for at in MOMENTS:
            for part in (SMALL, LARGE):
                assert_same(model, part, at, tier)


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sound_usage_costs_what_the_package_says(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(list(whole_book().models())), label="model")
    counts = st.one_of(st.just(0), st.integers(0, 3_000), st.integers(0, 2_000_000))
    part = Metered(
        TokenPools(*data.draw(st.lists(counts, min_size=14, max_size=14))),
        seconds_micro=data.draw(st.one_of(st.none(), st.integers(0, 10**10))),
        web_searches=data.draw(st.integers(0, 50)),
    )
    at = data.draw(st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001
    zone = timedelta(minutes=data.draw(st.integers(-720, 840)))
    moment = (at - zone).replace(tzinfo=UTC)
    assert_same(model, part, moment, data.draw(st.sampled_from(["", *SERVICE_TIERS])))


def names_of(clause: types.MatchLogic) -> Iterator[str]:
    """Names that the clause is about: whole ones, and parts of one."""
    match clause:
        case types.ClauseOr(or_=parts) | types.ClauseAnd(and_=parts):
            for part in parts:
                yield from names_of(part)
        case types.ClauseRegex():
            pass
        case _:
            yield from vars(clause).values()


@cache
def names() -> list[tuple[str, str]]:
    """Every name that the package's clauses speak of, and some that are like them."""
    found: dict[tuple[str, str], None] = {}
    rng = random.Random(5)
    for (provider, _), (_, model) in offered().items():
        for name in (model.id, *names_of(model.match)):
            found[provider, name] = None
            if rng.random() < 0.3:
                end = rng.choice(
                    ["-20251211", "-2025-12-11", "-latest", ":free", "x", "-v1:0", "@20250101"]
                )
                found[provider, name + end] = None
    return list(found)


def their_model(name: str, provider: str | None) -> tuple[str, str] | None:
    """Which provider's model the package takes the name for."""
    try:
        found, model = get_snapshot().find_provider_model(name, None, provider, None)
    except LookupError:
        return None
    if any(each is model for each in found.models):
        return found.id, model.id
    return next((of, id_) for (of, id_), (_, each) in offered().items() if each is model)


def key_of(model: BookModel | None) -> tuple[str, str] | None:
    return (model.rates_of or model.provider, model.id) if model else None


def test_every_name_finds_the_model_that_the_package_finds_with_that_provider() -> None:
    book, priced = whole_book(), {key_of(model) for model in whole_book().models()}

    for provider, name in names():
        theirs = their_model(name, provider)

        if theirs in priced:
            assert key_of(book.find(name, provider)) == theirs, f"{provider} {name}"
        elif theirs is not None:
            assert book.find(name, provider) is None, f"{provider} {name} is free of charge"


def test_every_name_finds_the_model_that_the_package_finds_without_a_provider() -> None:
    book, priced = whole_book(), {key_of(model) for model in whole_book().models()}

    for _, name in names():
        theirs = their_model(name, None)

        if theirs in priced:
            assert key_of(book.find(name)) == theirs, name
        elif theirs is not None:
            assert book.find(name) is None, f"{name} is free of charge"


def test_the_shipped_book_never_finds_another_model_than_the_package() -> None:
    book = read_book(SHIPPED)
    enabled = {key_of(model) for model in book.models()}

    for provider, name in names():
        theirs, ours = their_model(name, provider), key_of(book.find(name, provider))

        assert ours == theirs if theirs in enabled else theirs is None or ours is None, name


def test_a_resold_model_has_the_makers_standard_rates_and_no_variants() -> None:
    model = whole_book().find("gpt-4o", "azure")

    assert model is not None
    assert (model.provider, model.rates_of, model.variants) == ("azure", "openai", {})
    at = datetime(2026, 11, 21, tzinfo=UTC)
    azure = next(each for each in get_snapshot().providers if each.id == "azure")
    found = azure.find_model("gpt-4o", all_providers=get_snapshot().providers)
    assert found is not None
    theirs = found.calc_price(
        types.Usage(input_tokens=10, output_tokens=7),
        azure,
        genai_request_timestamp=at,
        price_context=CONTEXTS["batch"],
    )
    cost = cost_part(model, Metered(TokenPools(input=10, output=7)), at=at, service_tier="batch")
    assert Fraction(cost.pico_numerator, 10**12 * COST_DENOMINATOR) == Fraction(theirs.total_price)
    assert cost.warnings == ("tier_not_priced",)


@pytest.mark.parametrize("name", list(CASES))
def test_a_raw_answer_costs_what_the_package_reads_out_of_it(name: str) -> None:
    answer, provider, flavor = CASES[name]

    assert price_ours(read_book(SHIPPED), answer, provider) == price_theirs(
        answer, provider, flavor
    )
