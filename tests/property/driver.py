"""What the state machine's rules stand on: one account, its clock, and the model beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from tollkeeper.domain.account import Account
from tollkeeper.domain.charges import Charge, GiveBack, decide_charge, decide_give_back
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, caller_key
from tollkeeper.domain.errors import AlreadyRefundedError, TollkeeperError
from tollkeeper.domain.operating import MOMENT
from tollkeeper.domain.pricing import Priced

from .drawing import STARTS
from .model import Happening, State, from_moment, replay
from .world import CATALOG, PLANS, MemoryLedger

Decide = Callable[[Draft], Decision | None]


class Driver(RuleBasedStateMachine):
    """One account, driven through the domain as the service drives it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger()
        self.clock = STARTS[0]
        self.opened = Happening(0, "open", {})
        self.happened: list[Happening] = []
        self.charges: list[tuple[Entry, int]] = []
        self.asked: list[tuple[EntryKey, Decide]] = []
        self.runs = 0
        self.keys = 0

    # What every step uses.

    def account(self) -> Account:
        """The account as it is stored."""
        assert self.ledger.account is not None
        return self.ledger.account

    def now(self) -> datetime:
        """The account's time: it never goes back, whatever the clock does."""
        return max(self.clock, self.account().rolled_to)

    def state(self) -> State:
        """What the model says of now."""
        return replay(PLANS, self.opened, self.happened, from_moment(self.now()))

    def key(self) -> EntryKey:
        """A key nobody used."""
        self.keys += 1
        return caller_key(f"k{self.keys}")

    def submit(self, key: EntryKey, decide: Decide, name: str, **facts: Any) -> Entry | None:
        """The command is applied, and told to the model; a refusal is raised and not told."""
        at = self.now()
        entry, was_there = self.ledger.submit(key, self.clock, decide)
        if entry is None or was_there:
            return entry
        if name == "change_plan":
            facts["takes_ms"] = (entry.at - at) // MOMENT
            assert facts["takes_ms"] in (0, 1)
        self.happened.append(Happening(from_moment(at), name, facts))
        self.asked.append((key, decide))
        return entry

    def charge_run(self, operation: str, run: tuple[Priced, int, int]) -> None:
        """The run is charged exactly when the model says that it can be paid."""
        priced, cost, count = run
        command = Charge(self.key(), "h", priced)
        can_pay = self.state().can_pay(cost, operation, count)
        try:
            entry = self.submit(
                command.key,
                lambda draft: decide_charge(draft, command, CATALOG),
                "charge",
                operation=operation,
                cost=cost,
                feature=operation,
                count=count,
                volume=Fraction(count if operation == "page" else 0),
            )
        except TollkeeperError:
            assert not can_pay
            return
        assert can_pay and entry is not None
        assert entry.delta_microcredits == -cost
        floor = -CATALOG.plan(self.account().plan.id).overdraft_microcredits
        assert cost == 0 or entry.available_after_microcredits >= floor, "I3"
        self.charges.append((entry, self.runs))
        self.runs += 1

    def return_charge(self, nth: int, kind: EntryKind, quarters: int) -> None:
        """The charge goes back, a refund only in part, unless it did before."""
        charge, index = self.charges[nth]
        whole = charge.moved_microcredits
        amount = None if kind is EntryKind.VOID else max(whole * quarters // 4, min(whole, 1))
        command = GiveBack(self.key(), "h", charge, kind, amount)
        is_second = charge.key in self.ledger.returned
        try:
            self.submit(
                command.key,
                lambda draft: decide_give_back(draft, command),
                "give_back",
                index=index,
                kind=kind.value,
                amount=whole if amount is None else amount,
            )
        except AlreadyRefundedError:
            assert is_second
        else:
            assert not is_second
