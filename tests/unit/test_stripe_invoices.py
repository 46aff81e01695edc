"""Invoices and subscriptions of Stripe's as facts, in the shapes of every version."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.invoices import OURS, PURCHASE, an_event, new_invoice, old_invoice
from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.invoices import InvoicePaid, SubscriptionNews
from tollkeeper.domain.payments import MoneyNews
from tollkeeper.edge.stripe_events import read_event, read_fact

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "stripe"
recorded = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded events are not here")


def read(type_: str, found: dict[str, Any], **changes: Any) -> object:
    """The fact that the event tells."""
    return read_event(json.dumps(an_event(type_, found, **changes)).encode()).fact


def invoice_of(found: dict[str, Any], type_: str = "invoice.paid") -> InvoicePaid:
    """The fact of a paid invoice."""
    fact = read(type_, found)
    assert isinstance(fact, InvoicePaid)
    return fact


@pytest.mark.parametrize("found", [old_invoice(), new_invoice()], ids=["old", "new"])
def test_an_invoice_says_the_same_in_both_shapes(found: dict[str, Any]) -> None:
    fact = invoice_of(found)

    assert (fact.event, fact.invoice, fact.customer) == ("evt_1", "in_1", "cus_1")
    assert (fact.account, fact.purchase) == ("user_1", PURCHASE)
    assert (fact.subscription, fact.payment_intent, fact.paid_minor) == ("sub_1", "pi_1", 2200)
    assert fact.made_at == datetime.fromtimestamp(1795176100, UTC)
    (line,) = fact.lines
    assert (line.price, line.plan, line.subscription) == ("price_1", "studio", "sub_1")
    assert (line.amount_minor, line.unit_minor, line.currency) == (2000, 2000, "usd")
    assert line.start_at == datetime.fromtimestamp(1795176000, UTC)
    assert line.end_at == datetime.fromtimestamp(1797768000, UTC)
    assert not line.is_proration


def test_both_types_of_event_tell_of_the_same_payment() -> None:
    one = invoice_of(old_invoice())
    other = invoice_of(old_invoice(), "invoice.payment_succeeded")

    assert (one.invoice, one.lines) == (other.invoice, other.lines)


@pytest.mark.parametrize("status", ["draft", "open", "uncollectible", "void", "new_word"])
def test_an_invoice_that_is_not_paid_is_nothing_to_us(status: str) -> None:
    assert read("invoice.paid", old_invoice(status=status)) is None


def test_the_oldest_versions_say_without_a_status_that_it_is_paid() -> None:
    oldest = old_invoice()
    del oldest["status"]
    line = oldest["lines"]["data"][0]
    line["plan"] = line.pop("price")

    fact = invoice_of(oldest)

    assert fact.lines[0].price == "price_1"
    assert read("invoice.paid", oldest | {"paid": False}) is None


def test_a_proration_says_so_wherever_the_version_puts_it() -> None:
    old, new, item = old_invoice(), new_invoice(), new_invoice()
    old["lines"]["data"][0]["proration"] = True
    new["lines"]["data"][0]["parent"]["subscription_item_details"]["proration"] = True
    item["lines"]["data"][0]["parent"] = {
        "invoice_item_details": {"proration": True, "subscription": "sub_1"}
    }

    for found in (old, new, item):
        (line,) = invoice_of(found).lines
        assert (line.is_proration, line.subscription) == (True, "sub_1")


def test_ids_may_be_sent_whole() -> None:
    whole = old_invoice(
        customer={"id": "cus_1"}, subscription={"id": "sub_1"}, payment_intent={"id": "pi_1"}
    )

    fact = invoice_of(whole)

    assert (fact.customer, fact.subscription, fact.payment_intent) == ("cus_1", "sub_1", "pi_1")


@pytest.mark.parametrize(
    "metadata", [None, {}, [], {"account": "a b"}, {"account": 7}, {"account": "x" * 129}]
)
def test_what_is_no_account_of_ours_names_none(metadata: Any) -> None:
    found = old_invoice(subscription_details={"metadata": metadata})
    found["lines"]["data"][0]["metadata"] = metadata

    assert invoice_of(found).account == ""


BROKEN: list[dict[str, Any]] = [
    {"id": 7},
    {"created": "soon"},
    {"created": 10**12},
    {"lines": None},
    {"lines": {"data": [{}]}},
    {"lines": {"data": [7]}},
    {"amount_paid": 10**15},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_an_invoice_that_cannot_be_read_is_malformed(broken: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="not an invoice"):
        read("invoice.paid", old_invoice(**broken))


@pytest.mark.parametrize(
    ("type_", "has_ended"), [("created", False), ("updated", False), ("deleted", True)]
)
def test_only_its_own_event_ends_a_subscription(type_: str, has_ended: bool) -> None:
    found = {"id": "sub_1", "customer": "cus_1", "status": "canceled", "metadata": OURS}

    fact = read(f"customer.subscription.{type_}", found)

    assert isinstance(fact, SubscriptionNews)
    assert (fact.subscription, fact.customer, fact.account) == ("sub_1", "cus_1", "user_1")
    assert fact.has_ended is has_ended


def test_the_payment_of_an_invoice_links_the_two() -> None:
    payment = {"type": "payment_intent", "payment_intent": {"id": "pi_1"}}

    fact = read("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1", "payment": payment})

    assert isinstance(fact, MoneyNews)
    assert fact.names == ("pi_1", "in_1")
    assert read("invoice_payment.paid", {"id": "inpay_1", "invoice": "in_1"}) is None


# ------------------------------------------------------------------------- what Stripe really sent


@recorded
def test_the_recorded_invoice_of_eventbridge_is_read_whole() -> None:
    text = (DATA / "eventbridge.invoice.paid.2026-02.json").read_text(encoding="utf-8")
    fact = read_fact(json.loads(text)["detail"], event="evt_1T1XVI8p2opQAPTXKPvqkUDU")

    assert isinstance(fact, InvoicePaid)
    assert fact.subscription == "sub_1T1XVG8p2opQAPTXfjGroWVF"
    assert (fact.payment_intent, fact.charge) == (
        "pi_3T1XVE8p2opQAPTX1Nmq7EDT",
        "ch_3T1XVE8p2opQAPTX1FqphSVi",
    )
    assert (fact.paid_minor, fact.currency, fact.reason) == (2000, "eur", "subscription_create")
    (line,) = fact.lines
    assert line.price == "price_1SyxN98p2opQAPTX1XXPGLIA"
    # The invoice's own period is of no length; a month is on the line.
    assert (line.end_at - line.start_at).days == 28


@recorded
def test_the_recorded_invoice_of_2025_with_objects_for_ids_is_read_whole() -> None:
    text = (DATA / "object.basil.invoice.expanded.pay.json").read_text(encoding="utf-8")

    fact = invoice_of(json.loads(text))

    assert (fact.customer, fact.charge) == ("cus_S9YwWMaQEgeJYO", "ch_3RFFrjKXBGcbgpbZ0g57Qovb")
    assert [line.unit_minor for line in fact.lines] == [2900, 2900]
    assert {line.subscription for line in fact.lines} == {""}


@recorded
@pytest.mark.parametrize("name", ["created", "updated", "deleted"])
def test_the_recorded_events_of_a_subscription_are_read(name: str) -> None:
    raw = (DATA / f"2020-08-27.customer.subscription.{name}.srm.json").read_bytes()

    fact = read_event(raw).fact

    assert isinstance(fact, SubscriptionNews)
    assert (fact.account, fact.has_ended) == ("", name == "deleted")


@recorded
def test_the_recorded_invoice_of_2020_is_for_no_subscription() -> None:
    fact = read_event((DATA / "2020-08-27.invoice.paid.srm.json").read_bytes()).fact

    assert isinstance(fact, InvoicePaid)
    assert (fact.subscription, fact.lines[0].subscription) == ("", "")
