"""What Stripe's events say, as whole values: payments, their money, and what becomes of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.payments import (
    MoneyNews,
    Payment,
    PaymentOutcome,
    Verdict,
    find_mismatch,
    find_second,
    follow,
    judge_payment,
)
from tollkeeper.domain.purchases import Purchase, PurchaseKind, PurchaseStatus

CREATED = Purchase(
    "pur_1", ACCOUNT, "large", "Large", 500 * ONE, 4000, "usd", created_at=NOON, session="cs_1"
)
PAYMENT = Payment(
    event="evt_1",
    type="checkout.session.completed",
    purchase="pur_1",
    status=PurchaseStatus.PAID,
    session="cs_1",
    currency="usd",
    subtotal_minor=4000,
    is_live=False,
    created_at=NOON,
    payment_intent="pi_1",
    charge="ch_1",
    charged_minor=4760,
)
WITHDRAWN = Dispute("dp_1", 100, DisputeState.WITHDRAWN)
WON = Dispute("dp_2", 100, DisputeState.WON)


def judged(purchase: Purchase = CREATED, **changes: Any) -> Verdict:
    """The verdict about the payment with these members changed."""
    return judge_payment(purchase, replace(PAYMENT, **changes), expects_live=False)


def news(**members: Any) -> MoneyNews:
    """News of a payment's money."""
    return MoneyNews("evt_1", "charge.refunded", NOON, is_live=False, **members)


# ---- What an event says


def test_a_payment_is_about_its_intent_or_else_about_its_page() -> None:
    assert PAYMENT.subject == "pi_1"
    assert replace(PAYMENT, payment_intent="").subject == "cs_1"


def test_a_payment_tells_of_its_money_whatever_became_of_its_purchase() -> None:
    assert PAYMENT.news == MoneyNews(
        event="evt_1",
        type="checkout.session.completed",
        created_at=NOON,
        is_live=False,
        back=MoneyBack(charged_minor=4760),
        charge="ch_1",
        payment_intent="pi_1",
        invoice="",
        purchase="pur_1",
    )


def test_money_is_known_by_the_names_that_it_has_in_their_order() -> None:
    assert news().names == ()
    assert news(charge="ch_1", invoice="in_1").names == ("ch_1", "in_1")
    assert news(payment_intent="pi_1", charge="ch_1", invoice="in_1").names == (
        "pi_1",
        "ch_1",
        "in_1",
    )


@pytest.mark.parametrize(
    ("back", "outcome"),
    [
        (MoneyBack(), PaymentOutcome.LINKED),
        (MoneyBack(charged_minor=5), PaymentOutcome.LINKED),
        (MoneyBack(refunded_minor=1), PaymentOutcome.REFUNDED),
        (MoneyBack(refunded_minor=1, disputes=(WON,)), PaymentOutcome.REINSTATED),
        (MoneyBack(disputes=(WON, WITHDRAWN)), PaymentOutcome.DISPUTED),
    ],
)
def test_news_of_money_is_called_after_the_worst_that_it_tells(
    back: MoneyBack, outcome: PaymentOutcome
) -> None:
    assert news(back=back).outcome is outcome


# ---- What becomes of a purchase


@pytest.mark.parametrize(
    "status", [PurchaseStatus.PENDING, PurchaseStatus.FAILED, PurchaseStatus.EXPIRED]
)
def test_a_try_on_a_page_is_left_to_what_the_page_says(status: PurchaseStatus) -> None:
    a_try = replace(PAYMENT, session="", status=status)
    without_page = replace(CREATED, session="")

    assert judge_payment(CREATED, a_try, expects_live=False) == Verdict(
        PaymentOutcome.IGNORED, reason="its page says what becomes of it"
    )
    assert judge_payment(without_page, a_try, expects_live=False) == Verdict(
        PaymentOutcome(status.value), status
    )


def test_a_payment_without_a_page_that_is_paid_is_what_was_asked_for() -> None:
    granted = Verdict(PaymentOutcome.GRANTED, PurchaseStatus.PAID)

    assert judged(session="") == granted
    assert judged() == granted


def test_news_that_moves_nothing_has_no_reason_where_it_is_of_the_right_page() -> None:
    pending = replace(CREATED, status=PurchaseStatus.PENDING)

    assert judged(pending, status=PurchaseStatus.PENDING) == Verdict(PaymentOutcome.IGNORED)
    assert judged(pending, status=PurchaseStatus.EXPIRED) == Verdict(
        PaymentOutcome.EXPIRED, PurchaseStatus.EXPIRED
    )


def test_a_second_payment_needs_a_person_and_the_first_one_again_is_a_duplicate() -> None:
    paid = replace(CREATED, status=PurchaseStatus.PAID, payment_intent="pi_0")

    assert judged(paid) == Verdict(
        PaymentOutcome.QUARANTINED, reason="paid before, and the payment is pi_1, not pi_0"
    )
    assert judged(paid, payment_intent="pi_0") == Verdict(PaymentOutcome.DUPLICATE)
    assert judged(paid, subtotal_minor=1).reason == "paid before, and the amount is 1, not 4000"


@pytest.mark.parametrize(
    ("status", "first", "second", "found"),
    [
        (PurchaseStatus.PAID, "pi_0", "pi_1", "the payment is pi_1, not pi_0"),
        (PurchaseStatus.PAID, "pi_1", "pi_1", ""),
        (PurchaseStatus.PAID, "", "pi_1", ""),
        (PurchaseStatus.PAID, "pi_0", "", ""),
        (PurchaseStatus.PENDING, "pi_0", "pi_1", ""),
    ],
)
def test_only_two_known_payments_of_a_paid_purchase_are_two(
    status: PurchaseStatus, first: str, second: str, found: str
) -> None:
    purchase = replace(CREATED, status=status, payment_intent=first)

    assert find_second(purchase, replace(PAYMENT, payment_intent=second)) == found


@pytest.mark.parametrize(
    ("kind", "subscription", "found"),
    [
        (PurchaseKind.PACK, "", ""),
        (PurchaseKind.TOP_UP, "", ""),
        (PurchaseKind.PACK, "sub_1", "the subscription is sub_1"),
        (PurchaseKind.TOP_UP, "sub_1", "the subscription is sub_1"),
        (PurchaseKind.PLAN, "sub_1", ""),
        (PurchaseKind.PLAN, "", "the subscription is None"),
    ],
)
def test_only_a_plan_begins_a_subscription(
    kind: PurchaseKind, subscription: str, found: str
) -> None:
    purchase = replace(CREATED, kind=kind)
    payment = replace(PAYMENT, subscription=subscription)
    expired = replace(payment, status=PurchaseStatus.EXPIRED)

    assert find_mismatch(purchase, payment, expects_live=False) == found
    assert find_mismatch(purchase, expired, expects_live=False) == ""


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"is_live": None}, "livemode is None, not False"),
        ({"session": "cs_2"}, "the session is cs_2, not cs_1"),
        ({"session": "", "currency": "eur"}, "the currency is eur, not usd"),
        ({"subtotal_minor": None}, "the amount is None, not 4000"),
    ],
)
def test_the_first_thing_that_is_not_as_recorded_is_told(
    changed: dict[str, Any], found: str
) -> None:
    assert find_mismatch(CREATED, replace(PAYMENT, **changed), expects_live=False) == found


def test_a_purchase_moves_with_the_reason_and_the_payment_of_its_event() -> None:
    verdict = Verdict(PaymentOutcome.QUARANTINED, PurchaseStatus.QUARANTINED, "the amount is 1")
    known = replace(CREATED, payment_intent="pi_0")

    assert follow(known, PAYMENT, verdict) == replace(
        CREATED,
        status=PurchaseStatus.QUARANTINED,
        version=2,
        reason="the amount is 1",
        payment_intent="pi_1",
    )
    assert follow(known, replace(PAYMENT, payment_intent=""), verdict).payment_intent == "pi_0"


# ---- Money that went back


def test_what_is_known_of_money_only_ever_grows() -> None:
    one = MoneyBack(100, 50, (Dispute("dp_1", 7, DisputeState.WON),))
    other = MoneyBack(90, 60, (Dispute("dp_0", 1, DisputeState.WITHDRAWN), WITHDRAWN))

    both = MoneyBack(
        100,
        60,
        (
            Dispute("dp_0", 1, DisputeState.WITHDRAWN),
            Dispute("dp_1", 100, DisputeState.WON),
        ),
    )
    assert one.and_also(other) == other.and_also(one) == both


def test_money_that_a_dispute_holds_is_back_with_the_customer_and_what_was_won_is_not() -> None:
    back = MoneyBack(refunded_minor=30, disputes=(WITHDRAWN, WON))

    assert (back.is_disputed, back.back_minor(4000)) == (True, 130)
    assert back.back_minor(129) == 129
    assert MoneyBack(disputes=(WON,)).back_minor(4000) == 0
    assert not MoneyBack(disputes=(WON,)).is_disputed


def test_what_was_free_or_cost_a_cent_has_a_share_that_can_go_back() -> None:
    assert MoneyBack(refunded_minor=1).share_of(500, 0) == 0
    assert MoneyBack(refunded_minor=1).share_of(500, 1) == 500
    assert MoneyBack(charged_minor=3, refunded_minor=2).share_of(500, 0) == 333
