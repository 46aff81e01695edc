"""What a price depends on beside its run, folded from the rows alone: plan and volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tests.property.model_prices import Standing
from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import Entry, EntryKind

Blame = Callable[[str, str, str], None]
PRICED = frozenset({EntryKind.CHARGE, EntryKind.HOLD, EntryKind.SETTLE})
CHARGES = frozenset({EntryKind.CHARGE, EntryKind.SETTLE})
ENDS = frozenset({EntryKind.VOID, EntryKind.REFUND, EntryKind.RERATE})
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """A charge as its row tells of it, and in which period. Units: `volume` in millionths."""

    feature: str
    volume: int
    period: int


@dataclass
class PriceBook:
    """One account's plan and volumes, as its rows tell of them, and what each price stood on.

    `standings` are what the price of a row was for, `parts` how often a hold was settled; `ended`
    is by which row a charge was given back or priced anew; `waiting` are those that wait for it.
    Units: `volumes` in millionths.
    """

    plan: str = ""
    period: int = 0
    volumes: dict[str, int] = field(default_factory=dict[str, int])
    charges: dict[str, Counted] = field(default_factory=dict[str, Counted])
    standings: dict[str, Standing] = field(default_factory=dict[str, Standing])
    parts: dict[str, int] = field(default_factory=dict[str, int])
    ended: dict[str, Entry] = field(default_factory=dict[str, Entry])
    waiting: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def copy(self) -> PriceBook:
        """The same; what is noted in one is not in the other."""
        return replace(
            self,
            volumes=dict(self.volumes),
            charges=dict(self.charges),
            standings=dict(self.standings),
            parts=dict(self.parts),
            ended=dict(self.ended),
            waiting=dict(self.waiting),
        )

    def see(self, account: Account, entries: list[Entry], *, blame: Blame) -> None:
        """The rows of one write are judged: I18."""
        for entry in entries:
            for what in self._fold(entry):
                blame("I18", f"{account.id} {entry.key}", what)
        mine = {name: used for name, used in self.volumes.items() if used}
        there = {name: used for name, used in account.volumes.items() if used}
        if mine != there:
            blame("I18", account.id, f"volumes are {there}, rows say {mine}")

    def _fold(self, entry: Entry) -> Iterator[str]:
        if entry.kind is EntryKind.RESET:
            self.plan, self.volumes = entry.details["plan"], {}
            self.period += 1
        elif entry.kind in PRICED:
            yield from self._charge(entry)
        elif entry.kind in ENDS:
            yield from self._end(entry)

    def _charge(self, entry: Entry) -> Iterator[str]:
        run = entry.run
        assert run is not None
        before = self.volumes.get(run.feature, 0)
        is_first = not self.parts.get(entry.hold)
        standing = Standing(self.plan, Fraction(before, MICRO), is_first=is_first)
        self.standings[entry.key] = standing
        if run.volume_micro and run.volume_before_micro != before:
            yield f"was priced after {run.volume_before_micro}, rows say {before}"
        if sum(line.credits_microcredits for line in run.lines) != _asked(entry):
            yield f"its lines do not come to {_asked(entry)}: {run.lines}"
        if entry.kind not in CHARGES:
            return
        if entry.hold:
            self.parts[entry.hold] = self.parts.get(entry.hold, 0) + 1
        self.volumes[run.feature] = before + run.volume_micro
        self.charges[entry.key] = Counted(run.feature, run.volume_micro, self.period)
        if run.pending:
            self.waiting[entry.key] = entry

    def _end(self, entry: Entry) -> Iterator[str]:
        charge = str(entry.refers_to)
        if charge in self.ended:
            first = self.ended[charge]
            yield f"{charge} had a {first.kind} before this {entry.kind}: {first.key}"
        if entry.kind is EntryKind.RERATE and charge not in self.waiting:
            yield f"{charge} did not wait for a price"
        self.ended[charge] = entry
        self.waiting.pop(charge, None)
        counted = self.charges.get(charge)
        if counted is None:
            yield f"{charge} is no charge of this account"
            return
        if entry.kind is EntryKind.VOID and counted.period == self.period:
            left = self.volumes.get(counted.feature, 0) - counted.volume
            self.volumes[counted.feature] = max(0, left)


def _asked(entry: Entry) -> int:
    """The price of the run, collected or not."""
    return entry.moved_microcredits + entry.uncollected_microcredits
