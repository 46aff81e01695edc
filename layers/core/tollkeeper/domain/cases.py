"""Cases: money that came in, or should have, and needs a person to decide."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

CASE_ID = re.compile(r"case_[0-9a-f]{32}", re.ASCII)


class Resolution(StrEnum):
    """What a person decided."""

    GRANTED = "granted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Case:
    """One payment that was not turned into credits, and why.

    `account` and `purchase` are empty where the payment names none. `payment` is Stripe's id of
    the money: a payment intent, a charge or a page. `by` is the key of the request that resolved
    it, `request_hash` what that asked, and `granted` the purchase whose credits came in by it.
    Units: `amount_minor` in the currency's smallest unit, None where the event does not say.
    """

    id: str
    at: datetime
    reason: str
    event: str
    type: str
    account: str = ""
    purchase: str = ""
    payment: str = ""
    amount_minor: int | None = None
    currency: str = ""
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
    note: str = ""
    actor: str = ""
    by: str = ""
    request_hash: str = ""
    granted: str = ""
    version: int = 1


def case_id_of(subject: str) -> str:
    """The id of the case about this purchase, payment or invoice: one case per subject."""
    return f"case_{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Release:
    """What an operator decided about a case, and why.

    `account` and `credits_microcredits` are for a payment that no purchase is known for, or
    that comes on top of one. Units: micro-credits.
    """

    case: str
    resolution: Resolution
    note: str
    account: str = ""
    credits_microcredits: int | None = None


def resolved(case: Case, release: Release, *, at: datetime, granted: str = "") -> Case:
    """The case as it was decided, in its next version; `by` and who comes from the caller."""
    return replace(
        case,
        resolved_at=at,
        resolution=release.resolution,
        note=release.note,
        granted=granted,
        version=case.version + 1,
    )
