"""The app's own tokens: what its auth provider signed opens the account that it names.

Why: this module alone knows the libraries of signatures; it is imported when such a token comes,
since a service key needs none of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from tollkeeper.domain.entries import ID_PATTERN, AccountId
from tollkeeper.domain.errors import UnauthorizedError
from tollkeeper.edge.access import NOBODYS, Principal, user_principal
from tollkeeper.edge.jwks import KeySet, fetch_set
from tollkeeper.edge.oidc_policy import Policy, make_policy
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.wiring import clock

LONGEST_TOKEN = 8192
LONGEST_KEY_ID = 256
LEEWAY = timedelta(seconds=30)
LAST_SECOND = 10**11
# Other things that a provider signs with the same keys say so here. Source: RFC 8725, 3.11.
TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})


@lru_cache(maxsize=1)
def read_policy() -> Policy:
    """The policy of this process. Raises: TollkeeperError."""
    return make_policy(read_settings())


@lru_cache(maxsize=1)
def key_set() -> KeySet:
    """The provider's keys, as this process knows them. Raises: TollkeeperError."""
    url = read_policy().jwks_url
    return KeySet(lambda: fetch_set(url, clock()), clock().now)


def identify_user(text: str) -> Principal:
    """The account's user whom the provider's token names, until it ends.

    Raises: UnauthorizedError; BusyError where the provider's keys cannot be read; TollkeeperError
    where the settings are wrong. Cost: seldom a request to the provider.
    """
    policy = read_policy()
    claims = _read_signed(text, policy, key_set())
    now = clock().now()
    ends_at = _moment(claims, "exp") + LEEWAY
    if ends_at <= now:
        raise _refusal("it has expired")
    for name in ("nbf", "iat"):
        if name in claims and _moment(claims, name) > now + LEEWAY:
            raise _refusal(f"its {name} is in the future")
    _require_for_us(claims, policy)
    return user_principal(_account(claims, policy), ends_at)


def _read_signed(text: str, policy: Policy, keys: KeySet) -> dict[str, Any]:
    """The claims, once the signature, the issuer and the audience are right.

    Why: the header is the caller's word. It chooses among the algorithms and the keys that this
    stack knows, and says nothing else: no address, no key of its own.
    """
    if len(text) > LONGEST_TOKEN or not text.isascii():
        raise _refusal("it is too long")
    try:
        header = jwt.get_unverified_header(text)
        key_id, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in policy.algorithms:
            raise _refusal("its algorithm is not one of the provider's")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= LONGEST_KEY_ID:
            raise _refusal("it does not name its key")
        if str(header.get("typ") or "").lower() not in TYPES:
            raise _refusal("it is a token of another type")
        key = keys.find(key_id)
        if key is None:
            raise _refusal("the provider has no such key")
        return jwt.decode(
            text,
            key,
            algorithms=list(policy.algorithms),
            issuer=policy.issuer,
            audience=policy.audiences or None,
            options={
                "require": ["exp", "iss"],
                "verify_aud": bool(policy.audiences),
                # Time is judged by this process's own clock, as everywhere.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "enforce_minimum_key_length": True,
            },
        )
    except jwt.PyJWTError as error:
        raise _refusal(type(error).__name__) from None


def _require_for_us(claims: dict[str, Any], policy: Policy) -> None:
    if policy.parties and claims.get(policy.party_claim) not in policy.parties:
        raise _refusal(f"its {policy.party_claim} is not one of the app's")
    for name, value in policy.says:
        if claims.get(name) != value:
            raise _refusal(f"its {name} is not {value}")
    for name, value in policy.unsaid:
        if claims.get(name) == value:
            raise _refusal(f"its {name} is {value}")


def _account(claims: dict[str, Any], policy: Policy) -> AccountId:
    named = claims.get(policy.account_claim)
    if not isinstance(named, str) or named in NOBODYS or ID_PATTERN.fullmatch(named) is None:
        raise _refusal(f"its {policy.account_claim} is not an account's id")
    return AccountId(named)


def _moment(claims: dict[str, Any], name: str) -> datetime:
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise _refusal(f"its {name} is no moment")
    if not 0 <= seconds <= LAST_SECOND:
        raise _refusal(f"its {name} is no moment")
    return datetime.fromtimestamp(int(seconds), UTC)


def _refusal(reason: str) -> UnauthorizedError:
    return UnauthorizedError(f"This token is not valid: {reason}.")
