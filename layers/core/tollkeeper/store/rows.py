"""Values as short rows of an item's attributes, and back: grants, holds, limits, totals.

Moments are epoch milliseconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tollkeeper.domain.account import OwnLimits, Rung
from tollkeeper.domain.catalog import Limits, SettlePolicy
from tollkeeper.domain.grants import Grant, GrantKind, Origin
from tollkeeper.domain.held import Hold, Terms
from tollkeeper.domain.seen import Seen, SeenSizes
from tollkeeper.domain.totals import NO_TOKENS, Total, TotalKey, Totals

Item = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TERMS = (
    "operation",
    "price_version",
    "feature",
    "model",
    "label",
    "service",
    "subtype",
)
ABOVE_HOLD, PRICED_AT = "above_hold", "priced_at"
LATER_TERMS = ("provider", "service_tier")
USUAL = SettlePolicy.CHARGE_AVAILABLE
# What the eighth member of a grant's row says, where it has one.
WAITING, STARTED, ENDED = 0, 1, 2


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
dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def grant_to_row(grant: Grant) -> list[Any]:
    """The grant as a row of the account item; what it is mostly is left out at the end."""
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
    state = (ENDED if grant.has_ended else STARTED) if grant.has_started else WAITING
    if grant.origin is not None:
        row += [state, _origin_to_row(grant.origin)]
    elif state != STARTED:
        row.append(state)
    return row


def grant_from_row(row: list[Any]) -> Grant:
    """The grant of the row."""
    state = row[7] if len(row) > 7 else STARTED
    origin = row[8] if len(row) > 8 else None
    return Grant(
        id=row[0],
        kind=GrantKind(row[1]),
        priority=row[2],
        amount_microcredits=row[3],
        remaining_microcredits=row[4],
        effective_at=from_ms(row[5]),
        expires_at=from_ms(row[6]) if row[6] else None,
        has_started=state != WAITING,
        has_ended=state == ENDED,
        origin=None if origin is None else _origin_from_row(origin),
    )


def _origin_to_row(origin: Origin) -> list[Any]:
    """Shape: [grant, kind, amount], with the same of where that one came from, where it did."""
    row: list[Any] = [origin.grant_id, origin.kind.value, origin.amount_microcredits]
    return row if origin.origin is None else [*row, _origin_to_row(origin.origin)]


def _origin_from_row(row: list[Any]) -> Origin:
    before = _origin_from_row(row[3]) if len(row) > 3 else None
    return Origin(row[0], GrantKind(row[1]), row[2], before)


def hold_to_row(hold: Hold) -> list[Any]:
    """The open hold as a row of the account item; what is not said at its end is left out."""
    terms: list[str | int] = [getattr(hold.terms, name) for name in TERMS]
    policy, priced_at = hold.terms.above_hold, hold.terms.priced_at
    terms.append("" if policy is USUAL else policy.value)
    terms += [getattr(hold.terms, name) for name in LATER_TERMS]
    terms.append("" if priced_at is None else to_ms(priced_at))
    while terms and terms[-1] == "":
        terms.pop()
    return [
        hold.id,
        to_ms(hold.opened_at),
        to_ms(hold.expires_at),
        hold.debt_microcredits,
        hold.extensions,
        hold.parts,
        hold.terms.feature_count,
        [[grant_id, amount] for grant_id, amount in hold.draws],
        *terms,
    ]


def hold_from_row(row: list[Any]) -> Hold:
    """The hold of the row."""
    texts: dict[str, Any] = dict(
        zip((*TERMS, ABOVE_HOLD, *LATER_TERMS, PRICED_AT), row[8:], strict=False)
    )
    above_hold = SettlePolicy(texts.pop(ABOVE_HOLD, "") or USUAL)
    priced_at = texts.pop(PRICED_AT, None)
    return Hold(
        id=row[0],
        opened_at=from_ms(row[1]),
        expires_at=from_ms(row[2]),
        terms=Terms(
            **texts,
            feature_count=row[6],
            above_hold=above_hold,
            priced_at=None if priced_at is None else from_ms(priced_at),
        ),
        draws=tuple((grant_id, amount) for grant_id, amount in row[7]),
        debt_microcredits=row[3],
        extensions=row[4],
        parts=row[5],
    )


def limits_to_row(own: OwnLimits) -> list[Any]:
    """The account's own limits as a row."""
    operator, user = own.operator, own.user
    thresholds = None if own.thresholds is None else list(own.thresholds)
    levels = [operator.day, operator.month, operator.run, user.day, user.month, user.run]
    return [*levels, thresholds, own.low_balance_microcredits]


def limits_from_row(row: list[Any]) -> OwnLimits:
    """The limits of the row."""
    return OwnLimits(
        operator=Limits(*row[0:3]),
        user=Limits(*row[3:6]),
        thresholds=None if row[6] is None else tuple(row[6]),
        low_balance_microcredits=row[7],
    )


def rung_to_row(rung: Rung) -> list[int]:
    """The alerts that have rung as a row."""
    low = -1 if rung.is_low is None else int(rung.is_low)
    row = [low, rung.day, rung.month, rung.period]
    while row and row[-1] == 0:
        row.pop()
    return row


def rung_from_row(row: list[int]) -> Rung:
    """The alerts of the row."""
    low, day, month, period = (*row, *[0] * (4 - len(row)))
    return Rung(None if low < 0 else bool(low), day, month, period)


def seen_to_rows(seen: SeenSizes) -> list[list[Any]]:
    """Shape: [operation, calls, mean, low, high], the ends left out where all are the mean."""
    rows: list[list[Any]] = []
    for operation, each in sorted(seen.items()):
        ends = [each.low, each.high] if (each.low, each.high) != (each.mean, each.mean) else []
        rows.append([operation, each.calls, each.mean, *ends])
    return rows


def seen_from_rows(rows: list[list[Any]]) -> SeenSizes:
    """The inverse of seen_to_rows."""
    return {row[0]: Seen(*row[1:], *([row[2], row[2]] if len(row) == 3 else [])) for row in rows}


def totals_to_rows(totals: Totals) -> list[list[Any]]:
    """The totals as rows: key, counts, then tokens up to the last pool that is not 0."""
    return [
        [key.operation, key.model, key.label, *total_to_row(total)]
        for key, total in sorted(totals.items())
    ]


def totals_from_rows(rows: list[list[Any]]) -> Totals:
    """The inverse of totals_to_rows."""
    return {TotalKey(row[0], row[1], row[2]): total_from_row(row[3:]) for row in rows}


def total_to_row(total: Total) -> list[int]:
    """The total's counts, then tokens up to the last pool that is not 0."""
    tokens = list(total.tokens)
    while tokens and tokens[-1] == 0:
        tokens.pop()
    return [
        total.calls,
        total.failed,
        total.credits_microcredits,
        total.refunded_microcredits,
        total.cost_picousd,
        *tokens,
    ]


def total_from_row(row: list[int]) -> Total:
    """The inverse of total_to_row."""
    return Total(*row[:5], tokens=(*row[5:], *NO_TOKENS[len(row) - 5 :]))
