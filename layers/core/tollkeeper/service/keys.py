"""Service keys: issued once, shown once, verified on every request, revoked at will."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.errors import (
    IdempotencyMismatchError,
    InvalidError,
    NotFoundError,
    TollkeeperError,
    UnauthorizedError,
)
from tollkeeper.service.ports import Clock, IdSource
from tollkeeper.store.api_keys import KeyRing, ServiceKey
from tollkeeper.store.ledger import TakenError

STAGES = ("tk_live", "tk_test", "tk_dev")
KEY = "tk_"
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """What it takes to issue and verify keys. `pepper` is the secret of the digests."""

    keyring: KeyRing
    clock: Clock
    ids: IdSource
    pepper: str
    prefix: str


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key to be issued. `idempotency_key` names it, so that a repeat issues no second one."""

    name: str
    scopes: tuple[str, ...]
    idempotency_key: str
    request_hash: str
    created_by: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The key, and its text where it was made just now: nobody can show it again."""

    key: ServiceKey
    text: str | None


def parse_key_id(text: str) -> str:
    """The id in a key's text `tk_<stage>_<id>_<secret>`.

    Raises: UnauthorizedError where it is no key.
    """
    stage = next((s for s in STAGES if text.startswith(s + "_")), None)
    if stage is None or len(text) > LONGEST_KEY or not text.isascii():
        raise UnauthorizedError("This is no service key; keys begin with tk_.")
    rest = text[len(stage) + 1 :]
    key_id, underscore, secret = rest.partition("_")
    if underscore and key_id and secret:
        return key_id
    if len(rest) < 4:
        raise UnauthorizedError("This is no service key; it is too short.")
    return hashlib.sha256(rest.encode()).hexdigest()[:12]


def digest_key(pepper: str, text: str) -> str:
    """What is kept of a key's text."""
    assert pepper, "keys are only as secret as the pepper"
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


def issue_key(house: Gatehouse, request: KeyRequest) -> Issued:
    """The key exists, once for its idempotency key; its text is shown by the first answer only.

    Raises: InvalidError, IdempotencyMismatchError. Cost: one GetItem and one TransactWriteItems.
    """
    now = house.clock.now()
    key_id = hashlib.sha256(request.idempotency_key.encode()).hexdigest()[:12]
    text = f"{house.prefix}_{key_id}_{house.ids.new_secret()}"
    key = ServiceKey(
        id=key_id,
        name=request.name,
        digest=digest_key(house.pepper, text),
        scopes=tuple(sorted(set(request.scopes))),
        created_at=now,
        created_by=request.created_by,
        expires_at=request.expires_at,
        request_hash=request.request_hash,
    )
    if key.expires_at is not None and key.expires_at <= now:
        return _reissue(house, key, InvalidError("expires_at", "must be later than now"))
    try:
        house.keyring.write_key(key)
    except TakenError as taken:
        return _reissue(house, key, taken)
    return Issued(key, text)


def _reissue(house: Gatehouse, key: ServiceKey, refusal: TollkeeperError) -> Issued:
    """The key as it was issued before, without its text; else the refusal stands."""
    found = house.keyring.read_key(key.id)
    if found is None:
        raise refusal
    if found.request_hash != key.request_hash:
        raise IdempotencyMismatchError("This key was used before for another request.")
    return Issued(found, None)


def adopt_key(house: Gatehouse, text: str, *, name: str, scopes: tuple[str, ...]) -> ServiceKey:
    """The key of that text is valid, with these scopes: how a stack gets its first one.

    Repeating changes nothing.
    """
    key_id = parse_key_id(text)
    found = house.keyring.read_key(key_id)
    digest = digest_key(house.pepper, text)
    is_it = found is not None and found.digest == digest and found.revoked_at is None
    if found is not None and is_it and found.scopes == scopes:
        return found
    key = ServiceKey(
        id=key_id,
        name=name,
        digest=digest,
        scopes=scopes,
        created_at=house.clock.now(),
        created_by="command",
        version=1 if found is None else found.version + 1,
    )
    house.keyring.write_key(key)
    return key


def verify_key(house: Gatehouse, text: str) -> ServiceKey:
    """The key that this text is, if it may be used now.

    Raises: UnauthorizedError, in the same words whatever is wrong with it.
    Cost: one GetItem.
    """
    key = house.keyring.read_key(parse_key_id(text))
    digest = digest_key(house.pepper, text)
    is_right = key is not None and hmac.compare_digest(key.digest, digest)
    if key is None or not is_right or not is_usable(key, house.clock.now()):
        raise UnauthorizedError("This key is not valid.")
    return key


def is_usable(key: ServiceKey, now: datetime) -> bool:
    """The key is neither revoked nor past its end."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def list_keys(house: Gatehouse) -> tuple[ServiceKey, ...]:
    """All keys, without what would let anybody use them."""
    return house.keyring.read_keys()


def revoke_key(house: Gatehouse, key_id: str) -> ServiceKey:
    """The key is revoked; from the end of the authorizer's cache on nobody gets in with it.

    Raises: NotFoundError. Cost: one GetItem and one TransactWriteItems.
    """
    key = house.keyring.read_key(key_id) if len(key_id) <= LONGEST_KEY else None
    if key is None:
        raise NotFoundError("There is no such key.")
    if key.revoked_at is not None:
        return key
    revoked = replace(key, revoked_at=house.clock.now(), version=key.version + 1)
    house.keyring.write_key(revoked)
    return revoked
