"""The table's stream: records of new ledger rows, as DynamoDB sends them to a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tollkeeper.domain.entries import Entry, show_key
from tollkeeper.domain.events import events_of
from tollkeeper.edge.observability import log_alarm, log_fact, log_failure
from tollkeeper.service.notifying import EventBus, HasTime, Row, deliver
from tollkeeper.store.items import SCHEMA, entry_from_item

Record = Mapping[str, Any]


def answer_batch(bus: EventBus, records: Sequence[Record], *, has_time: HasTime) -> dict[str, Any]:
    """The events of every new row are on the bus, but for the rows that the answer names.

    Shape: {"batchItemFailures": [{"itemIdentifier": <sequence number>}]}; Lambda sends what is
    named, and all that came behind it, again. Each one that failed leaves an error line.
    """
    rows, broken = _read_rows(records)
    delivered = deliver(bus, rows, has_time=has_time)
    failed = [*broken, *delivered.failed]
    for record in records:
        if sequence_of(record) in failed:
            _log_failed(record)
    facts = {"rows": len(rows), "events": delivered.events, "failed": len(failed)}
    log_fact("notified", records=len(records), **facts)
    in_order = [sequence_of(record) for record in records if sequence_of(record) in failed]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in in_order]}


def _read_rows(records: Sequence[Record]) -> tuple[list[Row], list[str]]:
    """The new rows with their events, and the sequence numbers of what cannot be read.

    Why: a row that this version does not understand stays in the stream until one does, or goes
    to the queue; dropped silently, its event would be lost.
    """
    rows: list[Row] = []
    broken: list[str] = []
    for record in new_rows(records):
        try:
            rows.append(Row(sequence_of(record), events_of(read_entry(record))))
        except Exception:  # noqa: BLE001 - one broken record must not stop the others
            log_failure("record cannot be read", keys=_keys(record))
            broken.append(sequence_of(record))
    return rows, broken


def new_rows(records: Sequence[Record]) -> Iterator[Record]:
    """The records of new ledger rows, however the stream is filtered before."""
    for record in records:
        if record["eventName"] == "INSERT" and _keys(record)["sk"]["S"].startswith("E#"):
            yield record


def read_entry(record: Record) -> Entry:
    """The ledger row in the record's new image. Raises: whatever it cannot be read for."""
    image: dict[str, Any] = record["dynamodb"]["NewImage"]
    if image.get("sv") != {"N": str(SCHEMA)}:
        raise ValueError(f"its schema is {image.get('sv')}")
    return entry_from_item(image)


def sequence_of(record: Record) -> str:
    """By what Lambda calls the record."""
    return str(record["dynamodb"]["SequenceNumber"])


def _keys(record: Record) -> dict[str, Any]:
    keys: dict[str, Any] = record["dynamodb"]["Keys"]
    return keys


def _log_failed(record: Record) -> None:
    """One error line by which an operator finds what to send again.

    Why: the message in the on-failure queue names sequence numbers and no account.
    """
    image: dict[str, Any] = record["dynamodb"].get("NewImage", {})
    log_alarm(
        "not notified",
        account=str(_keys(record)["pk"]["S"])[2:],
        key=show_key(_keys(record)["sk"]["S"][2:]),
        seq=image.get("entry_seq", {}).get("N"),
        sequence=sequence_of(record),
    )
