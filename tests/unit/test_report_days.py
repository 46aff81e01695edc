"""Days of reports: what is folded adds up, whatever the order, and fits an item at every bound."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from benchmarks.sizes import item_bytes
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.reports import (
    GROUPS,
    MOST_NAMES,
    MOST_TOP,
    DayFold,
    Progress,
    ReportDay,
    add_up,
    day_over_at,
    last_day_over,
    newest_closed_day,
)
from tollkeeper.domain.totals import MOST_TOTALS_PER_DAY, OTHER, Total, TotalKey, Totals
from tollkeeper.domain.usage.pools import POOL_NAMES
from tollkeeper.store.keys import day_list
from tollkeeper.store.reports import (
    Work,
    day_of_report_from_item,
    progress_from_item,
    progress_to_item,
    top_to_item,
    usage_to_item,
    work_from_item,
    work_to_item,
)

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ITEM_BYTES = 400 * 1024
LAG = timedelta(minutes=10)


def total(credits: int = 1, calls: int = 1) -> Total:
    return Total(calls=calls, credits_microcredits=credits, tokens=(calls,) * len(POOL_NAMES))


def fold(days: dict[str, Totals], so_far: ReportDay | None = None) -> ReportDay:
    folding = DayFold(so_far or ReportDay(DAY))
    for account, totals in days.items():
        folding.add(AccountId(account), totals)
    return folding.finish()


def some_days(accounts: int, *, seed: int = 1, names: int = 20) -> dict[str, Totals]:
    random = Random(seed)
    days: dict[str, Totals] = {}
    for number in range(accounts):
        keys = {TotalKey(*(f"{part}{random.randrange(names)}" for part in "oml")) for _ in range(3)}
        days[f"user_{number}"] = {
            key: total(random.randrange(10**6), random.randrange(9)) for key in keys
        }
    return days


@pytest.mark.parametrize("names", [20, 400])
def test_each_grouping_adds_up_to_the_whole(names: int) -> None:
    days = some_days(500, names=names)

    report = fold(days)

    whole = add_up(each for totals in days.values() for each in totals.values())
    assert (report.accounts, report.total) == (500, whole)
    for group in GROUPS:
        assert add_up(report.named[group].values()) == whole
        assert len(report.named[group]) <= MOST_NAMES + 1
        assert (OTHER in report.named[group]) == (names > MOST_NAMES)


def test_the_order_of_accounts_changes_nothing() -> None:
    days = some_days(450)
    turned = dict(reversed(days.items()))

    assert fold(days) == fold(turned)


def test_a_fold_that_goes_on_is_the_one_that_was_not_cut_off() -> None:
    days = some_days(900)
    first = dict(list(days.items())[:333])
    rest = {account: totals for account, totals in days.items() if account not in first}
    kept = work_from_item(work_to_item(Work(fold(first), is_sure=True, shard=3, after="user_9")))

    assert fold(rest, kept.so_far) == fold(days)
    assert (kept.is_sure, kept.shard, kept.after) == (True, 3, "user_9")


def test_the_top_is_who_spent_most_and_the_rest_is_all_others() -> None:
    days: dict[str, Totals] = {
        f"user_{number:04}": {TotalKey("sms"): total(number)} for number in range(1000)
    }

    report = fold(days)

    assert [spent.account for spent in report.top[:2]] == ["user_0999", "user_0998"]
    assert len(report.top) == MOST_TOP
    assert report.rest.credits_microcredits == sum(range(1000 - MOST_TOP))


def test_accounts_that_spent_the_same_are_named_by_their_ids() -> None:
    days: dict[str, Totals] = {name: {TotalKey("sms"): total(5)} for name in ("b", "c", "a")}

    assert [spent.account for spent in fold(days).top] == ["a", "b", "c"]


def test_a_day_at_every_bound_fits_an_item() -> None:
    large = Total(10**9, 10**9, 10**15, 10**15, 10**18, (10**12,) * len(POOL_NAMES))
    days: dict[str, Totals] = {}
    for number in range(MOST_TOP):
        names = range(number * MOST_TOTALS_PER_DAY, (number + 1) * MOST_TOTALS_PER_DAY)
        days[f"{number:0>128}"] = {
            TotalKey(f"{n:0>64}", f"{n:0>128}", f"{n:0>129}"): large for n in names
        }

    report = fold(days)

    assert item_bytes(usage_to_item(report)) + item_bytes(top_to_item(report)) < ITEM_BYTES


def test_a_day_is_read_as_it_was_written() -> None:
    report = fold(some_days(30))

    usage, top = (day_of_report_from_item(to(report)) for to in (usage_to_item, top_to_item))

    assert (usage.day, usage.accounts, usage.total) == (DAY, 30, report.total)
    assert (usage.named, top.top, top.total) == (report.named, report.top, report.total)


def test_progress_is_read_as_it_was_written() -> None:
    for progress in (Progress(DAY, version=1), Progress(DAY, DAY, DAY, NOW, version=7)):
        assert progress_from_item(progress_to_item(progress)) == progress


def test_a_day_is_over_when_it_is_over_in_the_last_zone() -> None:
    assert day_over_at(DAY) == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert last_day_over(datetime(2026, 11, 21, 12, 59, 59, tzinfo=UTC)) == date(2026, 11, 19)
    assert last_day_over(datetime(2026, 11, 21, 13, tzinfo=UTC)) == DAY


def test_a_day_is_closed_first_where_it_begins_first() -> None:
    assert newest_closed_day(datetime(2026, 11, 20, 9, 59, tzinfo=UTC)) == date(2026, 11, 19)
    assert newest_closed_day(datetime(2026, 11, 20, 10, tzinfo=UTC)) == DAY


def test_a_day_is_sure_only_after_a_check_and_the_lag() -> None:
    checked = Progress(date(2026, 11, 1), None, DAY, NOW)

    assert not Progress(date(2026, 11, 1)).is_sure(DAY, NOW, LAG)
    assert not checked.is_sure(DAY, NOW + timedelta(minutes=9), LAG)
    assert checked.is_sure(DAY, NOW + LAG, LAG)
    assert not checked.is_sure(DAY + timedelta(days=1), NOW + LAG, LAG)


def test_days_are_completed_one_after_the_other() -> None:
    progress = Progress(DAY)

    assert progress.completed(DAY).next_day == date(2026, 11, 21)
    with pytest.raises(AssertionError):
        progress.completed(date(2026, 11, 21))


def test_the_list_of_a_day_is_apart_from_those_that_the_sweep_reads() -> None:
    assert day_list(DAY, 7) == "DAY#2026-11-20#7"
