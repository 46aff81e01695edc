"""An audit of one account: its ledger explains every credit of it, or the findings say what not.

Rows come in any order, one at a time, and are kept as a few numbers each; what must be judged in
order is judged at the end. Nothing here raises, whatever the ledger is like: a row that makes no
sense is a finding. Units: about 120 bytes a row and 32 more per grant that it moves.
"""

from __future__ import annotations

from collections.abc import Callable

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_chain import Chain, Floor
from tollkeeper.domain.audit_debt import Owed
from tollkeeper.domain.audit_findings import Findings, Notes
from tollkeeper.domain.audit_grants import GrantFold
from tollkeeper.domain.audit_holds import Holds
from tollkeeper.domain.audit_marks import Marks, Purchases
from tollkeeper.domain.audit_periods import Periods
from tollkeeper.domain.audit_rows import Rows
from tollkeeper.domain.audit_runs import Days, Lives, Spending
from tollkeeper.domain.audit_shapes import find_bad_grant, find_bad_number, judge_row
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import Entry, EntryKey
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.totals import DayClosed

LARGEST_SEQ = 10**12


class Audit:
    """The checkers of an account's ledger, fed with what is stored of it.

    What is younger than the account, as it was read first, is left out: rows above its seq and
    what belongs to them. `catalog` lets some rules be exact that are bounds without it.
    """

    def __init__(self, account: Account | None = None, catalog: Catalog | None = None) -> None:
        self.account = account
        self._catalog = catalog
        self._notes = Notes()
        self._rows = Rows()
        self._grants = GrantFold(self._notes, self._rows.touches)
        self._periods = Periods(self._notes)
        self._days = Days(self._notes)
        self._lives = Lives(self._notes)
        self._owed = Owed(self._notes)
        self._marks = Marks(self._notes)
        self._purchases = Purchases(self._notes)
        self._younger: set[EntryKey] = set()
        self._entries = 0

    def see_account(self, account: Account) -> None:
        """The account that the rows are held against, where it did not come first."""
        self.account = account

    def add(self, entry: Entry) -> None:
        """The row is judged by itself, and kept to be judged with the others."""
        try:
            self._add(entry)
        except Exception as error:  # noqa: BLE001 - a corrupt row is a finding, never an error
            self._notes.add("I21", f"row {entry.key}", _show_error(error))

    def _add(self, entry: Entry) -> None:
        account = self.account
        if account is not None and entry.seq > account.seq:
            self._younger.add(entry.key)
            return
        self._entries += 1
        bad = find_bad_number(entry)
        if bad or not 0 < entry.seq < LARGEST_SEQ:
            self._notes.add("I19", f"row {entry.key}", bad or f"{entry.seq} is no seq")
            return
        for invariant, what in judge_row(entry):
            self._notes.add(invariant, f"seq {entry.seq}", what)
        if not self._rows.put(entry, self._grants.add(entry)):
            self._notes.add("I2", f"seq {entry.seq}", f"{entry.key} has the seq of another row")
        if entry.run is not None and entry.day is not None:
            self._days.add(entry, entry.run, entry.day)
        self._lives.add(entry)
        self._owed.add(entry)
        self._periods.add(entry)
        self._marks.add_row(entry)
        self._purchases.add_row(entry)

    def add_day(self, day: DayClosed) -> None:
        """The closed day is held against its rows."""
        if self.account is not None and day.day >= self.account.today:
            self._days.early.add(day.day)
        else:
            self._try("I15", f"day {day.day}", lambda: self._days.close(day.day, day.totals))

    def add_mark(self, mark: ChargeReturned) -> None:
        """The mark is held against the row that it names."""
        self._marks.add(mark)

    def add_purchase(self, purchase: Purchase) -> None:
        """The purchase is held against the row that brought its credits."""
        self._purchases.add(purchase)

    def add_unreadable(self, where: str, what: str) -> None:
        """An item is there that no command can have written as it is."""
        self._notes.add("I21", where, what)

    def finish(self, *, has_moved: bool = False) -> Findings:
        """Everything that does not hold.

        `has_moved`: somebody wrote the account while its items were read, so what is younger
        than the account may be there.
        """
        account = self.account
        self._try("I21", "account", lambda: self._finish(account, has_moved=has_moved))
        return self._notes.conclude(self._entries)

    def _finish(self, account: Account | None, *, has_moved: bool) -> None:
        notes, rows = self._notes, self._rows
        if account is None and self._entries:
            notes.add("I17", "account", f"is not there, and {self._entries} rows are")
        if account is not None:
            _judge_numbers(account, notes)
        last = LARGEST_SEQ if account is None else account.seq
        chain = Chain(notes)
        floor = Floor(notes, self._periods.plans(), self._catalog, rows.names)
        floor.is_budget = account is not None and bool(account.parent)
        holds = Holds(notes)
        spending = Spending(notes, rows, account, given=self._marks.given, holds=holds)
        self._grants.begin()
        for seq, row in rows.walk(last):
            chain.step(seq, row)
            floor.step(seq, row)
            self._owed.step(seq, row)
            self._grants.step(seq, row)
            spending.step(seq, row)
            holds.step(seq, row)
        ends: list[Callable[[], None]] = [
            lambda: chain.end(account),
            lambda: self._grants.end(account),
            lambda: self._owed.end(account),
            lambda: holds.end(account),
            lambda: spending.end(account, self._catalog),
            lambda: self._lives.end(account),
            lambda: self._periods.end(account),
            lambda: self._days.end(account, has_moved=has_moved),
            lambda: self._marks.end(self._younger),
            lambda: self._purchases.end(account, self._younger, has_moved=has_moved),
        ]
        for end in ends:
            self._try("I21", "account", end)
        if self._younger and not has_moved:
            keys = ", ".join(sorted(self._younger)[:3])
            what = f"it counts {last} rows, and beyond it are {len(self._younger)}: {keys}"
            notes.add("I17", "account", what)

    def _try(self, invariant: str, where: str, act: Callable[[], None]) -> None:
        """The act is done, or it is a finding that it cannot be."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a corrupt ledger is a finding, never an error
            self._notes.add(invariant, where, _show_error(error))


def _show_error(error: Exception) -> str:
    return f"cannot be judged: {type(error).__name__} {error}"[:300]


def _judge_numbers(account: Account, notes: Notes) -> None:
    """I19: every amount of the account is an integer in range."""
    for grant in account.grants:
        fault = find_bad_grant(grant)
        if fault:
            notes.add("I19", f"grant {grant.id}", fault)
    life, windows = account.lifetime, account.windows
    whole = [windows.day, windows.month, windows.period, account.debt_microcredits]
    whole += [life.granted, life.purchased, life.spent, life.refunded, life.expired]
    whole += [life.adjusted_down, life.transferred_in, life.transferred_out, life.uncollected]
    whole += [life.clawed_back, account.clawback_debt_microcredits]
    whole += [hold.amount_microcredits for hold in account.holds]
    for value in (*whole, *account.features.values(), *account.volumes.values()):
        if type(value) is not int:
            notes.add("I19", "account", f"{value!r} is no amount")
