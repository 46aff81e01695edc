"""The queries of reports over all accounts, and of the search for accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from tollkeeper.edge.bodies import StrictQuery
from tollkeeper.edge.members import USUAL_ROWS, Day, Rows, rows_up_to

MOST_ACCOUNTS = 50
"""Accounts on a page of a search. Why: each is read by itself."""

USUAL_ACCOUNTS = 25

FewRows = Annotated[int, BeforeValidator(rows_up_to(MOST_ACCOUNTS))]
ID_PART = r"^[A-Za-z0-9_.:@|-]{1,128}$"
IdPart = Annotated[str, StringConstraints(strict=True, pattern=ID_PART)]


class UsageQuery(StrictQuery):
    """GET /v1/reports/usage."""

    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    bucket: Literal["day", "week", "month"] = "day"
    group_by: Literal["operation", "model", "feature"] | None = None


class CustomersQuery(StrictQuery):
    """GET /v1/reports/customers."""

    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    limit: Rows = USUAL_ROWS


class SearchQuery(StrictQuery):
    """GET /v1/accounts."""

    prefix: IdPart = ""
    limit: FewRows = USUAL_ACCOUNTS
    cursor: IdPart = ""
