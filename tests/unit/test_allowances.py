"""What a period has free is read for the account's own plan, feature by feature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG as PLAIN
from tests.unit.building import ONE, an_account
from tests.unit.priced import LLM, PRICES, catalog_of
from tollkeeper.domain.allowances import Allowance, read_allowances, unit_of
from tollkeeper.domain.pricing import Standing, standing_now

CATALOG = catalog_of(
    PRICES
    + '[operations.call]\nrule = "flat"\ncredits = 1\n'
    + '[operations.sms]\nrule = "per_unit"\nunit = "message"\ncredits = 2\n'
    + 'free_allowance = 10\nfeature = "messages"\n'
    + '[operations.mms]\nrule = "per_unit"\nunit = "picture"\ncredits = 3\n'
    + 'free_allowance = 20\nfeature = "messages"\n'
    + '[operations.fax]\nrule = "flat"\ncredits = 1\n'
    + "tiers = [{ above = 5, percent = 50 }]\n"
    + LLM
    + "free_allowance = 1000\n"
    + "[plans.pro.prices.sms]\nfree_allowance = 100\n"
    + "[plans.pro.prices.fax]\nfree_allowance = 7\n"
)


def test_each_feature_of_a_plan_has_one_allowance_and_what_is_used_of_it() -> None:
    account = an_account("free", catalog=CATALOG)
    used = replace(account, volumes={"messages": 12 * ONE, "fax": ONE, "other": 5})

    assert read_allowances(account, CATALOG) == (
        Allowance("messages", 0, 10 * ONE, "message"),
        Allowance("llm", 0, 1000 * ONE, "token"),
    )
    assert read_allowances(used, CATALOG) == (
        Allowance("messages", 12 * ONE, 10 * ONE, "message"),
        Allowance("llm", 0, 1000 * ONE, "token"),
    )


def test_a_plan_may_have_allowances_of_its_own() -> None:
    account = replace(an_account("pro", catalog=CATALOG), volumes={"fax": 3 * ONE})

    assert read_allowances(account, CATALOG) == (
        Allowance("messages", 0, 100 * ONE, "message"),
        Allowance("fax", 3 * ONE, 7 * ONE, "call"),
        Allowance("llm", 0, 1000 * ONE, "token"),
    )


def test_a_catalog_without_any_has_none() -> None:
    assert read_allowances(an_account(), PLAIN) == ()


@pytest.mark.parametrize(
    ("operation", "unit"),
    [
        ("call", "call"),
        ("image", "call"),
        ("minute", "minute"),
        ("sms", "message"),
        ("chat", "token"),
        ("own", "call"),
    ],
)
def test_a_rule_counts_what_it_is_priced_by(operation: str, unit: str) -> None:
    assert unit_of(PLAIN.operation(operation).rule) == unit
    assert unit_of(CATALOG.operation("llm").rule) == "token"


def test_an_account_is_charged_on_its_plan_after_what_its_period_used() -> None:
    account = replace(an_account("pro"), volumes={"sms": 5})

    assert standing_now(account) == Standing("pro", {"sms": 5}, is_first=True)
