"""What each row of tests/support/telling.py tells, member by member."""

from __future__ import annotations

Told = tuple[int, str, dict[str, object]]
"""A fact's number, its type, and its members beside those of every row."""

OF_EVERY_ROW = {"id", "account", "seq", "key", "at", "available_after", "held_after"}
RAN: dict[str, object] = {"operation": "ai_tokens", "model": "gpt-4"}
RAN_IN_FULL: dict[str, object] = {
    **RAN,
    "feature": "chat",
    "service": "openai",
    "subtype": "pdf",
    "quantity": "2.5",
    "tokens": {
        "input": 20,
        "cached_input": 1,
        "cache_write_5m": 2,
        "cache_write_1h": 3,
        "output": 5,
        "reasoning": 6,
        "audio_input": 7,
        "audio_output": 8,
    },
    "price_version": "9bf358f6176cd8ca",
}
RAN_AT_A_COST = {**RAN_IN_FULL, "cost_usd": "0.00123"}
PROMO: dict[str, object] = {
    "grant": "g2",
    "source": "promo",
    "expires_at": "2026-12-20T12:00:00.812Z",
}
OF_PLAN: dict[str, object] = {**PROMO, "source": "plan"}
OF_PACK = {"grant": "g2", "source": "pack"}
PERIOD = {"plan": "pro", "period_end": "2026-11-30T23:00:00.000Z"}
SALE = {"purchase": "pur_0", "pack": "starter"}
SMS: dict[str, object] = {"operation": "sms", "model": "m"}

EXPECTED: dict[str, list[Told]] = {
    "deduct": [(0, "charge.recorded", {**RAN_AT_A_COST, "charged": "1.5"})],
    "charge of nothing": [(0, "charge.recorded", {"charged": "0", "operation": "sms"})],
    "settle, late": [
        (
            0,
            "charge.recorded",
            {
                **RAN_AT_A_COST,
                "charged": "1.5",
                "hold_id": "job_1",
                "released": "3.5",
                "uncollected": "0.000001",
                "is_late": True,
            },
        )
    ],
    "settle, a part, over an end": [
        (
            0,
            "charge.recorded",
            {**RAN_AT_A_COST, "charged": "1", "hold_id": "job_1", "is_part": True},
        ),
        (1, "credits.expired", {"expired": "2", "hold_id": "job_1"}),
    ],
    "void": [
        (
            0,
            "charge.returned",
            {
                **RAN,
                "returned": "1.5",
                "is_void": True,
                "charge": "msg_811",
                "reason": "failed",
                "debt_paid": "0.25",
            },
        )
    ],
    "refund": [
        (0, "charge.returned", {**RAN, "returned": "0.5", "is_void": False, "charge": "msg_811"})
    ],
    "charge of an unknown model": [
        (0, "charge.recorded", {**RAN_AT_A_COST, "charged": "5", "model": "gpt-9"}),
        (
            99,
            "charge.quarantined",
            {
                "charged": "5",
                "operation": "ai_tokens",
                "pending": "unknown_model",
                "model": "gpt-9",
                "stands_for": "gpt-4",
            },
        ),
    ],
    "void of a charge of an unknown model": [
        (
            0,
            "charge.returned",
            {**RAN, "returned": "5", "is_void": True, "charge": "msg_811", "model": "gpt-9"},
        )
    ],
    "rerate down": [
        (
            0,
            "charge.rerated",
            {
                **RAN,
                "charge": "msg_811",
                "price": "1.5",
                "before": "5",
                "price_version": "9bf358f6176cd8ca",
                "returned": "3.5",
                "cost_usd": "0.00123",
                "reason": "gpt-9 has a price",
                "debt_paid": "0.25",
            },
        )
    ],
    "rerate up": [
        (
            0,
            "charge.rerated",
            {
                **RAN,
                "charge": "msg_811",
                "price": "9",
                "before": "5",
                "price_version": "9bf358f6176cd8ca",
                "taken": "3",
                "uncollected": "1",
                "cost_usd": "0.00123",
            },
        )
    ],
    "failed run": [(0, "run.failed", RAN_IN_FULL)],
    "grant": [
        (0, "credits.granted", {**PROMO, "credits": "100", "debt_paid": "5", "reason": "welcome"})
    ],
    "grant with a later start": [
        (0, "credits.granted", {**PROMO, "credits": "100", "starts_at": "2026-11-21T12:00:00.812Z"})
    ],
    "start": [(0, "credits.started", {**PROMO, "credits": "100", "debt_paid": "0.000001"})],
    "purchase": [
        (
            0,
            "purchase.completed",
            {
                **OF_PACK,
                **SALE,
                "credits": "100",
                "debt_paid": "0.000001",
                "price": "10.00",
                "currency": "usd",
            },
        )
    ],
    "purchase of a pack that ends": [
        (
            0,
            "purchase.completed",
            {
                **OF_PACK,
                **SALE,
                "credits": "100",
                "expires_at": "2027-11-20T12:00:00.812Z",
                "price": "1500",
                "currency": "jpy",
            },
        )
    ],
    "reset": [
        (0, "period.started", {**PERIOD, "allocation": "15", "rolled_over": "2.5"}),
        (1, "credits.granted", {**OF_PLAN, "credits": "15", "plan": "pro"}),
    ],
    "reset with a debt": [
        (0, "period.started", {**PERIOD, "allocation": "15"}),
        (1, "credits.granted", {**OF_PLAN, "credits": "15", "plan": "pro", "debt_paid": "4"}),
    ],
    "reset that only rolls over": [
        (0, "period.started", {**PERIOD, "allocation": "0", "rolled_over": "0.000001"})
    ],
    "reset of a plan that gives nothing": [(0, "period.started", {**PERIOD, "allocation": "0"})],
    "adjustment up": [
        (
            0,
            "credits.granted",
            {"credits": "2", "grant": "g2", "source": "adjustment", "reason": "goodwill"},
        )
    ],
    "adjustment down": [(0, "credits.removed", {"removed": "2", "reason": "typo"})],
    "expiry": [(0, "credits.expired", {"expired": "7", "grant": "g2", "source": "promo"})],
    "expiry of an empty grant": [],
    "hold": [],
    "hold extended": [],
    "release": [],
    "release into an end": [(1, "credits.expired", {"expired": "1", "hold_id": "job_1"})],
    "hold expired": [(0, "hold.expired", {"hold_id": "job_1", "held": "5"})],
    "plan now": [(0, "plan.changed", {"from": "free", "to": "pro", "reason": "up"})],
    "plan at the period's end": [
        (0, "plan.change_scheduled", {"from": "pro", "to": "free", "reason": "down"})
    ],
    "plan at the opening": [],
    "plan by its first invoice": [
        (0, "plan.changed", {"from": "free", "to": "pro", "reason": "paid"})
    ],
    "plan by a renewal": [],
    "plan by an upgrade": [(0, "plan.changed", {"from": "pro", "to": "team", "reason": "paid"})],
    "plan by the subscription's end": [
        (0, "plan.changed", {"from": "pro", "to": "free", "reason": "paid"})
    ],
    "reset of a paid plan": [
        (
            0,
            "period.started",
            {**PERIOD, "period_end": "2026-11-27T23:00:00.000Z", "allocation": "0"},
        )
    ],
    "budget funded": [
        (
            0,
            "budget.funded",
            {"budget": "run_9", "reason": "agent", "transferred": "50", "budget_available": "52"},
        )
    ],
    "budget's own rows": [],
    "budget emptied": [],
    "budget closed": [
        (
            0,
            "budget.closed",
            {"budget": "run_9", "reason": "done", "returned": "20", "debt_paid": "1"},
        ),
        (1, "credits.expired", {"expired": "3"}),
    ],
    "profile": [],
    "limits": [],
    "freeze": [(0, "account.frozen", {"reason": "fraud"})],
    "unfreeze": [(0, "account.unfrozen", {"reason": "fine"})],
    "close": [(0, "account.closed", {"reason": "left"})],
    "alerts": [
        (0, "charge.recorded", {**SMS, "charged": "1"}),
        (2, "credits.low", SMS),
        (3, "limit.reached", {**SMS, "window": "day", "percent": 80}),
        (4, "limit.reached", {**SMS, "window": "day", "percent": 100}),
        (5, "limit.reached", {**SMS, "window": "month", "percent": 50}),
        (6, "limit.recovered", {**SMS, "window": "period"}),
    ],
    "recovery by a void": [
        (
            0,
            "charge.returned",
            {**RAN, "returned": "1", "is_void": True, "charge": "msg_811"},
        ),
        (2, "credits.recovered", RAN),
        (3, "limit.recovered", {**RAN, "window": "day"}),
    ],
    "clawback": [
        (
            0,
            "credits.clawed_back",
            {"purchase": "pur_0", "taken": "100", "debt": "3", "reason": "refund"},
        )
    ],
    "clawback that asks nobody for what was spent": [
        (0, "credits.clawed_back", {"purchase": "pur_0", "taken": "40", "uncollected": "60"}),
        (2, "credits.low", {}),
        (3, "credits.top_up_due", {}),
    ],
    "reinstate": [
        (
            0,
            "credits.reinstated",
            {
                **OF_PACK,
                "purchase": "pur_0",
                "credits": "100",
                "expires_at": "2027-11-20T12:00:00.812Z",
                "debt_paid": "3",
                "reason": "dispute won",
            },
        )
    ],
    "top-up": [
        (0, "charge.recorded", {**SMS, "charged": "1"}),
        (2, "credits.top_up_due", SMS),
    ],
    "alert of a hold": [(2, "credits.low", RAN)],
    "top-up set": [],
    "top-up that its customer must confirm": [
        (
            0,
            "top_up.action_needed",
            {
                "purchase": "pur_0",
                "url": "https://checkout.stripe.test/c/pay/cs_1",
                "pack": "pro",
                "price": "50.00",
                "currency": "usd",
            },
        )
    ],
    "top-up turned off": [
        (
            0,
            "top_up.turned_off",
            {"why": "failures", "purchase": "pur_0", "failure": "card_declined"},
        )
    ],
    "top-up turned off without a failure": [
        (0, "top_up.turned_off", {"why": "quarantined", "purchase": "pur_1"})
    ],
}
