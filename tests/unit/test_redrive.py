"""The operator's redrive: by a range of rows, or by the queue of what was given up."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.redrive import main

QUEUE = "https://sqs/unnotified"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/s"


def record(sequence: int, *, sort_key: str = "E#c#1", kind: str = "INSERT") -> dict[str, Any]:
    keys = {"pk": {"S": f"A#user_{sequence}"}, "sk": {"S": sort_key}}
    image = {**keys, "entry_seq": {"N": str(sequence * 10)}}
    body = {"Keys": keys, "NewImage": image, "SequenceNumber": f"{sequence:021d}"}
    return {"eventName": kind, "dynamodb": body}


@dataclass
class Aws:
    """Lambda, SQS and the stream, each as far as the command calls it."""

    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    fails: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    is_trimmed: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deleted: list[str] = field(default_factory=list[str])

    def invoke(self, **request: Any) -> dict[str, Any]:
        assert request["FunctionName"] == "notify-1"
        asked: dict[str, Any] = json.loads(request["Payload"])["redrive"]
        self.asked.append(asked)
        facts: dict[str, Any] = {"failed": [], "missing": [], "next_from_seq": None}
        facts = self.answers.pop(0) if self.answers else facts
        answer = {"Payload": io.BytesIO(json.dumps(facts).encode())}
        return {**answer, "FunctionError": "Unhandled"} if self.fails else answer

    def receive_message(self, **_: Any) -> dict[str, Any]:
        page, self.messages = self.messages[:1], self.messages[1:]
        return {"Messages": page} if page else {}

    def delete_message(self, **request: Any) -> None:
        self.deleted.append(request["ReceiptHandle"])

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        if self.is_trimmed:
            error = {"Error": {"Code": "TrimmedDataAccessException"}}
            raise ClientError(error, "GetShardIterator")  # type: ignore[arg-type]
        assert request["ShardIteratorType"] == "AT_SEQUENCE_NUMBER"
        return {"ShardIterator": str(int(request["SequenceNumber"]) - 1)}

    def get_records(self, **request: Any) -> dict[str, Any]:
        first = int(request["ShardIterator"])
        page = self.records[first : first + 2]
        return {"Records": page, "NextShardIterator": str(first + len(page))}

    def give_up(self, first: int, last: int) -> None:
        """A message as Lambda writes it for records of a stream."""
        info = {
            "shardId": "shardId-1",
            "startSequenceNumber": f"{first:021d}",
            "endSequenceNumber": f"{last:021d}",
            "streamArn": STREAM,
        }
        body = json.dumps({"DDBStreamBatchInfo": info})
        self.messages.append({"Body": body, "ReceiptHandle": f"{first}-{last}"})


@pytest.fixture
def aws() -> Iterator[Aws]:
    yield Aws(records=[record(n) for n in range(1, 9)])


def run(aws: Aws, *arguments: str) -> int:
    return main(["--function", "notify-1", *arguments], make_client=lambda _: aws)


RANGE = ("--account", "user_1", "--from-seq", "3", "--to-seq", "2000")


def test_a_range_is_sent_call_by_call_until_it_is_done(aws: Aws) -> None:
    aws.answers = [
        {"failed": [], "missing": [], "next_from_seq": 1003},
        {"failed": [], "missing": [], "next_from_seq": None},
    ]

    assert run(aws, *RANGE) == 0
    assert aws.asked == [
        {"account": "user_1", "from_seq": 3, "to_seq": 2000},
        {"account": "user_1", "from_seq": 1003, "to_seq": 2000},
    ]


@pytest.mark.parametrize("member", ["failed", "missing"])
def test_rows_that_were_not_sent_are_an_exit_code(aws: Aws, member: str) -> None:
    aws.answers = [{"failed": [], "missing": [], "next_from_seq": None, member: [7]}]

    assert run(aws, *RANGE) == 1


def test_a_function_that_fails_is_told_and_not_taken_for_an_answer(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers = [{"errorType": "InvalidError", "errorMessage": "to_seq"}]
    aws.fails = True

    assert run(aws, *RANGE) == 2
    assert "InvalidError: to_seq" in capsys.readouterr().err


def test_the_queue_is_worked_off_row_by_row_and_its_messages_are_deleted(aws: Aws) -> None:
    aws.give_up(2, 4)
    aws.give_up(7, 7)

    assert run(aws, "--queue", QUEUE) == 0
    assert [(each["account"], each["from_seq"], each["to_seq"]) for each in aws.asked] == [
        ("user_2", 20, 20),
        ("user_3", 30, 30),
        ("user_4", 40, 40),
        ("user_7", 70, 70),
    ]
    assert aws.deleted == ["2-4", "7-7"]


def test_records_that_are_no_new_rows_need_no_redrive(aws: Aws) -> None:
    aws.records[1] = record(2, sort_key="A")
    aws.records[2] = record(3, kind="MODIFY")
    aws.give_up(2, 4)

    assert run(aws, "--queue", QUEUE) == 0
    assert [each["account"] for each in aws.asked] == ["user_4"]


def test_a_message_stays_where_one_of_its_rows_was_not_sent(aws: Aws) -> None:
    aws.answers = [{"failed": [20], "missing": [], "next_from_seq": None}]
    aws.give_up(2, 3)

    assert run(aws, "--queue", QUEUE) == 1
    assert len(aws.asked) == 2
    assert aws.deleted == []


def test_a_message_whose_records_are_forgotten_stays_and_says_where_to_look(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.is_trimmed = True
    aws.give_up(2, 3)

    assert run(aws, "--queue", QUEUE) == 1
    assert aws.deleted == []
    assert "not notified" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("--account", "user_1"), ("--to-seq", "3")])
def test_half_a_wish_is_refused(aws: Aws, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        run(aws, *arguments)
    assert aws.asked == []
