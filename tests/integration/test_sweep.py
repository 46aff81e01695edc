"""The sweep: accounts that nobody touched are rolled; a broken one stops nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from tests.support.driving import Driver, FakeClock, FakeContext, load, verify_ledger
from tests.support.dumping import dump_table, put_raw
from tests.support.faults import FaultyClient
from tollkeeper.domain.entries import AccountId
from tollkeeper.edge import wiring
from tollkeeper.store.keys import DUE_SHARDS, due_shard
from tollkeeper.store.ledger import Ledger

pytestmark = pytest.mark.moto

D = Decimal
ALL = tuple(f"user_{number}" for number in range(12))


def sweep(remaining_ms: int = 60_000, **event: Any) -> dict[str, Any]:
    """What the schedule's function answers."""
    context = FakeContext(function_name="period_reset", remaining_ms=remaining_ms)
    answer: dict[str, Any] = load("period_reset").handler(event, context)
    return answer


def shard_of(account: str) -> int:
    """The number of the shard that sweeps this account."""
    return int(due_shard(account).removeprefix("DUE#"))


@dataclass
class Running:
    """A context whose time runs out after it was asked so many times."""

    asked: int
    function_name: str = "period_reset"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """Enough, until it is not."""
        self.asked -= 1
        return 60_000 if self.asked >= 0 else 9_000


@pytest.fixture
def accounts(driver: Driver) -> Driver:
    """A dozen accounts that spent a credit each."""
    for account in ALL:
        assert driver.deduct(account, "sms", "k1").status == 200
    return driver


def balances(driver: Driver) -> dict[str, Decimal]:
    """What everybody has, as they would see it now."""
    return {account: D(driver.account(account)["available"]) for account in ALL}


def kinds(driver: Driver, account: str) -> list[str]:
    """The kinds of an account's rows, oldest first."""
    return [row["kind"] for row in driver.entries(account)]


def test_every_due_account_is_rolled_once(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=30)

    swept = sweep()

    assert swept == {"rolled": 12, "busy": 0, "broken": 0, "is_finished": True}
    for account in ALL:
        assert kinds(accounts, account) == ["reset", "charge", "reset", "expire"]
        verify_ledger(accounts, account)


def test_nothing_is_done_before_anything_is_due(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(hours=11)
    before = dump_table()

    swept = sweep()

    assert swept == {"rolled": 0, "busy": 0, "broken": 0, "is_finished": True}
    assert dump_table() == before


def test_what_is_due_at_this_very_moment_is_due(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1")

    clock.moment = datetime(2026, 11, 20, 23, 59, 59, 999_000, tzinfo=UTC)
    before = sweep()
    clock.forward(milliseconds=1)
    at = sweep()

    assert (before["rolled"], at["rolled"]) == (0, 1)


def test_a_second_sweep_changes_nothing(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=30)
    sweep()
    before = dump_table()

    again = sweep()

    assert again["rolled"] == 0
    assert dump_table() == before


def test_a_sweep_changes_no_balance_that_anybody_sees(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=70)
    before = {account: accounts.account(account).body for account in ALL}

    sweep()

    after = {account: accounts.account(account).body for account in ALL}
    moved = ("seq", "updated_at")
    for account in ALL:
        assert {k: v for k, v in after[account].items() if k not in moved} == {
            k: v for k, v in before[account].items() if k not in moved
        }


def test_who_is_never_swept_ends_where_who_is_swept_often_ends(
    driver: Driver, clock: FakeClock
) -> None:
    """The same days for two accounts, one touched by the sweep each day, one by its owner alone."""
    for account in ("swept", "left"):
        driver.deduct(account, "sms", "k1")
        driver.grant(account, 5, "g1", expires_at="2026-12-20T00:00:00Z")
    for _ in range(75):
        clock.forward(days=1)
        sweep(shards=[shard_of("swept")])
    assert shard_of("swept") != shard_of("left")

    for account in ("swept", "left"):
        driver.deduct(account, "sms", "k2")

    rows: dict[str, list[tuple[str, Any, Any]]] = {
        account: [(r["kind"], r["delta"], r["key"]) for r in driver.entries(account)]
        for account in ("swept", "left")
    }
    assert rows["swept"] == rows["left"]
    assert driver.stats("swept").body == driver.stats("left").body
    one, other = driver.account("swept").body, driver.account("left").body
    assert one | {"account": ""} == other | {"account": ""}


def test_a_reset_that_came_late_gives_every_period_its_rows(
    accounts: Driver, clock: FakeClock
) -> None:
    clock.forward(days=100)

    sweep()

    assert kinds(accounts, "user_0") == ["reset", "charge", *["reset", "expire"] * 3]
    assert balances(accounts)["user_0"] == 15


def test_more_time_than_one_transaction_holds_is_swept_too(
    driver: Driver, clock: FakeClock
) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=365 * 4)

    swept = sweep()

    assert swept["rolled"] == 1
    assert kinds(driver, "user_1").count("reset") == 1 + 48
    verify_ledger(driver, "user_1")


def break_account(account: str, change: Callable[[dict[str, Any]], None]) -> None:
    """The account's item as no version of ours would write it, and due."""
    item = dump_table()[f"A#{account}", "A"]
    change(item)
    put_raw(item | {"due_at": {"N": "1"}})


BREAKAGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "grants are no JSON": lambda item: item.update(gr={"S": "[["}),
    "a member is missing": lambda item: item.pop("ps"),
    "a number is a text": lambda item: item.update(ro={"S": "x"}),
    "an impossible day": lambda item: item.update(td={"S": "2026-02-31"}),
    "credits from nowhere": lambda item: item.update(
        gr={"S": json.dumps([["g1", "plan", 20, 15, 99, 0, 1]])}
    ),
    "a zone that is gone": lambda item: item.update(zo={"S": "Mars/Base"}),
}


@pytest.mark.parametrize("breakage", list(BREAKAGES))
def test_a_broken_account_stops_neither_its_shard_nor_the_others(
    accounts: Driver, clock: FakeClock, caplog: pytest.LogCaptureFixture, breakage: str
) -> None:
    neighbour = next(f"n{n}" for n in range(99) if shard_of(f"n{n}") == shard_of("user_0"))
    accounts.deduct(neighbour, "sms", "k1")
    break_account("user_0", BREAKAGES[breakage])
    broken = dump_table()["A#user_0", "A"]
    clock.forward(days=30)

    swept = sweep()

    assert swept == {"rolled": 12, "busy": 0, "broken": 1, "is_finished": True}
    assert dump_table()["A#user_0", "A"] == broken, "it is left for a person, as it is"
    assert kinds(accounts, neighbour)[-1] == "expire"
    alarms = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert [alarm["account"] for alarm in alarms] == ["user_0"]
    assert alarms[0]["exc_info"]


def test_a_sweep_stops_in_good_time_and_the_next_one_goes_on(
    accounts: Driver, clock: FakeClock
) -> None:
    clock.forward(days=30)
    handler = load("period_reset").handler

    first = handler({}, Running(asked=9))
    second = sweep()

    assert 0 < first["rolled"] < 12
    assert (first["is_finished"], second["is_finished"]) == (False, True)
    assert first["rolled"] + second["rolled"] == 12
    assert set(balances(accounts).values()) == {D(15)}


def test_a_sweep_without_time_does_nothing(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=30)
    before = dump_table()

    swept = sweep(remaining_ms=9_000)

    assert swept == {"rolled": 0, "busy": 0, "broken": 0, "is_finished": False}
    assert dump_table() == before


def test_a_sweep_of_some_shards_leaves_the_others(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=30)
    shards = sorted({shard_of(account) for account in ALL})[:2]

    swept = sweep(shards=shards)

    mine = [account for account in ALL if shard_of(account) in shards]
    assert swept["rolled"] == len(mine)
    for account in ALL:
        assert ("expire" in kinds(accounts, account)) == (account in mine)


def test_all_shards_together_are_everybody(accounts: Driver, clock: FakeClock) -> None:
    clock.forward(days=30)

    rolled = sum(sweep(shards=[shard])["rolled"] for shard in range(DUE_SHARDS))

    assert rolled == 12
    assert sweep()["rolled"] == 0


class ThreePages:
    """A ledger whose due accounts come on three pages, one of them empty."""

    def __init__(self) -> None:
        self.visited: list[str] = []

    def read_due(
        self, shard: int, *, until_ms: int, start: dict[str, Any] | None = None
    ) -> tuple[tuple[AccountId, ...], dict[str, Any] | None]:
        """A page, and where the next one starts."""
        assert (shard, until_ms) == (7, 1795176000000)
        pages = {"0": ("a", "b"), "1": (), "2": ("c", "d")}
        at = start["pk"]["S"] if start else "0"
        following = str(int(at) + 1)
        more = {"pk": {"S": following}} if following in pages else None
        return tuple(AccountId(name) for name in pages[at]), more

    def read_account(self, account: AccountId, *, is_strong: bool) -> None:
        """Nobody: the account is gone, and there is nothing to roll."""
        assert is_strong
        self.visited.append(account)


def test_more_due_accounts_than_one_page_holds_are_all_swept(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ThreePages()
    monkeypatch.setattr(wiring, "ledger", lambda: cast(Ledger, ledger))

    swept = sweep(shards=[7])

    assert ledger.visited == ["a", "b", "c", "d"]
    assert swept == {"rolled": 0, "busy": 0, "broken": 0, "is_finished": True}


def test_an_account_that_somebody_else_writes_is_left_to_them(
    driver: Driver, faults: FaultyClient, clock: FakeClock
) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=30)
    faults.forget()
    faults.before[2] = lambda: driver.deduct("user_1", "sms", "k2") and None

    swept = sweep(shards=[shard_of("user_1")])

    assert (swept["rolled"], swept["busy"], swept["is_finished"]) == (0, 1, True)
    assert kinds(driver, "user_1") == ["reset", "charge", "reset", "expire", "charge"]
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("fault", ["throttled", "server_error", "lost_before"])
def test_a_shard_that_cannot_be_read_stops_no_other(
    accounts: Driver, faults: FaultyClient, clock: FakeClock, fault: str
) -> None:
    clock.forward(days=30)
    first = min(shard_of(account) for account in ALL)
    faults.forget()
    faults.plan[0] = fault

    swept = sweep(shards=[first, *(n for n in range(DUE_SHARDS) if n != first)])

    assert (swept["busy"], swept["is_finished"]) == (1, False)
    assert swept["rolled"] == sum(shard_of(account) != first for account in ALL)
    faults.forget()
    assert sweep() | {"rolled": 0} == {"rolled": 0, "busy": 0, "broken": 0, "is_finished": True}
    assert all(kinds(accounts, account)[-1] == "expire" for account in ALL)


def test_a_write_that_was_lost_is_not_made_twice(
    driver: Driver, faults: FaultyClient, clock: FakeClock
) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=30)
    faults.forget()
    faults.plan[2] = "lost_after"

    first = sweep(shards=[shard_of("user_1")])
    faults.forget()
    second = sweep(shards=[shard_of("user_1")])

    assert (first["busy"], second["rolled"]) == (1, 0)
    assert kinds(driver, "user_1") == ["reset", "charge", "reset", "expire"]
