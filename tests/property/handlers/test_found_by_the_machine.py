"""What the state machine found, each as small as it gets."""

from __future__ import annotations

from .stack import CURRENT, Stack


def test_stats_name_the_zone_that_their_days_are_in() -> None:
    stack = Stack()
    CURRENT.append(stack)
    moved = {"zone": "Pacific/Kiritimati"}
    stack.driver.deduct("user_1", "call", "k1")
    stack.driver.call("PUT /v1/accounts/{id}/profile", moved, path={"id": "user_1"})

    stack.clock.forward(days=3)
    stats = stack.driver.stats("user_1")

    assert stats["zone"] == stack.driver.account("user_1")["zone"] == "Pacific/Kiritimati"
    CURRENT.remove(stack)
