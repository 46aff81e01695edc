"""Who asks, and whether they may: judged from what the authorizer found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tollkeeper.domain.errors import ForbiddenError, UnauthorizedError
from tollkeeper.edge.routes import ROUTES


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a service key, with its scopes."""

    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None

    def to_context(self) -> dict[str, str]:
        """The authorizer's context: flat texts, as API Gateway passes them on."""
        expires = "" if self.expires_at is None else self.expires_at.isoformat()
        return {
            "principal": self.name,
            "scopes": " ".join(sorted(self.scopes)),
            "expires_at": expires,
        }


def read_principal(event: Mapping[str, Any], now: datetime) -> Principal:
    """Who the authorizer let through, if that still holds.

    Raises: UnauthorizedError where nobody was let through, or their time is over.
    """
    request_context: Mapping[str, Any] = event.get("requestContext") or {}
    authorizer: Mapping[str, Any] = request_context.get("authorizer") or {}
    context: Mapping[str, Any] = authorizer.get("lambda") or {}
    name = str(context.get("principal") or "")
    if not name:
        raise UnauthorizedError("Send a service key as `Authorization: Bearer tk_...`.")
    expires_at = _read_moment(str(context.get("expires_at") or ""))
    if expires_at is not None and expires_at <= now:
        raise UnauthorizedError("The key has expired.")
    return Principal(name, frozenset(str(context.get("scopes") or "").split()), expires_at)


def _read_moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def require_scope(principal: Principal, route_key: str) -> None:
    """Nothing, where the principal may call the route.

    Raises: ForbiddenError. A route without a row is closed to everybody.
    """
    route = ROUTES.get(route_key)
    if route is None or route.scope not in principal.scopes:
        needed = "none" if route is None else route.scope
        raise ForbiddenError(f"This needs a key with the scope {needed!r}.")


def read_authorization(event: Mapping[str, Any]) -> str:
    """The Authorization header of an authorizer's event, or an empty text."""
    headers: Mapping[str, Any] = event.get("headers") or {}
    found = [value for name, value in headers.items() if name.lower() == "authorization"]
    return str(found[0]) if found else ""
