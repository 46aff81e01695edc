"""What dashboards read: history page by page, one row, and stats by every bucket and group."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.model import Row, State

from . import judging
from .amounts import credits, dollars, plain
from .calling import ACCOUNT, NTH
from .checking import assert_members, assert_rows
from .customers import Count, Customer, count_runs
from .teller import Teller

ENTRIES = "GET /v1/accounts/{id}/entries"
ENTRY = "GET /v1/accounts/{id}/entries/{key}"
BUCKETS = ["day", "week", "month"]
GROUPS = [None, "operation", "model", "feature"]
MOST_DAYS = 400


def name_bucket(day: int, bucket: str) -> str:
    """The bucket that the day is in."""
    when = date.fromordinal(day)
    if bucket == "week":
        when -= timedelta(days=when.weekday())
    return when.isoformat()[:7] if bucket == "month" else when.isoformat()


def show_count(count: Count) -> dict[str, Any]:
    """The sum as the API shows it."""
    tokens = {pool: number for pool, number in count.tokens.items() if number}
    average = count.credits // count.calls if count.calls > 0 else 0
    return {
        "calls": count.calls,
        "failed": count.failed,
        "credits": credits(count.credits),
        "refunded": credits(count.refunded),
        "tokens": tokens,
        "tokens_total": sum(tokens.values()),
        "cost_usd": dollars(count.pico),
        "average_credits": credits(average),
    }


Sums = dict[tuple[str, str | None], Count]


def add_up(
    customer: Customer, state: State, *, bucket: str, group: str | None, days: range
) -> tuple[Sums, Count]:
    """The model's rows of stats, and their sum."""
    sums: Sums = {}
    total = Count()
    for (day, (operation, model, label)), count in count_runs(customer, state).items():
        if day in days:
            names = {"operation": operation, "model": model, "feature": label}
            name = names[group] if group else None
            sums.setdefault((name_bucket(day, bucket), name), Count()).add(count)
            total.add(count)
    return sums, total


class Reading(Teller):
    """The rules of readers."""

    @rule(
        account=ACCOUNT,
        bucket=st.sampled_from(BUCKETS),
        group=st.sampled_from(GROUPS),
        before=st.sampled_from([0, 0, 1, 40]),
        span=st.sampled_from([None, 1, 8, 31, MOST_DAYS]),
    )
    def read_stats(
        self, account: str, bucket: str, group: str | None, before: int, span: int | None
    ) -> None:
        """I15: stats are the fold of the runs."""
        self.check_stats(account, bucket=bucket, group=group, before=before, span=span)

    def check_stats(
        self, account: str, *, bucket: str, group: str | None, before: int, span: int | None
    ) -> None:
        """Every row and the sum are the model's; a group with nothing in it may be shown."""
        customer = self.customers[account]
        state = customer.state(self.now())
        last = state.today - before
        first = last - (span or 30) + 1
        query = {"bucket": bucket} | ({} if group is None else {"group_by": group})
        if span is not None or before:
            query |= {"to": date.fromordinal(last).isoformat()}
            query |= {"from": date.fromordinal(first).isoformat()}
        shown = self.stack.driver.stats(account, **query)
        days = range(first, last + 1)
        sums, total = add_up(customer, state, bucket=bucket, group=group, days=days)
        found = {(row["bucket"], row.get(group or "")): row for row in shown["rows"]}
        assert len(found) == len(shown["rows"]), "no group is shown twice"
        for place in sums.keys() | found.keys():
            expected = show_count(sums.get(place, Count()))
            assert_members(found.get(place, show_count(Count())), expected)
        assert_members(shown["totals"], show_count(total))
        span_shown = {
            "from": date.fromordinal(first).isoformat(),
            "to": date.fromordinal(last).isoformat(),
            "zone": state.zone,
        }
        assert_members(shown.body, span_shown)

    @rule(account=ACCOUNT, limit=st.sampled_from([1, 2, 7]), as_csv=st.booleans())
    def page_through(self, account: str, limit: int, as_csv: bool) -> None:
        """The pages of the history are the history, newest first, each row once."""
        customer = self.customers[account]
        numbered = enumerate(customer.rows(), 1)
        expected = [judging.show_listed(customer, row, n) for n, row in numbered]
        found = self._read_csv(account, limit) if as_csv else self._read_pages(account, limit)
        if as_csv:
            expected = [_as_csv(row) for row in expected]
        assert_rows(found, expected[::-1])

    def _read_pages(self, account: str, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
            page = self.stack.driver.call(ENTRIES, path={"id": account}, query=query)
            assert len(page["entries"]) <= limit
            found += page["entries"]
            cursor = page["next_cursor"]
        return found

    def _read_csv(self, account: str, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query: dict[str, str] | None = {"limit": str(limit)}
        while query is not None:
            page = self.stack.driver.call(
                ENTRIES, path={"id": account}, query=query, headers={"accept": "text/csv"}
            )
            found += csv.DictReader(io.StringIO(page.text))
            link = page.headers.get("link", "")
            query = None
            if link:
                target = link.partition("?")[2].partition(">")[0]
                query = dict(part.split("=") for part in target.split("&"))
        return found

    @rule(account=ACCOUNT, nth=NTH, is_stale=st.booleans())
    def read_entry(self, account: str, nth: int, is_stale: bool) -> None:
        """One row is there with everything that explains it, at once."""
        customer = self.customers[account]
        state = customer.stored()
        path = {"id": account, "key": "unheard-of"}
        self.stack.weather.lag = 2 if is_stale else 0
        if state is None:
            assert self.stack.driver.call(ENTRY, path=path).status == 404
            self.stack.weather.lag = 0
            return
        rows = customer.rows()
        number = nth % len(rows)
        row = rows[-1 - number]
        answer = self.stack.driver.call(ENTRY, path=path | {"key": row.key})
        self.stack.weather.lag = 0
        found: dict[str, Any] = dict(answer.body)
        listed = judging.show_listed(customer, row, len(rows) - number)
        for member, told in (("grants_moved", row.draws), ("grants_returned", row.returned)):
            moved: dict[str, Any] = {}
            for part in found[member]:
                moved[part["grant"]] = moved.get(part["grant"], 0) + part["amount"]
            assert moved == {name: credits(amount) for name, amount in told.items()}, "I1"
        assert_members(found, listed | show_explained(customer, state, row))
        if row.kind in ("charge", "hold", "settle", "rerate", "run_failed"):
            assert found["computation"]["agrees"] is True, f"I18: {found['computation']}"

    def teardown(self) -> None:
        """I15, once more of everything."""
        for name, customer in sorted(self.customers.items()):
            if customer.runs:
                for group, bucket in zip(GROUPS, [*BUCKETS, "day"], strict=True):
                    self.check_stats(name, bucket=bucket, group=group, before=0, span=MOST_DAYS)
        super().teardown()


def show_explained(customer: Customer, state: State, row: Row) -> dict[str, Any]:
    """What one row must say beyond its line in the list."""
    kept = customer.kept.get(row.key)
    body: dict[str, Any] = {} if kept is None else kept.ask.body or {}
    by = [r.key for r in state.rows if r.run == row.run and r.kind in ("void", "refund")]
    kinds = ("charge", "settle")
    charge = [r.key for r in state.rows if r.run == row.run and r.kind in kinds]
    anew = [r.key for r in state.rows if r.run == row.run and r.kind == "rerate"]
    is_back = row.kind in ("void", "refund", "rerate")
    members: dict[str, Any] = {
        "amount": credits(row.moved),
        "held": credits(row.held),
        "debt": credits(row.debt),
        "debt_change": credits(row.debt_change),
        "clawback_debt_change": credits(row.owed_change),
        "refers_to": charge[0] if is_back else None,
        "returned_by": by[0] if by and row.kind in kinds else None,
        "rerated_by": anew[0] if anew and row.kind in kinds else None,
        "metadata": body.get("metadata"),
        "hold_id": row.hold,
        "expired": credits(row.expired),
        "uncollected": credits(row.uncollected),
        "alerts": list(row.alerts),
    }
    if not row.key.startswith(("t~", "s~")) and row.kind != "hold_expired":
        members |= {"actor": "service:test", "reason": body.get("reason")}
    if row.run is not None:
        pools = customer.runs[row.run].pools
        asked = customer.kept[charge[0] if charge else row.key].ask.body or {}
        members["tokens"] = pools if "usage" in asked else None
        members["response_time_ms"] = asked.get("response_time_ms")
    return members


def _as_csv(row: dict[str, Any]) -> dict[str, Any]:
    def text(value: Any) -> str:
        return "" if value is None else str(value)

    amounts = {name: row[name] for name in ("delta", "available_after", "charged")}
    shown = {n: "" if v is None else plain(int(v.scaleb(6))) for n, v in amounts.items()}
    return {name: shown.get(name, text(row[name])) for name in COLUMNS}


COLUMNS = (
    *("seq", "at", "kind", "delta", "available_after", "charged"),
    *("operation", "model", "feature", "key"),
)
