"""The events of ledger rows are sent again, by somebody with AWS credentials.

    python -m local.redrive --function NAME --account user_1 --from-seq 1 --to-seq 50
    python -m local.redrive --function NAME --queue URL

The first sends the rows of a range. The second works off the queue of what was given up: each
message names records of the table's stream, which keeps them for a day; once their rows were sent,
the message is deleted. Both may be repeated, for each event keeps its id.
Exit: 0 where all were sent, 1 where some were not, 2 where AWS refuses.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Why: an invocation sends a thousand rows at most, in a minute at most.
PATIENCE = Config(read_timeout=70, retries={"total_max_attempts": 2})
TRIMMED = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})

MakeClient = Callable[[str], Any]


class RedriveError(Exception):
    """The function failed; the sentence says how."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """The notify function of a stack."""

    client: Any
    name: str

    def redrive(self, account: str, *, from_seq: int, to_seq: int) -> bool:
        """The events of these rows were sent, call by call; false where some were not.

        Raises: RedriveError where the function fails.
        """
        is_whole = True
        first: int | None = from_seq
        while first is not None:
            asked = {"account": account, "from_seq": first, "to_seq": to_seq}
            facts = self._invoke({"redrive": asked})
            sys.stdout.write(json.dumps(facts) + "\n")
            is_whole &= not facts["failed"] and not facts["missing"]
            first = facts["next_from_seq"]
        return is_whole

    def _invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        payload = json.dumps(event).encode()
        answer = self.client.invoke(FunctionName=self.name, Payload=payload)
        facts: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RedriveError(f"{facts.get('errorType')}: {facts.get('errorMessage')}")
        return facts


def redrive_queue(queue: str, function: Function, *, make_client: MakeClient) -> bool:
    """Every message of the queue was worked off; false where one had to be left there.

    Raises: RedriveError where the function fails.
    """
    messages, streams = make_client("sqs"), make_client("dynamodbstreams")
    is_whole = True
    while True:
        answer = messages.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=300, WaitTimeSeconds=2
        )
        if not answer.get("Messages"):
            return is_whole
        for message in answer["Messages"]:
            given_up: dict[str, Any] = json.loads(message["Body"])["DDBStreamBatchInfo"]
            if _redrive_records(streams, given_up, function):
                messages.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            else:
                is_whole = False


def _redrive_records(streams: Any, given_up: dict[str, Any], function: Function) -> bool:
    try:
        rows = list(_read_rows(streams, given_up))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in TRIMMED:
            raise
        where = f"{given_up['shardId']} from {given_up['startSequenceNumber']} on"
        sys.stderr.write(
            f"{where}: the stream has forgotten these records. The function's log lines "
            f"`not notified` name their accounts and seqs; send those by --account.\n"
        )
        return False
    sent = [function.redrive(account, from_seq=seq, to_seq=seq) for account, seq in rows]
    return all(sent)


def _read_rows(streams: Any, given_up: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The account and seq of each new ledger row among the records."""
    last = int(given_up["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=given_up["streamArn"],
        ShardId=given_up["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=given_up["startSequenceNumber"],
    )["ShardIterator"]
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            body = record["dynamodb"]
            if int(body["SequenceNumber"]) > last:
                return
            if record["eventName"] == "INSERT" and body["Keys"]["sk"]["S"].startswith("E#"):
                yield body["Keys"]["pk"]["S"][2:], int(body["NewImage"]["entry_seq"]["N"])
            if int(body["SequenceNumber"]) == last:
                return
        iterator = answer.get("NextShardIterator")


def _connect(service: str) -> Any:
    client: Any = botocore.session.get_session().create_client(service, config=PATIENCE)
    return client


def main(arguments: list[str], *, make_client: MakeClient = _connect) -> int:
    """What was asked for was sent again. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.redrive", description=__doc__)
    parser.add_argument("--function", required=True, help="the output NotifyFunctionName")
    parser.add_argument("--queue", help="the output UnnotifiedQueueUrl")
    parser.add_argument("--account")
    parser.add_argument("--from-seq", type=int, default=1)
    parser.add_argument("--to-seq", type=int)
    asked = parser.parse_args(arguments)
    if not asked.queue and (not asked.account or asked.to_seq is None):
        parser.error("either --queue, or --account with --from-seq and --to-seq")
    try:
        function = Function(client=make_client("lambda"), name=asked.function)
        if asked.queue:
            is_whole = redrive_queue(asked.queue, function, make_client=make_client)
        else:
            seqs = {"from_seq": asked.from_seq, "to_seq": asked.to_seq}
            is_whole = function.redrive(asked.account, **seqs)
    except (ClientError, BotoCoreError, RedriveError) as error:
        sys.stderr.write(f"the redrive ended: {error}\n")
        return 2
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
