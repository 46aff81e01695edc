"""Money that goes back at Stripe, as the account and its callers see it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.test_holds import U, is_sound, limit
from tests.support.driving import Answered, Driver
from tests.support.payments import FakeStripe, buy, deliver, report

D = Decimal


def paid(driver: Driver, stripe: FakeStripe, pack: str = "pro", key: str = "b1") -> str:
    """A purchase that is paid: 500 credits for 50.00."""
    purchase = buy(driver, pack=pack, key=key)["purchase_id"]
    assert deliver(driver, report(driver, stripe, purchase)).status == 200
    return purchase


def refunded(driver: Driver, purchase: str, minor: int, charged: int = 5000) -> Answered:
    """Stripe says how much of the purchase's payment is refunded by now."""
    number = purchase.removeprefix("pur_")
    event: dict[str, Any] = {
        "id": f"evt_refund_{number}_{minor}",
        "object": "event",
        "api_version": "2026-03-25.dahlia",
        "created": int(driver.clock.now().timestamp()),
        "livemode": False,
        "type": "charge.refunded",
        "data": {
            "object": {
                "id": f"ch_{number}",
                "object": "charge",
                "amount": charged,
                "amount_captured": charged,
                "amount_refunded": minor,
                "currency": "usd",
                "livemode": False,
                "metadata": {},
                "payment_intent": f"pi_{number}",
                "refunded": minor == charged,
            }
        },
    }
    return deliver(driver, event)


def explained(driver: Driver, row: dict[str, Any]) -> Answered:
    """The row with everything that explains it."""
    path = {"id": U, "key": row["key"]}
    return driver.call("GET /v1/accounts/{id}/entries/{key}", path=path)


def owing(driver: Driver, stripe: FakeStripe) -> str:
    """An account that spent 505 of its 515 credits before all of the pack's money went back."""
    purchase = paid(driver, stripe)
    driver.deduct(U, "voice_call", "k1", quantity=505)
    assert refunded(driver, purchase, 5000).status == 200
    return purchase


def test_s3_10_a_refund_takes_its_share_of_the_credits_and_says_so(
    driver: Driver, stripe: FakeStripe
) -> None:
    purchase = paid(driver, stripe)

    refunded(driver, purchase, 1234)
    refunded(driver, purchase, 1234)

    account, (*_, row) = driver.account(U), driver.entries(U)
    assert D(account["available"]) == D("515") - D("123.4")
    assert (row["kind"], D(row["delta"])) == ("clawback", D("-123.4"))
    assert (D(account["debt"]), D(account["totals"]["clawed_back"])) == (0, D("123.4"))
    whole = explained(driver, row)
    assert whole["details"]["purchase"] == purchase
    assert [each["kind"] for each in whole["grants_moved"]] == ["pack"]
    is_sound(driver)


def test_s3_10_what_was_spent_before_its_money_went_back_is_owed_and_blocks(
    driver: Driver, stripe: FakeStripe
) -> None:
    owing(driver, stripe)

    account = driver.account(U)
    assert (D(account["debt"]), D(account["clawback_debt"])) == (490, 490)
    assert (D(account["available"]), D(account["spendable"])) == (-490, 0)
    answers = [
        driver.check(U, "voice_call", quantity=2),
        driver.hold(U, "voice_call", "run_7", quantity=2),
        driver.deduct(U, "voice_call", "k2", quantity=2),
    ]
    for answer in answers:
        assert (answer.status, answer["code"]) == (402, "insufficient_credits")
        assert (answer["blocking"], D(answer["shortfall"])) == ("debt", 492)
    is_sound(driver)


def test_with_the_pack_that_is_offered_the_debt_is_paid_and_the_same_call_passes(
    driver: Driver, stripe: FakeStripe
) -> None:
    owing(driver, stripe)
    refused = driver.deduct(U, "voice_call", "k2", quantity=11)

    (offer,) = refused["offers"]
    paid(driver, stripe, pack=offer["pack"], key="b2")

    assert driver.deduct(U, "voice_call", "k2", quantity=11).status == 200
    assert D(driver.account(U)["clawback_debt"]) == 0
    is_sound(driver)


def test_a_row_says_what_it_paid_of_what_is_owed(driver: Driver, stripe: FakeStripe) -> None:
    owing(driver, stripe)

    driver.grant(U, 100)

    whole = explained(driver, driver.entries(U)[-1])
    assert (D(whole["debt"]), D(whole["debt_change"])) == (390, -100)
    assert D(whole["clawback_debt_change"]) == -100


@pytest.mark.parametrize("what", ["freeze", "close"])
def test_credits_follow_their_money_whatever_the_account_may_do(
    driver: Driver, stripe: FakeStripe, what: str
) -> None:
    purchase = paid(driver, stripe)
    path = {"id": U}
    driver.call(f"POST /v1/accounts/{{id}}/{what}", {"reason": "test"}, path=path, key="s")

    assert refunded(driver, purchase, 5000).status == 200

    assert D(driver.account(U)["totals"]["clawed_back"]) == 500
    is_sound(driver)


def test_limits_are_said_before_debt_because_credits_would_not_help(
    driver: Driver, stripe: FakeStripe
) -> None:
    owing(driver, stripe)
    limit(driver, per_run_max=1)

    assert driver.deduct(U, "voice_call", "k2", quantity=2)["blocking"] == "per_run_max"
