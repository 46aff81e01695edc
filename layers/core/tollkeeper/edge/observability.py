"""Structured log lines, one logger for all functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from tollkeeper.domain.entries import show_key
from tollkeeper.domain.money import show_micro
from tollkeeper.service.commit import Outcome

NAMESPACE = "Tollkeeper"


@lru_cache(maxsize=1)
def logger() -> Logger:
    """The logger; its service and level come from the environment."""
    return Logger(utc=True, serialize_stacktrace=False)


def log_fact(message: str, **facts: Any) -> None:
    """One line that says what happened to which account."""
    logger().info(message, extra=facts)


def log_refusal(
    code: str, status: int, *, counted_at: datetime | None = None, **facts: Any
) -> None:
    """One line for a request that was refused, with its reason; ours are warnings.

    It counts as one of the metric `refusals` by its code, where the moment is given.
    """
    level = logger().warning if status >= 500 else logger().info
    counts: dict[str, Any] = {}
    if counted_at is not None:
        counts = embed_metrics({"refusals": 1}, by={"code": code}, at=counted_at)
    level("refused", extra={"code": code, "status": status, **facts, **counts})


def log_alarm(message: str, **facts: Any) -> None:
    """One line at level error, with no exception: something that a person must look at."""
    logger().error(message, extra=facts)


def log_failure(message: str, **facts: Any) -> None:
    """One line with the traceback of what we did not expect."""
    logger().exception(message, extra=facts)


def embed_metrics(
    values: Mapping[str, float], *, by: Mapping[str, str], at: datetime
) -> dict[str, Any]:
    """The counts, by one thing, as members of a log line, which CloudWatch reads by itself.

    Source: the embedded metric format. Why: a log line needs no call, no permission and no
    library.
    """
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(by)],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    at_ms = int(at.timestamp() * 1000)
    return {**values, **by, "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [described]}}


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
