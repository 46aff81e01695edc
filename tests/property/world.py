"""What the state machine stands on: a catalog, a ledger in memory, and its checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import (
    Catalog,
    ClawbackPolicy,
    Flat,
    Local,
    ModelPrice,
    Operation,
    Per1kTokens,
    PerUnit,
    PlanTerms,
    Rollover,
)
from tollkeeper.domain.draft import ChargeReturned, Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import AlreadyRefundedError, TollkeeperError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.roll import begin
from tollkeeper.domain.rules import Tier, VolumeTerms
from tollkeeper.domain.totals import Total, TotalKey
from tollkeeper.store.items import (
    account_from_item,
    account_to_item,
    entry_from_item,
    entry_to_item,
)

from .model import Plan

PLANS = {
    "free": Plan(10_000_000, limits={"call": 3}),
    "rolling": Plan(20_000_000, from_opening=True, rollover="all", forgives=True),
    "capped": Plan(15_000_000, rollover="capped", cap=4_000_000, overdraft=6_000_000),
    "bare": Plan(0, overdraft=2_500_000, limits={"call": 5, "chat": 2}),
}


def _terms(name: str, plan: Plan) -> PlanTerms:
    return PlanTerms(
        id=name,
        name=name,
        allocation_microcredits=plan.allocation,
        anchor="opening" if plan.from_opening else "calendar",
        rollover=Rollover(plan.rollover),
        rollover_cap_microcredits=plan.cap,
        overdraft_microcredits=plan.overdraft,
        clawback=ClawbackPolicy.FLOOR if plan.forgives else ClawbackPolicy.DEBT,
        features=plan.limits,
    )


GPT = ModelPrice("gpt-4", ("gpt-4", "gpt-4-*"), 60_000_000, {"input": 30, "output": 60})
OPERATIONS = {
    "call": Operation("call", "Call", Flat(1_000_000), "call"),
    "video": Operation("video", "Video", Flat(7_000_000), "video"),
    "minute": Operation("minute", "Minute", PerUnit(333_333, "minute", fractional=True), "minute"),
    "chat": Operation("chat", "Chat", Per1kTokens((GPT,)), "chat"),
    "page": Operation(
        "page",
        "Page",
        Flat(2_000_001),
        "page",
        terms=VolumeTerms(
            minimum_microcredits=900_000,
            free_micro=3_000_000,
            tiers=(Tier(6_000_000, 33_333_000), Tier(9_000_000, 150_000_000)),
        ),
        by_account=True,
        counts_volume=True,
    ),
    "exact": Operation("exact", "Exact", PerUnit(1_000_000, "unit", fractional=True), "exact"),
    "own": Operation("own", "Own machine", Local(), "own"),
}
# The same price as a catalog file has it, for the second reading.
PAGE: dict[str, Any] = {
    "operations": {
        "page": {
            "rule": "flat",
            "credits": "2.000001",
            "minimum": "0.9",
            "free_allowance": 3,
            "tiers": [{"above": 6, "percent": "33.333"}, {"above": 9, "percent": 150}],
        }
    },
    "plans": {name: {} for name in PLANS},
}
CATALOG = Catalog(
    version="v1",
    plans={name: _terms(name, plan) for name, plan in PLANS.items()},
    default_plan="free",
    operations=OPERATIONS,
)
ACCOUNT = AccountId("user_1")
Days = dict[date, dict[TotalKey, Total]]


class TakenTwiceError(Exception):
    """The ledger was asked to write a key that it has: the bug that must never be."""


@dataclass
class MemoryLedger:
    """One account, written as the table would write it: all or nothing, each key once."""

    account: Account | None = None
    catalog: Catalog = CATALOG
    entries: dict[EntryKey, Entry] = field(default_factory=dict[EntryKey, Entry])
    days: Days = field(default_factory=dict[date, dict[TotalKey, Total]])
    returned: dict[EntryKey, EntryKey] = field(default_factory=dict[EntryKey, EntryKey])
    purchases: dict[str, Purchase] = field(default_factory=dict[str, Purchase])
    transactions: int = 0

    def submit(
        self,
        key: EntryKey,
        now: datetime,
        decide: Callable[[Draft], Decision | None],
        *,
        plan: str | None = None,
        zone: str | None = None,
    ) -> tuple[Entry | None, bool]:
        """The command's row, and whether it was there before; a refusal is raised.

        The order is the design's: what was applied before is answered before any refusal.
        """
        while True:
            draft, is_rolled = begin(
                self.account, ACCOUNT, now=now, catalog=self.catalog, plan_id=plan, zone=zone
            )
            if not is_rolled:
                self._write(draft.decide(None))
                continue
            try:
                decision = decide(draft)
            except TollkeeperError:
                if key in self.entries:
                    return self.entries[key], True
                raise
            if decision is None or key in self.entries:
                return self.entries.get(key), True
            self._refuse_second_return(decision)
            self._write(decision)
            assert decision.answer is not None
            return self.entries[key], False

    def touch(self, now: datetime) -> None:
        """What a sweep does: time is applied, nothing else."""
        is_rolled = False
        while not is_rolled:
            draft, is_rolled = begin(self.account, ACCOUNT, now=now, catalog=self.catalog)
            self._write(draft.decide(None))

    def _refuse_second_return(self, decision: Decision) -> None:
        for also in decision.also:
            if isinstance(also, ChargeReturned) and also.charge in self.returned:
                raise AlreadyRefundedError(also.charge)

    def _write(self, decision: Decision) -> None:
        self.transactions += 1
        assert decision.account.version == (self.account.version if self.account else 0) + 1
        assert len(decision.entries) + len(decision.days) + 2 <= 90, "it fits one transaction"
        for entry in decision.entries:
            if entry.key in self.entries:
                raise TakenTwiceError(entry.key)
            stored = entry_from_item(entry_to_item(entry))
            assert stored == entry, "a row survives being stored"
            self.entries[entry.key] = stored
        for day in decision.days:
            if day.day in self.days:
                raise TakenTwiceError(day.day)
            self.days[day.day] = dict(day.totals)
        for also in decision.also:
            assert isinstance(also, ChargeReturned)
            self.returned[also.charge] = also.by
        self.account = account_from_item(account_to_item(decision.account, due_ms=0))
        assert self.account == decision.account, "an account survives being stored"
