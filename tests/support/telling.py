"""Ledger rows with everything in them that an event tells, one per fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.support.telling_rows import (
    CREDIT,
    GRANT,
    LATER,
    NOW,
    PACK,
    RUN,
    moved,
    row,
)
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, Run
from tollkeeper.domain.events import EventType
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.usage.pools import TokenPools

PLAN = {"plan": "pro", "period_end": "2026-12-01T00:00:00+01:00"}
SALE = {"purchase": "pur_0", "pack": "starter", "price_minor": "1000", "currency": "usd"}


def _by_stripe(left: str, to: str, at: str) -> Entry:
    """A change of plan that Stripe began."""
    return row(EntryKind.PLAN_CHANGE, details={"from": left, "to": to, "at": at}, reason="paid")


TOLD: dict[str, tuple[Entry, tuple[EventType, ...]]] = {
    "deduct": (
        moved(EntryKind.CHARGE, 1.5, run=RUN, delta_microcredits=-1_500_000),
        (EventType.CHARGE_RECORDED,),
    ),
    "charge of nothing": (
        moved(EntryKind.CHARGE, 0, run=Run("sms", pools=TokenPools())),
        (EventType.CHARGE_RECORDED,),
    ),
    "settle, late": (
        moved(
            EntryKind.SETTLE,
            1.5,
            key=EntryKey("h#job_1#settle"),
            run=RUN,
            hold="job_1",
            uncollected_microcredits=1,
            details={"late": "true", "released_microcredits": "3500000"},
        ),
        (EventType.CHARGE_RECORDED,),
    ),
    "settle, a part, over an end": (
        moved(
            EntryKind.SETTLE,
            1,
            run=RUN,
            hold="job_1",
            expired_microcredits=2 * CREDIT,
            details={"part": "true"},
        ),
        (EventType.CHARGE_RECORDED, EventType.CREDITS_EXPIRED),
    ),
    "void": (
        moved(
            EntryKind.VOID,
            1.5,
            run=RUN,
            refers_to=EntryKey("c#msg_811"),
            reason="failed",
            debt_change_microcredits=-250_000,
        ),
        (EventType.CHARGE_RETURNED,),
    ),
    "refund": (
        moved(EntryKind.REFUND, 0.5, run=RUN, refers_to=EntryKey("c#msg_811")),
        (EventType.CHARGE_RETURNED,),
    ),
    "charge of an unknown model": (
        moved(
            EntryKind.CHARGE,
            5,
            run=replace(RUN, model="gpt-9", stands_for="gpt-4", pending="unknown_model"),
        ),
        (EventType.CHARGE_RECORDED, EventType.CHARGE_QUARANTINED),
    ),
    "void of a charge of an unknown model": (
        moved(
            EntryKind.VOID,
            5,
            run=replace(RUN, model="gpt-9", pending="unknown_model"),
            refers_to=EntryKey("c#msg_811"),
        ),
        (EventType.CHARGE_RETURNED,),
    ),
    "rerate down": (
        moved(
            EntryKind.RERATE,
            3.5,
            run=RUN,
            delta_microcredits=3_500_000,
            debt_change_microcredits=-250_000,
            refers_to=EntryKey("c#msg_811"),
            reason="gpt-9 has a price",
            details={
                "before_microcredits": "5000000",
                "price_microcredits": "1500000",
                "cost_change_picousd": "0",
            },
        ),
        (EventType.CHARGE_RERATED,),
    ),
    "rerate up": (
        moved(
            EntryKind.RERATE,
            3,
            run=RUN,
            delta_microcredits=-3_000_000,
            uncollected_microcredits=1_000_000,
            refers_to=EntryKey("c#msg_811"),
            details={
                "before_microcredits": "5000000",
                "price_microcredits": "9000000",
                "cost_change_picousd": "-7",
            },
        ),
        (EventType.CHARGE_RERATED,),
    ),
    "failed run": (
        row(EntryKind.RUN_FAILED, run=replace(RUN, cost_picousd=None)),
        (EventType.RUN_FAILED,),
    ),
    "grant": (
        moved(
            EntryKind.GRANT,
            100,
            grant=GRANT,
            reason="welcome",
            debt_change_microcredits=-5 * CREDIT,
        ),
        (EventType.CREDITS_GRANTED,),
    ),
    "grant with a later start": (
        moved(EntryKind.GRANT, 100, grant=LATER),
        (EventType.CREDITS_GRANTED,),
    ),
    "start": (
        moved(
            EntryKind.GRANT,
            100,
            key=EntryKey("t#start:g2"),
            grant=GRANT,
            debt_change_microcredits=-1,
        ),
        (EventType.CREDITS_STARTED,),
    ),
    "purchase": (
        moved(
            EntryKind.GRANT,
            100,
            key=EntryKey("s#purchase:pur_0"),
            grant=PACK,
            details=SALE,
            reason="pack starter",
            debt_change_microcredits=-1,
        ),
        (EventType.PURCHASE_COMPLETED,),
    ),
    "purchase of a pack that ends": (
        moved(
            EntryKind.GRANT,
            100,
            key=EntryKey("s#purchase:pur_0"),
            grant=replace(PACK, expires_at=NOW + timedelta(days=365)),
            details=SALE | {"price_minor": "1500", "currency": "jpy"},
        ),
        (EventType.PURCHASE_COMPLETED,),
    ),
    "reset": (
        moved(
            EntryKind.RESET,
            15,
            key=EntryKey("t#reset:1:2026-11-01T00:00:00.000000Z"),
            grant=replace(GRANT, kind=GrantKind.PLAN),
            details=PLAN | {"rolled_over_microcredits": "2500000"},
        ),
        (EventType.PERIOD_STARTED, EventType.CREDITS_GRANTED),
    ),
    "reset with a debt": (
        moved(
            EntryKind.RESET,
            15,
            grant=replace(GRANT, kind=GrantKind.PLAN),
            details=PLAN,
            debt_change_microcredits=-4 * CREDIT,
        ),
        (EventType.PERIOD_STARTED, EventType.CREDITS_GRANTED),
    ),
    "reset that only rolls over": (
        moved(EntryKind.RESET, 0, grant=GRANT, details=PLAN | {"rolled_over_microcredits": "1"}),
        (EventType.PERIOD_STARTED,),
    ),
    "reset of a plan that gives nothing": (
        moved(EntryKind.RESET, 0, details=PLAN),
        (EventType.PERIOD_STARTED,),
    ),
    "adjustment up": (
        moved(
            EntryKind.ADJUSTMENT,
            2,
            delta_microcredits=2 * CREDIT,
            grant=replace(GRANT, kind=GrantKind.ADJUSTMENT, expires_at=None),
            reason="goodwill",
        ),
        (EventType.CREDITS_GRANTED,),
    ),
    "adjustment down": (
        moved(EntryKind.ADJUSTMENT, 2, delta_microcredits=-2 * CREDIT, reason="typo"),
        (EventType.CREDITS_REMOVED,),
    ),
    "expiry": (
        moved(EntryKind.EXPIRE, 7, key=EntryKey("t#expire:g2"), grant=GRANT),
        (EventType.CREDITS_EXPIRED,),
    ),
    "clawback": (
        moved(
            EntryKind.CLAWBACK,
            100,
            key=EntryKey("s#refund:pi_1:1000"),
            delta_microcredits=-100 * CREDIT,
            debt_change_microcredits=3 * CREDIT,
            clawback_debt_change_microcredits=3 * CREDIT,
            details={"purchase": "pur_0"},
            reason="refund",
        ),
        (EventType.CREDITS_CLAWED_BACK,),
    ),
    "clawback that asks nobody for what was spent": (
        moved(
            EntryKind.CLAWBACK,
            40,
            key=EntryKey("s#dispute:dp_1"),
            delta_microcredits=-40 * CREDIT,
            uncollected_microcredits=60 * CREDIT,
            details={"purchase": "pur_0"},
            alerts=("low_balance", "top_up"),
        ),
        (EventType.CREDITS_CLAWED_BACK, EventType.CREDITS_LOW, EventType.CREDITS_TOP_UP_DUE),
    ),
    "reinstate": (
        moved(
            EntryKind.REINSTATE,
            100,
            key=EntryKey("s#dispute_won:dp_1"),
            delta_microcredits=100 * CREDIT,
            grant=replace(PACK, expires_at=NOW + timedelta(days=365)),
            debt_change_microcredits=-3 * CREDIT,
            clawback_debt_change_microcredits=-3 * CREDIT,
            details={"purchase": "pur_0"},
            reason="dispute won",
        ),
        (EventType.CREDITS_REINSTATED,),
    ),
    "top-up": (
        moved(EntryKind.CHARGE, 1, run=Run("sms", model="m"), alerts=("top_up",)),
        (EventType.CHARGE_RECORDED, EventType.CREDITS_TOP_UP_DUE),
    ),
    "top-up set": (row(EntryKind.TOP_UP, details={"pack": "pro", "below": "20"}), ()),
    "top-up that its customer must confirm": (
        row(
            EntryKind.TOP_UP,
            key=EntryKey("s#top_up_action:pur_0"),
            details={
                "purchase": "pur_0",
                "url": "https://checkout.stripe.test/c/pay/cs_1",
                "pack": "pro",
                "price": "50.00",
                "currency": "usd",
            },
        ),
        (EventType.TOP_UP_ACTION_NEEDED,),
    ),
    "top-up turned off": (
        row(
            EntryKind.TOP_UP,
            key=EntryKey("s#top_up_off:pur_0"),
            details={"why": "failures", "purchase": "pur_0", "failure": "card_declined"},
        ),
        (EventType.TOP_UP_TURNED_OFF,),
    ),
    "top-up turned off without a failure": (
        row(
            EntryKind.TOP_UP,
            key=EntryKey("s#top_up_off:pur_1"),
            details={"why": "quarantined", "purchase": "pur_1"},
        ),
        (EventType.TOP_UP_TURNED_OFF,),
    ),
    "expiry of an empty grant": (moved(EntryKind.EXPIRE, 0, grant=GRANT), ()),
    "hold": (moved(EntryKind.HOLD, 5, run=RUN, hold="job_1"), ()),
    "hold extended": (row(EntryKind.HOLD_EXTENDED, hold="job_1"), ()),
    "release": (moved(EntryKind.RELEASE, 5, hold="job_1"), ()),
    "release into an end": (
        moved(EntryKind.RELEASE, 5, hold="job_1", expired_microcredits=CREDIT),
        (EventType.CREDITS_EXPIRED,),
    ),
    "hold expired": (
        moved(EntryKind.HOLD_EXPIRED, 5, hold="job_1"),
        (EventType.HOLD_EXPIRED,),
    ),
    "plan now": (
        row(EntryKind.PLAN_CHANGE, details={"from": "free", "to": "pro", "at": "now"}, reason="up"),
        (EventType.PLAN_CHANGED,),
    ),
    "plan at the period's end": (
        row(
            EntryKind.PLAN_CHANGE,
            details={"from": "pro", "to": "free", "at": "period_end"},
            reason="down",
        ),
        (EventType.PLAN_CHANGE_SCHEDULED,),
    ),
    "plan at the opening": (
        row(EntryKind.PLAN_CHANGE, details={"from": "pro", "to": "pro", "at": "opening"}),
        (),
    ),
    "plan by its first invoice": (_by_stripe("free", "pro", "invoice"), (EventType.PLAN_CHANGED,)),
    "plan by a renewal": (_by_stripe("pro", "pro", "invoice"), ()),
    "plan by an upgrade": (_by_stripe("pro", "team", "proration"), (EventType.PLAN_CHANGED,)),
    "plan by the subscription's end": (
        _by_stripe("pro", "free", "subscription_end"),
        (EventType.PLAN_CHANGED,),
    ),
    "reset of a paid plan": (
        moved(EntryKind.RESET, 0, details=PLAN | {"paid_until": "2026-11-27T23:00:00+00:00"}),
        (EventType.PERIOD_STARTED,),
    ),
    "budget funded": (
        moved(
            EntryKind.TRANSFER_OUT,
            50,
            details={"budget": "run_9", "budget_available_microcredits": "52000000"},
            reason="agent",
        ),
        (EventType.BUDGET_FUNDED,),
    ),
    "budget's own rows": (moved(EntryKind.TRANSFER_IN, 50, details={"parent": "user_1"}), ()),
    "budget emptied": (
        moved(EntryKind.TRANSFER_OUT, 20, details={"parent": "user_1", "closed": "true"}),
        (),
    ),
    "budget closed": (
        moved(
            EntryKind.TRANSFER_IN,
            20,
            details={"budget": "run_9"},
            reason="done",
            expired_microcredits=3 * CREDIT,
            debt_change_microcredits=-CREDIT,
        ),
        (EventType.BUDGET_CLOSED, EventType.CREDITS_EXPIRED),
    ),
    "profile": (row(EntryKind.PROFILE, details={"name": "Ada"}), ()),
    "limits": (row(EntryKind.LIMITS, details={"daily": "1"}), ()),
    "freeze": (row(EntryKind.FREEZE, reason="fraud"), (EventType.ACCOUNT_FROZEN,)),
    "unfreeze": (row(EntryKind.UNFREEZE, reason="fine"), (EventType.ACCOUNT_UNFROZEN,)),
    "close": (row(EntryKind.CLOSE, reason="left"), (EventType.ACCOUNT_CLOSED,)),
    "alerts": (
        moved(
            EntryKind.CHARGE,
            1,
            run=Run("sms", model="m"),
            alerts=("low_balance", "day:80", "day:100", "month:50", "period:recovered"),
        ),
        (
            EventType.CHARGE_RECORDED,
            EventType.CREDITS_LOW,
            EventType.LIMIT_REACHED,
            EventType.LIMIT_REACHED,
            EventType.LIMIT_REACHED,
            EventType.LIMIT_RECOVERED,
        ),
    ),
    "recovery by a void": (
        moved(
            EntryKind.VOID,
            1,
            run=RUN,
            refers_to=EntryKey("c#msg_811"),
            alerts=("low_balance:recovered", "day:recovered"),
        ),
        (EventType.CHARGE_RETURNED, EventType.CREDITS_RECOVERED, EventType.LIMIT_RECOVERED),
    ),
    "alert of a hold": (
        moved(EntryKind.HOLD, 5, run=RUN, hold="job_1", alerts=("low_balance",)),
        (EventType.CREDITS_LOW,),
    ),
}
