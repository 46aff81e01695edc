"""Refunds that operators asked for, as their purchase keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tollkeeper.domain.entries import EntryKey


@dataclass(frozen=True, slots=True)
class RefundAsk:
    """A refund that an operator asked Stripe for; `refund` is Stripe's id of it once it is made.

    Units: `amount_minor` in the currency's smallest unit.
    """

    key: EntryKey
    request_hash: str
    amount_minor: int
    at: datetime
    reason: str
    actor: str
    refund: str = ""
