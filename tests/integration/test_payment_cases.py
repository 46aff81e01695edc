"""Money that needs a person: a case once, in the list, and decided once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import WRITE_FAULTS, Crash, FaultyClient
from tests.support.invoices import an_event
from tests.support.money_back import REFUNDED, charge_of, event_about
from tests.support.payments import FakeStripe, available, deliver, grants, report, state_of

pytestmark = pytest.mark.usefixtures("stripe")
RELEASE = "POST /v1/quarantine/payments/{case}/release"


def cases(driver: Driver) -> list[dict[str, Any]]:
    """The open ones, read page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "1"}
    while True:
        page = driver.call("GET /v1/quarantine/payments", query=query)
        found += page["cases"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def release(driver: Driver, case: str, action: str, key: str = "d1", **members: Any) -> Answered:
    """What an operator decides."""
    body = {"action": action, "reason": "looked at it", **members}
    return driver.call(RELEASE, body, path={"case": case}, key=key)


@pytest.fixture
def waiting(driver: Driver, stripe: FakeStripe, bought: str) -> str:
    """A purchase for which 49.99 came in."""
    deliver(driver, report(driver, stripe, bought, amount_subtotal=4999, amount_total=4999))
    return bought


def test_money_that_does_not_match_is_a_case_once(
    driver: Driver, stripe: FakeStripe, waiting: str
) -> None:
    deliver(driver, report(driver, stripe, waiting, amount_subtotal=4999))
    deliver(driver, report(driver, stripe, waiting))

    (case,) = cases(driver)
    assert case["purchase_id"] == waiting
    assert case["reason"] == "the amount is 4999, not 5000"
    assert (case["account"], case["amount"], case["currency"]) == ("user_1", "49.99", "usd")
    assert case["payment"] == f"pi_{waiting[4:]}"
    assert available(driver) == 15


@pytest.mark.parametrize("by", ["page", "payment"])
def test_a_second_payment_of_what_is_paid_is_a_case_once(
    driver: Driver, stripe: FakeStripe, bought: str, by: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    events = {
        "page": report(driver, stripe, bought, payment_intent="pi_second") | {"id": "evt_2"},
        "payment": an_event(
            "payment_intent.succeeded",
            {
                "id": "pi_second",
                "object": "payment_intent",
                "amount": 5000,
                "amount_received": 5000,
                "currency": "usd",
                "latest_charge": "ch_second",
                "livemode": False,
                "metadata": {"purchase_id": bought, "account": "user_1"},
                "status": "succeeded",
            },
            id="evt_2",
        ),
    }

    answers = [deliver(driver, events[by]), deliver(driver, events[by] | {"id": "evt_3"})]

    assert [answer["outcome"] for answer in answers] == ["quarantined", "quarantined"]
    (case,) = cases(driver)
    assert case["payment"] == "pi_second" and case["purchase_id"] == bought
    assert case["reason"].startswith("paid before, and the payment is pi_second")
    assert available(driver) == 515
    assert release(driver, case["case"], "grant", credits=500).status == 200
    assert available(driver) == 1015


def test_a_case_of_one_account_is_released_to_no_other(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    deliver(driver, report(driver, stripe, bought, payment_intent="pi_second"))
    (case,) = cases(driver)

    other = release(driver, case["case"], "grant", credits=500, account="user_2")
    own = release(driver, case["case"], "grant", "d2", credits=500, account="user_1")

    assert (other.status, other["code"]) == (422, "invalid")
    assert "user_1" in other.text
    assert (own.status, available(driver)) == (200, 1015)


def test_a_case_that_is_granted_brings_what_the_purchase_recorded_once(
    driver: Driver, waiting: str
) -> None:
    (case,) = cases(driver)

    answer = release(driver, case["case"], "grant")
    again = release(driver, case["case"], "grant")
    other = release(driver, case["case"], "grant", "d2")
    changed = release(driver, case["case"], "dismiss", "d1")

    assert (answer.status, answer["resolution"], answer["granted"]) == (200, "granted", waiting)
    assert (again.status, again.body) == (200, answer.body)
    assert (other.status, other["code"]) == (409, "already_resolved")
    assert (changed.status, changed["code"]) == (422, "idempotency_mismatch")
    assert (available(driver), len(grants(driver)), cases(driver)) == (515, 1, [])
    assert state_of(driver, waiting)["status"] == "paid"
    verify_ledger(driver, "user_1")


def test_what_was_granted_by_a_person_goes_with_its_money_like_any_other(
    driver: Driver, waiting: str
) -> None:
    (case,) = cases(driver)
    part = charge_of(waiting, 1000, amount=4999, amount_captured=4999)
    deliver(driver, event_about(driver, REFUNDED, part))

    release(driver, case["case"], "grant")
    assert available(driver) < 515
    whole = charge_of(waiting, 4999, amount=4999, amount_captured=4999)
    deliver(driver, event_about(driver, REFUNDED, whole))

    assert (available(driver), state_of(driver, waiting)["status"]) == (15, "refunded")
    verify_ledger(driver, "user_1")


def test_a_case_that_is_put_aside_brings_nothing(driver: Driver, waiting: str) -> None:
    (case,) = cases(driver)

    answer = release(driver, case["case"], "dismiss")
    grant = release(driver, case["case"], "grant", "d2")

    assert (answer["resolution"], answer["note"]) == ("dismissed", "looked at it")
    assert (grant.status, grant["code"]) == (409, "already_resolved")
    assert (available(driver), cases(driver)) == (15, [])
    assert state_of(driver, waiting)["status"] == "quarantined"


def test_a_second_payment_is_granted_beside_the_first_and_goes_with_its_own_money(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    twice = report(driver, stripe, bought, id="cs_test_2", payment_intent="pi_second")
    assert deliver(driver, twice)["outcome"] == "quarantined"
    (case,) = cases(driver)

    without = release(driver, case["case"], "grant")
    granted = release(driver, case["case"], "grant", credits=500)

    assert (without.status, without["errors"][0]["member"]) == (422, "credits")
    assert granted["granted"] != bought
    assert (available(driver), len(grants(driver))) == (1015, 2)
    second = charge_of(bought, 5000, id="ch_second", payment_intent="pi_second", metadata={})
    deliver(driver, event_about(driver, REFUNDED, second))
    assert available(driver) == 515
    assert state_of(driver, granted["granted"])["status"] == "refunded"
    assert state_of(driver, bought)["status"] == "paid"


def test_money_of_nobody_needs_an_account_and_credits(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    missing = {"purchase_id": "pur_" + "0" * 32}
    event = report(driver, stripe, bought, metadata=missing, client_reference_id=None)
    driver.clock.forward(hours=2)
    assert deliver(driver, event)["outcome"] == "quarantined"
    (case,) = cases(driver)
    assert case["account"] is None

    alone = release(driver, case["case"], "grant")
    half = release(driver, case["case"], "grant", account="user_1")
    whole = release(driver, case["case"], "grant", account="user_1", credits="12.5")

    assert (alone.status, half.status, whole.status) == (422, 422, 200)
    assert available(driver) == 27.5
    verify_ledger(driver, "user_1")


def test_members_that_decide_nothing_are_refused(driver: Driver, waiting: str) -> None:
    (case,) = cases(driver)

    answers = [
        release(driver, case["case"], "grant", credits=1),
        release(driver, case["case"], "grant", account="user_2"),
        release(driver, case["case"], "dismiss", credits=1),
        release(driver, case["case"], "dismiss", account="user_2"),
    ]

    assert [(a.status, a["code"]) for a in answers] == [(422, "invalid")] * 4
    assert state_of(driver, waiting)["status"] == "quarantined"


def test_money_for_a_closed_account_is_a_case_that_cannot_be_granted_there(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    route = "POST /v1/accounts/{id}/close"
    driver.call(route, {"reason": "gone"}, path={"id": "user_1"}, key="c1")
    deliver(driver, report(driver, stripe, bought))
    (case,) = cases(driver)
    assert "closed" in case["reason"]

    refused = release(driver, case["case"], "grant")
    aside = release(driver, case["case"], "dismiss")

    assert (refused.status, refused["code"]) == (403, "account_closed")
    assert aside.status == 200


@pytest.mark.parametrize("call", range(6))
@pytest.mark.parametrize("fault", [*WRITE_FAULTS, "crash_before", "crash_after"])
def test_a_fault_at_any_call_of_a_release_is_healed_by_the_next_try(
    driver: Driver, faults: FaultyClient, waiting: str, call: int, fault: str
) -> None:
    (case,) = cases(driver)
    faults.forget()
    faults.plan = {call: fault}

    try:
        assert release(driver, case["case"], "grant").status in (200, 503)
    except Crash:
        assert fault.startswith("crash")
    faults.forget()

    assert release(driver, case["case"], "grant")["granted"] == waiting
    assert (available(driver), len(grants(driver)), cases(driver)) == (515, 1, [])
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("call", range(4))
def test_two_operators_at_once_decide_once(
    driver: Driver, faults: FaultyClient, waiting: str, call: int
) -> None:
    (case,) = cases(driver)
    others: list[Answered] = []
    faults.forget()
    faults.before = {call: lambda: others.append(release(driver, case["case"], "dismiss", "d2"))}

    mine = release(driver, case["case"], "grant", "d1")

    assert (others[0].status, mine.status) == (200, 409)
    assert (available(driver), state_of(driver, waiting)["status"]) == (15, "quarantined")
