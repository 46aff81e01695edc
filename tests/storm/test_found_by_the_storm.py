"""What the storm found: each the smallest history that showed it."""

from __future__ import annotations

from datetime import timedelta

from tests.storm.conftest import Sim


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
