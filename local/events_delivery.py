"""The table's stream on one machine: its records reach the function that the template names.

Both local engines have streams, so what runs here is what runs on AWS: the engine's own records,
the template's filter, the real function, and the real client of the bus, which is the gateway's.
The place that was reached is kept in the data folder: after a crash some events come twice, and
none is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.environments import BusyError, FunctionError
from local.events_source import StreamSource, read_stream_sources
from local.template import Template

POLL_S = 0.2
NEWS_POLL_S = 0.1
MOST_PAUSE_S = 5.0
# Why: one engine's ids of shards are shorter than the SDK believes an id to be.
PATIENCE = Config(
    connect_timeout=2,
    read_timeout=20,
    retries={"total_max_attempts": 2},
    parameter_validation=False,
)

Invoke = Callable[[str, Mapping[str, object]], object]
Record = dict[str, Any]


class StreamError(Exception):
    """The table's stream cannot be read."""


def _connect(service: str) -> Any:
    """A client of the database's own endpoint, which is also where its stream is."""
    make = cast("Callable[..., Any]", boto3.client)  # pyright: ignore[reportUnknownMemberType]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
    return make(service, endpoint_url=endpoint, config=PATIENCE)


def ensure_stream(*, table: str, view_type: str) -> str:
    """The ARN of the table's stream, which is turned on where it was not.

    Raises: StreamError where the engine has no streams.
    """
    client = _connect("dynamodb")
    try:
        found = client.describe_table(TableName=table)["Table"]
        if not found.get("StreamSpecification", {}).get("StreamEnabled"):
            specification = {"StreamEnabled": True, "StreamViewType": view_type}
            client.update_table(TableName=table, StreamSpecification=specification)
            found = client.describe_table(TableName=table)["Table"]
        return str(found["LatestStreamArn"])
    except (ClientError, BotoCoreError, KeyError) as error:
        raise StreamError(f"{type(error).__name__}: {error}") from None


@dataclass(kw_only=True)
class Bookmark:
    """Up to where each shard of one stream was delivered, in a file that a crash leaves whole.

    Without a file it is known for this run alone.
    """

    path: Path | None
    stream: str
    reached: dict[str, str] = field(default_factory=dict[str, str])

    def read(self) -> None:
        """What the file says of this stream; another one's places are forgotten."""
        if self.path is None:
            return
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
            if noted["stream"] == self.stream:
                self.reached = dict(noted["reached"])
        except (OSError, ValueError, KeyError, TypeError):
            self.reached = {}

    def note(self, shard: str, sequence: str) -> None:
        """The shard was delivered up to and with this record."""
        self.reached[shard] = sequence
        if self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"stream": self.stream, "reached": self.reached}), "utf-8")
        fresh.replace(self.path)


class Delivery:
    """Delivers a stream in the background, from `start` until `stop` is called."""

    def __init__(
        self,
        source: StreamSource,
        bookmark: Bookmark,
        *,
        invoke: Invoke,
        log: Callable[[str], None],
        client: Any = None,
        poll_s: float = POLL_S,
    ) -> None:
        self._source = source
        self._bookmark = bookmark
        self._invoke = invoke
        self._log = log
        self._poll_s = poll_s
        self._client: Any = client or _connect("dynamodbstreams")
        self._iterators: dict[str, str | None] = {}
        self._begins_at = "LATEST" if source.only_new else "TRIM_HORIZON"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Records are delivered from now on, beginning where the last run ended."""
        self._bookmark.read()
        with contextlib.suppress(ClientError, BotoCoreError):
            # What is new is what comes from here on; where it fails, the thread tries again.
            self._open()
        self._thread.start()

    def stop(self, *, grace_s: float = 2.0) -> None:
        """No batch is sent any more; one under way had so long to end."""
        self._stopping.set()
        self._thread.join(grace_s)

    def _run(self) -> None:
        pause_s = self._poll_s
        while not self._stopping.wait(pause_s):
            try:
                has_more = self.deliver_once()
            except (ClientError, BotoCoreError) as error:
                # The engine was ended and is started again, or an iterator is too old: from the
                # bookmark on, once more.
                self._iterators.clear()
                pause_s = min(pause_s * 2, MOST_PAUSE_S)
                self._log(f"the stream cannot be read now: {error}")
            else:
                pause_s = 0.0 if has_more else self._poll_s

    def deliver_once(self) -> bool:
        """Each shard's next page was delivered; true where there was any record."""
        if not self._iterators:
            self._open()
        has_more = False
        for shard, iterator in tuple(self._iterators.items()):
            if iterator is None:
                continue
            answer = self._client.get_records(ShardIterator=iterator, Limit=1_000)
            records: list[Record] = answer["Records"]
            if not self._deliver(shard, records):
                return False
            self._iterators[shard] = answer.get("NextShardIterator")
            has_more |= bool(records)
        if self._iterators and not any(self._iterators.values()):
            # Every shard is closed, so there are new ones.
            self._iterators.clear()
        return has_more

    def _open(self) -> None:
        arn = self._bookmark.stream
        shards = self._client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        for each in shards:
            shard = str(each["ShardId"])
            self._iterators[shard] = self._iterator(shard, self._bookmark.reached.get(shard))
        # A shard that is found later began while this ran: all of it is new.
        self._begins_at = "TRIM_HORIZON"

    def _iterator(self, shard: str, reached: str | None) -> str:
        """Where the shard goes on: behind what was reached, or where it begins.

        Why: an engine that keeps its stream in memory begins anew after a stop, and AWS itself
        forgets after a day; what is in the stream now is delivered all the same.
        """
        asked = {"StreamArn": self._bookmark.stream, "ShardId": shard}
        place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": reached}
        try:
            if reached is not None:
                return str(self._client.get_shard_iterator(**asked, **place)["ShardIterator"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "TrimmedDataAccessException":
                raise
            self._log("the stream begins anew; what it held before may not have been delivered")
        answer = self._client.get_shard_iterator(**asked, ShardIteratorType=self._begins_at)
        return str(answer["ShardIterator"])

    def _deliver(self, shard: str, records: Sequence[Record]) -> bool:
        """The records went to the function, or were given up; false where it was stopped before."""
        size = self._source.batch_size
        for first in range(0, len(records), size):
            page = records[first : first + size]
            batch = [as_sent(each, self._bookmark.stream) for each in page]
            wanted = [each for each in batch if self._source.takes(each)]
            if wanted and not self._send(wanted):
                return False
            self._bookmark.note(shard, str(page[-1]["dynamodb"]["SequenceNumber"]))
        return True

    def _send(self, batch: list[Record]) -> bool:
        """What failed and all behind it are sent again, a bounded number of times, as by Lambda.

        Where Lambda would then write to the on-failure queue, a line says so here.
        """
        failed: list[int] = []
        for attempt in range(self._source.retries + 1):
            failed = self._attempt(batch)
            if not failed:
                return True
            first = failed[0]
            batch, failed = batch[first:], [place - first for place in failed]
            pause_s = min(self._poll_s * 2 ** min(attempt, 10), MOST_PAUSE_S)
            if self._stopping.wait(pause_s):
                return False
        numbers = [str(batch[place]["dynamodb"]["SequenceNumber"]) for place in failed]
        self._log(f"given up: the events of stream records {', '.join(numbers)}")
        return True

    def _attempt(self, batch: list[Record]) -> list[int]:
        """The places of the records that failed; all of them where the function itself did."""
        try:
            answer = self._invoke(self._source.function, {"Records": batch})
        except (FunctionError, BusyError) as error:
            self._log(f"{self._source.function} failed: {error}")
            return list(range(len(batch)))
        members = cast("dict[str, list[dict[str, str]]]", answer or {})
        failed = {each["itemIdentifier"] for each in members.get("batchItemFailures", [])}
        return [n for n, each in enumerate(batch) if each["dynamodb"]["SequenceNumber"] in failed]


def as_sent(record: Record, stream: str) -> Record:
    """The record as Lambda sends it to a function: JSON, with the stream that it is of."""
    body: Record = dict(record["dynamodb"])
    moment = body.get("ApproximateCreationDateTime")
    if isinstance(moment, datetime):
        body["ApproximateCreationDateTime"] = int(moment.timestamp())
    return {**record, "eventSourceARN": stream, "dynamodb": body}


def make_deliveries(
    template: Template, *, table: str, folder: Path, invoke: Invoke, log: Callable[[str], None]
) -> tuple[Delivery, ...]:
    """A delivery to each reader of the table's stream; none where there is no stream to read.

    Shape: `folder` is where the bookmark of a reader lies that begins where it ended; a reader
    of what is new has none. A line says where the database has no stream.
    """
    sources = tuple(read_stream_sources(template).values())
    if not sources:
        return ()
    try:
        stream = ensure_stream(table=table, view_type=sources[0].view_type)
    except StreamError as error:
        log(f"no events: the database has no stream ({error})")
        return ()
    files = (None if each.only_new else folder / "stream.json" for each in sources)
    marks = (Bookmark(path=path, stream=stream) for path in files)
    return tuple(
        Delivery(
            source, mark, invoke=invoke, log=log, poll_s=NEWS_POLL_S if source.only_new else POLL_S
        )
        for source, mark in zip(sources, marks, strict=True)
    )
