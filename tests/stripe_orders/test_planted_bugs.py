"""The orders bite: each bug that is put into the product on purpose is found by one of them."""

from __future__ import annotations

import pytest

from simulation.planted.money_back import BUGS
from simulation.planted.subscriptions import IN_ORDERS
from tests.stripe_orders.hunting import hunt

BY_NAME = {bug.name: bug for bug in (*BUGS, *IN_ORDERS)}
# A story that finds the bug; `python -m tests.stripe_orders` tries all of them.
FOUND_BY = {
    "refund by delta": "refund_twice",
    "dispute per event": "inquiry_becomes_dispute",
    "same money twice": "dispute_then_refund",
    "largest dispute": "two_disputes_lost",
    "last word of a dispute": "inquiry_becomes_dispute",
    "all or nothing": "refund_twice",
    "share of the price": "refund_twice with tax",
    "link forgotten": "refund_twice",
    "early refund forgotten": "refund_twice",
    "charge is a stranger": "by_charge_alone_and_lost",
    "period of the invoice": "subscribe",
    "revived by an invoice": "cancel",
    "revived by an update": "cancel",
    "end forgotten": "cancel",
    "late line resets": "upgrade",
    "older line counts whole": "keep_more",
}


def test_every_bug_has_its_story() -> None:
    assert set(FOUND_BY) == set(BY_NAME)


@pytest.mark.parametrize("name", FOUND_BY)
def test_some_order_of_its_story_finds_the_planted_bug(name: str) -> None:
    assert hunt(BY_NAME[name], most=20, stories=(FOUND_BY[name],)) is not None
