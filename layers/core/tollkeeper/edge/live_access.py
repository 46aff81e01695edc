"""Who may hear what: the authorizer of the event API's sockets, default deny.

An allow is never kept (`ttlOverride` 0): one for a connection must not open a channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tollkeeper.domain.errors import ForbiddenError, UnauthorizedError
from tollkeeper.domain.live import CHANNEL, channels_at
from tollkeeper.edge.access import Principal
from tollkeeper.edge.authorization import authorize
from tollkeeper.edge.live import LIVE_ROUTE
from tollkeeper.edge.observability import log_refusal

CONNECT, SUBSCRIBE = "EVENT_CONNECT", "EVENT_SUBSCRIBE"


def authorize_live(event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The authorizer's answer to AppSync for one operation of a socket.

    Shape: {"isAuthorized": bool, "ttlOverride": 0}. Cost: as authorize.
    """
    context: Mapping[str, Any] = event.get("requestContext") or {}
    operation = str(context.get("operation") or "")
    is_allowed = False
    try:
        # AppSync wants the bare token; a client that sends the word before it means the same.
        token = str(event.get("authorizationToken") or "").strip().removeprefix("Bearer ")
        principal = authorize(f"Bearer {token}", LIVE_ROUTE)
        is_allowed = _may(principal, operation, str(context.get("channel") or ""), now)
    except (UnauthorizedError, ForbiddenError) as error:
        log_refusal(error.code, 403, route=LIVE_ROUTE, detail=error.detail)
    else:
        if not is_allowed:
            log_refusal("forbidden", 403, route=LIVE_ROUTE, detail=operation, by=principal.name)
    return {"isAuthorized": is_allowed, "ttlOverride": 0}


def _may(principal: Principal, operation: str, channel: str, now: datetime) -> bool:
    """A user hears the own account, a service key that may read any one account by its channel.

    Why: nobody publishes by a socket, and a pattern with a star is no channel of anybody.
    """
    if operation == CONNECT:
        return True
    if operation != SUBSCRIBE:
        return False
    named = "/" + channel.removeprefix("/")
    if principal.account is None:
        return CHANNEL.fullmatch(named) is not None
    return named in channels_at(principal.account, now)
