"""Holds in the rows' order: each is opened once, closed once, and accounts for every credit."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_rows import NUMBERS, PART, Row
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.money import show_micro

HOLD = NUMBERS[EntryKind.HOLD]
SETTLE = NUMBERS[EntryKind.SETTLE]
RELEASE = NUMBERS[EntryKind.RELEASE]
HOLD_EXPIRED = NUMBERS[EntryKind.HOLD_EXPIRED]
HOLD_EXTENDED = NUMBERS[EntryKind.HOLD_EXTENDED]
STEPS = frozenset({SETTLE, PART, RELEASE, HOLD_EXPIRED, HOLD_EXTENDED})


@dataclass(slots=True)
class OpenHold:
    """A hold that the rows so far leave open. `seq` is of the row that opened it."""

    seq: int
    amount: int
    feature: int
    counted: int
    parts: int = 0


class Holds:
    """I9: a hold is settled, released, expired or open; only an expired one is settled late.

    Units: micro-credits. Memory: what is open, and what expired and was not settled.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._held = 0
        self.open: dict[int, OpenHold] = {}
        self._expired: set[int] = set()

    def step(self, seq: int, row: Row) -> None:
        """The row follows what is held before it."""
        self._held += row.held_change
        if row.held_after != self._held:
            what = f"it says {show_micro(row.held_after)} are held"
            self._note(seq, f"{what}, and its rows say {show_micro(self._held)}")
            self._notes.in_grants += abs(row.held_after - self._held)
            self._held = row.held_after
        if row.kind == HOLD:
            self._open(seq, row)
        elif row.kind in STEPS:
            self._step(seq, row)
        elif row.held_change:
            self._note(seq, f"it is no step of a hold and holds {show_micro(row.held_change)}")

    def _open(self, seq: int, row: Row) -> None:
        if row.hold in self.open or row.hold in self._expired:
            self._note(seq, "its hold was opened before")
        if row.held_change != row.moved:
            self._note(seq, f"it holds {show_micro(row.held_change)} of {show_micro(row.moved)}")
        self.open[row.hold] = OpenHold(seq, row.held_change, row.feature, row.counted)

    def _step(self, seq: int, row: Row) -> None:
        hold = self.open.get(row.hold)
        if hold is None:
            self._step_closed(seq, row)
            return
        hold.amount += row.held_change
        if row.kind == HOLD_EXTENDED:
            return
        if hold.amount < 0 or row.held_change > 0:
            self._note(seq, f"it uses {show_micro(-hold.amount)} more than is held")
        if row.kind == PART:
            hold.parts += 1
            return
        if hold.amount:
            self._note(seq, f"it closes its hold and leaves {show_micro(hold.amount)} in it")
        del self.open[row.hold]
        if row.kind == HOLD_EXPIRED:
            self._expired.add(row.hold)

    def _step_closed(self, seq: int, row: Row) -> None:
        is_late = row.kind == SETTLE and row.hold in self._expired and not row.held_change
        self._expired.discard(row.hold)
        if not is_late:
            self._note(seq, "its hold is not open")

    def end(self, account: Account | None) -> None:
        """The account's open holds are those that its rows leave open."""
        stored = {} if account is None else {hash(each.id): each for each in account.holds}
        for name, hold in stored.items():
            folded = self.open.pop(name, None)
            amount = 0 if folded is None else folded.amount
            if folded is None or amount != hold.amount_microcredits:
                what = f"holds {show_micro(hold.amount_microcredits)}, and its rows say"
                self._notes.add("I9", f"hold {hold.id}", f"{what} {show_micro(amount)}")
        for hold in self.open.values():
            self._note(hold.seq, "its hold was never closed, and the account has it no more")

    def _note(self, seq: int, what: str) -> None:
        self._notes.add("I9", f"seq {seq}", what)
