"""A 402 through the real handlers is true, limits hold for every call, and alerts ring once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.test_holds import PLAN, U, is_sound, kinds, limit
from tests.support.driving import Driver
from tests.support.payments import FakeStripe, buy, deliver

D = Decimal


# ---- What a 402 says is true


def bodies() -> list[tuple[str, dict[str, object]]]:
    """Calls that the account with 15 credits cannot pay."""
    return [
        ("phone_number", {}),
        ("voice_call", {"quantity": 40}),
        ("ai_tokens", {"model": "gpt-4", "usage": {"input": 200, "output": 300}}),
        ("ai_tokens", {"model": "gpt-4", "usage": {"input": 2000, "output": 8000}}),
        ("bundle_creation", {}),
    ]


@pytest.mark.parametrize(("operation", "members"), bodies())
def test_s0_05_check_hold_and_deduct_refuse_in_the_same_words(
    driver: Driver, operation: str, members: dict[str, object]
) -> None:
    driver.hold(U, "sms", "open", estimate=4)

    answers = [
        driver.check(U, operation, **members),
        driver.hold(U, operation, "run_7", **members),
        driver.deduct(U, operation, "k1", **members),
    ]

    said = [{k: v for k, v in a.body.items() if k != "request_id"} for a in answers]
    assert said[0] == said[1] == said[2]
    assert (said[0]["status"], D(said[0]["held"]), D(said[0]["available"])) == (402, 4, 11)


@pytest.mark.parametrize(("operation", "members"), bodies())
def test_s2_14_with_the_pack_that_a_refusal_offers_the_same_call_passes(
    driver: Driver, stripe: FakeStripe, operation: str, members: dict[str, object]
) -> None:
    refused = driver.deduct(U, operation, "k1", **members)
    (offer,) = refused["offers"]

    purchase = buy(driver, pack=offer["pack"])["purchase_id"]
    deliver(driver, stripe.report(purchase, at=driver.clock.now()))

    answer = driver.deduct(U, operation, "k1", **members)
    assert answer.status == 200, answer.text


@pytest.mark.parametrize(("operation", "members"), bodies())
def test_s2_14_with_the_plan_that_a_refusal_names_the_same_call_passes(
    driver: Driver, operation: str, members: dict[str, object]
) -> None:
    refused = driver.hold(U, operation, "run_7", **members)

    for plan in refused["plans"]:
        driver.call(PLAN, {"plan": plan["plan"]}, path={"id": U}, key="p")
        assert driver.hold(U, operation, "run_7", **members).status == 201
    required = D(refused["required"])
    assert [plan["plan"] for plan in refused["plans"]] == (
        ["starter"] if required <= 25 else ["pro"] if required <= 50 else []
    )


def test_s2_14_the_tokens_that_a_refusal_calls_affordable_are_and_one_more_is_not(
    driver: Driver,
) -> None:
    refused = driver.check(U, "ai_tokens", model="gpt-4", usage={"input": 100, "output": 900})
    affordable = refused["affordable"]
    most, longest = affordable["tokens_total"], affordable["tokens_output"]

    def passes(**usage: int) -> bool:
        return driver.check(U, "ai_tokens", model="gpt-4", usage=usage).status == 200

    assert (most, longest) == (250, 150)
    assert passes(total=most) and not passes(total=most + 1)
    assert passes(input=100, output=longest) and not passes(input=100, output=longest + 1)
    for model in affordable["models"]:
        usage = {"input": 100, "output": 900}
        assert driver.check(U, "ai_tokens", model=model, usage=usage).status == 200


# ---- Limits


def test_s4_10_limits_that_a_user_sets_hold_for_every_call(driver: Driver) -> None:
    driver.grant(U, 100)
    said = limit(driver, daily=20, per_run_max=8, set_by="user", alert_thresholds=[50, 90])

    assert (said.status, said["set_by"]) == (200, "user")
    assert said["limits"] == {"daily": 20, "per_run_max": 8, "alert_thresholds": [50, 90]}
    too_dear = driver.check(U, "voice_call", estimate=9)
    assert (too_dear["code"], too_dear["blocking"]) == ("limit_reached", "per_run_max")
    assert (D(too_dear["limit"]), D(too_dear["spent"]), too_dear["resets_at"]) == (8, 0, None)
    driver.deduct(U, "voice_call", "k1", quantity=8)
    driver.hold(U, "voice_call", "run_7", estimate=8)
    refused = driver.deduct(U, "voice_call", "k2", quantity=5)
    assert (refused.status, refused["blocking"]) == (402, "daily_limit")
    assert (D(refused["limit"]), D(refused["spent"]), D(refused["held"])) == (20, 16, 8)
    assert refused["resets_at"] == "2026-11-21T00:00:00+00:00"
    assert refused["offers"] == refused["plans"] == []
    assert driver.check(U, "voice_call", quantity=4).status == 200
    assert driver.check(U, "voice_call", quantity=4, per_run_max=3)["blocking"] == "per_run_max"
    is_sound(driver)


def test_limits_again_are_no_change_and_null_takes_one_away(driver: Driver) -> None:
    limit(driver, daily=5, monthly=9)
    again = limit(driver, daily=5)
    gone = limit(driver, daily=None, low_balance=0)

    assert (again.status, again["changed"]) == (200, False)
    assert gone["limits"] == {"daily": None, "low_balance": 0}
    shown = driver.account(U)["limits"]
    assert (shown["daily"], D(shown["monthly"]), shown["low_balance"]) == (None, 9, 0)
    assert kinds(driver).count("limits") == 2


def test_s4_10_what_was_spent_stays_counted_when_a_limit_is_edited(driver: Driver) -> None:
    driver.deduct(U, "voice_call", "k1", quantity=5)
    limit(driver, daily=6)
    raised = limit(driver, daily=7)
    windows = {window["window"]: window for window in driver.account(U)["windows"]}

    assert raised.status == 200
    assert (D(windows["day"]["spent"]), windows["day"]["percent"]) == (5, 71)
    assert driver.check(U, "voice_call", quantity=3).status == 402
    assert driver.check(U, "voice_call", quantity=2).status == 200
    row = next(entry for entry in driver.entries(U) if entry["kind"] == "limits")
    assert row["delta"] == 0


def test_alerts_stand_in_the_row_that_crossed_and_nowhere_else(driver: Driver) -> None:
    limit(driver, daily=10, low_balance=3)
    for number in range(12):
        driver.deduct(U, "voice_call", f"k{number}", quantity=1)

    rung = {
        entry["key"]: alerts
        for entry in driver.entries(U)
        if (
            alerts := driver.call(
                "GET /v1/accounts/{id}/entries/{key}", path={"id": U, "key": entry["key"]}
            )["alerts"]
        )
    }

    assert rung == {"k4": ["day:50"], "k7": ["day:80", "period:50"], "k9": ["day:100"]}
    assert driver.check(U, "sms")["blocking"] == "daily_limit"
