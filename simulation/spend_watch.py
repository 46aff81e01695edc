"""What must hold for limits and alerts after every single write, folded from the rows alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from simulation.deployment import Invocation
from simulation.money import Terms, micro_of, terms_of
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.periods import local_date

Blame = Callable[[str, str, str], None]
SPENT = frozenset({EntryKind.CHARGE, EntryKind.SETTLE})
GIVEN_BACK = frozenset({EntryKind.VOID, EntryKind.REFUND})
ADMITTED = frozenset({EntryKind.CHARGE, EntryKind.HOLD})
NAMES = {"daily": "day", "monthly": "month", "per_run_max": "run"}
DEFAULT_THRESHOLDS = (50, 80, 100)
NO_LIMITS: dict[str, int | None] = {"day": None, "month": None, "run": None}
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A hold's feature as it was counted at its opening, and in which period. `parts`: settled."""

    feature: str
    count: int
    period: int
    parts: int = 0


@dataclass
class SpendBook:
    """One account's spending, counters, limits and alerts, as its rows tell of them.

    `spent` is by local day and `period` is the current one's; `periods` counts how many began.
    `rung` is the highest threshold of each window that ever rang.
    """

    plan: str = ""
    spent: dict[date, int] = field(default_factory=dict[date, int])
    period: int = 0
    periods: int = 0
    features: dict[str, int] = field(default_factory=dict[str, int])
    holds: dict[str, Counted] = field(default_factory=dict[str, Counted])
    charges: dict[str, tuple[Entry, int]] = field(default_factory=dict[str, tuple[Entry, int]])
    operator: dict[str, int | None] = field(default_factory=lambda: dict(NO_LIMITS))
    user: dict[str, int | None] = field(default_factory=lambda: dict(NO_LIMITS))
    thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS
    low: int | None = None
    rung: dict[tuple[str, Any], int] = field(default_factory=dict[tuple[str, Any], int])
    said: set[tuple[str, Any]] = field(default_factory=set[tuple[str, Any]])
    is_low: bool | None = None

    def copy(self) -> SpendBook:
        """The same; what is noted in one is not in the other."""
        return replace(
            self,
            spent=dict(self.spent),
            features=dict(self.features),
            holds=dict(self.holds),
            charges=dict(self.charges),
            operator=dict(self.operator),
            user=dict(self.user),
            rung=dict(self.rung),
            said=set(self.said),
        )

    def see(
        self,
        before: Account | None,
        account: Account,
        entries: list[Entry],
        *,
        by: Invocation | None,
        blame: Blame,
    ) -> None:
        """The rows of one write are judged: I16."""
        version = "" if by is None else by.environment.world.catalog.version
        for entry in entries:
            self._fold(entry, by, version)
            for what in self._hear(before, account, entry):
                blame("I16", f"{account.id} {entry.key}", what)
        if entries:
            terms = terms_of(version, account.plan.id)
            for what in self._compare(account, entries[-1], terms):
                blame("I16", f"{account.id} {entries[-1].key}", what)

    # ---- What the rows come to

    def _fold(self, entry: Entry, by: Invocation | None, version: str) -> None:
        if entry.kind is EntryKind.RESET:
            self.plan = entry.details["plan"]
            self.period, self.features = 0, {}
            self.periods += 1
        elif entry.kind in SPENT:
            assert entry.day is not None
            self.spent[entry.day] = self.spent.get(entry.day, 0) + entry.moved_microcredits
            self.period += entry.moved_microcredits
            self.charges[entry.key] = entry, self.periods
        elif entry.kind in GIVEN_BACK or (
            entry.kind is EntryKind.RERATE and entry.delta_microcredits > 0
        ):
            self._give_back(entry)
        elif entry.kind is EntryKind.RERATE:
            assert entry.day is not None
            self.spent[entry.day] = self.spent.get(entry.day, 0) + entry.moved_microcredits
            self.period += entry.moved_microcredits
        elif entry.kind is EntryKind.LIMITS:
            self._limit(entry)
        elif entry.kind is EntryKind.TRANSFER_IN and "parent" in entry.details and by is not None:
            body = json.loads(by.event["body"])
            own = {NAMES[name]: micro_of(body[name]) for name in NAMES if body.get(name)}
            self.operator |= own
        self._count(entry, terms_of(version, self.plan))

    def _give_back(self, entry: Entry) -> None:
        charge, period = self.charges[str(entry.refers_to)]
        assert charge.day is not None
        self.spent[charge.day] -= entry.moved_microcredits
        if period == self.periods:
            self.period -= entry.moved_microcredits

    def _limit(self, entry: Entry) -> None:
        level = self.operator if entry.details["set_by"] == "operator" else self.user
        for wire, name in NAMES.items():
            if wire in entry.details:
                text = entry.details[wire]
                level[name] = None if text == "none" else micro_of(text)
        if "alert_thresholds" in entry.details:
            text = entry.details["alert_thresholds"]
            is_default = text == "default"
            self.thresholds = DEFAULT_THRESHOLDS if is_default else tuple(map(int, text.split(",")))
        if "low_balance" in entry.details:
            text = entry.details["low_balance"]
            self.low = None if text == "default" else micro_of(text)

    def _count(self, entry: Entry, terms: Terms) -> None:
        """A plan's counters. A hold counts at its opening, and not again where it is settled."""
        change = 0
        feature = entry.run.feature if entry.run is not None else ""
        count = entry.run.feature_count if entry.run is not None else 0
        match entry.kind:
            case EntryKind.CHARGE:
                change = count
            case EntryKind.HOLD:
                change = count
                self.holds[entry.hold] = Counted(feature, count, self.periods)
            case EntryKind.SETTLE:
                hold = self.holds[entry.hold]
                is_earlier = hold.period != self.periods and "late" not in entry.details
                change = 0 if is_earlier else count - self._counted(entry)
                self.holds[entry.hold] = replace(hold, parts=hold.parts + 1)
            case EntryKind.RELEASE | EntryKind.HOLD_EXPIRED:
                change = -self._counted(entry)
                feature = self.holds[entry.hold].feature
            case EntryKind.VOID:
                charge, period = self.charges[str(entry.refers_to)]
                is_counted = period == self.periods and "counted_before" not in charge.details
                change = -count if is_counted else 0
            case _:
                return
        if change and feature in terms.features:
            self.features[feature] = max(0, self.features.get(feature, 0) + change)

    def _counted(self, entry: Entry) -> int:
        hold = self.holds[entry.hold]
        is_late = "late" in entry.details
        return hold.count if hold.period == self.periods and not hold.parts and not is_late else 0

    # ---- Alerts

    def _hear(self, before: Account | None, account: Account, entry: Entry) -> Iterator[str]:
        """Each threshold once in a window; a low balance and its end by turns."""
        for code in entry.alerts:
            name, _, level = code.partition(":")
            if name == "low_balance":
                is_low = not level
                if self.is_low is is_low:
                    yield f"{code} rang twice"
                self.is_low = is_low
                continue
            if name == "top_up":
                # It is asked for by every row that leaves less than the rule says or has said.
                seen = [each for each in (before, account) if each is not None]
                below = max(each.top_up_below_microcredits or 0 for each in seen)
                if entry.available_after_microcredits >= below:
                    yield f"a top-up is asked for at {entry.available_after_microcredits}"
                continue
            window = name, self._window(name, before, account, entry)
            if (code, window) in self.said:
                yield f"{code} rang twice in {window}"
            self.said.add((code, window))
            if level != "recovered":
                self.rung[window] = max(self.rung.get(window, 0), int(level))

    def _window(self, name: str, before: Account | None, account: Account, entry: Entry) -> Any:
        if name == "period":
            return self.periods
        at = entry.at - MOMENT if entry.kind is EntryKind.HOLD_EXPIRED else entry.at
        day = min(local_date(at, account.zone), account.today)
        if before is not None:
            day = max(day, before.today)
        return day if name == "day" else (day.year, day.month)

    # ---- The account against what its rows come to

    def _compare(self, account: Account, last: Entry, terms: Terms) -> Iterator[str]:
        today = account.today
        month = sum(
            amount
            for day, amount in self.spent.items()
            if (day.year, day.month) == (today.year, today.month)
        )
        spent = {"day": self.spent.get(today, 0), "month": month, "period": self.period}
        windows = account.windows
        there = {"day": windows.day, "month": windows.month, "period": windows.period}
        if there != spent:
            yield f"windows say {there}, rows say {spent}"
        counters = {name: used for name, used in account.features.items() if used}
        if counters != {name: used for name, used in self.features.items() if used}:
            yield f"counters say {counters}, rows say {self.features}"
        yield from self._compare_limits(account)
        limits = self._in_force(terms)
        yield from _judge_admitted(account, last, limits, spent)
        if account.status is Status.CLOSED:
            return
        if account.parent:
            terms = replace(terms, allocation=0)
        yield from self._judge_alerts(account, {**limits, "period": terms.allocation}, spent)
        yield from self._judge_low(account, terms)

    def _compare_limits(self, account: Account) -> Iterator[str]:
        for level, mine in (("operator", self.operator), ("user", self.user)):
            theirs = getattr(account.limits, level)
            there = {"day": theirs.day, "month": theirs.month, "run": theirs.run}
            if there != mine:
                yield f"the {level}'s limits are {there}, rows say {mine}"

    def _in_force(self, terms: Terms) -> dict[str, int | None]:
        plan = {"day": terms.day, "month": terms.month, "run": terms.run}
        tightest: dict[str, int | None] = {}
        for name, own in self.operator.items():
            found = [plan[name] if own is None else own, self.user[name]]
            tightest[name] = min((each for each in found if each is not None), default=None)
        return tightest

    def _judge_alerts(
        self, account: Account, limits: dict[str, int | None], spent: dict[str, int]
    ) -> Iterator[str]:
        """What was reached has rung."""
        today = account.today
        windows = {
            "day": ("day", today),
            "month": ("month", (today.year, today.month)),
            "period": ("period", self.periods),
        }
        for name, window in windows.items():
            limit = limits[name]
            if not limit:
                continue
            percent = spent[name] * 100 // limit
            due = max((each for each in self.thresholds if each <= percent), default=0)
            if due > self.rung.get(window, 0):
                yield f"{percent} percent of {window} and {due} never rang"

    def _judge_low(self, account: Account, terms: Terms) -> Iterator[str]:
        low = terms.low_balance if self.low is None else self.low
        is_low = account.available_microcredits + account.held_microcredits <= low
        if self.is_low is None:
            self.is_low = None if is_low else False
        elif self.is_low is not is_low:
            yield f"low is {is_low}, and was said to be {self.is_low}"


def _judge_admitted(
    account: Account, last: Entry, limits: dict[str, int | None], spent: dict[str, int]
) -> Iterator[str]:
    """What was let in was within its limits, with all that is held."""
    moved = last.moved_microcredits
    if last.kind not in ADMITTED or not moved:
        return
    if limits["run"] is not None and moved > limits["run"]:
        yield f"one run of {moved}, above {limits['run']}"
    for name in ("day", "month"):
        limit, used = limits[name], spent[name] + account.held_microcredits
        if limit is not None and used > limit:
            yield f"{used} of {limit} in this {name}"
