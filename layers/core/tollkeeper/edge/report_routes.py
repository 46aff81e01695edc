"""Reports over all accounts as JSON or CSV, and what a run of the fold logs and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.domain.money import floor_div, show_micro, show_usd
from tollkeeper.domain.reports import Spent
from tollkeeper.domain.totals import Total
from tollkeeper.edge.csv_export import answer_csv, make_safe, wants_csv, write_line
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import embed_metrics, log_fact
from tollkeeper.edge.report_bodies import CustomersQuery, UsageQuery
from tollkeeper.edge.stats_answers import show_total
from tollkeeper.edge.wire import Amount
from tollkeeper.service.folding import fold_reports
from tollkeeper.service.ports import World
from tollkeeper.service.reports import Span, UsageRow, read_customers, read_usage

METRICS = ("report_days_behind", "report_accounts_late")
TOTAL_COLUMNS = ("calls", "failed", "credits", "refunded", "tokens_total", "cost_usd")
PERCENT_MICRO = 100_000_000


def answer_usage(world: World, request: Request) -> Response[str]:
    """What all accounts ran on the days asked for. Raises: InvalidError."""
    query = request.query(UsageQuery)
    usage = read_usage(world, query.first, query.last, bucket=query.bucket, group_by=query.group_by)
    group = query.group_by
    if wants_csv(request.headers):
        columns = ("bucket", *([group] if group else []), *TOTAL_COLUMNS)
        lines = (_usage_cells(row, is_grouped=group is not None) for row in usage.rows)
        return _answer_csv("usage", columns, lines)
    body = {
        **_show_span(usage.span),
        "rows": [_show_usage(row, group) for row in usage.rows],
        "totals": show_total(usage.total),
    }
    return Answer(body).to_response()


def answer_customers(world: World, request: Request) -> Response[str]:
    """The customers who used most on the days asked for. Raises: InvalidError."""
    query = request.query(CustomersQuery)
    found = read_customers(world, query.first, query.last, limit=query.limit)
    if wants_csv(request.headers):
        lines = (
            [make_safe(spent.account), str(days), *_total_cells(spent.total)]
            for spent, days in found.rows
        )
        return _answer_csv("customers", ("account", "days", *TOTAL_COLUMNS), lines)
    body = {
        **_show_span(found.span),
        "rows": [_show_customer(spent, days, found.total) for spent, days in found.rows],
        "others": show_total(found.rest),
        "totals": show_total(found.total),
        "unseen_at_most": Amount(found.unseen_microcredits),
    }
    return Answer(body).to_response()


def _show_span(span: Span) -> dict[str, Any]:
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "since": None if span.since is None else span.since.isoformat(),
        "through": None if span.through is None else span.through.isoformat(),
    }


def _show_usage(row: UsageRow, group: str | None) -> dict[str, Any]:
    named = {group: row.name or None} if group else {}
    return {"bucket": row.bucket, **named, **show_total(row.total)}


def _show_customer(spent: Spent, days: int, of: Total) -> dict[str, Any]:
    part = spent.total.credits_microcredits * PERCENT_MICRO
    share = floor_div(part, of.credits_microcredits) if of.credits_microcredits > 0 else 0
    return {
        "account": spent.account,
        "days": days,
        # Why: two decimals are what a person compares.
        "percent": Amount(share // 10_000 * 10_000),
        **show_total(spent.total),
    }


def _usage_cells(row: UsageRow, *, is_grouped: bool) -> list[str]:
    return [row.bucket, *([make_safe(row.name)] if is_grouped else []), *_total_cells(row.total)]


def _total_cells(total: Total) -> list[str]:
    return [
        str(total.calls),
        str(total.failed),
        show_micro(total.credits_microcredits),
        show_micro(total.refunded_microcredits),
        str(sum(total.tokens)),
        show_usd(total.cost_picousd),
    ]


def _answer_csv(name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Response[str]:
    text = "".join([write_line(columns), *(write_line(cells) for cells in lines)])
    return answer_csv(name, text)


def run_fold(world: World, *, has_time: Callable[[], bool], function: str) -> dict[str, Any]:
    """The reports are as far as the accounts are; what was done is logged and counted."""
    folded = fold_reports(world, has_time=has_time)
    progress = folded.progress
    through = None if progress is None else progress.through
    now = world.clock.now()
    facts: dict[str, Any] = {
        "days": folded.days,
        "accounts": folded.accounts,
        "late": folded.late,
        "through": None if through is None else through.isoformat(),
        "is_finished": folded.is_finished,
    }
    behind = 0 if progress is None else (now.date() - progress.next_day).days + 1
    values = {"report_days_behind": behind, "report_accounts_late": folded.late}
    counts = embed_metrics(values, by={"function_name": function}, at=now)
    log_fact("folded", **{**facts, **counts})
    return facts
