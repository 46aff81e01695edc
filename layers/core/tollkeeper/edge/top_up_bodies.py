"""Request bodies of top-ups and promo codes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from tollkeeper.edge.bodies import StrictBody, StrictQuery
from tollkeeper.edge.members import USUAL_ROWS, Id, Micro, Moment, Reason, Rows

Url = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2048)]
CODE = r"^[A-Za-z0-9-]{3,40}$"
MOST_PER_MONTH = 1_000
MOST_DAYS = 3_650


def _say_code(value: object) -> object:
    """The value as it is. Raises: ValueError that says what a code may be, for another text."""
    if isinstance(value, str) and not re.fullmatch(CODE, value):
        raise ValueError("must be 3 to 40 of A-Z a-z 0-9 -")
    return value


CodeText = Annotated[str, BeforeValidator(_say_code), StringConstraints(strict=True, pattern=CODE)]


class TopUpBody(StrictBody):
    """PUT /v1/accounts/{id}/top-up: the rule as it is to be, whole."""

    pack: Id
    below: Micro
    most_purchases: int = Field(default=10, ge=1, le=MOST_PER_MONTH)
    monthly_cap: Micro | None = None
    on: bool = True
    return_url: Url | None = None
    disputes: Literal["cleared"] | None = None
    reason: Reason | None = None


class CodeBody(StrictBody):
    """POST /v1/codes."""

    code: CodeText
    credits: Micro
    reason: Reason
    most_redemptions: int | None = Field(default=None, ge=1, le=10**9)
    expires_at: Moment | None = None
    grant_days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    plans: list[Id] = Field(default_factory=list[str], max_length=50)


class RedeemBody(StrictBody):
    """POST /v1/accounts/{id}/redeem."""

    code: CodeText


class CodesQuery(StrictQuery):
    """GET /v1/codes."""

    limit: Rows = USUAL_ROWS
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
