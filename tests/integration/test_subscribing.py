"""Plans that are paid at Stripe, through the real handlers: page, invoices, portal and end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import FaultyClient
from tests.support.invoices import an_event, old_invoice
from tests.support.payments import COMPLETED, HOME, FakeStripe, buy, deliver, state_of
from tests.support.subscribing import MONTH, ended, invoice, plan_of, subscribe, use_plans


@pytest.fixture(autouse=True)
def catalog(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shipped catalog with two plans that are paid at Stripe, and entitlements."""
    assert driver, "the table is made first"
    use_plans(monkeypatch, tmp_path)


# ------------------------------------------------------------------------------------ the page


def test_a_plan_is_bought_through_a_page_that_begins_a_subscription(
    driver: Driver, stripe: FakeStripe
) -> None:
    answer = subscribe(driver)

    assert answer.status == 201
    assert (answer["plan"], answer["pack"], answer["price"]) == ("studio", None, "20.00")
    assert answer["checkout_url"].startswith("https://checkout.stripe.test/")
    assert subscribe(driver)["purchase_id"] == answer["purchase_id"]
    assert len(stripe.sessions) == 1
    assert state_of(driver, answer["purchase_id"])["status"] == "created"


@pytest.mark.parametrize(
    ("body", "member", "why"),
    [
        ({"plan": "free"}, "plan", "is not for sale; the plans for sale are studio, house"),
        ({"plan": "nothing"}, "plan", "is not for sale"),
        ({"plan": "studio", "pack": "pro"}, "pack", "must be sent, or a plan, and not both"),
        ({"plan": None}, "pack", "must be sent, or a plan, and not both"),
        ({"plan": "studio", "save_card": True}, "save_card", "is for packs"),
    ],
)
def test_a_page_is_for_one_pack_or_one_plan_with_a_price(
    driver: Driver, stripe: FakeStripe, body: dict[str, Any], member: str, why: str
) -> None:
    answer = subscribe(driver, **body)

    assert answer.status == 422
    assert answer["errors"][0]["member"] == member
    assert why in answer["errors"][0]["reason"]
    assert stripe.sessions == {}


@pytest.mark.usefixtures("stripe")
def test_a_subscriber_is_sent_to_the_portal_and_not_to_a_second_subscription(
    driver: Driver,
) -> None:
    deliver(driver, invoice(driver, "first"))

    answer = subscribe(driver, "house")

    assert answer.status == 422
    assert "POST /v1/portal" in answer["detail"]
    assert buy(driver).status == 201


# ---------------------------------------------------------------------------------- the portal


def open_portal(driver: Driver, url: str = f"{HOME}/account") -> Answered:
    """Where the customer changes cards."""
    return driver.call("POST /v1/portal", {"account": "user_1", "return_url": url})


@pytest.mark.usefixtures("stripe")
def test_the_portal_opens_for_who_paid_once_and_returns_to_listed_origins_only(
    driver: Driver,
) -> None:
    before = open_portal(driver)
    deliver(driver, invoice(driver, "first"))

    answer = open_portal(driver)

    assert (before.status, before["code"]) == (409, "no_customer")
    assert (answer.status, answer["portal_url"]) == (201, "https://billing.stripe.test/cus_1")
    assert open_portal(driver, "https://evil.example.com/").status == 422


# ------------------------------------------------------------------------------------ invoices


def test_the_first_invoice_puts_the_account_onto_the_plan_once(driver: Driver) -> None:
    event = invoice(driver, "first")

    first, again = deliver(driver, event), deliver(driver, event)
    other = deliver(driver, event | {"id": "evt_other", "type": "invoice.payment_succeeded"})

    assert [each["outcome"] for each in (first, again, other)] == [
        "granted",
        "duplicate",
        "duplicate",
    ]
    assert plan_of(driver) == ("studio", "stripe", 500)
    shown = driver.account("user_1")["plan"]
    assert shown["subscription"] == "sub_1"
    assert shown["period_end"] == "2026-12-20T12:00:00+00:00"
    verify_ledger(driver, "user_1")


def test_a_renewal_begins_a_new_period_and_the_end_is_the_default_plan(driver: Driver) -> None:
    deliver(driver, invoice(driver, "first"))
    driver.clock.moment += timedelta(seconds=MONTH + 3600)
    deliver(driver, invoice(driver, "second"))
    assert plan_of(driver) == ("studio", "stripe", 500)

    answer = deliver(driver, ended(driver))

    assert answer["outcome"] == "ended"
    assert plan_of(driver) == ("free", "calendar", 15)
    assert deliver(driver, ended(driver, "end2"))["outcome"] == "duplicate"
    verify_ledger(driver, "user_1")


def test_an_update_after_the_end_revives_nothing_and_nor_does_a_late_invoice(
    driver: Driver,
) -> None:
    deliver(driver, invoice(driver, "first"))
    deliver(driver, ended(driver))
    update = ended(driver, "late") | {"type": "customer.subscription.updated"}

    assert deliver(driver, update)["outcome"] == "ignored"
    assert deliver(driver, invoice(driver, "second", month=1))["outcome"] == "remembered"

    assert plan_of(driver) == ("free", "calendar", 15)
    verify_ledger(driver, "user_1")


def test_an_end_that_is_told_before_the_first_invoice_counts(driver: Driver) -> None:
    event = ended(driver)
    event["data"]["object"]["metadata"] = {"account": "user_1"}

    assert deliver(driver, event)["outcome"] == "ended"
    deliver(driver, invoice(driver, "first"))

    assert plan_of(driver) == ("free", "calendar", 15)


def test_an_upgrade_in_the_portal_raises_the_allocation(driver: Driver) -> None:
    deliver(driver, invoice(driver, "first"))
    driver.deduct("user_1", "sms", "d1", quantity=100)
    more = {
        "price": {"id": "price_house"},
        "pricing": None,
        "amount": 3500,
        "proration": True,
        "period": {
            "start": int(driver.clock.now().timestamp()) + 86400,
            "end": int(driver.clock.now().timestamp()) + MONTH,
        },
    }

    deliver(driver, invoice(driver, "more", line=more))

    assert plan_of(driver) == ("house", "stripe", 2900)
    verify_ledger(driver, "user_1")


def test_a_paid_page_and_its_invoice_come_in_any_order(driver: Driver, stripe: FakeStripe) -> None:
    purchase = subscribe(driver)["purchase_id"]
    page = stripe.report(purchase, COMPLETED, at=driver.clock.now())
    page["data"]["object"] |= {"payment_intent": None, "subscription": "sub_1"}
    page["data"]["object"] |= {"customer": "cus_1", "payment_status": "paid"}

    deliver(driver, invoice(driver, "first"))
    deliver(driver, page)

    assert state_of(driver, purchase)["status"] == "paid"
    assert plan_of(driver) == ("studio", "stripe", 500)
    verify_ledger(driver, "user_1")


def test_a_refund_of_an_invoice_takes_its_credits_back(driver: Driver) -> None:
    deliver(driver, invoice(driver, "first", amount_paid=2000))
    charge = {"id": "ch_1", "object": "charge", "amount": 2000, "amount_refunded": 500}
    charge |= {"payment_intent": "pi_first", "created": 1}
    refund = an_event("charge.refunded", charge, id="evt_refund")

    assert deliver(driver, refund)["outcome"] == "refunded"

    assert plan_of(driver) == ("studio", "stripe", 375)
    verify_ledger(driver, "user_1")


def test_a_refund_that_is_told_before_its_invoice_is_taken_with_it(driver: Driver) -> None:
    charge = {"id": "ch_1", "object": "charge", "amount": 2000, "amount_refunded": 500}
    charge |= {"payment_intent": "pi_first", "created": 1}

    deliver(driver, an_event("charge.refunded", charge, id="evt_refund"))
    deliver(driver, invoice(driver, "first", amount_paid=2000))

    assert plan_of(driver) == ("studio", "stripe", 375)
    verify_ledger(driver, "user_1")


def test_an_invoice_finds_its_account_by_its_subscription(driver: Driver) -> None:
    created = {"id": "sub_1", "customer": "cus_1", "metadata": {"account": "user_1"}}
    unnamed = invoice(driver, "first")
    unnamed["data"]["object"]["parent"]["subscription_details"]["metadata"] = {}
    line = unnamed["data"]["object"]["lines"]["data"][0]
    line |= {"metadata": {}, "pricing": {"price_details": {"price": "price_house"}}}

    busy = deliver(driver, unnamed)
    deliver(driver, an_event("customer.subscription.created", created, id="evt_created"))
    answer = deliver(driver, unnamed)

    assert busy.status == 503
    assert answer["outcome"] == "granted"
    assert plan_of(driver) == ("house", "stripe", 3000)


def test_an_invoice_of_nobody_is_left_to_a_person_after_an_hour(driver: Driver) -> None:
    unnamed = invoice(driver, "first")
    unnamed["data"]["object"]["parent"]["subscription_details"]["metadata"] = {}
    line = unnamed["data"]["object"]["lines"]["data"][0]
    line |= {"metadata": {}, "pricing": {"price_details": {"price": "price_house"}}}
    driver.clock.moment += timedelta(hours=2)

    assert deliver(driver, unnamed)["outcome"] == "quarantined"
    assert deliver(driver, unnamed)["outcome"] == "quarantined"


def test_a_subscriber_who_pays_for_no_plan_of_the_catalog_is_left_to_a_person(
    driver: Driver,
) -> None:
    deliver(driver, invoice(driver, "first"))
    other = {"pricing": {"price_details": {"price": "price_gone"}, "unit_amount_decimal": "1"}}

    answer = deliver(driver, invoice(driver, "second", month=1, line=other))

    assert answer["outcome"] == "quarantined"
    assert plan_of(driver) == ("studio", "stripe", 500)


def test_who_subscribed_before_the_price_changed_keeps_the_plan_at_the_old_one(
    driver: Driver, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    purchase = subscribe(driver)["purchase_id"]
    use_catalog(monkeypatch, tmp_path, ('price = "20.00"', 'price = "25.00"'))
    renewal = invoice(driver, "first")
    metadata = {"account": "user_1", "plan": "studio", "purchase_id": purchase}
    renewal["data"]["object"]["parent"]["subscription_details"]["metadata"] = metadata

    assert deliver(driver, renewal)["outcome"] == "granted"
    assert plan_of(driver) == ("studio", "stripe", 500)


def test_invoices_for_other_things_are_not_about_us(driver: Driver, faults: FaultyClient) -> None:
    found = old_invoice(subscription=None, subscription_details=None)
    found["lines"]["data"][0] |= {"metadata": {}, "price": {"id": "price_shirt"}}

    answer = deliver(driver, an_event("invoice.paid", found))

    assert answer["outcome"] == "ignored"
    assert faults.calls == []


def test_an_invoice_of_the_other_mode_brings_nothing(driver: Driver) -> None:
    event = invoice(driver, "first") | {"livemode": True}

    assert deliver(driver, event)["outcome"] == "quarantined"
    assert plan_of(driver) == ("free", "calendar", 15)


def test_an_invoice_of_a_closed_account_is_left_to_a_person(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "d1")
    path = {"id": "user_1"}
    driver.call("POST /v1/accounts/{id}/close", {"reason": "left"}, path=path, key="close")
    event = invoice(driver, "first")

    assert deliver(driver, event)["outcome"] == "quarantined"
    assert deliver(driver, event)["outcome"] == "quarantined"
    assert driver.account("user_1")["plan"]["id"] == "free"


def test_whatever_the_app_says_of_the_plan_a_subscription_stays(driver: Driver) -> None:
    deliver(driver, invoice(driver, "first"))
    path = {"id": "user_1"}

    same = driver.call("PUT /v1/accounts/{id}/plan", {"plan": "studio"}, path=path)
    other = driver.call("PUT /v1/accounts/{id}/plan", {"plan": "house"}, path=path)
    driver.deduct("user_1", "sms", "d1", plan="pro")

    assert (same.status, same["changed"]) == (200, False)
    assert other.status == 422
    assert plan_of(driver) == ("studio", "stripe", 499)


def test_the_first_request_of_a_new_account_cannot_name_a_plan_that_has_to_be_paid(
    driver: Driver,
) -> None:
    body = {"account": "user_2", "operation": "sms", "plan": "studio"}

    answer = driver.call("POST /v1/deduct", body, key="d1")

    assert (answer.status, answer["errors"][0]["member"]) == (422, "plan")


# -------------------------------------------------------------------------------- entitlements


def entitle(driver: Driver, *features: str, key: str | None = None) -> Answered:
    """The features that the auth provider states."""
    body = {"features": list(features)}
    return driver.call("PUT /v1/accounts/{id}/entitlements", body, path={"id": "user_1"}, key=key)


def test_s2_02_features_lead_to_the_largest_plan_and_none_to_the_default(driver: Driver) -> None:
    both = entitle(driver, "exports", "voice_cloning", "unknown")
    again = entitle(driver, "voice_cloning", "exports")
    none = entitle(driver)

    assert (both.status, both["plan"]) == (200, "pro")
    assert both["why"] == "the feature voice_cloning names the plan pro"
    assert (again["changed"], again["plan"]) == (False, "pro")
    assert (none["plan"], none["to"], none["at"]) == ("free", "free", "period_end")
    assert "is the default" in none["why"]
    verify_ledger(driver, "user_1")


def test_features_that_come_and_go_bring_no_second_allocation(driver: Driver) -> None:
    entitle(driver, "voice_cloning")
    driver.deduct("user_1", "sms", "d1", quantity=40)
    for _ in range(3):
        gone = entitle(driver)
        left = plan_of(driver)
        back = entitle(driver, "voice_cloning")
        assert (gone["to"], gone["at"], left) == ("free", "period_end", ("pro", "calendar", 10))
        assert (back["to"], plan_of(driver)) == ("pro", left)
    entitle(driver)
    verify_ledger(driver, "user_1")

    driver.clock.moment += timedelta(days=31)

    assert plan_of(driver) == ("free", "calendar", 15)


def test_features_do_not_override_a_subscription_that_is_paid(driver: Driver) -> None:
    deliver(driver, invoice(driver, "first"))

    answer = entitle(driver, "voice_cloning")

    assert (answer["changed"], answer["plan"]) == (False, "studio")
    assert "subscription" in answer["why"]
    assert plan_of(driver) == ("studio", "stripe", 500)


def test_the_same_key_for_features_is_answered_the_same(driver: Driver) -> None:
    first = entitle(driver, "exports", key="e1")
    entitle(driver, "voice_cloning")

    again = entitle(driver, "exports", key="e1")

    assert (again["plan"], again["seq"]) == (first["plan"], first["seq"])
    assert plan_of(driver) == ("pro", "calendar", 50)
