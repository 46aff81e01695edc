"""Structured log lines, one logger for all functions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from tollkeeper.domain.entries import show_key
from tollkeeper.domain.money import show_micro
from tollkeeper.service.commit import Outcome


@lru_cache(maxsize=1)
def logger() -> Logger:
    """The logger; its service and level come from the environment."""
    return Logger(utc=True, serialize_stacktrace=False)


def log_fact(message: str, **facts: Any) -> None:
    """One line that says what happened to which account."""
    logger().info(message, extra=facts)


def log_refusal(code: str, status: int, **facts: Any) -> None:
    """One line for a request that was refused, with its reason; ours are warnings."""
    level = logger().warning if status >= 500 else logger().info
    level("refused", extra={"code": code, "status": status, **facts})


def log_alarm(message: str, **facts: Any) -> None:
    """One line at level error, with no exception: something that a person must look at."""
    logger().error(message, extra=facts)


def log_failure(message: str, **facts: Any) -> None:
    """One line with the traceback of what we did not expect."""
    logger().exception(message, extra=facts)


def log_outcome(message: str, outcome: Outcome) -> None:
    """One line for a command that is in the ledger: which row, and what is available after it."""
    entry = outcome.entry
    if entry is None:
        return
    log_fact(
        message,
        account=entry.account,
        key=show_key(entry.key),
        seq=entry.seq,
        moved=show_micro(entry.moved_microcredits),
        available=show_micro(entry.available_after_microcredits),
        operation=entry.run.operation if entry.run else None,
        was_replayed=outcome.was_replayed,
    )
