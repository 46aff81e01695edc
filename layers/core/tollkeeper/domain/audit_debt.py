"""What is owed for money that went back: how much of the debt it is, from row to row."""

from __future__ import annotations

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_rows import NUMBERS, PART, Row
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.money import show_micro

CLAWBACK = NUMBERS[EntryKind.CLAWBACK]
ON_CREDIT = frozenset({NUMBERS[EntryKind.CHARGE], NUMBERS[EntryKind.HOLD]})
FREEING = frozenset(
    {NUMBERS[EntryKind.SETTLE], PART, NUMBERS[EntryKind.RELEASE], NUMBERS[EntryKind.HOLD_EXPIRED]}
)
"""Rows that give back overdraft which was not used, beside what they pay."""


class Owed:
    """I1 and I3 for the part of the debt that is owed for money that went back.

    A clawback alone adds to it, and whatever pays debt pays it first. Units: micro-credits.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._changes: dict[int, int] = {}
        self._owed = 0

    def add(self, entry: Entry) -> None:
        """The row's change is kept. Why: most rows have none, so it is no number of each row."""
        if entry.clawback_debt_change_microcredits:
            self._changes[entry.seq] = entry.clawback_debt_change_microcredits

    def step(self, seq: int, row: Row) -> None:
        """The row changes it as a row of its kind does, and it stays a part of the debt."""
        before, change = self._owed, self._changes.get(seq, 0)
        self._owed = before + change
        least, most = _bounds(row, before)
        if not least <= change <= most:
            shown = f"{show_micro(before)} are owed for money that went back, and it changes that"
            self._notes.add("I1", f"seq {seq}", f"{shown} by {show_micro(change)}")
        if not 0 <= self._owed <= row.debt_after:
            what = f"{show_micro(self._owed)} of a debt of {show_micro(row.debt_after)} are owed"
            self._notes.add("I3", f"seq {seq}", f"{what} for money that went back")
        if before and row.kind in ON_CREDIT and row.debt_change > 0:
            what = f"it spends on credit while {show_micro(before)} are owed"
            self._notes.add("I3", f"seq {seq}", f"{what} for money that went back")

    def end(self, account: Account | None) -> None:
        """The account owes what its rows come to."""
        stored = 0 if account is None else account.clawback_debt_microcredits
        what = "what it owes for money that went back"
        self._notes.differ("I1", "account", stored=stored, folded=self._owed, what=what)


def _bounds(row: Row, owed: int) -> tuple[int, int]:
    """The least and the most that a row of this kind may change what is owed by.

    Why: of a hold's rows nobody can tell how much was paid, and how much overdraft was unused.
    """
    if row.kind == CLAWBACK:
        return row.debt_change, row.debt_change
    if row.kind in FREEING:
        return -owed, 0
    paid = -min(owed, max(0, -row.debt_change))
    return paid, paid
