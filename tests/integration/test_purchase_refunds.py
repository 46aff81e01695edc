"""Refunds that an operator starts: made at Stripe once, and applied once whoever tells of them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import Crash, FaultyClient
from tests.support.money_back import (
    DISPUTED,
    REFUNDED,
    FakeRefunds,
    charge_of,
    dispute_of,
    event_about,
)
from tests.support.payments import FakeStripe, available, buy, deliver, report, state_of

pytestmark = pytest.mark.usefixtures("stripe")
ROUTE = "POST /v1/purchases/{purchase_id}/refund"


@pytest.fixture
def paid(driver: Driver, stripe: FakeStripe, refunds: FakeRefunds, bought: str) -> str:
    """A purchase of 500 credits for 50.00 that is paid; user_1 has 515."""
    assert not refunds.made
    deliver(driver, report(driver, stripe, bought))
    return bought


def refund(driver: Driver, purchase: str, key: str = "r1", **members: Any) -> Answered:
    """A refund that an operator asks for."""
    body = {"reason": "asked by mail", **members}
    return driver.call(ROUTE, body, path={"purchase_id": purchase}, key=key)


def clawbacks(driver: Driver) -> list[Any]:
    """What went with the money."""
    return [e["delta"] for e in driver.entries("user_1") if e["kind"] == "clawback"]


def test_a_refund_gives_all_of_the_money_back_and_takes_the_credits_at_once(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    answer = refund(driver, paid)

    assert (answer.status, answer["refund"], answer["status"]) == (201, "re_0", "refunded")
    assert (refunds.refunded, available(driver), clawbacks(driver)) == (5000, 15, [-500])
    verify_ledger(driver, "user_1")


def test_the_webhook_of_that_refund_takes_nothing_again(driver: Driver, paid: str) -> None:
    refund(driver, paid, amount="12.50")

    told = deliver(driver, event_about(driver, REFUNDED, charge_of(paid, 1250)))

    assert told["outcome"] == "duplicate"
    assert (available(driver), clawbacks(driver)) == (390, [-125])


def test_the_same_key_gives_back_once_and_answers_the_same(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    first = refund(driver, paid, amount=10)
    again = refund(driver, paid, amount=10)
    other = refund(driver, paid, amount=11)

    assert (first.status, again.status, again["refund"]) == (201, 201, first["refund"])
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status, other["code"]) == (422, "idempotency_mismatch")
    assert (refunds.refunded, refunds.calls) == (1000, 1)


def test_parts_add_up_to_the_whole_and_no_further(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    refund(driver, paid, "r1", amount="20")
    too_much = refund(driver, paid, "r2", amount="30.01")
    rest = refund(driver, paid, "r3")
    none_left = refund(driver, paid, "r4")

    assert (too_much.status, too_much["errors"][0]["member"]) == (422, "amount")
    assert (rest["status"], refunds.refunded) == ("refunded", 5000)
    assert (none_left.status, none_left["code"]) == (409, "not_refundable")
    assert (available(driver), clawbacks(driver)) == (15, [-200, -300])


@pytest.mark.parametrize("amount", ["0.001", "12.345"])
def test_a_part_of_a_cent_cannot_go_back(driver: Driver, paid: str, amount: str) -> None:
    answer = refund(driver, paid, amount=amount)

    assert (answer.status, answer["code"]) == (422, "invalid")


def test_a_lost_answer_of_stripes_is_healed_by_the_next_try(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    refunds.lost = {0}

    lost = refund(driver, paid, amount="25")
    again = refund(driver, paid, amount="25")

    assert (lost.status, lost["code"]) == (503, "payments_unavailable")
    assert (again.status, refunds.refunded, available(driver)) == (201, 2500, 265)


def test_what_stripe_refuses_can_be_asked_for_otherwise(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    refunds.refunded = 4000

    refused = refund(driver, paid, "r1")
    smaller = refund(driver, paid, "r2", amount="10")

    assert (refused.status, refused["code"]) == (409, "not_refundable")
    assert smaller.status == 201


def test_a_repeat_that_stripe_does_not_know_any_more_is_for_a_person(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    refunds.lost = {0}
    refund(driver, paid)
    driver.clock.forward(hours=24)

    late = refund(driver, paid)

    assert (late.status, late["code"], refunds.calls) == (409, "not_refundable", 1)


def test_a_disputed_or_unpaid_purchase_is_not_refunded(
    driver: Driver, refunds: FakeRefunds, paid: str
) -> None:
    deliver(driver, event_about(driver, DISPUTED, dispute_of(paid)))
    unpaid = buy(driver, key="b2")["purchase_id"]

    answers = [refund(driver, paid), refund(driver, unpaid)]

    assert [(a.status, a["code"]) for a in answers] == [(409, "not_refundable")] * 2
    assert refunds.calls == 0
    assert refund(driver, "pur_" + "0" * 32).status == 404


FAULTS = ["lost_after", "throttled", "crash_before", "crash_after"]


@pytest.mark.parametrize("case", list(itertools.product(range(14), FAULTS)))
def test_a_fault_at_any_call_is_healed_by_the_next_try(
    driver: Driver, faults: FaultyClient, refunds: FakeRefunds, paid: str, case: tuple[int, str]
) -> None:
    call, fault = case
    faults.forget()
    faults.plan = {call: fault}

    try:
        assert refund(driver, paid, amount="25").status in (201, 503)
    except Crash:
        assert fault.startswith("crash")
    faults.forget()
    again = refund(driver, paid, amount="25")

    assert (again.status, again["status"]) == (201, "partially_refunded")
    assert (refunds.refunded, available(driver), clawbacks(driver)) == (2500, 265, [-250])
    verify_ledger(driver, "user_1")


def test_s4_09_an_accounts_purchases_are_listed_page_by_page(driver: Driver, paid: str) -> None:
    others = {buy(driver, key=f"c{number}")["purchase_id"] for number in range(3)}
    route = "GET /v1/accounts/{id}/purchases"
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = driver.call(route, path={"id": "user_1"}, query=query)
        found += [each["purchase_id"] for each in page["purchases"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(found) == sorted({paid, *others})
    assert driver.call(route, path={"id": "nobody"})["purchases"] == []
    wrong = driver.call(route, path={"id": "user_1"}, query={"cursor": "pur_1"})
    assert (wrong.status, wrong["code"]) == (422, "invalid")
    assert state_of(driver, paid)["status"] == "paid"
