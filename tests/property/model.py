"""A second account, written from the rules and not from the code: slow, plain, easy to read.

It keeps no state between questions. It is given everything that ever happened, in order, and
works out from the start what the account must be now; so a touch, a sweep or a slice, which are
no happenings, cannot matter to it. Moments are epoch milliseconds, amounts micro-credits, days
ordinals. It imports nothing of Tollkeeper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .days import local_day, midnight, period_end

PRIORITY = {"promo": 10, "plan": 20, "adjustment": 30, "transfer": 40, "pack": 50}
NEVER = 10**18


@dataclass(frozen=True)
class Plan:
    """What the model knows of a plan."""

    allocation: int
    from_opening: bool = False
    rollover: str = "none"
    cap: int = 0
    overdraft: int = 0
    limits: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Happening:
    """Something that was asked for and not refused."""

    at: int
    name: str
    facts: dict[str, Any]


@dataclass
class Bucket:
    """A grant. It is never removed, only ended."""

    kind: str
    priority: int
    effective: int
    expires: int | None
    remaining: int
    started: bool = True
    ended: bool = False


@dataclass
class Run:
    """A charge, or a run that failed."""

    operation: str
    credits: int
    day: int
    period: int
    feature: str | None
    count: int
    draws: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    failed: bool = False
    back: int = 0
    voided: bool = False


@dataclass
class State:
    """What the model worked out."""

    plans: dict[str, Plan]
    plan: str
    zone: str
    now: int
    today: int
    anchor: int | None = None
    start: int = 0
    end: int = 0
    waiting_plan: str | None = None
    waiting_anchor: int | None = None
    waiting_zone: str | None = None
    waiting_zone_at: int = 0
    status: str = "active"
    debt: int = 0
    buckets: list[Bucket] = field(default_factory=list[Bucket])
    runs: list[Run] = field(default_factory=list[Run])
    backs: list[tuple[int, int, str, int]] = field(default_factory=list[tuple[int, int, str, int]])
    periods: list[int] = field(default_factory=list[int])
    granted: int = 0
    expired: int = 0
    taken_down: int = 0

    # What can be asked.

    def open_buckets(self) -> list[Bucket]:
        """Those that hold something, oldest first."""
        return [b for b in self.buckets if b.remaining and not b.ended]

    def available(self) -> int:
        """Started grants less debt."""
        return sum(b.remaining for b in self.open_buckets() if b.started) - self.debt

    def used(self, feature: str) -> int:
        """How often the feature was used in this period, voids not counted."""
        now = len(self.periods)
        return sum(r.count for r in self.runs if (r.feature, r.period) == (feature, now))

    def can_pay(self, cost: int, feature: str, count: int) -> bool:
        """The judgement of a charge."""
        plan = self.plans[self.plan]
        limit = plan.limits.get(feature)
        if self.status != "active":
            return False
        if limit is not None and self.used(feature) + count > limit:
            return False
        return cost <= max(0, self.available() + plan.overdraft)

    def windows(self) -> tuple[int, int, int]:
        """Spent less given back, of the runs of this day, this month and this period."""
        month = date.fromordinal(self.today).replace(day=1).toordinal()
        runs = self.runs
        return (
            sum(r.credits - r.back for r in runs if r.day == self.today),
            sum(r.credits - r.back for r in runs if r.day >= month),
            sum(r.credits - r.back for r in runs if r.period == len(self.periods)),
        )

    def stats(self) -> dict[tuple[int, str], list[int]]:
        """By day and operation: calls, failed, credits, refunded."""
        rows: dict[tuple[int, str], list[int]] = {}
        for run in self.runs:
            row = rows.setdefault((run.day, run.operation), [0, 0, 0, 0])
            row[1 if run.failed else 0] += 1
            row[2] += run.credits
        for day, index, kind, amount in self.backs:
            row = rows.setdefault((day, self.runs[index].operation), [0, 0, 0, 0])
            row[0] -= 1 if kind == "void" else 0
            row[2] -= amount
            row[3] += amount if kind == "refund" else 0
        return {place: row for place, row in rows.items() if any(row)}


def replay(
    plans: dict[str, Plan], opened: Happening, happenings: list[Happening], now: int
) -> State:
    """The account as it must be now, from nothing but what happened."""
    zone, plan = opened.facts["zone"], opened.facts["plan"]
    state = State(plans, plan, zone, opened.at, local_day(opened.at, zone))
    _begin_period(state, plan, _first_anchor(state, plan, opened.at), 0)
    for happening in happenings:
        _pass_time(state, happening.at)
        HAPPEN[happening.name](state, **happening.facts)
    _pass_time(state, now)
    return state


# Time.


def _pass_time(state: State, until: int) -> None:
    while True:
        at, what, number = min(_due(state))
        if at > until:
            break
        state.now = max(state.now, at)
        if what == 1:
            _move_zone(state)
        elif what == 2:
            _end_period(state)
        elif what == 3:
            _expire(state, state.buckets[number])
        else:
            bucket = state.buckets[number]
            bucket.started = True
            _pay_debt(state, bucket)
    state.now = max(state.now, until)
    if state.waiting_zone is None:
        state.today = max(state.today, local_day(state.now, state.zone))


def _due(state: State) -> list[tuple[int, int, int]]:
    """When, what (1 zone, 2 period, 3 expiry, 4 start: their order at one moment), which."""
    due = [(state.end, 2, 0)]
    if state.waiting_zone is not None:
        due.append((state.waiting_zone_at, 1, 0))
    for number, bucket in enumerate(state.buckets):
        if bucket.ended:
            continue
        if not bucket.started:
            due.append((bucket.effective, 4, number))
        elif bucket.expires is not None:
            due.append((bucket.expires, 3, number))
    return due


def _move_zone(state: State) -> None:
    assert state.waiting_zone is not None
    last = local_day(state.end, state.zone)
    old_end = state.end
    state.zone, state.waiting_zone = state.waiting_zone, None
    state.today = local_day(state.now, state.zone)
    state.end = max(midnight(last, state.zone), state.now)
    for bucket in state.buckets:
        if bucket.kind == "plan" and not bucket.ended and bucket.expires == old_end:
            bucket.expires = state.end


def _expire(state: State, bucket: Bucket) -> None:
    state.expired += bucket.remaining
    bucket.remaining, bucket.ended = 0, True


def _end_period(state: State) -> None:
    rule = state.plans[state.plan]
    moved = 0
    for bucket in state.buckets:
        if bucket.kind == "plan" and not bucket.ended:
            rest = bucket.remaining
            moved = {"none": 0, "all": rest, "capped": min(rest, rule.cap)}[rule.rollover]
            bucket.remaining -= moved
            _expire(state, bucket)
    plan, anchor = state.plan, state.anchor
    if state.waiting_plan is not None:
        plan, anchor = state.waiting_plan, state.waiting_anchor
    _begin_period(state, plan, anchor, moved)


def _begin_period(state: State, plan: str, anchor: int | None, moved: int) -> None:
    state.plan, state.anchor = plan, anchor
    state.waiting_plan = state.waiting_anchor = None
    state.start = state.now
    state.end = period_end(state.now, anchor, state.zone)
    state.periods.append(state.now)
    amount = state.plans[plan].allocation
    if amount + moved:
        _bring_in(state, "plan", amount + moved, expires=state.end)
    state.granted -= moved


def _first_anchor(state: State, plan: str, at: int) -> int | None:
    return local_day(at, state.zone) if state.plans[plan].from_opening else None


# Credits in.


def _bring_in(
    state: State,
    kind: str,
    amount: int,
    *,
    priority: int | None = None,
    effective: int | None = None,
    expires: int | None = None,
) -> None:
    starts = max(effective or 0, state.now)
    rank = PRIORITY[kind] if priority is None else priority
    bucket = Bucket(kind, rank, starts, expires, amount, started=starts <= state.now)
    state.buckets.append(bucket)
    if bucket.started:
        _pay_debt(state, bucket)


def _pay_debt(state: State, bucket: Bucket) -> None:
    state.granted += bucket.remaining
    paid = min(bucket.remaining, state.debt)
    bucket.remaining -= paid
    state.debt -= paid


# What callers and operators ask for.


def _charge(
    state: State, operation: str, cost: int, *, feature: str, count: int, is_failed: bool = False
) -> None:
    run = Run(operation, 0, state.today, len(state.periods), None, 0, failed=is_failed)
    state.runs.append(run)
    if is_failed:
        return
    if feature in state.plans[state.plan].limits:
        run.feature, run.count = feature, count
    run.credits = left = cost
    run.draws, left = _draw(state, left)
    state.debt += left


def _draw(state: State, amount: int) -> tuple[list[tuple[int, int]], int]:
    numbered = [(n, b) for n, b in enumerate(state.buckets) if b.started and b.remaining]
    numbered.sort(key=lambda nb: (nb[1].priority, nb[1].expires or NEVER, nb[1].effective, nb[0]))
    draws: list[tuple[int, int]] = []
    for number, bucket in numbered:
        part = min(bucket.remaining, amount)
        if part:
            bucket.remaining -= part
            amount -= part
            draws.append((number, part))
    return draws, amount


def _give_back(state: State, index: int, kind: str, amount: int) -> None:
    run = state.runs[index]
    assert run.back == 0, "a charge is given back once"
    run.back = amount
    if kind == "void":
        run.count = 0
        run.voided = True
    state.backs.append((state.today, index, kind, amount))
    paid = min(state.debt, amount)
    state.debt -= paid
    left = amount - paid
    for number, drawn in reversed(run.draws):
        bucket = state.buckets[number]
        if not bucket.ended:
            part = min(left, drawn)
            bucket.remaining += part
            left -= part
    if left:
        _bring_in(state, "adjustment", left)
        state.granted -= left


def _adjust(state: State, delta: int) -> None:
    if delta > 0:
        _bring_in(state, "adjustment", delta)
    else:
        _, missing = _draw(state, -delta)
        assert missing == 0, "an adjustment takes only what is there"
        state.taken_down -= delta


def _change_plan(
    state: State, plan: str, anchor: int | None, *, at_end: bool, takes_ms: int = 0
) -> None:
    if not at_end:
        state.now += takes_ms
        for bucket in state.buckets:
            if bucket.kind == "plan" and not bucket.ended:
                _expire(state, bucket)
        first = _first_anchor(state, plan, state.now) if anchor is None else anchor
        _begin_period(state, plan, first, 0)
    elif plan == state.plan and anchor is None:
        state.waiting_plan = state.waiting_anchor = None
    else:
        first = _first_anchor(state, plan, state.end) if anchor is None else anchor
        state.waiting_plan, state.waiting_anchor = plan, first


def _change_zone(state: State, zone: str) -> None:
    if zone == state.zone:
        state.waiting_zone = None
        state.today = max(state.today, local_day(state.now, zone))
        return
    day = local_day(state.now, zone)
    while day <= state.today or midnight(day, zone) <= state.now:
        day += 1
    state.waiting_zone, state.waiting_zone_at = zone, midnight(day, zone)


def _set_status(state: State, status: str) -> None:
    state.status = status


HAPPEN: dict[str, Any] = {
    "grant": _bring_in,
    "charge": _charge,
    "give_back": _give_back,
    "adjust": _adjust,
    "change_plan": _change_plan,
    "change_zone": _change_zone,
    "set_status": _set_status,
}


def from_moment(moment: datetime) -> int:
    """The moment as the model counts it."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
