"""A subscription's story told in one order after the other, and what each of them leaves."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.stripe_orders.making import Maker
from tests.stripe_orders.model import MICRO
from tests.stripe_orders.orders import MOST_ORDERS, doubled, orders_of
from tests.stripe_orders.playing import Wrong, micro
from tests.stripe_orders.stack import Stack
from tests.stripe_orders.subscriptions import (
    Line,
    SubEnd,
    Subscriber,
    SubStep,
    SubStory,
    end_of_lines,
)


def play_subscription(
    stack: Stack,
    story: SubStory,
    *,
    shape: str,
    plan: str = "basic",
    is_named: bool = True,
    most: int = MOST_ORDERS,
) -> Iterator[Wrong]:
    """Every order of the story that does not end as the facts say."""
    start = stack.store.dump()
    moment = stack.driver.clock.moment
    bought = stack.subscribe(plan)
    who = Subscriber(stack.maker(shape), bought, begin=stack.now + 60, is_named=is_named)
    facts = [fact for step in story(who) for fact in step.facts]
    expected = end_of_lines(facts)
    # Why: everything comes late and in any order, two days after the last payment.
    ends = datetime.fromtimestamp(
        max(fact.start for fact in facts if isinstance(fact, Line)), UTC
    ) + timedelta(days=2)
    who.maker.at = int(ends.timestamp())
    steps = story(who)
    base = stack.store.dump()
    for order in orders_of(len(steps), most=most):
        stack.store.restore(base)
        stack.driver.clock.moment = ends
        events = deliveries(steps, order, who.maker)
        what = judge(stack, bought["account"], events, expected)
        if what:
            yield Wrong(order, tuple(_name(event) for event in events), what)
    stack.store.restore(start)
    stack.driver.clock.moment = moment


def deliveries(steps: list[SubStep], order: tuple[int, ...], maker: Maker) -> list[dict[str, Any]]:
    """The events of the order, each twice; some second ones have an id of their own."""
    events: list[dict[str, Any]] = []
    for number, is_other in doubled(order, Random(repr(order))):
        event = copy.copy(steps[number].event)
        if is_other:
            event["id"] = maker.event("", {})["id"]
        events.append(event)
    return events


def _name(event: dict[str, Any]) -> str:
    return f"{event['type']} {event['data']['object']['id']}"


def judge(stack: Stack, account: str, events: list[dict[str, Any]], expected: SubEnd) -> str:
    """What is not as it must be after the events, or nothing."""
    stack.deliver_all(events)
    found = stack.driver.account(account)
    if found["plan"]["id"] != expected.plan:
        return f"the plan is {found['plan']['id']}, not {expected.plan}"
    if micro(found["available"]) != expected.available * MICRO:
        return f"{found['available']} are available, not {expected.available}"
    ends = datetime.fromisoformat(found["plan"]["period_end"]).timestamp()
    if expected.ends is not None and ends != expected.ends:
        return f"it is paid until {found['plan']['period_end']}, not {expected.ends}"
    if found["debt"]:
        return f"there is a debt of {found['debt']}"
    findings = stack.verify(account)
    return f"verify finds {findings}" if findings else ""
