"""Grants folded from the rows: what each received, gave, got back, lost, and still holds."""

from __future__ import annotations

from array import array
from datetime import datetime

from tollkeeper.domain.account import Account
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_rows import NUMBERS, Row
from tollkeeper.domain.audit_shapes import rest_of, returns_draws
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.grants import Grant, GrantKind
from tollkeeper.domain.money import show_micro

# What a row does to a grant: takes from it and says what was there; puts back; leaves it with
# what the row says; lets credits wait in it; begins with those that waited.
DRAWN, RETURNED, HELD, WAITING, STARTED = range(5)
EXPIRE = NUMBERS[EntryKind.EXPIRE]

Terms = tuple[GrantKind, int, datetime, datetime | None]


class GrantFold:
    """Every movement of every grant, and then what they come to. Units: micro-credits."""

    def __init__(self, notes: Notes, touches: array[int]) -> None:
        self._notes = notes
        self._touches = touches
        self._indexes: dict[str, int] = {}
        self._terms: dict[int, Terms] = {}
        self._held: list[int] = []
        self._waiting: list[int] = []
        self._is_born = bytearray()
        self._is_gone = bytearray()
        self._ids: list[str] = []

    def add(self, entry: Entry) -> int:
        """The row's movements are kept; returns how many there were before."""
        touches = self._touches
        before = len(touches) // 4
        drawn = RETURNED if returns_draws(entry) else DRAWN
        for draw in entry.draws:
            grant = draw.grant
            amount = draw.amount_microcredits
            touches.extend((self._index(grant.id), drawn, amount, grant.remaining_microcredits))
        for draw in entry.returned:
            touches.extend((self._index(draw.grant.id), RETURNED, draw.amount_microcredits, 0))
        grant = entry.grant
        if grant is not None:
            self._add_grant(entry, grant)
        return before

    def _add_grant(self, entry: Entry, grant: Grant) -> None:
        touches = self._touches
        index = self._index(grant.id)
        if entry.key.startswith("t#start:"):
            started = self._index(entry.key.removeprefix("t#start:"))
            touches.extend((started, STARTED, entry.moved_microcredits, 0))
        what, amount = HELD, rest_of(entry)
        if not grant.has_started:
            what, amount = WAITING, entry.moved_microcredits
        touches.extend((index, what, amount, grant.remaining_microcredits))
        if grant.id == f"g{entry.seq}":
            self._terms[index] = terms_of(grant)

    def _index(self, grant_id: str) -> int:
        return self._indexes.setdefault(grant_id, len(self._indexes))

    def begin(self) -> None:
        """Nothing is held yet; the rows follow in their order."""
        size = len(self._indexes)
        self._ids = list(self._indexes)
        self._held, self._waiting = [0] * size, [0] * size
        self._is_born, self._is_gone = bytearray(size), bytearray(size)

    def step(self, seq: int, row: Row) -> None:
        """The row's movements are applied, and what it says of its grants is so."""
        touches = self._touches
        for place in range(4 * row.touches, 4 * (row.touches + row.touched), 4):
            index, what, amount, says = touches[place : place + 4]
            if not self._is_born[index]:
                self._bear(seq, index, what)
            if self._is_gone[index]:
                self._notes.add("I10", f"seq {seq}", f"{self._ids[index]} expired before")
            if what == DRAWN:
                self._expect(seq, index, says)
                self._held[index] -= amount
                if self._held[index] < 0:
                    short = f"{self._ids[index]} gives more than the {show_micro(says)} it has"
                    self._notes.add("I1", f"seq {seq}", short)
            elif what == RETURNED:
                self._held[index] += amount
            elif what == HELD:
                self._held[index] += amount
                self._expect(seq, index, says)
                self._is_gone[index] |= row.kind == EXPIRE
            else:
                self._wait(seq, index, what=what, amount=amount, says=says)

    def _bear(self, seq: int, index: int, what: int) -> None:
        """A grant begins with the row that it is named after."""
        self._is_born[index] = 1
        if what not in (HELD, WAITING) or self._ids[index] != f"g{seq}":
            self._notes.add("I1", f"seq {seq}", f"no row before it brought {self._ids[index]}")

    def _expect(self, seq: int, index: int, says: int) -> None:
        folded = self._held[index]
        if folded != says:
            what = f"it says that {self._ids[index]} holds {show_micro(says)}"
            self._notes.add("I1", f"seq {seq}", f"{what}, and its rows say {show_micro(folded)}")
            self._notes.in_grants += abs(folded - says)
            self._held[index] = says

    def _wait(self, seq: int, index: int, *, what: int, amount: int, says: int) -> None:
        self._waiting[index] += amount if what == WAITING else -amount
        if self._waiting[index] != says:
            shown = show_micro(self._waiting[index])
            text = f"{shown} wait in {self._ids[index]}, and it says {show_micro(says)}"
            self._notes.add("I1", f"seq {seq}", text)
            self._notes.in_grants += abs(self._waiting[index] - says)
            self._waiting[index] = says

    def end(self, account: Account | None) -> None:
        """What the account holds, grant by grant, is what the rows come to."""
        grants = () if account is None else account.grants
        by_id = {grant.id: grant for grant in grants}
        if len(by_id) != len(grants):
            self._notes.add("I1", "account", "two of its grants have one id")
        for grant in grants:
            if grant.id not in self._indexes:
                self._compare(grant.id, grant.remaining_microcredits, 0)
        for index, grant_id in enumerate(self._ids):
            grant = by_id.get(grant_id)
            stored = 0 if grant is None else grant.remaining_microcredits
            is_waiting = grant is not None and not grant.has_started
            held, waiting = self._held[index], self._waiting[index]
            self._compare(grant_id, 0 if is_waiting else stored, held)
            self._compare(grant_id, stored if is_waiting else 0, waiting, "what waits in it")
            if grant is not None:
                self._compare_terms(grant, index)

    def _compare(
        self, grant_id: str, stored: int, folded: int, what: str = "what it holds"
    ) -> None:
        self._notes.differ("I1", f"grant {grant_id}", stored=stored, folded=folded, what=what)
        self._notes.in_grants += abs(stored - folded)

    def _compare_terms(self, grant: Grant, index: int) -> None:
        """Kind, priority and times are those of the row that brought it.

        Why: a plan's grant ends with its period, which a change of zone moves.
        """
        brought = self._terms.get(index)
        kept = terms_of(grant)
        if brought is None or grant.kind is GrantKind.PLAN:
            brought, kept = brought and brought[:3], kept[:3]
        if brought is not None and brought != kept:
            what = f"it is {_show(kept)}, and the row that brought it says {_show(brought)}"
            self._notes.add("I1", f"grant {grant.id}", what)


def _show(terms: tuple[object, ...]) -> str:
    return " ".join(str(term) for term in terms)


def terms_of(grant: Grant) -> Terms:
    """What never changes of a grant."""
    return grant.kind, grant.priority, grant.effective_at, grant.expires_at
