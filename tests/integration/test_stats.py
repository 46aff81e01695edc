"""Stats, held at every moment against a count of what the answers said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.counting import Life
from tests.support.driving import Driver, FakeClock, verify_ledger
from tollkeeper.domain.totals import MOST_TOTALS_PER_DAY

# What is counted here is the answers' own arithmetic; the table under it is held against moto in
# tests/conformance, and moto takes five times as long for these many requests.
D = Decimal
START = "2026-11-01"


# ---- The rows of the five systems


def test_s0_11_stats_count_messages_credits_and_cost(driver: Driver) -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "cost": D("0.00123")}
    driver.deduct("user_1", "ai_tokens", "k1", model="gpt-4", usage=usage)

    answer = driver.stats("user_1", **{"from": START, "to": "2026-11-30", "group_by": "operation"})

    assert answer.status == 200
    assert answer["rows"] == [
        {
            "bucket": "2026-11-20",
            "operation": "ai_tokens",
            "calls": 1,
            "failed": 0,
            "credits": D("1.5"),
            "refunded": 0,
            "tokens": {"input": 20, "output": 5},
            "tokens_total": 25,
            "cost_usd": "0.00123",
            "average_credits": D("1.5"),
        }
    ]
    assert (answer["from"], answer["to"], answer["zone"]) == (START, "2026-11-30", "UTC")


def test_s0_12_tokens_are_counted_by_kind(driver: Driver) -> None:
    driver.grant("user_1", 100)
    for number in range(3):
        usage = {"input": 100, "cached_input": 50, "output": 10, "reasoning": 5}
        driver.deduct("user_1", "ai_tokens", f"k{number}", model="claude-3", usage=usage)

    totals = driver.stats("user_1")["totals"]

    assert totals["tokens"] == {"input": 300, "cached_input": 150, "output": 30, "reasoning": 15}
    assert totals["tokens_total"] == 495


def test_s0_13_the_total_cost_is_the_sum_of_all_days(driver: Driver, clock: FakeClock) -> None:
    for number in range(3):
        usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": D("0.0000005")}
        driver.deduct("user_1", "ai_tokens", f"k{number}", model="gpt-3.5", usage=usage)
        clock.forward(days=1)

    answer = driver.stats("user_1")

    assert [row["cost_usd"] for row in answer["rows"]] == ["0.0000005"] * 3
    assert answer["totals"]["cost_usd"] == "0.0000015"


def test_s1_02_stats_say_how_many_credits_were_used(driver: Driver) -> None:
    before = driver.stats("user_1")["totals"]
    driver.deduct("user_1", "voice_creation", "k1")

    after = driver.stats("user_1")["totals"]

    assert (before["credits"], after["credits"], after["calls"]) == (0, 5, 1)


def test_s1_16_usage_per_feature_by_day_week_and_month_with_the_average(
    driver: Driver, clock: FakeClock
) -> None:
    driver.grant("user_1", 100)
    driver.deduct("user_1", "sms", "k1", feature="alerts", quantity=3)
    driver.deduct("user_1", "sms", "k2", feature="alerts")
    driver.deduct("user_1", "ai_response", "k3", feature="chat")
    clock.forward(days=3)
    driver.deduct("user_1", "sms", "k4", feature="alerts", quantity=4)

    def rows(bucket: str) -> list[tuple[Any, ...]]:
        answer = driver.stats("user_1", group_by="feature", bucket=bucket)
        return [
            (row["bucket"], row["feature"], row["calls"], row["credits"], row["average_credits"])
            for row in answer["rows"]
        ]

    assert rows("day") == [
        ("2026-11-20", "alerts", 2, 4, 2),
        ("2026-11-20", "chat", 1, 2, 2),
        ("2026-11-23", "alerts", 1, 4, 4),
    ]
    assert rows("week") == [
        ("2026-11-16", "alerts", 2, 4, 2),
        ("2026-11-16", "chat", 1, 2, 2),
        ("2026-11-23", "alerts", 1, 4, 4),
    ]
    assert rows("month") == [
        ("2026-11", "alerts", 3, 8, D("2.666666")),
        ("2026-11", "chat", 1, 2, 2),
    ]


def test_s3_15_usage_is_told_apart_by_service(driver: Driver) -> None:
    driver.grant("user_1", 100)
    for number, operation in enumerate(("voice_call", "sms", "whatsapp", "document_upload")):
        driver.deduct("user_1", operation, f"k{number}", quantity=number + 1)

    rows = driver.stats("user_1", group_by="operation")["rows"]

    assert {row["operation"]: (row["calls"], row["credits"]) for row in rows} == {
        "voice_call": (1, 1),
        "sms": (1, 2),
        "whatsapp": (1, 3),
        "document_upload": (1, 20),
    }


def test_s3_07_a_subtype_shows_beside_its_feature(driver: Driver) -> None:
    driver.deduct("user_1", "document_upload", "k1", subtype="pdf")
    driver.deduct("user_1", "sms", "k2", feature="alerts", subtype="night")

    rows = driver.stats("user_1", group_by="feature")["rows"]

    assert [row["feature"] for row in rows] == ["alerts/night", "pdf"]


# ---- Ranges


def test_both_days_of_a_range_are_in_it(driver: Driver, clock: FakeClock) -> None:
    for number in range(5):
        driver.deduct("user_1", "sms", f"k{number}")
        clock.forward(days=1)

    answer = driver.stats("user_1", **{"from": "2026-11-21", "to": "2026-11-23"})

    days = [row["bucket"] for row in answer["rows"]]
    assert days == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert answer["totals"]["credits"] == 3


def test_without_a_range_the_last_thirty_days_are_shown(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=29)
    assert driver.stats("user_1")["totals"]["calls"] == 1

    clock.forward(days=1)

    answer = driver.stats("user_1")
    assert (answer["from"], answer["to"]) == ("2026-11-21", "2026-12-20")
    assert answer["totals"]["calls"] == 0


def test_four_hundred_days_are_the_most(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")

    most = driver.stats("user_1", **{"from": "2025-10-17", "to": "2026-11-20"})
    more = driver.stats("user_1", **{"from": "2025-10-16", "to": "2026-11-20"})

    assert (most.status, most["totals"]["calls"]) == (200, 1)
    assert (more.status, more["errors"][0]["member"]) == (422, "from")


def test_a_range_in_the_future_is_empty(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")

    answer = driver.stats("user_1", **{"from": "2026-11-21", "to": "2026-12-21"})

    assert (answer.status, answer["rows"], answer["totals"]["calls"]) == (200, [], 0)


def test_an_account_that_nobody_touched_has_empty_stats(driver: Driver) -> None:
    answer = driver.stats("nobody")

    assert (answer.status, answer["rows"]) == (200, [])
    assert answer["totals"]["average_credits"] == 0


def test_a_void_on_another_day_counts_on_that_day(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=1)
    driver.void("user_1", "k1", "v1")

    rows = driver.stats("user_1")["rows"]

    assert [(row["bucket"], row["calls"], row["credits"]) for row in rows] == [
        ("2026-11-20", 1, 1),
        ("2026-11-21", -1, -1),
    ]
    assert driver.stats("user_1")["totals"]["credits"] == 0


def test_beyond_the_bound_of_a_day_labels_fold_into_other_and_sums_stay_exact(
    driver: Driver,
) -> None:
    count = MOST_TOTALS_PER_DAY + 5
    driver.grant("user_1", count)
    for number in range(count):
        driver.deduct("user_1", "sms", f"k{number}", feature=f"label {number:03}")

    rows = driver.stats("user_1", group_by="operation")["rows"]

    assert {row["operation"]: row["calls"] for row in rows} == {
        "sms": MOST_TOTALS_PER_DAY,
        "other": 5,
    }
    assert driver.stats("user_1")["totals"]["credits"] == count


# ---- At every moment


def make_run(operation: str, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    """A run as a request says it."""
    return {"operation": operation, **labels, **more}


def make_tokens(model: str, labels: dict[str, str], counts: tuple[int, int, int]) -> dict[str, Any]:
    """A run of tokens as OpenRouter reports one, with what it cost."""
    prompt, completion, cost = counts
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    return make_run("ai_tokens", labels, model=model, usage=usage | {"cost": D(cost).scaleb(-7)})


OPERATIONS = st.sampled_from(["sms", "ai_response", "script_generation", "whatsapp"])
MODELS = st.sampled_from(["gpt-3.5", "claude-3-haiku", "gemini-1.5-pro"])
LABELS: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [{}, {}, {"feature": "chat"}, {"subtype": "pdf"}, {"feature": "chat", "subtype": "pdf"}]
)
COUNTS = st.tuples(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 10_000))
RUNS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(make_run, OPERATIONS, LABELS), st.builds(make_tokens, MODELS, LABELS, COUNTS)
)
PARTS: st.SearchStrategy[Decimal | None] = st.sampled_from([None, D("0.3"), D("0.999"), D(1)])
Step = tuple[str, Any, Any]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("charge"), RUNS, st.sampled_from([True, True, True, False])),
    st.tuples(st.just("back"), st.integers(0, 9), PARTS),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 0.9, 1.0, 3.0, 8.0, 31.0]), st.none()),
    st.tuples(st.just("grant"), st.integers(5, 20), st.none()),
)
FRESH: Iterator[int] = iter(range(10**6))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
def test_stats_are_the_ledger_at_every_moment(driver: Driver, zone: str) -> None:
    @settings(
        max_examples=5,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        # Shrinking would take minutes; the same steps come again on the next run.
        phases=(Phase.generate,),
    )
    @given(st.lists(STEPS, min_size=8, max_size=16), st.integers(0, 40), st.integers(0, 40))
    def live(steps: list[Step], left: int, right: int) -> None:
        life = Life(driver, f"user_{next(FRESH)}", zone)
        first = life.today()
        for name, one, other in steps:
            match name:
                case "charge":
                    life.charge(one, success=other)
                case "back":
                    life.give_back(one, other)
                case "wait":
                    driver.clock.forward(days=one)
                case _:
                    driver.grant(life.account, one, f"g{next(life.numbers)}")
            life.check(max(first, life.today() - timedelta(days=399)), life.today())
        inner = max(first, life.today() - timedelta(days=left))
        life.check(inner, max(inner, life.today() - timedelta(days=right)))
        verify_ledger(driver, life.account)
        rows = driver.entries(life.account)
        moved = sum(D(r["delta"]) for r in rows if r["kind"] in ("charge", "void", "refund"))
        assert -moved == sum(each.credits for each in life.counted)

    live()
