"""Verify: an account's ledger is read as it is stored and audited. Nothing is ever repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit import Audit
from tollkeeper.domain.audit_findings import Findings
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import BusyError, NotFoundError
from tollkeeper.service.patience import pause
from tollkeeper.service.ports import World
from tollkeeper.store.audit import feed
from tollkeeper.store.keys import DUE_SHARDS, Key, account_key
from tollkeeper.store.rows import Item

MOST_PASSES = 3
MOST_TRIES = 5
PARTS_OF_A_SHARD = 3
SLOT_MINUTES = 24 * 60 // (DUE_SHARDS * PARTS_OF_A_SHARD)
EVER_MS = 10**15


@dataclass(frozen=True, slots=True)
class Slot:
    """Which accounts a run verifies: those of a shard, or one part in three of them."""

    shard: int
    part: int | None = None

    def has(self, account: AccountId) -> bool:
        """The account is one of them."""
        part = crc32(account.encode()) // DUE_SHARDS % PARTS_OF_A_SHARD
        return self.part is None or self.part == part


def slot_of(moment: datetime) -> Slot:
    """The accounts whose turn it is: in every half hour others, and within a day all."""
    number = (moment.hour * 60 + moment.minute) // SLOT_MINUTES
    return Slot(*divmod(number, PARTS_OF_A_SHARD))


@dataclass(frozen=True, slots=True)
class Verified:
    """What an audit of one account said; without findings where the time was over before.

    `account` is as it was read first, None where it cannot be read.
    """

    id: AccountId
    findings: Findings | None
    account: Account | None = None


@dataclass(slots=True)
class Tally:
    """What a run over many accounts found. Units: micro-credits.

    `busy` accounts could not be read to their end; they have their turn again tomorrow.
    """

    accounts: int = 0
    entries: int = 0
    findings: int = 0
    broken: int = 0
    busy: int = 0
    unexplained_microcredits: int = 0
    is_finished: bool = True


def verify_account(
    world: World, account_id: AccountId, *, has_time: Callable[[], bool]
) -> Verified:
    """What does not hold in what is stored of the account.

    Raises: NotFoundError where nothing is stored; BusyError.
    Cost: two GetItem and one Query per megabyte, half a read unit per 4 KB; all of it again, and
    strongly, where something was found.
    Why: the first pass may have read a page that was not written yet, and the rest is judged
    against the account as it was before the pass; so a finding counts once a strong pass has it.
    """
    verified = Verified(account_id, None)
    for number in range(MOST_PASSES):
        verified, has_moved = _pass(world, account_id, is_strong=number > 0, has_time=has_time)
        if verified.findings is None or verified.findings.is_clean:
            break
        if number > 0 and not has_moved:
            break
    return verified


def _pass(
    world: World, account_id: AccountId, *, is_strong: bool, has_time: Callable[[], bool]
) -> tuple[Verified, bool]:
    """One reading of everything, and whether somebody wrote the account meanwhile."""
    key = account_key(account_id)
    before = world.ledger.read_item(key)
    audit = Audit(catalog=world.catalog)
    is_empty = before is None
    if before is not None:
        feed(audit, before)
    for page in _read_pages(world, account_id, is_strong=is_strong):
        is_empty &= not page
        for item in page:
            if item["sk"] != key["sk"]:
                feed(audit, item)
        if not has_time():
            return Verified(account_id, None, audit.account), False
    if is_empty:
        raise NotFoundError(f"There is no account {account_id}.")
    has_moved = world.ledger.read_item(key) != before
    return Verified(account_id, audit.finish(has_moved=has_moved), audit.account), has_moved


def _read_pages(world: World, account: AccountId, *, is_strong: bool) -> Iterator[list[Item]]:
    items, start = _read_page(world, account, None, is_strong=is_strong)
    yield items
    while start is not None:
        items, start = _read_page(world, account, start, is_strong=is_strong)
        yield items


def _read_page(
    world: World, account: AccountId, start: Key | None, *, is_strong: bool
) -> tuple[list[Item], Key | None]:
    """A page, asked for a few times. Raises: BusyError.

    Why: a long ledger is many pages, and one throttled read must not throw away the others.
    """
    for number in range(MOST_TRIES - 1):
        try:
            return world.ledger.read_partition(account, start, is_strong=is_strong)
        except BusyError:
            pause(world, number, growth=4)
    return world.ledger.read_partition(account, start, is_strong=is_strong)


@dataclass(frozen=True, slots=True)
class Run:
    """One run over many accounts: how much time it has, and who hears of what it finds."""

    world: World
    has_time: Callable[[], bool]
    on_found: Callable[[Verified], None]
    tally: Tally = field(default_factory=Tally)

    def verify_slot(self, slot: Slot) -> None:
        """Every account whose turn it is was audited, as far as the time goes.

        Cost: one Query of the due index per 100 accounts of the shard, and for each account as
        verify_account.
        """
        try:
            self.verify_accounts(_read_accounts(self.world, slot))
        except BusyError:
            self._leave()

    def verify_accounts(self, accounts: Iterable[AccountId]) -> None:
        """These accounts were audited, as far as the time goes. Raises: what reading them does."""
        for account in accounts:
            if not self.has_time():
                self.tally.is_finished = False
                return
            self._verify_one(account)

    def _verify_one(self, account: AccountId) -> None:
        """The account is in the tally. Why: one that cannot be read must not stop the others."""
        try:
            verified = verify_account(self.world, account, has_time=self.has_time)
        except (BusyError, NotFoundError):
            self._leave()
            return
        tally, findings = self.tally, verified.findings
        if findings is None:
            tally.is_finished = False
            return
        tally.accounts += 1
        tally.entries += findings.entries
        tally.findings += findings.count
        tally.unexplained_microcredits += findings.unexplained_microcredits
        if not findings.is_clean:
            tally.broken += 1
            self.on_found(verified)

    def _leave(self) -> None:
        self.tally.busy += 1
        self.tally.is_finished = False


def _read_accounts(world: World, slot: Slot) -> Iterator[AccountId]:
    """The accounts of the slot. Why: the index holds every account, due now or in a year."""
    start: Key | None = None
    while True:
        accounts, start = world.ledger.read_due(slot.shard, until_ms=EVER_MS, start=start)
        yield from (account for account in accounts if slot.has(account))
        if start is None:
            return
