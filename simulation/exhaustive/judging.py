"""What must hold after a history: all that must hold after a storm, and one thing more.

Two requests end as if one had come after the other: every answer and the whole end state.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from simulation.deployment import TABLE
from simulation.exhaustive.history import History, Move
from simulation.exhaustive.pairs import pairs
from simulation.exhaustive.tables import Pair
from simulation.settled import judge_rest, key_of_purchase
from simulation.verdicts import judge_asked, judge_purchases
from simulation.verdicts_again import judge_again
from simulation.verdicts_price import judge_waiting
from simulation.watch import Violation


def judge(pair: Pair, history: History) -> list[Violation]:
    """Everything that is wrong with the history."""
    found = list(_judge(history))
    if pair.is_timed:
        return found
    serial = serial_ends(pair.name)
    end = end_of(history)
    if end not in serial:
        found.append(Violation("serial", pair.name, f"ends as no order does: {end}, not {serial}"))
    return found


def _judge(history: History) -> Iterator[Violation]:
    stage = history.stage
    yield from history.violations
    yield from stage.watch.violations
    yield from judge_asked(stage.asked, stage.watch)
    yield from judge_again(stage.asked, stage.watch)

    def find(account: str, purchase: str) -> Any:
        key = key_of_purchase(account, purchase)
        return stage.store.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]

    yield from judge_purchases(history.meeting.bought, find, stage.watch)
    yield from judge_waiting(stage.store, stage.watch)
    yield from judge_rest(stage.store, stage.deployment.invocations)


End = tuple[Any, ...]


def end_of(history: History) -> End:
    """What the requests were answered for good, and what is there in the end, without times."""
    stage = history.stage
    answers = tuple(each.attempt and each.attempt.status for each in history.clients)
    accounts = tuple(_shape(name, history) for name in sorted(stage.watch.accounts))
    purchases = tuple(
        (item["sk"]["S"], item["status"]["S"])
        for item in stage.store.items()
        if item["sk"]["S"].startswith("P#")
    )
    return answers, accounts, tuple(sorted(purchases))


def _shape(name: str, history: History) -> End:
    account = history.stage.watch.accounts[name].account
    grants = sorted(
        (g.kind, g.amount_microcredits, g.remaining_microcredits) for g in account.grants
    )
    rows = history.stage.watch.rows[name]
    entries = sorted(
        (
            key if key.startswith(("c#", "h#")) else written.entry.kind,
            written.entry.delta_microcredits,
            written.entry.alerts,
        )
        for key, written in rows.items()
    )
    holds = tuple((hold.id, hold.amount_microcredits, hold.parts) for hold in account.holds)
    return (
        account.status,
        account.plan.id,
        account.plan.period_end_at,
        account.debt_microcredits,
        tuple(grants),
        tuple(sorted(account.features.items())),
        tuple(sorted((name, used) for name, used in account.volumes.items() if used)),
        account.lifetime,
        account.windows,
        account.rung,
        account.limits,
        holds,
        tuple(entries),
    )


@lru_cache(maxsize=100)
def serial_ends(name: str) -> tuple[End, ...]:
    """How the pair ends where one comes wholly after the other: two ends, or one."""
    pair = pairs()[name]
    ends: list[End] = []
    for first in (0, 1):

        def choose(moves: list[Move], first: int = first) -> int:
            mine = [n for n, move in enumerate(moves) if move.who == first]
            return mine[0] if mine else 0

        history = History(pair)
        history.run(choose)
        found = list(_judge(history))
        assert not found, f"{name} without a fault: {found[0]}"
        ends.append(end_of(history))
    return tuple(dict.fromkeys(ends))
