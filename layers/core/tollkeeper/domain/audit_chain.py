"""The rows one after the other: numbers, balances, debt and time follow from row to row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_rows import EPOCH, MILLISECOND, NUMBERS, Names, Row
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.money import show_micro

ON_CREDIT = frozenset({NUMBERS[EntryKind.CHARGE], NUMBERS[EntryKind.HOLD]})


class Chain:
    """I2 and I3: what each row says of the account follows from the row before it."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._seq = 0
        self._available = 0
        self._debt = 0
        self._at_ms = 0
        self.rows = 0

    def step(self, seq: int, row: Row) -> None:
        """The row follows the one before it."""
        notes = self._notes
        self.rows += 1
        before = row.after - row.delta
        debt_before = row.debt_after - row.debt_change
        is_next = seq == self._seq + 1
        if not is_next:
            self._miss(seq)
        notes.in_rows += abs(before - self._available)
        notes.in_grants += abs(debt_before - self._debt)
        if is_next and before != self._available:
            shown = show_micro(self._available)
            what = f"it begins with {show_micro(before)}, and the row before it ends with {shown}"
            notes.add("I2", f"seq {seq}", what)
        if is_next and debt_before != self._debt:
            shown = show_micro(self._debt)
            what = f"it begins with a debt of {show_micro(debt_before)}, and there was {shown}"
            notes.add("I1", f"seq {seq}", what)
        if row.at_ms < self._at_ms:
            moment = (EPOCH + row.at_ms * MILLISECOND).astimezone(UTC).isoformat()
            notes.add("I2", f"seq {seq}", f"its time {moment} is before the last row's")
        self._judge_debt(seq, row)
        self._seq, self._available = seq, row.after
        self._debt, self._at_ms = row.debt_after, row.at_ms

    def _miss(self, seq: int) -> None:
        """Rows between the last one and this one are not there."""
        first, last = self._seq + 1, seq - 1
        where = f"seq {first}" if first == last else f"seq {first} to {last}"
        self._notes.add("I2", where, "is not there")

    def _judge_debt(self, seq: int, row: Row) -> None:
        """Debt begins where nothing is left, and it alone takes an account below zero."""
        if row.debt_after < 0 or row.after < -row.debt_after:
            what = f"{show_micro(row.after)} available with a debt of {show_micro(row.debt_after)}"
            self._notes.add("I3", f"seq {seq}", what)
        elif row.debt_change > 0 and row.after != -row.debt_after:
            what = f"debt was made while {show_micro(row.after + row.debt_after)} were left"
            self._notes.add("I3", f"seq {seq}", what)

    def end(self, account: Account | None) -> None:
        """The account is as its last row leaves it, and every row up to its seq is there."""
        notes = self._notes
        available = 0 if account is None else account.available_microcredits
        debt = 0 if account is None else account.debt_microcredits
        last = 0 if account is None else account.seq
        if self._seq < last:
            self._miss(last + 1)
        elif available != self._available:
            shown = show_micro(self._available)
            what = f"{show_micro(available)} are available, and its last row says {shown}"
            notes.add("I1", "account", what)
        notes.in_rows += abs(available - self._available)
        notes.in_grants += abs(debt - self._debt)
        notes.differ("I1", "account", stored=debt, folded=self._debt, what="its debt")
        if account is not None and account.seq != self.rows:
            notes.add("I17", "account", f"it counts {account.seq} rows, and {self.rows} are there")


class Floor:
    """I3 as far as it can be known: a debt of a catalog's own prices is within its overdraft."""

    def __init__(
        self, notes: Notes, plans: Mapping[int, str], catalog: Catalog | None, names: Names
    ) -> None:
        self._notes = notes
        self._plans = plans
        self._catalog = catalog
        self._version = -1 if catalog is None else names.number(catalog.version)
        self._plan = ""
        self.is_budget = False

    def step(self, seq: int, row: Row) -> None:
        """A charge or hold on credit leaves no more debt than the plan in force allows."""
        self._plan = self._plans.get(seq, self._plan)
        if row.kind not in ON_CREDIT or row.debt_change <= 0 or row.version != self._version:
            return
        assert self._catalog is not None, "a version without a catalog is no row's"
        terms = self._catalog.plan(self._plan)
        overdraft = 0 if self.is_budget else terms.overdraft_microcredits
        if row.debt_after > overdraft:
            what = f"a debt of {show_micro(row.debt_after)}; the plan {self._plan} allows"
            self._notes.add("I3", f"seq {seq}", f"{what} {show_micro(overdraft)}")
