"""What the model knows of one account: its grants, its runs and the rows that explain them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

PRIORITY = {"promo": 10, "plan": 20, "adjustment": 30, "transfer": 40, "pack": 50}
NEVER = 10**18
MOST_GRANTS = 40


@dataclass(frozen=True)
class Plan:
    """What the model knows of a plan."""

    allocation: int
    from_opening: bool = False
    rollover: str = "none"
    cap: int = 0
    overdraft: int = 0
    limits: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Happening:
    """Something that was asked for and not refused, under its key where it has one."""

    at: int
    name: str
    facts: dict[str, Any]
    key: str = ""


@dataclass
class Bucket:
    """A grant. It is never removed, only ended."""

    id: str
    kind: str
    priority: int
    effective: int
    expires: int | None
    amount: int
    remaining: int
    started: bool = True
    ended: bool = False

    def order(self) -> tuple[int, int, int, int]:
        """The place in the draw-down order."""
        return self.priority, self.expires or NEVER, self.effective, int(self.id[1:])

    def joins(self) -> tuple[str, int, int | None, bool, int]:
        """What must be equal in two grants that become one where there is no room."""
        return self.kind, self.priority, self.expires, self.started, self._starts()

    def _starts(self) -> int:
        return 0 if self.started else self.effective


@dataclass
class Run:
    """A charge, or a run that failed."""

    operation: str
    credits: int
    day: int
    period: int
    feature: str | None
    count: int
    draws: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    failed: bool = False
    back: int = 0
    returned: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the ledger. `run` is the number of the run it is about, where it is about one.

    Shape: `draws` is from a grant's id to what went out of it, or back into it.
    """

    kind: str
    key: str
    at: int
    delta: int
    after: int
    debt: int
    debt_change: int
    run: int | None
    draws: dict[str, int]
    grant: str | None
    moved: int


@dataclass
class State:
    """What the model worked out."""

    plans: dict[str, Plan]
    plan: str
    zone: str
    now: int
    today: int
    anchor: int | None = None
    start: int = 0
    end: int = 0
    generation: int = 1
    waiting_plan: str | None = None
    waiting_anchor: int | None = None
    waiting_zone: str | None = None
    waiting_zone_at: int = 0
    status: str = "active"
    name: str | None = None
    debt: int = 0
    buckets: list[Bucket] = field(default_factory=list[Bucket])
    runs: list[Run] = field(default_factory=list[Run])
    backs: list[tuple[int, int, str, int]] = field(default_factory=list[tuple[int, int, str, int]])
    periods: list[int] = field(default_factory=list[int])
    rows: list[Row] = field(default_factory=list[Row])
    asking: str = ""
    granted: int = 0
    purchased: int = 0
    expired: int = 0
    taken_down: int = 0

    # What can be asked.

    def open_buckets(self) -> list[Bucket]:
        """Those that hold something, oldest first."""
        return [b for b in self.buckets if b.remaining and not b.ended]

    def available(self) -> int:
        """Started grants less debt."""
        return sum(b.remaining for b in self.open_buckets() if b.started) - self.debt

    def spendable(self) -> int:
        """What a charge may take: what is available, and what is left of the overdraft."""
        return max(0, self.available() + self.plans[self.plan].overdraft)

    def used(self, feature: str) -> int:
        """How often the feature was used in this period, voids not counted."""
        now = len(self.periods)
        return sum(r.count for r in self.runs if (r.feature, r.period) == (feature, now))

    def is_beyond_limit(self, feature: str, count: int) -> bool:
        """The plan does not allow the feature so many times more in this period."""
        limit = self.plans[self.plan].limits.get(feature)
        return limit is not None and self.used(feature) + count > limit

    def can_pay(self, cost: int, feature: str, count: int) -> bool:
        """The judgement of a charge."""
        if self.status != "active" or self.is_beyond_limit(feature, count):
            return False
        return cost <= self.spendable()

    def windows(self) -> tuple[int, int, int]:
        """Spent less given back, of the runs of this day, this month and this period."""
        month = date.fromordinal(self.today).replace(day=1).toordinal()
        runs = self.runs
        return (
            sum(r.credits - r.back for r in runs if r.day == self.today),
            sum(r.credits - r.back for r in runs if r.day >= month),
            sum(r.credits - r.back for r in runs if r.period == len(self.periods)),
        )

    def stats(self) -> dict[tuple[int, str], list[int]]:
        """By day and operation: calls, failed, credits, refunded."""
        rows: dict[tuple[int, str], list[int]] = {}
        for run in self.runs:
            row = rows.setdefault((run.day, run.operation), [0, 0, 0, 0])
            row[1 if run.failed else 0] += 1
            row[2] += run.credits
        for day, index, kind, amount in self.backs:
            row = rows.setdefault((day, self.runs[index].operation), [0, 0, 0, 0])
            row[0] -= 1 if kind == "void" else 0
            row[2] -= amount
            row[3] += amount if kind == "refund" else 0
        return {place: row for place, row in rows.items() if any(row)}

    # What is written down.

    def next_id(self) -> str:
        """The id of a grant that the next row makes."""
        return f"g{len(self.rows) + 1}"

    def post(
        self,
        kind: str,
        delta: int,
        *,
        key: str | None = None,
        debt: int | None = None,
        run: int | None = None,
        draws: list[tuple[int, int]] | None = None,
        grant: Bucket | None = None,
        moved: int | None = None,
    ) -> None:
        """A row, under the caller's key or one of time; `debt` is what it was before the row."""
        last = self.rows[-1].after if self.rows else 0
        parts: dict[str, int] = {}
        for number, amount in draws or []:
            name = self.buckets[number].id
            parts[name] = parts.get(name, 0) + amount
        self.rows.append(
            Row(
                kind=kind,
                key=self.asking if key is None else key,
                at=self.now,
                delta=delta,
                after=last + delta,
                debt=self.debt,
                debt_change=0 if debt is None else self.debt - debt,
                run=run,
                draws=parts,
                grant=None if grant is None else grant.id,
                moved=abs(delta) if moved is None else moved,
            )
        )
