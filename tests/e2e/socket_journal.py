"""What a client of the storm asked and was told, written down before it goes on.

A journal is a file of lines. A request stands in it before it is sent, each try's outcome before
anything else is done; so a client that is killed leaves all that it knew.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from tests.e2e.running_gateway import Client
from tollkeeper.edge.stripe_signature import sign

WEBHOOK = "/v1/webhooks/stripe"
NO_ANSWER = 0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request, the same for every try of it.

    Shape: `about` is the charge that a void or refund speaks of, or the purchase of an event;
    `secret` signs an event, and is empty for every other request.
    """

    id: str
    kind: str
    method: str
    path: str
    account: str
    key: str | None = None
    body: dict[str, Any] | None = None
    about: str = ""
    secret: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one try came to. `status` is 0 where no answer came."""

    status: int
    text: str = ""
    was_replayed: bool = False

    @property
    def is_certain(self) -> bool:
        """The answer says what happened; every other one says to ask again."""
        return self.status not in (NO_ANSWER, 429) and self.status < 500

    @property
    def is_success(self) -> bool:
        """The request was done, now or before."""
        return self.status in (200, 201)

    @property
    def members(self) -> dict[str, Any]:
        """The answer's members with exact numbers; none where it is no object."""
        return read_members(self.text)


@dataclass(kw_only=True)
class Heard:
    """A request and what its tries came to, in their order."""

    ask: Ask
    tries: list[Told] = field(default_factory=list[Told])

    @property
    def answer(self) -> Told | None:
        """The certain answer; at most one, since nobody asks again after it."""
        return next((told for told in self.tries if told.is_certain), None)

    @property
    def may_be_done_unheard(self) -> bool:
        """A try got no certain answer, or the client ended before it could write one down."""
        return self.answer is None or any(not told.is_certain for told in self.tries)


def read_members(text: str) -> dict[str, Any]:
    """The JSON object in the text with exact numbers; empty where there is none."""
    try:
        found: Any = json.loads(text, parse_float=Decimal)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def try_once(client: Client, ask: Ask) -> Told:
    """One try of the request, as far as the client sees it."""
    body: object = ask.body
    headers: dict[str, str] = {}
    if ask.secret:
        raw = json.dumps(ask.body).encode()
        body, headers["Stripe-Signature"] = raw, sign(raw, secret=ask.secret, at=datetime.now(UTC))
    try:
        reply = client.ask(
            ask.method, ask.path, body, headers=headers, idempotency_key=ask.key or None
        )
    except (OSError, http.client.HTTPException):
        return Told(status=NO_ANSWER)
    return Told(
        status=reply.status,
        text=reply.body.decode(),
        was_replayed="idempotency-replayed" in reply.headers,
    )


class Journal:
    """One client's file. Each line is in it whole when the call returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note_ask(self, ask: Ask) -> None:
        """The request is going to be sent."""
        self._write({"ask": asdict(ask)})

    def note_told(self, ask: Ask, told: Told) -> None:
        """A try of the request came to this."""
        self._write({"told": asdict(told), "of": ask.id})

    def note_read(self) -> None:
        """Something was read, and it was as it should be or did not come."""
        self._write({"read": 1})

    def note_wrong(self, what: str) -> None:
        """Something that was read contradicts what was said before."""
        self._write({"wrong": what})

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            os.write(self._file, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """The file is closed."""
        os.close(self._file)


@dataclass(kw_only=True)
class Records:
    """All journals together: requests by their id, reads, and what was read wrong."""

    heard: dict[str, Heard] = field(default_factory=dict[str, Heard])
    reads: int = 0
    wrong: list[str] = field(default_factory=list[str])

    def add_line(self, line: dict[str, Any]) -> None:
        """The line is part of the records."""
        match line:
            case {"ask": members}:
                ask = Ask(**members)
                self.heard[ask.id] = Heard(ask=ask)
            case {"told": members, "of": str(of)}:
                self.heard[of].tries.append(Told(**members))
            case {"read": _}:
                self.reads += 1
            case {"wrong": str(what)}:
                self.wrong.append(what)
            case _:
                raise AssertionError(f"no line of a journal: {line}")


def read_journals(paths: Iterable[Path]) -> Records:
    """What stands in the files. A line that a killed client could not end says nothing."""
    records = Records()
    for path in sorted(paths):
        for line in path.read_bytes().split(b"\n")[:-1]:
            records.add_line(json.loads(line))
    return records
