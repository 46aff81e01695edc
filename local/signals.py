"""What Ctrl-C and SIGTERM do to `make run`: end a start at once, the serving in good order."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

IMPATIENT_AFTER_S = 1.0
TURN_S = 0.5


class Signals:
    """Signals end a start at once, and the serving in good order.

    Why: a signal may come twice, from a terminal and from make; only one that comes a while after
    the first is a user who does not want to wait.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._came_at = 0.0
        self._is_serving = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def begin(self) -> None:
        """From now on a signal ends the serving, and no longer the start."""
        self._is_serving = True

    def wait(self) -> None:
        """A signal has come.

        Why in turns: the kernel may hand a signal to any thread, and only this one runs what is to
        be done about it; while it waits without end, it may not notice.
        """
        while not self._stop.wait(TURN_S):
            pass

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._is_serving:
            raise SystemExit(128 + number)
        if self._stop.is_set() and time.monotonic() - self._came_at > IMPATIENT_AFTER_S:
            os._exit(128 + number)
        if not self._stop.is_set():
            self._came_at = time.monotonic()
            self._stop.set()
