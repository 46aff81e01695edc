"""Days of reports at their bounds, in the table, and from one day to another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.ledgers import TABLE, Answering, a_ledger, a_store
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.reports import (
    GROUPS,
    MOST_NAMES,
    MOST_TOP,
    DayFold,
    Progress,
    ReportDay,
    Spent,
    count_name,
    keep_top,
)
from tollkeeper.domain.totals import OTHER, Total, TotalKey
from tollkeeper.store.ledger import Ledger, TakenError
from tollkeeper.store.reports import (
    DAYS_PER_READ,
    TOP,
    USAGE,
    Work,
    is_empty,
    progress_to_item,
    read_progress,
    read_report_days,
    read_work,
    top_to_item,
    usage_to_item,
    work_to_item,
    write_progress,
)

DAY = date(2026, 11, 20)
ONCE, TWICE, THRICE = (Total(calls=n, credits_microcredits=n) for n in (1, 2, 3))
USER = AccountId("user_1")


def spent(name: str, total: Total) -> Spent:
    return Spent(AccountId(name), total)


def a_day(day: date = DAY) -> ReportDay:
    """A day on which one account ran something."""
    fold = DayFold(ReportDay(day))
    fold.add(USER, {TotalKey("chat", "gpt-4", "app"): ONCE})
    return fold.finish()


# ---- Folding


def test_a_day_has_each_total_under_its_operation_its_model_and_its_feature() -> None:
    fold = DayFold(ReportDay(DAY))
    fold.add(USER, {TotalKey("sms"): ONCE, TotalKey("chat", "gpt-4", "app"): ONCE})
    fold.add(AccountId("user_2"), {TotalKey("chat", "gpt-3", "app"): ONCE})

    assert fold.day == DAY
    assert fold.finish() == ReportDay(
        DAY,
        accounts=2,
        total=THRICE,
        named={
            "operation": {"chat": TWICE, "sms": ONCE},
            "model": {"": ONCE, "gpt-3": ONCE, "gpt-4": ONCE},
            "feature": {"": ONCE, "app": TWICE},
        },
        top=(spent("user_1", TWICE), spent("user_2", ONCE)),
    )
    assert [*fold.finish().named["operation"]] == ["chat", "sms"]


def test_an_account_that_used_nothing_is_counted_all_the_same() -> None:
    fold = DayFold(ReportDay(DAY))
    fold.add(USER, {})

    assert fold.finish() == ReportDay(
        DAY, 1, named={group: {} for group in GROUPS}, top=(spent("user_1", Total()),)
    )


def test_a_name_beyond_the_bound_is_other_and_a_known_one_stays_itself() -> None:
    totals = {f"n{number}": ONCE for number in range(MOST_NAMES - 1)}

    count_name(totals, "last", ONCE)
    count_name(totals, "more", ONCE)
    count_name(totals, "last", ONCE)
    count_name(totals, "again", ONCE)

    assert (totals["last"], totals[OTHER]) == (TWICE, TWICE)
    assert "more" not in totals and len(totals) == MOST_NAMES + 1


def test_those_who_spent_most_are_kept_up_to_the_bound() -> None:
    every = [spent(f"{n:03}", Total(credits_microcredits=n)) for n in range(MOST_TOP + 1)]

    assert keep_top(every) == every[:0:-1]
    assert keep_top([spent("b", ONCE), spent("a", ONCE), spent("c", TWICE)]) == [
        spent("c", TWICE),
        spent("a", ONCE),
        spent("b", ONCE),
    ]


def test_a_day_that_is_being_folded_never_lists_twice_as_many_as_it_names() -> None:
    fold = DayFold(ReportDay(DAY))
    for number in range(2 * MOST_TOP - 1):
        fold.add(AccountId(f"{number:03}"), {TotalKey("sms"): ONCE})

    report = fold.finish()

    assert [each.account for each in report.top] == [f"{n:03}" for n in range(MOST_TOP)]
    assert report.rest == Total(calls=MOST_TOP - 1, credits_microcredits=MOST_TOP - 1)


# ---- How far they are


def test_the_next_day_is_the_first_one_that_is_not_complete() -> None:
    begun = Progress(DAY, version=3)

    done = begun.completed(DAY)

    assert done == Progress(DAY, DAY, version=3)
    assert (begun.next_day, done.next_day) == (DAY, DAY + timedelta(days=1))


def test_days_go_on_from_where_they_are_and_none_is_left_out() -> None:
    with pytest.raises(AssertionError, match="one after the other"):
        Progress(DAY, DAY).completed(DAY)


def test_a_check_without_its_moment_is_none() -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert not Progress(DAY, checked_day=DAY).is_sure(DAY, now, timedelta(0))
    assert not Progress(DAY, checked_at=now).is_sure(DAY, now, timedelta(0))
    assert Progress(DAY, checked_day=DAY, checked_at=now).is_sure(DAY, now, timedelta(0))
    assert "checked" not in progress_to_item(Progress(DAY, checked_day=DAY))


# ---- In the table


def test_how_far_the_reports_are_is_written_over_the_version_before_with_its_days() -> None:
    ledger = a_ledger()
    assert read_progress(ledger) is None

    first = Progress(DAY, version=1)
    write_progress(ledger, first, usage_to_item(a_day()), top_to_item(a_day()))

    assert read_progress(ledger) == first
    assert read_report_days(ledger, USAGE, DAY, DAY) == [
        ReportDay(DAY, 1, ONCE, named=a_day().named)
    ]
    assert read_report_days(ledger, TOP, DAY, DAY) == [ReportDay(DAY, 1, ONCE, top=a_day().top)]
    with pytest.raises(TakenError, match=r"^The progress was written") as caught:
        write_progress(ledger, first)
    assert caught.value.role == "progress"
    write_progress(ledger, Progress(DAY, DAY, version=2))
    assert read_progress(ledger) == Progress(DAY, DAY, version=2)


def test_a_day_that_is_half_folded_is_found_where_it_was_left() -> None:
    ledger = a_ledger()
    assert read_work(ledger) is None
    for is_sure in (True, False):
        work = Work(a_day(), is_sure=is_sure, shard=3, after="user_9")

        version = 1 if is_sure else 2
        write_progress(ledger, Progress(DAY, version=version), work_to_item(work))

        assert read_work(ledger) == work


@pytest.mark.parametrize("page", [None, 1, 7])
def test_days_are_read_from_the_first_to_the_last_and_no_other(page: int | None) -> None:
    ledger = a_ledger(a_store(cut=lambda: page))
    days = [DAY + timedelta(days=number) for number in range(2 * DAYS_PER_READ + 2)]
    for version, day in enumerate(days, 1):
        both = usage_to_item(a_day(day)), top_to_item(a_day(day))
        write_progress(ledger, Progress(DAY, version=version), *both)

    for kind in (USAGE, TOP):
        read = read_report_days(ledger, kind, days[1], days[-2])
        assert [each.day for each in read] == days[1:-1]
        assert read_report_days(ledger, kind, days[-1], days[-1] + timedelta(days=9)) != []
        assert read_report_days(ledger, kind, DAY - timedelta(days=9), days[0]) != []


def test_reports_stay_where_and_as_earlier_versions_wrote_them() -> None:
    """Why: an attribute that is renamed, on either side, loses that member of every report."""
    counted = {
        "sv": {"N": "1"},
        "accounts": {"N": "1"},
        "total": {"S": "[1,0,1,0,0]"},
    }
    named = (
        '{"operation":[["chat",1,0,1,0,0]],"model":[["gpt-4",1,0,1,0,0]],'
        '"feature":[["app",1,0,1,0,0]]}'
    )
    top = '[["user_1",1,0,1,0,0]]'
    at = datetime(2026, 11, 22, tzinfo=UTC)

    assert usage_to_item(a_day()) == {
        "pk": {"S": "R"},
        "sk": {"S": "U#2026-11-20"},
        "named": {"S": named},
        **counted,
    }
    assert top_to_item(a_day()) == {
        "pk": {"S": "R"},
        "sk": {"S": "T#2026-11-20"},
        "top": {"S": top},
        **counted,
    }
    assert work_to_item(Work(a_day(), is_sure=True, shard=3, after="user_9")) == {
        "pk": {"S": "R"},
        "sk": {"S": "W"},
        "named": {"S": named},
        "top": {"S": top},
        "day": {"S": "2026-11-20"},
        "sure": {"N": "1"},
        "shard": {"N": "3"},
        "after": {"S": "user_9"},
        **counted,
    }
    assert progress_to_item(Progress(DAY, DAY, DAY, at, 7)) == {
        "pk": {"S": "R"},
        "sk": {"S": "S"},
        "sv": {"N": "1"},
        "v": {"N": "7"},
        "since": {"S": "2026-11-20"},
        "through": {"S": "2026-11-20"},
        "checked": {"S": "2026-11-20"},
        "checked_at": {"N": "1795305600000"},
    }


def test_a_read_of_days_is_bounded() -> None:
    client = Answering({"Items": []})

    assert read_report_days(Ledger(client, TABLE), USAGE, DAY, DAY) == []
    (request,) = client.requests
    assert request["Limit"] == DAYS_PER_READ == 40
    assert request["ExpressionAttributeValues"][":after"] == {"S": "U#2026-11-19"}


def test_a_day_is_empty_only_where_nobody_ran_anything() -> None:
    assert is_empty(ReportDay(DAY))
    assert not is_empty(ReportDay(DAY, accounts=1))
    assert not is_empty(ReportDay(DAY, total=ONCE))
