"""Items to domain values and back: the only place that knows attribute names.

Short names keep a typical account below one kilobyte, which is one write unit. Moments are
epoch milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Any

from tollkeeper.domain.account import (
    NO_OWN_LIMITS,
    Account,
    Lifetime,
    PlanState,
    Rung,
    Status,
    Windows,
)
from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind, Run
from tollkeeper.domain.grants import Draw
from tollkeeper.store.keys import account_key, due_shard, entry_key
from tollkeeper.store.paid_rows import put_paid, read_paid
from tollkeeper.store.rows import (
    STARTED,
    Item,
    dump,
    from_ms,
    grant_from_row,
    grant_to_row,
    hold_from_row,
    hold_to_row,
    limits_from_row,
    limits_to_row,
    number,
    rung_from_row,
    rung_to_row,
    seen_from_rows,
    seen_to_rows,
    string,
    to_ms,
    totals_from_rows,
    totals_to_rows,
)
from tollkeeper.store.runs import run_from_row, run_to_row

SCHEMA = 1

LIFETIME = tuple(f.name for f in fields(Lifetime))
FIRST_COUNTERS = 6
NEVER_RUNG = Rung()

HISTORY_ATTRIBUTES = ("kind", "delta", "after", "at", "op", "model", "label", "charged")


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
        "gr": string(dump([grant_to_row(g) for g in account.grants])),
        "li": string(dump(_lifetime_row(account.lifetime))),
        "wi": string(dump([account.windows.day, account.windows.month, account.windows.period])),
        "due_shard": string(due_shard(account.id)),
        "due_at": number(due_ms),
    }
    _put_names(item, account)
    _put_amounts(item, account)
    if account.features:
        item["fe"] = string(dump(dict(account.features)))
    if account.volumes:
        item["vo"] = string(dump(dict(account.volumes)))
    if account.holds:
        item["ho"] = string(dump([hold_to_row(hold) for hold in account.holds]))
    if account.limits != NO_OWN_LIMITS:
        item["lm"] = string(dump(limits_to_row(account.limits)))
    if account.seen:
        item["se"] = string(dump(seen_to_rows(account.seen)))
    if account.rung != NEVER_RUNG:
        item["al"] = string(dump(rung_to_row(account.rung)))
    if account.totals:
        item["to"] = string(dump(totals_to_rows(account.totals)))
    return item


def _put_names(item: Item, account: Account) -> None:
    """The account's and its plan's texts and days, where they are not what they mostly are."""
    plan = account.plan
    _put_if(item, "st", account.status.value if account.status is not Status.ACTIVE else "")
    _put_if(item, "zo", account.zone if account.zone != "UTC" else "")
    _put_if(item, "nz", account.next_zone)
    _put_if(item, "pn", plan.next_plan)
    _put_if(item, "pa", plan.anchor.isoformat() if plan.anchor else "")
    _put_if(item, "na", plan.next_anchor.isoformat() if plan.next_anchor else "")
    _put_if(item, "sb", plan.subscription)
    _put_if(item, "nm", account.name)
    _put_if(item, "pr", account.parent)
    put_paid(item, plan)


def _put_amounts(item: Item, account: Account) -> None:
    """Its debts and what else is a number, where there is one."""
    if account.next_zone_at is not None:
        item["nt"] = number(to_ms(account.next_zone_at))
    if account.debt_microcredits:
        item["od"] = number(account.debt_microcredits)
    if account.clawback_debt_microcredits:
        item["cb"] = number(account.clawback_debt_microcredits)
    if account.top_up_below_microcredits is not None:
        item["tu"] = number(account.top_up_below_microcredits)


def _lifetime_row(life: Lifetime) -> list[int]:
    """The counters, without the last ones that are 0. Why: most accounts never use them."""
    row: list[int] = [getattr(life, name) for name in LIFETIME]
    while len(row) > FIRST_COUNTERS and row[-1] == 0:
        row.pop()
    return row


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
            subscription=_text(item, "sb"),
            paid=read_paid(item),
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
        grants=tuple(grant_from_row(row) for row in json.loads(item["gr"]["S"])),
        debt_microcredits=_int(item, "od"),
        clawback_debt_microcredits=_int(item, "cb"),
        top_up_below_microcredits=_int(item, "tu") if "tu" in item else None,
        features=json.loads(_text(item, "fe", "{}")),
        volumes=json.loads(_text(item, "vo", "{}")),
        windows=Windows(*json.loads(item["wi"]["S"])),
        totals=totals_from_rows(json.loads(_text(item, "to", "[]"))),
        lifetime=Lifetime(*json.loads(item["li"]["S"])),
        holds=tuple(hold_from_row(row) for row in json.loads(_text(item, "ho", "[]"))),
        limits=limits_from_row(json.loads(item["lm"]["S"])) if "lm" in item else NO_OWN_LIMITS,
        rung=rung_from_row(json.loads(item["al"]["S"])) if "al" in item else NEVER_RUNG,
        parent=_text(item, "pr"),
        seen=seen_from_rows(json.loads(_text(item, "se", "[]"))),
        due_at=from_ms(_always(item, "due_at")),
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
        item["run"] = string(dump(run_to_row(entry.run)))
    for name, draws in (("dr", entry.draws), ("se", entry.settled), ("re", entry.returned)):
        if draws:
            item[name] = string(dump([_draw_to_row(draw) for draw in draws]))
    _put_hold(item, entry)
    if entry.grant is not None:
        item["gt"] = string(dump(grant_to_row(entry.grant)))
    if entry.debt_after_microcredits:
        item["da"] = number(entry.debt_after_microcredits)
    if entry.debt_change_microcredits:
        item["dc"] = number(entry.debt_change_microcredits)
    if entry.details:
        item["dt"] = string(dump(dict(entry.details)))
    if entry.day is not None:
        item["dy"] = string(entry.day.isoformat())
    _put_if(item, "h", entry.request_hash)
    _put_if(item, "rf", entry.refers_to or "")
    _put_if(item, "rs", entry.reason)
    _put_if(item, "ac", entry.actor)
    _put_if(item, "md", entry.metadata)
    _put_if(item, "wn", ",".join(entry.warnings))
    return item


def _put_hold(item: Item, entry: Entry) -> None:
    """What a row says of holds, alerts and rarer amounts, where it says anything."""
    _put_if(item, "ho", entry.hold)
    _put_if(item, "al", ",".join(entry.alerts))
    for name, amount in (
        ("ha", entry.held_after_microcredits),
        ("hc", entry.held_change_microcredits),
        ("ex", entry.expired_microcredits),
        ("un", entry.uncollected_microcredits),
        ("cc", entry.clawback_debt_change_microcredits),
    ):
        if amount:
            item[name] = number(amount)


def _read_draws(item: Item, name: str) -> tuple[Draw, ...]:
    rows = json.loads(_text(item, name, "[]"))
    return tuple(_draw_from_row(row) for row in rows)


def _draw_to_row(draw: Draw) -> list[Any]:
    """Why: a used-up grant comes back from this row, so it must know whose credits it held."""
    grant = grant_to_row(draw.grant)
    return [*grant[:7], draw.amount_microcredits, *grant[8:]]


def _draw_from_row(row: list[Any]) -> Draw:
    return Draw(grant_from_row([*row[:7], STARTED, *row[8:]]), row[7])


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
        draws=_read_draws(item, "dr"),
        settled=_read_draws(item, "se"),
        returned=_read_draws(item, "re"),
        hold=_text(item, "ho"),
        alerts=tuple(_text(item, "al").split(",")) if "al" in item else (),
        held_after_microcredits=_int(item, "ha"),
        held_change_microcredits=_int(item, "hc"),
        expired_microcredits=_int(item, "ex"),
        uncollected_microcredits=_int(item, "un"),
        clawback_debt_change_microcredits=_int(item, "cc"),
        debt_change_microcredits=_int(item, "dc"),
        grant=grant_from_row(json.loads(item["gt"]["S"])) if "gt" in item else None,
        refers_to=EntryKey(refers_to) if refers_to else None,
        reason=_text(item, "rs"),
        actor=_text(item, "ac"),
        details=json.loads(_text(item, "dt", "{}")),
        metadata=_text(item, "md"),
        warnings=tuple(warnings.split(",")) if warnings else (),
    )


def _read_run(item: Item) -> Run | None:
    """The run of a row, or of a history listing that carries only its names."""
    if "op" not in item:
        return None
    row: dict[str, Any] = json.loads(item["run"]["S"]) if "run" in item else {}
    names = item["op"]["S"], _text(item, "model"), _text(item, "label")
    return run_from_row(row, *names)
