"""Each fact of each row with every member it tells: a receiver reads them by name, for years."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.support.telling import TOLD
from tests.support.telling_rows import CREDIT, PACK, moved, row
from tests.unit.told_members import EXPECTED, OF_EVERY_ROW, Told
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, Run
from tollkeeper.domain.events import EventType, events_of, show_moment


def told(entry: Entry) -> list[Told]:
    """What the row tells beside what every row does."""
    facts: list[Told] = []
    for event in events_of(entry):
        number = int(event.id.rpartition(":")[2])
        own = {name: each for name, each in event.detail.items() if name not in OF_EVERY_ROW}
        facts.append((number, event.type.value, own))
    return facts


@pytest.mark.parametrize("name", TOLD)
def test_a_row_tells_these_members_and_no_others(name: str) -> None:
    assert told(TOLD[name][0]) == EXPECTED[name]


def test_a_return_whose_row_names_neither_charge_nor_run_is_told_without_them() -> None:
    assert told(moved(EntryKind.REFUND, 2)) == [
        (0, "charge.returned", {"returned": "2", "is_void": False})
    ]


def test_a_rerate_of_a_run_without_model_and_cost_is_told_without_them() -> None:
    entry = moved(
        EntryKind.RERATE,
        0,
        run=Run("sms", price_version="v1"),
        refers_to=EntryKey("c#msg_811"),
        details={"before_microcredits": "5000000", "price_microcredits": "5000000"},
    )

    assert told(entry) == [
        (
            0,
            "charge.rerated",
            {
                "charge": "msg_811",
                "price": "5",
                "before": "5",
                "operation": "sms",
                "price_version": "v1",
            },
        )
    ]


def test_a_charge_that_waits_and_names_no_model_is_told_without_one() -> None:
    entry = moved(EntryKind.CHARGE, 5, run=Run("sms", pending="unknown_model"))

    assert told(entry)[1:] == [
        (
            99,
            "charge.quarantined",
            {"charged": "5", "operation": "sms", "pending": "unknown_model"},
        )
    ]


@pytest.mark.parametrize(("delta", "member"), [(1, "returned"), (-1, "taken")])
def test_a_rerate_of_one_microcredit_is_told_by_its_direction(delta: int, member: str) -> None:
    entry = replace(TOLD["rerate down"][0], delta_microcredits=delta, moved_microcredits=1)

    ((_, _, members),) = told(entry)

    assert members[member] == "0.000001"
    assert {"returned", "taken"} & {*members} == {member}


def test_an_expiry_whose_row_names_no_grant_is_told_without_one() -> None:
    assert told(moved(EntryKind.EXPIRE, 2)) == [(0, "credits.expired", {"expired": "2"})]


def test_a_grant_whose_row_names_none_is_told_by_its_credits() -> None:
    assert told(moved(EntryKind.GRANT, 2)) == [(0, "credits.granted", {"credits": "2"})]


def test_credits_that_add_debt_pay_none_of_it() -> None:
    entry = moved(EntryKind.GRANT, 2, debt_change_microcredits=CREDIT)

    assert told(entry) == [(0, "credits.granted", {"credits": "2"})]


def test_a_run_that_failed_under_a_hold_names_it() -> None:
    entry = row(EntryKind.RUN_FAILED, hold="job_1")

    assert told(entry) == [(0, "run.failed", {"hold_id": "job_1"})]


@pytest.mark.parametrize(
    ("delta", "event_type"),
    [(1, EventType.CREDITS_GRANTED), (-1, EventType.CREDITS_REMOVED)],
)
def test_an_adjustment_of_one_microcredit_is_told_by_its_direction(
    delta: int, event_type: EventType
) -> None:
    entry = row(EntryKind.ADJUSTMENT, delta_microcredits=delta, moved_microcredits=1, grant=PACK)

    assert [event.type for event in events_of(entry)] == [event_type]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own clock shows the time of Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-5))])
def test_a_moment_is_shown_in_utc_wherever_the_machine_and_the_moment_stand(
    zone: timezone,
) -> None:
    moment = datetime(2026, 11, 20, 12, 0, 0, 812_999, tzinfo=UTC)

    assert show_moment(moment.astimezone(zone)) == "2026-11-20T12:00:00.812Z"
