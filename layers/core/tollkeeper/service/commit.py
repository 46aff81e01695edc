"""Load, decide, write: until it is written, or it is certain that it must not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import (
    BusyError,
    IdempotencyMismatchError,
    LedgerCorruptError,
    NotFoundError,
    TollkeeperError,
)
from tollkeeper.domain.roll import begin
from tollkeeper.service.ports import World
from tollkeeper.store.client import WORST_CALL_S
from tollkeeper.store.ledger import (
    AppliedBeforeError,
    ContendedError,
    RowExistsError,
    TakenError,
    UnansweredError,
)

DEADLINE_S = 8.0
# Why: about as long as a read and a write take; few enough steps that a crowd spreads out fast.
FIRST_PAUSE_S = 0.016
PAUSE_GROWTH = 4
LONGEST_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Order:
    """A keyed command for one account. `opens_on` and `zone` matter to a new account only.

    `since_seq`: the command speaks of that row, so it is decided on an account that has it.
    `partner` is another account that the command changes too; `decide_both` then sees both, and
    `opens_partner` lets it open as a budget of this account.
    """

    account: AccountId
    key: EntryKey
    request_hash: str
    decide: Callable[[Draft], Decision | None] | None = None
    opens_on: str | None = None
    zone: str | None = None
    may_open: bool = True
    since_seq: int = 0
    partner: AccountId | None = None
    opens_partner: bool = False
    decide_both: Callable[[Draft, Draft], Decision] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is in the ledger now. `entry` is None where there was nothing to do."""

    entry: Entry | None
    was_replayed: bool = False


class _Attempts:
    """One request's patience: a deadline that every call must fit, and growing pauses."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ends_s = world.clock.monotonic_s() + DEADLINE_S
        self._pause_s = FIRST_PAUSE_S

    def check(self) -> None:
        """A call that starts now ends within the deadline. Raises: BusyError."""
        if self._world.clock.monotonic_s() + WORST_CALL_S > self._ends_s:
            raise BusyError("The account is busy; the same request with the same key is safe.")

    def pause(self) -> None:
        """Some time has passed, more each time, and not the same for two requests."""
        self.check()
        self._world.clock.pause(self._pause_s * (0.5 + self._world.ids.fraction()))
        self._pause_s = min(self._pause_s * PAUSE_GROWTH, LONGEST_PAUSE_S)
        self.check()


def commit(world: World, order: Order) -> Outcome:
    """The command is applied exactly once, now or before; or it is refused and nothing changed.

    Raises: whatever `order.decide` refuses with, only after a strong read of the account and
    then of the key; IdempotencyMismatchError; TakenError where an item that the command needs
    to be new is there; BusyError where the outcome is unknown.
    Cost: one GetItem and one TransactWriteItems where nobody else is at the account.
    """
    return _Commit(world, order).run()


class _Commit:
    """One order on its way into the ledger."""

    def __init__(self, world: World, order: Order) -> None:
        self._world = world
        self._order = order
        self._attempts = _Attempts(world)
        self._account: Account | None = None
        self._partner: Account | None = None
        self._is_strong = False
        self._has_stale_row = False
        self._in_flight: tuple[int, int] | None = None

    def run(self) -> Outcome:
        """The outcome, once it is certain."""
        self._load(is_strong=False)
        while True:
            try:
                decision = self._decide()
                outcome = self._certain(None) if decision is None else self._write(decision)
            except TollkeeperError as refusal:
                if isinstance(refusal, BusyError | LedgerCorruptError) and not isinstance(
                    refusal, TakenError
                ):
                    raise
                outcome = self._certain(refusal)
            if outcome is not None:
                return outcome

    def _load(self, *, is_strong: bool) -> None:
        """The account as the next decision sees it; a stale one that lacks the row is not."""
        self._attempts.check()
        account = self._world.ledger.read_account(self._order.account, is_strong=is_strong)
        if not is_strong and (account.seq if account else 0) < self._order.since_seq:
            self._load(is_strong=True)
            return
        self._account = account
        self._is_strong = is_strong
        if self._order.partner is not None:
            self._attempts.check()
            ledger, partner = self._world.ledger, self._order.partner
            self._partner = ledger.read_account(partner, is_strong=is_strong)

    def _decide(self) -> Decision | None:
        """What to write next: the command, or a slice of the time that passed before it."""
        order, world = self._order, self._world
        if self._account is None and not order.may_open:
            raise NotFoundError(f"There is no account {order.account}.")
        draft, is_rolled = begin(
            self._account,
            order.account,
            now=world.clock.now(),
            catalog=world.catalog,
            plan_id=order.opens_on,
            zone=order.zone,
        )
        if not is_rolled:
            return draft.decide(None)
        if order.decide is not None:
            return order.decide(draft)
        return self._decide_both(draft)

    def _decide_both(self, draft: Draft) -> Decision:
        """The command on both accounts, or a slice of the time that passed for the other one.

        Why: both stand at one moment, so that no credits come to an account before they began.
        """
        order, world = self._order, self._world
        assert order.partner is not None and order.decide_both is not None, "it is for two"
        if self._partner is None and not order.opens_partner:
            raise NotFoundError(f"There is no account {order.partner}.")
        other, is_rolled = begin(
            self._partner,
            order.partner,
            now=max(world.clock.now(), draft.at),
            catalog=world.catalog,
            plan_id=draft.account.plan.id,
            zone=draft.account.zone,
            parent=order.account,
        )
        return order.decide_both(draft, other) if is_rolled else other.decide(None)

    def _certain(self, refusal: TollkeeperError | None) -> Outcome | None:
        """The stored answer where the key was applied, else the refusal, or nothing to do.

        None where the decision was not on a strong read and must be made again.
        """
        if not self._is_strong:
            self._load(is_strong=True)
            return None
        self._attempts.check()
        applied = self._world.ledger.read_entry(self._order.account, self._order.key)
        if applied is not None:
            return self._replay(applied)
        if refusal is not None:
            if self._in_flight == self._versions():
                # What was sent before was no refusal, and may be written yet: only time has passed.
                raise BusyError("The ledger did not answer in time.") from refusal
            raise refusal
        return Outcome(None)

    def _versions(self) -> tuple[int, int]:
        """What a write on the accounts as they were read depends on."""
        account, partner = self._account, self._partner
        return account.version if account else 0, partner.version if partner else 0

    def _replay(self, applied: Entry) -> Outcome:
        if applied.request_hash != self._order.request_hash:
            raise IdempotencyMismatchError(
                "This key was used before for another request; nothing was changed."
            )
        return Outcome(applied, was_replayed=True)

    def _write(self, decision: Decision) -> Outcome | None:
        """The outcome where the command is written; None where it must be decided again."""
        self._attempts.check()
        try:
            self._world.ledger.write_decision(decision)
        except AppliedBeforeError as applied:
            return self._replay(applied.entry)
        except RowExistsError as error:
            if self._has_stale_row:
                raise LedgerCorruptError(f"{self._order.account}: {error.detail}") from error
            self._has_stale_row = True
            self._load(is_strong=True)
        except (ContendedError, UnansweredError) as lost:
            if isinstance(lost, UnansweredError) and decision.answer is not None:
                self._in_flight = self._versions()
            # The account is read after the pause, not kept from before it: by then a busy one
            # has moved on, and a decision on what it was would lose again.
            self._attempts.pause()
            self._load(is_strong=True)
        else:
            if decision.account.id == self._order.account:
                self._account = decision.account
            else:
                self._partner = decision.account
            return None if decision.answer is None else Outcome(decision.answer)
        return None
