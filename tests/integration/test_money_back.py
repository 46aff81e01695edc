"""Refunds and disputes, through the real handler: credits follow the money, once, in any order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger
from tests.support.money_back import (
    CHARGED,
    DISPUTE_CLOSED,
    DISPUTE_UPDATED,
    DISPUTED,
    REFUNDED,
    REINSTATED,
    WITHDRAWN,
    charge_of,
    dispute_of,
    event_about,
    ids_of,
)
from tests.support.payments import (
    FakeStripe,
    available,
    buy,
    deliver,
    grants,
    report,
    state_of,
)
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.money_back import NO_MONEY_BACK
from tollkeeper.edge import wiring

pytestmark = pytest.mark.usefixtures("stripe")


@pytest.fixture
def paid(driver: Driver, stripe: FakeStripe, bought: str) -> str:
    """A purchase of 500 credits for 50.00 that is paid; user_1 has 515."""
    deliver(driver, report(driver, stripe, bought))
    return bought


def refund(driver: Driver, purchase: str, refunded: int, **changes: Any) -> dict[str, Any]:
    """charge.refunded with so much of it refunded so far."""
    return event_about(driver, REFUNDED, charge_of(purchase, refunded, **changes))


def dispute(driver: Driver, purchase: str, type_: str, status: str, **changes: Any) -> Any:
    """An event about the purchase's dispute."""
    return event_about(driver, type_, dispute_of(purchase, status, **changes))


def rows(driver: Driver) -> list[tuple[str, str, int]]:
    """Kind, key and delta of every row that money back wrote."""
    kinds = ("clawback", "reinstate")
    return [
        (e["kind"], e["key"], e["delta"]) for e in driver.entries("user_1") if e["kind"] in kinds
    ]


# -------------------------------------------------------------------------------------- refunds


def test_s3_16_a_refund_takes_the_purchases_credits_back(driver: Driver, paid: str) -> None:
    answer = deliver(driver, refund(driver, paid, 5000))

    assert (answer.status, answer.body) == (200, {"received": True, "outcome": "refunded"})
    assert available(driver) == 15
    state = state_of(driver, paid)
    assert (state["status"], state["refunded"], state["clawed_back"]) == ("refunded", "50.00", 500)
    pi = ids_of(paid)[0]
    assert rows(driver) == [("clawback", f"s~refund:{pi}:5000", -500)]
    verify_ledger(driver, "user_1")


def test_partial_refunds_are_cumulative_and_taken_once_each(driver: Driver, paid: str) -> None:
    first = refund(driver, paid, 1234)
    deliver(driver, first)
    assert state_of(driver, paid)["status"] == "partially_refunded"
    assert available(driver) == Decimal("391.6")

    again = deliver(driver, first)
    same = deliver(driver, refund(driver, paid, 1234))
    less = deliver(driver, refund(driver, paid, 1000))
    deliver(driver, refund(driver, paid, 5000))

    assert [a["outcome"] for a in (again, same, less)] == ["duplicate"] * 3
    assert (available(driver), len(rows(driver))) == (15, 2)
    assert state_of(driver, paid)["status"] == "refunded"


def test_refunded_credits_that_are_spent_become_debt(driver: Driver, paid: str) -> None:
    for number in range(5):
        driver.deduct("user_1", "sms", f"k{number}", quantity=100)
    assert available(driver) == 15

    deliver(driver, refund(driver, paid, 5000))

    account = driver.account("user_1")
    assert (account["available"], account["debt"], account["clawback_debt"]) == (-485, 485, 485)
    refused = driver.deduct("user_1", "sms", "k9")
    assert (refused.status, refused["blocking"]) == (402, "debt")
    verify_ledger(driver, "user_1")


def test_a_refund_of_a_charge_with_tax_takes_its_share_of_what_was_charged(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought, amount_total=6000))

    half = charge_of(bought, 3000, amount=6000, amount_captured=6000)
    deliver(driver, event_about(driver, REFUNDED, half))

    assert available(driver) == 15 + 250


def test_a_refund_before_the_grant_is_remembered_and_taken_with_it(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    early = deliver(driver, refund(driver, bought, 2000))
    assert (early.status, early["outcome"]) == (200, "remembered")

    answer = deliver(driver, report(driver, stripe, bought))

    assert answer["outcome"] == "granted"
    assert available(driver) == 15 + 300
    assert rows(driver) == [("clawback", f"s~early:{bought}", -200)]
    assert state_of(driver, bought)["status"] == "partially_refunded"
    assert len(grants(driver)) == 1
    verify_ledger(driver, "user_1")


def test_a_refund_while_a_purchase_is_pending_is_taken_with_the_grant(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought, payment_status="unpaid"))
    deliver(driver, refund(driver, bought, 5000))
    assert (available(driver), state_of(driver, bought)["status"]) == (15, "pending")

    deliver(driver, report(driver, stripe, bought))

    assert (available(driver), state_of(driver, bought)["status"]) == (15, "refunded")


def test_a_purchase_that_was_paid_before_its_grant_was_noted_loses_its_own_credits_first(
    driver: Driver, paid: str
) -> None:
    ledger = wiring.ledger()
    now = ledger.read_purchase(AccountId("user_1"), paid)
    assert now is not None
    ledger.write_purchase(replace(now, grant="", back=NO_MONEY_BACK, version=now.version + 1))

    deliver(driver, refund(driver, paid, 5000))

    kept = driver.account("user_1")["grants"]
    assert [(grant["kind"], grant["remaining"]) for grant in kept] == [("plan", 15)]
    verify_ledger(driver, "user_1")


def test_a_refund_of_a_closed_account_is_taken(driver: Driver, paid: str) -> None:
    route = "POST /v1/accounts/{id}/close"
    driver.call(route, {"reason": "gone"}, path={"id": "user_1"}, key="c1")

    assert deliver(driver, refund(driver, paid, 5000))["outcome"] == "refunded"
    assert driver.account("user_1")["available"] == 15


def test_a_refund_of_a_strangers_charge_takes_nothing(driver: Driver, paid: str) -> None:
    strange = charge_of(paid, 5000, id="ch_strange", payment_intent="pi_strange")

    answer = deliver(driver, event_about(driver, REFUNDED, strange))

    assert (answer.status, answer["outcome"]) == (200, "remembered")
    assert (available(driver), rows(driver)) == (515, [])


def test_news_of_the_other_mode_is_ignored(driver: Driver, paid: str) -> None:
    event = refund(driver, paid, 5000) | {"livemode": True}

    answer = deliver(driver, event)

    assert (answer["outcome"], available(driver)) == ("ignored", 515)


@pytest.mark.parametrize("type_", ["refund.failed", "charge.refund.updated", "refund.updated"])
def test_a_refund_that_failed_is_for_a_person_and_the_credits_stay_gone(
    driver: Driver, paid: str, type_: str
) -> None:
    deliver(driver, refund(driver, paid, 5000))
    pi, charge = ids_of(paid)
    failed = {
        "id": "re_1",
        "object": "refund",
        "amount": 5000,
        "charge": charge,
        "currency": "usd",
        "failure_reason": "expired_or_canceled_card",
        "payment_intent": pi,
        "status": "failed",
    }

    answer = deliver(driver, event_about(driver, type_, failed))
    other = deliver(driver, event_about(driver, "refund.failed", failed))
    made = deliver(
        driver, event_about(driver, type_, failed | {"id": "re_2", "status": "succeeded"})
    )

    assert (answer["outcome"], other["outcome"]) == ("quarantined", "quarantined")
    assert made["outcome"] == "ignored"
    assert available(driver) == 15
    cases = driver.call("GET /v1/quarantine/payments")["cases"]
    assert [(c["purchase_id"], c["amount"], c["account"]) for c in cases] == [
        (paid, "50.00", "user_1")
    ]
    assert "expired_or_canceled_card" in cases[0]["reason"]


def test_a_failed_refund_of_no_payment_of_ours_is_ignored(driver: Driver) -> None:
    failed = {"id": "re_1", "status": "failed", "charge": "ch_x", "payment_intent": None}

    assert deliver(driver, event_about(driver, "refund.failed", failed))["outcome"] == "ignored"


# ------------------------------------------------------------------------------------- disputes


@pytest.mark.parametrize(
    ("type_", "status"),
    [
        (DISPUTED, "needs_response"),
        (DISPUTED, "under_review"),
        (DISPUTE_UPDATED, "under_review"),
        (DISPUTE_UPDATED, "appeal_needs_response"),
        (DISPUTE_CLOSED, "lost"),
        (WITHDRAWN, "needs_response"),
        (WITHDRAWN, "a word of tomorrow"),
    ],
)
def test_a_dispute_takes_the_credits_once(
    driver: Driver, paid: str, type_: str, status: str
) -> None:
    answer = deliver(driver, dispute(driver, paid, type_, status))
    again = deliver(driver, dispute(driver, paid, DISPUTED, "needs_response"))

    assert (answer["outcome"], again["outcome"]) == ("disputed", "duplicate")
    assert (available(driver), state_of(driver, paid)["status"]) == (15, "disputed")
    assert rows(driver) == [("clawback", f"s~dispute:dp_{ids_of(paid)[1][3:]}", -500)]
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("type_", [DISPUTED, DISPUTE_UPDATED, DISPUTE_CLOSED])
@pytest.mark.parametrize(
    "status",
    ["warning_needs_response", "warning_under_review", "warning_closed", "prevented", "tomorrow"],
)
def test_an_inquiry_moves_nothing(driver: Driver, paid: str, type_: str, status: str) -> None:
    answer = deliver(driver, dispute(driver, paid, type_, status))

    assert (answer.status, answer["outcome"]) == (200, "ignored")
    assert (available(driver), state_of(driver, paid)["status"]) == (515, "paid")


@pytest.mark.parametrize(
    ("type_", "status"), [(DISPUTE_CLOSED, "won"), (REINSTATED, "needs_response")]
)
def test_a_dispute_that_is_won_gives_the_credits_back_once(
    driver: Driver, paid: str, type_: str, status: str
) -> None:
    deliver(driver, dispute(driver, paid, DISPUTED, "needs_response"))

    won = deliver(driver, dispute(driver, paid, type_, status))
    again = deliver(driver, dispute(driver, paid, DISPUTE_CLOSED, "won"))
    late = deliver(driver, dispute(driver, paid, DISPUTED, "needs_response"))

    assert [a["outcome"] for a in (won, again, late)] == ["reinstated", "duplicate", "duplicate"]
    assert (available(driver), state_of(driver, paid)["status"]) == (515, "paid")
    number = ids_of(paid)[1][3:]
    assert [key for _, key, _ in rows(driver)] == [
        f"s~dispute:dp_{number}",
        f"s~dispute_won:dp_{number}",
    ]
    verify_ledger(driver, "user_1")


def test_a_refund_of_a_disputed_payment_takes_nothing_twice(driver: Driver, paid: str) -> None:
    deliver(driver, dispute(driver, paid, DISPUTED, "needs_response"))
    deliver(driver, refund(driver, paid, 5000))
    assert (available(driver), len(rows(driver))) == (15, 1)

    won = deliver(driver, dispute(driver, paid, DISPUTE_CLOSED, "won"))

    assert won["outcome"] == "reinstated"
    assert (available(driver), state_of(driver, paid)["status"]) == (15, "refunded")


def test_a_dispute_that_names_only_the_charge_is_found_by_what_the_charge_said(
    driver: Driver, paid: str
) -> None:
    """Why: events of 2017 have no payment intent on a dispute."""
    charge = event_about(driver, CHARGED, charge_of(paid))
    assert deliver(driver, charge)["outcome"] == "linked"
    assert deliver(driver, charge)["outcome"] == "duplicate"

    old = dispute_of(paid, "needs_response")
    del old["payment_intent"]
    answer = deliver(driver, event_about(driver, WITHDRAWN, old))

    assert (answer["outcome"], available(driver)) == ("disputed", 15)


def test_a_dispute_of_a_charge_that_nobody_knows_waits_for_what_the_charge_says(
    driver: Driver, paid: str
) -> None:
    old = dispute_of(paid, "needs_response", payment_intent=None)
    assert deliver(driver, event_about(driver, WITHDRAWN, old))["outcome"] == "remembered"
    assert available(driver) == 515

    answer = deliver(driver, event_about(driver, CHARGED, charge_of(paid)))

    assert (answer.status, available(driver)) == (200, 15)
    assert state_of(driver, paid)["status"] == "disputed"


def test_a_payment_intent_says_which_charge_took_the_money(driver: Driver, paid: str) -> None:
    pi, charge = ids_of(paid)
    intent = {
        "id": pi,
        "object": "payment_intent",
        "amount": 5000,
        "amount_received": 5000,
        "currency": "usd",
        "latest_charge": charge,
        "metadata": {"purchase_id": paid},
    }

    answer = deliver(driver, event_about(driver, "payment_intent.succeeded", intent))

    assert (answer["outcome"], available(driver)) == ("linked", 515)
    link = wiring.ledger().read_link(charge)
    assert link is not None and link.purchase == paid


def test_a_failed_try_on_a_page_does_not_end_the_purchase(driver: Driver, bought: str) -> None:
    pi, _ = ids_of(bought)
    intent = {"id": pi, "amount": 5000, "currency": "usd", "metadata": {"purchase_id": bought}}

    answer = deliver(driver, event_about(driver, "payment_intent.payment_failed", intent))

    assert (answer["outcome"], state_of(driver, bought)["status"]) == ("ignored", "created")


# ---------------------------------------------------------------------------------- every order


def story(driver: Driver, stripe: FakeStripe, purchase: str) -> list[dict[str, Any]]:
    """Paid, disputed, the dispute won, and then refunded in part."""
    return [
        report(driver, stripe, purchase),
        dispute(driver, purchase, DISPUTED, "needs_response", amount=4000),
        dispute(driver, purchase, DISPUTE_CLOSED, "won", amount=4000),
        refund(driver, purchase, 2500),
    ]


def test_every_order_of_a_story_ends_with_the_same_balance_and_state(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    told: set[tuple[object, ...]] = set()
    for number, order in enumerate(itertools.permutations(range(4))):
        account = f"u{number}"
        purchase = buy(driver, account=account)["purchase_id"]
        events = story(driver, stripe, purchase)
        for index in [*order, order[0]]:
            assert deliver(driver, events[index]).status == 200
        state = state_of(driver, purchase)
        told.add((available(driver, account), state["status"], state["clawed_back"]))
        if number % 8 == 0:
            verify_ledger(driver, account)

    assert told == {(265, "partially_refunded", 250)}
    assert bought
