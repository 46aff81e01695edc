"""Bytes as letters that a URL takes as they are: base64 of that alphabet, without its padding."""

from __future__ import annotations

import base64


def to_url_safe(raw: bytes) -> str:
    """The bytes as letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_url_safe(text: str) -> bytes:
    """The bytes that were written so. Raises: ValueError for anything else."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
