"""Whether an operation takes more the longer a ledger gets, or the more accounts there are."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.filling import accounts_to_items, charged_account_to_items, write_items
from benchmarks.metering import Measured, Meter
from benchmarks.report import Aim, Table, shown_range, spread
from benchmarks.workload import check, deduct
from tests.support.driving import FakeClock
from tollkeeper.edge import wiring

FLAT_WITHIN = 1.10
FLAT_OPERATIONS = ("check", "deduct", "deduct, replayed", "void")

Fill = Callable[[int, int, FakeClock], str]
"""Brings the table from one level to the next; the account to measure on."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What grows, and the sizes at which the operations are measured."""

    what: str
    levels: tuple[int, ...]
    fill: Fill


def growths(*, quick: bool) -> tuple[Growth, ...]:
    """Accounts in the table, then entries in one account."""
    accounts = (100, 1_000) if quick else (100, 20_000)
    entries = (0, 1_000) if quick else (0, 1_000, 20_000)
    return (
        Growth(what="accounts in the table", levels=accounts, fill=_fill_accounts),
        Growth(what="entries in the account", levels=entries, fill=_fill_entries),
    )


def _fill_accounts(before: int, count: int, clock: FakeClock) -> str:
    names = (f"filled_{index:06}" for index in range(before, count))
    catalog = wiring.world().catalog
    write_items(accounts_to_items(names, now=clock.moment, catalog=catalog))
    return f"filled_{before:06}"


def _fill_entries(_: int, count: int, clock: FakeClock) -> str:
    name = f"grown_{count:06}"
    catalog = wiring.world().catalog
    write_items(charged_account_to_items(name, count, now=clock.moment, catalog=catalog))
    return name


def measure_growth(meter: Meter, growth: Growth) -> tuple[Table, Aim]:
    """What the usual operations consume at each level, and whether that is flat."""
    what, levels = growth.what, growth.levels
    table = Table(
        title=f"Capacity by {what}",
        columns=("operation", what, "calls", "units min", "median", "max", "ratio"),
        notes=[f"Read and write units together. Ratio: to {levels[0]:,} {what}."],
    )
    found: dict[str, list[tuple[int, Measured]]] = {name: [] for name in FLAT_OPERATIONS}
    before = 0
    for level in levels:
        account = growth.fill(before, level, meter.driver.clock)
        meter.measured.clear()
        _measure_level(meter, account)
        for name in FLAT_OPERATIONS:
            found[name].append((level, meter.measured[name]))
        before = level
    worst = 1.0
    for name, rows in found.items():
        first = statistics.median(_units(rows[0][1]))
        for level, measured in rows:
            units = _units(measured)
            share = statistics.median(units) / first
            worst = max(worst, share)
            table.add(
                name,
                f"{level:,}",
                shown_range(measured.calls),
                *spread(units, 1),
                f"{share:.2f}",
            )
    aim = Aim(
        what=f"flat from {levels[0]:,} to {levels[-1]:,} {what}",
        wanted="within 10 %",
        found=f"+{(worst - 1) * 100:.0f} %",
        is_met=worst <= FLAT_WITHIN,
        is_exact=True,
    )
    return table, aim


def _measure_level(meter: Meter, account: str) -> None:
    driver = meter.driver
    assert driver.grant(account, 1000, "to_be_spent").status == 201
    assert deduct(driver, account, "settled").status == 200
    for index in range(5):
        key = f"probe_{index}"
        meter.record("check", lambda: check(driver, account))
        meter.record("deduct", lambda key=key: deduct(driver, account, key))
        meter.record("deduct, replayed", lambda key=key: deduct(driver, account, key))
        meter.record("void", lambda key=key: driver.void(account, key, f"{key}_void"))


def _units(measured: Measured) -> list[float]:
    return [reads + writes for reads, writes in zip(measured.reads, measured.writes, strict=True)]
