"""Accounts that top themselves up, as tests see them."""

from __future__ import annotations

from typing import Any

from tests.support.driving import Answered, Driver, FakeClock, FakeContext, load
from tests.support.payments import deliver
from tests.support.stripe_machine import Machine
from tollkeeper.domain.entries import AccountId
from tollkeeper.edge import wiring
from tollkeeper.service.payers import save_payer

ACCOUNT = "user_1"
TOP_UP = "/v1/accounts/{id}/top-up"
RULE: dict[str, Any] = {"pack": "pro", "below": 20, "most_purchases": 3, "monthly_cap": "150.00"}
"""The pack `pro` is 500 credits for 50.00; a new account has 15."""


def stand(driver: Driver, machine: Machine, card: str, account: str = ACCOUNT, **rule: Any) -> str:
    """The id of a customer with that card, who pays for the account, which has its rule."""
    customer = machine.customer(card)
    assert put(driver, account=account, **rule).status == 200
    save_payer(wiring.world(), AccountId(account), customer["id"])
    return str(customer["id"])


def put(
    driver: Driver, key: str | None = None, *, account: str = ACCOUNT, **changes: Any
) -> Answered:
    """The rule is set."""
    return driver.call(f"PUT {TOP_UP}", {**RULE, **changes}, path={"id": account}, key=key)


def seen(driver: Driver) -> Answered:
    """The rule and its state."""
    return driver.call(f"GET {TOP_UP}", path={"id": ACCOUNT})


def ask(account: str = ACCOUNT, type_: str = "credits.top_up_due") -> dict[str, Any]:
    """What the function does for an event of the bus."""
    event = {"source": "tollkeeper", "detail-type": type_, "detail": {"account": account}}
    return invoke(event)


def heal() -> dict[str, Any]:
    """What the schedule's run does."""
    return invoke({})


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    """What the function answers to the event."""
    context = FakeContext(function_name="top_up", remaining_ms=110_000)
    answer: dict[str, Any] = load("top_up").handler(event, context)
    return answer


def available(driver: Driver) -> int:
    """What the account has."""
    return int(driver.account(ACCOUNT)["available"])


def packs(driver: Driver, account: str = ACCOUNT) -> int:
    """How many packs came in."""
    return len([e for e in driver.entries(account) if e["key"].startswith("s~purchase:")])


def tell(driver: Driver, machine: Machine, *types: str) -> list[str]:
    """What the webhook answers to the events so far, of these types or all."""
    answers = [deliver(driver, event) for event in machine.events(*types)]
    assert {each.status for each in answers} <= {200}
    return [each["outcome"] for each in answers]


def drain(driver: Driver, machine: Machine, clock: FakeClock, rounds: int = 6) -> None:
    """Faults are over: the schedule runs for a while, and Stripe's events all come."""
    machine.plan.clear()
    for _ in range(rounds):
        clock.forward(minutes=5)
        heal()
        tell(driver, machine)
