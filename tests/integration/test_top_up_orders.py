"""A top-up that fails and then succeeds: whatever order its news comes in, it ends the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from local.stripe import refunds
from local.stripe.state import CHARGE, CUSTOMER, Object
from simulation.store import SimStore
from tests.integration.conftest import table_of_template
from tests.support.driving import Driver, FakeClock
from tests.support.faults import Crash, FaultyClient
from tests.support.forgetting import forget
from tests.support.payments import deliver
from tests.support.stripe_machine import CRASH_AFTER, LOST_AFTER, Machine, plug_in
from tests.support.top_ups import ACCOUNT, ask, heal, seen, stand
from tollkeeper.edge import wiring

TOLD = (
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.refunded",
)
ORDERS = list(permutations(range(len(TOLD))))


class Story:
    """One stack, and the Stripe account that its customer's cards are at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: FakeClock, fault: str) -> None:
        client = FaultyClient(SimStore(table_of_template(), now=clock.monotonic_s))
        monkeypatch.setattr(wiring, "connect", lambda: client)
        forget()
        self.clock = clock
        self.driver = Driver(clock)
        self.machine = Machine(clock)
        plug_in(monkeypatch, self.machine)
        self.play(fault)

    def play(self, fault: str) -> None:
        """A card is declined, another one pays an hour later, and 20.00 of it go back."""
        machine = self.machine
        stand(self.driver, machine, "declined")
        assert ask()["outcome"] == "failed"
        self.clock.forward(hours=1)
        (customer,) = machine.state.all_of(CUSTOMER).values()
        machine.save_card(customer, "good")
        if fault:
            # The call after the two that look for the card.
            machine.plan[len(machine.calls) + 1] = fault
        with contextlib.suppress(Crash):
            ask()
        machine.plan.clear()
        charges = machine.state.all_of(CHARGE).values()
        (paid,) = [each for each in charges if each["status"] == "succeeded"]
        refunds.create_refund(machine.state, paid, machine.now, amount=2000)

    def told(self) -> list[Object]:
        """One event of each type, in the order of TOLD."""
        by_type = {str(each["type"]): each for each in self.machine.events()}
        return [by_type[each] for each in TOLD]

    def end(self) -> dict[str, Any]:
        """What is left, after the schedule had its run."""
        for _ in range(3):
            self.clock.forward(minutes=5)
            heal()
        view = seen(self.driver)
        route = "GET /v1/verify/{id}"
        findings = self.driver.call(route, path={"id": ACCOUNT})["findings"]
        assert findings == []
        return {
            "available": int(self.driver.account(ACCOUNT)["available"]),
            "state": [view[name] for name in ("failures", "purchases", "pending", "spent")],
            "taken": self.machine.taken_minor(),
        }


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nothing is kept from one stack for the next."""
    yield
    forget()


@pytest.mark.parametrize("fault", ["", LOST_AFTER, CRASH_AFTER])
@pytest.mark.usefixtures("quiet")
def test_every_order_of_the_news_with_every_event_twice_ends_the_same(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    for order in ORDERS:
        clock = FakeClock()
        monkeypatch.setattr(wiring, "SystemClock", lambda clock=clock: clock)
        story = Story(monkeypatch, clock, fault)
        events = story.told()
        for place in (*order, *reversed(order)):
            answer = deliver(story.driver, events[place])
            assert answer.status == 200, (order, events[place]["type"], answer.text)

        # 15 of its plan, and of the pack's 500 what 30.00 of its 50.00 paid for.
        assert story.end() == {
            "available": 315,
            "state": [0, 1, None, "50.00"],
            "taken": 5000,
        }, (fault, order)
