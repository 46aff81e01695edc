"""One machine's events: the bus, the template's filter, and the delivery between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloudformation import TemplateError
from local.environments import FunctionError
from local.events_bus import BUS_PATH, EVENTS_PATH, MOST_KEPT, LocalBus
from local.events_delivery import Bookmark, Delivery, as_sent
from local.events_source import StreamSource, matches, read_stream_sources
from local.gateway import Gateway
from local.schedules import Schedules
from local.template import read_template
from local.wire import Answer, Request

TEMPLATE = read_template()
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1"


# ---- The bus


@dataclass
class Bus:
    """A bus, and somebody who asks it."""

    lines: list[str] = field(default_factory=list[str])
    bus: LocalBus = field(init=False)

    def __post_init__(self) -> None:
        self.bus = LocalBus(log=self.lines.append)

    def put(self, *details: Mapping[str, object]) -> dict[str, Any]:
        entries = [
            {
                "EventBusName": "EventBus",
                "Source": "tollkeeper",
                "DetailType": "charge.recorded",
                "Detail": json.dumps(detail),
                "Time": 1795176000.812,
            }
            for detail in details
        ]
        headers = (("x-amz-target", "AWSEvents.PutEvents"),)
        body = json.dumps({"Entries": entries}).encode()
        return json.loads(self.ask("POST", BUS_PATH, headers=headers, body=body).body)

    def show(self, query: str = "") -> dict[str, Any]:
        return json.loads(self.ask("GET", EVENTS_PATH + query).body)

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        request = Request(
            method=method,
            target=target,
            protocol="HTTP/1.1",
            headers=headers,
            body=body,
            source_ip="127.0.0.1",
        )
        return self.bus.respond(request, request.raw_path)


def test_the_bus_shows_what_it_took_as_a_rules_target_would_have_it() -> None:
    bus = Bus()

    answer = bus.put({"id": "user_1:3:0", "account": "user_1", "seq": 3, "available_after": "1"})

    (event,) = bus.show("?after=0")["events"]
    assert answer == {"FailedEntryCount": 0, "Entries": [{"EventId": event["id"]}]}
    assert event["detail-type"] == "charge.recorded"
    assert event["source"] == "tollkeeper"
    assert event["time"] == "2026-11-20T12:00:00Z"
    assert event["detail"]["id"] == "user_1:3:0"
    assert bus.lines == ["event charge.recorded user_1 seq 3, available 1"]


def test_an_event_of_no_row_has_a_line_with_its_reason() -> None:
    bus = Bus()

    bus.put({"id": "request-1", "account": "user_1", "code": "limit_reached"})

    assert bus.lines == ["event charge.recorded user_1 limit_reached"]


def test_the_bus_answers_only_what_came_after_and_says_how_far_it_is() -> None:
    bus = Bus()
    bus.put({"n": 1}, {"n": 2})
    bus.put({"n": 3})

    shown = bus.show("?after=1")

    assert [event["detail"]["n"] for event in shown["events"]] == [2, 3]
    assert shown["next"] == 3
    assert bus.show("?after=3") == {"events": [], "next": 3}
    assert len(bus.show()["events"]) == 3


def test_the_bus_keeps_the_last_thousand() -> None:
    bus = Bus()
    for n in range(0, MOST_KEPT + 50, 10):
        bus.put(*({"n": n + each} for each in range(10)))

    shown = bus.show("?after=0")

    assert len(shown["events"]) == MOST_KEPT
    assert (shown["events"][0]["detail"]["n"], shown["next"]) == (50, MOST_KEPT + 50)


@pytest.mark.parametrize("query", ["?after=x", "?after=", "?after=-1", "?after=1&after=²"])
def test_the_bus_refuses_what_is_no_number(query: str) -> None:
    assert Bus().ask("GET", EVENTS_PATH + query).status == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"Entries": [{}]}', b'{"Entries": 1}'])
def test_the_bus_takes_nothing_but_put_events(body: bytes) -> None:
    bus = Bus()
    headers = (("x-amz-target", "AWSEvents.PutEvents"),)

    assert bus.ask("POST", BUS_PATH, headers=headers, body=body).status == 400
    assert bus.ask("POST", BUS_PATH, body=body).status == 404
    assert bus.ask("POST", EVENTS_PATH, headers=headers, body=body).status == 404
    assert bus.show()["next"] == 0


def nothing(*_: object) -> None:
    """What a schedule of this gateway would invoke."""


def ask_gateway(target: str, *, host: str, bus: LocalBus | None) -> Answer:
    schedules = Schedules((), invoke=nothing, log=nothing)
    sites = () if bus is None else (bus,)
    gateway = Gateway(TEMPLATE, pools={}, schedules=schedules, log=lambda _: None, sites=sites)
    return gateway.respond(
        Request(
            method="GET",
            target=target,
            protocol="HTTP/1.1",
            headers=(("host", host),),
            body=b"",
            source_ip="127.0.0.1",
        )
    )


def test_the_gateway_shows_events_to_this_machine_alone() -> None:
    bus = LocalBus(log=lambda _: None)

    assert ask_gateway(EVENTS_PATH, host="127.0.0.1:8080", bus=bus).status == 200
    assert ask_gateway(EVENTS_PATH + "?after=7", host="localhost", bus=bus).status == 200
    assert ask_gateway(EVENTS_PATH, host="evil.example", bus=bus).status == 403


def test_a_gateway_before_a_deployed_stack_has_no_events() -> None:
    assert ask_gateway(EVENTS_PATH, host="localhost", bus=None).status == 404
    assert ask_gateway(BUS_PATH, host="localhost", bus=None).status == 404


# ---- The source


def record(sequence: int, *, sort_key: str = "E#c#1", kind: str = "INSERT") -> dict[str, Any]:
    keys = {"pk": {"S": "A#user_1"}, "sk": {"S": sort_key}}
    body = {"Keys": keys, "NewImage": {**keys, "sv": {"N": "1"}}, "SequenceNumber": str(sequence)}
    return {"eventName": kind, "dynamodb": body}


def source() -> StreamSource:
    return read_stream_sources(TEMPLATE)["notify"]


def test_the_template_says_who_reads_the_stream_and_how() -> None:
    found = source()

    assert (found.function, found.view_type) == ("notify", "NEW_IMAGE")
    assert found.batch_size == 100
    assert found.retries > 0


@pytest.mark.parametrize(
    ("sort_key", "kind", "is_taken"),
    [
        ("E#c#1", "INSERT", True),
        ("E#t#expire:g1", "INSERT", True),
        ("E#c#1", "MODIFY", False),
        ("E#c#1", "REMOVE", False),
        ("A", "INSERT", False),
        ("D#2026-11-20", "INSERT", False),
        ("B#c#E#", "INSERT", False),
    ],
)
def test_the_templates_filter_takes_new_rows_alone(
    sort_key: str, kind: str, is_taken: bool
) -> None:
    assert source().takes(record(1, sort_key=sort_key, kind=kind)) is is_taken


def test_a_source_without_a_filter_takes_everything() -> None:
    everything = StreamSource(
        function="f", batch_size=1, retries=0, patterns=(), view_type="NEW_IMAGE"
    )

    assert everything.takes(record(1, sort_key="A", kind="REMOVE"))


UNKNOWN: list[object] = ["x", {"a": "x"}, {"a": [{"suffix": "x"}]}, {"a": [{}]}]


@pytest.mark.parametrize("pattern", UNKNOWN)
def test_a_rule_that_is_not_known_here_is_an_error(pattern: object) -> None:
    with pytest.raises(TemplateError):
        matches({"a": "x"}, pattern)


# ---- The delivery


@dataclass
class FakeStream:
    """An engine's stream with one shard."""

    records: list[dict[str, Any]]
    trimmed: int = 0
    asked: list[str] = field(default_factory=list[str])

    def describe_stream(self, **_: Any) -> dict[str, Any]:
        return {"StreamDescription": {"Shards": [{"ShardId": "shard-1"}]}}

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request["ShardIteratorType"])
        if "SequenceNumber" not in request:
            return {"ShardIterator": "0"}
        numbers = [each["dynamodb"]["SequenceNumber"] for each in self.records]
        if request["SequenceNumber"] not in numbers:
            error = {"Error": {"Code": "TrimmedDataAccessException"}}
            raise ClientError(error, "GetShardIterator")  # type: ignore[arg-type]
        return {"ShardIterator": str(numbers.index(request["SequenceNumber"]) + 1)}

    def get_records(self, **request: Any) -> dict[str, Any]:
        first = int(request["ShardIterator"])
        page = self.records[first : first + 7]
        return {"Records": deepcopy(page), "NextShardIterator": str(first + len(page))}


@dataclass
class House:
    """A delivery from a fake stream to a fake function."""

    path: Path
    stream: FakeStream
    refuses: dict[str, int] = field(default_factory=dict[str, int])
    breaks: int = 0
    batches: list[list[str]] = field(default_factory=list[list[str]])
    lines: list[str] = field(default_factory=list[str])

    def invoke(self, function: str, event: Mapping[str, object]) -> object:
        """Fails each record as often as it is told to."""
        assert function == "notify"
        sent: Any = json.loads(json.dumps(event))["Records"]
        numbers = [each["dynamodb"]["SequenceNumber"] for each in sent]
        self.batches.append(numbers)
        if self.breaks:
            self.breaks -= 1
            raise FunctionError(error_type="Timeout", message="too long")
        failed = [number for number in numbers if self.refuses.get(number, 0) > 0]
        for number in failed:
            self.refuses[number] -= 1
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def delivery(self, *, retries: int = 3) -> Delivery:
        mine = StreamSource(
            function="notify",
            batch_size=5,
            retries=retries,
            patterns=source().patterns,
            view_type="NEW_IMAGE",
        )
        bookmark = Bookmark(path=self.path / "stream.json", stream=STREAM)
        bookmark.read()
        return Delivery(
            mine,
            bookmark,
            invoke=self.invoke,
            log=self.lines.append,
            client=self.stream,
            poll_s=0.0,
        )

    def run(self, *, retries: int = 3) -> None:
        """Everything in the stream was delivered."""
        delivery = self.delivery(retries=retries)
        while delivery.deliver_once():
            pass

    @property
    def delivered(self) -> list[str]:
        return [number for batch in self.batches for number in batch]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, FakeStream([record(n) for n in range(1, 13)]))


def test_every_record_is_delivered_once_where_nothing_fails(house: House) -> None:
    house.run()

    assert house.delivered == [str(n) for n in range(1, 13)]
    assert max(len(batch) for batch in house.batches) == 5


def test_what_the_filter_does_not_take_is_passed_over_and_not_looked_at_again(
    house: House,
) -> None:
    house.stream.records = [record(1, sort_key="A"), record(2), record(3, kind="MODIFY")]

    house.run()
    house.run()

    assert house.delivered == ["2"]


def test_the_next_run_goes_on_where_the_last_one_ended(house: House) -> None:
    house.run()
    house.stream.records += [record(13)]

    house.run()

    assert house.batches[-1] == ["13"]
    assert house.delivered.count("12") == 1


def test_what_failed_and_all_behind_it_is_sent_again(house: House) -> None:
    house.refuses = {"3": 2}

    house.run()

    assert house.batches[:4] == [
        ["1", "2", "3", "4", "5"],
        ["3", "4", "5"],
        ["3", "4", "5"],
        ["6", "7"],
    ]
    assert set(house.delivered) == {str(n) for n in range(1, 13)}


def test_a_function_that_fails_gets_the_whole_batch_again(house: House) -> None:
    house.breaks = 1

    house.run()

    assert house.batches[0] == house.batches[1]
    assert any("Timeout" in line for line in house.lines)


def test_what_never_succeeds_is_given_up_with_a_line_and_the_rest_is_delivered(
    house: House,
) -> None:
    house.refuses = {"3": 99}

    house.run(retries=2)

    assert house.delivered.count("3") == 3
    assert "given up: the events of stream records 3" in house.lines
    assert "12" in house.delivered


def test_a_crash_before_the_place_is_noted_delivers_again_and_loses_nothing(house: House) -> None:
    house.delivery().deliver_once()
    noted = json.loads((house.path / "stream.json").read_text())
    noted["reached"]["shard-1"] = "5"
    (house.path / "stream.json").write_text(json.dumps(noted))

    house.run()

    assert set(house.delivered) == {str(n) for n in range(1, 13)}
    assert house.delivered.count("6") == 2


def test_a_stream_that_begins_anew_is_read_from_its_beginning(house: House) -> None:
    house.run()
    house.stream.records = [record(100)]

    house.run()

    assert house.batches[-1] == ["100"]
    assert any("begins anew" in line for line in house.lines)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"stream": "another", "reached": {"shard-1": 5}}']
)
def test_a_bookmark_that_is_none_is_no_place(house: House, text: str) -> None:
    (house.path / "stream.json").write_text(text)

    house.run()

    assert house.stream.asked[0] == "TRIM_HORIZON"
    assert house.delivered[0] == "1"


def test_a_record_is_sent_as_lambda_sends_it() -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    read = {**record(1), "dynamodb": {"ApproximateCreationDateTime": moment, "SizeBytes": 3}}

    sent = as_sent(read, STREAM)

    assert sent["eventSourceARN"] == STREAM
    assert sent["dynamodb"] == {"ApproximateCreationDateTime": 1795176000, "SizeBytes": 3}
    assert json.dumps(sent)
