"""Purchases whose money went back, links that remember, and cases, as they are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.golden.stored import USER
from tollkeeper.domain.cases import Case, Resolution
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.money_back import Dispute, DisputeState, MoneyBack
from tollkeeper.domain.purchases import Linked, Purchase, PurchaseKind, PurchaseStatus
from tollkeeper.domain.refund_asks import RefundAsk

AT = datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)
BACK = MoneyBack(
    charged_minor=5950,
    refunded_minor=1200,
    disputes=(
        Dispute("dp_1", 2000, DisputeState.WITHDRAWN),
        Dispute("dp_2", 500, DisputeState.WON),
    ),
)
PURCHASE = Purchase(
    id="pur_4567",
    account=USER,
    pack="",
    pack_name="",
    credits_microcredits=500_000_000,
    price_minor=5000,
    currency="eur",
    created_at=AT,
    status=PurchaseStatus.PAID,
    version=4,
    payment_intent="pi_9",
    paid_at=AT + timedelta(minutes=2),
    kind=PurchaseKind.INVOICE,
    plan="pro",
    customer="cus_1",
    subscription="sub_1",
    invoice="in_1",
    grant="g7",
    back=BACK,
    clawed_back_microcredits=268_907_563,
    uncollected_microcredits=1_000_001,
    lapsed_microcredits=2_000_002,
    refunds=(
        RefundAsk(EntryKey("c#r1"), "hash", 1200, AT, "by mail", "service:ops", "re_1"),
        RefundAsk(EntryKey("c#r2"), "hash2", 300, AT, "", "service:ops"),
    ),
)
REMEMBERING = Linked("pi_8", AccountId(""), "", version=2, back=BACK)
ALIAS = Linked("ch_8", AccountId(""), "", version=1, stands_for="pi_8")
ENDED = Linked("sub_1", USER, "pur_4567", version=3, ended_at=AT)
OPEN_CASE = Case(
    id="case_0123",
    at=AT,
    reason="paid, but there is no such purchase",
    event="evt_7",
    type="checkout.session.completed",
    account="user_1",
    purchase="pur_4567",
    payment="pi_7",
    amount_minor=5000,
    currency="usd",
)
RESOLVED_CASE = replace(
    OPEN_CASE,
    resolved_at=AT + timedelta(hours=3),
    resolution=Resolution.GRANTED,
    note="asked the customer",
    actor="service:ops",
    by="c#r-1",
    request_hash="hash",
    granted="pur_89ab",
    version=2,
)
BARE_CASE = Case("case_4567", AT, "r", "", "")
