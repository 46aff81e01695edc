"""What the document says about reports over all accounts, and about the search for accounts."""

from __future__ import annotations

from local.openapi.facts import OPERATORS, READING, Facts
from local.openapi.parts import STATS_ROW, TOTAL
from local.openapi.payment_answers import CURSOR
from local.openapi.schemas import (
    AMOUNT,
    COUNT,
    DAY,
    TEXT,
    Schema,
    choice,
    or_null,
    record,
    ref,
    rows,
    said,
)
from tollkeeper.domain.account import Status
from tollkeeper.edge import report_bodies as bodies
from tollkeeper.edge.bodies import StatsQuery
from tollkeeper.edge.report_routes import TOTAL_COLUMNS

SPAN: dict[str, Schema] = {
    "from": DAY,
    "to": DAY,
    "since": said(or_null(DAY), "The first day that the reports have"),
    "through": said(or_null(DAY), "The last day that is complete; later ones may still grow"),
}

REPORT_FACTS: dict[str, Facts] = {
    "GET /v1/accounts/{id}/stats": Facts(
        operation="readStats",
        tag=READING,
        summary="What ran, in the account's own days",
        notes="At most 400 days.",
        answers={200: ("Stats",)},
        codes=("not_found",),
        query=StatsQuery,
    ),
    "GET /v1/accounts": Facts(
        operation="searchAccounts",
        tag=OPERATORS,
        summary="The accounts whose ids begin so, by id",
        notes="An account that was opened a moment ago may be missing.",
        answers={200: ("FoundAccounts",)},
        query=bodies.SearchQuery,
    ),
    "GET /v1/reports/usage": Facts(
        operation="reportUsage",
        tag=OPERATORS,
        summary="What all accounts ran, from closed days",
        notes="At most 400 days and 5,000 rows. As CSV with `Accept: text/csv`.",
        answers={200: ("UsageReport",)},
        query=bodies.UsageQuery,
        csv_columns=("bucket", *TOTAL_COLUMNS),
    ),
    "GET /v1/reports/customers": Facts(
        operation="reportCustomers",
        tag=OPERATORS,
        summary="Who used most, from closed days",
        notes="A day names the 200 accounts that spent most. As CSV with `Accept: text/csv`.",
        answers={200: ("CustomersReport",)},
        query=bodies.CustomersQuery,
        csv_columns=("account", "days", *TOTAL_COLUMNS),
    ),
}

REPORT_ANSWERS: dict[str, Schema] = {
    "FoundAccount": record(
        account=TEXT,
        name=or_null(TEXT),
        status=choice(*Status),
        plan=TEXT,
        available=AMOUNT,
        held=AMOUNT,
        debt=AMOUNT,
        spent=said(AMOUNT, "In its whole life"),
        parent=said(or_null(TEXT), "The account that funds it, where it is a budget"),
        seq=COUNT,
    ),
    "FoundAccounts": record(accounts=rows(ref("FoundAccount")), next_cursor=CURSOR),
    "UsageReport": record(**SPAN, rows=rows(ref("UsageReportRow")), totals=ref("StatsTotal")),
    "UsageReportRow": STATS_ROW,
    "CustomersReport": record(
        **SPAN,
        rows=rows(ref("CustomerRow")),
        others=said(ref("StatsTotal"), "What all other accounts used"),
        totals=ref("StatsTotal"),
        unseen_at_most=said(
            AMOUNT,
            "What an account can have spent on days on which 200 others spent more; 0: nothing",
        ),
    ),
    "CustomerRow": record(
        account=TEXT,
        days=said(COUNT, "On how many of the days it is named"),
        percent=said(AMOUNT, "Its part of all credits"),
        **TOTAL,
    ),
}
