"""SimStore and an engine, asked the same: the first thing that they answer differently."""

from __future__ import annotations

from typing import Any

from simulation.store import SimStore
from tests.conformance.cases import SETUP, Request
from tests.conformance.drawing import Drawer
from tests.conformance.engines import ask, by_key, new_store, scan, shown

Answer = tuple[str, dict[str, Any]]


def prepared() -> SimStore:
    """A SimStore with the items that every case starts from."""
    store = new_store()
    for request in SETUP:
        assert ask(store, *request).code == ""
    return store


def told(client: Any, requests: list[Request]) -> list[Answer]:
    """The answers to the requests, one after the other."""
    return [shown(ask(client, *request)) for request in requests]


def difference_of_case(client: Any, requests: list[Request]) -> str:
    """How the engine differs in what it answers or in what it holds then; nothing where alike.

    Shape: the engine holds what `prepared` holds.
    """
    store = prepared()
    ours, theirs = told(store, requests), told(client, requests)
    if ours != theirs:
        return f"SimStore answered {ours}, the engine {theirs}"
    held, holds = by_key(store.items()), scan(client)
    return "" if held == holds else f"SimStore holds {held}, the engine {holds}"


def difference_of_seed(client: Any, drawer: Drawer, *, steps: int, ends_early: bool) -> str:
    """The first difference in the drawn requests, and the seed to see it again.

    Shape: an engine that `ends_early` may leave out the key of a full page that is the last.
    """
    store = new_store()
    for step in range(steps):
        request = drawer.request()
        ours, theirs = shown(ask(store, *request)), shown(ask(client, *request))
        if ends_early and "LastEvaluatedKey" not in theirs[1]:
            ours = _without_last_key(store, request, ours)
        if ours != theirs:
            where = f"seed {drawer.seed}, step {step}: {request}"
            return f"{where}\nSimStore: {ours}\nengine: {theirs}"
        drawer.saw(request, ours[1])
    held, holds = by_key(store.items()), scan(client)
    return "" if held == holds else f"seed {drawer.seed}: SimStore holds {held}, engine {holds}"


def _without_last_key(store: SimStore, request: Request, answer: Answer) -> Answer:
    """The answer without its LastEvaluatedKey, where nothing comes behind it."""
    end = answer[1].get("LastEvaluatedKey")
    if end is None:
        return answer
    operation, asked = request
    behind = ask(store, operation, {**asked, "ExclusiveStartKey": end})
    if behind.answer.get("ScannedCount") != 0:
        return answer
    return answer[0], {n: value for n, value in answer[1].items() if n != "LastEvaluatedKey"}
