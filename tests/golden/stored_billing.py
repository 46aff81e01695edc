"""Billing, promo codes and their marks, as they were stored first."""

from __future__ import annotations

from datetime import UTC, datetime

from tollkeeper.domain.billing import Billing, TopUpRule, TopUpState
from tollkeeper.domain.codes import CodeRedeemed, PromoCode
from tollkeeper.domain.entries import AccountId
from tollkeeper.store.codes import CodeMade

NOON = datetime(2026, 11, 21, 12, 30, 0, 250_000, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 12, 32, 0, 250_000, tzinfo=UTC)
FULL_BILLING = Billing(
    account=AccountId("user_1"),
    version=7,
    customer="cus_1",
    card="pm_1",
    disputed=("pur_1", "pur_2"),
    top_up=TopUpRule(
        pack="pro",
        below_microcredits=20_000_000,
        most_purchases=3,
        most_minor=15_000,
        is_on=False,
        price_minor=5_000,
        currency="eur",
        return_url="https://app.example.com/done",
    ),
    state=TopUpState(
        attempt=9,
        pending="pur_3",
        pending_since=NOON,
        card="pm_0",
        failures=2,
        failure="card_declined",
        month="2026-11",
        purchases=2,
        spent_minor=10_000,
        last_at=NOON,
        next_at=LATER,
        off_reason="failures",
    ),
)
BARE_BILLING = Billing(AccountId("user_2"), version=1, customer="cus_2")
FULL_CODE = PromoCode(
    code="WEL-COME25",
    credits_microcredits=5_000_001,
    created_at=NOON,
    created_by="service:ops",
    reason="launch",
    version=4,
    most_redemptions=100,
    redemptions=3,
    expires_at=LATER,
    grant_days=30,
    plans=("free", "pro"),
    is_active=False,
    request_hash="h1",
)
BARE_CODE = PromoCode("ABC", 1, NOON)
REDEEMED = CodeRedeemed("ABC", "d0d0", NOON)
MADE = CodeMade("abcd", "ABC", "h2")
