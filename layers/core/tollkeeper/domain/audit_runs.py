"""Runs counted again from their rows: days, windows, features and lifetime counters."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date

from tollkeeper.domain.account import Account, Lifetime
from tollkeeper.domain.audit_findings import Notes
from tollkeeper.domain.audit_holds import HOLD, HOLD_EXPIRED, RELEASE, Holds
from tollkeeper.domain.audit_rows import NUMBERS, PART, Names, Row, Rows
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.entries import Entry, EntryKind, Run
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.rerating import COST_CHANGE
from tollkeeper.domain.totals import MOST_TOTALS_PER_DAY, NO_TOKENS, Totals, tokens_of

CHARGE = NUMBERS[EntryKind.CHARGE]
CHARGES = frozenset({CHARGE, NUMBERS[EntryKind.SETTLE], PART})
RESET = NUMBERS[EntryKind.RESET]
VOID = NUMBERS[EntryKind.VOID]
REFUND = NUMBERS[EntryKind.REFUND]
RERATE = NUMBERS[EntryKind.RERATE]
COUNTS = ("calls", "failed", "credits", "refunded", "cost", *(["tokens"] * len(NO_TOKENS)))

Counts = list[int]
Label = tuple[str, str, str]


@dataclass(slots=True)
class DayFold:
    """One day: what its rows say less what is stored of it, so that zeros remain.

    Why: beyond the bound of totals a day counts new labels as `other`, so there only the sum
    over all labels can be compared.
    """

    by_label: dict[Label, Counts] = field(default_factory=dict[Label, Counts])
    is_wide: bool = False

    def add(self, label: Label, counts: Counts, sign: int) -> None:
        """The counts are added, or taken away."""
        if self.is_wide:
            label = ("", "", "")
        mine = self.by_label.get(label)
        if mine is None:
            mine = self.by_label[label] = [0] * len(COUNTS)
        for place, count in enumerate(counts):
            if count:
                mine[place] += sign * count
        if len(self.by_label) > MOST_TOTALS_PER_DAY:
            sums = [sum(column) for column in zip(*self.by_label.values(), strict=True)]
            self.by_label = {("", "", ""): sums}
            self.is_wide = True

    def difference(self) -> str:
        """The first count that is not zero, and by how much; or nothing."""
        for label, counts in sorted(self.by_label.items()):
            for name, count in zip(COUNTS, counts, strict=True):
                if count:
                    of = "/".join(part for part in label if part) or "all of them"
                    return f"{name} of {of} differ by {count}"
        return ""


class Days:
    """I15: closed days and today are the fold of charges, voids, refunds and failed runs."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._days: dict[int, DayFold] = {}
        self._closed: set[int] = set()
        self.early: set[date] = set()

    def add(self, entry: Entry, run: Run, day: date) -> None:
        """The row is counted on its day."""
        moved = entry.moved_microcredits
        kind = entry.kind
        if kind is EntryKind.REFUND:
            counts, sign = [0, 0, -moved, moved], 1
        elif kind is EntryKind.RUN_FAILED:
            counts, sign = [0, 1], 1
        elif kind is EntryKind.RERATE:
            cost_change = int(entry.details[COST_CHANGE])
            counts, sign = [0, 0, -entry.delta_microcredits, 0, cost_change], 1
        else:
            counts = [
                1 if run.feature_count else 0,
                0,
                moved,
                0,
                run.cost_picousd or 0,
                *tokens_of(run.pools),
            ]
            sign = -1 if kind is EntryKind.VOID else 1
        self._day(day.toordinal()).add((run.operation, run.model, run.label), counts, sign)

    def _day(self, number: int) -> DayFold:
        found = self._days.get(number)
        if found is None:
            found = self._days[number] = DayFold()
        return found

    def close(self, day: date, totals: Totals) -> None:
        """The stored day is held against its rows."""
        self._closed.add(day.toordinal())
        self._subtract(day, totals)

    def _subtract(self, day: date, totals: Totals) -> None:
        fold = self._day(day.toordinal())
        for key, total in totals.items():
            counts = [
                total.calls,
                total.failed,
                total.credits_microcredits,
                total.refunded_microcredits,
                total.cost_picousd,
                *total.tokens,
            ]
            fold.add((key.operation, key.model, key.label), counts, -1)

    def end(self, account: Account | None, *, has_moved: bool) -> None:
        """Each day's rows are what is stored of it."""
        today = 0 if account is None else account.today.toordinal()
        if account is not None:
            self._subtract(account.today, account.totals)
        for number, fold in sorted(self._days.items()):
            difference = fold.difference()
            is_stored = number in self._closed or number == today
            if difference:
                lost = "" if is_stored else "it is not stored; "
                self._notes.add("I15", f"day {date.fromordinal(number)}", lost + difference)
        late = {date.fromordinal(number) for number in self._closed if number >= today}
        for day in () if has_moved or account is None else sorted(late | self.early):
            self._notes.add("I15", f"day {day}", "it is closed and not over")


@dataclass(slots=True)
class Lives:
    """I15 for the counters of a lifetime. Units: micro-credits."""

    notes: Notes
    granted: int = 0
    purchased: int = 0
    spent: int = 0
    refunded: int = 0
    expired: int = 0
    adjusted_down: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    uncollected: int = 0
    clawed_back: int = 0

    def add(self, entry: Entry) -> None:
        """The row is counted."""
        delta, moved = entry.delta_microcredits, entry.moved_microcredits
        self.expired += entry.expired_microcredits
        self.uncollected += entry.uncollected_microcredits
        match entry.kind:
            case EntryKind.CHARGE | EntryKind.RERATE:
                self.spent -= delta
            case EntryKind.VOID | EntryKind.REFUND:
                self.spent -= delta
                self.refunded += delta
            case EntryKind.EXPIRE:
                self.expired -= delta
            case EntryKind.ADJUSTMENT if delta < 0:
                self.adjusted_down -= delta
            case EntryKind.SETTLE:
                self.spent += moved
            case EntryKind.TRANSFER_IN:
                self.transferred_in += moved
            case EntryKind.TRANSFER_OUT:
                self.transferred_out += moved
            case EntryKind.CLAWBACK | EntryKind.REINSTATE:
                self.clawed_back -= delta
            case EntryKind.HOLD | EntryKind.RELEASE | EntryKind.HOLD_EXPIRED:
                return
            case _:
                self._count_in(entry)

    def _count_in(self, entry: Entry) -> None:
        self.granted += entry.delta_microcredits
        if entry.grant is not None and entry.grant.kind is GrantKind.PACK:
            self.purchased += entry.delta_microcredits

    def end(self, account: Account | None) -> None:
        """The account's counters are these, and they balance."""
        life = Lifetime() if account is None else account.lifetime
        for name in (each.name for each in fields(Lifetime)):
            stored, folded = getattr(life, name), getattr(self, name)
            self.notes.differ("I15", "account", stored=stored, folded=folded, what=name)
        if account is None:
            return
        debt = account.debt_microcredits
        gone = life.spent + life.expired + life.adjusted_down + life.transferred_out
        gone += life.clawed_back
        inside = life.granted + life.transferred_in + debt
        outside = gone + account.available_microcredits + debt + account.held_microcredits
        what = "what came in and debt, against what is gone, remaining and held,"
        self.notes.differ("I15", "account", stored=inside, folded=outside, what=what)


class Spending:
    """I14 and I15 in the rows' order: what goes back, and what the current windows count."""

    def __init__(
        self, notes: Notes, rows: Rows, account: Account | None, *, given: set[int], holds: Holds
    ) -> None:
        self._notes = notes
        self._holds = holds.open
        self._rows = rows
        self._names: Names = rows.names
        self._given = given
        self._open: dict[int, int] = {}
        self._before: set[int] = set()
        self._since = 0
        today = date.min if account is None else account.today
        self._today = today.toordinal()
        self._month = range(today.replace(day=1).toordinal(), _month_end(today))
        self.day = self.month = self.period = 0
        self._features: dict[int, int] = {}
        self._volumes: dict[int, int] = {}
        self._versions: dict[int, set[int]] = {}

    def step(self, seq: int, row: Row) -> None:
        """The row is counted where it still counts. Why: before its hold is closed."""
        if row.kind in CHARGES:
            if row.key in self._given:
                self._open[row.key] = seq
            self._count(row, row.moved)
            self.period += row.moved
            self._count_feature(row, self._counted_by_run(row))
            self._volumes[row.feature] = self._volumes.get(row.feature, 0) + row.volume
        elif row.kind == HOLD:
            self._count_feature(row, row.counted)
        elif row.kind in (RELEASE, HOLD_EXPIRED):
            feature = self._holds[row.hold].feature if row.hold in self._holds else -1
            if feature in self._features:
                self._features[feature] -= self._counted_by_hold(row)
        elif row.kind in (VOID, REFUND, RERATE):
            self._give_back(seq, row)
        elif row.kind == RESET:
            self._since = seq
            self.period = 0
            self._features.clear()
            self._volumes.clear()
            self._versions.clear()

    def _counted_by_run(self, row: Row) -> int:
        """What the charge counts beyond its hold's opening, which may be of an earlier period."""
        hold = self._holds.get(row.hold) if row.hold else None
        if hold is not None and hold.seq <= self._since:
            self._before.add(row.key)
            return 0
        return row.counted - self._counted_by_hold(row)

    def _counted_by_hold(self, row: Row) -> int:
        """What the hold's opening counted in this period, while no part of it was settled."""
        hold = self._holds.get(row.hold) if row.hold else None
        if hold is None or hold.parts or hold.seq <= self._since:
            return 0
        return hold.counted

    def _count_feature(self, row: Row, count: int) -> None:
        self._features[row.feature] = self._features.get(row.feature, 0) + count
        self._versions.setdefault(row.feature, set()).add(row.version)

    def _count(self, charge: Row, amount: int) -> None:
        if charge.day == self._today:
            self.day += amount
        if charge.day in self._month:
            self.month += amount

    def _give_back(self, seq: int, row: Row) -> None:
        charged_at = self._open.pop(row.refers_to, 0)
        if not charged_at:
            what = "what it gives back is no charge before it, or was given back before"
            self._notes.add("I14", f"seq {seq}", what)
            self._notes.in_payments += row.moved
            return
        charge = self._rows.find(charged_at)
        if row.kind == RERATE and row.delta < 0:
            self._count(row, row.moved)
            self.period += row.moved
            return
        too_much = row.moved - charge.moved
        if too_much > 0 or (row.kind == VOID and too_much):
            what = f"it gives back {show_micro(row.moved)} of {show_micro(charge.moved)}"
            self._notes.add("I14", f"seq {seq}", what)
            self._notes.in_payments += max(0, too_much)
        self._count(charge, -row.moved)
        if charged_at > self._since:
            self.period -= row.moved
            if row.kind == VOID and row.refers_to not in self._before:
                self._features[charge.feature] -= charge.counted
            if row.kind == VOID:
                self._volumes[charge.feature] -= charge.volume

    def end(self, account: Account | None, catalog: Catalog | None) -> None:
        """The account's windows and features are these."""
        if account is None:
            return
        windows = account.windows
        for name in ("day", "month", "period"):
            stored, folded = getattr(windows, name), getattr(self, name)
            what = f"spent this {name}"
            self._notes.differ("I15", "account", stored=stored, folded=folded, what=what)
        folds = {self._names.text(number): number for number in self._features}
        counted = set(account.features)
        if catalog is not None:
            counted |= set(catalog.plan(account.plan.id).features)
        for feature in sorted(counted):
            number = folds.get(feature, -1)
            versions = {self._names.text(each) for each in self._versions.get(number, set())}
            is_exact = len(versions) <= 1 and (
                feature in account.features or (catalog and versions <= {catalog.version})
            )
            stored, folded = account.features.get(feature, 0), self._features.get(number, 0)
            if stored > folded or (is_exact and stored != folded):
                what = f"{stored} are counted, and its rows are {folded}"
                self._notes.add("I15", f"feature {feature}", what)
        self._end_volumes(account, catalog)

    def _end_volumes(self, account: Account, catalog: Catalog | None) -> None:
        """What the period used is what its rows did, of each feature that the account counts.

        Why: one that no operation counts any more may have made room for others.
        """
        folds = {self._names.text(number): used for number, used in self._volumes.items() if used}
        counted = set(account.volumes)
        if catalog is not None:
            operations = catalog.operations.values()
            counted |= {each.feature for each in operations if each.counts_volume}
        for feature in sorted(counted):
            stored, folded = account.volumes.get(feature, 0), folds.get(feature, 0)
            if stored != folded:
                what = f"{stored} millionths are used, and its rows used {folded}"
                self._notes.add("I15", f"volume {feature}", what)


def _month_end(day: date) -> int:
    """The ordinal of the first day of the next month."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, 1).toordinal() if year < 10_000 else date.max.toordinal()
