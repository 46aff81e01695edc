"""Reconcile at the edge: what an operator is answered, and what a run logs and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge.bodies import ReconcileBody
from tollkeeper.edge.deliveries import apply_fact
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import embed_metrics, log_alarm, log_fact
from tollkeeper.service.ports import World
from tollkeeper.service.reconciling import (
    Lists,
    Reconciler,
    Report,
    Span,
    Told,
    read_cursor,
)

METRICS = ("payments_healed", "payments_differing", "payments_left")
LONGEST_ANSWER_S = 12
"""API Gateway waits 30 seconds; the last call to Stripe and what it lists take the others."""


def make_reconciler(
    world: World, lists: Lists, *, expects_live: bool, has_time: Callable[[], bool]
) -> Reconciler:
    """A reconciler that does with what is listed what the webhook would have done."""

    def apply(fact: Any) -> Any:
        return apply_fact(world, fact, expects_live=expects_live)

    return Reconciler(world, lists, apply, has_time)


def answer_reconciled(
    world: World, lists: Lists, request: Request, *, expects_live: bool
) -> Answer:
    """What was healed and what differs of the range, as far as one answer goes.

    Raises: InvalidError; PaymentsUnavailableError where Stripe does not list.
    """
    body, _ = request.body(ReconcileBody)
    if body.since >= body.until:
        raise InvalidError("to", "must be after from")
    read_cursor(body.cursor or "")
    ends_s = world.clock.monotonic_s() + LONGEST_ANSWER_S
    reconciler = make_reconciler(
        world,
        lists,
        expects_live=expects_live,
        has_time=lambda: world.clock.monotonic_s() < ends_s,
    )
    report = reconciler.reconcile(Span(body.since, body.until), body.cursor or "")
    _log(report)
    return Answer(show_report(report))


def run_reconciliation(
    reconciler: Reconciler, event: Mapping[str, Any], *, function: str
) -> dict[str, Any]:
    """What Stripe lists of the last hours was applied once more, logged and counted.

    Shape of the event: `{"hours": 3}`; with `"looks_back": true` also what was made earlier and
    may have changed since.
    Why: what the last quarter of an hour brought is still on its way to the webhook.
    """
    now = reconciler.world.clock.now()
    if not reconciler.lists.is_ready:
        log_fact("nothing is sold")
        return {"seen": 0, "healed": 0, "differs": 0, "is_finished": True}
    span = Span(
        now - timedelta(hours=int(event.get("hours", 3))),
        now - timedelta(minutes=15),
        looks_back=bool(event.get("looks_back", False)),
    )
    cursor, healed, differs, seen = "", 0, 0, 0
    while True:
        report = reconciler.reconcile(span, cursor)
        _log(report)
        healed, differs = healed + len(report.healed), differs + len(report.differs)
        seen, cursor = seen + report.count("seen"), report.cursor
        if not cursor or not reconciler.has_time():
            break
    values = {
        "payments_healed": healed,
        "payments_differing": differs,
        "payments_left": 1 if cursor else 0,
    }
    facts: dict[str, Any] = {
        "seen": seen,
        "healed": healed,
        "differs": differs,
        "is_finished": not cursor,
    }
    counted = embed_metrics(values, by={"function_name": function}, at=now)
    log_fact("reconciled", **facts, **counted)
    return facts


def _log(report: Report) -> None:
    """An error line for each thing that somebody must look at, and why."""
    for each in report.healed:
        log_alarm("payment healed", **_show_told(each))
    for each in report.differs:
        log_alarm("payment differs", **_show_told(each))


def show_report(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "from": report.span.since.isoformat(),
        "to": report.span.until.isoformat(),
        "counts": {
            kind.value: {
                "seen": counts.seen,
                "fine": counts.fine,
                "healed": counts.healed,
                "quarantined": counts.quarantined,
            }
            for kind, counts in report.counts.items()
        },
        "healed": [_show_told(each) for each in report.healed],
        "differs": [_show_told(each) for each in report.differs],
        "is_finished": not report.cursor,
        "next_cursor": report.cursor or None,
    }


def _show_told(told: Told) -> dict[str, Any]:
    return {
        "kind": told.kind.value,
        "id": told.id,
        "what": told.what,
        "purchase": told.purchase or None,
        "account": told.account or None,
        "reason": told.reason or None,
    }
