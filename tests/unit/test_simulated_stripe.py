"""The simulated Stripe's state machine: what each action leaves, and the events that it sends."""

from __future__ import annotations

import copy
import json

import pytest

from local.stripe import checkout, customers, disputes, payments, prices, refunds, subscriptions
from local.stripe.refusals import StripeRefusedError
from local.stripe.state import (
    BASIL,
    CHARGE,
    CUSTOMER,
    INVOICE,
    MIDDLE,
    OLD,
    PAYMENT_METHOD,
    SUBSCRIPTION,
    Object,
    StripeState,
)

NOW = 1_795_000_000
DAY_S = 86_400
VERSIONS = (OLD, MIDDLE, BASIL)


def open_page(state: StripeState, **changes: object) -> Object:
    """A page that sells one pack for 50.00."""
    data = {
        "currency": "usd",
        "unit_amount": 5000,
        "product_data": {"name": "Pro"},
    }
    params: Object = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": data}],
        "metadata": {"purchase_id": "pur_1"},
        "success_url": "https://a.example.com",
        "payment_intent_data": {"metadata": {"purchase_id": "pur_1"}},
        **changes,
    }
    return checkout.open_session(state, NOW, params)


def open_plan(state: StripeState, interval: str = "month") -> Object:
    """A page that subscribes for 20.00 each month."""
    data = {
        "currency": "usd",
        "unit_amount": 2000,
        "product_data": {"name": "Studio"},
        "recurring": {"interval": interval},
    }
    params: Object = {
        "mode": "subscription",
        "line_items": [{"quantity": 1, "price_data": data}],
        "success_url": "https://a.example.com",
        "subscription_data": {"metadata": {"account": "user_1"}},
    }
    return checkout.open_session(state, NOW, params)


def paid_charge(state: StripeState, card: str = "good") -> Object:
    """A pack that was paid with this card."""
    session = open_page(state)
    assert checkout.pay_session(state, session, NOW, card=card)
    charge = checkout.charge_of(state, session)
    assert charge is not None
    return charge


def subscribed(state: StripeState) -> Object:
    """A subscription whose first month is paid."""
    session = open_plan(state)
    assert checkout.pay_session(state, session, NOW)
    return state.find(SUBSCRIPTION, session["subscription"])


def types(state: StripeState) -> list[str]:
    """The types of all events so far, which are taken away."""
    found = [str(event["type"]) for event in state.events]
    state.events.clear()
    return found


def last(state: StripeState, type_: str) -> Object:
    """The object of the newest event of that type."""
    return next(e["data"]["object"] for e in reversed(state.events) if e["type"] == type_)


# ------------------------------------------------------------------------------ payment pages


def test_a_page_that_is_paid_tells_of_charge_payment_and_session() -> None:
    state = StripeState()

    paid_charge(state)

    assert types(state) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_bank_pays_days_after_the_page_is_complete() -> None:
    state = StripeState()
    session = open_page(state)

    checkout.pay_session(state, session, NOW, card="bank")
    assert last(state, "checkout.session.completed")["payment_status"] == "unpaid"
    assert types(state)[-2:] == ["charge.pending", "checkout.session.completed"]
    checkout.settle_later(state, session, NOW + 3 * DAY_S, is_paid=True)

    assert last(state, "checkout.session.async_payment_succeeded")["payment_status"] == "paid"
    assert types(state) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]


def test_a_bank_that_does_not_pay_leaves_the_page_unpaid() -> None:
    state = StripeState()
    session = open_page(state)
    checkout.pay_session(state, session, NOW, card="bank")
    state.events.clear()

    checkout.settle_later(state, session, NOW, is_paid=False)

    assert session["payment_status"] == "unpaid"
    assert types(state) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]


def test_a_declined_card_leaves_the_page_open_for_another_one() -> None:
    state = StripeState()
    session = open_page(state)

    assert not checkout.pay_session(state, session, NOW, card="declined")
    assert checkout.pay_session(state, session, NOW + 1)

    intents = {each["payment_intent"] for each in state.all_of(CHARGE).values()}
    assert intents == {session["payment_intent"]}
    assert [each["status"] for each in state.all_of(CHARGE).values()] == ["failed", "succeeded"]
    with pytest.raises(StripeRefusedError, match="is complete"):
        checkout.pay_session(state, session, NOW + 2)


def test_a_page_is_over_after_a_day() -> None:
    state = StripeState()
    session = open_page(state)

    with pytest.raises(StripeRefusedError, match="is expired"):
        checkout.pay_session(state, session, NOW + DAY_S)

    assert types(state) == ["checkout.session.expired"]


def test_a_card_is_saved_only_where_the_page_says_so() -> None:
    state = StripeState()
    saved = {"setup_future_usage": "off_session"}
    page = open_page(state, customer_creation="always", payment_intent_data=saved)

    paid_charge(state)
    checkout.pay_session(state, page, NOW)

    assert list(state.all_of(CUSTOMER)) == [page["customer"]]
    owners = [each["customer"] for each in state.all_of(PAYMENT_METHOD).values()]
    assert owners == [None, page["customer"]]


# ------------------------------------------------------------------------- saved cards


def saved_card(state: StripeState, card: str) -> tuple[Object, Object]:
    """A customer's saved card, and a payment that is to be made with it."""
    customer = customers.create_customer(state, NOW)
    method = customers.new_payment_method(state, NOW, card=card)
    customers.attach(state, method, customer, NOW)
    intent = payments.open_payment(
        state, NOW, amount=1000, currency="usd", customer=str(customer["id"])
    )
    return intent, method


@pytest.mark.parametrize(
    ("card", "status", "event"),
    [
        ("good", "succeeded", "payment_intent.succeeded"),
        ("declined_later", "requires_payment_method", "payment_intent.payment_failed"),
        ("authenticates", "requires_payment_method", "payment_intent.payment_failed"),
        ("bank", "processing", "charge.pending"),
        ("disputed", "succeeded", "charge.dispute.funds_withdrawn"),
        ("inquiry", "succeeded", "charge.dispute.created"),
    ],
)
def test_a_saved_card_does_what_its_number_stands_for(card: str, status: str, event: str) -> None:
    state = StripeState()
    intent, method = saved_card(state, card)

    found = payments.attempt(state, intent, NOW, method=method, is_off_session=True)

    assert found == intent["status"] == status
    assert types(state)[-1] == event


def test_a_card_that_asks_for_a_confirmation_pays_once_the_customer_gave_it() -> None:
    state = StripeState()
    intent, method = saved_card(state, "authenticates")

    payments.attempt(state, intent, NOW, method=method)
    assert (intent["status"], intent["next_action"]["type"]) == (
        "requires_action",
        "redirect_to_url",
    )
    payments.attempt(state, intent, NOW, method=method, is_confirmed=True)

    assert (intent["status"], intent["next_action"]) == ("succeeded", None)


def test_what_is_paid_cannot_be_given_up() -> None:
    state = StripeState()
    intent, method = saved_card(state, "good")
    payments.attempt(state, intent, NOW, method=method)

    with pytest.raises(StripeRefusedError) as refused:
        payments.cancel_payment(state, intent, NOW, reason=None)

    assert refused.value.error["code"] == "payment_intent_unexpected_state"


# --------------------------------------------------------------------------- money that goes back


def test_refunds_add_up_and_each_tells_the_sum() -> None:
    state = StripeState()
    charge = paid_charge(state)

    sums: list[int] = []
    for amount in (1000, 1500, None):
        refunds.create_refund(state, charge, NOW, amount=amount)
        sums.append(last(state, "charge.refunded")["amount_refunded"])

    assert sums == [1000, 2500, 5000]
    assert charge["refunded"] is True
    with pytest.raises(StripeRefusedError, match="already been refunded"):
        refunds.create_refund(state, charge, NOW)


@pytest.mark.parametrize("amount", [5001, 0, -1])
def test_no_refund_is_more_than_the_charge_or_less_than_something(amount: int) -> None:
    state = StripeState()

    with pytest.raises(StripeRefusedError):
        refunds.create_refund(state, paid_charge(state), NOW, amount=amount)


def test_a_refund_that_fails_is_no_longer_counted() -> None:
    state = StripeState()
    charge = paid_charge(state, card="refund_pending")
    refund = refunds.create_refund(state, charge, NOW, amount=2000)
    state.events.clear()

    refunds.fail_refund(state, refund, NOW)

    assert (charge["amount_refunded"], refund["status"]) == (0, "failed")
    assert types(state) == ["refund.updated", "charge.refund.updated", "refund.failed"]


def test_a_dispute_takes_what_is_left_and_its_win_gives_it_back() -> None:
    state = StripeState()
    charge = paid_charge(state)
    refunds.create_refund(state, charge, NOW, amount=2000)
    state.events.clear()

    dispute = disputes.open_dispute(state, charge, NOW)
    with pytest.raises(StripeRefusedError, match="charged back"):
        refunds.create_refund(state, charge, NOW)
    disputes.win(state, dispute, NOW)

    moved = [each["amount"] for each in dispute["balance_transactions"]]
    assert (dispute["amount"], moved, dispute["status"]) == (3000, [-3000, 3000], "won")
    assert types(state) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    refunds.create_refund(state, charge, NOW)
    assert charge["amount_refunded"] == 5000


def test_an_inquiry_moves_no_money_until_it_becomes_a_dispute() -> None:
    state = StripeState()
    charge = paid_charge(state)

    asked = disputes.open_dispute(state, charge, NOW, is_inquiry=True)
    disputes.close_inquiry(state, asked, NOW)
    again = disputes.open_dispute(state, charge, NOW, is_inquiry=True)
    refunds.create_refund(state, charge, NOW, amount=1000)
    assert "charge.dispute.funds_withdrawn" not in types(state)
    disputes.escalate(state, again, NOW)

    assert (asked["status"], again["status"]) == ("warning_closed", "needs_response")
    assert types(state) == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]


# ------------------------------------------------------------------------------ subscriptions


@pytest.mark.parametrize("version", VERSIONS)
def test_a_subscription_begins_with_a_paid_invoice(version: str) -> None:
    state = StripeState(api_version=version)

    subscription = subscribed(state)

    found = types(state)
    assert found.index("customer.subscription.created") < found.index("invoice.paid")
    assert found[-1] == "checkout.session.completed"
    assert ("invoice_payment.paid" in found) is (version == BASIL)
    assert subscription["status"] == "active"


def test_an_invoice_says_the_period_of_its_line_and_not_of_its_own() -> None:
    state = StripeState()
    subscription = subscribed(state)
    first = last(state, "invoice.paid")
    end = int(subscription["current_period_end"])

    subscriptions.renew(state, subscription, end)

    second = last(state, "invoice.paid")
    assert first["period_start"] == first["period_end"] == NOW
    assert first["lines"]["data"][0]["period"] == {"start": NOW, "end": end}
    assert (second["period_start"], second["period_end"]) == (NOW, end)
    assert second["lines"]["data"][0]["period"]["start"] == end
    assert second["billing_reason"] == "subscription_cycle"


def test_a_renewal_that_is_not_paid_is_paid_later() -> None:
    state = StripeState()
    subscription = subscribed(state)
    state.events.clear()

    subscriptions.renew(state, subscription, NOW + 31 * DAY_S, is_paid=False)
    assert subscription["status"] == "past_due"
    assert "invoice.payment_failed" in types(state)
    subscriptions.pay_open_invoice(state, subscription, NOW + 33 * DAY_S)

    assert subscription["status"] == "active"
    assert "invoice.paid" in types(state)
    with pytest.raises(StripeRefusedError, match="No invoice"):
        subscriptions.pay_open_invoice(state, subscription, NOW)


def test_an_upgrade_takes_off_what_is_unused_and_puts_on_what_is_left() -> None:
    state = StripeState()
    subscription = subscribed(state)
    dearer = prices.add_price(
        state, NOW, amount=6000, currency="usd", name="Agency", interval="month"
    )
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    half = (start + end) // 2

    invoice = subscriptions.upgrade(state, subscription, dearer, half, metadata={"plan": "b"})

    assert [line["amount"] for line in invoice["lines"]] == [-1000, 3000]
    assert all(line["proration"] for line in invoice["lines"])
    assert all(line["period"] == {"start": half, "end": end} for line in invoice["lines"])
    assert (invoice["total"], invoice["billing_reason"]) == (2000, "subscription_update")
    assert invoice["status"] == "paid"
    assert subscription["metadata"] == {"account": "user_1", "plan": "b"}


def test_what_was_renewed_before_its_time_can_be_raised_all_the_same() -> None:
    state = StripeState()
    subscription = subscribed(state)
    dearer = prices.add_price(
        state, NOW, amount=6000, currency="usd", name="Agency", interval="month"
    )
    subscriptions.renew(state, subscription, NOW)

    invoice = subscriptions.upgrade(state, subscription, dearer, NOW)

    start, end = subscription["current_period_start"], subscription["current_period_end"]
    assert [line["amount"] for line in invoice["lines"]] == [-2000, 6000]
    assert all(line["period"] == {"start": start, "end": end} for line in invoice["lines"])


def test_what_ends_with_its_period_is_renewed_no_more() -> None:
    state = StripeState()
    subscription = subscribed(state)

    subscriptions.cancel_at_end(state, subscription, NOW)
    subscriptions.keep(state, subscription, NOW)
    assert subscription["cancel_at_period_end"] is False
    subscriptions.cancel_at_end(state, subscription, NOW)
    invoice = subscriptions.renew(state, subscription, NOW + 31 * DAY_S)

    assert (invoice, subscription["status"]) == (None, "canceled")
    assert types(state)[-1] == "customer.subscription.deleted"
    with pytest.raises(StripeRefusedError, match="is over"):
        subscriptions.cancel_now(state, subscription, NOW)


def test_a_months_end_is_kept_to() -> None:
    price: Object = {"recurring": {"interval": "month", "interval_count": 1}}
    january_31 = 1_801_353_600

    february = subscriptions.period_after(january_31, price, anchor=january_31)
    march = subscriptions.period_after(february, price, anchor=january_31)

    assert (february - january_31, march - february) == (28 * DAY_S, 31 * DAY_S)


def test_a_card_that_is_declined_begins_no_subscription() -> None:
    state = StripeState()
    session = open_plan(state)

    assert not checkout.pay_session(state, session, NOW, card="declined")

    assert (state.all_of(SUBSCRIPTION), state.all_of(INVOICE)) == ({}, {})


def test_a_renewal_asks_the_customer_whose_card_wants_a_confirmation() -> None:
    state = StripeState()
    session = open_plan(state)
    checkout.pay_session(state, session, NOW, card="authenticates")
    subscription = state.find(SUBSCRIPTION, session["subscription"])
    state.events.clear()

    subscriptions.renew(state, subscription, NOW + 31 * DAY_S)

    assert "invoice.payment_action_required" in types(state)
    assert subscription["status"] == "past_due"


# ------------------------------------------------------------------------------------ the state


def test_the_same_seed_and_actions_give_the_same_ids_and_events() -> None:
    one, other = StripeState(seed="a"), StripeState(seed="a")

    for state in (one, other):
        subscribed(state)
        paid_charge(state)

    assert one == other
    assert len({event["id"] for event in one.events}) == len(one.events)


def test_an_event_never_changes_after_it_was_sent() -> None:
    state = StripeState()
    charge = paid_charge(state)
    before = copy.deepcopy(state.events)

    refunds.create_refund(state, charge, NOW)

    assert state.events[: len(before)] == before


def test_the_state_is_json_and_a_copy_goes_on_as_it_would() -> None:
    state = StripeState(api_version=BASIL)
    subscribed(state)

    again = copy.deepcopy(state)

    assert json.loads(json.dumps(state.objects)) == state.objects
    assert json.loads(json.dumps(state.events)) == state.events
    assert again.new_id("x") == state.new_id("x")
