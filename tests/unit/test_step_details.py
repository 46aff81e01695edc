"""Steps of a price with all of their numbers, and what is shown where a part of it is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE, a_grant, a_key, a_run
from tests.unit.test_recompute import AT, catalog_of, llm, row_of, used
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind, Resource, Run
from tollkeeper.domain.grants import Draw, GrantKind
from tollkeeper.domain.pricing import Consumption, Priced, Standing, price_run
from tollkeeper.domain.recompute import Recomputed, recompute
from tollkeeper.domain.steps import MOST_DECIMALS, STEPS, Step, explain, show_exact
from tollkeeper.domain.usage import TokenPools, UsagePart

STANDINGS = Standing("free", {"bulk": 900 * ONE})


def steps_of(entry: Entry, catalog: Catalog) -> list[Step]:
    """The steps of the row."""
    return list(explain(entry, recompute(entry, catalog, is_traced=True)))


def priced(consumption: Consumption, standing: Standing | None = None) -> list[Step]:
    """The steps of its charge."""
    catalog = catalog_of()
    return steps_of(row_of(price_run(consumption, catalog, standing or Standing())), catalog)


def only(steps: list[Step], *names: str) -> list[Step]:
    """Those of these names."""
    return [step for step in steps if step.step in names]


def unpriced(run: Run, kind: EntryKind = EntryKind.CHARGE, **facts: Any) -> list[Step]:
    """The steps of a row whose price nobody can compute again."""
    given: dict[str, Any] = {"delta_microcredits": 0} | facts
    entry = Entry(
        account=ACCOUNT,
        key=a_key(),
        seq=2,
        kind=kind,
        at=NOON,
        available_after_microcredits=0,
        run=run,
        **given,
    )
    return list(explain(entry, Recomputed(None, 0, "why")))


# ---- What was used


def test_everything_that_was_used_is_counted_by_its_name() -> None:
    run = Run(
        "call",
        quantity_micro=1_500_000,
        pools=TokenPools(input=5, cache_write_5m=7),
        seconds_micro=2_500_000,
        web_searches=3,
        resource=Resource(1, 2, 3),
    )

    assert unpriced(run) == [
        Step(
            "usage",
            "call: 5 input, 7 cache write 5m, 1.5 quantity, 2.5 audio seconds, 3 web searches, "
            "1 cpu ms, 2 mem mb, 3 duration ms",
            {
                "input": "5",
                "cache_write_5m": "7",
                "quantity": "1.5",
                "audio_seconds": "2.5",
                "web_searches": "3",
                "cpu_ms": "1",
                "mem_mb": "2",
                "duration_ms": "3",
            },
        )
    ]


@pytest.mark.parametrize(
    ("resource", "numbers"),
    [
        (Resource(cpu_ms=5), {"cpu_ms": "5"}),
        (Resource(mem_mb=5), {"mem_mb": "5"}),
        (Resource(duration_ms=0), {"duration_ms": "0"}),
    ],
)
def test_only_what_was_measured_of_a_machine_is_told(
    resource: Resource, numbers: dict[str, str]
) -> None:
    assert unpriced(Run("render", resource=resource))[0].numbers == numbers


def test_a_run_that_counted_nothing_is_one_call() -> None:
    assert unpriced(Run("call", "m")) == [Step("usage", "call on m: one call")]


def test_each_part_of_a_run_says_whose_tokens_it_had() -> None:
    parts = (
        UsagePart("mini", TokenPools(input=5, cached_input=6), 2),
        UsagePart(None, TokenPools(output=1)),
        UsagePart(None, TokenPools()),
    )

    named = unpriced(Run("llm", "gpt-5", parts=parts))
    unnamed = unpriced(Run("llm", parts=parts[1:2]))

    assert named[1:] == [
        Step(
            "usage",
            "of these by mini: 5 input, 6 cached input",
            {"input": "5", "cached_input": "6", "web_searches": "2"},
        ),
        Step("usage", "of these by gpt-5: 1 output", {"output": "1"}),
        Step("usage", "of these by gpt-5: no tokens"),
    ]
    assert unnamed[1:] == [Step("usage", "of these by the same model: 1 output", {"output": "1"})]


# ---- Rates, cost and rounding


def test_every_step_has_its_exact_numbers() -> None:
    steps = priced(llm(used(input=1000, output=201)))

    assert [(step.step, step.numbers) for step in steps] == [
        ("usage", {"input": "1000", "output": "201"}),
        ("rate", {"priced_at": "2026-11-20T12:00:00+00:00"}),
        ("rate", {"quantity": "1000", "rate": "1.25 USD/1M", "usd": "0.00125"}),
        ("rate", {"quantity": "201", "rate": "10 USD/1M", "usd": "0.00201"}),
        (
            "markup",
            {"usd": "0.00326", "markup": "1.5", "usd_per_credit": "0.01", "credits": "0.489"},
        ),
        ("cost", {"usd": "0.00326"}),
        ("rounding", {"exact": "489000", "added": "0", "credits": "0.489"}),
    ]
    assert steps[-1].text == "489000 micro-credits, nothing to round: 0.489 credits"
    assert {step.step for step in steps} <= set(STEPS)


def test_what_is_rounded_up_is_told_to_the_last_part() -> None:
    (step,) = only(priced(llm(used(input=1, output=201))), "rounding")

    assert step == Step(
        "rounding",
        "603375/2 micro-credits rounded up by 1/2: 0.301688 credits",
        {"exact": "603375/2", "added": "1/2", "credits": "0.301688"},
    )


def test_the_terms_of_an_account_are_steps_with_their_numbers() -> None:
    bulk = Consumption("bulk", "gpt-5", usage=used(input=6000), priced_at=AT)

    steps = only(priced(bulk, STANDINGS), "plan", "allowance", "tiers")

    assert steps == [
        Step("plan", "at the prices of the plan free"),
        Step(
            "allowance",
            "free allowance: 100 of it at 0%, -0.01875 credits",
            {
                "used_before": "900",
                "quantity": "100",
                "percent": "0%",
                "credits": "-0.01875",
            },
        ),
        Step(
            "tiers",
            "above 5000 in the period: 1900 of it at 80%, -0.07125 credits",
            {
                "used_before": "900",
                "quantity": "1900",
                "percent": "80%",
                "credits": "-0.07125",
            },
        ),
    ]


def test_a_minimum_says_what_it_adds_and_a_price_above_it_says_nothing() -> None:
    small = priced(llm(used(input=1)), Standing("pro"))
    large = priced(llm(used(input=1000)), Standing("pro"))

    assert only(small, "minimum") == [
        Step(
            "minimum",
            "raised by 0.00085 to the least that a run costs: 0.001",
            {"minimum": "0.001", "added": "0.00085"},
        )
    ]
    assert only(large, "minimum") == []


def test_a_rate_in_credits_has_its_numbers() -> None:
    assert only(priced(Consumption("voice", quantity_micro=1_500_000)), "rate") == [
        Step(
            "rate",
            "voice: 1.5 at 0.333333/minute = 0.4999995 credits",
            {"quantity": "1.5", "rate": "0.333333/minute", "credits": "0.4999995"},
        )
    ]


def test_a_price_in_credits_is_told_in_credits_though_its_tokens_cost_something() -> None:
    steps = priced(Consumption("call", "gpt-5", usage=used(input=1000), priced_at=AT))

    assert [step.text for step in only(steps, "rate", "markup")] == ["call: 1 at 0.5 = 0.5 credits"]


def test_a_price_that_the_caller_named_is_one_step_and_is_not_rounded() -> None:
    named = replace(llm(used(input=1)), amount_microcredits=1_500_000)

    steps = priced(named)

    assert only(steps, "rate", "markup", "rounding") == []
    assert only(steps, "named") == [
        Step("named", "the caller named the price: 1.5 credits", {"credits": "1.5"})
    ]


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        (None, "is what the provider bills"),
        (7, "is what the provider bills"),
        (1_250_000_000, "as the provider reported"),
    ],
)
def test_a_cost_says_who_said_it(reported: int | None, said: str) -> None:
    catalog = catalog_of()
    run = price_run(llm(used(input=1000)), catalog)
    asked = replace(run.run, reported_picousd=reported)
    again = recompute(row_of(run), catalog, is_traced=True)
    assert again.priced is not None
    told = replace(again, priced=replace(again.priced, run=asked))

    (step,) = only(list(explain(row_of(run), told)), "cost")

    assert step == Step("cost", f"0.00125 USD {said}", {"usd": "0.00125"})


def test_the_model_that_stands_for_an_unknown_one_is_told_first() -> None:
    catalog = catalog_of()
    price = price_run(llm(used(input=10), model="gpt-9"), catalog)

    named = only(steps_of(row_of(price), catalog), "rate")[0]

    assert named == Step("rate", "gpt-9 has no price here; gpt-5 stands for it")
    nameless = Consumption("llm", usage=used(input=10), priced_at=AT)
    assert only(priced(nameless), "rate")[0] == Step(
        "rate", "the model has no price here; claude-5 stands for it"
    )


# ---- What was collected, and from where


def test_a_failed_run_costs_nothing() -> None:
    assert unpriced(Run("call"), EntryKind.RUN_FAILED)[1:] == [
        Step("failed", "the run failed and costs nothing", {"credits": "0"})
    ]


def test_what_was_not_there_has_its_numbers() -> None:
    short = {"moved_microcredits": 100_000, "uncollected_microcredits": 1}

    assert unpriced(Run("call"), EntryKind.SETTLE, **short)[1:] == [
        Step(
            "collected",
            "0.1 were collected, 0.000001 were not there",
            {"collected": "0.1", "uncollected": "0.000001"},
        )
    ]


def test_a_correction_is_one_only_where_it_names_its_charge() -> None:
    facts = {"uncollected_microcredits": -500_000}

    corrected = unpriced(Run("call"), EntryKind.RERATE, refers_to=a_key("k"), **facts)
    alone = unpriced(Run("call"), EntryKind.RERATE, **facts)

    assert corrected[1:] == [
        Step(
            "rerate",
            "the charge was of that price: nothing moves",
            {"uncollected": "-0.5"},
        )
    ]
    assert [step.step for step in alone[1:]] == ["collected"]


def test_each_grant_that_paid_is_a_step_and_what_a_hold_had_comes_first() -> None:
    held, drawn = (Draw(a_grant(n, 9, GrantKind.PROMO), n * ONE) for n in (1, 2))
    facts = {"settled": (held,), "draws": (drawn,), "debt_change_microcredits": 1_500_000}

    assert unpriced(Run("call"), EntryKind.SETTLE, **facts)[1:] == [
        Step(
            "grants",
            "1 from g1 (promo)",
            {"grant": "g1", "kind": "promo", "credits": "1"},
        ),
        Step(
            "grants",
            "2 from g2 (promo)",
            {"grant": "g2", "kind": "promo", "credits": "2"},
        ),
        Step("grants", "1.5 as overdraft", {"debt_change": "1.5"}),
    ]


@pytest.mark.parametrize(
    ("kind", "delta", "way"),
    [
        (EntryKind.RERATE, 1, "into"),
        (EntryKind.RERATE, 0, "from"),
        (EntryKind.RERATE, -1, "from"),
        (EntryKind.CHARGE, 1, "from"),
    ],
)
def test_only_a_correction_that_gives_back_puts_into_grants(
    kind: EntryKind, delta: int, way: str
) -> None:
    facts = {
        "draws": (Draw(a_grant(1, 9), ONE),),
        "delta_microcredits": delta,
        "debt_change_microcredits": -1,
    }

    *_, drawn, debt = unpriced(Run("call"), kind, **facts)

    assert drawn.text == f"1 {way} g1 (promo)"
    assert debt == Step("grants", "0.000001 pay debt", {"debt_change": "-0.000001"})


def test_the_smallest_overdraft_is_told() -> None:
    assert unpriced(Run("call"), debt_change_microcredits=1)[1:] == [
        Step("grants", "0.000001 as overdraft", {"debt_change": "0.000001"})
    ]


def test_a_price_that_nobody_traced_has_no_steps_of_its_own() -> None:
    catalog = catalog_of()
    entry = row_of(price_run(llm(used(input=1000)), catalog))

    assert [step.step for step in explain(entry, recompute(entry, catalog))] == ["usage"]


# ---- Numbers


def test_a_number_of_very_many_decimals_is_a_fraction() -> None:
    assert show_exact(1, 2**MOST_DECIMALS).startswith("0.")
    assert show_exact(1, 2 ** (MOST_DECIMALS + 1)) == f"1/{2 ** (MOST_DECIMALS + 1)}"
    assert show_exact(1, 5**MOST_DECIMALS).startswith("0.")
    assert show_exact(3, 5 ** (MOST_DECIMALS + 1)) == f"3/{5 ** (MOST_DECIMALS + 1)}"
    assert show_exact(1, 4 * 125) == "0.002"
    assert show_exact(1, 16 * 5) == "0.0125"


def test_a_run_of_the_plain_catalog_is_priced_in_credits() -> None:
    steps = steps_of(row_of(Priced(a_run("video").run, 7 * ONE)), CATALOG)

    assert only(steps, "rate") == [
        Step("rate", "video: 1 at 7 = 7 credits", {"quantity": "1", "rate": "7", "credits": "7"})
    ]
