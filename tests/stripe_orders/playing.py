"""A story told in one order after the other, and what each of them leaves."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from tests.stripe_orders.making import Maker
from tests.stripe_orders.model import MICRO, Ended, Sold, end_of
from tests.stripe_orders.orders import MOST_ORDERS, doubled, orders_of
from tests.stripe_orders.stack import Stack
from tests.stripe_orders.stories import Step, Story, Told

FREE = 10 * MICRO


@dataclass(frozen=True)
class Wrong:
    """An order after which something is not as it must be."""

    order: tuple[int, ...]
    told: tuple[str, ...]
    what: str


def micro(shown: Any) -> int:
    """The amount that an answer shows. Units: micro-credits."""
    return int(Decimal(str(shown)) * MICRO)


def play(
    stack: Stack,
    story: Story,
    *,
    shape: str,
    pack: str = "small",
    credits: int = 333_333_333,
    tax: int = 0,
    most: int = MOST_ORDERS,
) -> Iterator[Wrong]:
    """Every order of the story that does not end as the facts say.

    Why: the table is taken back to the moment before the first event, so that orders differ by
    nothing else.
    """
    start = stack.store.dump()
    bought = stack.buy(pack)
    maker = stack.maker(shape)
    steps = story(Told(maker, bought, total=bought["price_minor"] + tax))
    facts = [fact for step in steps for fact in step.facts]
    ended = end_of(Sold(credits, bought["price_minor"]), facts)
    base, moment = stack.store.dump(), stack.driver.clock.moment
    for order in orders_of(len(steps), most=most):
        stack.store.restore(base)
        stack.driver.clock.moment = moment
        events = deliveries(steps, order, maker)
        what = judge(stack, bought, events, ended)
        if what:
            yield Wrong(order, tuple(event["type"] for event in events), what)
    stack.store.restore(start)


def deliveries(steps: list[Step], order: tuple[int, ...], maker: Maker) -> list[dict[str, Any]]:
    """The events of the order, each twice; some second ones have an id of their own."""
    events: list[dict[str, Any]] = []
    for number, is_other in doubled(order, Random(repr(order))):
        event = copy.copy(steps[number].event)
        if is_other:
            event["id"] = maker.event("", {})["id"]
        events.append(event)
    return events


def judge(stack: Stack, bought: dict[str, Any], events: list[dict[str, Any]], ended: Ended) -> str:
    """What is not as it must be after the events, or nothing."""
    stack.deliver_all(events)
    account = stack.driver.account(bought["account"])
    if micro(account["available"]) != FREE + ended.moved:
        return f"{account['available']} are available, not {(FREE + ended.moved) / MICRO}"
    if account["debt"]:
        return f"there is a debt of {account['debt']}"
    rows = stack.driver.entries(bought["account"])
    brought = [row for row in rows if row["key"] == f"s~purchase:{bought['purchase_id']}"]
    if len(brought) != (ended.status not in ("created", "pending", "failed", "expired")):
        return f"the purchase has {len(brought)} grants"
    shown = stack.status_of(bought)
    if shown != ended.status:
        return f"the purchase is {shown}, not {ended.status}"
    findings = stack.verify(bought["account"])
    return f"verify finds {findings}" if findings else ""
