"""What holds of every price, whatever was used and whatever the catalog says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.building import ONE, STEADY
from tests.unit.priced import NOW, catalog_of, price, priced_with, usage_of
from tollkeeper.domain.catalog import Catalog, Flat, Local, Sizes
from tollkeeper.domain.entries import Resource
from tollkeeper.domain.errors import UnknownModelError
from tollkeeper.domain.pricing import Consumption, Priced, Standing, estimate_run, price_run
from tollkeeper.domain.rules import PerResource, Tokens
from tollkeeper.domain.usage import POOL_NAMES, TokenPools, Usage
from tollkeeper.edge.catalog_file import read_catalog

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "layers/catalog/catalog.toml"
FILES = [SHIPPED, *sorted((ROOT / "examples/catalogs").glob("*.toml"))]

# Why: a catalog is read anew for every example.
SOME = settings(STEADY, max_examples=60)
MODELS = ["gpt-5", "gpt-5-mini", "claude-sonnet", "claude-opus", "gifted", "unheard-of"]
COUNTS = st.integers(0, 3000)
POOLS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(POOL_NAMES), COUNTS, max_size=5
)
CREDITS = st.integers(1, 5 * ONE).map(lambda micro: f'"{micro // ONE}.{micro % ONE:06d}"')


@st.composite
def terms(draw: st.DrawFn, most: int = 4000) -> str:
    """A minimum, an allowance and tiers, each or none of them."""
    text = ""
    if draw(st.booleans()):
        text += f"minimum = {draw(CREDITS)}\n"
    allowance = draw(st.integers(0, most))
    if allowance:
        text += f"free_allowance = {allowance}\n"
    aboves = draw(st.lists(st.integers(allowance, 2 * most), max_size=3, unique=True))
    tiers = [f"{{ above = {a}, percent = {draw(st.integers(1, 200))} }}" for a in sorted(aboves)]
    return text + (f"tiers = [{', '.join(tiers)}]\n" if tiers else "")


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """A catalog with an operation of every rule, all with terms of their own."""
    policy = draw(st.sampled_from(["ceiling", "quarantine"]))
    return priced_with(
        f"""unknown_model = "{policy}"
markup = {draw(CREDITS)}
{draw(terms())}
[operations.family]
rule = "per_1k_tokens"
{draw(terms())}
[[operations.family.models]]
name = "any"
patterns = ["*"]
credits = {draw(CREDITS)}
[operations.call]
rule = "flat"
credits = {draw(CREDITS)}
{draw(terms(20))}
[operations.minute]
rule = "per_unit"
unit = "minute"
fractional = true
credits = {draw(CREDITS)}
{draw(terms(20))}
[operations.machine]
rule = "resource"
per_cpu_second = {draw(CREDITS)}
per_gb_second = {draw(CREDITS)}
{draw(terms(20))}
"""
    )


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation and what it used."""
    operation = draw(st.sampled_from(["llm", "family", "call", "minute", "machine"]))
    match operation:
        case "call":
            used: dict[str, Any] = {"quantity_micro": draw(st.integers(1, 30)) * ONE}
        case "minute":
            used = {"quantity_micro": draw(st.integers(1, 30 * ONE))}
        case "machine":
            numbers = [draw(st.integers(1, 10**5)) for _ in range(3)]
            used = {"resource": Resource(*numbers)}
        case _:
            used = {"usage": usage_of(**draw(POOLS)), "model": draw(st.sampled_from(MODELS))}
    return operation, used


OPERATIONS = ["llm", "family", "call", "minute", "machine"]


def standing(plan: str, used: int, is_first: bool) -> Standing:
    """A period that used so much of everything."""
    return Standing(plan, dict.fromkeys(OPERATIONS, used * ONE), is_first)


STANDINGS = st.builds(
    standing, st.sampled_from(["", "free", "pro"]), st.integers(0, 9000), st.booleans()
)


def values_of(value: Any) -> Iterator[object]:
    """Every value within a value."""
    if is_dataclass(value):
        for field in fields(value):
            yield from values_of(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            yield from values_of(each)
    else:
        yield value


def charged(
    catalog: Catalog, pools: dict[str, Any], model: str, standing: Standing, *, operation: str
) -> int:
    used = usage_of(**pools)
    priced = price(catalog, operation, model=model, usage=used, standing=standing)
    return priced.charged_microcredits


@SOME
@given(catalogs(), runs(), STANDINGS)
def test_a_price_holds_no_float_and_its_lines_add_up_to_it(
    catalog: Catalog, run: tuple[str, dict[str, Any]], standing: Standing
) -> None:
    priced = price(catalog, run[0], standing=standing, **run[1])

    kinds = {type(each) for each in values_of(priced)}
    assert kinds <= {int, str, bool, type(None), datetime}
    assert sum(x.credits_microcredits for x in priced.run.lines) == priced.charged_microcredits
    assert priced.charged_microcredits >= 0


@SOME
@given(catalogs(), runs(), STANDINGS)
def test_what_uses_anything_costs_something_unless_an_allowance_covers_all_of_it(
    catalog: Catalog, run: tuple[str, dict[str, Any]], standing: Standing
) -> None:
    operation, used = run
    priced = price(catalog, operation, standing=standing, **used)

    uses = used.get("usage")
    uses_something = uses is None or uses.pools.total() > 0
    volume, before = priced.run.volume_micro, priced.run.volume_before_micro
    terms = catalog.operations[operation].terms
    is_covered = terms.free_micro - before - volume >= 0 and terms.free_micro > before
    has_least = uses_something or (standing.is_first and terms.minimum_microcredits > 0)
    assert (priced.charged_microcredits > 0) == (has_least and not is_covered)


@SOME
@given(catalogs(), POOLS, st.sampled_from(POOL_NAMES), st.integers(1, 2000), st.data())
def test_more_of_any_kind_of_token_never_costs_less(
    catalog: Catalog, pools: dict[str, Any], pool: str, more: int, data: st.DataObject
) -> None:
    model, standing = data.draw(st.sampled_from(MODELS)), data.draw(STANDINGS)
    operation = data.draw(st.sampled_from(["llm", "family"]))
    larger = {**pools, pool: pools.get(pool, 0) + more}

    before = charged(catalog, pools, model, standing, operation=operation)
    assert charged(catalog, larger, model, standing, operation=operation) >= before


@SOME
@given(catalogs(), st.integers(1, 30 * ONE), st.integers(1, 30 * ONE), STANDINGS)
def test_more_units_never_cost_less(
    catalog: Catalog, quantity: int, more: int, standing: Standing
) -> None:
    one, other = (
        price(catalog, "minute", quantity_micro=each, standing=standing).charged_microcredits
        for each in (quantity, quantity + more)
    )
    assert one <= other


@lru_cache(maxsize=1)
def shipped() -> Catalog:
    return read_catalog(SHIPPED)


@lru_cache(maxsize=1)
def shipped_models() -> list[tuple[str, str]]:
    prices = shipped().prices
    assert prices is not None
    return [(model.id, model.provider) for model in prices.book.models()]


def shipped_price(model: tuple[str, str], pools: dict[str, Any]) -> Priced | None:
    """What a run of a model in the shipped book costs; None where it has no rate for any of it."""
    usage = Usage(TokenPools(**pools), None, None, ())
    consumption = Consumption("llm", model[0], usage=usage, provider=model[1], priced_at=NOW)
    try:
        return price_run(consumption, shipped())
    except UnknownModelError:
        return None


@STEADY
@given(st.data(), POOLS, st.sampled_from(POOL_NAMES), st.integers(1, 300_000))
def test_more_tokens_never_cost_less_at_the_rates_of_any_shipped_model(
    data: st.DataObject, pools: dict[str, Any], pool: str, more: int
) -> None:
    model = data.draw(st.sampled_from(shipped_models()))
    one = shipped_price(model, pools)
    other = shipped_price(model, {**pools, pool: pools.get(pool, 0) + more})
    assume(one is not None and other is not None)

    assert one is not None and other is not None
    assert one.charged_microcredits <= other.charged_microcredits
    assert (one.run.cost_picousd or 0) <= (other.run.cost_picousd or 0)


@STEADY
@given(st.sampled_from(["gpt-5", "claude-sonnet"]), POOLS, POOLS)
def test_a_cost_is_the_sum_of_what_its_halves_cost_and_a_charge_at_most_one_rounding_less(
    model: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    catalog = priced_with("")
    both = {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}
    halves, whole = (
        [priced_of(catalog, model, each) for each in (one, other)],
        priced_of(catalog, model, both),
    )

    assert whole.run.cost_picousd == sum(each.run.cost_picousd or 0 for each in halves)
    apart = sum(each.charged_microcredits for each in halves)
    assert whole.charged_microcredits <= apart <= whole.charged_microcredits + 1
    exact = Fraction(whole.run.cost_picousd or 0, 10**12) * Fraction("1.5") * 100 * ONE
    assert whole.charged_microcredits == -(-exact.numerator // exact.denominator)


def priced_of(catalog: Catalog, model: str, pools: dict[str, Any]) -> Priced:
    return price(catalog, model=model, usage=usage_of(**pools))


@STEADY
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 50))
def test_runs_one_after_the_other_cost_what_one_of_them_all_does(
    first: int, second: int, before: int
) -> None:
    catalog = catalog_of(
        """
[operations.sms]
rule = "per_unit"
unit = "message"
credits = 2
free_allowance = 40
tiers = [{ above = 60, percent = 80 }, { above = 200, percent = 50 }]
"""
    )

    def cost(count: int, used: int) -> int:
        standing = Standing("", {"sms": used * ONE})
        priced = price(catalog, "sms", quantity_micro=count * ONE, standing=standing)
        return priced.charged_microcredits

    assert cost(first, before) + cost(second, before + first) == cost(first + second, before)


@SOME
@given(
    catalogs(),
    st.lists(st.integers(1, 20_000), min_size=3, max_size=3),
    st.sampled_from(["llm", "family", "call", "minute"]),
    st.sampled_from(MODELS),
    STANDINGS,
)
def test_an_estimate_is_in_order(
    catalog: Catalog, sizes: list[int], operation: str, model: str, standing: Standing
) -> None:
    scale = 1 if operation in ("llm", "family") else ONE
    ordered = Sizes(*(size * scale for size in sorted(sizes)))
    consumption = Consumption(operation, model, priced_at=NOW)

    estimate = estimate_run(consumption, catalog, ordered, standing)
    assert (
        estimate.smallest_microcredits
        <= estimate.typical_microcredits
        <= estimate.largest_microcredits
    )


LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_operation_that_we_ship_has_a_path_to_zero(path: Path) -> None:
    catalog = read_catalog(path)

    for plan in ("", *catalog.plans):
        for name in catalog.operations:
            operation = catalog.operation_on(name, plan)
            assert operation.terms.free_micro == 0 or operation.counts_volume
            if isinstance(operation.rule, Local) or operation.rule == Flat(0):
                continue
            for consumption in smallest_runs(catalog, name, plan):
                standing = Standing(plan, {operation.feature: 10**15})
                assert price_run(consumption, catalog, standing).charged_microcredits > 0, (
                    plan,
                    consumption,
                )


def smallest_runs(catalog: Catalog, name: str, plan: str) -> Iterator[Consumption]:
    """The smallest run of every kind that the operation can be asked for."""
    rule = catalog.operation_on(name, plan).rule
    one = Consumption(name, priced_at=LATER)
    models: list[tuple[str | None, str]] = [
        (family.name, "") for family in getattr(rule, "models", ())
    ]
    if isinstance(rule, Tokens):
        assert catalog.prices is not None
        book = catalog.prices.book
        listed = ((model.id, model.provider) for model in book.models())
        models = [each for each in listed if book.find(*each) is not None]
        models += [(model.id, "") for _, model in catalog.prices.overrides]
    for model, provider in models or [(None, "")]:
        asked = replace(one, model=model, provider=provider)
        if isinstance(rule, PerResource):
            yield replace(asked, resource=Resource(1, 1, 1))
        elif isinstance(rule, Tokens):
            yield from (
                replace(asked, usage=Usage(pools, None, cost, ()))
                for pools, cost in cases_of(catalog, model or "", provider)
            )
        elif hasattr(rule, "models") and rule.__class__.__name__ == "Per1kTokens":
            yield from (
                replace(asked, usage=Usage(TokenPools(**{pool: 1}), None, 0, ()))
                for pool in POOL_NAMES
            )
        else:
            yield asked


def cases_of(
    catalog: Catalog, model: str, provider: str
) -> Iterator[tuple[TokenPools, int | None]]:
    """One token of each pool that has a rate, and costs that a provider may claim."""
    assert catalog.prices is not None
    found = catalog.prices.book.find(model, provider)
    rated = POOL_NAMES if found is None else tuple(found.applied(LATER).by_pool)
    for pool in rated:
        yield TokenPools(**{pool: 1}), None
        yield TokenPools(**{pool: 1}), 0
    yield TokenPools(), 1
