"""What is stored of an account that Stripe drives, and that owes for money that went back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.golden.stored import BARE_ACCOUNT, MONTH_END, NOON, PACK_GRANT, USER
from tollkeeper.domain.account import Lifetime
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import Draw, GrantKind
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed

A_MONTH = timedelta(days=30)

OWING_ACCOUNT = replace(
    BARE_ACCOUNT,
    plan=replace(
        BARE_ACCOUNT.plan,
        subscription="sub_1",
        paid=(
            Subscribed(
                "sub_1",
                "free",
                (NOON, NOON + timedelta(milliseconds=812)),
                (PaidPeriod(NOON, MONTH_END, (("free", 20_000_000),)),),
            ),
        ),
    ),
    debt_microcredits=7_500_000,
    clawback_debt_microcredits=2_000_001,
    top_up_below_microcredits=0,
    lifetime=Lifetime(granted=9_000_000, spent=10_000_000, clawed_back=6_500_000),
)
PAYING_ACCOUNT = replace(
    OWING_ACCOUNT,
    plan=replace(
        OWING_ACCOUNT.plan,
        paid=(
            Subscribed(
                "sub_1",
                "free",
                (NOON, NOON + timedelta(milliseconds=812)),
                (
                    PaidPeriod(NOON - A_MONTH, NOON, (("free", 20_000_000), ("pro", 5_000_000)), 9),
                    PaidPeriod(NOON, MONTH_END, (("free", 20_000_000),)),
                ),
                carried_microcredits=1_000_001,
                grants=("g2", "g3"),
            ),
            Subscribed("sub_2", "pro", (NOON, NOON), (PaidPeriod(NOON, NOON, (("pro", 7),)),)),
        ),
    ),
)
TAKEN_ENTRY = Entry(
    account=USER,
    key=EntryKey("s#refund:pi_1:1200"),
    seq=18,
    kind=EntryKind.CLAWBACK,
    at=NOON,
    delta_microcredits=-6_500_000,
    available_after_microcredits=-7_500_000,
    debt_after_microcredits=7_500_000,
    moved_microcredits=6_500_000,
    draws=(Draw(PACK_GRANT, 4_499_999),),
    debt_change_microcredits=2_000_001,
    clawback_debt_change_microcredits=2_000_001,
    uncollected_microcredits=3,
    reason="refund",
    actor="stripe",
    details={"purchase": "pur_0123"},
    alerts=("low_balance", "top_up"),
)
GIVEN_ENTRY = replace(
    TAKEN_ENTRY,
    key=EntryKey("s#dispute_won:dp_1"),
    seq=19,
    kind=EntryKind.REINSTATE,
    delta_microcredits=3_000_000,
    available_after_microcredits=-4_500_000,
    debt_after_microcredits=4_500_000,
    moved_microcredits=3_000_000,
    draws=(),
    debt_change_microcredits=-3_000_000,
    clawback_debt_change_microcredits=-2_000_001,
    uncollected_microcredits=0,
    grant=replace(
        PACK_GRANT,
        id="g19",
        kind=GrantKind.PACK,
        amount_microcredits=3_000_000,
        remaining_microcredits=0,
        expires_at=MONTH_END,
    ),
    reason="dispute won",
    alerts=(),
)
