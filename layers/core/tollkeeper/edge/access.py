"""Who asks, and whether they may: judged from what the authorizer found out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import ForbiddenError, NotFoundError, UnauthorizedError
from tollkeeper.edge.routes import ROUTES

SERVICE, USER = "service:", "user:"
ME = "me"
"""What a user may call the own account, in a path and in a body; so it is no account's id."""
# Browsers fold these out of a path, so that their user would ask for something else.
NOBODYS = frozenset({ME, ".", ".."})
NOT_ME = "must be an account's id; only a user's own token may say me"
SEND_A_KEY = "Send a service key or a token as `Authorization: Bearer ...`."
NO_ACCOUNT = "There is no such account."


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a service key with its scopes, or the user of one account, who needs none."""

    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    account: AccountId | None = None

    @property
    def key_id(self) -> str:
        """The id of the service key that asks; an empty text for a user."""
        return self.name.removeprefix(SERVICE) if self.account is None else ""

    def to_context(self) -> dict[str, str]:
        """The authorizer's context: flat texts, as API Gateway passes them on."""
        expires = "" if self.expires_at is None else self.expires_at.isoformat()
        return {
            "principal": self.name,
            "scopes": " ".join(sorted(self.scopes)),
            "expires_at": expires,
            "account": self.account or "",
        }


def service_principal(key_id: str, scopes: Iterable[str], until: datetime | None) -> Principal:
    """The service key of that id."""
    return Principal(SERVICE + key_id, frozenset(scopes), until)


def user_principal(account: AccountId, until: datetime) -> Principal:
    """The account's own user, until then."""
    return Principal(USER + account, frozenset(), until, account)


def read_principal(event: Mapping[str, Any], now: datetime) -> Principal:
    """Who the authorizer let through, if that still holds.

    Raises: UnauthorizedError where nobody was let through, or their time is over.
    """
    context = _context(event)
    name = str(context.get("principal") or "")
    if not name:
        raise UnauthorizedError(SEND_A_KEY)
    expires_at = _read_moment(str(context.get("expires_at") or ""))
    if expires_at is not None and expires_at <= now:
        raise UnauthorizedError("The key or token has expired.")
    account = str(context.get("account") or "")
    if not account:
        return Principal(name, frozenset(str(context.get("scopes") or "").split()), expires_at)
    if expires_at is None or name != USER + account:
        raise UnauthorizedError(SEND_A_KEY)
    return user_principal(AccountId(account), expires_at)


def _context(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the authorizer said, or nothing."""
    request_context: Mapping[str, Any] = event.get("requestContext") or {}
    authorizer: Mapping[str, Any] = request_context.get("authorizer") or {}
    found: Mapping[str, Any] = authorizer.get("lambda") or {}
    return found


def _read_moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def require_scope(principal: Principal, route_key: str) -> None:
    """Nothing, where the principal may call the route.

    Raises: ForbiddenError. A route without a row is closed to everybody, and one that is not an
    account's own to every user.
    """
    route = ROUTES.get(route_key)
    if principal.account is not None:
        if route is None or not route.is_own:
            raise ForbiddenError("This needs a service key; a user's token does not open it.")
    elif route is None or route.scope not in principal.scopes:
        needed = "none" if route is None else route.scope
        raise ForbiddenError(f"This needs a key with the scope {needed!r}.")


def is_asked_by_user(event: Mapping[str, Any]) -> bool:
    """The authorizer let an account's user through, and no service key."""
    return bool(_context(event).get("account"))


def own_account(principal: Principal, named: str) -> str:
    """The account that is meant: a user's own under its id or `me`, and any that a service names.

    Raises: NotFoundError where a user names another's, whether or not there is one.
    """
    if principal.account is None:
        return named
    if named not in (ME, principal.account):
        raise NotFoundError(NO_ACCOUNT)
    return principal.account


def read_authorization(event: Mapping[str, Any]) -> str:
    """The Authorization header of an authorizer's event, or an empty text."""
    headers: Mapping[str, Any] = event.get("headers") or {}
    found = [value for name, value in headers.items() if name.lower() == "authorization"]
    return str(found[0]) if found else ""
