"""The folder that holds everything the one-machine runtime keeps: database, secrets, logs, lock."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TextIO, cast

LOCK_TIMEOUT_S = 10.0
LOG_MAX_BYTES = 20 * 1024 * 1024


class InUseError(Exception):
    """Another gateway runs on the folder; the sentence says which and what to do."""


class DataFolder:
    """A folder that this process alone uses until `release` is called or the process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._lock_file: IO[str] | None = None

    def lock(
        self, *, wait_s: float = LOCK_TIMEOUT_S, log: Callable[[str], None] = lambda _: None
    ) -> None:
        """The folder is this process's; a gateway that is just ending is waited for.

        Raises: InUseError where another one still holds it after the wait.
        """
        lock_file = (self.path / "gateway.lock").open("a+", encoding="utf-8")
        deadline = time.monotonic() + wait_s
        is_announced = False
        while True:
            try:
                # The kernel frees the lock with its process, kill -9 included.
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock_file.seek(0)
                    holder = lock_file.read().strip() or "an unknown process"
                    lock_file.close()
                    raise InUseError(
                        f"Another gateway uses {self.path}: {holder}. Stop it, or give this one "
                        "a folder of its own: make run PORT=8081 DATA=.local-2"
                    ) from None
                if not is_announced:
                    log(f"Another gateway uses {self.path}; waiting {wait_s:.0f} s for its end ...")
                    is_announced = True
                time.sleep(0.05)
        self._lock_file = lock_file
        self.describe_holder("starting")

    def describe_holder(self, text: str) -> None:
        """The lock says who holds it, for the sentence that a second gateway ends with."""
        if self._lock_file is not None:
            self._lock_file.truncate(0)
            self._lock_file.write(f"pid {os.getpid()}, {text}")
            self._lock_file.flush()

    def release(self) -> None:
        """Another gateway may take the folder."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def kept(self, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
        """Secrets by name: those the folder keeps already, and new ones, kept from now on."""
        path = self.path / "secrets.json"
        values = self._read(path)
        missing = {name: make() for name, make in makers.items() if name not in values}
        if missing:
            self._write(path, values | missing)
        return {name: (values | missing)[name] for name in makers}

    def keep(self, name: str, value: str) -> None:
        """The folder keeps a secret under its name, in place of an older one."""
        path = self.path / "secrets.json"
        values = self._read(path)
        if values.get(name) != value:
            self._write(path, values | {name: value})

    def find(self, name: str) -> str | None:
        """The secret that the folder keeps under a name, if any."""
        return self._read(self.path / "secrets.json").get(name)

    def _read(self, path: Path) -> dict[str, str]:
        if not path.exists():
            return {}
        return cast("dict[str, str]", json.loads(path.read_text(encoding="utf-8")))

    def _write(self, path: Path, values: Mapping[str, str]) -> None:
        """The file is replaced in one step, readable by its owner alone."""
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(dict(values), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def new_pepper() -> str:
    """A fresh secret with which service keys are stored as HMAC."""
    return secrets.token_urlsafe(32)


def new_webhook_secret() -> str:
    """A fresh signing secret of the form that Stripe gives."""
    return "whsec_" + secrets.token_hex(24)


class FunctionLog:
    """A text stream into a file; at its limit the file moves aside once, as `<name>.1`."""

    def __init__(self, path: Path, *, max_bytes: int = LOG_MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
        self._size = path.stat().st_size

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """The text stands in the file, whole, whichever threads write beside this one."""
        with self._lock:
            if self._size > self._max_bytes:
                self._file.close()
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
                self._size = 0
            self._size += len(text)
            return self._file.write(text)

    def flush(self) -> None:
        """What was written is handed to the system."""
        with self._lock:
            self._file.flush()

    def close(self) -> None:
        """The file is closed."""
        with self._lock:
            self._file.close()

    def isatty(self) -> bool:
        """Never: it is a file."""
        return False
