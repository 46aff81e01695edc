"""Items to domain values and back: the only place that knows attribute names.

Short names keep a typical account below one kilobyte, which is one write unit. Moments are
epoch milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tollkeeper.domain.account import Account, Lifetime, PlanState, Status, Windows
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, Line, Run
from tollkeeper.domain.grants import Draw, Grant, GrantKind
from tollkeeper.domain.totals import NO_TOKENS, Total, TotalKey, Totals
from tollkeeper.domain.usage_pools import TokenPools
from tollkeeper.store.keys import account_key, due_shard, entry_key

SCHEMA = 1
Item = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LIFETIME = tuple(f.name for f in fields(Lifetime))

HISTORY_ATTRIBUTES = ("kind", "delta", "after", "at", "op", "model", "label", "charged")


def number(value: int) -> Item:
    """Shape: {"N": ...}."""
    return {"N": str(value)}


def string(value: str) -> Item:
    """Shape: {"S": ...}."""
    return {"S": value}


def to_ms(moment: datetime) -> int:
    """The moment in whole epoch milliseconds."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """The moment in UTC."""
    return EPOCH + ms * MILLISECOND


# Why: made once; `json.dumps` with options makes an encoder for every call.
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _grant_row(grant: Grant) -> list[Any]:
    expires = 0 if grant.expires_at is None else to_ms(grant.expires_at)
    row: list[Any] = [
        grant.id,
        grant.kind.value,
        grant.priority,
        grant.amount_microcredits,
        grant.remaining_microcredits,
        to_ms(grant.effective_at),
        expires,
    ]
    return row if grant.has_started else [*row, 0]


def _read_grant(row: list[Any]) -> Grant:
    return Grant(
        id=row[0],
        kind=GrantKind(row[1]),
        priority=row[2],
        amount_microcredits=row[3],
        remaining_microcredits=row[4],
        effective_at=from_ms(row[5]),
        expires_at=from_ms(row[6]) if row[6] else None,
        has_started=len(row) == 7,
    )


def totals_to_rows(totals: Totals) -> list[list[Any]]:
    """The totals as rows: key, counts, then tokens up to the last pool that is not 0."""
    rows: list[list[Any]] = []
    for key, total in sorted(totals.items()):
        tokens = list(total.tokens)
        while tokens and tokens[-1] == 0:
            tokens.pop()
        rows.append(
            [
                key.operation,
                key.model,
                key.label,
                total.calls,
                total.failed,
                total.credits_microcredits,
                total.refunded_microcredits,
                total.cost_picousd,
                *tokens,
            ]
        )
    return rows


def totals_from_rows(rows: list[list[Any]]) -> Totals:
    """The inverse of totals_to_rows."""
    return {
        TotalKey(row[0], row[1], row[2]): Total(
            *row[3:8], tokens=(*row[8:], *NO_TOKENS[len(row) - 8 :])
        )
        for row in rows
    }


def account_to_item(account: Account, *, due_ms: int) -> Item:
    """The account item. Units: about 300 bytes and 60 more per grant."""
    plan = account.plan
    item = account_key(account.id) | {
        "sv": number(SCHEMA),
        "v": number(account.version),
        "q": number(account.seq),
        "pl": string(plan.id),
        "pg": number(plan.generation),
        "ps": number(to_ms(plan.period_start_at)),
        "pe": number(to_ms(plan.period_end_at)),
        "td": string(account.today.isoformat()),
        "ro": number(to_ms(account.rolled_to)),
        "gr": string(_dump([_grant_row(g) for g in account.grants])),
        "li": string(_dump([getattr(account.lifetime, name) for name in LIFETIME])),
        "wi": string(_dump([account.windows.day, account.windows.month, account.windows.period])),
        "due_shard": string(due_shard(account.id)),
        "due_at": number(due_ms),
    }
    _put_if(item, "st", account.status.value if account.status is not Status.ACTIVE else "")
    _put_if(item, "zo", account.zone if account.zone != "UTC" else "")
    _put_if(item, "nz", account.next_zone)
    _put_if(item, "pn", plan.next_plan)
    _put_if(item, "pa", plan.anchor.isoformat() if plan.anchor else "")
    _put_if(item, "na", plan.next_anchor.isoformat() if plan.next_anchor else "")
    _put_if(item, "nm", account.name)
    if account.next_zone_at is not None:
        item["nt"] = number(to_ms(account.next_zone_at))
    if account.overdraft_debt_microcredits:
        item["od"] = number(account.overdraft_debt_microcredits)
    if account.features:
        item["fe"] = string(_dump(dict(account.features)))
    if account.totals:
        item["to"] = string(_dump(totals_to_rows(account.totals)))
    return item


def _put_if(item: Item, name: str, text: str) -> None:
    if text:
        item[name] = string(text)


def _text(item: Item, name: str, default: str = "") -> str:
    return item[name]["S"] if name in item else default


def _int(item: Item, name: str) -> int:
    """The number, or 0 where it is written only if it is something else."""
    return int(item[name]["N"]) if name in item else 0


def _always(item: Item, name: str) -> int:
    """A number that every item of its kind has. Why: 0 for a lost one would be believed."""
    return int(item[name]["N"])


def _date(item: Item, name: str) -> date | None:
    return date.fromisoformat(item[name]["S"]) if name in item else None


def account_from_item(item: Item) -> Account:
    """The account as it was written."""
    today = _date(item, "td")
    assert today is not None, "an account has a day"
    return Account(
        id=AccountId(item["pk"]["S"][2:]),
        plan=PlanState(
            id=item["pl"]["S"],
            generation=_always(item, "pg"),
            period_start_at=from_ms(_always(item, "ps")),
            period_end_at=from_ms(_always(item, "pe")),
            anchor=_date(item, "pa"),
            next_plan=_text(item, "pn"),
            next_anchor=_date(item, "na"),
        ),
        zone=_text(item, "zo", "UTC"),
        today=today,
        rolled_to=from_ms(_always(item, "ro")),
        version=_always(item, "v"),
        seq=_always(item, "q"),
        status=Status(_text(item, "st", "active")),
        next_zone=_text(item, "nz"),
        next_zone_at=from_ms(_int(item, "nt")) if "nt" in item else None,
        name=_text(item, "nm"),
        grants=tuple(_read_grant(row) for row in json.loads(item["gr"]["S"])),
        overdraft_debt_microcredits=_int(item, "od"),
        features=json.loads(_text(item, "fe", "{}")),
        windows=Windows(*json.loads(item["wi"]["S"])),
        totals=totals_from_rows(json.loads(_text(item, "to", "[]"))),
        lifetime=Lifetime(*json.loads(item["li"]["S"])),
    )


RUN_TEXTS = (("f", "feature"), ("s", "service"), ("t", "subtype"), ("pv", "price_version"))


def _run_to_row(run: Run) -> dict[str, Any]:
    """What history does not list of a run. Shape: a small object with short names."""
    row: dict[str, Any] = {short: getattr(run, name) for short, name in RUN_TEXTS}
    row["n"] = run.feature_count
    row["q"] = run.quantity_micro
    row["c"] = run.cost_picousd
    row["ms"] = run.response_time_ms
    row["oc"] = None if run.occurred_at is None else to_ms(run.occurred_at)
    row["p"] = run.pools.nonzero() if run.pools is not None else None
    row["l"] = [[x.item, x.quantity, x.rate, x.credits_microcredits] for x in run.lines]
    row["w"] = list(run.warnings)
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def _run_from_row(row: dict[str, Any], item: Item) -> Run:
    occurred = row.get("oc")
    return Run(
        operation=_text(item, "op"),
        model=_text(item, "model"),
        label=_text(item, "label"),
        feature=row.get("f", ""),
        feature_count=row.get("n", 0),
        service=row.get("s", ""),
        subtype=row.get("t", ""),
        quantity_micro=row.get("q"),
        pools=TokenPools(**row["p"]) if "p" in row else None,
        cost_picousd=row.get("c"),
        lines=tuple(Line(*line) for line in row.get("l", [])),
        price_version=row.get("pv", ""),
        response_time_ms=row.get("ms"),
        occurred_at=None if occurred is None else from_ms(occurred),
        warnings=tuple(row.get("w", [])),
    )


def entry_to_item(entry: Entry) -> Item:
    """One ledger row. The history index lists the first of these attributes."""
    item = entry_key(entry.account, entry.key) | {
        "sv": number(SCHEMA),
        "entry_seq": number(entry.seq),
        "kind": string(entry.kind.value),
        "delta": number(entry.delta_microcredits),
        "after": number(entry.available_after_microcredits),
        "at": number(to_ms(entry.at)),
        "charged": number(entry.moved_microcredits),
    }
    if entry.run is not None:
        item["op"] = string(entry.run.operation)
        _put_if(item, "model", entry.run.model)
        _put_if(item, "label", entry.run.label)
        item["run"] = string(_dump(_run_to_row(entry.run)))
    if entry.draws:
        draws = [[*_grant_row(d.grant)[:7], d.amount_microcredits] for d in entry.draws]
        item["dr"] = string(_dump(draws))
    if entry.grant is not None:
        item["gt"] = string(_dump(_grant_row(entry.grant)))
    if entry.debt_after_microcredits:
        item["da"] = number(entry.debt_after_microcredits)
    if entry.debt_change_microcredits:
        item["dc"] = number(entry.debt_change_microcredits)
    if entry.details:
        item["dt"] = string(_dump(dict(entry.details)))
    if entry.day is not None:
        item["dy"] = string(entry.day.isoformat())
    _put_if(item, "h", entry.request_hash)
    _put_if(item, "rf", entry.refers_to or "")
    _put_if(item, "rs", entry.reason)
    _put_if(item, "ac", entry.actor)
    _put_if(item, "md", entry.metadata)
    _put_if(item, "wn", ",".join(entry.warnings))
    return item


def entry_from_item(item: Item) -> Entry:
    """The row as it was written."""
    refers_to = _text(item, "rf")
    warnings = _text(item, "wn")
    return Entry(
        account=AccountId(item["pk"]["S"][2:]),
        key=EntryKey(item["sk"]["S"][2:]),
        seq=_always(item, "entry_seq"),
        kind=EntryKind(item["kind"]["S"]),
        at=from_ms(_always(item, "at")),
        delta_microcredits=_always(item, "delta"),
        available_after_microcredits=_always(item, "after"),
        debt_after_microcredits=_int(item, "da"),
        moved_microcredits=_always(item, "charged"),
        request_hash=_text(item, "h"),
        run=_read_run(item),
        day=_date(item, "dy"),
        draws=tuple(
            Draw(_read_grant(row[:7]), row[7]) for row in json.loads(_text(item, "dr", "[]"))
        ),
        debt_change_microcredits=_int(item, "dc"),
        grant=_read_grant(json.loads(item["gt"]["S"])) if "gt" in item else None,
        refers_to=EntryKey(refers_to) if refers_to else None,
        reason=_text(item, "rs"),
        actor=_text(item, "ac"),
        details=json.loads(_text(item, "dt", "{}")),
        metadata=_text(item, "md"),
        warnings=tuple(warnings.split(",")) if warnings else (),
    )


def _read_run(item: Item) -> Run | None:
    """The run of a row, or of a history listing that carries only its names."""
    if "run" in item:
        return _run_from_row(json.loads(item["run"]["S"]), item)
    if "op" in item:
        return _run_from_row({}, item)
    return None
