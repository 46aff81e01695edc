"""Billing and promo codes as items: what is written is what is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE
from tollkeeper.domain.billing import Billing, BillingMoved, TopUpRule, TopUpState
from tollkeeper.domain.codes import CodeMoved, CodeRedeemed, PromoCode
from tollkeeper.store.billing import TOP_UP_DUE, billing_from_item, billing_to_item
from tollkeeper.store.codes import CodeMade, code_from_item, code_to_item, made_from_item
from tollkeeper.store.rows import to_ms
from tollkeeper.store.writes import also_to_writes

RULE = TopUpRule("small", 20 * ONE, 3, 2500, True, 1000, "usd", "https://app.example.com/x")
STATE = TopUpState(
    attempt=7,
    pending="pur_1",
    pending_since=NOON,
    card="pm_1",
    failures=2,
    failure="card_declined",
    month="2026-11",
    purchases=2,
    spent_minor=2000,
    last_at=NOON - timedelta(hours=1),
    next_at=NOON + timedelta(minutes=2),
    off_reason="failures",
)
BILLINGS = [
    Billing(ACCOUNT, version=1),
    Billing(ACCOUNT, version=2, customer="cus_1"),
    Billing(
        ACCOUNT,
        9,
        "cus_1",
        "pm_1",
        ("pur_1", "pur_2"),
        cleared=("pur_3",),
        top_up=RULE,
        state=STATE,
    ),
    Billing(ACCOUNT, 3, top_up=replace(RULE, most_minor=None, is_on=False)),
]
CODES = [
    PromoCode("WELCOME", 5 * ONE, NOON),
    PromoCode(
        "ALL-OF-IT",
        1,
        NOON,
        created_by="key_1",
        reason="launch",
        version=4,
        most_redemptions=100,
        redemptions=3,
        expires_at=NOON + timedelta(days=1),
        grant_days=30,
        plans=("free", "pro"),
        is_active=False,
        request_hash="h",
    ),
]


@pytest.mark.parametrize("billing", BILLINGS)
def test_a_billing_is_read_as_it_was_written(billing: Billing) -> None:
    assert billing_from_item(billing_to_item(billing)) == billing


def test_only_a_billing_that_waits_for_a_look_is_in_the_index() -> None:
    waits, rests = billing_to_item(BILLINGS[2]), billing_to_item(BILLINGS[1])

    assert waits["due_at"] == {"N": str(to_ms(NOON + timedelta(minutes=2)))}
    assert waits["due_shard"]["S"].startswith(f"{TOP_UP_DUE}#")
    assert not {"due_at", "due_shard"} & set(rests)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_read_as_it_was_written(code: PromoCode) -> None:
    assert code_from_item(code_to_item(code)) == code


def test_each_is_written_under_its_own_condition() -> None:
    made = CodeMade("digest", "WELCOME", "h")
    mark = CodeRedeemed("WELCOME", "digest", NOON)

    writes = also_to_writes(ACCOUNT, BillingMoved(BILLINGS[0]), CodeMoved(CODES[1]), mark, made)

    assert [(each.role, each.put["ConditionExpression"]) for each in writes] == [
        ("billing", "attribute_not_exists(pk)"),
        ("code", "v = :read"),
        ("redemption", "attribute_not_exists(pk)"),
        ("key", "attribute_not_exists(pk)"),
    ]
    assert made_from_item(writes[3].put["Item"]) == made
    assert "ttl" not in writes[2].put["Item"], "once is once for ever"
