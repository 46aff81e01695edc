"""What must still reach Tollkeeper, kept on disk until it is acknowledged.

A settle is written here before it is sent, and removed once it is answered: a process that dies
in between leaves it to whoever recovers. SQLite does the writing: whole or not at all, and safe
for several threads and processes that share one file on a local disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from tollkeeper_client.errors import JournalError
from tollkeeper_client.sending import Request

LOCK_TIMEOUT_S = 30.0
LONGEST_REASON = 500
_TABLE = """
CREATE TABLE IF NOT EXISTS wishes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    server TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'waiting', 'refused')),
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT,
    key TEXT,
    credits TEXT,
    ends_at REAL,
    reason TEXT
)
"""
_COLUMNS = "id, name, server, state, method, path, body, key, credits, reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request that must reach Tollkeeper.

    Shape: `name` tells it from all others and is the same at every try; `server` is the base URL;
    `credits` is what a run without a hold was estimated at, None where a hold stands for it;
    `ends_at_s` is when it is of no use any more, in seconds of the epoch, None for never;
    `reason` says why a refused one was refused.
    """

    name: str
    server: str
    request: Request
    credits: Decimal | None = None
    ends_at_s: float | None = None
    state: str = "waiting"
    reason: str | None = None
    id: int = 0


def wish_name(server: str, request: Request) -> str:
    """The name of the request: equal for equal tries, different for different wishes."""
    return f"{server} {request.method} {request.path} {request.key or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may be outstanding without a hold. Units: `credits` as estimated."""

    runs: int
    credits: Decimal


class Journal:
    """The wishes of all clients that share the file; without one, of this client alone."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._is_closed = False
        self._database: sqlite3.Connection | None = None
        if self._path is not None:
            _create(self._path)
        # What cannot be used is said now, and not when the first run ends.
        with self._changing():
            pass

    @property
    def is_durable(self) -> bool:
        """Whether a wish outlives this process."""
        return self._path is not None

    def write(self, wishes: Sequence[Wish], *, instead_of: str | None = None) -> list[Wish]:
        """The wishes are on disk, together; the reservation that they come from is gone.

        Raises: JournalError.
        """
        with self._changing() as database:
            if instead_of is not None:
                database.execute("DELETE FROM wishes WHERE name = ?", (instead_of,))
            return [self._insert(database, wish) for wish in wishes]

    def reserve(self, wish: Wish, *, bounds: Bounds, now_s: float) -> bool:
        """A run may go ahead without a hold; False where that would pass the bounds.

        Why: judged and written in one transaction, so that many processes keep one bound. A
        reservation whose process died counts until it ends, as a hold would.
        Raises: JournalError.
        """
        estimate = wish.credits or Decimal(0)
        with self._changing() as database:
            database.execute("DELETE FROM wishes WHERE ends_at <= ?", (now_s,))
            rows = database.execute(
                "SELECT credits FROM wishes WHERE credits IS NOT NULL AND server = ?",
                (wish.server,),
            ).fetchall()
            outstanding = sum((Decimal(credits) for (credits,) in rows), Decimal(0))
            if len(rows) >= bounds.runs or outstanding + estimate > bounds.credits:
                return False
            self._insert(database, replace(wish, state="reserved"))
            return True

    def remove(self, name: str) -> None:
        """The wish is fulfilled, and forgotten. Raises: JournalError.

        Why: not waited for until it is on disk. A wish that comes back is sent again, which
        changes nothing.
        """
        with self._changing(waits_for_disk=False) as database:
            database.execute("DELETE FROM wishes WHERE name = ?", (name,))

    def refuse(self, name: str, reason: str) -> None:
        """The wish is kept, and no longer sent by itself. Raises: JournalError."""
        with self._changing() as database:
            database.execute(
                "UPDATE wishes SET state = 'refused', reason = ? WHERE name = ?",
                (reason[:LONGEST_REASON], name),
            )

    def drop_ended(self, now_s: float) -> None:
        """What is of no use any more is gone. Raises: JournalError."""
        with self._changing(waits_for_disk=False) as database:
            database.execute("DELETE FROM wishes WHERE ends_at <= ?", (now_s,))

    def retry_refused(self, server: str) -> None:
        """What was refused is sent again by the next recovery. Raises: JournalError."""
        with self._changing() as database:
            database.execute(
                "UPDATE wishes SET state = 'waiting', reason = NULL"
                " WHERE state = 'refused' AND server = ?",
                (server,),
            )

    def waiting(self, server: str) -> list[Wish]:
        """What must still reach this server, oldest first. Raises: JournalError."""
        return self._select("waiting", server)

    def refused(self, server: str) -> list[Wish]:
        """What this server refused, oldest first. Raises: JournalError."""
        return self._select("refused", server)

    def close(self) -> None:
        """Nothing of the journal is open; a file stays as it is."""
        with self._lock:
            self._is_closed = True
            if self._database is not None and self._pid == os.getpid():
                self._database.close()
            self._database = None

    def _select(self, state: str, server: str) -> list[Wish]:
        with self._changing() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM wishes WHERE state = ? AND server = ? ORDER BY id",
                (state, server),
            ).fetchall()
        return [_to_wish(row) for row in rows]

    def _insert(self, database: sqlite3.Connection, wish: Wish) -> Wish:
        request = wish.request
        database.execute(
            "INSERT INTO wishes"
            " (name, server, state, method, path, body, key, credits, ends_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET"
            " state = excluded.state, body = excluded.body, reason = NULL",
            (
                wish.name,
                wish.server,
                wish.state,
                request.method,
                request.path,
                request.body,
                request.key,
                None if wish.credits is None else str(wish.credits),
                wish.ends_at_s,
            ),
        )
        return wish

    @contextlib.contextmanager
    def _changing(self, *, waits_for_disk: bool = True) -> Generator[sqlite3.Connection]:
        """One transaction; where it waits for the disk, it is there when this ends."""
        try:
            with self._alone() as database:
                database.execute(f"PRAGMA synchronous = {'FULL' if waits_for_disk else 'NORMAL'}")
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"The journal cannot be used: {error}") from error

    @contextlib.contextmanager
    def _alone(self) -> Generator[sqlite3.Connection]:
        """The database, for this thread alone.

        Why: a forked process must neither use nor close what its parent opened, so it gets a
        connection and a lock of its own. What is in memory alone stays with the parent.
        """
        if self._pid != os.getpid():
            _INHERITED.append(self._database)
            self._pid, self._lock, self._database = os.getpid(), threading.Lock(), None
        with self._lock:
            if self._is_closed:
                raise JournalError("The client is closed.")
            if self._database is None:
                self._database = _connect(":memory:" if self._path is None else str(self._path))
            yield self._database


_INHERITED: list[sqlite3.Connection | None] = []


def _create(path: Path) -> None:
    """The file is there, readable by its owner alone. Raises: JournalError.

    Why: it names accounts and what they used. It holds no key of Tollkeeper.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be used: {error}") from error


def _connect(path: str) -> sqlite3.Connection:
    """A connection whose commits cost one wait for the disk.

    Why: a write-ahead log is read by others while it is written. Where two processes make the
    file at once, one of them cannot choose that; the file then keeps what the other chose.
    """
    database = sqlite3.connect(
        path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")
        database.execute(_TABLE)
    except sqlite3.Error:
        database.close()
        raise
    return database


_Text = str | None


def _to_wish(row: tuple[int, str, str, str, str, str, _Text, _Text, _Text, _Text]) -> Wish:
    number, name, server, state, method, path, body, key, credits, reason = row
    return Wish(
        id=number,
        name=name,
        server=server,
        state=state,
        request=Request(method, path, body, key),
        credits=None if credits is None else Decimal(credits),
        reason=reason,
    )
