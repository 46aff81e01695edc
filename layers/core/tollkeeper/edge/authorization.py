"""From an Authorization header to a principal: the one way in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tollkeeper.domain.errors import ForbiddenError, TollkeeperError, UnauthorizedError
from tollkeeper.edge.access import Principal, require_scope
from tollkeeper.edge.observability import log_refusal
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.wiring import SystemIds, clock, ledger, stack_secrets
from tollkeeper.service.keys import Gatehouse, verify_key
from tollkeeper.store.api_keys import KeyRing


@lru_cache(maxsize=1)
def gatehouse() -> Gatehouse:
    """What it takes to issue and verify keys. Raises: TollkeeperError without a pepper."""
    pepper = stack_secrets().read_secret("KEY_PEPPER")
    if not pepper:
        raise TollkeeperError("The secret KEY_PEPPER is not set; no key can be verified.")
    return Gatehouse(
        keyring=KeyRing(ledger()),
        clock=clock(),
        ids=SystemIds(),
        pepper=pepper,
        prefix=read_settings().key_prefix,
    )


def authorize(header: str, route_key: str) -> Principal:
    """Who the header's key belongs to, if that key may call the route.

    Raises: UnauthorizedError, ForbiddenError. Cost: one GetItem.
    """
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise UnauthorizedError("Send a service key as `Authorization: Bearer tk_...`.")
    key = verify_key(gatehouse(), text.strip())
    principal = Principal(f"service:{key.id}", frozenset(key.scopes), key.expires_at)
    require_scope(principal, route_key)
    return principal


def authorize_event(header: str, route_key: str) -> dict[str, Any]:
    """The authorizer's answer: who it is, or that nobody gets in. Cost: one GetItem."""
    try:
        principal = authorize(header, route_key)
    except (UnauthorizedError, ForbiddenError) as error:
        log_refusal(error.code, 403, route=route_key, detail=error.detail)
        return {"isAuthorized": False, "context": {}}
    return {"isAuthorized": True, "context": principal.to_context()}
