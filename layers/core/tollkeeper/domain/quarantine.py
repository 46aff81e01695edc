"""Charges that wait for their price: an unknown model was charged, and what it costs is not known.

Such a charge is final for its account until somebody prices it again; the list of what waits is
kept beside the ledger, in the same transactions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tollkeeper.domain.entries import AccountId, Entry, EntryKey, EntryKind

WAITING_KINDS = frozenset({EntryKind.CHARGE, EntryKind.SETTLE})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A charge in the list of what waits for its price. Units: micro-credits.

    `resolved_at` and `by` say when and by which row of its account it ceased to wait.
    """

    account: AccountId
    charge: EntryKey
    at: datetime
    operation: str
    model: str
    charged_microcredits: int
    resolved_at: datetime | None = None
    by: EntryKey | None = None


def is_waiting(entry: Entry) -> bool:
    """The row charged a run whose price is not final. Why: a void repeats what ran, and is none."""
    return entry.kind in WAITING_KINDS and entry.run is not None and bool(entry.run.pending)


def list_waiting(entries: Iterable[Entry]) -> tuple[Waiting, ...]:
    """Those of the rows that begin to wait."""
    return tuple(_to_waiting(entry) for entry in entries if is_waiting(entry))


def end_waiting(charge: Entry, *, at: datetime, by: EntryKey) -> tuple[Waiting, ...]:
    """The charge waits no more, where it did: a row of that key gave it back or priced it."""
    return (_to_waiting(charge, at, by),) if is_waiting(charge) else ()


def _to_waiting(
    entry: Entry, resolved_at: datetime | None = None, by: EntryKey | None = None
) -> Waiting:
    assert entry.run is not None, "what waits is a run"
    return Waiting(
        account=entry.account,
        charge=entry.key,
        at=entry.at,
        operation=entry.run.operation,
        model=entry.run.model,
        charged_microcredits=entry.moved_microcredits,
        resolved_at=resolved_at,
        by=by,
    )
