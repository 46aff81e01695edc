"""Charging and undoing, through the real handlers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.driving import Driver, FakeClock, verify_ledger
from tollkeeper.edge import wiring
from tollkeeper.store.versions import read_version

pytestmark = pytest.mark.moto

D = Decimal


def test_s0_02_deduct_charges_what_was_really_used(driver: Driver) -> None:
    driver.grant("user_1", 100)

    answer = driver.deduct(
        "user_1", "ai_tokens", "msg_812", model="gpt-4", usage={"input": 20, "output": 5}
    )

    assert answer.status == 200
    assert answer["key"] == "msg_812"
    assert D(answer["charged"]) == D("1.5")
    assert D(answer["available"]) == D("113.5")
    assert answer["breakdown"] == [
        {"item": "gpt-4 tokens", "quantity": 25, "rate": "60/1000", "credits": D("1.5")}
    ]
    assert answer.headers["x-credits-available"] == f"113.5;seq={answer['seq']}"
    verify_ledger(driver, "user_1")


def test_a_first_touch_opens_the_account_on_the_default_plan(driver: Driver) -> None:
    answer = driver.deduct("new", "sms", "k1")

    assert answer.status == 200
    assert D(answer["available"]) == 14
    assert [e["kind"] for e in driver.entries("new")] == ["reset", "charge"]


def test_the_same_key_again_replays_the_first_answer(driver: Driver) -> None:
    first = driver.deduct("user_1", "sms", "k1")
    driver.clock.forward(days=40)

    again = driver.deduct("user_1", "sms", "k1")

    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "x-credits-available" not in again.headers
    assert sum(e["kind"] == "charge" for e in driver.entries("user_1")) == 1


def test_a_retry_may_say_another_response_time_and_metadata(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1", response_time_ms=10, metadata={"try": 1})

    again = driver.deduct("user_1", "sms", "k1", response_time_ms=20, metadata={"try": 2})

    assert again.status == 200
    assert again.headers["idempotency-replayed"] == "true"


def test_the_same_key_for_another_request_is_refused_and_changes_nothing(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")
    before = driver.account("user_1").body

    answer = driver.deduct("user_1", "sms", "k1", quantity=2)

    assert (answer.status, answer["code"]) == (422, "idempotency_mismatch")
    assert driver.account("user_1").body == before


def test_s2_14_a_refusal_is_402_with_what_is_there_and_what_is_needed(driver: Driver) -> None:
    answer = driver.deduct("user_1", "phone_number", "k1")

    assert answer.status == 402
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer["code"] == "insufficient_credits"
    assert (D(answer["required"]), D(answer["available"])) == (100, 15)
    assert (D(answer["shortfall"]), answer["blocking"]) == (85, "balance")
    assert answer["offers"][0]["pack"] == "starter"


def test_a_refusal_is_not_kept_under_the_key(driver: Driver) -> None:
    assert driver.deduct("user_1", "phone_number", "k1").status == 402
    driver.grant("user_1", 100)

    answer = driver.deduct("user_1", "phone_number", "k1")

    assert answer.status == 200
    assert D(answer["available"]) == 15


def test_deduct_refuses_when_balance_is_one_short(driver: Driver) -> None:
    driver.grant("user_1", "84.999999")

    answer = driver.deduct("user_1", "phone_number", "k1")

    assert answer.status == 402
    assert D(answer["shortfall"]) == D("0.000001")


def test_s1_08_a_failed_run_is_recorded_and_never_charged(driver: Driver) -> None:
    answer = driver.deduct("user_1", "ai_tokens", "k1", model="gpt-4", success=False)

    assert answer.status == 200
    assert D(answer["charged"]) == 0
    assert D(driver.account("user_1")["available"]) == 15
    row = driver.stats("user_1", group_by="operation")["rows"][0]
    assert (row["calls"], row["failed"]) == (0, 1)


def test_s3_20_a_voided_charge_leaves_everything_as_before(driver: Driver) -> None:
    driver.deduct("user_1", "script_generation", "k0")
    before = driver.account("user_1").body
    stats = driver.stats("user_1", group_by="operation").body
    driver.deduct("user_1", "script_generation", "k1")

    answer = driver.void("user_1", "k1", "v1")

    assert answer.status == 200
    assert D(answer["refunded"]) == 1
    after = driver.account("user_1").body
    changing = ("seq", "updated_at", "totals")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert after["totals"]["spent"] == before["totals"]["spent"]
    assert driver.stats("user_1", group_by="operation").body == stats
    verify_ledger(driver, "user_1")


def test_a_charge_is_given_back_at_most_once(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")
    driver.void("user_1", "k1", "v1")

    again = driver.void("user_1", "k1", "v1")
    other = driver.void("user_1", "k1", "v2")
    refund = driver.call(
        "POST /v1/accounts/{id}/refunds",
        {"key": "k1", "reason": "asked"},
        path={"id": "user_1"},
        key="r1",
    )

    assert again.status == 200
    assert (other.status, other["code"]) == (409, "already_refunded")
    assert (refund.status, refund["code"]) == (409, "already_refunded")
    assert D(driver.account("user_1")["available"]) == 15


def test_an_unknown_model_is_never_free(driver: Driver) -> None:
    for model in ("gpt-4o", "gpt-4.1", "llama-3", "gpt-4o-mini-2024-07-18"):
        answer = driver.deduct("user_1", "ai_tokens", "k1", model=model, usage={"total": 25})
        assert (answer.status, answer["code"]) == (422, "unknown_model"), model
    assert D(driver.account("user_1")["available"]) == 15


def test_a_key_that_was_applied_replays_although_its_model_is_gone(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = driver.deduct("user_1", "ai_tokens", "k1", model="gpt-4", usage={"total": 25})
    world = wiring.world()
    without = type(world.catalog)(
        **{
            name: getattr(world.catalog, name)
            for name in world.catalog.__slots__
            if name != "operations"
        },
        operations={},
    )
    changed = type(world)(world.ledger, world.clock, world.ids, without)
    monkeypatch.setattr(wiring, "world", lambda: changed)

    again = driver.deduct("user_1", "ai_tokens", "k1", model="gpt-4", usage={"total": 25})

    assert again.body == first.body


def test_s1_15_a_feature_is_refused_beyond_its_count_and_free_again_next_period(
    driver: Driver,
) -> None:
    for number in range(3):
        assert driver.deduct("user_1", "script_generation", f"k{number}").status == 200

    refused = driver.deduct("user_1", "script_generation", "k3")
    check = driver.check("user_1", "script_generation")
    driver.clock.forward(days=11)
    allowed = driver.deduct("user_1", "script_generation", "k4")

    assert (refused.status, refused["code"], refused["blocking"]) == (
        402,
        "feature_limit",
        "feature_limit",
    )
    assert (refused["feature"], refused["used"], refused["limit"]) == ("script_generation", 3, 3)
    assert refused["resets_at"] == "2026-12-01T00:00:00+00:00"
    assert check.status == 402
    assert allowed.status == 200


def test_s1_18_stats_before_and_after_differ_by_exactly_the_cost(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")
    before = driver.stats("user_1")["totals"]

    driver.deduct("user_1", "ai_tokens", "k2", model="claude-3", usage={"input": 999})

    after = driver.stats("user_1")["totals"]
    assert D(after["credits"]) - D(before["credits"]) == D("1.998")
    assert after["calls"] - before["calls"] == 1
    assert after["tokens"] == {"input": 999}


def test_s2_09_a_new_period_resets_and_what_is_left_expires(
    driver: Driver, clock: FakeClock
) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=30)

    account = driver.account("user_1")

    assert D(account["available"]) == 15
    assert D(account["plan"]["used"]) == 0
    driver.deduct("user_1", "sms", "k2")
    kinds = [(e["kind"], D(e["delta"])) for e in driver.entries("user_1")]
    assert kinds == [("reset", 15), ("charge", -1), ("reset", 15), ("expire", -14), ("charge", -1)]
    verify_ledger(driver, "user_1")


def test_names_in_a_charge_are_bounded_in_bytes_so_that_the_account_item_is(
    driver: Driver,
) -> None:
    long_label = driver.deduct("user_1", "sms", "k1", feature="\N{GRINNING FACE}" * 17)
    long_model = driver.deduct(
        "user_1", "sms", "k1", usage={"model": "m" * 129, "usage": {"input": 1}}
    )

    assert long_label["errors"] == [
        {"member": "feature", "reason": "must not be larger than 64 bytes"}
    ]
    assert (long_model.status, long_model["errors"][0]["member"]) == (422, "usage.model")
    assert driver.entries("user_1") == []


def test_the_catalog_that_priced_a_charge_is_kept_under_the_version_it_names(
    driver: Driver,
) -> None:
    version = driver.deduct("user_1", "sms", "k1")["price_version"]

    kept = read_version(wiring.ledger(), version)

    assert kept == wiring.world().catalog.source
    assert read_version(wiring.ledger(), "0" * 16) is None
