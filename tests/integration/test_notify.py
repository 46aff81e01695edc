"""The stream's function: what is in the ledger reaches the bus, and what does not is said."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import jsonschema_rs
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.support.driving import Driver, FakeContext, load
from tests.support.forgetting import forget
from tests.support.telling import TOLD
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge import bus, wiring
from tollkeeper.edge.stream import read_entry
from tollkeeper.store.items import Item, entry_to_item

pytestmark = pytest.mark.moto

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
SCHEMA = ROOT / "docs" / "events.schema.json"
NAMES = ("notify.stream", "notify.broken", "notify.redrive")
BUS = "tollkeeper-test-bus"


@dataclass
class FakeBus:
    """EventBridge's one call: refuses the events of some ids, or breaks."""

    refuses: set[str] = field(default_factory=set[str])
    breaks_with: Exception | None = None
    calls: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])

    def put_events(self, **request: Any) -> dict[str, Any]:
        entries = request["Entries"]
        self.calls.append(entries)
        if self.breaks_with is not None:
            raise self.breaks_with
        answers = [
            {"ErrorCode": "InternalFailure", "ErrorMessage": "no"}
            if json.loads(entry["Detail"])["id"] in self.refuses
            else {"EventId": str(number)}
            for number, entry in enumerate(entries)
        ]
        return {"FailedEntryCount": sum("ErrorCode" in a for a in answers), "Entries": answers}

    @property
    def taken(self) -> list[dict[str, Any]]:
        """What is on the bus, in the order in which it came."""
        entries = [entry for call in self.calls for entry in call]
        return [e for e in entries if json.loads(e["Detail"])["id"] not in self.refuses]

    @property
    def ids(self) -> list[str]:
        """The ids of what is on the bus."""
        return [json.loads(entry["Detail"])["id"] for entry in self.taken]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeBus:
    """A bus in the place of EventBridge."""
    found = FakeBus()

    def connect(*_: object) -> FakeBus:
        return found

    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    monkeypatch.setattr(bus, "connect_events", connect)
    forget()
    return found


def nothing(*_: object) -> None:
    """What is not looked at here."""


def record(item: Item, sequence: int, *, kind: str = "INSERT") -> dict[str, Any]:
    """The stream's record of an item that was written."""
    return {
        "eventID": f"{sequence:032x}",
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795176000,
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{sequence:021d}",
            "SizeBytes": 400,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/s",
    }


def rows_of(account: str) -> list[Item]:
    """The account's rows as they are stored, by seq."""
    items, _ = wiring.ledger().read_partition(AccountId(account), None, is_strong=True)
    rows = [item for item in items if item["sk"]["S"].startswith("E#")]
    return sorted(rows, key=lambda item: int(item["entry_seq"]["N"]))


def records_of(account: str) -> list[dict[str, Any]]:
    return [record(item, number) for number, item in enumerate(rows_of(account), 1)]


def notify(records: list[dict[str, Any]], **context: Any) -> list[int]:
    """The sequence numbers that the function reports as failed."""
    event = json.loads(json.dumps({"Records": records}))
    answer = load("notify").handler(event, FakeContext(**context))
    assert set(answer) == {"batchItemFailures"}
    return [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]


def redrive(account: object, from_seq: object, to_seq: object, **context: Any) -> dict[str, Any]:
    asked = {"account": account, "from_seq": from_seq, "to_seq": to_seq}
    answer: dict[str, Any] = load("notify").handler({"redrive": asked}, FakeContext(**context))
    return answer


@pytest.fixture
def told(driver: Driver) -> Driver:
    """An account with four rows: it opened, was granted 100, charged 3 and charged 1."""
    driver.grant("user_1", 100, "g1")
    driver.deduct("user_1", "sms", "d1", quantity=3, metadata={"prompt": "a secret"})
    driver.deduct("user_1", "sms", "d2")
    return driver


def test_every_row_is_on_the_bus_with_its_facts(told: Driver, fake: FakeBus) -> None:
    assert notify(records_of("user_1")) == []

    assert [(e["DetailType"], i) for e, i in zip(fake.taken, fake.ids, strict=True)] == [
        ("period.started", "user_1:1:0"),
        ("credits.granted", "user_1:1:1"),
        ("credits.granted", "user_1:2:0"),
        ("charge.recorded", "user_1:3:0"),
        ("charge.recorded", "user_1:4:0"),
    ]
    charge = fake.taken[3]
    assert (charge["EventBusName"], charge["Source"]) == (BUS, "tollkeeper")
    assert charge["Time"] == told.clock.now()
    detail = json.loads(charge["Detail"])
    assert (detail["charged"], detail["available_after"]) == ("3", "112")
    assert "secret" not in charge["Detail"]


def test_delivered_again_it_tells_the_same_under_the_same_ids(told: Driver, fake: FakeBus) -> None:
    records = records_of("user_1")

    notify(records)
    first = list(fake.taken)
    notify(records)

    assert fake.taken == first + first


def test_only_new_rows_are_told_of(told: Driver, fake: FakeBus) -> None:
    items, _ = wiring.ledger().read_partition(AccountId("user_1"), None, is_strong=True)
    others = [item for item in items if not item["sk"]["S"].startswith("E#")]
    row = rows_of("user_1")[0]
    records = [record(item, n) for n, item in enumerate(others, 1)]
    records += [record(row, 50, kind="MODIFY"), record(row, 51, kind="REMOVE")]

    assert notify(records) == []
    assert fake.calls == []


def test_ten_go_with_one_call(told: Driver, fake: FakeBus) -> None:
    (row,) = [item for item in rows_of("user_1") if item["kind"]["S"] == "grant"]
    rows = [{**row, "entry_seq": {"N": str(seq)}} for seq in range(1, 26)]

    notify([record(item, n) for n, item in enumerate(rows, 1)])

    assert [len(call) for call in fake.calls] == [10, 10, 5]


def test_what_it_tells_survives_the_store_for_every_kind_of_row(fake: FakeBus) -> None:
    records = [record(entry_to_item(entry), n) for n, (entry, _) in enumerate(TOLD.values(), 1)]

    failed = notify(records)

    assert failed == []
    assert {read_entry(each).kind for each in records} == {e.kind for e, _ in TOLD.values()}
    assert [entry["DetailType"] for entry in fake.taken] == [
        kind for _, kinds in TOLD.values() for kind in kinds
    ]


def test_exactly_the_rows_that_the_bus_refused_are_reported(told: Driver, fake: FakeBus) -> None:
    fake.refuses = {"user_1:2:0", "user_1:4:0"}

    assert notify(records_of("user_1")) == [2, 4]
    assert fake.ids == ["user_1:1:0", "user_1:1:1", "user_1:3:0"]


def test_a_row_fails_whole_where_one_of_its_events_does(told: Driver, fake: FakeBus) -> None:
    fake.refuses = {"user_1:1:1"}

    assert notify(records_of("user_1")) == [1]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents"),
        EndpointConnectionError(endpoint_url="https://events"),
    ],
    ids=["throttled", "forbidden", "gone"],
)
def test_a_bus_that_does_not_answer_fails_every_row_and_no_row_is_lost(
    told: Driver, fake: FakeBus, error: Exception
) -> None:
    fake.breaks_with = error
    records = records_of("user_1")

    assert notify(records) == [1, 2, 3, 4]

    fake.breaks_with, fake.calls = None, []
    assert notify(records) == []
    assert len(fake.ids) == 5


@pytest.mark.parametrize(
    "broken",
    [
        {"sv": {"N": "2"}},
        {"sv": {"S": "1"}},
        {"kind": {"S": "a kind of tomorrow"}},
        {"at": {"N": "noon"}},
        {"run": {"S": "{"}},
        {"entry_seq": {}},
    ],
    ids=["schema", "schema's type", "kind", "moment", "json", "seq"],
)
def test_a_row_that_cannot_be_read_is_reported_and_stops_no_other(
    told: Driver,
    fake: FakeBus,
    caplog: pytest.LogCaptureFixture,
    broken: Item,
) -> None:
    records = records_of("user_1")
    records[2]["dynamodb"]["NewImage"] |= broken

    assert notify(records) == [3]

    assert fake.ids[-1] == "user_1:4:0"
    alarms = [vars(each) for each in caplog.records if each.levelname == "ERROR"]
    named = [alarm for alarm in alarms if alarm["message"] == "not notified"]
    assert [(a["account"], a["key"]) for a in named] == [("user_1", "d1")]


def test_a_record_without_its_image_is_reported(told: Driver, fake: FakeBus) -> None:
    records = records_of("user_1")
    del records[0]["dynamodb"]["NewImage"]

    assert notify(records) == [1]


def test_each_row_that_failed_is_named_in_the_log_for_a_redrive(
    told: Driver, fake: FakeBus, caplog: pytest.LogCaptureFixture
) -> None:
    fake.refuses = {"user_1:3:0"}

    notify(records_of("user_1"))

    (named,) = [vars(r) for r in caplog.records if r.getMessage() == "not notified"]
    assert (named["account"], named["seq"], named["key"]) == ("user_1", "3", "d1")
    assert int(named["sequence"]) == 3


def test_what_the_time_does_not_suffice_for_is_reported_and_not_sent(
    told: Driver, fake: FakeBus
) -> None:
    assert notify(records_of("user_1"), remaining_ms=5_000) == [1, 2, 3, 4]
    assert fake.calls == []


def test_a_redrive_tells_the_rows_again_in_their_order_under_their_ids(
    told: Driver, fake: FakeBus
) -> None:
    notify(records_of("user_1"))
    first = list(fake.taken)
    fake.calls = []

    answer = redrive("user_1", 1, 4)

    assert fake.taken == first
    assert answer == {
        "account": "user_1",
        "rows": 4,
        "events": 5,
        "failed": [],
        "missing": [],
        "next_from_seq": None,
    }


def test_a_redrive_tells_no_row_outside_the_range(told: Driver, fake: FakeBus) -> None:
    assert redrive("user_1", 2, 3)["rows"] == 2
    assert fake.ids == ["user_1:2:0", "user_1:3:0"]


def test_a_redrive_says_which_rows_there_are_not(told: Driver, fake: FakeBus) -> None:
    assert redrive("user_1", 4, 6)["missing"] == [5, 6]
    assert redrive("nobody", 1, 2)["missing"] == [1, 2]


def test_a_redrive_says_which_rows_the_bus_refused(told: Driver, fake: FakeBus) -> None:
    fake.refuses = {"user_1:2:0"}

    answer = redrive("user_1", 1, 4)

    assert (answer["failed"], answer["events"]) == ([2], 4)


def test_a_redrive_goes_over_pages_and_says_where_to_go_on(
    told: Driver, fake: FakeBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollkeeper.service.notifying.REDRIVE_PAGE", 2)
    monkeypatch.setattr("tollkeeper.service.notifying.MOST_REDRIVEN", 3)

    answer = redrive("user_1", 1, 9)

    assert (answer["rows"], answer["next_from_seq"]) == (3, 4)
    assert fake.ids == ["user_1:1:0", "user_1:1:1", "user_1:2:0", "user_1:3:0"]
    assert redrive("user_1", 4, 4)["next_from_seq"] is None


def test_a_redrive_begins_nothing_that_it_has_no_time_for(told: Driver, fake: FakeBus) -> None:
    answer = redrive("user_1", 1, 4, remaining_ms=5_000)

    assert (answer["rows"], answer["next_from_seq"]) == (0, 1)


@pytest.mark.parametrize(
    "asked",
    [
        ("user 1", 1, 2),
        ("", 1, 2),
        (7, 1, 2),
        ("user_1", 0, 2),
        ("user_1", 2, 1),
        ("user_1", "1", 2),
        ("user_1", True, 2),
        ("user_1", 1, 10**15),
        ("user_1", 1, None),
    ],
)
def test_a_redrive_refuses_what_is_no_range(asked: tuple[object, ...], fake: FakeBus) -> None:
    with pytest.raises(InvalidError):
        redrive(*asked)


@pytest.mark.parametrize("members", [{}, {"account": "user_1", "from": 1}])
def test_a_redrive_refuses_other_members(members: dict[str, object], fake: FakeBus) -> None:
    with pytest.raises(InvalidError):
        load("notify").handler({"redrive": members}, FakeContext())


def test_the_real_client_makes_a_call_that_eventbridge_takes(
    told: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = botocore.session.get_session().create_client("events")
    client.create_event_bus(Name=BUS)
    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    forget()

    assert notify(records_of("user_1")) == []


def test_what_is_put_is_what_the_schema_describes(told: Driver, fake: FakeBus) -> None:
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))

    notify(records_of("user_1"))

    for entry in fake.taken:
        received = {
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "detail": json.loads(entry["Detail"]),
        }
        assert [error.message for error in schema.iter_errors(received)] == []


def read_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def test_the_folder_has_these_events() -> None:
    assert sorted(path.stem for path in EVENTS.glob("notify.*.json")) == sorted(NAMES)


def test_the_folders_batch_is_told(driver: Driver, fake: FakeBus) -> None:
    answer = load("notify").handler(read_event("notify.stream"), FakeContext())

    assert answer == {"batchItemFailures": []}
    assert fake.ids == ["user_1:3:0"]


def test_the_folders_row_of_a_later_version_is_reported(driver: Driver, fake: FakeBus) -> None:
    event = read_event("notify.broken")

    answer = load("notify").handler(event, FakeContext())

    (sequence,) = [each["dynamodb"]["SequenceNumber"] for each in event["Records"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": sequence}]}
    assert fake.calls == []


def test_the_folders_redrive_is_answered(told: Driver, fake: FakeBus) -> None:
    answer = load("notify").handler(read_event("notify.redrive"), FakeContext())

    assert (answer["rows"], answer["missing"]) == (3, [])
    assert fake.ids == ["user_1:2:0", "user_1:3:0", "user_1:4:0"]


def test_no_row_tells_of_a_refused_request(told: Driver, fake: FakeBus) -> None:
    refused = told.deduct("user_1", "sms", "d3", quantity=100_000)
    assert refused.status == 402
    fake.calls.clear()

    notify(records_of("user_1"))

    assert len(fake.ids) == 5


def test_a_balance_that_goes_low_and_comes_back_is_told_once_each(
    driver: Driver, fake: FakeBus
) -> None:
    driver.deduct("user_1", "sms", "d1", quantity=11)
    driver.deduct("user_1", "sms", "d2")
    driver.grant("user_1", 100, "g1")

    notify(records_of("user_1"))

    alerts = [
        (entry["DetailType"], json.loads(entry["Detail"])["id"])
        for entry in fake.taken
        if entry["DetailType"] in ("credits.low", "credits.recovered")
    ]
    assert alerts == [("credits.low", "user_1:2:2"), ("credits.recovered", "user_1:4:2")]


def test_a_hold_is_told_by_what_it_was_settled_at(driver: Driver, fake: FakeBus) -> None:
    held = {"account": "user_1", "operation": "sms", "estimate": 5, "hold_id": "job_1"}
    assert driver.call("POST /v1/holds", held).status == 201
    path = {"hold_id": "job_1"}
    settled = {"account": "user_1", "quantity": 2}
    answer = driver.call("POST /v1/holds/{hold_id}/settle", settled, path=path)
    assert answer.status == 200, answer.text

    notify(records_of("user_1"))

    detail = json.loads(fake.taken[-1]["Detail"])
    assert fake.taken[-1]["DetailType"] == "charge.recorded"
    assert (detail["hold_id"], detail["charged"], detail["released"]) == ("job_1", "2", "3")
    assert [each.rpartition(":")[0] for each in fake.ids].count("user_1:2") == 0


def test_a_budget_is_told_by_its_account(driver: Driver, fake: FakeBus) -> None:
    driver.grant("user_1", 100, "g1")
    path, body = {"id": "user_1"}, {"budget": "run_9", "amount": 50, "reason": "agent"}
    answer = driver.call("POST /v1/accounts/{id}/budgets", body, path=path, key="b1")
    assert answer.status == 201, answer.text
    close = "POST /v1/accounts/{id}/budgets/{budget}/close"
    answer = driver.call(close, {}, path=path | {"budget": "run_9"}, key="b2")
    assert answer.status == 200, answer.text

    notify(records_of("user_1") + records_of("run_9"))

    told = [(e["DetailType"], json.loads(e["Detail"])) for e in fake.taken]
    budgets = [(kind, detail["budget"]) for kind, detail in told if kind.startswith("budget.")]
    assert budgets == [("budget.funded", "run_9"), ("budget.closed", "run_9")]
