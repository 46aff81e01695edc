"""Whatever a run used, it costs what a second reading of the catalog's page says it costs."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.property.handlers.stack import load_catalog
from tests.property.handlers.versions import BOOKS, TEXTS
from tollkeeper.domain.book import COST_DENOMINATOR, cost_part
from tollkeeper.domain.book import Metered as TheirMetered
from tollkeeper.domain.entries import Resource
from tollkeeper.domain.errors import InvalidError, UnknownModelError
from tollkeeper.domain.pricing import Consumption, Priced, price_run
from tollkeeper.domain.pricing import Standing as Position
from tollkeeper.domain.usage import TokenPools, Usage, UsagePart
from tollkeeper.edge.book_file import parse_book

from .model import from_moment
from .model_book import Book, Metered, bill, pools_of
from .model_prices import (
    Charged,
    Consumed,
    Part,
    Prices,
    Standing,
    UnpricedError,
    UnsizedError,
)

SHIPPED = Path("layers/catalog/prices.json")
MOMENTS = (datetime(2026, 11, 20, 12, 0, tzinfo=UTC), datetime(2025, 3, 1, 17, 0, tzinfo=UTC))
MICRO = 1_000_000
PICO = 10**12
MODELS = [
    *("alpha-1", "alpha-1", "ALPHA-mini-2026", "alpha-dated", "zen-pro", "zen-max", "zen-lite"),
    *("alpha-own", "beta-9", "unheard-of", "gpt-4", None),
]
POOLS = (
    *("input", "cached_input", "cache_write_5m", "cache_write_1h", "output", "reasoning"),
    *("audio_input", "audio_output"),
)
TAKEN = ("cpu_ms", "mem_mb", "duration_ms")
TOKENS = st.one_of(st.integers(0, 5), st.integers(0, 1200), st.integers(990, 1010))
STARTS = [
    datetime(2026, 11, 30, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2028, 2, 29, 16, 30, tzinfo=UTC),
    datetime(2027, 6, 1, 22, 59, 59, tzinfo=UTC),
]
QUANTITIES = st.one_of(
    st.integers(1, 12).map(lambda n: n * MICRO), st.integers(1, 9_000_000), st.just(1)
)


@dataclass(frozen=True)
class Case:
    """A run, and of whom: as the product takes it and as the second reading does."""

    consumption: Consumption
    position: Position
    consumed: Consumed
    standing: Standing
    version: int


def metered(draw: st.DrawFn) -> dict[str, int]:
    """Tokens of some pools."""
    names = draw(st.lists(st.sampled_from(POOLS), min_size=1, max_size=4, unique=True))
    return {name: draw(TOKENS) for name in names}


def tokens(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A usage of one model, or of several, billed by the provider or not."""
    models = draw(st.lists(st.sampled_from(MODELS[:7]), max_size=3))
    several = [(model, metered(draw)) for model in models]
    pools = pools_of([each for _, each in several]) if several else metered(draw)
    reported = draw(st.sampled_from([None, None, None, 0, 1, 123_456_789, 10**11]))
    seconds = draw(st.sampled_from([0, 0, 0, 1, 3_600_000_000, 12_345_678]))
    searches = draw(st.sampled_from([0, 0, 0, 1, 7]))
    usage = Usage(
        pools=TokenPools(**pools),
        model=None,
        cost_picousd=reported,
        warnings=(),
        seconds_micro=seconds or None,
        web_searches=searches,
        parts=tuple(UsagePart(model, TokenPools(**each)) for model, each in several),
    )
    # A run is one request, whatever works on it: the first part is billed for all but tokens.
    whole = (Fraction(seconds, MICRO), searches, 1)
    parts = tuple(
        Part(model, Metered(each, *(whole if n == 0 else (Fraction(0), 0, 0))))
        for n, (model, each) in enumerate(several)
    )
    theirs = None if reported is None else Fraction(reported, PICO)
    used = Metered(pools, Fraction(seconds, MICRO), searches)
    return {"usage": usage}, {"used": used, "parts": parts, "reported": theirs}


def sized(draw: st.DrawFn, operation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """How large a run of the operation was."""
    if operation in ("ask", "think", "answer", "chat", "hello"):
        return tokens(draw)
    if operation == "machine":
        names = draw(st.sampled_from([TAKEN, TAKEN, TAKEN[:2], TAKEN[1:]]))
        taken = {name: draw(st.integers(1, 9_999)) for name in names}
        return {"resource": Resource(**taken)}, {"resource": taken}
    quantity = draw(QUANTITIES)
    return {"quantity_micro": quantity}, {"quantity": Fraction(quantity, MICRO)}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any run of any operation, at any moment, of any plan and after any volume."""
    operation = draw(
        st.sampled_from(
            ["ask", "ask", "think", "think", "answer", "chat", "machine", "page", "scan", "hello"]
        )
    )
    mine, theirs = sized(draw, operation)
    at = draw(st.sampled_from(STARTS)) + timedelta(milliseconds=draw(st.sampled_from([0, 1, 1001])))
    provider = draw(st.sampled_from(["", "", "acme", "zenith"]))
    tier = draw(st.sampled_from(["", "", "batch", "flex", "priority", "fast"]))
    model = draw(st.sampled_from(MODELS))
    plan = draw(st.sampled_from(["", "free", "rolling", "capped", "bare"]))
    before = draw(st.one_of(st.integers(0, 9).map(lambda n: n * 10**6), st.integers(0, 9 * 10**9)))
    return Case(
        Consumption(
            operation=operation,
            model=model,
            provider=provider,
            service_tier=tier,
            priced_at=at,
            **mine,
        ),
        Position(plan, {operation: before}),
        Consumed(operation, model, provider, tier, at=from_moment(at), **theirs),
        Standing(plan, Fraction(before, MICRO)),
        draw(st.integers(0, 1)),
    )


@given(case=cases())
@settings(max_examples=600)
def test_a_run_costs_what_the_second_reading_says(case: Case) -> None:
    note(str(case))
    catalog = load_catalog(TEXTS[case.version])
    prices = Prices(tomllib.loads(TEXTS[case.version]), json.loads(BOOKS[case.version]))

    try:
        expected = prices.price(case.consumed, case.standing)
    except UnpricedError:
        with pytest.raises(UnknownModelError):
            price_run(case.consumption, catalog, case.position)
        return
    except UnsizedError:
        with pytest.raises(InvalidError):
            price_run(case.consumption, catalog, case.position)
        return

    check_same(price_run(case.consumption, catalog, case.position), expected)


def check_same(priced: Priced, expected: Charged) -> None:
    """The charge, its lines, its cost and what it counts are the second reading's."""
    run = priced.run
    assert priced.charged_microcredits == expected.micro
    assert sum(line.credits_microcredits for line in run.lines) == expected.micro
    assert (run.cost_picousd is None) == (expected.usd is None)
    if expected.usd is not None and run.cost_picousd is not None:
        assert abs(run.cost_picousd - expected.usd * PICO) < 1
    assert Fraction(run.volume_micro, MICRO) == expected.volume
    assert bool(run.pending) == expected.is_pending
    # Which model stands in does not matter where two cost the same.
    assert bool(run.stands_for) == bool(expected.stands_for)
    if not expected.stands_for:
        assert expected.warnings == {"zero_provider_cost", "tier_not_priced"} & set(run.warnings)


def test_the_shipped_book_is_billed_as_the_second_reading_says() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    book, theirs = Book(json.loads(text)), parse_book(text)
    random = Random(17)
    billed = 0

    for model in book.all:
        found = next((m for m in theirs.models(model.provider) if m.id == model.id), None)
        if found is None:
            continue
        for tier, at in product(("", "batch", "priority"), MOMENTS):
            pools = {name: random.choice((0, 7, 999, 200_001, 272_001)) for name in POOLS}
            part = TheirMetered(TokenPools(**pools), web_searches=3)
            cost = cost_part(found, part, at=at, service_tier=tier)
            expected = bill(model, Metered(pools, searches=3), from_moment(at), tier)
            shown = Fraction(cost.pico_numerator, COST_DENOMINATOR * PICO)
            assert shown == expected.usd, (model.provider, model.id, tier, at, pools)
            assert ("tier_not_priced" in cost.warnings) == expected.is_plain
            billed += 1

    assert billed > 3_000
