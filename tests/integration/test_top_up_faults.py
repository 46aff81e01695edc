"""Top-ups with a fault at every single step: bought once, and nothing that was paid is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from simulation.store import SimStore
from tests.integration.conftest import table_of_template
from tests.support.driving import Driver, FakeClock, verify_ledger
from tests.support.faults import WRITE_FAULTS, Crash, FaultyClient
from tests.support.forgetting import forget
from tests.support.stripe_machine import CRASH_AFTER, CRASH_BEFORE, FAULTS, Machine
from tests.support.top_ups import (
    ACCOUNT,
    ask,
    available,
    heal,
    packs,
    seen,
    stand,
    tell,
)
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.edge import wiring
from tollkeeper.service.payers import read_billing
from tollkeeper.service.selling import find_purchase


@pytest.fixture
def driver(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A stack on the store of the simulation: there is much to try."""
    client = FaultyClient(SimStore(table_of_template(), now=clock.monotonic_s))
    monkeypatch.setattr(wiring, "connect", lambda: client)
    forget()
    yield Driver(clock)


@pytest.fixture
def faults(driver: Driver) -> FaultyClient:
    """The client under the ledger, which fails where a test says."""
    assert driver, "the table is made first"
    client = wiring.connect()
    assert isinstance(client, FaultyClient)
    return client


@dataclass
class Trial:
    """One account whose top-up meets a fault."""

    driver: Driver
    machine: Machine
    faults: FaultyClient
    card: str

    def run(self, account: str, *, at_stripe: dict[int, str], at_table: dict[int, str]) -> None:
        """A top-up with those faults, then everything that comes later without any."""
        customer = stand(self.driver, self.machine, self.card, account)
        self.machine.calls.clear()
        self.machine.plan.update(at_stripe)
        self.faults.forget()
        self.faults.plan.update(at_table)
        with contextlib.suppress(Crash, TollkeeperError):
            ask(account)
        self.machine.plan.clear()
        self.faults.forget()
        for _ in range(8):
            self.driver.clock.forward(minutes=5)
            ask(account)
            heal()
            tell(self.driver, self.machine)
        self.judge(account, customer)

    def judge(self, account: str, customer: str) -> None:
        """The money that was taken is in credits, once, and nothing is left under way by itself."""
        intents = [each for each in self.machine.intents() if each["customer"] == customer]
        bought = packs(self.driver, account)
        state = read_billing(wiring.world(), AccountId(account)).state
        assert sum(each["amount_received"] for each in intents) == bought * 5000, account
        verified = self.driver.call("GET /v1/verify/{id}", path={"id": account})
        assert verified["findings"] == [], account
        if self.card == "good":
            assert (bought, state.pending, state.purchases) == (1, "", 1), account
        elif self.card == "declined":
            assert (bought, state.pending, state.failures) == (0, "", 1), account
        else:
            self.judge_page(state.pending)

    def judge_page(self, purchase_id: str) -> None:
        """There is one page for the purchase, and no other way left to pay it."""
        purchase = find_purchase(wiring.world(), purchase_id)
        assert purchase is not None and purchase.checkout_url, purchase_id
        sessions = self.machine.state.all_of("checkout.session").values()
        pages = [each for each in sessions if each["client_reference_id"] == purchase_id]
        assert [each["id"] for each in pages] == [purchase.session]
        named = [e for e in self.machine.intents() if e["metadata"]["purchase_id"] == purchase_id]
        open_ones = [each for each in named if each["status"] != "canceled"]
        assert [each["id"] for each in open_ones] in ([], [pages[0]["payment_intent"]])


@pytest.mark.parametrize("card", ["good", "authenticates", "declined"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_to_stripe_buys_once_and_loses_nothing(
    driver: Driver, machine: Machine, faults: FaultyClient, card: str, fault: str
) -> None:
    trial = Trial(driver, machine, faults, card)
    for place in range(5):
        trial.run(f"user_{place}", at_stripe={place: fault}, at_table={})


@pytest.mark.parametrize("card", ["good", "authenticates", "declined"])
@pytest.mark.parametrize("fault", [CRASH_BEFORE, CRASH_AFTER, *WRITE_FAULTS])
def test_a_fault_at_any_call_to_the_table_buys_once_and_loses_nothing(
    driver: Driver, machine: Machine, faults: FaultyClient, card: str, fault: str
) -> None:
    trial = Trial(driver, machine, faults, card)
    for place in range(18):
        trial.run(f"user_{place}", at_stripe={}, at_table={place: fault})


def test_no_fault_comes_too_late_to_be_tried(
    ready: Driver, machine: Machine, faults: FaultyClient
) -> None:
    assert ask()["outcome"] == "paid"
    assert len(faults.calls) < 18 and len(machine.calls) < 5

    stand(ready, machine, "authenticates", "user_2")
    faults.forget()
    machine.calls.clear()
    assert ask("user_2")["outcome"] == "needs_customer"
    assert len(faults.calls) < 18 and len(machine.calls) < 5


@pytest.mark.parametrize("place", range(14))
def test_two_events_at_the_same_moment_buy_once(
    ready: Driver, machine: Machine, faults: FaultyClient, place: int
) -> None:
    faults.forget()
    faults.before[place] = ask

    ask()

    assert (packs(ready), machine.taken_minor()) == (1, 5000)
    assert seen(ready)["pending"] is None


@pytest.mark.parametrize("place", range(14))
def test_the_webhook_at_any_moment_of_the_charge_grants_once(
    ready: Driver, machine: Machine, faults: FaultyClient, place: int
) -> None:
    def events_come() -> None:
        tell(ready, machine, "payment_intent.succeeded", "charge.succeeded")

    faults.forget()
    faults.before[place] = events_come
    ask()
    tell(ready, machine)

    assert (available(ready), packs(ready), machine.taken_minor()) == (515, 1, 5000)
    assert seen(ready)["pending"] is None
    verify_ledger(ready, ACCOUNT)
