"""Whether a request may reach its route: the template's Lambda authorizers, with their caches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs

from local.environments import BusyError, FunctionError
from local.events import Received, authorizer_event
from local.template import Authorizer

CACHE_MAX_ENTRIES = 10_000

Invoke = Callable[[str, Mapping[str, object]], object]
"""A function's folder and an event; the function's answer."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The request does not reach its route; API Gateway answers this status itself."""

    status: int


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The request goes on, with what the authorizer says of the caller."""

    context: Mapping[str, object]


class AuthorizerGate:
    """One authorizer of the API: its function's answer holds for its template's seconds.

    Why: the cache key is the identity sources and nothing else, as on AWS. A template that
    forgets the route among them lets an allow for one route serve another, here as there.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        *,
        invoke: Invoke,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._authorizer = authorizer
        self._invoke = invoke
        self._clock = clock
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, ...], tuple[float, Allowed | Refused]] = {}

    def decide(self, received: Received) -> Allowed | Refused:
        """Whether the request may go on.

        Shape: 401 where an identity source is missing or empty, or the function raises
        "Unauthorized"; 403 where it denies; 500 where it fails. Only its answers are cached.
        """
        identity = self._identity(received)
        if identity is None:
            return Refused(status=401)
        cached = self._cached(identity)
        if cached is not None:
            return cached
        try:
            event = authorizer_event(received, identity=identity)
            answer = self._invoke(self._authorizer.function, event)
        except FunctionError as error:
            return Refused(status=401 if error.message == "Unauthorized" else 500)
        except BusyError:
            return Refused(status=500)
        decision = _decision(answer)
        if not isinstance(decision, Refused) or decision.status == 403:
            self._keep(identity, decision)
        return decision

    def _identity(self, received: Received) -> tuple[str, ...] | None:
        values = [_identity_value(source, received) for source in self._sources()]
        return tuple(value for value in values if value) if all(values) else None

    def _sources(self) -> tuple[str, ...]:
        return self._authorizer.identity_sources

    def _cached(self, identity: tuple[str, ...]) -> Allowed | Refused | None:
        with self._lock:
            until, decision = self._cache.get(identity, (0.0, None))
            return decision if decision is not None and self._clock() < until else None

    def _keep(self, identity: tuple[str, ...], decision: Allowed | Refused) -> None:
        if self._authorizer.ttl_s <= 0:
            return
        with self._lock:
            if len(self._cache) >= CACHE_MAX_ENTRIES:
                self._cache.clear()
            self._cache[identity] = (self._clock() + self._authorizer.ttl_s, decision)


def _decision(answer: object) -> Allowed | Refused:
    """The simple response format: `{"isAuthorized": bool, "context": {...}}`."""
    if not isinstance(answer, dict):
        return Refused(status=500)
    members = cast("dict[str, object]", answer)
    if members.get("isAuthorized") is not True:
        return Refused(status=403 if members.get("isAuthorized") is False else 500)
    context = members.get("context")
    return Allowed(context=cast("dict[str, object]", context) if isinstance(context, dict) else {})


def _identity_value(source: str, received: Received) -> str | None:
    """What stands at an identity source such as `$request.header.Authorization`."""
    if source.startswith("$request.header."):
        return received.request.header(source.removeprefix("$request.header.").lower())
    if source.startswith("$request.querystring."):
        name = source.removeprefix("$request.querystring.")
        return ",".join(parse_qs(received.request.query).get(name, []))
    if source == "$context.routeKey":
        return received.route_key
    if source == "$context.httpMethod":
        return received.request.method
    if source == "$context.path":
        return received.path
    return None
