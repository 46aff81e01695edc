"""What payments write beside the ledger: each item under its name and its own condition."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE
from tollkeeper.domain.billing import Billing, BillingMoved, TopUpRule
from tollkeeper.domain.codes import CodeMoved, CodeRedeemed, PromoCode
from tollkeeper.domain.purchases import EventSeen, Linked, Purchase, PurchaseMoved
from tollkeeper.store.billing import billing_from_item, billing_to_item
from tollkeeper.store.codes import CodeMade, code_to_item, made_to_item, redeemed_to_item
from tollkeeper.store.payment_writes import payment_to_writes, purchase_to_writes
from tollkeeper.store.payments import event_to_item, link_to_item, purchase_to_item
from tollkeeper.store.writes import IS_NEW, Write, is_link_version, is_version

PURCHASE = Purchase("pur_1", ACCOUNT, "small", "Small", 100, 1000, "usd", NOON, version=3)
BILLING = Billing(ACCOUNT, version=5, customer="cus_1", cleared=("pur_1", "pur_2"))
CODE = PromoCode("WELCOME", 5 * ONE, NOON, version=4)
EVENT = EventSeen("evt_1", "t", "granted", NOON)
LINK = Linked("pi_1", ACCOUNT, "pur_1", version=2)
MARK = CodeRedeemed("WELCOME", "digest", NOON)
MADE = CodeMade("digest", "WELCOME", "h")

WRITES: list[tuple[object, Write]] = [
    (
        PurchaseMoved(PURCHASE),
        Write("purchase", {"Item": purchase_to_item(PURCHASE), **is_version(2)}),
    ),
    (EVENT, Write("event", {"Item": event_to_item(EVENT), **IS_NEW})),
    (LINK, Write("link", {"Item": link_to_item(LINK), **is_link_version(1)})),
    (BillingMoved(BILLING), Write("billing", {"Item": billing_to_item(BILLING), **is_version(4)})),
    (CodeMoved(CODE), Write("code", {"Item": code_to_item(CODE), **is_version(3)})),
    (MARK, Write("redemption", {"Item": redeemed_to_item(MARK), **IS_NEW})),
    (MADE, Write("key", {"Item": made_to_item(MADE), **IS_NEW})),
]


@pytest.mark.parametrize(("also", "write"), WRITES, ids=[row[1].role for row in WRITES])
def test_each_is_written_over_the_version_before_its_own(also: object, write: Write) -> None:
    assert payment_to_writes(also) == [write]


def test_a_purchase_is_written_before_what_goes_with_it() -> None:
    own, event, link = WRITES[0][1], WRITES[1][1], WRITES[2][1]

    assert purchase_to_writes(PURCHASE, EVENT, LINK) == [own, event, link]


def test_disputes_that_were_cleared_are_read_as_they_were_written() -> None:
    assert billing_from_item(billing_to_item(BILLING)) == BILLING


def test_a_rule_is_written_with_what_is_as_it_mostly_is() -> None:
    """Why: a default that changes one day must not change what a customer agreed to."""
    item = billing_to_item(replace(BILLING, top_up=TopUpRule("small", 20 * ONE)))

    assert json.loads(item["rule"]["S"]) == {
        "pack": "small",
        "below_microcredits": 20 * ONE,
        "most_purchases": 10,
        "most_minor": None,
        "is_on": True,
        "price_minor": 0,
        "currency": "",
        "return_url": "",
    }
    assert json.loads(item["state"]["S"]) == {}
