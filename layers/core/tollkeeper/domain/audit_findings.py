"""What an audit finds: one named invariant, one place, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass, field

from tollkeeper.domain.money import show_micro

MOST_FINDINGS = 100
"""How many findings of one account are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. `where` names a row, grant, day, mark or purchase."""

    invariant: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit of one account found: nothing, where its ledger explains every credit.

    `count` is of all findings, also of those that `found` has no room for.
    Units: `unexplained_microcredits` is the larger of two sums: what the rows of the account do
    not explain one after the other, and what they do not explain grant by grant and in debt;
    with what was paid for and never granted, or given back above its charge.
    """

    found: tuple[Finding, ...] = ()
    count: int = 0
    unexplained_microcredits: int = 0
    entries: int = 0

    @property
    def is_clean(self) -> bool:
        """Everything holds."""
        return self.count == 0 and self.unexplained_microcredits == 0


@dataclass(slots=True)
class Notes:
    """Findings as they come, and the three sums of what is not explained."""

    found: list[Finding] = field(default_factory=list[Finding])
    count: int = 0
    in_rows: int = 0
    in_grants: int = 0
    in_payments: int = 0

    def add(self, invariant: str, where: str, what: str) -> None:
        """The finding is counted, and kept where there is room."""
        self.count += 1
        if len(self.found) < MOST_FINDINGS:
            self.found.append(Finding(invariant, where, what))

    def differ(self, invariant: str, where: str, *, stored: int, folded: int, what: str) -> None:
        """A finding where the two amounts differ."""
        if stored != folded:
            shown = f"{what} is {show_micro(stored)}, and its rows explain {show_micro(folded)}"
            self.add(invariant, where, shown)

    def conclude(self, entries: int) -> Findings:
        """All of it as a value."""
        unexplained = max(self.in_rows, self.in_grants) + self.in_payments
        return Findings(tuple(self.found), self.count, unexplained, entries)
