"""Verify through its function: what operators are told, and what a run counts and logs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.counting import Life
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tests.support.dumping import dump_table, put_raw, table_client
from tests.support.faults import THROTTLED, FaultyClient
from tests.support.payments import FakeStripe, deliver, report
from tollkeeper.edge.observability import NAMESPACE
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.verification import LONGEST_ANSWER_S, METRICS
from tollkeeper.store.keys import DUE_SHARDS

pytestmark = pytest.mark.moto

ROUTE = "GET /v1/verify/{id}"
EVERYBODY = {"shards": list(range(DUE_SHARDS))}
RUN = {
    "operation": "ai_tokens",
    "model": "gpt-4",
    "usage": {"prompt_tokens": 20, "completion_tokens": 5},
}


def run(event: dict[str, Any], remaining_ms: int = 900_000) -> dict[str, Any]:
    """What the schedule's function answers."""
    context = FakeContext(function_name="stack-verify", remaining_ms=remaining_ms)
    answer: dict[str, Any] = load("verify").handler(event, context)
    return answer


def spoil(account: str, sort_key: str, **attributes: str) -> None:
    """An item of the account has other numbers."""
    item = dump_table()[f"A#{account}", sort_key]
    put_raw(item | {name: {"N": value} for name, value in attributes.items()})


def lose(account: str, sort_key: str) -> None:
    """An item of the account is gone."""
    table_client().delete_item(
        TableName=read_settings().table_name,
        Key={"pk": {"S": f"A#{account}"}, "sk": {"S": sort_key}},
    )


@pytest.fixture
def lived(driver: Driver, bought: str, stripe: FakeStripe) -> Driver:
    """user_1 lived for three months; others are there too."""
    life = Life(driver, "traveller", "America/Santiago")
    deliver(driver, report(driver, stripe, bought))
    for day in range(18):
        life.charge(RUN, success=day % 7 != 0)
        if day % 5 == 0:
            life.give_back(day, None if day % 2 else Decimal("0.5"))
        driver.clock.forward(hours=79)
    driver.grant("user_2", 5, expires_at=_moment(driver.clock, days=3))
    driver.clock.forward(days=4)
    driver.deduct("user_2", "sms", "late")
    return driver


def _moment(clock: FakeClock, **span: float) -> str:
    return (clock.now() + timedelta(**span)).isoformat()


def test_a_ledger_that_explains_itself_is_clean_and_nothing_is_written(lived: Driver) -> None:
    before = dump_table()

    answers = {
        account: lived.call(ROUTE, path={"id": account})
        for account in ("user_1", "user_2", "traveller")
    }

    for account, answer in answers.items():
        assert (answer.status, answer["is_clean"], answer["findings"]) == (200, True, []), account
        assert answer["is_finished"] is True
        assert answer["unexplained"] == answer["findings_total"] == 0
        assert answer["entries"] == answer["seq"] == len(lived.entries(account)) or account
    assert answers["user_1"]["available"] == Decimal(515)
    assert dump_table() == before


def test_s3_19_an_operator_recomputes_a_balance_and_sees_each_discrepancy(lived: Driver) -> None:
    lose("user_2", "E#c#late")

    answer = lived.call(ROUTE, path={"id": "user_2"})

    assert (answer.status, answer["is_clean"]) == (200, False)
    assert answer["unexplained"] == 1
    assert {"invariant": "I2", "where": "seq 4", "what": "is not there"} in answer["findings"]
    assert answer["findings_total"] == len(answer["findings"]) > 1


def test_an_account_item_that_cannot_be_read_is_a_finding_and_no_error(lived: Driver) -> None:
    spoil("user_2", "A", q="4.5")

    answer = lived.call(ROUTE, path={"id": "user_2"})

    assert (answer.status, answer["is_clean"], answer["available"]) == (200, False, None)
    assert "I21" in [each["invariant"] for each in answer["findings"]]


def test_an_unknown_account_is_404_and_a_wrong_id_422(driver: Driver) -> None:
    assert driver.call(ROUTE, path={"id": "nobody"}).status == 404
    assert driver.call(ROUTE, path={"id": "no#body"}).status == 422


def test_only_admins_may_ask(lived: Driver) -> None:
    reader = replace(lived, scopes=lived.scopes - {"admin"})

    answer = reader.call(ROUTE, path={"id": "user_1"})

    assert (answer.status, answer["code"]) == (403, "forbidden")


def test_a_ledger_too_long_for_a_request_says_that_it_has_no_verdict(
    lived: Driver, faults: FaultyClient, clock: FakeClock
) -> None:
    faults.before = {1: lambda: clock.forward(seconds=LONGEST_ANSWER_S + 1)}

    answer = lived.call(ROUTE, path={"id": "user_1"})

    assert answer.status == 200
    assert (answer["is_clean"], answer["is_finished"]) == (None, False)


def test_a_table_that_is_too_busy_is_503_for_a_request(lived: Driver, faults: FaultyClient) -> None:
    faults.plan = dict.fromkeys(range(20), THROTTLED)

    assert lived.call(ROUTE, path={"id": "user_1"}).status == 503


# The schedule.


def test_a_run_verifies_every_account_and_counts_what_it_found(
    lived: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    good = run(EVERYBODY)
    lose("user_2", "E#c#late")
    caplog.clear()

    bad = run(EVERYBODY)

    assert (good["accounts"], good["findings"], good["unexplained"]) == (3, 0, "0")
    assert (bad["accounts"], bad["broken"], bad["unexplained"]) == (3, 1, "1")
    assert bad["findings"] > 1 and bad["is_finished"] is True
    (alarm,) = [vars(each) for each in caplog.records if each.levelname == "ERROR"]
    assert (alarm["account"], alarm["unexplained"]) == ("user_2", "1")
    assert "I2 seq 4: is not there" in alarm["first"]


def test_a_runs_line_is_what_cloudwatch_reads_metrics_from(
    lived: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    spoil("user_2", "A", od="2500000")

    run(EVERYBODY)

    line = next(vars(each) for each in caplog.records if each.getMessage() == "verified")
    described = line["_aws"]["CloudWatchMetrics"][0]
    assert (described["Namespace"], described["Dimensions"]) == (NAMESPACE, [["function_name"]])
    assert [each["Name"] for each in described["Metrics"]] == list(METRICS)
    assert (line["function_name"], line["unexplained_credits"]) == ("stack-verify", 2.5)
    assert (line["accounts_verified"], line["accounts_left"]) == (3, 0)
    assert json.loads(json.dumps({name: line[name] for name in METRICS}))


def test_a_run_of_a_half_hour_takes_the_accounts_whose_turn_it_is(driver: Driver) -> None:
    for number in range(30):
        driver.grant(f"user_{number}", 1)
    start = driver.clock.now()

    counted = 0
    for _ in range(48):
        counted += run({})["accounts"]
        driver.clock.forward(minutes=30)

    assert counted == 30
    assert driver.clock.now() == start + timedelta(days=1)


def test_named_accounts_are_verified_with_all_the_time_of_the_function(lived: Driver) -> None:
    facts = run({"accounts": ["user_1", "traveller", "nobody"]})

    assert (facts["accounts"], facts["busy"], facts["is_finished"]) == (2, 1, False)


@dataclass
class Ending(FakeContext):
    """A context whose time is over after it was asked so many times."""

    asked: int = 0

    def get_remaining_time_in_millis(self) -> int:
        """Enough, until it is not."""
        self.asked -= 1
        return 900_000 if self.asked >= 0 else 9_000


def test_a_run_without_time_says_that_accounts_were_left(
    lived: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    facts = load("verify").handler(EVERYBODY, Ending(asked=2))

    line = next(vars(each) for each in caplog.records if each.getMessage() == "verified")
    assert facts["accounts"] < 3
    assert (facts["is_finished"], line["accounts_left"]) == (False, 1)


def test_a_broken_account_item_stops_no_other(lived: Driver) -> None:
    for breakage in ("gr", "li", "td"):
        item = dict(dump_table()["A#user_1", "A"])
        put_raw({name: value for name, value in item.items() if name != breakage})

        facts = run(EVERYBODY)

        assert (facts["accounts"], facts["broken"]) == (3, 1)
        put_raw(item)
    assert run(EVERYBODY)["broken"] == 0
