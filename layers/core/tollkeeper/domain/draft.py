"""A decision in the making: rows that each prove the change they explain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.alerts import ring
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import spendable_total
from tollkeeper.domain.money import LARGEST_MICROCREDITS
from tollkeeper.domain.quarantine import list_waiting
from tollkeeper.domain.totals import DayClosed


@dataclass(frozen=True, slots=True)
class ChargeReturned:
    """The mark that a charge was given back, or priced anew: one per charge, whoever asks."""

    charge: EntryKey
    by: EntryKey
    is_rerate: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What one transaction is to write: the account after, and the rows that explain it.

    `answer` is the command's own entry; None in a slice that only moves time on.
    `also` are further items that the command needs, each with a condition of its own; another
    account's decision among them is written with this one.
    """

    before: Account | None
    account: Account
    entries: tuple[Entry, ...]
    days: tuple[DayClosed, ...]
    answer: Entry | None
    also: tuple[object, ...] = ()


class Draft:
    """A decision in the making: each post adds one row and proves that it explains the change."""

    def __init__(
        self, before: Account | None, account: Account, at: datetime, catalog: Catalog
    ) -> None:
        self.before = before
        self.account = account
        self.at = at
        self.catalog = catalog
        self.entries: list[Entry] = []
        self.days: list[DayClosed] = []
        self._explained = 0 if before is None else before.available_microcredits
        self._held = 0 if before is None else before.held_microcredits
        self._clawback_debt = 0 if before is None else before.clawback_debt_microcredits

    def post(
        self, account: Account, *, key: EntryKey, kind: EntryKind, delta: int, **facts: Any
    ) -> Entry:
        """The account becomes this one and the row that explains it is added.

        Why: the assertion makes a row that does not explain its change impossible to write.
        """
        assert account.seq == self.account.seq, "a draft is changed by one row at a time"
        rung, alerts = ring(account, self.catalog, is_lower=delta < 0)
        self.account = replace(rung, seq=account.seq + 1)
        self._explained += delta
        available = self.account.available_microcredits
        assert self._explained == available, f"{kind} explains {self._explained}, not {available}"
        held = self.account.held_microcredits
        held_change, self._held = held - self._held, held
        owed = account.clawback_debt_microcredits
        owed_change, self._clawback_debt = owed - self._clawback_debt, owed
        entry = Entry(
            account=account.id,
            key=key,
            seq=self.account.seq,
            kind=kind,
            at=self.at,
            delta_microcredits=delta,
            available_after_microcredits=available,
            debt_after_microcredits=account.debt_microcredits,
            day=account.today if "run" in facts and kind is not EntryKind.HOLD else None,
            held_after_microcredits=held,
            held_change_microcredits=held_change,
            alerts=alerts,
            clawback_debt_change_microcredits=owed_change,
            **facts,
        )
        self.entries.append(entry)
        return entry

    def decide(self, answer: Entry | None, *also: object) -> Decision:
        """The finished decision, after the account was checked once more.

        Why: whatever charged a run whose price is not final, it is in the list of what waits.
        """
        account = self.account
        assert_sound(account)
        account = replace(account, version=account.version + 1)
        return Decision(
            before=self.before,
            account=account,
            entries=tuple(self.entries),
            days=tuple(self.days),
            answer=answer,
            also=(*also, *list_waiting(self.entries)),
        )


def assert_sound(account: Account) -> None:
    """The numbers that must hold do hold. Why: a bug of ours must stop before it is written."""
    life = account.lifetime
    remaining = spendable_total(account.grants)
    debt = account.debt_microcredits
    gone = life.spent + life.expired + life.adjusted_down + life.transferred_out
    gone += life.clawed_back
    come = life.granted + life.transferred_in
    left = remaining + account.held_microcredits
    assert come + debt == gone + left, "granted + debt = gone + remaining + held"
    assert 0 <= account.clawback_debt_microcredits <= debt, "what is owed is part of the debt"
    assert life.clawed_back >= 0, "no more is given back than was taken"
    assert all(g.remaining_microcredits >= 0 for g in account.grants), "no grant below zero"
    assert all(h.debt_microcredits >= 0 for h in account.holds), "no hold below zero"
    assert len({h.id for h in account.holds}) == len(account.holds), "hold ids differ"
    assert len({g.id for g in account.grants}) == len(account.grants), "grant ids differ"
    assert life.granted <= LARGEST_MICROCREDITS * 1000, "credits stay in range"
    assert account.plan.period_start_at <= account.plan.period_end_at, "periods go forward"
