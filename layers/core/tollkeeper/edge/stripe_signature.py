"""Stripe's signature: an HMAC of the time and the raw body, checked before anything is read."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

from tollkeeper.domain.errors import MalformedError, PaymentsUnavailableError

SECRET = "STRIPE_WEBHOOK_SECRET"  # noqa: S105 - its name, not the secret
TOLERANCE_S = 300
LARGEST_EVENT_BYTES = 512 * 1024
LONGEST_HEADER = 4096

_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


def verify_signature(raw: bytes, header: str, *, secrets: list[str], now: datetime) -> None:
    """Nothing, where one of the secrets signed exactly these bytes within the last 5 minutes.

    A time in the future is no better than one in the past: clocks differ by seconds.
    Raises: MalformedError; PaymentsUnavailableError without a secret, so that Stripe tries again.
    """
    if not secrets:
        raise PaymentsUnavailableError(f"The secret {SECRET} is not set.")
    if len(raw) > LARGEST_EVENT_BYTES:
        raise MalformedError(f"The body is larger than any event: {len(raw)} bytes.")
    time, signatures = _read_header(header)
    if abs(int(now.timestamp()) - int(time)) > TOLERANCE_S:
        raise MalformedError("The signature's time is not within 5 minutes of now.")
    signed = time.encode() + b"." + raw
    digests = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets]
    matches = [hmac.compare_digest(d, v) for d in digests for v in signatures]
    if not any(matches):
        raise MalformedError("The body is not signed with this endpoint's secret.")


def sign(raw: bytes, *, secret: str, at: datetime) -> str:
    """The Stripe-Signature header that Stripe would send with these bytes at that moment."""
    time = str(int(at.timestamp()))
    signed = time.encode() + b"." + raw
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"


def _read_header(header: str) -> tuple[str, list[str]]:
    """The time as it was signed, and every v1 signature. Raises: MalformedError."""
    if not header:
        raise MalformedError("The header Stripe-Signature is missing.")
    if len(header) > LONGEST_HEADER or not header.isascii():
        raise MalformedError("The header Stripe-Signature cannot be read.")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = {value for name, _, value in pairs if name == "t"}
    signatures = [value for name, _, value in pairs if name == "v1" and value]
    time = times.pop() if len(times) == 1 else ""
    if _TIME.fullmatch(time) is None or not signatures:
        raise MalformedError("The header Stripe-Signature has no time or no v1 signature.")
    return time, signatures
