"""Accounts of the storm as the API shows them: looked at under way, and read whole at the end."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from tests.e2e.running_gateway import Client, Reply
from tests.e2e.socket_journal import Ask
from tests.e2e.socket_wishes import MICRO, price_micro


class ReadError(Exception):
    """What was read contradicts what was said before."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a ledger, as history lists it. Units: micro-credits."""

    seq: int
    key: str
    kind: str
    delta: int
    available_after: int
    charged: int | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One account as the API shows it: its balance, all its rows, oldest first, and its stats.

    Shape: `returned` is what each void or refund gave back, by its key. Units: micro-credits.
    """

    account: str
    available: int
    seq: int
    rows: tuple[Row, ...]
    returned: dict[str, int]
    calls: int
    failed: int
    credits: int


def micro(value: Any) -> int:
    """The amount as an integer. Units: micro-credits."""
    exact = Decimal(str(value)) * MICRO
    assert exact == int(exact), value
    return int(exact)


def parse(reply: Reply) -> Any:
    """The body with exact numbers."""
    return json.loads(reply.body, parse_float=Decimal)


def read_row(members: dict[str, Any]) -> Row:
    """The row as a list or an explanation shows it."""
    charged = members["charged"]
    return Row(
        seq=int(members["seq"]),
        key=str(members["key"]),
        kind=str(members["kind"]),
        delta=micro(members["delta"]),
        available_after=micro(members["available_after"]),
        charged=None if charged is None else micro(charged),
    )


def find_break(rows: Sequence[Row], *, last: Row | None = None) -> str:
    """Where the rows, oldest first, do not follow from one another; nothing where they do."""
    for row in rows:
        seq, available = (last.seq, last.available_after) if last else (row.seq - 1, None)
        if row.seq != seq + 1:
            return f"seq {row.seq} follows {seq}"
        if available is not None and row.available_after != available + row.delta:
            return f"seq {row.seq}: {available} and {row.delta} make {row.available_after}"
        last = row
    return ""


def look(
    client: Client, account: str, *, since_seq: int, charge: Ask | None, random: Random
) -> None:
    """The account shows at least everything that was acknowledged before.

    Raises: ReadError where it does not. What is not answered says nothing.
    """
    path = f"/v1/accounts/{account}"
    what = random.choice(("account", "entries", "stats", "entry"))
    if what == "account":
        members = _ask(client, path)
        if members is not None and members["seq"] < since_seq:
            raise ReadError(f"{account} shows seq {members['seq']} after {since_seq}")
    elif what == "entries":
        members = _ask(client, f"{path}/entries?limit=60")
        if members is not None:
            rows = [read_row(each) for each in reversed(members["entries"])]
            broken = find_break(rows)
            if broken or (rows and rows[-1].seq < since_seq):
                raise ReadError(f"{account} lists {broken or rows[-1].seq} after {since_seq}")
    elif what == "stats":
        _ask(client, f"{path}/stats?bucket=day&group_by=operation")
    elif charge is not None:
        members = _ask(client, f"/v1/accounts/{charge.account}/entries/{charge.key}")
        price = price_micro(charge.body or {})
        if members is not None and (members["key"], micro(members["charged"])) != (
            charge.key,
            price,
        ):
            raise ReadError(f"{charge.account} {charge.key} cost {price} and reads as {members}")


def _ask(client: Client, path: str) -> Any:
    """What is read; None where nobody answers now. Raises: ReadError for a refusal."""
    try:
        reply = client.ask("GET", path)
    except (OSError, http.client.HTTPException):
        return None
    if reply.status in (429, 500, 503):
        return None
    if reply.status != 200:
        raise ReadError(f"GET {path} answers {reply.status} {reply.body[:200]!r}")
    return parse(reply)


def read_rows(client: Client, account: str) -> tuple[Row, ...]:
    """All rows of the account, oldest first."""
    rows: list[Row] = []
    cursor = ""
    while True:
        page = parse(client.ask("GET", f"/v1/accounts/{account}/entries?limit=200{cursor}"))
        rows += [read_row(each) for each in page["entries"]]
        if page["next_cursor"] is None:
            return tuple(reversed(rows))
        cursor = f"&cursor={page['next_cursor']}"


def read_whole(client: Client, account: str) -> Seen:
    """The account, its rows and its stats, while nobody else is there."""
    path = f"/v1/accounts/{account}"
    shown = parse(client.ask("GET", path))
    rows = read_rows(client, account)
    totals = parse(client.ask("GET", f"{path}/stats"))["totals"]
    given = [row.key for row in rows if row.kind in ("void", "refund")]
    returned = {
        key: micro(parse(client.ask("GET", f"{path}/entries/{key}"))["amount"]) for key in given
    }
    return Seen(
        account=account,
        available=micro(shown["available"]),
        seq=int(shown["seq"]),
        rows=rows,
        returned=returned,
        calls=int(totals["calls"]),
        failed=int(totals["failed"]),
        credits=micro(totals["credits"]),
    )
