"""What the storm found: each the smallest history that showed it."""

from __future__ import annotations

from datetime import timedelta

from tests.storm.conftest import Sim

FUND = "POST /v1/accounts/{id}/budgets"
CLOSE = "POST /v1/accounts/{id}/budgets/{budget}/close"


def test_a_void_on_a_stale_account_and_a_slow_clock_is_judged_on_the_one_that_has_the_charge(
    sim: Sim,
) -> None:
    starts_at = sim.driver.clock.now() + timedelta(seconds=1)
    sim.driver.grant("user_1", 10, "g-1", kind="promo", effective_at=starts_at.isoformat())
    sim.driver.clock.forward(seconds=2)
    sim.driver.deduct("user_1", "sms", "c-1")
    sim.driver.clock.forward(seconds=-2)
    sim.lag.item = 1

    voided = sim.driver.void("user_1", "c-1", "v-1")

    assert (voided.status, voided.body.get("refunded")) == (200, 1)


def test_credits_that_a_voided_charge_brought_back_to_a_budget_go_home_when_it_is_closed(
    sim: Sim,
) -> None:
    ends_at = sim.driver.clock.now() + timedelta(days=3)
    sim.driver.grant("org", 5, "g-1", kind="promo", expires_at=ends_at.isoformat())
    sim.driver.call(FUND, {"budget": "team", "amount": 5}, path={"id": "org"}, key="f-1")
    sim.driver.deduct("team", "sms", "c-1", quantity=5)
    sim.driver.void("team", "c-1", "v-1")

    closed = sim.driver.call(CLOSE, {}, path={"id": "org", "budget": "team"}, key="x-1")

    assert closed.body["returned"] == 5
    kinds = {grant["kind"]: grant["remaining"] for grant in sim.driver.account("org")["grants"]}
    assert kinds["promo"] == 5
    assert "adjustment" not in kinds


def test_a_budget_that_a_slow_clock_funds_has_no_credits_from_the_future(sim: Sim) -> None:
    sim.driver.clock.forward(seconds=60)
    sim.driver.grant("org", 5, "g-1", kind="promo")
    sim.driver.clock.forward(seconds=-60)
    sim.driver.call(FUND, {"budget": "team", "amount": 5}, path={"id": "org"}, key="f-1")

    sim.driver.deduct("team", "sms", "c-1", quantity=5)

    given, used = sim.driver.entries("team")[-2:]
    assert given["kind"] == "transfer_in"
    assert used["at"] >= given["at"] >= sim.driver.entries("org")[-1]["at"]
