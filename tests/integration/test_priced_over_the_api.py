"""Any usage is priced over the API, to the last digit, by the operation that the catalog ships.

The cases are read from where they lie beside the repository; without them nothing is shown here.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.driving import Driver, verify_ledger

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded bodies and price cases are not beside this checkout"
)

MARKUP, USD_PER_CREDIT = Decimal("1.5"), Decimal("0.10")
# Tokens of the cases' words that are inside another of them, by our pools.
INPUT_PARTS = {
    "cache_read_tokens": "cached_input",
    "cache_write_5m_tokens": "cache_write_5m",
    "cache_write_1h_tokens": "cache_write_1h",
    "input_audio_tokens": "audio_input",
}
OUTPUT_PARTS = {"output_reasoning_tokens": "reasoning", "output_audio_tokens": "audio_output"}


def read(file: str) -> Any:
    """The file, its numbers exact."""
    return json.loads((DATA / file).read_text(encoding="utf-8"), parse_float=Decimal)


def price_cases() -> list[dict[str, Any]]:
    """The cases; none where the file is absent."""
    return cast("list[dict[str, Any]]", read("price_cases.json")["cases"]) if DATA.is_dir() else []


def members_of(case: dict[str, Any]) -> dict[str, Any]:
    """What else the request says: the model, who serves it, in which tier and when."""
    members: dict[str, Any] = {"model": case["model"], "provider": case["provider"]}
    if case["price_context"]:
        members["service_tier"] = case["price_context"]["service_tier"]
    if case["request_time"]:
        members["occurred_at"] = datetime.fromisoformat(case["request_time"]).isoformat()
    return members


def pools_of(usage: dict[str, int]) -> dict[str, int]:
    """The same usage in disjoint pools, worked out here."""
    rest = dict(usage)
    if "cache_write_5m_tokens" in rest:
        del rest["cache_write_tokens"]
    elif "cache_write_tokens" in rest:
        rest["cache_write_5m_tokens"] = rest.pop("cache_write_tokens")
    pools = {
        pool: rest[name] for name, pool in (INPUT_PARTS | OUTPUT_PARTS).items() if name in rest
    }
    inside = sum(rest.get(name, 0) for name in INPUT_PARTS)
    pools["input"] = rest.get("input_tokens", 0) - inside
    inside = sum(rest.get(name, 0) for name in OUTPUT_PARTS)
    pools["output"] = rest.get("output_tokens", 0) - inside
    return pools


@pytest.mark.parametrize("is_plain", [False, True], ids=["as it is", "in pools"])
@pytest.mark.parametrize("case", price_cases(), ids=lambda case: str(case["id"]))
def test_each_price_case_costs_what_it_says_to_the_last_digit(
    driver: Driver, case: dict[str, Any], is_plain: bool
) -> None:
    driver.grant("user_1", 1000)
    usage = pools_of(case["usage"]) if is_plain else case["usage"]
    expected = Decimal(case["expected_usd"])

    answer = driver.deduct("user_1", "llm", "k1", usage=usage, **members_of(case))

    assert answer.status == 200, answer.text
    assert Decimal(answer["cost_usd"]) == expected
    credits_exact = expected * MARKUP / USD_PER_CREDIT
    assert 0 <= answer["charged"] - credits_exact < Decimal("0.000001")
    assert sum(line["credits"] for line in answer["breakdown"]) == answer["charged"]
    assert answer["warnings"] == []
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("case", price_cases(), ids=lambda case: str(case["id"]))
def test_check_estimate_and_hold_say_the_same_cost_as_the_charge(
    driver: Driver, case: dict[str, Any]
) -> None:
    driver.grant("user_1", 1000)
    asked = {"usage": case["usage"], **members_of(case)}
    asked.pop("occurred_at", None)
    body = {"account": "user_1", "operation": "llm", **asked}

    check = driver.check("user_1", "llm", **asked)
    estimate = driver.call("POST /v1/estimate", body)
    hold = driver.hold("user_1", "llm", "h1", **asked)
    charge = driver.deduct("user_1", "llm", "k1", **asked)

    costs = {each["cost_usd"] for each in (check, estimate, hold, charge)}
    assert costs == {case["expected_usd"]}
    assert estimate["min"] == estimate["typical"] == estimate["max"] == charge["charged"]


def test_what_a_router_says_it_billed_is_the_cost(driver: Driver) -> None:
    driver.grant("user_1", 1000)
    cases = read("usage/openrouter_billed_cost.json")["cases"]

    for number, case in enumerate(cases):
        usage = {"model": case["model"], "usage": case["usage"]}
        answer = driver.deduct("user_1", "llm", f"k{number}", usage=usage)
        if answer.status == 422:
            assert answer["code"] == "unknown_model" and Decimal(case["billed_usd"]) == 0, case
            continue
        assert answer.status == 200, answer.text
        if Decimal(case["billed_usd"]):
            assert Decimal(answer["cost_usd"]) == Decimal(case["billed_usd"]), case["cassette"]
        assert answer["charged"] > 0
    verify_ledger(driver, "user_1")
