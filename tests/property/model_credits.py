"""How credits come into the model's account, how they go, and how held ones come back."""

from __future__ import annotations

from .model_state import MOST_GRANTS, PRIORITY, Bucket, Held, Run, State


def bring_in(
    state: State,
    kind: str,
    amount: int,
    *,
    priority: int | None = None,
    effective: int | None = None,
    expires: int | None = None,
) -> Bucket:
    """The credits are in a grant: one of their own, or one that they joined."""
    starts = max(effective or 0, state.now)
    bucket = Bucket(
        id=state.next_id(),
        kind=kind,
        priority=PRIORITY[kind] if priority is None else priority,
        effective=starts,
        expires=expires,
        amount=amount,
        remaining=amount,
        started=starts <= state.now,
    )
    state.buckets.append(bucket)
    if bucket.started:
        pay_debt(state, bucket)
    return make_room(state, bucket)


def pay_debt(state: State, bucket: Bucket) -> None:
    """The grant counts from now on, and what is owed is taken from it."""
    if bucket.kind == "transfer":
        state.received += bucket.remaining
    else:
        state.granted += bucket.remaining
    state.purchased += bucket.remaining if bucket.kind == "pack" else 0
    bucket.remaining -= state.pay(bucket.remaining)


def make_room(state: State, bucket: Bucket) -> Bucket:
    """The grant; or, where there are too many, an equal one that it joined."""
    others = [b for b in state.kept_buckets() if b is not bucket]
    twins = [b for b in others if b.joins() == bucket.joins() and not b.ended]
    if len(others) < MOST_GRANTS or not twins or not bucket.remaining:
        return bucket
    twin = min(twins, key=Bucket.order)
    twin.amount += bucket.amount
    twin.remaining += bucket.remaining
    bucket.remaining, bucket.ended = 0, True
    return twin


def draw(state: State, amount: int) -> tuple[list[tuple[int, int]], int]:
    """What was taken from which grants, in their order, and how much was not there."""
    numbered = [(n, b) for n, b in enumerate(state.buckets) if b.started and b.remaining]
    numbered.sort(key=lambda each: each[1].order())
    draws: list[tuple[int, int]] = []
    for number, bucket in numbered:
        part = min(bucket.remaining, amount)
        if part:
            bucket.remaining -= part
            amount -= part
            draws.append((number, part))
    return draws, amount


def unspend(state: State, run: Run, amount: int) -> tuple[list[tuple[int, int]], Bucket | None]:
    """So much of the run is back: it pays what is owed, then goes where it came from.

    Returns: what grants got back, and the grant made for what has none to go to.
    """
    left, held = amount - state.pay(amount), None
    returned: list[tuple[int, int]] = []
    for number, drawn in reversed(run.draws):
        bucket = state.buckets[number]
        part = min(left, drawn)
        if part and not bucket.ended:
            bucket.remaining += part
            left -= part
            returned.append((number, part))
    if left:
        held = bring_in(state, "adjustment", left)
        state.granted -= left
    return returned, held


def put_back(state: State, held: Held) -> tuple[list[tuple[int, int]], Bucket | None, int]:
    """What is left of the hold is free: where it went, a grant made for it, and what expired.

    What was on credit is so no more; the rest pays what is owed and then goes to the grants it
    came from, the last one first, and is lost with those that ended. What came on credit that
    was paid since is an adjustment.
    """
    unused = min(state.overdrawn, held.credit)
    state.overdrawn -= unused
    left, gone, into = held.rest - unused, 0, None
    left -= state.pay(left)
    returned: list[tuple[int, int]] = []
    for number, drawn in reversed(held.draws):
        part = min(left, drawn)
        bucket = state.buckets[number]
        gone += part if bucket.ended else 0
        bucket.remaining += 0 if bucket.ended else part
        left -= part
        if part and not bucket.ended:
            returned.append((number, part))
    held.rest, held.draws, held.credit = 0, [], 0
    state.expired += gone
    if left:
        into = bring_in(state, "adjustment", left)
        state.granted -= left
    return returned, into, gone
