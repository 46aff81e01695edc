"""What is refused is told to the bus, with its reason; the answer is the same without a bus."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema_rs
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from tests.support.driving import Answered, Driver
from tests.support.forgetting import forget
from tollkeeper.edge import bus

pytestmark = pytest.mark.moto

SCHEMA = Path(__file__).parents[2] / "docs" / "events.schema.json"
BUS = "tollkeeper-test-bus"
FUND = "POST /v1/accounts/{id}/budgets"
CLOSE = "POST /v1/accounts/{id}/budgets/{budget}/close"
Refused = tuple[str, str, dict[str, Any]]


@dataclass
class FakeBus:
    """EventBridge's one call, which keeps what it is given, or breaks."""

    breaks_with: Exception | None = None
    refuses: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    patience: list[Any] = field(default_factory=list[Any])

    def put_events(self, **request: Any) -> dict[str, Any]:
        if self.breaks_with is not None:
            raise self.breaks_with
        if self.refuses:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        self.taken += request["Entries"]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}

    @property
    def details(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for entry in self.taken]

    @property
    def codes(self) -> list[str]:
        return [detail["code"] for detail in self.details]


@pytest.fixture
def fake(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> FakeBus:
    """A bus in the place of EventBridge, which every function here knows."""
    found = FakeBus()

    def connect(*patience: Any) -> FakeBus:
        found.patience += patience
        return found

    assert driver, "the table is made first"
    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    monkeypatch.setattr(bus, "connect_events", connect)
    forget()
    return found


def hold(driver: Driver, number: int, **members: Any) -> Answered:
    body = {"account": "user_1", "operation": "sms", "estimate": 0.1, "hold_id": f"h{number}"}
    return driver.call("POST /v1/holds", {**body, **members})


def stand(driver: Driver, what: str) -> None:
    path, body = {"id": "user_1"}, {"reason": "test"}
    route = "POST /v1/accounts/{id}/" + what
    assert driver.call(route, body, path=path, key=what).status == 200


def refuse_poor(driver: Driver) -> Answered:
    return driver.check("user_1", "sms", quantity=100)


def refuse_deduct(driver: Driver) -> Answered:
    return driver.deduct("user_1", "sms", "d1", quantity=100)


def refuse_limit(driver: Driver) -> Answered:
    return driver.check("user_1", "sms", quantity=3, per_run_max=2)


def refuse_feature(driver: Driver) -> Answered:
    driver.deduct("user_1", "voice_creation", "d1")
    return driver.deduct("user_1", "voice_creation", "d2")


def refuse_hold(driver: Driver) -> Answered:
    for number in range(20):
        assert hold(driver, number).status == 201
    return hold(driver, 20)


def refuse_frozen(driver: Driver) -> Answered:
    stand(driver, "freeze")
    return hold(driver, 1)


def refuse_closed(driver: Driver) -> Answered:
    stand(driver, "close")
    return driver.deduct("user_1", "sms", "d1")


def refuse_parent(driver: Driver) -> Answered:
    body = {"budget": "run_9", "amount": 500}
    return driver.call(FUND, body, path={"id": "user_1"}, key="b1")


def refuse_closed_budget(driver: Driver) -> Answered:
    path = {"id": "user_1"}
    funded = driver.call(FUND, {"budget": "run_9", "amount": 5}, path=path, key="b1")
    assert funded.status == 201
    path["budget"] = "run_9"
    assert driver.call(CLOSE, {}, path=path, key="b2").status == 200
    return driver.call(CLOSE, {}, path=path, key="b3")


CASES = {
    refuse_poor: ("insufficient_credits", "POST /v1/check", "sms", "account"),
    refuse_deduct: ("insufficient_credits", "POST /v1/deduct", "sms", "account"),
    refuse_limit: ("limit_reached", "POST /v1/check", "sms", "account"),
    refuse_feature: ("feature_limit", "POST /v1/deduct", "voice_creation", "account"),
    refuse_hold: ("hold_limit", "POST /v1/holds", "sms", None),
    refuse_frozen: ("account_frozen", "POST /v1/holds", "sms", None),
    refuse_closed: ("account_closed", "POST /v1/deduct", "sms", None),
    refuse_parent: ("insufficient_credits", FUND, None, "parent"),
    refuse_closed_budget: ("account_closed", CLOSE, None, None),
}


@pytest.mark.parametrize("refuse", CASES, ids=lambda each: each.__name__)
def test_every_refusal_of_a_run_is_told_once_as_the_schema_says(
    driver: Driver, fake: FakeBus, refuse: Any
) -> None:
    driver.deduct("user_1", "sms", "opening")

    answer = refuse(driver)

    (entry,) = fake.taken
    detail = json.loads(entry["Detail"])
    told = tuple(detail.get(name) for name in ("code", "route", "operation", "level"))
    assert told == CASES[refuse]
    assert (answer["code"], answer["request_id"]) == (detail["code"], detail["id"])
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        BUS,
        "tollkeeper",
        "spend.refused",
    )
    assert (detail["account"], entry["Time"]) == ("user_1", driver.clock.now())
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    received = {"detail-type": "spend.refused", "source": "tollkeeper", "detail": detail}
    assert [error.message for error in schema.iter_errors(received)] == []
    assert fake.patience == [bus.HASTE]


def test_its_amounts_are_those_of_the_answer(driver: Driver, fake: FakeBus) -> None:
    answer = driver.check("user_1", "sms", quantity=100, per_run_max="2.5")

    (detail,) = fake.details
    names = ("required", "available", "spendable", "held", "shortfall", "limit")
    assert {name: detail[name] for name in names} == {name: str(answer[name]) for name in names}
    assert detail["blocking"] == answer["blocking"] == "per_run_max"


def test_s4_11_runs_charges_refunds_and_limit_violations_are_all_on_record(
    driver: Driver, fake: FakeBus
) -> None:
    driver.deduct("user_1", "sms", "run_1", quantity=3)
    driver.deduct("user_1", "sms", "run_2", success=False)
    driver.void("user_1", "run_1", "back_1")
    limits = {"daily": 2, "reason": "the user's own", "set_by": "user"}
    route = "PUT /v1/accounts/{id}/limits"
    assert driver.call(route, limits, path={"id": "user_1"}, key="l1").status == 200
    refused = driver.deduct("user_1", "sms", "run_3", quantity=3)

    entries = [(each["kind"], each["key"]) for each in driver.entries("user_1")]
    wanted = [("charge", "run_1"), ("run_failed", "run_2"), ("void", "back_1")]
    assert [each for each in entries if each in wanted] == wanted
    (violation,) = fake.details
    told = [violation[name] for name in ("account", "code", "blocking", "limit", "required", "id")]
    assert told == ["user_1", "limit_reached", "daily_limit", "2", "3", refused["request_id"]]


def test_what_is_no_judgement_of_an_account_is_not_told(driver: Driver, fake: FakeBus) -> None:
    answers = [
        driver.check("user_1", "nothing"),
        driver.check("user 1", "sms"),
        driver.void("user_1", "nothing", "v1"),
        driver.deduct("user_1", "sms", "d1"),
    ]

    assert [answer.status for answer in answers] == [422, 422, 404, 200]
    assert fake.taken == []


def test_a_function_that_is_not_about_runs_tells_nothing(driver: Driver, fake: FakeBus) -> None:
    driver.deduct("user_1", "sms", "d1")
    stand(driver, "close")
    body = {
        "account": "user_1",
        "pack": "starter",
        "success_url": "http://x",
        "cancel_url": "http://x",
    }

    grant = driver.grant("user_1", 5, "g1")
    driver.call("POST /v1/checkout", body, key="c1")

    assert grant.status in (201, 403)
    assert fake.taken == []


def test_without_a_bus_nothing_is_sent(
    driver: Driver, fake: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENT_BUS_NAME")
    forget()

    assert refuse_poor(driver).status == 402
    assert (fake.taken, fake.patience) == ([], [])


def lines(caplog: pytest.LogCaptureFixture, *messages: str) -> list[dict[str, Any]]:
    return [vars(each) for each in caplog.records if each.getMessage() in messages]


ERROR = ("bus failed", "bus refused events", "refusal not told")


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents"),
        EndpointConnectionError(endpoint_url="https://events"),
        NoCredentialsError(),
        RuntimeError("what nobody thought of"),
        KeyError("Entries"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_bus_that_fails_leaves_the_answer_as_it_is_and_one_line(
    driver: Driver, fake: FakeBus, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    well = refuse_poor(driver)
    fake.breaks_with = error
    ill = refuse_poor(driver)

    assert ill.status == 402
    assert {**ill.body, "request_id": ""} == {**well.body, "request_id": ""}
    assert ill.headers == well.headers
    assert len(lines(caplog, *ERROR)) == 1


def test_a_bus_that_takes_no_event_leaves_one_line(
    driver: Driver, fake: FakeBus, caplog: pytest.LogCaptureFixture
) -> None:
    fake.refuses = True

    assert refuse_poor(driver).status == 402
    assert len(lines(caplog, *ERROR)) == 1


def test_a_bus_that_cannot_be_made_leaves_one_line_and_is_made_the_next_time(
    driver: Driver,
    fake: FakeBus,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(*_: object) -> FakeBus:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(bus, "connect_events", connect)
        assert refuse_poor(driver).status == 402

    assert [line["kind"] for line in lines(caplog, *ERROR)] == ["ZeroDivisionError"]
    assert refuse_poor(driver).status == 402
    assert fake.codes == ["insufficient_credits"]


def test_each_refusal_is_counted_by_its_code_in_its_line(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_poor(driver)
    driver.check("user_1", "nothing")

    counted, other = lines(caplog, "refused")
    (described,) = counted["_aws"]["CloudWatchMetrics"]
    assert (counted["refusals"], counted["code"]) == (1, "insufficient_credits")
    assert (described["Namespace"], described["Dimensions"]) == ("Tollkeeper", [["code"]])
    assert counted["_aws"]["Timestamp"] == int(driver.clock.now().timestamp() * 1000)
    assert "_aws" not in other


def test_the_real_client_makes_a_call_that_eventbridge_takes(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client: Any = botocore.session.get_session().create_client("events")
    client.create_event_bus(Name=BUS)
    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    forget()

    assert refuse_poor(driver).status == 402
    assert lines(caplog, *ERROR) == []


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_bus_that_never_answers_costs_half_a_second_and_no_more(
    driver: Driver, silent: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", f"http://127.0.0.1:{silent}")
    forget()
    bus.hasty_bus()

    began = time.monotonic()
    answer = refuse_poor(driver)
    took_s = time.monotonic() - began

    assert answer.status == 402
    assert [line["kind"] for line in lines(caplog, *ERROR)] == ["ReadTimeoutError"]
    assert 0.4 < took_s < 2
