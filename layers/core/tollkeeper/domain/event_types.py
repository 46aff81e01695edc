"""The types of events, as rules on the bus match them."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """What happened, as EventBridge rules match it (`detail-type`)."""

    CHARGE_RECORDED = "charge.recorded"
    CHARGE_RETURNED = "charge.returned"
    CHARGE_QUARANTINED = "charge.quarantined"
    CHARGE_RERATED = "charge.rerated"
    RUN_FAILED = "run.failed"
    HOLD_EXPIRED = "hold.expired"
    CREDITS_GRANTED = "credits.granted"
    CREDITS_STARTED = "credits.started"
    CREDITS_REMOVED = "credits.removed"
    CREDITS_EXPIRED = "credits.expired"
    CREDITS_CLAWED_BACK = "credits.clawed_back"
    CREDITS_REINSTATED = "credits.reinstated"
    CREDITS_TOP_UP_DUE = "credits.top_up_due"
    CREDITS_LOW = "credits.low"
    CREDITS_RECOVERED = "credits.recovered"
    LIMIT_REACHED = "limit.reached"
    LIMIT_RECOVERED = "limit.recovered"
    PURCHASE_COMPLETED = "purchase.completed"
    PERIOD_STARTED = "period.started"
    PLAN_CHANGED = "plan.changed"
    PLAN_CHANGE_SCHEDULED = "plan.change_scheduled"
    BUDGET_FUNDED = "budget.funded"
    BUDGET_CLOSED = "budget.closed"
    TOP_UP_ACTION_NEEDED = "top_up.action_needed"
    TOP_UP_TURNED_OFF = "top_up.turned_off"
    ACCOUNT_FROZEN = "account.frozen"
    ACCOUNT_UNFROZEN = "account.unfrozen"
    ACCOUNT_CLOSED = "account.closed"
    SPEND_REFUSED = "spend.refused"
