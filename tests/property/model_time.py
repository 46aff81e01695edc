"""What time alone does to the model's account."""

from __future__ import annotations

from datetime import UTC, datetime

from .days import local_day, midnight, period_end
from .model_credits import bring_in, make_room, pay_debt
from .model_holds import expire_hold
from .model_state import Bucket, State


def pass_time(state: State, until: int) -> None:
    """Everything that is due until then has happened, in order."""
    while True:
        at, what, number = min(due(state))
        if at > until:
            break
        state.now = max(state.now, at)
        # At one moment holds expire before the day is over, and all else happens after it.
        _enter_day(state, at - 1 if what == 0 else at)
        if what == 0:
            expire_hold(state, state.open_holds()[number])
        elif what == 1:
            _move_zone(state)
        elif what == 2:
            _end_period(state)
        elif what == 3:
            expire(state, state.buckets[number])
        else:
            _start(state, state.buckets[number])
    state.now = max(state.now, until)
    _enter_day(state, state.now)
    assert not state.rows or state.rows[-1].after == state.available(), "the rows explain it"


def _enter_day(state: State, at: int) -> None:
    if state.waiting_zone is None:
        state.today = max(state.today, local_day(at, state.zone))


def due(state: State) -> list[tuple[int, int, int]]:
    """When, what, which. What comes first at one moment has the smaller number.

    0 a hold expires, 1 the zone changes, 2 a period ends, 3 a grant expires, 4 a grant starts.
    """
    found = [(state.end, 2, 0)]
    found += [(held.expires, 0, number) for number, held in enumerate(state.open_holds())]
    if state.waiting_zone is not None:
        found.append((state.waiting_zone_at, 1, 0))
    for number, bucket in enumerate(state.buckets):
        if bucket.ended:
            continue
        if not bucket.started:
            found.append((bucket.effective, 4, number))
        elif bucket.expires is not None:
            found.append((bucket.expires, 3, number))
    return found


def _move_zone(state: State) -> None:
    assert state.waiting_zone is not None
    last = local_day(state.end, state.zone)
    old_end = state.end
    state.zone, state.waiting_zone = state.waiting_zone, None
    state.today = local_day(state.now, state.zone)
    state.end = max(midnight(last, state.zone), state.now)
    state.generation += 1
    for bucket in state.buckets:
        if bucket.kind == "plan" and not bucket.ended and bucket.expires == old_end:
            bucket.expires = state.end


def expire(state: State, bucket: Bucket) -> None:
    """The grant has ended; a row says so where it still held something."""
    rest = bucket.remaining
    state.expired += rest
    bucket.remaining, bucket.ended = 0, True
    if rest:
        state.post("expire", -rest, key=f"t~expire:{bucket.id}", grant=bucket)


def _end_period(state: State) -> None:
    """The next period takes what rolls over; what is left expires with its grant, right after.

    Where all of it rolls over, a grant of which a hold has something lives for one more period.
    """
    rule = state.plans[state.plan]
    rolled: list[tuple[int, int]] = []
    lent = {number for held in state.open_holds() for number, _ in held.draws}
    waits = lent if rule.rollover == "all" else set[int]()
    for number, bucket in enumerate(state.buckets):
        if bucket.kind == "plan" and not bucket.ended:
            assert bucket.expires == state.now, "a plan's grant ends with its period"
            rest = bucket.remaining
            moved = {"none": 0, "all": rest, "capped": min(rest, rule.cap)}[rule.rollover]
            bucket.remaining -= moved
            if moved:
                rolled.append((number, moved))
    plan, anchor = state.plan, state.anchor
    if state.waiting_plan is not None:
        plan, anchor = state.waiting_plan, state.waiting_anchor
    if (plan, anchor) != (state.plan, state.anchor):
        state.generation += 1
    begin_period(state, plan, anchor, rolled)
    for number in waits:
        bucket = state.buckets[number]
        if bucket.kind == "plan" and not bucket.ended:
            bucket.expires = state.end


def begin_period(
    state: State, plan: str, anchor: int | None, rolled: list[tuple[int, int]] | None = None
) -> None:
    """A period of the plan begins now, with its allocation and what rolled over."""
    moved = sum(amount for _, amount in rolled or [])
    state.plan, state.anchor = plan, anchor
    state.waiting_plan = state.waiting_anchor = None
    state.start = state.now
    state.end = period_end(state.now, anchor, state.zone)
    state.periods.append(state.now)
    amount, debt, grant = state.plans[plan].allocation, state.debt, None
    if amount + moved:
        grant = bring_in(state, "plan", amount + moved, expires=state.end)
    state.granted -= moved
    key = f"t~reset:{state.generation}:{show_moment(state.now)}"
    state.post("reset", amount, key=key, debt=debt, draws=rolled, grant=grant)


def show_moment(at: int) -> str:
    """The moment as a row's key names it."""
    moment = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{at % 1000:03d}000Z"


def first_anchor(state: State, plan: str, at: int) -> int | None:
    """The day that periods count from where the plan begins then."""
    return local_day(at, state.zone) if state.plans[plan].from_opening else None


def _start(state: State, bucket: Bucket) -> None:
    debt, amount = state.debt, bucket.remaining
    bucket.started = True
    pay_debt(state, bucket)
    held = make_room(state, bucket)
    state.post("grant", amount, key=f"t~start:{bucket.id}", debt=debt, grant=held)
