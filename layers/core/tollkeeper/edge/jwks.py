"""The public keys of an auth provider, fetched seldom and kept through its outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import certifi
import jwt
import urllib3

from tollkeeper.domain.errors import BusyError
from tollkeeper.edge.observability import log_alarm
from tollkeeper.service.ports import Clock

# How the two kinds of keys sign that a set may hold; keys of any other kind are left out.
ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
FRESH = timedelta(hours=1)
LONGEST_STALE = timedelta(hours=24)
BETWEEN_TRIES = timedelta(minutes=1)
LARGEST_SET_BYTES = 128 * 1024
MOST_KEYS = 50
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, WHOLE_TIMEOUT_S = 2.0, 2.0, 4.0


class FetchError(Exception):
    """The provider did not answer with a set of keys; the sentence says what it did."""


def fetch_set(url: str, clock: Clock) -> bytes:
    """What stands at the URL. Nothing is followed, and no answer is waited for longer than 4 s.

    Raises: FetchError. Cost: one request.
    """
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
        retries=False,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
    )
    ends_at_s = clock.monotonic_s() + WHOLE_TIMEOUT_S
    try:
        answer = pool.request("GET", url, redirect=False, preload_content=False)
        try:
            return _read(answer, lambda: clock.monotonic_s() > ends_at_s)
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise FetchError(f"{type(error).__name__}") from error


def _read(answer: urllib3.BaseHTTPResponse, is_late: Callable[[], bool]) -> bytes:
    if answer.status != 200:
        raise FetchError(f"it answered {answer.status}")
    parts: list[bytes] = []
    left = LARGEST_SET_BYTES + 1
    while left > 0:
        part = answer.read1(left)
        if not part:
            return b"".join(parts)
        if is_late():
            raise FetchError("it is too slow")
        parts.append(part)
        left -= len(part)
    raise FetchError("its answer is too large")


def read_set(raw: bytes) -> dict[str, jwt.PyJWK]:
    """The keys by their id: those that sign with RS256 or ES256, and no private ones.

    Raises: FetchError where there is none.
    """
    try:
        document: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise FetchError("its answer is not JSON") from None
    listed = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    found: dict[str, jwt.PyJWK] = {}
    for each in cast("list[object]", listed)[:MOST_KEYS] if isinstance(listed, list) else []:
        key = _read_key(cast("dict[str, Any]", each)) if isinstance(each, dict) else None
        if key is not None and key.key_id:
            found[key.key_id] = key
    if not found:
        raise FetchError("its answer has no key that can be used")
    return found


def _read_key(jwk: Mapping[str, Any]) -> jwt.PyJWK | None:
    """The key, or None where it is not one that tokens may be signed with."""
    algorithm = ALGORITHMS.get(str(jwk.get("kty")))
    is_for_it = jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm) == algorithm
    is_public = "d" not in jwk and isinstance(jwk.get("kid"), str)
    if algorithm is None or not is_for_it or not is_public:
        return None
    if algorithm == "ES256" and jwk.get("crv") != "P-256":
        return None
    try:
        return jwt.PyJWK(dict(jwk), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


class KeySet:
    """The keys of one provider. They are fetched at most once a minute, whatever tokens say."""

    def __init__(self, fetch: Callable[[], bytes], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key, or None where the provider has none of that id.

        Why: an id is only looked up in what was read; it is part of no address. A provider that
        is out of reach goes on being believed for a day, by the keys that it last showed.
        Raises: BusyError where no keys are known. Cost: at most one request a minute.
        """
        now = self._now()
        if key_id not in self._keys or self._is_older(now, FRESH):
            self._refresh(now)
        if self._is_older(now, LONGEST_STALE):
            raise BusyError("The keys of the auth provider cannot be read now.")
        return self._keys.get(key_id)

    def _is_older(self, now: datetime, age: timedelta) -> bool:
        return self._read_at is None or now - self._read_at >= age

    def _refresh(self, now: datetime) -> None:
        if self._tried_at is not None and now - self._tried_at < BETWEEN_TRIES:
            return
        self._tried_at = now
        try:
            self._keys = read_set(self._fetch())
            self._read_at = now
        except FetchError as error:
            log_alarm("keys of the auth provider not read", reason=str(error))
