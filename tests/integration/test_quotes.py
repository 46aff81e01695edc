"""A quote pins its prices from the estimate to the hold to the settle, across a price change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Driver, FakeClock
from tests.support.forgetting import forget

ROOT = Path(__file__).parents[2]
USAGE = {"input": 800, "output": 200}


def change_prices(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The next request is answered by functions that were deployed with gpt-4 at the double."""
    use_catalog(monkeypatch, folder, ("credits = 60", "credits = 120"))
    forget()


def quoted(driver: Driver) -> str:
    """The quote of a usual call of user_1."""
    body = {"account": "user_1", "operation": "ai_tokens", "model": "gpt-4"}
    answer = driver.call("POST /v1/estimate", body)
    assert answer.status == 200, answer.text
    return str(answer.body["quote_id"])


def test_a_quote_keeps_its_price_through_hold_and_settle_after_a_deployment(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver.grant("user_1", 500)
    first = driver.deduct("user_1", "ai_tokens", "m1", model="gpt-4", usage=USAGE)
    quote = quoted(driver)
    change_prices(monkeypatch, tmp_path)

    now = driver.check("user_1", "ai_tokens", model="gpt-4", usage=USAGE)
    body = {"account": "user_1", "operation": "ai_tokens", "quote_id": quote, "hold_id": "run_1"}
    held = driver.call("POST /v1/holds", body)
    settled = driver.call(
        "POST /v1/holds/{hold_id}/settle",
        {"account": "user_1", "usage": USAGE},
        path={"hold_id": "run_1"},
    )
    charged = driver.deduct("user_1", "ai_tokens", "m2", usage=USAGE, quote_id=quote)

    assert now.body["required"] == 120
    assert held.status == 201, held.text
    assert held.body["price_version"] == first.body["price_version"]
    assert (settled.body["charged"], charged.body["charged"]) == (60, 60)


def test_a_quote_at_which_nothing_was_ever_charged_is_over_with_its_catalog(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver.grant("user_1", 500)
    quote = quoted(driver)
    change_prices(monkeypatch, tmp_path)

    refused = driver.deduct("user_1", "ai_tokens", "m1", usage=USAGE, quote_id=quote)
    asked = driver.check("user_1", "ai_tokens", usage=USAGE, quote_id=quote)

    assert (refused.status, refused.body["code"]) == (422, "quote_expired")
    assert (asked.status, asked.body["code"]) == (422, "quote_expired")
    assert driver.account("user_1").body["available"] == 515


def test_a_quote_ends_after_15_minutes(driver: Driver, clock: FakeClock) -> None:
    driver.grant("user_1", 500)
    quote = quoted(driver)

    clock.forward(minutes=14, seconds=59)
    in_time = driver.check("user_1", "ai_tokens", usage=USAGE, quote_id=quote)
    clock.forward(seconds=1)
    late = driver.check("user_1", "ai_tokens", usage=USAGE, quote_id=quote)

    assert (in_time.status, late.status, late.body["code"]) == (200, 422, "quote_expired")


def test_s4_05_an_estimate_learns_from_the_accounts_own_calls(driver: Driver) -> None:
    driver.grant("user_1", 500)
    body = {"account": "user_1", "operation": "ai_tokens", "model": "gpt-4"}
    before = driver.call("POST /v1/estimate", body).body
    for number in range(4):
        driver.deduct("user_1", "ai_tokens", f"m{number}", model="gpt-4", usage={"total": 250})
    after = driver.call("POST /v1/estimate", body).body

    assert (before["min"], before["typical"], before["max"]) == (6, 60, 480)
    assert (after["min"], after["typical"], after["max"]) == (15, 15, 15)
    held = driver.call("POST /v1/holds", {**body, "quote_id": after["quote_id"], "hold_id": "h"})
    assert held.body["held"] == 15
