"""Two deliveries at once: whatever one does between two calls of the other, and wherever one fails.

The other delivery runs whole ahead of each database call of the first one; and the first one's
calls fail, each in every way. Afterwards Stripe sends everything once more, as it would.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.stripe_orders.model import Sold, end_of
from tests.stripe_orders.playing import FREE, micro
from tests.stripe_orders.stack import Stack, stacked
from tests.stripe_orders.stories import (
    CLOSED,
    CREATED,
    SUCCEEDED,
    Step,
    Told,
)
from tests.support.faults import READ_FAULTS, WRITE_FAULTS, Crash

PACK = 333_333_333


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack with an empty table."""
    with stacked() as made:
        yield made


def steps_of(told: Told) -> dict[str, Step]:
    """Deliveries that meet at one purchase."""
    return {
        "paid": told.page(),
        "paid too": told.page(SUCCEEDED),
        "charged": told.charged(),
        "part": told.refund(told.total // 3),
        "all": told.refund(told.total),
        "disputed": told.dispute(CREATED, "needs_response"),
        "disputed by charge": told.dispute(CREATED, "needs_response", by_charge=True),
        "won": told.dispute(CLOSED, "won"),
    }


NAMES = (
    "paid",
    "paid too",
    "charged",
    "part",
    "all",
    "disputed",
    "disputed by charge",
    "won",
)
# A dispute that names only its charge is known to be the purchase's once the charge says so.
LEADS = "charged"
PAIRS = [pair for pair in itertools.product(NAMES, repeat=2) if pair != ("paid", "paid")]


def wrong_end(stack: Stack, told: Told, steps: list[Step]) -> str:
    """What is not as the facts of the steps say, or nothing."""
    ended = end_of(Sold(PACK, told.total), [fact for step in steps for fact in step.facts])
    found = micro(stack.driver.account("ada")["available"])
    if found != FREE + ended.moved:
        return f"{found} are available, not {FREE + ended.moved}"
    if stack.status_of(told.bought) != ended.status:
        return f"the purchase is {stack.status_of(told.bought)}, not {ended.status}"
    findings = stack.verify()
    return f"verify finds {findings}" if findings else ""


def deliver_or_die(stack: Stack, step: Step) -> None:
    """The event is delivered once; what becomes of the function is its own matter."""
    try:
        stack.deliver(step.event)
    except Crash:
        return


@pytest.mark.parametrize("before", [(), ("paid",), ("part",)], ids=["new", "paid", "refunded"])
def test_no_delivery_in_the_middle_of_another_changes_the_end(
    stack: Stack, before: tuple[str, ...]
) -> None:
    told = Told(stack.maker(), stack.buy("small"))
    steps = steps_of(told)
    stack.deliver_all([steps[name].event for name in before])
    base = stack.store.dump()
    wrong: list[str] = []
    for first, second in PAIRS:
        number = 0
        while True:
            stack.store.restore(base)
            stack.client.forget()
            stack.client.before[number] = lambda name=second: stack.deliver(steps[name].event)
            stack.deliver(steps[first].event)
            if number in stack.client.before:
                break
            stack.client.forget()
            told_steps = [steps[name] for name in (*before, first, second, LEADS)]
            stack.deliver_all([step.event for step in told_steps])
            what = wrong_end(stack, told, told_steps)
            if what:
                wrong.append(f"{second} ahead of call {number} of {first}: {what}")
            number += 1
        stack.client.forget()

    assert not wrong, wrong[:5]


@pytest.mark.parametrize("before", [(), ("paid",), ("part",)], ids=["new", "paid", "refunded"])
def test_no_failure_in_the_middle_of_a_delivery_changes_the_end(
    stack: Stack, before: tuple[str, ...]
) -> None:
    told = Told(stack.maker(), stack.buy("small"))
    steps = steps_of(told)
    stack.deliver_all([steps[name].event for name in before])
    base = stack.store.dump()
    wrong: list[str] = []
    faults = (*dict.fromkeys((*READ_FAULTS, *WRITE_FAULTS)), "crash_before", "crash_after")
    for first, second in PAIRS:
        stack.store.restore(base)
        stack.client.forget()
        stack.deliver(steps[first].event)
        calls = len(stack.client.calls)
        for number, fault in itertools.product(range(calls), faults):
            stack.store.restore(base)
            stack.client.forget()
            stack.client.plan[number] = fault
            deliver_or_die(stack, steps[first])
            stack.client.forget()
            told_steps = [steps[name] for name in (*before, first, second, LEADS)]
            stack.deliver_all([steps[name].event for name in (second, first, LEADS)])
            stack.client.forget()
            what = wrong_end(stack, told, told_steps)
            if what:
                wrong.append(f"{fault} at call {number} of {first}, then {second}: {what}")

    assert not wrong, wrong[:5]
