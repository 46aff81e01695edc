"""What must hold after every single write: looked at as it happens, with who wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from simulation.deployment import Invocation
from simulation.hold_watch import HoldBook
from simulation.price_watch import PriceBook
from simulation.spend_watch import SpendBook
from simulation.subscription_watch import PlanBook
from tests.property.model_prices import Standing
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.grants import Grant, GrantKind
from tollkeeper.store.items import account_from_item, entry_from_item
from tollkeeper.store.rows import Item

if TYPE_CHECKING:
    from simulation.store import Commit

LARGEST = 10**15
# Why: costs are counted in millionths of a millionth of a dollar, far above any amount.
MONEY = ("delta", "after", "charged", "da", "dc", "od")
TRANSFERS = frozenset({EntryKind.TRANSFER_OUT, EntryKind.TRANSFER_IN})
# What a frozen account does not do, though a settle of what was held before goes on.
SPENDING = frozenset({EntryKind.CHARGE, EntryKind.HOLD, EntryKind.HOLD_EXTENDED})
FLOORED = frozenset(
    {EntryKind.CHARGE, EntryKind.HOLD, EntryKind.ADJUSTMENT, EntryKind.TRANSFER_OUT}
)


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

    def overdraft_of(self, account: Account) -> int:
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
    """Looks at every commit. `rows` are all rows by account and key; books are by account."""

    def __init__(self, now_us: Callable[[], int], limits: Limits) -> None:
        self.violations: list[Violation] = []
        self.rows: dict[str, dict[str, Written]] = {}
        self.accounts: dict[str, Kept] = {}
        self.holds: dict[str, HoldBook] = {}
        self.spending: dict[str, SpendBook] = {}
        self.prices: dict[str, PriceBook] = {}
        self.plans = PlanBook()
        self._now_us = now_us
        self._limits = limits

    def blame(self, rule: str, where: str, what: str) -> None:
        """The rule is broken."""
        self.violations.append(Violation(rule, where, what))

    def standing(self, account: str, key: str) -> Standing | None:
        """What the price of that row stood on; None of one that came without its account."""
        book = self.prices.get(account)
        return None if book is None else book.standings.get(key)

    def blame_open(self, by: datetime) -> None:
        """No hold is open whose time was over by then: I22."""
        for name, book in self.holds.items():
            for hold_id, hold in book.seen.items():
                if hold.state == "open" and hold.expires_at <= by:
                    self.blame("I22", f"{name} {hold_id}", f"is open after {hold.expires_at}")

    def see(self, commit: Commit, by: Invocation | None) -> None:
        """The commit is judged."""
        self._owner(commit, by)
        self.plans.note_links(commit.puts, self.blame)
        self.plans.note_billings(commit.puts, self.blame)
        entries: dict[str, list[Entry]] = {}
        accounts: dict[str, tuple[Item | None, Item]] = {}
        for (pk, sk), old, new in commit.puts:
            self._once(f"{pk} {sk}", old, new)
            if new is not None and sk.startswith("E#"):
                entries.setdefault(pk, []).append(self._row(new, by))
            elif new is not None and sk == "A":
                accounts[pk] = (old, new)
        for pk, account in accounts.items():
            self._account(*account, entries.get(pk, []), by)
        for pk in entries.keys() - accounts.keys():
            self.blame("I17", f"{pk} {entries[pk][0].key}", "a row without its account")
        self._transfers([entry for rows in entries.values() for entry in rows])

    def _owner(self, commit: Commit, by: Invocation | None) -> None:
        """A command is about the account that its request named, and its budget where it does."""
        touched = {pk for (pk, _), _, _ in commit.puts if pk.startswith("A#")}
        if by is None or not by.account:
            if len(touched) > 1:
                self.blame("I20", ", ".join(sorted(touched)), "one command wrote two accounts")
            return
        if not touched <= {f"A#{by.account}", f"A#{by.partner}"}:
            self.blame("I20", by.account, f"its request wrote {touched}")

    def _transfers(self, entries: list[Entry]) -> None:
        """What one account gives another one gets, in the same write."""
        out = sum(e.moved_microcredits for e in entries if e.kind is EntryKind.TRANSFER_OUT)
        into = sum(e.moved_microcredits for e in entries if e.kind is EntryKind.TRANSFER_IN)
        moving = {e.account for e in entries if e.kind in TRANSFERS}
        if out != into or len(moving) not in (0, 2):
            where = str(entries[-1].key)
            self.blame("transfer", where, f"{out} went out and {into} came in, of {moving}")
        closed = next((e for e in entries if "closed" in e.details), None)
        if closed is not None:
            self._closing(closed, next((e for e in entries if "budget" in e.details), None))

    def _closing(self, closed: Entry, back: Entry | None) -> None:
        """A closed budget is empty, and what came from grants goes back to them, or is over."""
        child = self.accounts[closed.account].account
        if any(grant.has_started and grant.remaining_microcredits for grant in child.grants):
            self.blame("transfer", f"{child.id} {closed.key}", "is closed with credits in it")
        if back is None:
            return
        parent = self.accounts[back.account].account
        ended = self.holds[back.account].ended
        over = sum(
            draw.amount_microcredits
            for draw in closed.draws
            if is_over(self._source(closed.account, draw.grant.id), parent, back.at, ended)
        )
        if back.expired_microcredits > over:
            what = f"{back.expired_microcredits} expire, of {over} from grants that are over"
            self.blame("transfer", f"{parent.id} {back.key}", what)

        foreign = sum(
            draw.amount_microcredits
            for draw in closed.draws
            if self._source(closed.account, draw.grant.id) is None
        )
        if back.grant is not None and back.grant.amount_microcredits > foreign:
            what = f"{back.grant.amount_microcredits} in a new grant, of {foreign} from elsewhere"
            self.blame("transfer", f"{parent.id} {back.key}", what)

    def _source(self, child: str, grant_id: str) -> Grant | None:
        """The grant as it came into the budget; None where nobody transferred it."""
        for written in self.rows[child].values():
            entry = written.entry
            grant = entry.grant
            if entry.kind is EntryKind.TRANSFER_IN and grant and grant.id == grant_id:
                # What a closed budget of this one got from elsewhere has no grant to go back to.
                return grant if grant.origin is not None else None
        return None

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

    def _account(
        self, old: Item | None, new: Item, entries: list[Entry], by: Invocation | None
    ) -> None:
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
        self._books(before, account, entries, by)
        kept = self.accounts.setdefault(account.id, Kept(account))
        kept.account = account
        kept.versions.append((self._now_us(), account))

    def _books(
        self, before: Account | None, account: Account, entries: list[Entry], by: Invocation | None
    ) -> None:
        """Holds, limits and alerts are what the rows say."""
        holds = self.holds.setdefault(account.id, HoldBook())
        version = "" if by is None else by.environment.world.catalog.version
        holds.see(account, entries, version=version, blame=self.blame)
        spending = self.spending.setdefault(account.id, SpendBook())
        spending.see(before, account, entries, by=by, blame=self.blame)
        self.prices.setdefault(account.id, PriceBook()).see(account, entries, blame=self.blame)
        self.plans.see(before, account, entries, blame=self.blame)

    def _standing(self, before: Account | None, entries: list[Entry]) -> None:
        """An account that is frozen or closed does not spend."""
        if before is None or before.status is Status.ACTIVE:
            return
        for entry in entries:
            is_fund = entry.kind is EntryKind.TRANSFER_OUT and "budget" in entry.details
            if entry.kind in SPENDING or is_fund:
                self.blame("standing", f"{before.id} {entry.key}", f"charged while {before.status}")

    def _floor(self, account: Account, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.kind not in FLOORED:
                continue
            self._limit(account, entry)
            if entry.delta_microcredits < 0:
                is_transfer = entry.kind is EntryKind.TRANSFER_OUT
                floor = 0 if is_transfer else -self._limits.overdraft_of(account)
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


def is_over(source: Grant | None, parent: Account, at: datetime, ended: set[str]) -> bool:
    """The parent's grant that a budget's grant came from can take nothing back."""
    if source is None or source.origin is None:
        return False
    is_old_plan = source.origin.kind is GrantKind.PLAN
    is_old_plan = is_old_plan and source.effective_at < parent.plan.period_start_at
    is_past = source.expires_at is not None and source.expires_at <= at
    return source.origin.grant_id in ended or is_old_plan or is_past
