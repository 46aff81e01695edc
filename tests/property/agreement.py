"""Where the account and the model's state must be the same."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.grants import Grant

from .model import Bucket, State, from_moment
from .world import PLANS, MemoryLedger


def check_agrees(account: Account, state: State) -> None:
    """Balances, grants, period, counters and windows are what the model works out."""
    assert account.available_microcredits == state.available()
    assert [grant_row(g) for g in sorted(account.grants, key=age)] == [
        bucket_row(b) for b in state.open_buckets()
    ]
    assert account.debt_microcredits == state.debt
    assert account.top_up_below_microcredits == state.top_up_below
    assert account.clawback_debt_microcredits == state.owed
    assert (account.plan.id, account.zone) == (state.plan, state.zone)
    assert from_moment(account.plan.period_start_at) == state.start
    assert from_moment(account.plan.period_end_at) == state.end
    assert account.today.toordinal() == state.today
    limits = PLANS[state.plan].limits
    assert {f: account.features.get(f, 0) for f in limits} == {f: state.used(f) for f in limits}
    windows = account.windows
    assert (windows.day, windows.month, windows.period) == state.windows()
    life = account.lifetime
    assert (life.granted, life.transferred_in) == (state.granted, state.received)
    assert life.spent == state.spent()
    volumes = {f: used for f, used in account.volumes.items() if used}
    features = {run.measured for run in state.runs}
    known = {f: int(state.volume(f) * 10**6) for f in features if state.volume(f)}
    assert volumes == known, "volumes"
    assert (life.expired, life.adjusted_down) == (state.expired, state.taken_down)
    assert (life.clawed_back, life.purchased) == (state.clawed, state.purchased)
    assert life.uncollected == sum(row.uncollected for row in state.rows)


def check_rows(ledger: MemoryLedger, state: State) -> None:
    """Each row says what the model says of it. The model knows nothing of the first touch's row.

    Why: a change of plan takes a moment of its own, in which the model may know of rows that the
    next touch will write.
    """
    rows = sorted(ledger.entries.values(), key=lambda entry: entry.seq)
    del rows[1]
    assert [
        (
            entry.kind.value,
            entry.delta_microcredits,
            entry.debt_change_microcredits,
            entry.clawback_debt_change_microcredits,
            entry.uncollected_microcredits,
            entry.alerts,
        )
        for entry in rows
    ] == [
        (row.kind, row.delta, row.debt_change, row.owed_change, row.uncollected, row.alerts)
        for row in state.rows[: len(rows)]
    ]


def age(grant: Grant) -> int:
    """Grants in the order in which they came."""
    return int(grant.id[1:])


def grant_row(grant: Grant) -> tuple[Any, ...]:
    """A grant as both sides can say it."""
    return (
        grant.kind.value,
        grant.priority,
        grant.remaining_microcredits,
        from_moment(grant.effective_at),
        None if grant.expires_at is None else from_moment(grant.expires_at),
        grant.has_started,
    )


def bucket_row(bucket: Bucket) -> tuple[Any, ...]:
    """The model's grant likewise."""
    return (
        bucket.kind,
        bucket.priority,
        bucket.remaining,
        bucket.effective,
        bucket.expires,
        bucket.started,
    )
