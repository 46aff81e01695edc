"""What the simulated Stripe knows, kept in a file: only what changed is written, at once.

Shape: one SQLite table of (kind, id, JSON), in the order things were made: every object by its
kind, answers by their idempotency keys, events on their way by number, and one row for the rest.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.stripe.deliveries import Entry, Manner, Queue
from local.stripe.state import ANSWER, BASIL, StripeState

ENTRY = "entry"
REST = "rest"

Row = tuple[str, str, str]


class Keeper:
    """The file of one Stripe. `path` None keeps nothing."""

    def __init__(self, path: Path | None, *, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log
        self._file: sqlite3.Connection | None = None

    def load(self) -> tuple[StripeState, Queue]:
        """What an earlier run kept; a new Stripe where there is none.

        Why: a file of another release, or one that a full disk cut off, must not stop the gateway.
        """
        if self._path is None:
            return _begin()
        try:
            self._file = _open(self._path)
            rows = self._file.execute("SELECT kind, id, body FROM item ORDER BY rowid").fetchall()
            return _read(rows) if rows else _begin()
        except (sqlite3.Error, ValueError, TypeError, KeyError):
            self.close()
            aside = self._path.with_suffix(".broken")
            self._path.replace(aside)
            for end in ("-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)
            self._log(f"{self._path} cannot be read: it is {aside.name} now, and Stripe is empty")
            self._file = _open(self._path)
            return _begin()

    def save(self, state: StripeState, queue: Queue) -> None:
        """Everything that was touched is in the file.

        Why: the file outlives a killed process; it is not forced to the disk for each button.
        """
        touched, numbers = set(state.touched), set(queue.touched)
        state.touched.clear()
        queue.touched.clear()
        if self._file is None:
            return
        entries = {each.number: each for each in queue.entries}
        kept: list[Row] = [(REST, REST, json.dumps(_rest(state, queue)))]
        gone: list[tuple[str, str]] = []
        for kind, id_ in sorted(touched):
            found = (state.answers if kind == ANSWER else state.all_of(kind)).get(id_)
            if found is None:
                gone.append((kind, id_))
            else:
                kept.append((kind, id_, json.dumps(found)))
        for number in sorted(numbers):
            if number in entries:
                kept.append((ENTRY, str(number), json.dumps(asdict(entries[number]))))
            else:
                gone.append((ENTRY, str(number)))
        with self._file:
            self._file.executemany(
                "INSERT INTO item VALUES (?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                kept,
            )
            self._file.executemany("DELETE FROM item WHERE kind = ? AND id = ?", gone)

    def close(self) -> None:
        """The file is closed."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _open(path: Path) -> sqlite3.Connection:
    """The file, made where it was not there. Why: the desk's lock orders its threads."""
    file = sqlite3.connect(path, check_same_thread=False)
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = OFF")
        file.execute(
            "CREATE TABLE IF NOT EXISTS item"
            " (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))"
        )
    except sqlite3.Error:
        file.close()
        raise
    return file


def _begin() -> tuple[StripeState, Queue]:
    return StripeState(seed=secrets.token_hex(8), api_version=BASIL), Queue()


def _rest(state: StripeState, queue: Queue) -> dict[str, object]:
    return {
        "state": {"seed": state.seed, "api_version": state.api_version, "counter": state.counter},
        "queue": {"manner": queue.manner, "shuffles": queue.shuffles, "count": queue.count},
    }


def _read(rows: list[Row]) -> tuple[StripeState, Queue]:
    """The state and the queue that the rows are. Raises: ValueError, TypeError, KeyError."""
    found = dict(_of(rows, REST))[REST]
    state = StripeState(**found["state"])
    told: dict[str, Any] = found["queue"]
    queue = Queue(manner=Manner(told["manner"]), shuffles=told["shuffles"], count=told["count"])
    for kind, id_, body in rows:
        if kind == ANSWER:
            state.answers[id_] = json.loads(body)
        elif kind not in (ENTRY, REST):
            state.all_of(kind)[id_] = json.loads(body)
    queue.entries = [Entry(**body) for _, body in _of(rows, ENTRY)]
    return state, queue


def _of(rows: list[Row], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((id_, json.loads(body)) for each, id_, body in rows if each == kind)
