"""The event bus of one machine: it takes PutEvents as EventBridge does, and shows what it took.

`GET /v1/events?after=<n>` answers with the events after the n-th, oldest first; `POST /_local/bus/`
is where the functions' own client puts them. Neither is in the template.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import cast
from urllib.parse import parse_qs

from local.events import ACCOUNT_ID, REGION
from local.wire import Answer, Request, message_answer

EVENTS_PATH = "/v1/events"
BUS_PATH = "/_local/bus"
PUT_EVENTS = "AWSEvents.PutEvents"
MOST_KEPT = 1_000

Event = dict[str, object]


class LocalBus:
    """The last events of this gateway's run, numbered from 1 on; each is logged as it comes.

    `reach` takes each on to the functions whose rules it matches.
    """

    def __init__(
        self, *, log: Callable[[str], None], reach: Callable[[Event], None] | None = None
    ) -> None:
        self._log = log
        self._reach = reach
        self._lock = threading.Lock()
        self._count = 0
        self._kept: deque[tuple[int, Event]] = deque(maxlen=MOST_KEPT)

    def serves(self, path: str) -> bool:
        """The path is one of the two that the bus answers."""
        return path == EVENTS_PATH or path.rstrip("/") == BUS_PATH

    def respond(self, request: Request, path: str) -> Answer:
        """The answer to a request for one of the paths."""
        if path == EVENTS_PATH and request.method == "GET":
            return self._show(request.query)
        if path != EVENTS_PATH and request.header("x-amz-target") == PUT_EVENTS:
            return self._take(request.body)
        return message_answer(404)

    def after(self, number: int) -> tuple[list[Event], int]:
        """The events kept that came after the n-th, and the number of the last one of all."""
        with self._lock:
            return [event for n, event in self._kept if n > number], self._count

    def _show(self, query: str) -> Answer:
        (text,) = parse_qs(query, keep_blank_values=True).get("after", ["0"])[-1:]
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            return message_answer(400, "after is the number of the last event that you have.")
        events, last = self.after(int(text))
        return _json_answer({"events": events, "next": last})

    def _take(self, body: bytes) -> Answer:
        """PutEvents' answer: every entry was taken. Shape: as EventBridge answers."""
        try:
            members = cast("dict[str, list[dict[str, object]]]", json.loads(body))
            events = [_as_event(entry) for entry in members["Entries"]]
        except (ValueError, KeyError, TypeError):
            return message_answer(400, "The body is not that of PutEvents.")
        with self._lock:
            for event in events:
                self._count += 1
                self._kept.append((self._count, event))
        for event in events:
            self._log(_line(event))
            if self._reach is not None:
                self._reach(event)
        taken = [{"EventId": event["id"]} for event in events]
        return _json_answer({"FailedEntryCount": 0, "Entries": taken})


def _as_event(entry: Mapping[str, object]) -> Event:
    """The event that a rule's target receives for the entry."""
    at = datetime.fromtimestamp(float(str(entry["Time"])), UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": ACCOUNT_ID,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": json.loads(str(entry["Detail"])),
    }


def _line(event: Event) -> str:
    """One line for a terminal: what, whose, and what is left."""
    detail = cast("dict[str, object]", event["detail"])
    what = f"event {event['detail-type']} {detail.get('account')}"
    if "seq" not in detail:
        return f"{what} {detail.get('code')}"
    return f"{what} seq {detail['seq']}, available {detail.get('available_after')}"


def _json_answer(value: object) -> Answer:
    headers = (("Content-Type", "application/json"),)
    return Answer(status=200, headers=headers, body=json.dumps(value).encode())
