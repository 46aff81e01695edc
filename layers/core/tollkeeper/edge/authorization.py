"""From an Authorization header to a principal: the one way in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tollkeeper.domain.errors import ForbiddenError, TollkeeperError, UnauthorizedError
from tollkeeper.edge.access import (
    SEND_A_KEY,
    Principal,
    require_scope,
    service_principal,
    user_principal,
)
from tollkeeper.edge.observability import log_refusal
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.wiring import SystemIds, clock, ledger, stack_secrets
from tollkeeper.service.keys import KEY, Gatehouse, verify_key
from tollkeeper.service.tokens import CUSTOMER, verify_token
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
    """Who the header's key or token belongs to, if it may call the route.

    Raises: UnauthorizedError, ForbiddenError. Cost: one GetItem.
    """
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise UnauthorizedError(SEND_A_KEY)
    principal = identify(text.strip())
    require_scope(principal, route_key)
    return principal


def identify(text: str) -> Principal:
    """Who the key or token belongs to: its beginning says which of them it is.

    Raises: UnauthorizedError; as identify_user. Cost: one GetItem; a provider's token needs none.
    """
    if text.startswith(CUSTOMER):
        token = verify_token(gatehouse(), text)
        return user_principal(token.account, token.expires_at)
    if not text.startswith(KEY) and read_settings().oidc_preset:
        # Imported here: the libraries of signatures are slow to load, and keys need none of them.
        from tollkeeper.edge.oidc import identify_user

        return identify_user(text)
    key = verify_key(gatehouse(), text)
    return service_principal(key.id, key.scopes, key.expires_at)


def authorize_event(header: str, route_key: str) -> dict[str, Any]:
    """The authorizer's answer: who it is, or that nobody gets in. Cost: one GetItem."""
    try:
        principal = authorize(header, route_key)
    except (UnauthorizedError, ForbiddenError) as error:
        log_refusal(error.code, 403, route=route_key, detail=error.detail)
        return {"isAuthorized": False, "context": {}}
    return {"isAuthorized": True, "context": principal.to_context()}
