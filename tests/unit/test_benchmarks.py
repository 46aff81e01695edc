"""What the benchmarks count, and never what they time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator

import moto
import pytest

from benchmarks.calls import measure_operations
from benchmarks.imports import forbidden_imports
from benchmarks.load import Load, drive, shown_busy
from benchmarks.metering import Call, Meter, MeteredClient, read_call
from benchmarks.report import Aim, Table, aims_table, ratio, spread
from benchmarks.sizes import KILOBYTE, item_bytes, number_bytes
from benchmarks.stack import environment, handlers, make_table
from benchmarks.workload import ACCOUNT, open_small_account, read_items
from tests.support.driving import FakeClock
from tollkeeper.store.client import connect


@pytest.fixture
def meter() -> Generator[Meter]:
    """The real handlers on an empty table, every call counted."""
    with environment(), moto.mock_aws():
        make_table()
        client = MeteredClient(connect())
        with handlers(lambda: client, clock=FakeClock()) as driver:
            yield Meter(driver, client)


@pytest.fixture
def small_account(meter: Meter) -> Meter:
    """The account that every figure is for, with its first charge."""
    open_small_account(meter.driver, ACCOUNT)
    return meter


def test_a_check_is_one_read_and_a_deduct_one_read_and_one_transaction(
    small_account: Meter,
) -> None:
    measure_operations(small_account, tries=2)

    operations = {
        name: [[call.operation for call in calls] for calls in measured.tries]
        for name, measured in small_account.measured.items()
    }
    assert operations["check"] == [["GetItem"]] * 2
    assert operations["deduct"] == [["GetItem", "TransactWriteItems"]] * 2
    assert operations["deduct, replayed"] == [["GetItem", "TransactWriteItems"]] * 2
    assert operations["grant"] == [["GetItem", "TransactWriteItems"]] * 2
    assert operations["void"] == [["GetItem", "GetItem", "TransactWriteItems"]] * 2


def test_a_charge_on_a_new_day_and_the_first_of_an_account_are_one_transaction_too(
    small_account: Meter,
) -> None:
    measure_operations(small_account, tries=1)

    for name in ("deduct, opens the account", "deduct, closes a day"):
        assert small_account.measured[name].calls == [2], name


def test_a_typical_account_is_one_write_unit(small_account: Meter) -> None:
    account, entry = read_items(ACCOUNT)

    assert len(json.loads(account["gr"]["S"])) == 6
    assert item_bytes(account) <= KILOBYTE
    assert item_bytes(entry) <= KILOBYTE


def test_only_checkout_loads_stripe_nothing_the_x_ray_sdk_and_no_charge_payments() -> None:
    assert forbidden_imports() == ()


@pytest.mark.parametrize(
    ("number", "size"),
    [("0", 1), ("7", 2), ("42", 2), ("123", 3), ("-5", 3), ("1000000", 2), ("1795176000000", 5)],
)
def test_a_number_is_a_byte_for_every_two_significant_digits(number: str, size: int) -> None:
    assert number_bytes(number) == size


def test_an_item_is_its_names_and_its_values() -> None:
    assert item_bytes({"pk": {"S": "A#ü"}, "v": {"N": "12"}, "b": {"B": b"abc"}}) == 6 + 3 + 4


def test_the_capacity_of_a_transaction_is_told_apart_for_table_and_indexes() -> None:
    answer = {
        "ConsumedCapacity": [
            {
                "TableName": "t",
                "CapacityUnits": 5.0,
                "Table": {"CapacityUnits": 4.0},
                "GlobalSecondaryIndexes": {"history": {"CapacityUnits": 1.0}},
            }
        ]
    }

    call = read_call("TransactWriteItems", answer)

    assert call == Call(operation="TransactWriteItems", table_writes=4.0, index_writes=1.0)


def test_a_ratio_is_that_of_values_measured_side_by_side() -> None:
    # The second round ran on a machine that was three times as slow.
    assert ratio([20, 60, 20], [10, 30, 10]) == 2.0
    assert spread([1, 3, 2], 1) == ("1.0", "2.0", "3.0")


def test_a_table_lines_up_and_takes_rows_of_its_own_width_only() -> None:
    table = Table(title="T", columns=("what", "n"), notes=["a note"])
    table.add("long name", "7")

    assert table.render().splitlines() == [
        "### T",
        "",
        "| what      |   n |",
        "| --------- | --: |",
        "| long name |   7 |",
        "",
        "- a note",
    ]
    with pytest.raises(AssertionError):
        table.add("one cell")


def test_an_aim_that_is_missed_is_said_aloud() -> None:
    aim = Aim(what="calls", wanted="2", found="3", is_met=False, is_exact=True)

    assert aims_table([aim]).rows == [("calls", "2", "3", "NO")]


def test_a_busy_answer_is_sent_again_under_the_same_number() -> None:
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        return 503 if len(asked) == 2 else 200

    load = drive([ask], seconds=0.2)

    assert asked[:4] == [0, 1, 1, 2]
    assert load.statuses[503] == 1


def test_the_busy_share_is_of_all_answers() -> None:
    loads = [
        Load(seconds=1.0, statuses=Counter({200: 6, 503: 2})),
        Load(seconds=1.0, statuses=Counter({200: 8})),
    ]

    assert shown_busy(loads) == "12.5"
