"""What subscriptions paid for, as rows of the account item."""

from __future__ import annotations

import json
from typing import Any

from tollkeeper.domain.account import PlanState
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed, SubscribedAll
from tollkeeper.store.rows import Item, dump, from_ms, number, string, to_ms


def put_paid(item: Item, plan: PlanState) -> None:
    """What the subscription that drives the plan paid last, and what more is known, if anything.

    Why: most know no more than the first, which earlier versions wrote and read, too.
    """
    if plan.line_at is not None:
        item["la"] = string(dump([to_ms(moment) for moment in plan.line_at]))
    if plan.paid_until_at is not None:
        item["pu"] = number(to_ms(plan.paid_until_at))
    if plan.allocated_microcredits:
        item["ap"] = number(plan.allocated_microcredits)
    if plan.paid != _read_driver(item):
        item["pd"] = string(dump([_to_row(each) for each in plan.paid]))


def read_paid(item: Item) -> SubscribedAll:
    """What subscriptions paid for; of an item from before, what the one that drives did."""
    if "pd" in item:
        return tuple(_from_row(row) for row in json.loads(item["pd"]["S"]))
    return _read_driver(item)


def _read_driver(item: Item) -> SubscribedAll:
    if not {"sb", "la", "pu"} <= item.keys():
        return ()
    begins, made = (from_ms(moment) for moment in json.loads(item["la"]["S"]))
    plan = item["pl"]["S"]
    allocated = int(item["ap"]["N"]) if "ap" in item else 0
    period = PaidPeriod(begins, from_ms(int(item["pu"]["N"])), ((plan, allocated),))
    return (Subscribed(item["sb"]["S"], plan, (begins, made), (period,)),)


def _to_row(each: Subscribed) -> list[Any]:
    """Shape: [id, plan, begins ms, made ms, carried, [grant...], [period...]]."""
    begins, made = each.line_at
    periods = [_period_to_row(period) for period in each.periods]
    grants = list(each.grants)
    place = [to_ms(begins), to_ms(made)]
    return [each.id, each.plan, *place, each.carried_microcredits, grants, periods]


def _period_to_row(period: PaidPeriod) -> list[Any]:
    """Shape: [begin ms, end ms, spent, plan, allocation, plan, allocation...]."""
    plans = [part for plan in period.plans for part in plan]
    return [to_ms(period.begin_at), to_ms(period.end_at), period.spent_microcredits, *plans]


def _from_row(row: list[Any]) -> Subscribed:
    return Subscribed(
        id=row[0],
        plan=row[1],
        line_at=(from_ms(row[2]), from_ms(row[3])),
        carried_microcredits=row[4],
        grants=tuple(row[5]),
        periods=tuple(
            PaidPeriod(
                from_ms(period[0]),
                from_ms(period[1]),
                tuple(zip(period[3::2], period[4::2], strict=True)),
                period[2],
            )
            for period in row[6]
        ),
    )
