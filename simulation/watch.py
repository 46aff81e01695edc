"""What must hold after every single write: looked at as it happens, with who wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from simulation.deployment import Invocation
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.store.items import Item, account_from_item, entry_from_item

if TYPE_CHECKING:
    from simulation.store import Commit

LARGEST = 10**15
# Why: costs are counted in millionths of a millionth of a dollar, far above any amount.
MONEY = ("delta", "after", "charged", "da", "dc", "od")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be: which rule, where, and what was seen."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.what}"


class Limits(Protocol):
    """What plans allow, in whichever version is kindest."""

    def overdraft_of(self, plan: str) -> int:
        """How far below nothing. Units: micro-credits."""
        ...

    def limit_of(self, plan: str, feature: str) -> int | None:
        """How often in a period; None where there is no limit."""
        ...


@dataclass
class Written:
    """One row as it was written: when, and by which invocation."""

    entry: Entry
    at_us: int
    by: Invocation | None


@dataclass
class Kept:
    """An account as the watch last saw it, and all versions before."""

    account: Account
    versions: list[tuple[int, Account]] = field(default_factory=list[tuple[int, Account]])


class Watch:
    """Looks at every commit. `rows` are all rows by account and key."""

    def __init__(self, now_us: Callable[[], int], limits: Limits) -> None:
        self.violations: list[Violation] = []
        self.rows: dict[str, dict[str, Written]] = {}
        self.accounts: dict[str, Kept] = {}
        self._now_us = now_us
        self._limits = limits

    def blame(self, rule: str, where: str, what: str) -> None:
        """The rule is broken."""
        self.violations.append(Violation(rule, where, what))

    def see(self, commit: Commit, by: Invocation | None) -> None:
        """The commit is judged."""
        self._owner(commit, by)
        entries: list[Entry] = []
        account: tuple[Item | None, Item] | None = None
        for (pk, sk), old, new in commit.puts:
            self._once(f"{pk} {sk}", old, new)
            if new is not None and sk.startswith("E#"):
                entries.append(self._row(new, by))
            elif new is not None and sk == "A":
                account = (old, new)
        if account is not None:
            self._account(*account, entries)
        elif entries:
            self.blame("I17", str(entries[0].key), "a row without its account")

    def _owner(self, commit: Commit, by: Invocation | None) -> None:
        """One command is about one account, the one that its request named: I20."""
        touched = {pk for (pk, _), _, _ in commit.puts if pk.startswith("A#")}
        if len(touched) > 1:
            self.blame("I20", ", ".join(sorted(touched)), "one command wrote two accounts")
        if by is not None and by.account and touched and touched != {f"A#{by.account}"}:
            self.blame("I20", by.account, f"its request wrote {touched}")

    def _once(self, where: str, old: Item | None, new: Item | None) -> None:
        """Rows, days and marks are written once; nothing goes but events whose time is over."""
        if new is None and not where.startswith("S#"):
            self.blame("I21", where, "was deleted")
        if old is not None and where.partition(" ")[2].startswith(("E#", "D#", "B#")):
            self.blame("I21", where, "was written a second time")

    def _row(self, item: Item, by: Invocation | None) -> Entry:
        entry = entry_from_item(item)
        for name in MONEY:
            if name in item and abs(int(item[name]["N"])) > LARGEST:
                self.blame("I19", str(entry.key), f"{name} is {item[name]['N']}")
        rows = self.rows.setdefault(entry.account, {})
        rows[entry.key] = Written(entry, self._now_us(), by)
        if by is not None:
            by.wrote.append(f"{entry.account} {entry.key}")
        return entry

    def _account(self, old: Item | None, new: Item, entries: list[Entry]) -> None:
        account = account_from_item(new)
        before = None if old is None else account_from_item(old)
        where = account.id
        if account.version != (before.version if before else 0) + 1:
            self.blame("I2", where, f"version {account.version} was written over another")
        seq, after = (before.seq, before.available_microcredits) if before else (0, 0)
        for entry in entries:
            seq, after = seq + 1, after + entry.delta_microcredits
            if entry.seq != seq:
                self.blame("I2", f"{where} {entry.key}", f"seq {entry.seq} where {seq} is next")
            if entry.available_after_microcredits != after:
                self.blame("I1", f"{where} {entry.key}", "available_after is not what was + delta")
        if account.seq != seq:
            self.blame("I17", where, f"seq {account.seq} after rows up to {seq}")
        if account.available_microcredits != after:
            self.blame(
                "I1", where, f"{account.available_microcredits} unexplained: rows say {after}"
            )
        self._floor(account, entries)
        self._standing(before, entries)
        kept = self.accounts.setdefault(account.id, Kept(account))
        kept.account = account
        kept.versions.append((self._now_us(), account))

    def _standing(self, before: Account | None, entries: list[Entry]) -> None:
        """An account that is frozen or closed does not spend."""
        if before is None or before.status is Status.ACTIVE:
            return
        for entry in entries:
            if entry.kind is EntryKind.CHARGE:
                self.blame("standing", f"{before.id} {entry.key}", f"charged while {before.status}")

    def _floor(self, account: Account, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.kind not in (EntryKind.CHARGE, EntryKind.ADJUSTMENT):
                continue
            self._limit(account, entry)
            if entry.delta_microcredits < 0:
                floor = -self._limits.overdraft_of(account.plan.id)
                if entry.available_after_microcredits < floor:
                    after = entry.available_after_microcredits
                    self.blame("I3", f"{account.id} {entry.key}", f"{after} is below {floor}")

    def _limit(self, account: Account, entry: Entry) -> None:
        """What a plan limits by count is within the limit of its plan: I16."""
        if entry.run is None or not entry.run.feature_count:
            return
        used = account.features.get(entry.run.feature, 0)
        limit = self._limits.limit_of(account.plan.id, entry.run.feature)
        if limit is not None and used > limit:
            self.blame("I16", f"{account.id} {entry.key}", f"used {used} of {limit}")
