"""Reports over all accounts: the sum of their own stats, and final once a day is complete."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from simulation.store import SimStore
from tests.integration.test_owing import owing
from tests.support.counting import name_bucket
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tests.support.forgetting import forget
from tests.support.payments import FakeStripe
from tollkeeper.domain.reports import MOST_TOP, day_over_at
from tollkeeper.edge import wiring
from tollkeeper.edge.csv_export import make_safe
from tollkeeper.store.ledger import Ledger

D = Decimal
ZONES = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "America/St_Johns")
RUNS: tuple[dict[str, Any], ...] = (
    {"operation": "sms"},
    {"operation": "sms", "feature": "alerts"},
    {"operation": "voice_call", "quantity": 2, "feature": "support", "subtype": "night"},
    {"operation": "ai_tokens", "model": "gpt-4", "usage": {"input": 20, "output": 5}},
    {"operation": "ai_tokens", "model": "gpt-3.5", "usage": {"input": 900}, "feature": "chat"},
)
GROUPS = ("operation", "model", "feature")
SUMMED = ("calls", "failed", "credits", "refunded", "tokens_total")


def fold(remaining_ms: int = 900_000) -> dict[str, Any]:
    """What a run of the schedule says."""
    answer: dict[str, Any] = load("report").handler({}, FakeContext(remaining_ms=remaining_ms))
    return answer


def sweep() -> None:
    """What is due is rolled."""
    load("period_reset").handler({}, FakeContext(remaining_ms=60_000))


def fold_for_good(clock: FakeClock) -> dict[str, Any]:
    """Everything that is over is complete: every account was rolled, checked, and folded later."""
    sweep()
    fold()
    clock.forward(minutes=11)
    return fold()


def usage(driver: Driver, first: date, last: date, **query: str) -> Any:
    span = {"from": first.isoformat(), "to": last.isoformat()}
    return driver.call("GET /v1/reports/usage", query={**span, **query})


def customers(driver: Driver, first: date, last: date, **query: str) -> Any:
    span = {"from": first.isoformat(), "to": last.isoformat()}
    return driver.call("GET /v1/reports/customers", query={**span, **query})


@dataclass
class LateLists:
    """A table whose index of lists shows a closed day only some minutes after it was written."""

    store: SimStore
    clock: FakeClock
    minutes: int
    written_at: dict[tuple[str, str], datetime] = field(
        default_factory=dict[tuple[str, str], datetime]
    )

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        return self.store.get_item(**request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none."""
        answer = self.store.transact_write_items(**request)
        for each in request["TransactItems"]:
            item = each["Put"]["Item"]
            if "totals" in item:
                self.written_at[item["pk"]["S"], item["sk"]["S"]] = self.clock.now()
        return answer

    def query(self, **request: Any) -> dict[str, Any]:
        """One page of items, without those that the index does not have yet."""
        answer = self.store.query(**request)
        if request.get("IndexName") != "lists":
            return answer
        seen = self.clock.now() - timedelta(minutes=self.minutes)
        shown = [item for item in answer["Items"] if self._at(item) <= seen]
        return {**answer, "Items": shown}

    def _at(self, item: dict[str, Any]) -> datetime:
        return self.written_at.get(
            (item["pk"]["S"], item["sk"]["S"]), datetime.min.replace(tzinfo=UTC)
        )


@dataclass
class City:
    """Accounts in many zones that live at random, and a fold that runs at random."""

    driver: Driver
    clock: FakeClock
    random: Random
    accounts: list[str] = field(default_factory=list[str])
    complete: dict[date, Any] = field(default_factory=dict[date, Any])

    def open(self, count: int) -> None:
        """Accounts in every zone, with credits."""
        for number in range(count):
            account, zone = f"user_{number}", ZONES[number % len(ZONES)]
            path = {"id": account}
            set_ = self.driver.call(
                "PUT /v1/accounts/{id}/profile", {"zone": zone}, path=path, key="zone"
            )
            assert set_.status == 200
            assert self.driver.grant(account, 5000).status == 201
            self.accounts.append(account)

    def live(self, hours: int) -> None:
        """Hours of charges, some of them undone, with sweeps and folds that come as they like."""
        for hour in range(hours):
            for account in self.random.sample(self.accounts, k=3):
                key = f"k{hour}-{account}"
                run = self.random.choice(RUNS)
                assert self.driver.deduct(account, key=key, **run).status == 200
                if self.random.random() < 0.2:
                    assert self.driver.void(account, key, f"v{key}").status == 200
            self.clock.forward(minutes=self.random.randint(1, 110))
            if self.random.random() < 0.15:
                sweep()
            if self.random.random() < 0.4:
                self.fold()

    def fold(self) -> None:
        """A run; what it calls complete is what accounts say, and stays so."""
        folded = fold(self.random.choice((900_000, 900_000, 0)))
        if folded["through"] is None:
            return
        through = date.fromisoformat(folded["through"])
        assert self.clock.now() >= day_over_at(through)
        for ordinal in range(date(2026, 11, 19).toordinal(), through.toordinal() + 1):
            day = date.fromordinal(ordinal)
            report = usage(self.driver, day, day, group_by="operation").body
            if day not in self.complete:
                assert_sums(self.driver, self.accounts, day, day)
            assert report["rows"] == self.complete.setdefault(day, report["rows"])


def assert_sums(driver: Driver, accounts: list[str], first: date, last: date) -> None:
    """Every view of the report is the sum of the accounts' stats."""
    span = {"from": first.isoformat(), "to": last.isoformat()}
    for bucket in ("day", "week", "month"):
        for group in (None, *GROUPS):
            by = {"group_by": group} if group else {}
            expected: dict[tuple[str, Any], Counter[str]] = defaultdict(Counter)
            for account in accounts:
                for row in driver.stats(account, bucket=bucket, **span, **by)["rows"]:
                    count = expected[row["bucket"], row.get(group or "")]
                    count.update({name: row[name] for name in SUMMED})
                    count.update({f"tokens.{k}": v for k, v in row["tokens"].items()})
                    count["cost"] += D(row["cost_usd"])  # pyright: ignore[reportArgumentType]
            report = usage(driver, first, last, bucket=bucket, **by)
            found: dict[tuple[str, Any], Counter[str]] = {}
            for row in report["rows"]:
                count = Counter({name: row[name] for name in SUMMED})
                count.update({f"tokens.{k}": v for k, v in row["tokens"].items()})
                count["cost"] = D(row["cost_usd"])  # pyright: ignore[reportArgumentType]
                found[row["bucket"], row.get(group or "")] = count
            assert set(found) == set(expected), (bucket, group)
            assert all(+found[place] == +expected[place] for place in expected), (bucket, group)


@pytest.mark.parametrize("seed", range(8))
def test_a_complete_day_is_the_sum_of_all_accounts_and_never_changes_again(
    driver: Driver, clock: FakeClock, store: SimStore, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever zones, sweeps that come late, folds that are cut off and an index that lags do."""
    late = LateLists(store, clock, minutes=9)
    monkeypatch.setattr(wiring, "connect", lambda: late)
    forget()
    city = City(driver, clock, Random(seed))
    city.open(7)

    city.live(100)
    clock.forward(hours=40)
    sweep()
    for _ in range(4):
        city.fold()
        clock.forward(minutes=11)
    for _ in range(3):
        fold()

    first, last = date(2026, 11, 19), clock.now().date() - timedelta(days=1)
    assert usage(driver, first, last)["through"] >= (last - timedelta(days=1)).isoformat()
    assert_sums(driver, city.accounts, first, last)


def test_a_day_is_folded_for_good_only_once_a_lagging_index_must_have_it(
    driver: Driver, clock: FakeClock, store: SimStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = LateLists(store, clock, minutes=9)
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=2)
    monkeypatch.setattr(wiring, "connect", lambda: late)
    forget()

    sweep()
    fold()
    clock.forward(minutes=8)
    early = fold()
    clock.forward(minutes=3)
    sure = fold()

    assert (early["through"], sure["through"]) == (None, "2026-11-20")
    shown = usage(driver, date(2026, 11, 20), date(2026, 11, 20))
    assert shown["totals"]["calls"] == 1


def test_through_waits_for_an_account_that_nobody_rolled(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1")
    driver.deduct("user_2", "sms", "k2")
    clock.forward(days=3)
    driver.deduct("user_2", "sms", "k3")

    late = fold()
    clock.forward(hours=1)
    again = fold()

    assert (late["late"], again["late"], again["through"]) == (1, 1, "2026-11-19")
    shown = usage(driver, date(2026, 11, 20), date(2026, 11, 20))
    assert (shown["rows"], shown["through"]) == ([], "2026-11-19")
    assert fold_for_good(clock)["through"] == "2026-11-22"
    shown = usage(driver, date(2026, 11, 20), date(2026, 11, 20))
    assert (shown["totals"]["calls"], shown["since"]) == (2, "2026-10-23")


def test_a_day_is_not_complete_before_it_is_over_in_the_last_zone(
    driver: Driver, clock: FakeClock
) -> None:
    clock.moment = datetime(2026, 11, 21, 12, 59, tzinfo=UTC)
    driver.deduct("user_1", "sms", "k1")

    early = fold_for_good(clock)
    clock.forward(hours=1)
    later = fold_for_good(clock)

    assert early["through"] == "2026-11-19"
    assert later["through"] == "2026-11-20"


@pytest.mark.parametrize("rows_per_read", [1, 2, 1000])
def test_a_fold_that_is_cut_off_goes_on_where_it_stopped(
    driver: Driver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, rows_per_read: int
) -> None:
    read_list = Ledger.read_list

    def read_few(self: Ledger, name: str, *, after: str = "") -> Any:
        return read_list(self, name, after=after, limit=rows_per_read)

    monkeypatch.setattr(Ledger, "read_list", read_few)
    accounts = [f"user_{number}" for number in range(40)]
    for account in accounts:
        driver.deduct(account, "sms", "k1")
    clock.forward(days=3)
    sweep()
    fold()
    clock.forward(minutes=11)

    runs = [fold(remaining_ms=0) for _ in range(600)]

    assert not runs[0]["is_finished"]
    assert max(run["through"] or "" for run in runs) == "2026-11-21"
    assert_sums(driver, accounts, date(2026, 11, 20), date(2026, 11, 20))


def test_a_fold_for_good_does_not_go_on_from_one_that_was_not(
    driver: Driver, clock: FakeClock
) -> None:
    """user_1 is in the first part of each day's list, and rolled after that part was read."""
    clock.moment = datetime(2026, 11, 21, 14, tzinfo=UTC)
    for number in range(1, 6):
        driver.deduct(f"user_{number}", "sms", "k1")
    clock.forward(days=2)
    assert not fold(remaining_ms=0)["is_finished"]

    folded = fold_for_good(clock)

    shown = usage(driver, date(2026, 11, 21), date(2026, 11, 21))
    assert (folded["through"], shown["totals"]["calls"]) == ("2026-11-22", 5)


def test_folding_again_writes_the_same(driver: Driver, clock: FakeClock, store: SimStore) -> None:
    for number in range(5):
        driver.deduct(f"user_{number}", "sms", "k1")
    clock.forward(days=3)
    fold_for_good(clock)
    reports = [item for item in store.items() if item["pk"] == {"S": "R"}]

    fold()

    assert [item for item in store.items() if item["pk"] == {"S": "R"}] == reports
    assert {item["sk"]["S"] for item in reports} == {"S", "T#2026-11-20", "U#2026-11-20"}


def test_s3_15_the_customers_who_use_most_are_named(driver: Driver, clock: FakeClock) -> None:
    for number in range(5):
        for run in range(number + 1):
            assert driver.deduct(f"user_{number}", "sms", f"k{run}").status == 200
    clock.forward(days=1)
    for run in range(9):
        driver.deduct("user_0", "sms", f"later{run}")
    clock.forward(days=3)
    fold_for_good(clock)

    shown = customers(driver, date(2026, 11, 1), date(2026, 11, 30), limit="2")

    rows = [(row["account"], row["calls"], row["days"]) for row in shown["rows"]]
    assert rows == [("user_0", 10, 2), ("user_4", 5, 1)]
    assert shown["rows"][0]["percent"] == D("41.66")
    assert (shown["totals"]["calls"], shown["others"]["calls"]) == (24, 9)
    assert (shown["unseen_at_most"], shown["through"]) == (0, "2026-11-22")


def test_a_day_names_the_200_who_spent_most_and_adds_up_the_others(
    driver: Driver, clock: FakeClock
) -> None:
    for number in range(MOST_TOP + 10):
        for run in range(2 if number < MOST_TOP else 1):
            driver.deduct(f"user_{number}", "sms", f"k{run}")
    clock.forward(days=2)
    fold_for_good(clock)

    shown = customers(driver, date(2026, 11, 20), date(2026, 11, 20), limit="200")

    assert len(shown["rows"]) == MOST_TOP
    assert {row["calls"] for row in shown["rows"]} == {2}
    assert shown["others"]["calls"] == 10
    assert shown["unseen_at_most"] == shown["rows"][-1]["credits"]


def test_reports_come_as_csv_whose_cells_no_spreadsheet_runs(
    driver: Driver, clock: FakeClock
) -> None:
    driver.deduct("-user", "sms", "k1", feature="=1+1")
    clock.forward(days=2)
    fold_for_good(clock)
    csv = {"accept": "text/csv"}
    span = {"from": "2026-11-01", "to": "2026-11-30"}

    usage_ = driver.call(
        "GET /v1/reports/usage", query={**span, "group_by": "feature"}, headers=csv
    )
    customers_ = driver.call("GET /v1/reports/customers", query=span, headers=csv)

    assert usage_.headers["content-type"] == "text/csv; charset=utf-8"
    assert usage_.text.splitlines()[0].startswith("bucket,feature,calls,failed,credits")
    assert usage_.text.splitlines()[1].startswith("2026-11-20,'=1+1,1,0,")
    assert customers_.text.splitlines()[1].startswith("'-user,1,1,0,")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("a\t@x", "a\t'@x"),
        ('a; "-1', "a; \"'-1"),
        ("a-b=c", "a-b=c"),
        ("a;b", "a;b"),
    ],
)
def test_a_cell_is_no_formula_wherever_a_spreadsheet_splits(text: str, cell: str) -> None:
    assert make_safe(text) == cell


def test_a_report_of_too_many_rows_or_days_is_refused(driver: Driver) -> None:
    for query in ({"from": "2026-11-02", "to": "2026-11-01"}, {"from": "2025-01-01"}):
        refused = driver.call("GET /v1/reports/usage", query=query)

        assert (refused.status, refused["code"]) == (422, "invalid")


def test_weeks_and_months_of_a_report_are_those_of_stats(driver: Driver, clock: FakeClock) -> None:
    for day in range(15):
        driver.deduct("user_1", "sms", f"k{day}")
        clock.forward(days=1)
    clock.forward(days=2)
    fold_for_good(clock)

    for bucket in ("week", "month"):
        shown = usage(driver, date(2026, 11, 20), date(2026, 12, 4), bucket=bucket)
        days = [date(2026, 11, 20) + timedelta(days=day) for day in range(15)]
        counted = Counter(name_bucket(day, bucket) for day in days)
        assert {row["bucket"]: row["calls"] for row in shown["rows"]} == counted


class TestSearch:
    def search(self, driver: Driver, **query: str) -> Any:
        return driver.call("GET /v1/accounts", query=query)

    def test_s3_19_accounts_are_found_by_how_their_ids_begin(self, driver: Driver) -> None:
        for account in ("ann", "anna", "anna|b", "bob", "Ann"):
            driver.deduct(account, "sms", "k1")

        found = self.search(driver, prefix="ann")

        assert [row["account"] for row in found["accounts"]] == ["ann", "anna", "anna|b"]
        assert found["next_cursor"] is None
        (bob,) = self.search(driver, prefix="bob")["accounts"]
        balance = driver.account("bob")
        assert (bob["available"], bob["plan"]) == (balance["available"], balance["plan"]["id"])
        assert (bob["status"], bob["seq"], bob["parent"]) == ("active", balance["seq"], None)

    def test_pages_name_every_account_once_in_the_order_of_ids(self, driver: Driver) -> None:
        accounts = sorted(f"user_{number}" for number in range(53))
        for account in accounts:
            driver.grant(account, 1)
        found: list[str] = []
        cursor = ""
        while len(found) <= len(accounts):
            page = self.search(driver, limit="10", **({"cursor": cursor} if cursor else {}))
            found += [row["account"] for row in page["accounts"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break

        assert found == accounts

    def test_a_search_shows_accounts_as_they_are_now(
        self, driver: Driver, clock: FakeClock
    ) -> None:
        driver.deduct("user_1", "sms", "k1")
        clock.forward(days=40)

        (row,) = self.search(driver)["accounts"]

        assert row["available"] == driver.account("user_1")["available"]

    def test_nobody_is_found_where_nobody_is(self, driver: Driver) -> None:
        assert self.search(driver).body == {"accounts": [], "next_cursor": None}

    @pytest.mark.parametrize("cursor", ["Auth", "zed", "an"])
    def test_a_cursor_of_another_search_is_refused(self, driver: Driver, cursor: str) -> None:
        driver.deduct("anna", "sms", "k1")

        assert self.search(driver, prefix="ann", cursor=cursor).status == 422
        assert self.search(driver, prefix="ann", cursor="ann").status == 200

    def test_what_is_owed_is_counted_once(self, driver: Driver, stripe: FakeStripe) -> None:
        owing(driver, stripe)

        (row,) = self.search(driver)["accounts"]

        assert row["debt"] == driver.account(row["account"])["debt"] > 0
