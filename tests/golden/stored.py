"""Domain values as they are stored: each with every member set, and with none that may be left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tollkeeper.domain.account import Account, Lifetime, PlanState, Status, Windows
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, Line, Run
from tollkeeper.domain.grants import Draw, Grant, GrantKind
from tollkeeper.domain.purchases import EventSeen, Linked, Purchase, PurchaseStatus
from tollkeeper.domain.quarantine import Waiting
from tollkeeper.domain.totals import DayClosed, Total, TotalKey, tokens_of
from tollkeeper.domain.usage.pools import TokenPools
from tollkeeper.store.api_keys import ServiceKey

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)
BERLIN_MIDNIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
USER = AccountId("user_1")

PLAN_GRANT = Grant("g1", GrantKind.PLAN, 20, 10_000_000, 7_500_000, NOON, MONTH_END)
PACK_GRANT = Grant("g2", GrantKind.PACK, 50, 500_000_000, 500_000_000, NOON, None)
LATER_GRANT = Grant(
    "g7",
    GrantKind.PROMO,
    10,
    3_000_000,
    3_000_000,
    MONTH_END,
    MONTH_END + timedelta(days=30),
    has_started=False,
)
TOTALS = {
    TotalKey("chat", "gpt-4", "tutor"): Total(
        3,
        1,
        2_500_000,
        250_000,
        98_000_000,
        tokens=tokens_of(TokenPools(input=1200, output=340, reasoning=60)),
    ),
    TotalKey("call"): Total(1, 0, 1_000_000, 0, 0),
}

FULL_ACCOUNT = Account(
    id=USER,
    plan=PlanState("pro", 3, NOON, MONTH_END, date(2026, 10, 31), "free", date(2026, 11, 30)),
    zone="Europe/Berlin",
    today=date(2026, 11, 20),
    rolled_to=NOON + timedelta(milliseconds=7),
    version=12,
    seq=34,
    status=Status.FROZEN,
    next_zone="Asia/Tokyo",
    next_zone_at=BERLIN_MIDNIGHT,
    name="Jürgen \N{GRINNING FACE}",
    grants=(LATER_GRANT, PLAN_GRANT, PACK_GRANT),
    debt_microcredits=1_250_000,
    features={"chat": 4, "call": 1},
    windows=Windows(2_500_000, 3_500_000, 4_500_000),
    totals=TOTALS,
    lifetime=Lifetime(513_000_000, 500_000_000, 5_500_000, 250_000, 1_000_000, 750_000),
)
BARE_ACCOUNT = Account(
    id=USER,
    plan=PlanState("free", 1, NOON, MONTH_END),
    zone="UTC",
    today=date(2026, 11, 20),
    rolled_to=NOON,
)

FULL_RUN = Run(
    operation="chat",
    model="gpt-4",
    label="tutor/essay",
    feature="chat",
    feature_count=2,
    service="web",
    subtype="essay",
    quantity_micro=1_500_000,
    pools=TokenPools(input=1200, output=340, reasoning=60),
    cost_picousd=98_000_000,
    lines=(Line("gpt-4 tokens", "1600", "60/1000", 96_000_000),),
    price_version="2026-11-01#0a1b",
    response_time_ms=830,
    occurred_at=NOON - timedelta(seconds=2),
    warnings=("hidden_reasoning", "total_mismatch"),
)
FULL_ENTRY = Entry(
    account=USER,
    key=EntryKey("c#order-17"),
    seq=34,
    kind=EntryKind.VOID,
    at=NOON + timedelta(milliseconds=7),
    delta_microcredits=96_000_000,
    available_after_microcredits=7_500_000,
    debt_after_microcredits=1_250_000,
    moved_microcredits=96_500_000,
    request_hash="5f2c",
    run=FULL_RUN,
    day=date(2026, 11, 20),
    draws=(Draw(PLAN_GRANT, 2_500_000), Draw(PACK_GRANT, 93_500_000)),
    debt_change_microcredits=-500_000,
    grant=LATER_GRANT,
    refers_to=EntryKey("c#order-16"),
    reason="wrong answer",
    actor="key_9",
    details={"purchase": "pur_1", "pack": "pro"},
    metadata='{"course":"bio"}',
    warnings=("low_balance", "hidden_reasoning"),
)
BARE_RUN_ENTRY = Entry(
    account=USER,
    key=EntryKey("c#order-18"),
    seq=35,
    kind=EntryKind.RUN_FAILED,
    at=NOON,
    delta_microcredits=0,
    available_after_microcredits=-7,
    run=Run("call"),
)
BARE_ENTRY = Entry(
    account=USER,
    key=EntryKey("t#expire:g1"),
    seq=36,
    kind=EntryKind.EXPIRE,
    at=NOON,
    delta_microcredits=-3,
    available_after_microcredits=0,
)

FULL_PURCHASE = Purchase(
    id="pur_0123",
    account=USER,
    pack="large",
    pack_name="Large pack",
    credits_microcredits=500_000_000,
    price_minor=5000,
    currency="eur",
    created_at=NOON,
    status=PurchaseStatus.QUARANTINED,
    version=3,
    expires_after_days=365,
    stripe_price="price_1",
    request_hash="77aa",
    session="cs_1",
    checkout_url="https://checkout.stripe.com/c/cs_1",
    payment_intent="pi_1",
    paid_at=NOON + timedelta(minutes=5),
    reason="the currency is usd, not eur",
)
BARE_PURCHASE = Purchase(
    "pur_0456", USER, "small", "Small pack", 100_000_000, 1000, "usd", created_at=NOON
)

FULL_KEY = ServiceKey(
    id="k_9",
    name="web backend",
    digest="d1g3st",
    scopes=("credits:write", "credits:read"),
    created_at=NOON,
    created_by="key_1",
    version=2,
    expires_at=NOON + timedelta(days=90),
    revoked_at=NOON + timedelta(days=1),
    request_hash="9c",
)
BARE_KEY = ServiceKey("k_1", "", "d0", (), created_at=NOON, created_by="")

EVENT = EventSeen("evt_1", "checkout.session.completed", "granted", NOON)
LINK = Linked("pi_1", USER, "pur_0123", version=0)
DAY = DayClosed(date(2026, 11, 19), {TotalKey("call", "", "Übung"): Total(1, 0, 1_000_000, 0, 0)})
RETURNED = ChargeReturned(EntryKey("c#order-16"), EntryKey("c#order-17"))
RERATED = ChargeReturned(EntryKey("c#order-16"), EntryKey("c#order-18"), is_rerate=True)
WAITING = Waiting(
    account=USER,
    charge=EntryKey("h#run_7#settle"),
    at=NOON,
    operation="chat",
    model="gpt-9",
    charged_microcredits=4_000_000,
)
RESOLVED = replace(WAITING, resolved_at=NOON + timedelta(days=1), by=EntryKey("c#order-18"))
