"""Any order of commands and any jumps of time leave the account where the model says."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from tollkeeper.domain.charges import (
    Charge,
    decide_run_failed,
    refuse_unable,
)
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.errors import (
    InsufficientCreditsError,
    TollkeeperError,
)
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    ChangeStanding,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
    decide_standing,
    is_on_plan,
)
from tollkeeper.domain.roll import next_moment

from .agreement import check_agrees, check_rows
from .auditing import audit_ledger
from .buying import Buying
from .drawing import (
    AMOUNTS,
    LASTING,
    OPERATIONS,
    SPANS,
    STARTS,
    ZONES,
    price,
    price_exact,
    price_pages,
)
from .invariants import (
    check_expiries,
    check_fold,
    check_resets,
    check_sequence,
    fold_runs,
    look_now,
)
from .model import Happening, from_moment, replay
from .world import CATALOG, PLANS


class AccountMachine(Buying):
    """Everything that can happen to an account, in any order."""

    @initialize(
        start=st.sampled_from(STARTS), zone=st.sampled_from(ZONES), plan=st.sampled_from([*PLANS])
    )
    def open(self, start: datetime, zone: str, plan: str) -> None:
        """The account opens with its first touch."""
        self.clock = start
        self.opened = Happening(from_moment(start), "open", {"zone": zone, "plan": plan})
        command = ChangeProfile(self.key(), "h", "", name="Ada")
        self.ledger.submit(
            command.key,
            start,
            lambda draft: decide_profile_change(draft, command),
            plan=plan,
            zone=zone,
        )

    # Time.

    @rule(span=SPANS)
    def wait(self, span: timedelta) -> None:
        """Nobody touches the account for a while."""
        self.clock += span

    @rule(off=st.sampled_from([-1, 0, 1]))
    def wait_for_what_is_due(self, off: int) -> None:
        """The clock stands at, just before or just after the next due moment."""
        due = next_moment(self.account()).at + timedelta(milliseconds=off)
        self.clock = max(self.clock, due)

    @rule(seconds=st.integers(1, 300))
    def step_back(self, seconds: int) -> None:
        """Another machine's clock is behind."""
        self.clock = max(self.clock - timedelta(seconds=seconds), STARTS[3])

    @rule()
    def sweep(self) -> None:
        """The schedule touches the account; the model is not told."""
        self.ledger.touch(self.clock)

    # Callers.

    @rule(operation=st.sampled_from(OPERATIONS), size=st.integers(1, 4), tokens=st.integers(0, 150))
    def charge(self, operation: str, size: int, tokens: int) -> None:
        """A run is charged exactly when the model says that it can be paid."""
        self.charge_run(operation, price(operation, size, tokens))

    @rule(pages=st.integers(1, 5))
    def charge_pages(self, pages: int) -> None:
        """Pages cost what the period's volume makes of their price."""
        account, _ = look_now(self.ledger, self.clock)
        self.charge_run("page", price_pages(pages, account, self.state()))

    @rule(more=st.sampled_from([-1, 0, 0, 0, 1]), is_on_credit=st.booleans())
    def spend_all(self, more: int, is_on_credit: bool) -> None:
        """Everything that is there is spent, or a microcredit less, or more."""
        state = self.state()
        overdraft = PLANS[state.plan].overdraft if is_on_credit else 0
        cost = state.available() + overdraft + more
        if cost > 0:
            self.charge_run("exact", price_exact(cost))

    @rule(operation=st.sampled_from(OPERATIONS), tokens=st.integers(0, 150))
    def fail(self, operation: str, tokens: int) -> None:
        """A failed run is counted and costs nothing."""
        priced, _, _ = price(operation, 1, tokens)
        command = Charge(self.key(), "h", priced)
        self.submit(
            command.key,
            lambda draft: decide_run_failed(draft, command),
            "charge",
            operation=operation,
            cost=0,
            feature=operation,
            count=0,
            is_failed=True,
        )
        self.runs += 1

    @rule(
        nth=st.integers(0, 4),
        kind=st.sampled_from(["void", "void", "refund"]),
        part=st.integers(1, 4),
    )
    @precondition(lambda self: self.charges)
    def give_back(self, nth: int, kind: str, part: int) -> None:
        """A late charge goes back whole, or a quarter to all of it; never a second time."""
        self.return_charge(max(0, len(self.charges) - 1 - nth), EntryKind(kind), part)

    @rule(part=st.integers(1, 4))
    @precondition(lambda self: len(self.charges) > len(self.ledger.returned))
    def give_back_the_first(self, part: int) -> None:
        """The first charge that is still whole goes back: its grants may be long gone."""
        known = [charge.key not in self.ledger.returned for charge, _ in self.charges]
        self.return_charge(known.index(True), EntryKind.VOID, part)

    # Operators.

    @rule(
        kind=st.sampled_from(["promo", "pack", "adjustment"]),
        amount=AMOUNTS,
        priority=st.sampled_from([None, None, 10, 20, 60]),
        later=SPANS,
        lasts=st.one_of(st.none(), LASTING),
    )
    @precondition(lambda self: len(self.account().grants) < 30)
    def grant(
        self,
        kind: str,
        amount: int,
        priority: int | None,
        later: timedelta,
        lasts: timedelta | None,
    ) -> None:
        """Credits come, now or later, for a while or for good."""
        effective = self.now() + later
        expires = None if lasts is None else effective + lasts
        command = GiveGrant(
            self.key(),
            "h",
            "",
            amount_microcredits=amount,
            kind=GrantKind(kind),
            priority=priority,
            effective_at=effective,
            expires_at=expires,
        )
        self.submit(
            command.key,
            lambda draft: decide_grant(draft, command),
            "grant",
            kind=kind,
            amount=amount,
            priority=priority,
            effective=from_moment(effective),
            expires=None if expires is None else from_moment(expires),
        )

    @rule(amount=AMOUNTS, is_up=st.booleans())
    def adjust(self, amount: int, is_up: bool) -> None:
        """A correction; down only as far as there is something."""
        delta = amount if is_up else -amount
        command = Adjust(self.key(), "h", "", delta_microcredits=delta)
        can = is_up or amount <= self.state().available()
        try:
            self.submit(
                command.key, lambda draft: decide_adjustment(draft, command), "adjust", delta=delta
            )
        except InsufficientCreditsError:
            assert not can
        else:
            assert can

    @rule(
        plan=st.sampled_from([*PLANS]),
        at_end=st.booleans(),
        anchor_days=st.sampled_from([None, None, None, -11, 0, 17, 40]),
    )
    def change_plan(self, plan: str, at_end: bool, anchor_days: int | None) -> None:
        """Another plan, now or at the period's end."""
        today = self.account().today
        anchor = None if anchor_days is None else today + timedelta(days=anchor_days)
        command = ChangePlan(self.key(), "h", "", plan=plan, anchor=anchor, at_period_end=at_end)

        def decide(draft: Draft) -> Decision | None:
            if is_on_plan(draft.account, command):
                return None
            return decide_plan_change(draft, command, CATALOG)

        self.submit(
            command.key,
            decide,
            "change_plan",
            plan=plan,
            anchor=None if anchor is None else anchor.toordinal(),
            at_end=at_end,
        )

    @rule(zone=st.sampled_from(ZONES))
    def move(self, zone: str) -> None:
        """The account moves to another zone."""
        command = ChangeProfile(self.key(), "h", "", zone=zone)
        self.submit(
            command.key,
            lambda draft: decide_profile_change(draft, command),
            "change_zone",
            zone=zone,
        )

    @rule(is_frozen=st.booleans())
    def freeze(self, is_frozen: bool) -> None:
        """Frozen, or active again."""
        kind = EntryKind.FREEZE if is_frozen else EntryKind.UNFREEZE
        command = ChangeStanding(self.key(), "h", "", kind=kind)
        self.submit(
            command.key,
            lambda draft: decide_standing(draft, command),
            "set_status",
            status="frozen" if is_frozen else "active",
        )

    @rule(data=st.data())
    @precondition(lambda self: self.asked)
    def repeat(self, data: st.DataObject) -> None:
        """A key that was applied answers its row again and moves nothing but time."""
        key, decide = data.draw(st.sampled_from(self.asked))
        first, before = self.ledger.entries[key], len(self.ledger.entries)

        entry, was_there = self.ledger.submit(key, self.clock, decide)

        assert was_there and entry == first
        assert len(self.ledger.entries) >= before
        assert all(row.startswith("t#") for row in [*self.ledger.entries][before:])

    # What must hold after every step.

    @invariant()
    def the_model_agrees(self) -> None:
        """Balances, grants, period, counters and windows are what the model works out."""
        if self.ledger.account is None:
            return
        account, _ = look_now(self.ledger, self.clock)
        check_agrees(account, self.state())

    @invariant()
    def the_ledger_is_sound(self) -> None:
        """I1, I2, I10 and I11 on what is stored."""
        if self.ledger.account is None:
            return
        check_fold(self.ledger)
        check_sequence(self.ledger)
        check_expiries(self.ledger)
        stored = replay(PLANS, self.opened, self.happened, from_moment(self.account().rolled_to))
        check_resets(self.ledger, stored.periods)
        check_rows(self.ledger, stored)

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        """The checkers that are deployed say so too."""
        if self.ledger.account is not None:
            audited = audit_ledger(self.ledger)
            assert audited.is_clean, audited
            assert audited.entries == len(self.ledger.entries)

    @invariant()
    def the_stats_are_the_runs(self) -> None:
        """I15: closed days and today are the fold of the rows, and what the model counts."""
        if self.ledger.account is None:
            return
        _, days = look_now(self.ledger, self.clock)
        shown = {(day, key): t for day, totals in days.items() for key, t in totals.items()}
        assert shown == fold_runs(self.ledger)
        counted = {
            (day.toordinal(), key.operation): [
                t.calls, t.failed, t.credits_microcredits, t.refunded_microcredits
            ]
            for (day, key), t in shown.items()
        }  # fmt: skip
        assert {place: row for place, row in counted.items() if any(row)} == self.state().stats()

    @invariant()
    def check_says_what_deduct_would(self) -> None:
        """The judgement before a call is the model's judgement."""
        if self.ledger.account is None:
            return
        account, _ = look_now(self.ledger, self.clock)
        for operation in ("call", "video"):
            priced, cost, count = price(operation, 1, 0)
            try:
                refuse_unable(account, priced, CATALOG)
                is_allowed = True
            except TollkeeperError:
                is_allowed = False
            assert is_allowed == self.state().can_pay(cost, operation, count)


TestAccount = AccountMachine.TestCase
