"""The bus's rules on one machine: an event reaches the functions whose pattern it matches."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from local.environments import BusyError, FunctionError
from local.events_source import matches
from local.template import Rule

ATTEMPTS = 3
"""As Lambda's: an event that a function fails at comes twice more."""

PAUSE_S = 1.0
MOST_WAITING = 1_000


class Invocable(Protocol):
    """A function that takes events."""

    def invoke(self, event: Mapping[str, object]) -> object:
        """The function's answer. Raises: FunctionError, BusyError."""
        ...


class RuleTargets:
    """The targets of the template's rules, invoked one event after the other in the background."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        pools: Mapping[str, Invocable],
        log: Callable[[str], None],
        pause_s: float = PAUSE_S,
    ) -> None:
        self._rules = rules
        self._pools = pools
        self._log = log
        self._pause_s = pause_s
        self._waiting: queue.Queue[tuple[str, Mapping[str, object]]] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def reach(self, event: Mapping[str, object]) -> None:
        """Each function whose rule matches gets the event soon; one too many is left out."""
        for rule in self._rules:
            if not matches(event, rule.pattern):
                continue
            try:
                self._waiting.put_nowait((rule.function, event))
            except queue.Full:
                self._log(f"left out: an event for {rule.function}; too many are waiting")
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            function, event = self._waiting.get()
            self.deliver(function, event)
            self._waiting.task_done()

    def deliver(self, function: str, event: Mapping[str, object]) -> bool:
        """The function took the event; false where it failed each time, which a line says."""
        reason = ""
        for attempt in range(ATTEMPTS):
            try:
                self._pools[function].invoke(event)
            except (FunctionError, BusyError) as error:
                reason = str(error)
                time.sleep(self._pause_s * (attempt + 1))
            else:
                return True
        self._log(f"given up: {event.get('detail-type')} for {function}: {reason}")
        return False
