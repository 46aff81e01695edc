"""What each event about money says, in the shapes of every version, and what is none of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.payments import MoneyNews, Payment, PaymentOutcome, RefundFailed
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.edge.stripe_events import READERS, read_fact

PURCHASE = "pur_" + "1" * 32
AT = 1_795_176_000
CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "amount": 5950,
    "amount_captured": 5950,
    "amount_refunded": 1200,
    "payment_intent": "pi_1",
    "metadata": {"purchase_id": PURCHASE},
}
DISPUTE: dict[str, Any] = {
    "id": "dp_1",
    "amount": 700,
    "status": "needs_response",
    "charge": "ch_1",
    "payment_intent": "pi_1",
}
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "amount": 5000,
    "amount_received": 5000,
    "currency": "usd",
    "customer": "cus_1",
    "latest_charge": "ch_1",
    "payment_method": "pm_1",
    "metadata": {"purchase_id": PURCHASE},
}


def fact_of(type_: str, object_: dict[str, Any], **changes: Any) -> Any:
    """What the event about the object, with members of that changed, tells."""
    event = {
        "type": type_,
        "created": AT,
        "livemode": False,
        "data": {"object": object_ | changes},
    }
    return read_fact(event, event="evt_1")


def news(type_: str, **members: Any) -> MoneyNews:
    """The news of the payment pi_1 and its charge ch_1."""
    known: dict[str, Any] = {"charge": "ch_1", "payment_intent": "pi_1"} | members
    return MoneyNews("evt_1", type_, datetime.fromtimestamp(AT, UTC), False, **known)


def test_a_refund_is_cumulative_and_says_what_was_charged() -> None:
    back = MoneyBack(charged_minor=5950, refunded_minor=1200)

    told = fact_of("charge.refunded", CHARGE)

    assert told == news("charge.refunded", back=back, purchase=PURCHASE)
    assert told.outcome is PaymentOutcome.REFUNDED
    assert told.names == ("pi_1", "ch_1")


def test_a_charge_of_2017_has_no_payment_intent_and_may_name_its_invoice() -> None:
    old: dict[str, Any] = CHARGE | {"payment_intent": None, "invoice": "in_1", "metadata": {}}
    del old["amount_captured"]

    told = fact_of("charge.refunded", old)

    back = MoneyBack(charged_minor=5950, refunded_minor=1200)
    assert told == news("charge.refunded", back=back, payment_intent="", invoice="in_1")


def test_objects_that_are_sent_whole_are_read_like_their_ids() -> None:
    told = fact_of("charge.refunded", CHARGE, payment_intent={"id": "pi_1"}, invoice={"id": "in_9"})

    assert (told.payment_intent, told.invoice) == ("pi_1", "in_9")


@pytest.mark.parametrize("changes", [{"amount_captured": 0}, {"amount_captured": None}])
def test_what_was_charged_is_the_amount_where_nothing_says_what_was_captured(
    changes: dict[str, Any],
) -> None:
    assert fact_of("charge.refunded", CHARGE, **changes).back.charged_minor == 5950


def test_a_charge_is_news_where_it_names_a_purchase_or_an_invoice_or_goes_back() -> None:
    plain: dict[str, Any] = CHARGE | {"metadata": {}}

    assert fact_of("charge.succeeded", CHARGE).purchase == PURCHASE
    assert fact_of("charge.succeeded", plain, invoice="in_1").invoice == "in_1"
    assert fact_of("charge.succeeded", plain) is None
    assert fact_of("charge.refunded", plain) is not None


@pytest.mark.parametrize(
    ("type_", "status", "state"),
    [
        ("charge.dispute.created", "needs_response", DisputeState.WITHDRAWN),
        ("charge.dispute.updated", "under_review", DisputeState.WITHDRAWN),
        ("charge.dispute.closed", "lost", DisputeState.WITHDRAWN),
        ("charge.dispute.closed", "won", DisputeState.WON),
        ("charge.dispute.funds_withdrawn", "warning_closed", DisputeState.WITHDRAWN),
        ("charge.dispute.funds_reinstated", "lost", DisputeState.WON),
    ],
)
def test_a_dispute_holds_money_or_gave_it_back(
    type_: str, status: str, state: DisputeState
) -> None:
    told = fact_of(type_, DISPUTE, status=status)

    assert told == news(type_, back=MoneyBack(disputes=(Dispute("dp_1", 700, state),)))
    expected = PaymentOutcome.REINSTATED if state is DisputeState.WON else PaymentOutcome.DISPUTED
    assert told.outcome is expected


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented", "x"])
def test_an_inquiry_is_no_news(status: str) -> None:
    assert fact_of("charge.dispute.created", DISPUTE, status=status) is None


def test_a_dispute_of_2017_names_only_the_charge() -> None:
    old: dict[str, Any] = {
        name: value for name, value in DISPUTE.items() if name != "payment_intent"
    }

    assert fact_of("charge.dispute.funds_withdrawn", old).names == ("ch_1",)


def test_a_dispute_that_names_no_payment_is_no_news() -> None:
    told = fact_of("charge.dispute.created", DISPUTE, charge=None, payment_intent=None)

    assert told is None


@pytest.mark.parametrize("type_", ["refund.failed", "refund.updated", "charge.refund.updated"])
@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_to_nothing_says_why(type_: str, status: str) -> None:
    refund = {"id": "re_1", "amount": 300, "currency": "usd", "charge": "ch_1", "status": status}

    told = fact_of(type_, refund, failure_reason="declined")

    moment = datetime.fromtimestamp(AT, UTC)
    assert told == RefundFailed(
        "evt_1", type_, moment, False, "re_1", 300, "usd", reason="declined", charge="ch_1"
    )


@pytest.mark.parametrize("status", ["succeeded", "pending", "requires_action", None])
def test_any_other_refund_is_left_to_what_the_charge_says(status: str | None) -> None:
    assert fact_of("refund.updated", {"id": "re_1", "status": status}) is None


@pytest.mark.parametrize(
    ("type_", "error", "status"),
    [
        ("succeeded", None, PurchaseStatus.PAID),
        ("processing", None, PurchaseStatus.PENDING),
        ("payment_failed", {"code": "card_declined"}, PurchaseStatus.FAILED),
        ("payment_failed", None, PurchaseStatus.FAILED),
        ("payment_failed", {"code": "authentication_required"}, PurchaseStatus.PENDING),
    ],
)
def test_a_payment_that_names_a_purchase_says_what_becomes_of_it(
    type_: str, error: Any, status: PurchaseStatus
) -> None:
    told = fact_of(f"payment_intent.{type_}", INTENT, last_payment_error=error)

    assert isinstance(told, Payment)
    assert (told.purchase, told.status, told.session) == (PURCHASE, status, "")
    assert (told.subtotal_minor, told.currency, told.customer) == (5000, "usd", "cus_1")
    is_paid = status is PurchaseStatus.PAID
    assert (told.charge, told.charged_minor) == (("ch_1", 5000) if is_paid else ("", 0))
    assert told.subject == "pi_1"


def test_a_payment_of_2020_lists_its_charges() -> None:
    old: dict[str, Any] = INTENT | {"charges": {"data": [{"id": "ch_7"}, {"id": "ch_8"}]}}
    del old["latest_charge"]

    assert fact_of("payment_intent.succeeded", old).charge == "ch_7"


@pytest.mark.parametrize("charges", [None, [], {"data": []}, {"data": None}, {"data": [7]}, "x"])
def test_a_payment_without_a_charge_is_read_all_the_same(charges: Any) -> None:
    old: dict[str, Any] = INTENT | {"latest_charge": None, "charges": charges}

    assert fact_of("payment_intent.succeeded", old).charge == ""


def test_a_payment_of_an_invoice_says_which_charge_took_the_money() -> None:
    told = fact_of("payment_intent.succeeded", INTENT, metadata={}, invoice="in_1")

    back = MoneyBack(charged_minor=5000)
    assert told == news("payment_intent.succeeded", back=back, invoice="in_1")
    assert fact_of("payment_intent.processing", INTENT, metadata={}, invoice="in_1") is None
    assert fact_of("payment_intent.succeeded", INTENT, metadata={}) is None


@pytest.mark.parametrize("type_", ["payment_intent.canceled", "payment_intent.requires_action"])
def test_other_news_of_a_payment_is_not_read(type_: str) -> None:
    assert fact_of(type_, INTENT) is None


BAD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("charge.refunded", CHARGE, {"id": None}),
    ("charge.refunded", CHARGE, {"id": "ch#1"}),
    ("charge.refunded", CHARGE, {"amount": "5950"}),
    ("charge.refunded", CHARGE, {"amount": -1}),
    ("charge.refunded", CHARGE, {"amount": True}),
    ("charge.refunded", CHARGE, {"amount_refunded": 1.5}),
    ("charge.refunded", CHARGE, {"amount_refunded": 10**30}),
    ("charge.refunded", CHARGE, {"payment_intent": 7}),
    ("charge.refunded", CHARGE, {"payment_intent": ["pi_1"]}),
    ("charge.dispute.created", DISPUTE, {"status": 1}),
    ("charge.dispute.created", DISPUTE, {"amount": None}),
    ("charge.dispute.created", DISPUTE, {"id": "a" * 300}),
    ("refund.failed", {"status": "failed"}, {}),
    ("payment_intent.succeeded", INTENT, {"currency": None}),
    ("payment_intent.succeeded", INTENT, {"last_payment_error": "no"}),
]


@pytest.mark.parametrize(("type_", "object_", "changes"), BAD)
def test_news_that_cannot_be_read_is_malformed(
    type_: str, object_: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(MalformedError):
        fact_of(type_, object_, **changes)


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    type_=st.sampled_from(sorted(READERS)),
    object_=st.sampled_from([CHARGE, DISPUTE, INTENT]),
    changes=st.dictionaries(
        st.sampled_from(sorted({*CHARGE, *DISPUTE, *INTENT, "invoice", "charges", "lines"})),
        Json,
        max_size=4,
    ),
)
@settings(max_examples=400, deadline=None)
def test_any_object_with_any_members_is_a_fact_or_malformed(
    type_: str, object_: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        told = fact_of(type_, object_, **changes)
    except MalformedError:
        return
    assert told is None or told.event == "evt_1"
