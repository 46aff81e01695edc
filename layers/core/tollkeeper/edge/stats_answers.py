"""Stats as answers."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.money import floor_div, show_usd
from tollkeeper.domain.totals import Total
from tollkeeper.domain.usage.pools import POOL_NAMES
from tollkeeper.edge.wire import Amount
from tollkeeper.service.stats import Row, Stats


def show_stats(stats: Stats, group_by: str | None) -> dict[str, Any]:
    """The rows with the member that they are grouped by, and their sum."""
    return {
        "from": stats.first.isoformat(),
        "to": stats.last.isoformat(),
        "zone": stats.zone,
        "rows": [_show_row(row, group_by) for row in stats.rows],
        "totals": show_total(stats.total),
    }


def _show_row(row: Row, group_by: str | None) -> dict[str, Any]:
    names = {
        "operation": row.key.operation,
        "model": row.key.model or None,
        "feature": row.key.label or None,
    }
    group = {group_by: names[group_by]} if group_by else {}
    return {"bucket": row.bucket, **group, **show_total(row.total)}


def show_total(total: Total) -> dict[str, Any]:
    """Runs added up, as every list of them shows it."""
    tokens = {name: count for name, count in zip(POOL_NAMES, total.tokens, strict=True) if count}
    average = floor_div(total.credits_microcredits, total.calls) if total.calls > 0 else 0
    return {
        "calls": total.calls,
        "failed": total.failed,
        "credits": Amount(total.credits_microcredits),
        "refunded": Amount(total.refunded_microcredits),
        "tokens": tokens,
        "tokens_total": sum(total.tokens),
        "cost_usd": show_usd(total.cost_picousd),
        "average_credits": Amount(average),
    }
