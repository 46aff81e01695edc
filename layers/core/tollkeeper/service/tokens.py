"""Customer tokens: short letters of a service key that open one account to its own user.

A token is `tkc_<stage>_<what it says>.<HMAC of all before>`. Nothing is kept of it: it ends at its
time, or with the key that minted it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from tollkeeper.domain.entries import ID_PATTERN, AccountId
from tollkeeper.domain.errors import UnauthorizedError
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.service.keys import Gatehouse, is_usable

MINTS = "token"
"""The scope of keys that mint tokens."""

CUSTOMER = "tkc_"
PURPOSE = b"tollkeeper: customer tokens, first form"
LONGEST_TOKEN = 1000
SHORTEST_LIFE_S, USUAL_LIFE_S, LONGEST_LIFE_S = 60, 900, 3600


@dataclass(frozen=True, slots=True)
class CustomerToken:
    """What a token says: whose account it opens, until when, and the key that minted it."""

    account: AccountId
    expires_at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class Minted:
    """The token as its bearer sends it."""

    text: str
    token: CustomerToken


def mint_token(house: Gatehouse, token: CustomerToken) -> Minted:
    """The token's text. It is valid from now on, wherever the pepper is this one's."""
    said = {
        "account": token.account,
        "expires_at": int(token.expires_at.timestamp()),
        "key": token.key_id,
    }
    signed = _prefix(house) + to_url_safe(json.dumps(said, separators=(",", ":")).encode())
    return Minted(f"{signed}.{_sign(house, signed)}", token)


def plan_token(
    house: Gatehouse, account: AccountId, *, key_id: str, life_s: int, key_ends_at: datetime | None
) -> CustomerToken:
    """A token from now on: it ends after its life, in whole seconds, or with the key that mints."""
    ends_at = house.clock.now().replace(microsecond=0) + timedelta(seconds=life_s)
    return CustomerToken(account, min(ends_at, key_ends_at or ends_at), key_id)


def verify_token(house: Gatehouse, text: str) -> CustomerToken:
    """What the token says, if it may be used now. It ends with its key, if that ends sooner.

    Raises: UnauthorizedError, in the same words whatever is wrong with it.
    Cost: one GetItem, and none for a text that this stack did not sign or that has ended.
    """
    refusal = UnauthorizedError("This token is not valid.")
    if len(text) > LONGEST_TOKEN or not text.isascii() or not text.startswith(_prefix(house)):
        raise refusal
    signed, _, mac = text.rpartition(".")
    if not hmac.compare_digest(mac.encode(), _sign(house, signed).encode()):
        raise refusal
    token = _read(signed.removeprefix(_prefix(house)))
    now = house.clock.now()
    key = None if token.expires_at <= now else house.keyring.read_key(token.key_id)
    if key is None or not is_usable(key, now) or MINTS not in key.scopes:
        raise refusal
    ends_at = token.expires_at if key.expires_at is None else min(token.expires_at, key.expires_at)
    return CustomerToken(token.account, ends_at, token.key_id)


def _read(said: str) -> CustomerToken:
    """What was signed; only this module signs."""
    members = cast("dict[str, object]", json.loads(from_url_safe(said)))
    account, ends_at, key_id = members["account"], members["expires_at"], members["key"]
    assert isinstance(account, str) and ID_PATTERN.fullmatch(account), "only such are signed"
    assert isinstance(ends_at, int) and isinstance(key_id, str), "only such are signed"
    return CustomerToken(AccountId(account), datetime.fromtimestamp(ends_at, UTC), key_id)


def _prefix(house: Gatehouse) -> str:
    """How the stage's tokens begin: `tkc_dev_` where its keys begin with `tk_dev_`."""
    return CUSTOMER + house.prefix.removeprefix("tk_") + "_"


def _sign(house: Gatehouse, signed: str) -> str:
    """Why: a key of its own, so that a token's signature is never a digest of a service key."""
    assert house.pepper, "tokens are only as secret as the pepper"
    key = hmac.new(house.pepper.encode(), PURPOSE, hashlib.sha256).digest()
    return to_url_safe(hmac.new(key, signed.encode(), hashlib.sha256).digest())
