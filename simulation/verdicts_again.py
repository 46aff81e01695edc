"""What must hold for whoever asks again, and for what was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simulation.asking import Asked, Attempt
from simulation.watch import Violation, Watch, Written
from tollkeeper.domain.account import Status
from tollkeeper.domain.entries import EntryKey, read_key

CHECKOUT = "POST /v1/checkout"
STANDING = {"account_frozen": Status.FROZEN, "account_closed": Status.CLOSED}


def judge_again(asked: list[Asked], watch: Watch) -> Iterator[Violation]:
    """Every request against what was written before it was sent: I4, I5 and I7."""
    for each in asked:
        if each.route_key == CHECKOUT:
            yield from _judge_checkout(each)
            continue
        written = watch.rows.get(each.account, {}).get(EntryKey(each.row_key))
        if written is not None and each.row_key:
            yield from _judge_applied(each, written)
        yield from _judge_missing(each, watch)
        yield from _judge_standing(each, watch)


def _judge_applied(each: Asked, written: Written) -> Iterator[Violation]:
    """Once its row is there, the request that wrote it is never refused: I4."""
    if all(attempt.invocation is not written.by for attempt in each.attempts):
        return
    for attempt in each.attempts:
        if attempt.sent_us > written.at_us and 400 <= attempt.status < 500:
            where = f"{each.account} {each.row_key}"
            yield Violation("I4", where, f"applied, then refused: {attempt.status} {attempt.body}")


def _judge_checkout(each: Asked) -> Iterator[Violation]:
    """One key is one purchase with one page, however often it is asked for: I4 and I7."""
    told = {json.dumps(a.body | {"request_id": ""}, sort_keys=True) for a in each.successes()}
    if len(told) > 1:
        yield Violation("I4", f"{each.account} {each.key}", f"one checkout, two answers: {told}")


def _judge_missing(each: Asked, watch: Watch) -> Iterator[Violation]:
    """A row that was there when somebody asked for it is found: I5."""
    body: dict[str, Any] = each.body or {}
    key = str(each.path.get("key") or body.get("key", ""))
    written = watch.rows.get(each.account, {}).get(read_key(key)) if key else None
    if written is None:
        return
    for attempt in each.attempts:
        if attempt.status == 404 and attempt.sent_us > written.at_us:
            yield Violation("I5", f"{each.account} {each.key}", f"{key} is there: {attempt.body}")


def _judge_standing(each: Asked, watch: Watch) -> Iterator[Violation]:
    """Who is told that an account is frozen or closed asked while it was."""
    for attempt in each.attempts:
        status = STANDING.get(attempt.body.get("code")) if attempt.status == 403 else None
        named = (each.account, each.partner)
        if status is not None and not any(_has_been(n, status, attempt, watch) for n in named):
            yield Violation("standing", f"{each.account} {each.key}", f"was not {status} then")


def _has_been(account: str, status: Status, attempt: Attempt, watch: Watch) -> bool:
    versions = watch.accounts[account].versions if account in watch.accounts else []
    before = [kept for at_us, kept in versions if at_us < attempt.sent_us][-1:]
    during = [kept for at_us, kept in versions if attempt.sent_us <= at_us <= attempt.ended_us]
    return any(kept.status is status for kept in (*before, *during))
