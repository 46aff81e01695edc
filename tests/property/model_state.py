"""What the model knows of one account: its grants, its runs and the rows that explain them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from .model_alerts import alert

PRIORITY = {"promo": 10, "plan": 20, "adjustment": 30, "transfer": 40, "pack": 50}
NEVER = 10**18
MOST_GRANTS = 40


@dataclass(frozen=True)
class Plan:
    """What the model knows of a plan. It `forgives` what was spent before its money went back."""

    allocation: int
    from_opening: bool = False
    rollover: str = "none"
    cap: int = 0
    overdraft: int = 0
    limits: dict[str, int] = field(default_factory=dict[str, int])
    above: str = "charge_available"
    caps: dict[str, int] = field(default_factory=dict[str, int])
    open_holds: int = 20
    forgives: bool = False


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
    source: int | None = None

    def order(self) -> tuple[int, int, int, int]:
        """The place in the draw-down order."""
        return self.priority, self.expires or NEVER, self.effective, int(self.id[1:])

    def joins(self) -> tuple[Any, ...]:
        """What must be equal in two grants that become one where there is no room."""
        where = (self.kind, self.source, self.priority, self.expires)
        return *where, self.started, self._starts()

    def _starts(self) -> int:
        return 0 if self.started else self.effective


@dataclass
class Run:
    """A charge, a run that failed, or what a hold was settled at.

    `counted_in` is the period that counts the feature: for a hold the one in which it opened.
    `is_part` of a hold of which something was settled before: the call was counted then.
    `volume` is what it counts for `measured` in its period, where prices depend on that.
    """

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
    counted_in: int = 0
    is_part: bool = False
    measured: str = ""
    volume: Fraction = Fraction(0)


@dataclass
class Held:
    """A hold. `rest` is what is still set aside: what `draws` say, and `credit` of overdraft."""

    id: str
    operation: str
    model: str | None
    amount: int
    rest: int
    draws: list[tuple[int, int]]
    credit: int
    opened: int
    expires: int
    above: str
    feature: str
    count: int
    is_counted: bool
    period: int
    status: str = "open"
    extensions: int = 0
    parts: int = 0


@dataclass(frozen=True)
class Row:
    """A row of the ledger. `run` is the number of the run it is about, where it is about one.

    Shape: `draws` is from a grant's id to what went out of it, or back into it; `returned` is
    what came back to it of a hold. `owed` is what is owed for money that went back, after it.
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
    hold: str | None
    held: int
    expired: int
    uncollected: int
    is_late: bool
    returned: dict[str, int]
    owed: int = 0
    owed_change: int = 0
    alerts: tuple[str, ...] = ()


@dataclass
class State:
    """What the model worked out.

    Shape: `backs` are day, run, kind and amount of what was given back, which is less than 0
    where a new price took more; `mores` are day, period and amount of what those took.
    """

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
    overdrawn: int = 0
    owed: int = 0
    clawed: int = 0
    buckets: list[Bucket] = field(default_factory=list[Bucket])
    runs: list[Run] = field(default_factory=list[Run])
    backs: list[tuple[int, int, str, int]] = field(default_factory=list[tuple[int, int, str, int]])
    mores: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    periods: list[int] = field(default_factory=list[int])
    rows: list[Row] = field(default_factory=list[Row])
    asking: str = ""
    granted: int = 0
    purchased: int = 0
    expired: int = 0
    taken_down: int = 0
    sent: int = 0
    received: int = 0
    holds: dict[str, Held] = field(default_factory=dict[str, Held])
    caps: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    low_balance: int = 5_000_000
    own_low_balance: int | None = None
    thresholds: tuple[int, ...] = (50, 80, 100)
    own_thresholds: tuple[int, ...] | None = None
    top_up_below: int | None = None
    fired: set[tuple[str, int, int]] = field(default_factory=set[tuple[str, int, int]])
    is_low: bool = False
    told_low: bool = False

    # What can be asked.

    @property
    def debt(self) -> int:
        """Spent beyond what was there, and owed for money that went back."""
        return self.overdrawn + self.owed

    def pay(self, amount: int) -> int:
        """So much comes in: it pays for the money first, then what is overdrawn.

        Returns: how much of it that took.
        """
        first = min(amount, self.owed)
        then = min(amount - first, self.overdrawn)
        self.owed -= first
        self.overdrawn -= then
        return first + then

    def credit_left(self) -> int:
        """How much more may be spent beyond what is there; nothing while money is owed for."""
        return 0 if self.owed else max(0, self.rule().overdraft - self.overdrawn)

    def open_buckets(self) -> list[Bucket]:
        """Those that hold something, oldest first."""
        return [b for b in self.buckets if b.remaining and not b.ended]

    def kept_buckets(self) -> list[Bucket]:
        """Those, and others of which an open hold has something, ended ones too."""
        lent = {number for held in self.open_holds() for number, _ in held.draws}
        here = self.open_buckets()
        return [b for n, b in enumerate(self.buckets) if b in here or n in lent]

    def available(self) -> int:
        """Started grants less debt."""
        return sum(b.remaining for b in self.open_buckets() if b.started) - self.debt

    def spendable(self) -> int:
        """What a charge may take: what is available, and what is left of the overdraft."""
        if self.owed:
            return 0
        return max(0, self.available() + self.plans[self.plan].overdraft)

    def open_holds(self) -> list[Held]:
        """Those that set something aside, by their ids."""
        found = [held for held in self.holds.values() if held.status == "open"]
        return sorted(found, key=lambda held: held.id)

    def held(self) -> int:
        """What open holds set aside."""
        return sum(held.rest for held in self.open_holds())

    def used(self, feature: str) -> int:
        """How often the feature was used in this period, voids not counted, open holds too."""
        now = len(self.periods)
        runs = sum(r.count for r in self.runs if (r.feature, r.counted_in) == (feature, now))
        holds = [held for held in self.open_holds() if held.is_counted]
        return runs + sum(h.count for h in holds if (h.feature, h.period) == (feature, now))

    def volume(self, feature: str) -> Fraction:
        """What was charged and settled of the feature in this period, voids not counted."""
        mine = (run for run in self.runs if run.period == len(self.periods))
        return sum((run.volume for run in mine if run.measured == feature), Fraction(0))

    def cap(self, name: str) -> int | None:
        """The limit in force: the tightest of operator and user; the plan's for the operator's."""
        operator = {**self.rule().caps, **self.caps.get("operator", {})}
        places = (operator, self.caps.get("user", {}))
        return min((place[name] for place in places if name in place), default=None)

    def policy(self, held: Held) -> str:
        """What becomes of a settle above the hold: the terms are those of its opening."""
        return held.above

    def low_line(self) -> int:
        """At and below this the balance is low."""
        return self.low_balance if self.own_low_balance is None else self.own_low_balance

    def rule(self) -> Plan:
        """The plan's rules."""
        return self.plans[self.plan]

    def blocked_by(self, cost: int, per_run: int | None = None) -> list[str]:
        """The limits that a run of so many credits would break: holds count against them."""
        if not cost:
            return []
        day, month, _ = self.windows()
        held, found = self.held(), list[str]()
        caps = [most for most in (self.cap("per_run_max"), per_run) if most is not None]
        if caps and cost > min(caps):
            found.append("per_run_max")
        for name, spent in (("daily", day), ("monthly", month)):
            most = self.cap(name)
            if most is not None and spent + held + cost > most:
                found.append(f"{name}_limit")
        return found

    def is_beyond_limit(self, feature: str, count: int) -> bool:
        """The plan does not allow the feature so many times more in this period."""
        limit = self.plans[self.plan].limits.get(feature)
        return limit is not None and self.used(feature) + count > limit

    def can_pay(self, cost: int, feature: str, count: int) -> bool:
        """The judgement of a charge."""
        if self.status != "active" or self.is_beyond_limit(feature, count):
            return False
        if self.blocked_by(cost):
            return False
        return cost <= self.spendable()

    def windows(self) -> tuple[int, int, int]:
        """Spent less given back, of the runs of this day, this month and this period."""
        month = date.fromordinal(self.today).replace(day=1).toordinal()
        spent = [(run.day, run.period, run.credits - run.back) for run in self.runs] + self.mores
        return (
            sum(amount for day, _, amount in spent if day == self.today),
            sum(amount for day, _, amount in spent if day >= month),
            sum(amount for _, period, amount in spent if period == len(self.periods)),
        )

    def spent(self) -> int:
        """What all runs have cost by now."""
        return sum(run.credits for run in self.runs) - sum(back for _, _, _, back in self.backs)

    def stats(self) -> dict[tuple[int, str], list[int]]:
        """By day and operation: calls, failed, credits, refunded."""
        rows: dict[tuple[int, str], list[int]] = {}
        for run in self.runs:
            row = rows.setdefault((run.day, run.operation), [0, 0, 0, 0])
            row[1 if run.failed else 0] += 0 if run.is_part else 1
            row[2] += run.credits
        for day, index, kind, amount in self.backs:
            row = rows.setdefault((day, self.runs[index].operation), [0, 0, 0, 0])
            row[0] -= 1 if kind == "void" and not self.runs[index].is_part else 0
            row[2] -= amount
            row[3] += amount if kind == "refund" else 0
        return {place: row for place, row in rows.items() if any(row)}

    def is_balanced(self) -> bool:
        """What came in, and what is owed, is what went out, and what is there."""
        came = self.granted + self.received + self.debt
        spent = self.spent()
        left = sum(b.remaining for b in self.open_buckets() if b.started)
        went = spent + self.expired + self.taken_down + self.sent + self.clawed
        return came == went + left + self.held()

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
        hold: str | None = None,
        expired: int = 0,
        uncollected: int = 0,
        is_late: bool = False,
        returned: list[tuple[int, int]] | None = None,
    ) -> None:
        """A row, under the caller's key or one of time; `debt` is what it was before the row."""
        last = self.rows[-1].after if self.rows else 0
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
                draws=self._by_grant(draws or []),
                grant=None if grant is None else grant.id,
                moved=abs(delta) if moved is None else moved,
                hold=hold,
                held=self.held(),
                expired=expired,
                uncollected=uncollected,
                is_late=is_late,
                returned=self._by_grant(returned or []),
                owed=self.owed,
                owed_change=self.owed - (self.rows[-1].owed if self.rows else 0),
            )
        )
        alert(self)

    def _by_grant(self, draws: list[tuple[int, int]]) -> dict[str, int]:
        parts: dict[str, int] = {}
        for number, amount in draws:
            name = self.buckets[number].id
            parts[name] = parts.get(name, 0) + amount
        return parts
