"""Ledger scenarios as text: what the catalog says, then a step per line with what it leaves.

A scenario opens with `plan` and `price` lines. Its table has the columns

    when | what | available | holds | rows | shows

`when` is UTC; an empty one means the same moment. `what` is a step, and `-> code` after it says
that it is refused. `holds` are the grants in the order in which they are drawn, those that have
not started in brackets. `rows` are the ledger rows that the step wrote with what each changed;
equal ones are counted. `shows` are further facts as `name=value`. An empty `shows` checks none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from tests.property.invariants import (
    check_expiries,
    check_fold,
    check_sequence,
    fold_runs,
    look_now,
)
from tests.property.world import MemoryLedger
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import (
    Catalog,
    ClawbackPolicy,
    Flat,
    Operation,
    PerUnit,
    PlanTerms,
    Rollover,
)
from tollkeeper.domain.entries import Entry
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.domain.money import MICRO, show_micro
from tollkeeper.domain.periods import find_zone

from .steps import STEPS, Step

COLUMNS = 6


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    when: datetime
    what: str
    available: str
    holds: str
    rows: str
    shows: str

    def text(self) -> str:
        """The line as it stands in the file."""
        when = self.when.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
        cells = (when, self.what, self.available, self.holds, self.rows, self.shows)
        return " | ".join(cells)


@dataclass
class Scenario:
    """A scenario as it was read."""

    plans: dict[str, PlanTerms] = field(default_factory=dict[str, PlanTerms])
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])
    lines: list[Line] = field(default_factory=list[Line])


def micro(text: str) -> int:
    """The credits as micro-credits."""
    return int(Decimal(text) * MICRO)


def moment(text: str) -> datetime:
    """The moment, in UTC."""
    return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)


def read_scenario(path: Path) -> Scenario:
    """The scenario of the file."""
    scenario = Scenario()
    for raw in path.read_text(encoding="utf-8").splitlines():
        text = raw.strip()
        if not text or text.startswith(("#", "when ")):
            continue
        if text.startswith("plan "):
            terms = _read_plan(text.split()[1:])
            scenario.plans[terms.id] = terms
        elif text.startswith("price "):
            operation = _read_price(text.split()[1:])
            scenario.operations[operation.id] = operation
        else:
            scenario.lines.append(_read_line(text, scenario.lines))
    return scenario


def _read_line(text: str, before: list[Line]) -> Line:
    cells = [cell.strip() for cell in text.split("|")]
    assert len(cells) == COLUMNS, f"{COLUMNS} columns: {text}"
    when = moment(cells[0]) if cells[0] else before[-1].when
    return Line(when, *cells[1:])


def _read_plan(words: list[str]) -> PlanTerms:
    """`plan <id> <credits> [opening] [rolls all|up to N] [overdraft N] [floor] [<feature><=N]`."""
    name, credits, rest = words[0], words[1], " ".join(words[2:])
    capped = re.search(r"rolls up to ([\d.]+)", rest)
    overdraft = re.search(r"overdraft ([\d.]+)", rest)
    rollover = Rollover.CAPPED if capped else Rollover.ALL if "rolls all" in rest else Rollover.NONE
    return PlanTerms(
        id=name,
        name=name,
        allocation_microcredits=micro(credits),
        anchor="opening" if "opening" in rest else "calendar",
        rollover=rollover,
        rollover_cap_microcredits=micro(capped[1]) if capped else 0,
        overdraft_microcredits=micro(overdraft[1]) if overdraft else 0,
        clawback=ClawbackPolicy.FLOOR if "floor" in rest.split() else ClawbackPolicy.DEBT,
        features={name: int(most) for name, most in re.findall(r"(\w+)<=(\d+)", rest)},
    )


def _read_price(words: list[str]) -> Operation:
    """`price <operation> <credits> [per <unit>]`."""
    amount = micro(words[1])
    is_per_unit = len(words) == 4
    rule = PerUnit(amount, words[3], fractional=True) if is_per_unit else Flat(amount)
    return Operation(words[0], words[0], rule, words[0])


def run_scenario(scenario: Scenario) -> tuple[list[str], list[str]]:
    """The table as it was written and as it came out, line by line."""
    first = next(iter(scenario.plans))
    catalog = Catalog("v1", scenario.plans, first, scenario.operations)
    ledger = MemoryLedger(catalog=catalog)
    expected = [line.text() for line in scenario.lines]
    return expected, [_run_line(ledger, line).text() for line in scenario.lines]


def _run_line(ledger: MemoryLedger, line: Line) -> Line:
    rows, transactions = len(ledger.entries), ledger.transactions
    what = line.what.partition(" -> ")[0]
    outcome = what
    try:
        _take_step(ledger, line.when, what)
    except TollkeeperError as refusal:
        outcome = f"{what} -> {refusal.code}"
    assert ledger.account is not None
    check_fold(ledger)
    check_sequence(ledger)
    check_expiries(ledger)
    _check_stats(ledger, line.when)
    written = [*ledger.entries.values()][rows:]
    slices = ledger.transactions - transactions
    return Line(
        line.when,
        outcome,
        show_micro(ledger.account.available_microcredits),
        _show_holds(ledger.account),
        _show_rows(written),
        _show_facts(ledger, line, slices),
    )


def _take_step(ledger: MemoryLedger, when: datetime, what: str) -> None:
    verb, *words = what.split()
    STEPS[verb](Step(ledger, when, tuple(words)))


def _check_stats(ledger: MemoryLedger, when: datetime) -> None:
    """I15 after every step, except where days were folded into `other`."""
    _, days = look_now(ledger, when)
    shown = [t.credits_microcredits for totals in days.values() for t in totals.values()]
    assert sum(shown) == sum(t.credits_microcredits for t in fold_runs(ledger).values())


def _show_holds(account: Account) -> str:
    shown: list[str] = []
    for grant in sorted(account.grants, key=lambda g: g.order()):
        text = f"{grant.kind} {show_micro(grant.remaining_microcredits)}"
        shown.append(text if grant.has_started else f"({text})")
    return ", ".join(shown) or "-"


def _show_rows(written: list[Entry]) -> str:
    counted: dict[str, int] = {}
    for entry in written:
        sign = "+" if entry.delta_microcredits > 0 else ""
        text = f"{entry.kind} {sign}{show_micro(entry.delta_microcredits)}"
        counted[text] = counted.get(text, 0) + 1
    return ", ".join(t if n == 1 else f"{n} x {t}" for t, n in counted.items()) or "-"


def _show_facts(ledger: MemoryLedger, line: Line, slices: int) -> str:
    """The facts that the line asks for, as they are."""
    account, days = look_now(ledger, line.when)
    names = [fact.partition("=")[0] for fact in line.shows.split()]
    plan, zone = account.plan, find_zone(account.zone)
    facts = {
        "plan": plan.id,
        "status": account.status.value,
        "zone": account.zone,
        "debt": show_micro(account.debt_microcredits),
        "owed": show_micro(account.clawback_debt_microcredits),
        "spendable": show_micro(account.spendable_microcredits(ledger.catalog)),
        "clawed_back": show_micro(account.lifetime.clawed_back),
        "uncollected": show_micro(account.lifetime.uncollected),
        "today": account.today.isoformat(),
        "starts": plan.period_start_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "ends": plan.period_end_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "spent_day": show_micro(account.windows.day),
        "spent_month": show_micro(account.windows.month),
        "spent_period": show_micro(account.windows.period),
        "granted": show_micro(account.lifetime.granted),
        "spent": show_micro(account.lifetime.spent),
        "expired": show_micro(account.lifetime.expired),
        "transactions": str(slices),
        "totals": str(len(account.totals)),
    }
    for name in names:
        kind, _, about = name.partition(":")
        if kind == "used":
            facts[name] = str(account.features.get(about, 0))
        elif kind in ("calls", "credits"):
            totals = days.get(date.fromisoformat(about), {}).values()
            calls = str(sum(t.calls for t in totals))
            facts[name] = (
                calls
                if kind == "calls"
                else show_micro(sum(t.credits_microcredits for t in totals))
            )
        elif kind == "of":
            chosen = [t for key, t in account.totals.items() if key.operation == about]
            facts[name] = str(sum(t.calls for t in chosen))
    return " ".join(f"{name}={facts[name]}" for name in names)
