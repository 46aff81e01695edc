"""Domain values of the gate as they are stored: open holds, limits, a budget, a settle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.golden.stored import BARE_ACCOUNT, BARE_ENTRY, FULL_RUN, MONTH_END, NOON, PLAN_GRANT
from tollkeeper.domain.account import Account, Lifetime, OwnLimits, Rung
from tollkeeper.domain.catalog import Limits
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import Draw, Grant, GrantKind, Origin
from tollkeeper.domain.held import Hold, Terms
from tollkeeper.domain.seen import Seen

ENDED_GRANT = replace(PLAN_GRANT, id="g4", remaining_microcredits=0, has_ended=True)
LENT_GRANT = Grant(
    "g9",
    GrantKind.TRANSFER,
    20,
    6_000_000,
    4_000_000,
    NOON,
    MONTH_END,
    origin=Origin("g1", GrantKind.PLAN, 10_000_000),
)
WAITING_LENT_GRANT = replace(LENT_GRANT, id="g10", effective_at=MONTH_END, has_started=False)
FULL_HOLD = Hold(
    id="run_7",
    opened_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    terms=Terms(
        operation="chat",
        model="gpt-4",
        label="tutor/essay",
        service="web",
        subtype="essay",
        price_version="0a1b",
        feature="chat",
        feature_count=2,
    ),
    draws=(("g4", 2_500_000), ("g9", 1)),
    debt_microcredits=750_000,
    extensions=3,
    parts=2,
)
BARE_HOLD = Hold("run_8", NOON, NOON + timedelta(seconds=1), Terms("call"))

GATE_ACCOUNT: Account = replace(
    BARE_ACCOUNT,
    grants=(ENDED_GRANT, LENT_GRANT, WAITING_LENT_GRANT),
    lifetime=Lifetime(1, 2, 3, 4, 5, 6, 7, 8, 9),
    holds=(FULL_HOLD, BARE_HOLD),
    limits=OwnLimits(
        operator=Limits(1_000_000, 2_000_000, 3_000_000),
        user=Limits(None, 4_000_000, None),
        thresholds=(25, 75),
        low_balance_microcredits=0,
    ),
    rung=Rung(is_low=True, day=50, month=101, period=100),
    parent="org_1",
    seen={"call": Seen(1, 2, 2, 2), "chat": Seen(40, 1200, 80, 9000)},
)
NEVER_LOW_ACCOUNT: Account = replace(BARE_ACCOUNT, rung=Rung(is_low=False))
SETTLE_ENTRY = Entry(
    account=BARE_ENTRY.account,
    key=EntryKey("h#run_7#settle"),
    seq=37,
    kind=EntryKind.SETTLE,
    at=NOON,
    delta_microcredits=-1_000_000,
    available_after_microcredits=2,
    moved_microcredits=4_000_000,
    run=FULL_RUN,
    day=date(2026, 11, 20),
    draws=(Draw(LENT_GRANT, 1_000_000),),
    hold="run_7",
    held_after_microcredits=5,
    held_change_microcredits=-6_000_000,
    settled=(Draw(replace(ENDED_GRANT, has_ended=False), 3_000_000),),
    returned=(Draw(LENT_GRANT, 2_000_000),),
    expired_microcredits=1_000_000,
    uncollected_microcredits=250_000,
    alerts=("low_balance", "day:50"),
    details={"late": "true"},
)
