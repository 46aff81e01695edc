"""A row's price computes to the same again, and each step to it can be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.deploying import OVERRIDE, write_catalog
from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, STEADY, a_key, a_run
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind, Line, Resource
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.domain.pricing import Consumption, Priced, Standing, price_run
from tollkeeper.domain.recompute import Recomputed, price_again, recompute
from tollkeeper.domain.rerating import BEFORE, COST_CHANGE, PRICE
from tollkeeper.domain.steps import STEPS, Step, explain, show_exact
from tollkeeper.domain.usage import TokenPools, Usage, UsagePart
from tollkeeper.edge.catalog_file import read_catalog
from tollkeeper.store.items import entry_from_item, entry_to_item

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@lru_cache(maxsize=8)
def catalog_of(**changed: str) -> Catalog:
    """The catalog of every rule, some of it changed."""
    with TemporaryDirectory() as folder:
        return read_catalog(write_catalog(Path(folder), **changed))


def row_of(priced: Priced, kind: EntryKind = EntryKind.CHARGE, **facts: Any) -> Entry:
    """The row that charges the run, as the table gives it back."""
    given_: dict[str, Any] = {"moved_microcredits": priced.charged_microcredits}
    entry = Entry(
        account=ACCOUNT,
        key=a_key(),
        seq=2,
        kind=kind,
        at=AT + timedelta(hours=3),
        delta_microcredits=-priced.charged_microcredits,
        available_after_microcredits=0,
        run=priced.run,
        **(given_ | facts),
    )
    return entry_from_item(entry_to_item(entry))


def again(entry: Entry, catalog: Catalog) -> Recomputed:
    """The row's price once more, with its trace."""
    return recompute(entry, catalog, is_traced=True)


def steps_of(priced: Priced, catalog: Catalog, **facts: Any) -> list[Step]:
    """The steps of its charge."""
    entry = row_of(priced, **facts)
    return list(explain(entry, again(entry, catalog)))


def used(**pools: int) -> Usage:
    """A usage of these pools."""
    return Usage(TokenPools(**pools), None, None, ())


def llm(usage: Usage, model: str = "gpt-5", **more: Any) -> Consumption:
    """A run of the model that is priced by what its provider bills."""
    more = {"operation": "llm", "priced_at": AT} | more
    return Consumption(model=model, usage=usage, **more)


COUNTS = st.integers(0, 400_000)
POOLS = st.builds(
    TokenPools,
    input=COUNTS,
    cached_input=st.integers(0, 999),
    output=COUNTS,
    reasoning=st.integers(0, 99),
    cache_write_5m=st.integers(0, 50),
)
MODELS = st.sampled_from(["gpt-5", "gpt-5-mini", "claude-5", "claude-5-haiku", "gpt-9", "large"])
PARTS = st.lists(
    st.builds(UsagePart, st.none() | MODELS, POOLS, st.integers(0, 3)), max_size=3
).map(tuple)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A usage of one model or of several, with a reported cost now and then."""
    parts: tuple[UsagePart, ...] = draw(PARTS)
    pools: TokenPools = draw(POOLS)
    for part in parts:
        pools = pools.plus(part.pools) if part is not parts[0] else part.pools
    return Usage(
        pools=pools,
        model=None,
        cost_picousd=draw(st.none() | st.integers(0, 10**12)),
        warnings=("total_only",) if draw(st.booleans()) else (),
        seconds_micro=draw(st.none() | st.integers(0, 10**10)),
        web_searches=sum(part.web_searches for part in parts),
        requests=draw(st.integers(1, 3)),
        parts=parts,
        provider=draw(st.sampled_from(["", "", "openai", "anthropic"])),
        service_tier=draw(st.sampled_from(["", "batch", "flex"])),
    )


CONSUMPTIONS = st.builds(
    Consumption,
    operation=st.sampled_from(
        ["llm", "llm", "bulk", "bulk", "chat", "image", "call", "voice", "render", "own"]
    ),
    model=st.none() | MODELS,
    quantity_micro=st.none() | st.integers(1, 50).map(lambda n: n * ONE) | st.integers(1, 9**8),
    usage=st.none() | usages(),
    label=st.sampled_from(["", "chat"]),
    subtype=st.sampled_from(["", "pdf"]),
    amount_microcredits=st.none() | st.none() | st.integers(1, 10**9),
    provider=st.sampled_from(["", "", "openai", "nobody"]),
    service_tier=st.sampled_from([None, "", "batch"]),
    resource=st.none() | st.builds(Resource, *[st.integers(1, 10**6)] * 3),
    priced_at=st.just(AT),
    occurred_at=st.none() | st.just(NOON),
)
STANDINGS = st.builds(
    Standing,
    plan=st.sampled_from(["", "free", "pro"]),
    volumes=st.dictionaries(
        st.sampled_from(["bulk", "call", "voice", "llm"]), st.integers(0, 30_000 * ONE)
    ),
    is_first=st.booleans(),
)
CHANGES = st.sampled_from(
    [{}, {"markup": "0.999999", "pro": ""}, {"unknown": "ceiling", "prices": OVERRIDE}]
)


@STEADY
@given(consumption=CONSUMPTIONS, standing=STANDINGS, changed=CHANGES)
def test_every_row_comes_to_the_same_price_lines_and_cost_again(
    consumption: Consumption, standing: Standing, changed: dict[str, str]
) -> None:
    catalog = catalog_of(**changed)
    try:
        priced = price_run(consumption, catalog, standing)
    except TollkeeperError:
        assume(False)
        return
    if not standing.is_first:
        priced = replace(priced, run=replace(priced.run, feature_count=0))
    entry = row_of(priced)

    found = again(entry, catalog)

    assert found.agrees is True, found.why
    assert found.priced is not None and found.trace is not None
    assert found.priced.charged_microcredits == priced.charged_microcredits
    assert found.trace.charged == priced.charged_microcredits
    assert found.priced.run.lines == priced.run.lines
    assert {step.step for step in explain(entry, found)} <= set(STEPS)


@STEADY
@given(consumption=CONSUMPTIONS, standing=STANDINGS)
def test_the_steps_add_up_to_the_price(consumption: Consumption, standing: Standing) -> None:
    catalog = catalog_of()
    try:
        priced = price_run(consumption, catalog, standing)
    except TollkeeperError:
        assume(False)
        return
    if not standing.is_first:
        priced = replace(priced, run=replace(priced.run, feature_count=0))

    steps = steps_of(priced, catalog)

    names = [step.step for step in steps]
    assert names == sorted(names, key=STEPS.index)
    if "named" in names:
        return
    by_markup = "markup" in names
    summed = [s for s in steps if s.step in (("markup",) if by_markup else ("rate",))]
    summed += [s for s in steps if s.step in ("allowance", "tiers")]
    # A run that used nothing has a moment of its rates, and no line and no markup.
    credits = sum(Fraction(s.numbers.get("credits", "0")) for s in summed)
    (rounding,) = [s for s in steps if s.step == "rounding"]
    exact, added = Fraction(rounding.numbers["exact"]), Fraction(rounding.numbers["added"])
    assert credits * ONE == exact
    assert 0 <= added < 1
    least = sum(Fraction(s.numbers["added"]) for s in steps if s.step == "minimum")
    assert exact + added + least * ONE == priced.charged_microcredits


def test_the_steps_of_a_run_can_be_followed_with_pencil_and_paper() -> None:
    catalog = catalog_of()
    priced = price_run(llm(used(input=1000, cached_input=30, output=201)), catalog)

    steps = steps_of(priced, catalog)

    assert [(step.step, step.text) for step in steps] == [
        ("usage", "llm on gpt-5: 1000 input, 30 cached input, 201 output"),
        ("rate", "the rates are those of 2026-11-20T12:00:00+00:00"),
        ("rate", "gpt-5 input: 1000 at 1.25 USD/1M = 0.00125 USD"),
        ("rate", "gpt-5 cached input: 30 at 0.125 USD/1M = 0.00000375 USD"),
        ("rate", "gpt-5 output: 201 at 10 USD/1M = 0.00201 USD"),
        ("markup", "0.00326375 USD x 1.5 at 0.01 USD per credit = 0.4895625 credits"),
        ("cost", "0.00326375 USD is what the provider bills"),
        ("rounding", "979125/2 micro-credits rounded up by 1/2: 0.489563 credits"),
    ]
    assert steps[0].numbers == {"input": "1000", "cached_input": "30", "output": "201"}


def test_the_plan_the_allowance_the_tiers_and_the_minimum_are_steps() -> None:
    catalog = catalog_of()
    on_pro = price_run(llm(used(input=1)), catalog, Standing("pro"))
    volumes = {"bulk": 900 * ONE}
    bulk = Consumption("bulk", "gpt-5", usage=used(input=6000), priced_at=AT)
    in_tiers = price_run(bulk, catalog, Standing("free", volumes))

    minimum = [s.text for s in steps_of(on_pro, catalog) if s.step in ("plan", "minimum")]
    pieces = [(s.step, s.text) for s in steps_of(in_tiers, catalog)]

    assert minimum == [
        "at the prices of the plan pro",
        "raised by 0.00085 to the least that a run costs: 0.001",
    ]
    assert ("plan", "at the prices of the plan free") in pieces
    assert ("allowance", "free allowance: 100 of it at 0%, -0.01875 credits") in pieces
    assert ("tiers", "above 5000 in the period: 1900 of it at 80%, -0.07125 credits") in pieces


def test_other_rules_show_their_own_rates() -> None:
    catalog = catalog_of()
    wanted = {
        "voice": Consumption("voice", quantity_micro=1_500_000),
        "render": Consumption("render", resource=Resource(1234, 512, 1000)),
        "image": Consumption("image", "large", quantity_micro=2 * ONE),
        "own": Consumption("own"),
    }
    rates = {
        name: [s.text for s in steps_of(price_run(each, catalog), catalog) if s.step == "rate"]
        for name, each in wanted.items()
    }

    assert rates == {
        "voice": ["voice: 1.5 at 0.333333/minute = 0.4999995 credits"],
        "render": [
            "render cpu seconds: 1.234 at 0.01 = 0.01234 credits",
            "render GB-seconds: 0.512 at 0.002 = 0.001024 credits",
            "render seconds: 1 at 0.001 = 0.001 credits",
        ],
        "image": ["image with large: 2 at 4 = 8 credits"],
        "own": ["Local mode, 0 credits: 1 at 0 = 0 credits"],
    }


def test_an_unknown_models_stand_in_is_named() -> None:
    catalog = catalog_of()
    priced = price_run(llm(used(input=10), model="gpt-9"), catalog)

    steps = steps_of(priced, catalog)

    assert priced.run.pending == "unknown_model"
    assert any("gpt-9 has no price here; gpt-5 stands for it" in step.text for step in steps)


def test_what_was_not_there_to_collect_and_the_grants_are_steps() -> None:
    catalog = catalog_of()
    priced = price_run(llm(used(input=1000)), catalog)
    facts = {"moved_microcredits": 100_000, "uncollected_microcredits": 87_500}

    steps = steps_of(priced, catalog, kind=EntryKind.SETTLE, hold="h1", **facts)

    assert steps[-1].text == "0.1 were collected, 0.0875 were not there"
    assert again(row_of(priced, EntryKind.SETTLE, hold="h1", **facts), catalog).agrees is True


def test_a_failed_run_costs_nothing_and_a_correction_is_held_against_its_own_price() -> None:
    catalog = catalog_of()
    priced = price_run(llm(used(input=1000)), catalog)
    failed = replace(priced.run, lines=(), cost_picousd=None)
    details = {PRICE: str(priced.charged_microcredits), BEFORE: "500000", COST_CHANGE: "0"}

    of_failed = again(row_of(Priced(failed, 0), EntryKind.RUN_FAILED), catalog)
    of_rerate = again(
        row_of(priced, EntryKind.RERATE, moved_microcredits=1, details=details), catalog
    )

    assert (of_failed.agrees, of_failed.stated_microcredits) == (True, 0)
    assert (of_rerate.agrees, of_rerate.stated_microcredits) == (True, priced.charged_microcredits)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"moved_microcredits": 187_501}, "the row says 0.187501 credits, and its inputs come to"),
        ({"lines": ()}, "the lines of the breakdown differ"),
        ({"cost_picousd": 7, "reported_picousd": 3}, "the row says"),
    ],
)
def test_what_does_not_agree_is_said(changed: dict[str, Any], says: str) -> None:
    catalog = catalog_of()
    priced = price_run(llm(used(input=1000)), catalog)
    facts = {name: each for name, each in changed.items() if name == "moved_microcredits"}
    run = {name: each for name, each in changed.items() if name not in facts}
    entry = row_of(replace(priced, run=replace(priced.run, **run)), **facts)

    found = again(entry, catalog)

    assert found.agrees is False
    assert found.why.startswith(says)


class TestRowsOfEarlierVersions:
    def test_a_sized_charge_has_all_that_it_needs(self) -> None:
        entry = row_of(a_run("minute", quantity=3 * ONE))

        assert again(entry, CATALOG).agrees is True

    @pytest.mark.parametrize("operation", ["chat", "video", "call"])
    def test_a_named_price_that_the_row_does_not_call_so_cannot_be_said(
        self, operation: str
    ) -> None:
        line = Line(operation, "1", "3", 3 * ONE)
        run = replace(a_run("video").run, operation=operation, lines=(line,), cost_picousd=None)
        entry = row_of(Priced(run, 3 * ONE), EntryKind.SETTLE, hold="h1")

        found = again(entry, CATALOG)

        assert found.agrees is None
        assert "does not say whether the caller named its price" in found.why

    def test_a_cost_that_the_provider_reported_cannot_be_said(self) -> None:
        priced = a_run("chat", model="gpt-4", tokens=100)
        run = replace(priced.run, cost_picousd=123_456)

        found = again(row_of(replace(priced, run=run)), CATALOG)

        assert found.agrees is None
        assert "what cost the provider reported" in found.why

    def test_an_operation_that_is_gone_is_said_and_no_error(self) -> None:
        run = replace(a_run("video").run, operation="gone")

        found = again(row_of(Priced(run, 7 * ONE)), CATALOG)

        assert (found.agrees, found.why) == (None, "The catalog has no operation 'gone'.")


def test_a_row_is_priced_under_another_catalog_with_the_volume_that_it_had() -> None:
    catalog, dearer = catalog_of(), catalog_of(markup="3")
    standing = Standing("free", {"bulk": 900 * ONE})
    bulk = Consumption("bulk", "gpt-5", usage=used(input=6000), priced_at=AT)
    entry = row_of(price_run(bulk, catalog, standing))

    assert price_again(entry, dearer) == price_run(replace(bulk, service_tier=""), dearer, standing)
    assert price_again(entry, dearer, Standing()).charged_microcredits > 0


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [
        (0, 7, "0"),
        (5, 1, "5"),
        (1, 3, "1/3"),
        (2, 6, "1/3"),
        (-3, 2, "-1.5"),
        (1, 10**12, "0.000000000001"),
        (7, 8, "0.875"),
        (-10, 3, "-10/3"),
        (10**30, 4 * 10**30, "0.25"),
    ],
)
def test_a_number_is_shown_exactly(numerator: int, denominator: int, shown: str) -> None:
    assert show_exact(numerator, denominator) == shown
    assert Fraction(shown) == Fraction(numerator, denominator)
