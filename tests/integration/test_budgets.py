"""Budgets through the real handlers: one transaction for two accounts, once, and all of it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.test_holds import U, is_sound
from tests.support.driving import Answered, Driver, FakeClock
from tests.support.dumping import dump_table
from tests.support.faults import WRITE_FAULTS, FaultyClient

pytestmark = pytest.mark.moto

D = Decimal
FUND = "POST /v1/accounts/{id}/budgets"
CLOSE = "POST /v1/accounts/{id}/budgets/{budget}/close"


def fund(
    driver: Driver, budget: str, amount: object, key: str, account: str = U, **members: object
) -> Answered:
    """Credits for a budget."""
    body = {"budget": budget, "amount": amount, **members}
    return driver.call(FUND, body, path={"id": account}, key=key)


def close(driver: Driver, budget: str, key: str, account: str = U) -> Answered:
    """The end of a budget."""
    return driver.call(CLOSE, path={"id": account, "budget": budget}, key=key)


def test_a_budget_is_funded_spends_its_own_and_gives_the_rest_back(driver: Driver) -> None:
    driver.grant(U, 10, kind="pack")
    funded = fund(driver, "team_1", 20, "f1", monthly=15, reason="the team")
    spent = driver.deduct("team_1", "voice_call", "k1", quantity=6)
    seen = driver.account("team_1")
    closed = close(driver, "team_1", "c1")

    assert (funded.status, D(funded["transferred"])) == (201, 20)
    assert (D(funded["available"]), D(funded["budget_available"])) == (5, 20)
    assert D(spent["available"]) == 14
    assert (seen["parent"], D(seen["plan"]["allocation"]), D(seen["totals"]["transferred_in"])) == (
        U,
        0,
        20,
    )
    assert D(seen["limits"]["monthly"]) == 15
    assert {grant["kind"] for grant in seen["grants"]} == {"transfer"}
    assert (closed.status, D(closed["returned"]), D(closed["expired"])) == (200, 14, 0)
    assert D(closed["available"]) == 19
    assert driver.account("team_1")["status"] == "closed"
    remaining = {g["kind"]: D(g["remaining"]) for g in driver.account(U)["grants"]}
    assert remaining == {"plan": 9, "pack": 10}
    is_sound(driver)
    is_sound(driver, "team_1")


def test_a_step_again_is_its_first_answer_again_and_moves_nothing(
    driver: Driver, clock: FakeClock
) -> None:
    driver.grant(U, 10)
    first = [fund(driver, "team_1", 6, "f1"), close(driver, "team_1", "c1")]
    clock.forward(hours=1)
    before = dump_table()

    again = [fund(driver, "team_1", 6, "f1"), close(driver, "team_1", "c1")]

    assert [answer.body for answer in again] == [answer.body for answer in first]
    assert all(answer.headers["idempotency-replayed"] == "true" for answer in again)
    assert dump_table() == before
    other = fund(driver, "team_1", 7, "f1")
    assert (other.status, other["code"]) == (422, "idempotency_mismatch")


def test_a_denial_names_the_level(driver: Driver) -> None:
    fund(driver, "team_1", 10, "f1", daily=5)

    poor = driver.deduct("team_1", "voice_call", "k1", quantity=11, per_run_max=11)
    capped = driver.hold("team_1", "voice_call", "run_7", estimate=6)
    parent = fund(driver, "team_1", 6, "f2")
    own = driver.check(U, "voice_call", quantity=6)

    assert (capped["code"], capped["blocking"], capped["level"]) == (
        "limit_reached",
        "daily_limit",
        "budget",
    )
    assert (poor["blocking"], poor["level"]) == ("daily_limit", "budget")
    assert (parent.status, parent["blocking"], parent["level"]) == (402, "parent", "parent")
    assert (D(parent["required"]), D(parent["available"]), D(parent["shortfall"])) == (6, 5, 1)
    assert (own["blocking"], own["level"]) == ("balance", "account")
    assert D(driver.account("team_1")["available"]) == 10


def test_closing_with_open_holds_is_refused_until_they_are_closed(
    driver: Driver, clock: FakeClock
) -> None:
    fund(driver, "team_1", 10, "f1")
    driver.hold("team_1", "voice_call", "run_7", estimate=6)

    refused = close(driver, "team_1", "c1")
    clock.forward(minutes=15)
    closed = close(driver, "team_1", "c1")

    assert (refused.status, refused["code"]) == (409, "holds_open")
    assert (closed.status, D(closed["returned"])) == (200, 10)
    late = driver.settle("team_1", "run_7", quantity=2)
    assert (late.status, late["late"], D(late["charged"]), D(late["uncollected"])) == (
        200,
        True,
        0,
        2,
    )
    is_sound(driver)


def test_who_is_no_budget_of_the_account_is_neither_funded_nor_closed(driver: Driver) -> None:
    driver.deduct("stranger", "sms", "k1")
    fund(driver, "theirs", 5, "f1", account="stranger")
    driver.deduct(U, "sms", "k1")

    for budget in ("stranger", "theirs", U):
        answer = fund(driver, budget, 1, f"f-{budget}")
        assert (answer.status, answer["errors"][0]["member"]) == (422, "budget"), budget
    for budget in ("stranger", "theirs", "nobody"):
        answer = close(driver, budget, f"c-{budget}")
        assert (answer.status, answer["code"]) == (404, "not_found"), budget
    assert D(driver.account("theirs")["available"]) == 5


def test_a_closed_budget_is_neither_funded_nor_closed_again(driver: Driver) -> None:
    fund(driver, "team_1", 5, "f1")
    close(driver, "team_1", "c1")

    funded, closed = fund(driver, "team_1", 1, "f2"), close(driver, "team_1", "c2")

    assert (funded.status, funded["code"]) == (403, "account_closed")
    assert (closed.status, closed["code"]) == (403, "account_closed")


def test_what_expired_meanwhile_does_not_come_back(driver: Driver, clock: FakeClock) -> None:
    fund(driver, "team_1", 10, "f1")
    clock.forward(days=20)

    closed = close(driver, "team_1", "c1")

    assert (D(closed["returned"]), D(closed["available"])) == (0, 15)
    is_sound(driver)
    is_sound(driver, "team_1")


def test_a_budget_that_nobody_touched_for_months_is_brought_up_to_date_first(
    driver: Driver, clock: FakeClock
) -> None:
    driver.grant(U, 50, kind="pack")
    fund(driver, "team_1", 40, "f1")
    driver.deduct("team_1", "sms", "k1")
    clock.forward(days=365 * 4)

    closed = close(driver, "team_1", "c1")

    assert closed.status == 200
    assert D(closed["returned"]) == 25
    is_sound(driver, "team_1")


@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_a_fault_at_any_call_ends_in_one_transfer_after_a_retry(
    driver: Driver, faults: FaultyClient, fault: str
) -> None:
    for number in range(4):
        budget = f"team_{number}"
        driver.grant(U, 3, key=f"g{number}")
        faults.forget()
        faults.plan[number] = fault
        fund(driver, budget, 2, f"f{number}")
        faults.forget()

        again = fund(driver, budget, 2, f"f{number}")

        assert again.status == 201
        assert D(driver.account(budget)["available"]) == 2
    assert D(driver.account(U)["totals"]["transferred_out"]) == 8
    is_sound(driver)
