"""Runs as rows: what is written is what is read, and only what a run has is written."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from benchmarks.sizes import item_bytes
from tests.unit.building import NOON, ONE, a_key, an_account, done, draft_of
from tests.unit.holding import opened
from tests.unit.priced import llm, price, priced_with, usage_of
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.entries import Line, Resource, Run
from tollkeeper.domain.held import Terms
from tollkeeper.domain.usage import TokenPools, UsagePart
from tollkeeper.store.items import (
    account_from_item,
    account_to_item,
    entry_from_item,
    entry_to_item,
)
from tollkeeper.store.rows import hold_from_row, hold_to_row
from tollkeeper.store.runs import run_from_row, run_to_row

FULL = Run(
    operation="llm",
    model="gpt-5",
    label="chat/pdf",
    feature="llm",
    feature_count=2,
    service="openai",
    subtype="pdf",
    quantity_micro=3,
    pools=TokenPools(input=5, video_output=7),
    cost_picousd=11,
    lines=(Line("gpt-5 input", "5", "1 USD/1M", 13),),
    price_version="v1",
    response_time_ms=17,
    occurred_at=NOON,
    warnings=("no_usage",),
    provider="openai",
    service_tier="batch",
    seconds_micro=19,
    web_searches=23,
    requests=2,
    parts=(UsagePart(None, TokenPools(input=5)), UsagePart("gpt-4", TokenPools(output=1), 4)),
    resource=Resource(1, 2, 3),
    reported_picousd=0,
    named_microcredits=29,
    priced_at=NOON + timedelta(milliseconds=1),
    plan="pro",
    volume_micro=31,
    volume_before_micro=37,
    stands_for="gpt-5-pro",
    pending="unknown_model",
)


def stored(run: Run) -> Run:
    row = json.loads(json.dumps(run_to_row(run)))
    return run_from_row(row, run.operation, run.model, run.label)


def test_a_run_with_everything_is_read_as_it_was_written() -> None:
    assert all(getattr(FULL, field.name) not in ("", (), None) for field in fields(Run))
    assert stored(FULL) == FULL


@pytest.mark.parametrize("name", [field.name for field in fields(Run)][3:])
def test_a_run_without_one_of_them_is_too(name: str) -> None:
    usual = getattr(Run("x"), name)

    assert stored(replace(FULL, **{name: usual})) == replace(FULL, **{name: usual})


@pytest.mark.parametrize(
    "name", ["quantity_micro", "cost_picousd", "reported_picousd", "seconds_micro"]
)
def test_nothing_of_something_is_not_unknown(name: str) -> None:
    assert getattr(stored(replace(Run("x"), **{name: 0})), name) == 0
    assert getattr(stored(Run("x")), name) is None


def test_what_a_run_does_not_have_is_not_written() -> None:
    assert run_to_row(Run("x")) == {"n": 0}
    assert set(run_to_row(Run("x", feature="x", feature_count=1, price_version="v"))) == {
        "f",
        "n",
        "pv",
    }


def test_a_typical_charge_by_tokens_is_one_write_unit() -> None:
    catalog = priced_with("")
    priced = llm(catalog, input=1034, cached_input=200, output=467, reasoning=100)
    account = an_account(catalog=catalog)
    draft = draft_of(account, catalog=catalog)
    _, entry = done(decide_charge(draft, Charge(a_key(), "1:" + "x" * 24, priced), catalog))

    item = entry_to_item(entry)
    assert item_bytes(item) <= 1024
    assert entry_from_item(item) == entry


def test_a_hold_keeps_what_its_settle_goes_by() -> None:
    account, _ = opened(an_account())
    (hold,) = account.holds
    said = Terms(
        "llm", "gpt-5", provider="openai", service_tier="batch", priced_at=NOON, feature_count=1
    )

    for terms in (hold.terms, said, replace(said, provider=""), replace(said, priced_at=None)):
        each = replace(hold, terms=terms)
        assert hold_from_row(json.loads(json.dumps(hold_to_row(each)))) == each
    assert hold_to_row(hold)[-1] != ""
    assert account_from_item(account_to_item(account, due_ms=0)) == account


def test_a_row_of_a_quarantined_run_says_what_stood_in() -> None:
    catalog = priced_with('unknown_model = "quarantine"')
    run = price(catalog, model="gpt-6", usage=usage_of(input=ONE)).run

    row = run_to_row(run)
    assert (row["sf"], row["pe"], row["pr"]) == ("gpt-5", "unknown_model", "openai")
    assert stored(run) == run
