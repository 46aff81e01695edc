"""A row priced again: in which standing, at whose moment, and what an old row leaves unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, ONE, a_key, a_run
from tests.unit.building import CATALOG as PLAIN
from tests.unit.priced import LLM, PRICES, catalog_of, price, priced_with, usage_of
from tollkeeper.domain.book import BookModel, DatedRates, Rate, flat_model
from tollkeeper.domain.entries import Entry, EntryKind, Line, Resource, Run
from tollkeeper.domain.pricing import Consumption, Priced, Standing, price_run
from tollkeeper.domain.recompute import UNSAID, UNSAID_COST, Recomputed, price_again, recompute
from tollkeeper.domain.rerating import BEFORE, COST_CHANGE, PRICE
from tollkeeper.domain.steps import explain
from tollkeeper.domain.usage import TokenPools

LATER = datetime(2026, 12, 5, tzinfo=UTC)
SMS = '[operations.sms]\nrule = "per_unit"\nunit = "message"\ncredits = 2\nfree_allowance = 3\n'


def row_of(run: Run, kind: EntryKind = EntryKind.CHARGE, amount: int = 0, **facts: Any) -> Entry:
    """A row of the run in December."""
    given: dict[str, Any] = {"moved_microcredits": amount, "delta_microcredits": -amount}
    return Entry(
        account=ACCOUNT,
        key=a_key(),
        seq=2,
        kind=kind,
        at=LATER,
        available_after_microcredits=0,
        run=run,
        **(given | facts),
    )


class TestPriceAgain:
    def test_a_run_stands_where_it_stood_unless_another_standing_is_given(self) -> None:
        catalog = catalog_of(SMS + "[plans.pro.prices.sms]\ncredits = 5")
        used = Consumption("sms", quantity_micro=4 * ONE)
        priced = price_run(used, catalog, Standing("free", {"sms": 2 * ONE}))
        entry = row_of(priced.run)

        again = price_again(entry, catalog)
        other = price_again(entry, catalog, Standing("pro", {"sms": ONE}))

        assert (priced.charged_microcredits, again.charged_microcredits) == (6 * ONE, 6 * ONE)
        assert other.charged_microcredits == 10 * ONE
        assert (other.run.plan, other.run.volume_before_micro) == ("pro", ONE)

    def test_a_run_without_a_moment_is_priced_at_that_of_its_row(self) -> None:
        believed = priced_with("")
        measured = catalog_of(PRICES + "use_provider_cost = false\n" + LLM)
        run = price(believed, model="gpt-dated", usage=usage_of(cost=5, input=1000)).run

        again = price_again(row_of(run), measured)

        assert run.priced_at is None
        assert (again.run.priced_at, again.run.cost_picousd) == (LATER, 2 * 10**9)

    def test_a_run_with_a_moment_is_priced_at_that(self) -> None:
        catalog = priced_with("")
        priced = price(catalog, model="gpt-dated", usage=usage_of(input=1000))

        assert price_again(row_of(priced.run), catalog) == priced

    def test_a_run_has_its_volume_by_whatever_name_the_catalog_has_for_it(self) -> None:
        catalog = catalog_of(SMS)
        renamed = catalog_of(SMS + 'feature = "texts"\n')
        used = Consumption("sms", quantity_micro=4 * ONE)
        entry = row_of(price_run(used, catalog, Standing("free", {"sms": 2 * ONE})).run)

        again = price_again(entry, renamed)

        assert (again.run.feature, again.run.volume_before_micro) == ("texts", 2 * ONE)
        assert again.charged_microcredits == 6 * ONE


class TestWhatIsSaid:
    def test_a_failed_run_agrees_only_where_it_neither_cost_nor_moved_anything(self) -> None:
        run = Run("call")

        found = [
            recompute(row_of(run, EntryKind.RUN_FAILED, amount, delta_microcredits=delta), PLAIN)
            for amount, delta in ((0, 0), (0, -1), (1, 0))
        ]

        assert found == [Recomputed(True, 0), Recomputed(False, 0), Recomputed(False, 1)]

    def test_a_price_that_differs_and_may_be_named_is_said_with_what_the_row_states(self) -> None:
        line = Line("video", "1", "3", 3 * ONE)
        run = replace(a_run("video").run, lines=(line,), cost_picousd=None, quantity_micro=None)

        assert recompute(row_of(run, EntryKind.SETTLE, 3 * ONE), PLAIN) == Recomputed(
            None, 3 * ONE, UNSAID
        )

    def test_a_cost_that_may_have_been_reported_is_said_with_the_price_and_its_trace(self) -> None:
        priced = a_run("chat", model="gpt-4", tokens=100)
        row = row_of(
            replace(priced.run, cost_picousd=1), EntryKind.CHARGE, priced.charged_microcredits
        )

        found = recompute(row, PLAIN, is_traced=True)

        assert found.priced is not None and found.trace is not None
        assert found.trace.charged == found.priced.charged_microcredits
        assert found == Recomputed(
            None, priced.charged_microcredits, UNSAID_COST, found.priced, found.trace
        )


class TestNamedPrices:
    BARE = Run("chat", lines=(Line("chat", "1", "7", 7 * ONE),))

    @pytest.mark.parametrize("kind", [EntryKind.HOLD, EntryKind.SETTLE])
    def test_one_line_of_a_hold_or_settle_may_be_a_price_that_was_named(
        self, kind: EntryKind
    ) -> None:
        unsaid = recompute(row_of(self.BARE, kind, 7 * ONE), PLAIN)

        assert unsaid == Recomputed(None, 7 * ONE, UNSAID)

    @pytest.mark.parametrize(
        ("kind", "changed"),
        [
            (EntryKind.CHARGE, {}),
            (EntryKind.HOLD, {"pools": TokenPools(1)}),
            (EntryKind.HOLD, {"quantity_micro": ONE}),
            (EntryKind.HOLD, {"resource": Resource(1)}),
            (EntryKind.HOLD, {"lines": ()}),
            (EntryKind.HOLD, {"lines": (Line("chat", "1", "8", 8 * ONE),)}),
        ],
        ids=str,
    )
    def test_any_other_row_says_what_it_lacks(
        self, kind: EntryKind, changed: dict[str, Any]
    ) -> None:
        found = recompute(row_of(replace(self.BARE, **changed), kind, 7 * ONE), PLAIN)

        assert found.agrees is None
        assert found.why not in ("", UNSAID)

    def test_a_price_that_the_row_says_was_named_is_held_to_it(self) -> None:
        priced = price_run(Consumption("chat", amount_microcredits=7 * ONE), PLAIN)

        found = recompute(row_of(priced.run, EntryKind.HOLD, 7 * ONE), PLAIN)
        wrong = recompute(row_of(priced.run, EntryKind.HOLD, 8 * ONE), PLAIN)

        assert found == Recomputed(True, 7 * ONE, "", priced)
        assert wrong == Recomputed(
            False, 8 * ONE, "the row says 8 credits, and its inputs come to 7", priced
        )


def correction(priced: Priced, moved: int, change: int) -> list[str]:
    """What the steps say of a correction."""
    details = {PRICE: str(priced.charged_microcredits), BEFORE: "5", COST_CHANGE: "0"}
    entry = row_of(
        priced.run,
        EntryKind.RERATE,
        moved,
        delta_microcredits=change,
        details=details,
        refers_to=a_key("before"),
    )
    steps = explain(entry, recompute(entry, PLAIN, is_traced=True))
    return [step.text for step in steps if step.step == "rerate"]


def test_a_correction_says_which_way_its_credits_moved() -> None:
    priced = a_run("sms", quantity=3 * ONE)

    assert correction(priced, 0, 0) == ["the charge was of that price: nothing moves"]
    assert correction(priced, 1_500_000, 1_500_000) == [
        "the charge is corrected: 1.5 credits went back"
    ]
    assert correction(priced, 1, 1) == ["the charge is corrected: 0.000001 credits went back"]
    assert correction(priced, 2 * ONE, -2 * ONE) == [
        "the charge is corrected: 2 credits were taken beside it"
    ]


def test_rates_of_an_operators_own_are_those_of_all_times() -> None:
    rates = {"input": Rate(5)}

    assert flat_model(id="m", provider="p", source="s", rates=rates) == BookModel(
        id="m", provider="p", source="s", prices=(DatedRates(rates),)
    )
