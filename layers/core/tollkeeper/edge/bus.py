"""EventBridge: events are put on the stack's bus, ten at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from tollkeeper.domain.events import Event
from tollkeeper.edge.observability import log_alarm
from tollkeeper.edge.settings import read_settings
from tollkeeper.edge.wiring import PATIENCE
from tollkeeper.service.notifying import EventBus, HasTime
from tollkeeper.store.client import new_session

SOURCE = "tollkeeper"
MOST_PER_CALL = 10
"""The service's own bound of one PutEvents."""

# Why: a caller waits for the answer to a refusal, and its event is not worth a second attempt.
HASTE = botocore.config.Config(
    connect_timeout=0.3,
    read_timeout=0.5,
    retries={"total_max_attempts": 1},
    max_pool_connections=50,
)


class EventsClient(Protocol):
    """The one call there is, as boto3's client has it."""

    def put_events(self, **request: Any) -> dict[str, Any]:
        """Some of the entries are on the bus; the answer says which are not, by their place."""
        ...


class EventBridgeBus:
    """The bus of this stack."""

    def __init__(self, client: EventsClient, name: str) -> None:
        self._client = client
        self._name = name

    def send(self, events: Sequence[Event], *, has_time: HasTime) -> frozenset[str]:
        """The ids of those that are not on the bus, or of which that is not known.

        Cost: one PutEvents per 10 events; one that fails does not stop the next.
        """
        unsent: set[str] = set()
        for batch in _batches(events):
            if has_time():
                unsent |= self._put(batch)
            else:
                unsent |= {event.id for event in batch}
        return frozenset(unsent)

    def _put(self, batch: Sequence[Event]) -> set[str]:
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in batch])
        except (ClientError, BotoCoreError) as error:
            # Why: whether it refused or did not answer, the same events may come a second time.
            log_alarm("bus failed", kind=type(error).__name__, reason=str(error)[:300])
            return {event.id for event in batch}
        if not answer.get("FailedEntryCount"):
            return set()
        refused = {
            event.id: str(entry["ErrorCode"])
            for event, entry in zip(batch, answer["Entries"], strict=True)
            if entry.get("ErrorCode")
        }
        log_alarm("bus refused events", refused=refused)
        return set(refused)

    def _entry(self, event: Event) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type.value,
            "Detail": json.dumps(event.detail, separators=(",", ":"), ensure_ascii=False),
            "Time": event.at,
        }


def _batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for first in range(0, len(events), MOST_PER_CALL):
        yield events[first : first + MOST_PER_CALL]


def connect_events(patience: botocore.config.Config = PATIENCE) -> EventsClient:
    """A client that gives up within the time that the function has, or sooner."""
    session: Any = new_session()
    client: EventsClient = session.create_client("events", config=patience)
    return client


@lru_cache(maxsize=1)
def event_bus() -> EventBus:
    """The bus of this process."""
    return EventBridgeBus(connect_events(), _name())


@lru_cache(maxsize=1)
def hasty_bus() -> EventBus:
    """The same bus for events that are lost rather than waited for."""
    return EventBridgeBus(connect_events(HASTE), _name())


def _name() -> str:
    name = read_settings().event_bus_name
    assert name, "EVENT_BUS_NAME is set for the function that puts events"
    return name
