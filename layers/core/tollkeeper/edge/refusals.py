"""Refusals as events: what an account may not do is told when it asks, outside its ledger.

Why: a refusal writes no row, so there is nothing to tell it from later. It is sent once, by who
refuses and before the answer, and lost where the bus does not take it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tollkeeper.domain.entries import parse_id
from tollkeeper.domain.events import Event, EventType, show_moment
from tollkeeper.domain.money import show_micro
from tollkeeper.edge.bus import hasty_bus
from tollkeeper.edge.http import Request
from tollkeeper.edge.routes import ROUTES
from tollkeeper.edge.wire import Amount

TELLING = frozenset({"check", "deduct", "hold", "budget"})
"""The functions that tell what they refuse: those around a run."""

LONGEST_TEXT = 128
_SAID = ("code", "blocking", "level")
_AMOUNTS = ("required", "available", "spendable", "held", "shortfall", "limit")


def tell_refusal(request: Request, problem: Mapping[str, Any]) -> None:
    """The bus has the event, or a line says that it has not; other functions tell nothing.

    Raises: MalformedError, InvalidError for a request that no refusal can have been decided on.
    Cost: one PutEvents, at most 0.8 seconds.
    """
    if ROUTES[request.route_key].function in TELLING:
        hasty_bus().send([refusal_of(request, problem)], has_time=lambda: True)


def refusal_of(request: Request, problem: Mapping[str, Any]) -> Event:
    """The event of a problem that the request was answered with.

    Raises: MalformedError, InvalidError.
    """
    sent = request.members() if request.raw_body() else {}
    detail: dict[str, object] = {
        "id": str(problem["request_id"]),
        "account": parse_id(request.path("id") or sent.get("account"), "account"),
        "route": request.route_key,
        "operation": _text(sent.get("operation")),
        "model": _text(sent.get("model")) or _model_of(sent.get("usage")),
        "budget": _text(request.path("budget") or sent.get("budget")),
    }
    detail |= {name: problem.get(name, "") for name in _SAID}
    detail |= {name: _show(problem[name]) for name in _AMOUNTS if name in problem}
    detail["at"] = show_moment(request.now)
    told = {name: value for name, value in detail.items() if value != ""}
    return Event(str(problem["request_id"]), EventType.SPEND_REFUSED, request.now, told)


def _text(value: object) -> str:
    """The text, cut where it is longer than any name there is; an empty one for anything else."""
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _model_of(usage: object) -> str:
    """The model that a provider's answer names."""
    if not isinstance(usage, dict):
        return ""
    return _text(cast("dict[str, object]", usage).get("model"))


def _show(value: object) -> str:
    """Credits as a decimal text; a feature's limit is a count."""
    return show_micro(value.micro) if isinstance(value, Amount) else str(value)
