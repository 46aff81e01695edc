"""Stripe's deliveries, through the real handler: a pack is granted once, or not at all."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Driver, verify_ledger
from tests.support.faults import FaultyClient
from tests.support.payments import (
    COMPLETED,
    EXPIRED,
    FAILED,
    SUCCEEDED,
    FakeStripe,
    available,
    buy,
    deliver,
    grants,
    report,
    state_of,
)
from tollkeeper.edge import settings

pytestmark = pytest.mark.usefixtures("stripe")


# --------------------------------------------------------------------------------------- grants


def test_s3_02_a_paid_session_grants_exactly_the_pack_recorded_before(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    driver.clock.forward(minutes=3)

    answer = deliver(driver, report(driver, stripe, bought))

    assert (answer.status, answer.body) == (200, {"received": True, "outcome": "granted"})
    account = driver.account("user_1")
    assert (account["available"], account["totals"]["purchased"]) == (515, 500)
    pack = next(grant for grant in account["grants"] if grant["kind"] == "pack")
    assert (pack["amount"], pack["priority"], pack["expires_at"]) == (500, 50, None)
    row = grants(driver)[0]
    assert (row["key"], row["kind"], row["delta"]) == (f"s~purchase:{bought}", "grant", 500)
    verify_ledger(driver, "user_1")


def test_s4_09_the_purchase_is_paid_once_its_credits_are_there(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    driver.clock.forward(minutes=3)
    deliver(driver, report(driver, stripe, bought))

    state = state_of(driver, bought)

    assert (state["status"], state["paid_at"]) == ("paid", "2026-11-20T12:03:00+00:00")


def test_the_grant_explains_what_was_paid(driver: Driver, stripe: FakeStripe, bought: str) -> None:
    deliver(driver, report(driver, stripe, bought))

    route = "GET /v1/accounts/{id}/entries/{key}"
    entry = driver.call(route, path={"id": "user_1", "key": f"s~purchase:{bought}"})

    assert (entry["reason"], entry["actor"]) == ("pack pro", "stripe")
    assert entry["details"] == {
        "purchase": bought,
        "pack": "pro",
        "price_minor": "5000",
        "currency": "usd",
    }


def test_the_pack_is_the_one_recorded_although_the_catalog_changed(
    driver: Driver, stripe: FakeStripe, bought: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    use_catalog(monkeypatch, tmp_path, ("credits = 500\n", "credits = 5\n"))

    deliver(driver, report(driver, stripe, bought))

    assert available(driver) == 515


def test_a_purchase_opens_an_account_that_nobody_touched(
    driver: Driver, stripe: FakeStripe
) -> None:
    purchase_id = buy(driver, account="new")["purchase_id"]

    deliver(driver, report(driver, stripe, purchase_id))

    assert [e["kind"] for e in driver.entries("new")] == ["reset", "grant"]
    verify_ledger(driver, "new")


def test_a_frozen_account_still_gets_what_it_paid_for(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    route = "POST /v1/accounts/{id}/freeze"
    driver.call(route, {"reason": "look"}, path={"id": "user_1"}, key="f1")

    answer = deliver(driver, report(driver, stripe, bought))

    assert (answer["outcome"], available(driver)) == ("granted", 515)


def test_a_purchase_that_a_promotion_made_free_is_granted(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    event = report(
        driver,
        stripe,
        bought,
        payment_status="no_payment_required",
        payment_intent=None,
        amount_total=0,
    )

    assert deliver(driver, event)["outcome"] == "granted"
    assert available(driver) == 515


def test_tax_and_shipping_on_top_change_nothing(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought, amount_total=5950)

    assert deliver(driver, event)["outcome"] == "granted"


# -------------------------------------------------------------------------------- once and only


def test_the_same_event_again_is_a_duplicate(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought)
    deliver(driver, event)
    driver.clock.forward(days=3)

    again = deliver(driver, event)

    assert (again.status, again["outcome"]) == (200, "duplicate")
    assert (available(driver), len(grants(driver))) == (515, 1)


def test_another_event_for_the_same_payment_is_a_duplicate_even_after_a_year(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    driver.clock.forward(days=400)

    again = deliver(driver, report(driver, stripe, bought))
    other = deliver(driver, report(driver, stripe, bought, SUCCEEDED))

    assert (again["outcome"], other["outcome"]) == ("duplicate", "duplicate")
    assert len(grants(driver)) == 1


# Calls of a granting delivery: link, purchase, the payment's link, account, everything written.
@pytest.mark.parametrize("case", list(itertools.product(range(5), [True, False])))
def test_two_deliveries_at_once_grant_once(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str, case: tuple[int, bool]
) -> None:
    call, is_same_event = case
    mine = report(driver, stripe, bought)
    theirs = mine if is_same_event else report(driver, stripe, bought, SUCCEEDED)
    others: list[Any] = []
    faults.forget()
    faults.before = {call: lambda: others.append(deliver(driver, theirs))}

    answer = deliver(driver, mine)

    assert (others[0].status, others[0]["outcome"]) == (200, "granted")
    assert (answer.status, answer["outcome"]) == (200, "duplicate")
    assert (available(driver), len(grants(driver))) == (515, 1)
    verify_ledger(driver, "user_1")


def test_a_charge_at_the_same_time_is_not_lost(
    driver: Driver, faults: FaultyClient, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought)
    faults.forget()
    faults.before = {4: lambda: driver.deduct("user_1", "sms", "k1")}

    assert deliver(driver, event)["outcome"] == "granted"
    assert available(driver) == 514
    verify_ledger(driver, "user_1")


# ------------------------------------------------------------------------------ delayed payment


def test_a_completed_session_that_is_not_paid_yet_is_pending(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    event = report(driver, stripe, bought, payment_status="unpaid")

    first = deliver(driver, event)
    again = deliver(driver, event)

    assert (first["outcome"], again["outcome"]) == ("pending", "duplicate")
    assert (state_of(driver, bought)["status"], available(driver)) == ("pending", 15)


def test_a_delayed_payment_that_succeeds_is_granted(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought, payment_status="unpaid"))
    driver.clock.forward(days=5)

    answer = deliver(driver, report(driver, stripe, bought, SUCCEEDED))

    assert (answer["outcome"], available(driver)) == ("granted", 515)
    assert state_of(driver, bought)["status"] == "paid"


@pytest.mark.parametrize(("type_", "status"), [(FAILED, "failed"), (EXPIRED, "expired")])
def test_a_payment_that_comes_to_nothing_ends_the_purchase(
    driver: Driver, stripe: FakeStripe, bought: str, type_: str, status: str
) -> None:
    answer = deliver(driver, report(driver, stripe, bought, type_))

    assert (answer.status, answer["outcome"]) == (200, status)
    assert (state_of(driver, bought)["status"], available(driver)) == (status, 15)


@pytest.mark.parametrize("type_", [FAILED, EXPIRED, COMPLETED])
def test_a_paid_purchase_never_goes_back(
    driver: Driver, stripe: FakeStripe, bought: str, type_: str
) -> None:
    deliver(driver, report(driver, stripe, bought))

    late = deliver(driver, report(driver, stripe, bought, type_, payment_status="unpaid"))

    assert (late.status, late["outcome"]) == (200, "ignored")
    assert (state_of(driver, bought)["status"], available(driver)) == ("paid", 515)


STORIES = {
    "delayed and paid": ([(COMPLETED, "unpaid"), (SUCCEEDED, "paid")], "paid"),
    "delayed and failed": ([(COMPLETED, "unpaid"), (FAILED, "unpaid")], "failed"),
    "paid at once": ([(COMPLETED, "paid"), (COMPLETED, "paid")], "paid"),
}


@pytest.mark.parametrize("story", STORIES)
def test_events_in_any_order_and_twice_end_in_the_same_state(
    driver: Driver, stripe: FakeStripe, story: str
) -> None:
    told, status = STORIES[story]
    for number, order in enumerate(itertools.permutations([*told, *told])):
        purchase_id = buy(driver, account=f"user_{number}")["purchase_id"]
        for type_, paid in order:
            event = report(
                driver,
                stripe,
                purchase_id,
                type_,
                payment_status=paid,
                event_id=f"evt_{number}_{type_.replace('.', '_')}_{paid}",
            )
            assert deliver(driver, event).status == 200

        assert state_of(driver, purchase_id)["status"] == status, order
        if status == "paid":
            verify_ledger(driver, f"user_{number}")


# ----------------------------------------------------------------------------------- mismatches


WRONG_MONEY: list[tuple[dict[str, Any], str]] = [
    ({"amount_subtotal": 4999}, "the amount is 4999, not 5000"),
    ({"amount_subtotal": None}, "the amount is None, not 5000"),
    ({"currency": "eur"}, "the currency is eur, not usd"),
    ({"id": "cs_test_other"}, "the session is cs_test_other"),
    ({"livemode": True}, "livemode is True, not False"),
]


@pytest.mark.parametrize("wrong", WRONG_MONEY, ids=lambda wrong: wrong[1])
def test_money_that_is_not_what_was_asked_for_is_quarantined(
    driver: Driver,
    stripe: FakeStripe,
    bought: str,
    wrong: tuple[dict[str, Any], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes, reason = wrong

    answer = deliver(driver, report(driver, stripe, bought, **changes))

    assert (answer.status, answer["outcome"]) == (200, "quarantined")
    state = state_of(driver, bought)
    assert state["status"] == "quarantined"
    assert state["reason"].startswith(reason)
    assert (available(driver), grants(driver)) == (15, [])
    alarm = next(line for line in caplog.records if line.message == "payment quarantined")
    assert alarm.levelname == "ERROR"
    assert (vars(alarm)["purchase"], vars(alarm)["account"]) == (bought, "user_1")


def test_a_quarantined_purchase_never_grants_by_itself(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    wrong = report(driver, stripe, bought, amount_subtotal=1)
    deliver(driver, wrong)

    again = deliver(driver, wrong)
    right = deliver(driver, report(driver, stripe, bought))
    late = deliver(driver, report(driver, stripe, bought, EXPIRED))

    assert again["outcome"] == "duplicate"
    assert right["outcome"] == "quarantined"
    assert late["outcome"] == "ignored"
    assert (state_of(driver, bought)["status"], available(driver)) == ("quarantined", 15)


def test_a_second_payment_for_a_paid_purchase_is_for_a_person(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))

    second = deliver(driver, report(driver, stripe, bought, id="cs_test_second"))

    assert second["outcome"] == "quarantined"
    assert (state_of(driver, bought)["status"], available(driver)) == ("paid", 515)


def test_news_of_another_page_that_moved_no_money_is_ignored(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    answer = deliver(driver, report(driver, stripe, bought, EXPIRED, id="cs_test_other"))

    assert answer["outcome"] == "ignored"
    assert state_of(driver, bought)["status"] == "created"


def test_a_purchase_of_a_closed_account_is_quarantined(
    driver: Driver, stripe: FakeStripe, bought: str
) -> None:
    route = "POST /v1/accounts/{id}/close"
    driver.call(route, {"reason": "gone"}, path={"id": "user_1"}, key="c1")

    answer = deliver(driver, report(driver, stripe, bought))

    assert answer["outcome"] == "quarantined"
    state = state_of(driver, bought)
    assert (state["status"], "closed" in state["reason"]) == ("quarantined", True)
    assert available(driver) == 15


def test_production_wants_live_money(
    driver: Driver, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_mode = buy(driver)["purchase_id"]
    live = buy(driver, key="b2")["purchase_id"]
    monkeypatch.setenv("STAGE", "prod")
    settings.read_settings.cache_clear()

    refused = deliver(driver, report(driver, stripe, test_mode))
    granted = deliver(driver, report(driver, stripe, live, livemode=True))

    assert (refused["outcome"], granted["outcome"]) == ("quarantined", "granted")
