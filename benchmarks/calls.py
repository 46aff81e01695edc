"""DynamoDB calls and capacity per operation, whether they grow, and how large the items are."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.growth import growths, measure_growth
from benchmarks.metering import Meter, MeteredClient, read_call
from benchmarks.report import Aim, Section, Table, shown_range, spread
from benchmarks.sizes import KILOBYTE, item_bytes
from benchmarks.stack import TABLE, engine, handlers, make_table
from benchmarks.workload import (
    ACCOUNT,
    check,
    deduct,
    free,
    open_small_account,
    read_items,
    set_aside,
    settle,
)
from tests.support.driving import FakeClock
from tollkeeper.store.client import connect
from tollkeeper.store.rows import Item

MOST_WRITE_UNITS = 5.0


def measure_operations(meter: Meter, *, tries: int) -> None:
    """Every operation, so many times, on the small account, each try on a day of its own."""
    driver = meter.driver
    for index in range(tries):
        key = f"msg_{index}"
        meter.record("check", lambda: check(driver, ACCOUNT))
        meter.record(
            "check, refused", lambda: driver.check(ACCOUNT, "phone_number", quantity=1000), 402
        )
        meter.record("deduct", lambda key=key: deduct(driver, ACCOUNT, key))
        meter.record("deduct, replayed", lambda key=key: deduct(driver, ACCOUNT, key))
        meter.record(
            "deduct, refused",
            lambda key=key: driver.deduct(ACCOUNT, "sms", f"{key}_no", quantity=10**6),
            402,
        )
        meter.record("void", lambda key=key: driver.void(ACCOUNT, key, f"{key}_void"))
        fresh = f"{ACCOUNT}_{index}"
        meter.record(
            "deduct, opens the account",
            lambda fresh=fresh: driver.deduct(fresh, "chat_refinement", "m1"),
        )
        meter.record("grant", lambda fresh=fresh: driver.grant(fresh, 100, "g1"), 201)
        measure_holds(meter, index)
        driver.clock.forward(days=1)
        meter.record("deduct, closes a day", lambda key=key: deduct(driver, ACCOUNT, f"{key}_day"))


def measure_holds(meter: Meter, index: int) -> None:
    """Hold and settle twice: the first hold for a while tells the sweep to look earlier."""
    for name in ("first of a quarter hour", "usual"):
        hold = f"run_{index}_{name[:5]}"
        meter.record(f"hold, {name}", lambda hold=hold: set_aside(meter.driver, ACCOUNT, hold), 201)
        meter.record(f"settle, {name}", lambda hold=hold: settle(meter.driver, ACCOUNT, hold))
        meter.driver.clock.forward(seconds=20)
    set_aside(meter.driver, ACCOUNT, f"run_{index}_freed")
    meter.record("release", lambda: free(meter.driver, ACCOUNT, f"run_{index}_freed"))


def run(*, quick: bool) -> Section:
    """Calls, capacity, flatness and sizes, on an engine of its own."""
    section = Section()
    with engine() as name:
        make_table()
        client = MeteredClient(connect())
        with handlers(lambda: client, clock=FakeClock()) as driver:
            meter = Meter(driver, client)
            open_small_account(driver, ACCOUNT)
            account, entry = read_items(ACCOUNT)
            measure_operations(meter, tries=3 if quick else 6)
            reference = _bare_units(account, entry)
            section.tables += [
                _operations_table(meter, reference, name),
                _sizes_table(account, entry),
            ]
            section.aims += [*_operation_aims(meter), _size_aim(account)]
        for growth in growths(quick=quick):
            with handlers(lambda: client, clock=FakeClock()) as driver:
                table, aim = measure_growth(Meter(driver, client), growth)
                section.tables.append(table)
                section.aims.append(aim)
    return section


def _bare_units(account: Item, entry: Item) -> tuple[float, float]:
    """Read units of one bare GetItem, write units of one bare transaction of the same two items.

    Why: without the attributes that the indexes are keyed by, and with no condition.
    """
    client: Any = connect()
    keyed = ("due_shard", "due_at", "entry_seq")
    puts = [
        {"Put": {"TableName": TABLE, "Item": {**item, "pk": {"S": "bare"}}}}
        for item in ({n: v for n, v in each.items() if n not in keyed} for each in (account, entry))
    ]
    written = client.transact_write_items(TransactItems=puts, ReturnConsumedCapacity="INDEXES")
    read = client.get_item(
        TableName=TABLE,
        Key={"pk": {"S": "bare"}, "sk": account["sk"]},
        ReturnConsumedCapacity="INDEXES",
    )
    return (
        read_call("GetItem", read).reads,
        read_call("TransactWriteItems", written).table_writes,
    )


def _operations_table(meter: Meter, reference: tuple[float, float], engine_name: str) -> Table:
    table = Table(
        title="DynamoDB calls and capacity per operation",
        columns=(
            "operation",
            "calls",
            "read units",
            "write units min",
            "median",
            "max",
            "of them indexes",
            "ratio",
        ),
        notes=[
            f"Measured on {engine_name} over loopback: the capacity that it reports.",
            "Ratio: to one bare TransactWriteItems of the same two items "
            f"({reference[1]:g} write units) where it writes, to one bare GetItem "
            f"({reference[0]:g} read units) where it only reads.",
            "A replayed deduct is answered by its cancelled transaction; the engine reports no "
            "capacity for one, AWS bills it like the write it would have been.",
            "The first charge of a process also writes the price version: one call, two units. "
            "The first hold of a quarter hour tells the sweep to look earlier: two units. "
            "The first of a day moves the account in the due index: two units.",
        ],
    )
    for measured in meter.measured.values():
        reads = statistics.median(measured.reads)
        indexes = statistics.median(measured.index_writes)
        writes = statistics.median(measured.writes)
        share = writes / reference[1] if writes else reads / reference[0]
        cells = ("-", "-", "-") if measured.is_cancelled else spread(measured.writes, 1)
        table.add(
            measured.name,
            shown_range(measured.calls),
            f"{reads:g}",
            *cells,
            "-" if measured.is_cancelled else f"{indexes:g}",
            "-" if measured.is_cancelled else f"{share:.2f}",
        )
    return table


def _operation_aims(meter: Meter) -> list[Aim]:
    checks, deducts = meter.measured["check"], meter.measured["deduct"]
    most = max(deducts.writes)
    return [
        Aim(
            what="check: calls",
            wanted="1",
            found=shown_range(checks.calls),
            is_met=max(checks.calls) == 1,
            is_exact=True,
        ),
        Aim(
            what="deduct: calls",
            wanted="<= 2",
            found=shown_range(deducts.calls),
            is_met=max(deducts.calls) <= 2,
            is_exact=True,
        ),
        *_hold_aims(meter),
        Aim(
            what="deduct: write units, six grants",
            wanted=f"<= {MOST_WRITE_UNITS:g}",
            found=f"{most:g}",
            is_met=0 < most <= MOST_WRITE_UNITS,
            is_exact=True,
        ),
    ]


def _hold_aims(meter: Meter) -> list[Aim]:
    holds, settles = meter.measured["hold, usual"], meter.measured["settle, usual"]
    calls = max(holds.calls) + max(settles.calls)
    units = max(holds.writes) + max(settles.writes)
    return [
        Aim(
            what="hold and settle: calls",
            wanted="<= 4",
            found=str(calls),
            is_met=calls <= 4,
            is_exact=True,
        ),
        Aim(
            what="hold and settle: write units",
            wanted=f"<= {2 * MOST_WRITE_UNITS:g}",
            found=f"{units:g}",
            is_met=0 < units <= 2 * MOST_WRITE_UNITS,
            is_exact=True,
        ),
    ]


def _sizes_table(account: Item, entry: Item) -> Table:
    table = Table(
        title="Item sizes",
        columns=("item", "bytes", "ratio to 1 KB"),
        notes=[
            "By DynamoDB's rule for item sizes. The account: six grants, a zone, three operations "
            "and two features counted. The entry: a model's tokens with breakdown and metadata."
        ],
    )
    for name, item in (("account", account), ("entry of a charge", entry)):
        size = item_bytes(item)
        table.add(name, f"{size:,}", f"{size / KILOBYTE:.2f}")
    return table


def _size_aim(account: Item) -> Aim:
    size = item_bytes(account)
    return Aim(
        what="typical account: bytes",
        wanted=f"<= {KILOBYTE}",
        found=str(size),
        is_met=size <= KILOBYTE,
        is_exact=True,
    )
