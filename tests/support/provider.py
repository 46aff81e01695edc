"""An auth provider of the test's own: keys, tokens, and a key set on this machine's loopback."""

from __future__ import annotations

import base64
import json
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support.driving import FakeClock
from tollkeeper.edge import oidc, settings

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@lru_cache(maxsize=8)
def rsa_key(number: int = 1, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key, made once for each number: making one takes longer than a test."""
    assert number, "keys are counted from 1"
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@lru_cache(maxsize=4)
def ec_key(number: int = 1) -> ec.EllipticCurvePrivateKey:
    """A key on P-256, made once for each number."""
    assert number, "keys are counted from 1"
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: Private, key_id: str, **members: Any) -> dict[str, Any]:
    """The public half as a key set lists it."""
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**jwk, "kid": key_id, "use": "sig", "alg": "RS256", **members}
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": key_id, "use": "sig", "alg": "ES256", **members}


def to_segment(value: object) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Provider:
    """What the provider answers, and how often it was asked."""

    clock: FakeClock
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[str] = field(default_factory=list[str])

    def token(self, **changes: Any) -> str:
        """A token for user_1, good for ten minutes, but for what the test says.

        `key`, `algorithm` and `header` are how it is signed, `without` names claims that are left
        out, and every other change is a claim.
        """
        key: Private = changes.pop("key", rsa_key())
        algorithm: str = changes.pop("algorithm", "RS256")
        header: dict[str, Any] = changes.pop("header", {})
        without: tuple[str, ...] = changes.pop("without", ())
        now = int(self.clock.now().timestamp())
        said: dict[str, Any] = {
            "iss": self.url,
            "aud": "tollkeeper",
            "sub": "user_1",
            "iat": now,
            "exp": now + 600,
        }
        said = {name: value for name, value in (said | changes).items() if name not in without}
        raw, names = json.dumps(said).encode(), {"typ": "JWT", "kid": "one", **header}
        with warnings.catch_warnings(category=jwt.InsecureKeyLengthWarning, action="ignore"):
            return jwt.PyJWS().encode(raw, key, algorithm=algorithm, headers=names)


@contextmanager
def serve(clock: FakeClock) -> Generator[Provider]:
    """A provider with the keys `one` (RSA) and `two` (EC), asked over a real socket."""
    provider = Provider(clock, keys=[public_jwk(rsa_key(), "one"), public_jwk(ec_key(), "two")])

    class Handler(BaseHTTPRequestHandler):
        """Answers what the provider says."""

        def do_GET(self) -> None:
            """One request."""
            provider.asked.append(self.path)
            raw = provider.raw
            body = json.dumps({"keys": provider.keys}).encode() if raw is None else raw
            self.send_response(provider.status)
            for name, value in provider.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def choose(monkeypatch: pytest.MonkeyPatch, **chosen: str) -> None:
    """The stack has these settings of providers from now on."""
    for name, value in chosen.items():
        monkeypatch.setenv(f"OIDC_{name.upper()}", value)
    oidc.read_policy.cache_clear()
    oidc.key_set.cache_clear()
    settings.read_settings.cache_clear()
