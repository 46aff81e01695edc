"""Quotes: a price that was shown, signed, so that it is the price that is charged."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tollkeeper.domain.errors import QuoteExpiredError
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe

LIFE = timedelta(minutes=15)
SIGNATURE_BYTES = 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORM = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """What an estimate said, for whom and until when. Units: micro-credits."""

    account: str
    operation: str
    model: str
    price_version: str
    typical_microcredits: int
    expires_at: datetime

    @property
    def issued_at(self) -> datetime:
        """The moment of the estimate."""
        return self.expires_at - LIFE


def sign_quote(quote: Quote, secret: str) -> str:
    """The quote as a token that nobody without the secret can make. Units: below 400 letters."""
    members = [
        FORM,
        quote.account,
        quote.operation,
        quote.model,
        quote.price_version,
        quote.typical_microcredits,
        (quote.expires_at - EPOCH) // timedelta(milliseconds=1),
    ]
    text = json.dumps(members, separators=(",", ":")).encode()
    return f"{to_url_safe(text)}.{to_url_safe(_signature(text, secret))}"


def read_quote(token: str, secret: str) -> Quote:
    """The quote that was signed. Raises: QuoteExpiredError for anything else."""
    text, _, signature = token.partition(".")
    try:
        signed, given = from_url_safe(text), from_url_safe(signature)
        if not secret or not hmac.compare_digest(given, _signature(signed, secret)):
            raise ValueError
        members = cast("list[Any]", json.loads(signed))
        if members[0] != FORM:
            raise ValueError
    except ValueError:
        raise QuoteExpiredError(
            "The quote is not one of this stack's; ask for a new one."
        ) from None
    _, account, operation, model, version, typical, expires_ms = members
    expires_at = EPOCH + timedelta(milliseconds=expires_ms)
    return Quote(account, operation, model, version, typical, expires_at)


def judge_quote(
    quote: Quote, *, account: str, operation: str, model: str | None, now: datetime
) -> None:
    """Nothing, where the quote is for this. Raises: QuoteExpiredError."""
    if (quote.account, quote.operation) != (account, operation):
        raise QuoteExpiredError(
            f"The quote is for {quote.operation} of {quote.account}; ask for a new one."
        )
    if quote.model and model not in (None, quote.model):
        raise QuoteExpiredError(f"The quote is for {quote.model}; ask for one for {model}.")
    if quote.expires_at <= now:
        raise QuoteExpiredError("The quote has expired; ask for a new one.")


def _signature(text: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), b"quote:" + text, hashlib.sha256).digest()[:SIGNATURE_BYTES]
