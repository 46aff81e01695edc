"""The simulated Stripe's events, in many orders and twice each, end as what was done there says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from tests.stripe_orders.machine import (
    MACHINE_SUBSCRIPTIONS,
    PAGE_STORIES,
    Machine,
    machine_of,
    now_after,
    pairs,
)
from tests.stripe_orders.model import Sold, end_of
from tests.stripe_orders.orders import doubled, orders_of
from tests.stripe_orders.playing import judge
from tests.stripe_orders.playing_subscriptions import judge as judge_subscription
from tests.stripe_orders.stack import Stack, stacked
from tests.stripe_orders.subscriptions import end_of_lines

MANY = 16
PACK = 333_333_333


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with an empty table."""
    with stacked() as made:
        yield made


def orders(machine: Machine) -> Iterator[list[dict[str, Any]]]:
    """The machine's events in many orders, some of the second ones as other events."""
    events = machine.state.events
    for order in orders_of(len(events), most=MANY):
        told: list[dict[str, Any]] = []
        for number, is_other in doubled(order, Random(repr(order))):
            other = {"id": f"{events[number]['id']}x"} if is_other else {}
            told.append(events[number] | other)
        yield told


@pytest.mark.parametrize(("name", "version"), pairs(PAGE_STORIES))
def test_what_is_done_with_a_page_ends_the_same_in_every_order(
    stack: Stack, name: str, version: str
) -> None:
    machine = machine_of(version, stack.now)
    bought = stack.buy_at(machine, {"pack": "small"})
    session = machine.state.find("checkout.session", bought["session"])
    ended = end_of(Sold(PACK, bought["price_minor"]), PAGE_STORIES[name](machine, session))
    base = stack.store.dump()
    stack.driver.clock.moment = datetime.fromtimestamp(now_after(machine), UTC)

    for events in orders(machine):
        stack.store.restore(base)
        what = judge(stack, bought, events, ended)
        assert not what, ([event["type"] for event in events], what)


@pytest.mark.parametrize(("name", "version"), pairs(MACHINE_SUBSCRIPTIONS))
def test_what_is_done_with_a_subscription_ends_the_same_in_every_order(
    stack: Stack, name: str, version: str
) -> None:
    machine = machine_of(version, stack.now)
    bought = stack.buy_at(machine, {"plan": "basic"})
    session = machine.state.find("checkout.session", bought["session"])
    expected = end_of_lines(MACHINE_SUBSCRIPTIONS[name](machine, session))
    base = stack.store.dump()
    moment = datetime.fromtimestamp(now_after(machine), UTC)

    for events in orders(machine):
        stack.store.restore(base)
        stack.driver.clock.moment = moment
        what = judge_subscription(stack, "ada", events, expected)
        assert not what, ([event["type"] for event in events], what)
