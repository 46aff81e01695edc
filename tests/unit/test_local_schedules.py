"""Schedules run at the moments that their expressions name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from local.schedules import ScheduleError, Schedules, next_run_at
from local.template import Schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("rate(15 minutes)", "2026-03-10T05:16:23", "2026-03-10T05:31:23"),
        ("rate(1 hour)", "2026-03-10T23:30:00", "2026-03-11T00:30:00"),
        ("rate(2 days)", "2026-02-27T00:00:00", "2026-03-01T00:00:00"),
        ("cron(0 3 * * ? *)", "2026-03-10T03:00:00", "2026-03-11T03:00:00"),
        ("cron(0 3 * * ? *)", "2026-03-10T02:59:59", "2026-03-10T03:00:00"),
        ("cron(5/20 * * * ? *)", "2026-03-10T03:25:30", "2026-03-10T03:45:00"),
        ("cron(0/15 8-10 ? * MON-FRI *)", "2026-03-13T10:45:00", "2026-03-16T08:00:00"),
        ("cron(30 0 1 1,7 ? *)", "2026-03-10T00:00:00", "2026-07-01T00:30:00"),
        ("cron(0 0 29 2 ? *)", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 12 ? * 1 *)", "2026-03-10T00:00:00", "2026-03-15T12:00:00"),
        ("cron(0 0 1 JAN ? 2028)", "2026-03-10T00:00:00", "2028-01-01T00:00:00"),
    ],
)
def test_the_next_moment_of_an_expression(expression: str, after: str, expected: str) -> None:
    assert next_run_at(expression, after=at(after)) == at(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "every minute",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "at(2026-03-10T00:00:00)",
        "cron(0 3 * *)",
        "cron(61 3 * * ? *)",
        "cron(0 3 L * ? *)",
        "cron(0 3 ? * 2#1 *)",
        "cron(0 3 10-5 * ? *)",
        "cron(0/0 3 * * ? *)",
        "cron(0 0 31 2 ? *)",
        "cron(0 0 1 1 ? 2020)",
    ],
)
def test_an_expression_that_cannot_be_followed_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        next_run_at(expression, after=at("2026-03-10T00:00:00"))


def make_schedules(*schedules: Schedule, seen: list[Mapping[str, object]]) -> Schedules:
    def invoke(function: str, event: Mapping[str, object]) -> object:
        seen.append(event)
        return {"ran": function}

    return Schedules(
        schedules, invoke=invoke, log=lambda _: None, clock=lambda: at("2026-03-10T05:16:23")
    )


def make_schedule(
    *, event: Mapping[str, object] | None, expression: str = "rate(1 hour)"
) -> Schedule:
    return Schedule(name="Sweep", function="period_reset", expression=expression, event=event)


def test_a_run_by_hand_sends_the_schedule_s_own_input() -> None:
    seen: list[Mapping[str, object]] = []
    schedules = make_schedules(make_schedule(event={"shards": [1]}), seen=seen)

    assert schedules.run_now("period_reset") == {"ran": "period_reset"}
    assert seen == [{"shards": [1]}]


def test_a_schedule_without_input_sends_the_scheduler_s_event() -> None:
    seen: list[Mapping[str, object]] = []

    make_schedules(make_schedule(event=None), seen=seen).run_now("period_reset")

    assert seen[0]["source"] == "aws.scheduler"
    assert seen[0]["time"] == "2026-03-10T05:16:23Z"


def test_a_run_by_hand_can_bring_its_own_event() -> None:
    seen: list[Mapping[str, object]] = []
    schedules = make_schedules(make_schedule(event={"shards": [1]}), seen=seen)

    schedules.run_now("period_reset", {"shards": [2]})

    assert seen == [{"shards": [2]}]


def test_an_input_of_nothing_is_an_input() -> None:
    seen: list[Mapping[str, object]] = []

    make_schedules(make_schedule(event={}), seen=seen).run_now("period_reset")
    make_schedules(make_schedule(event={"shards": [1]}), seen=seen).run_now("period_reset", {})

    assert seen == [{}, {}]


def test_a_function_without_schedule_cannot_be_run_by_hand() -> None:
    with pytest.raises(KeyError):
        make_schedules(make_schedule(event={}), seen=[]).run_now("deduct")


def test_a_wrong_expression_is_found_at_start() -> None:
    with pytest.raises(ScheduleError):
        make_schedules(make_schedule(event={}, expression="cron(x)"), seen=[])
