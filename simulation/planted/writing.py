"""Bugs of transactions: what is written together, and on which condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from simulation.planted.bug import Bug, Patches
from simulation.planted.keys import COMMIT, without_condition
from tollkeeper.domain.draft import ChargeReturned, Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import LedgerCorruptError, TollkeeperError
from tollkeeper.domain.roll import next_moment
from tollkeeper.service import sweeping
from tollkeeper.service.ports import World
from tollkeeper.store import ledger, writes
from tollkeeper.store.items import entry_from_item
from tollkeeper.store.keys import entry_key
from tollkeeper.store.ledger import ContendedError, Ledger, TakenError
from tollkeeper.store.writes import Write, decision_to_writes, returned_to_item


def blind_account(patches: Patches) -> None:
    """The account is read, computed and written over whatever is there by then."""
    own = writes.account_to_item_put

    def put(account: Any, due_ms: int, version: int) -> dict[str, Any]:
        return {"Item": own(account, due_ms, version)["Item"]}

    patches.replace(writes, "account_to_item_put", put)


def _write_parts(first: str, patches: Patches) -> None:
    def write_decision(self: Any, decision: Decision) -> None:
        slots = decision_to_writes(decision)
        account, rest = slots[:1], slots[1:]
        parts = [account, rest] if first == "account" else [rest, account]
        for part in parts:
            if part:
                self._write(part)

    patches.replace(Ledger, "write_decision", write_decision)


def balance_then_row(patches: Patches) -> None:
    """The balance is written, then the row that explains it."""
    _write_parts("account", patches)


def row_then_balance(patches: Patches) -> None:
    """The row is written, then the balance that it explains."""
    _write_parts("row", patches)


def _reorder(patches: Patches, judge: Any) -> None:
    own: Any = vars(ledger)["_read_cancellation"]

    def read(error: ClientError, slots: list[Write]) -> None:
        reasons: list[Any] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
        failed = [w.role for w, r in zip(slots, reasons, strict=True) if r["Code"] == ledger.FAILED]
        judge(failed)
        own(error, slots)

    patches.replace(ledger, "_read_cancellation", read)


def taken_before_applied(patches: Patches) -> None:
    """Of a cancelled write's reasons, a mark is judged before the own key, and for good."""
    own = COMMIT._certain

    def certain(self: Any, refusal: TollkeeperError | None) -> Any:
        if isinstance(refusal, TakenError):
            raise refusal
        return own(self, refusal)

    def judge(failed: list[str]) -> None:
        others = [role for role in failed if role not in ("account", "answer", "row")]
        if others:
            raise TakenError(others[0])

    patches.replace(COMMIT, "_certain", certain)
    _reorder(patches, judge)


def row_before_account(patches: Patches) -> None:
    """A row of time that exists is an error before the account's version explains it."""

    def judge(failed: list[str]) -> None:
        if "row" in failed:
            raise LedgerCorruptError("A row of time exists before its time.")

    _reorder(patches, judge)


def applied_is_contention(patches: Patches) -> None:
    """A write that was refused is tried again, whatever it was refused for."""

    def judge(failed: list[str]) -> None:
        if failed:
            raise ContendedError

    _reorder(patches, judge)


def blind_mark(patches: Patches) -> None:
    """The mark that a charge was given back is written over another one."""
    own = vars(writes)["_beside_to_writes"]

    def beside_to_writes(account: AccountId, also: object) -> list[Write]:
        is_mark = isinstance(also, ChargeReturned)
        slots = own(account, also)
        return [without_condition(slot) if is_mark else slot for slot in slots]

    patches.replace(writes, "_beside_to_writes", beside_to_writes)


def return_checked_outside(patches: Patches) -> None:
    """Whether a charge was given back is looked up before, and noted down after."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        marks = [each for each in decision.also if isinstance(each, ChargeReturned)]
        for mark in marks:
            there = self.read_return(decision.account.id, mark.charge)
            if there is not None and there.by != mark.by:
                raise TakenError("returned")
        own(self, replace(decision, also=()) if marks else decision)
        for mark in marks:
            item = returned_to_item(decision.account.id, mark)
            self.write_puts(Write("returned", {"Item": item}))

    patches.replace(Ledger, "write_decision", write_decision)


def no_return_mark(patches: Patches) -> None:
    """Nothing remembers that a charge was given back but the key of the request."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        own(self, replace(decision, also=()) if _returns(decision) else decision)

    patches.replace(Ledger, "write_decision", write_decision)


def _returns(decision: Decision) -> bool:
    return any(isinstance(each, ChargeReturned) for each in decision.also)


def weak_read_of_charge(patches: Patches) -> None:
    """The charge to give back is looked for in a read that may be stale."""

    def read_entry(self: Any, account: AccountId, key: EntryKey) -> Entry | None:
        item = self._get(entry_key(account, key), is_strong=False)
        return None if item is None else entry_from_item(item)

    patches.replace(Ledger, "read_entry", read_entry)


def blind_sweep(patches: Patches) -> None:
    """The sweep writes what it computed over whatever is there by then."""

    def roll_forward(world: World, account_id: AccountId) -> bool:
        account = world.ledger.read_account(account_id, is_strong=True)
        if account is None or next_moment(account).at > world.clock.now():
            return False
        now = max(world.clock.now(), account.rolled_to)
        draft = Draft(account, account, now, world.catalog)
        sweeping.roll(draft, draft.at, world.catalog)
        world.ledger.write_puts(*map(without_condition, decision_to_writes(draft.decide(None))))
        return True

    patches.replace(sweeping, "roll_forward", roll_forward)


def one_try(patches: Patches) -> None:
    """A write that lost a race is answered with an error."""
    own = COMMIT._write

    def write(self: Any, decision: Decision) -> Any:
        outcome = own(self, decision)
        if outcome is None and decision.answer is not None:
            raise RuntimeError("somebody else was faster")
        return outcome

    patches.replace(COMMIT, "_write", write)


BUGS = (
    Bug("read, then write", "the account is written without its version", blind_account),
    Bug("balance, then row", "balance and row in two writes", balance_then_row),
    Bug("row, then balance", "row and balance in two writes", row_then_balance),
    Bug("taken before applied", "a mark is judged before the own key", taken_before_applied),
    Bug("row before account", "a row of time is judged before the version", row_before_account),
    Bug("all is contention", "an applied key is tried again and again", applied_is_contention),
    Bug("blind mark", "the mark of a return is written over another", blind_mark),
    Bug("return checked outside", "a return is a read, then a mark", return_checked_outside),
    Bug("no mark of a return", "two keys give back one charge twice", no_return_mark),
    Bug("weak read of a charge", "a row is looked for in a stale read", weak_read_of_charge),
    Bug("blind sweep", "the sweep writes without a condition", blind_sweep),
    Bug("one try", "a lost race is an error", one_try),
)
