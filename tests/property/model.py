"""A second account, written from the rules and not from the code: slow, plain, easy to read.

It keeps no state between questions. It is given everything that ever happened, in order, and
works out from the start what the account must be now; so a touch, a sweep or a slice, which are
no happenings, cannot matter to it. Moments are epoch milliseconds, amounts micro-credits, days
ordinals. It imports nothing of Tollkeeper.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .days import local_day
from .model_asks import HAPPEN
from .model_state import Bucket, Happening, Held, Plan, Row, Run, State
from .model_time import begin_period, due, first_anchor, pass_time

__all__ = [
    "Bucket",
    "Happening",
    "Held",
    "Plan",
    "Row",
    "Run",
    "State",
    "due",
    "from_moment",
    "replay",
]


def replay(
    plans: dict[str, Plan], opened: Happening, happenings: list[Happening], now: int
) -> State:
    """The account as it must be now, from nothing but what happened."""
    zone, plan = opened.facts["zone"], opened.facts["plan"]
    state = State(plans, plan, zone, opened.at, local_day(opened.at, zone))
    state.low_balance = opened.facts.get("low_balance", state.low_balance)
    begin_period(state, plan, first_anchor(state, plan, opened.at))
    for happening in happenings:
        pass_time(state, happening.at)
        state.asking = happening.key
        HAPPEN[happening.name](state, **happening.facts)
    pass_time(state, now)
    return state


def from_moment(moment: datetime) -> int:
    """The moment as the model counts it."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
