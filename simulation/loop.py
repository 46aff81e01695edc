"""Virtual time: tasks run one at a time and take turns only where they wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import greenlet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000


class Crash(BaseException):
    """The process dies here: nothing that expects an `Exception` may catch it."""


class Task(greenlet.greenlet):
    """Somebody who acts and waits. `turn` counts the waits, so that a late wake-up is ignored."""

    def __init__(self, loop: Loop, body: Callable[[], None]) -> None:
        super().__init__(body, loop.hub)
        self.loop = loop
        self.turn = 0
        self.invocation: Any = None


def current() -> Task:
    """The task that is running."""
    task = greenlet.getcurrent()
    assert isinstance(task, Task), "only a task waits"
    return task


class Loop:
    """What happens next, in the order of virtual time; nothing here depends on the machine."""

    def __init__(self, start: datetime) -> None:
        self.now_us = (start - EPOCH) // MICROSECOND
        self.hub = greenlet.getcurrent()
        self._count = 0
        self._heap: list[tuple[int, int, Callable[[], object]]] = []

    def now(self) -> datetime:
        """The moment in UTC."""
        return EPOCH + timedelta(microseconds=self.now_us)

    def after(self, span_us: int, action: Callable[[], object]) -> None:
        """The action is done that much later, in no task."""
        self._count += 1
        heapq.heappush(self._heap, (self.now_us + span_us, self._count, action))

    def spawn(self, body: Callable[[], None], *, after_us: int = 0) -> Task:
        """A task that begins that much later."""
        task = Task(self, body)
        self.after(after_us, task.switch)
        return task

    def sleep(self, span_us: int) -> None:
        """The current task goes on that much later."""
        self.wake_later(span_us)
        self.hub.switch()

    def wake_later(self, span_us: int) -> int:
        """The current task's next wait ends at the latest after that span. Shape: its turn."""
        task = current()
        task.turn += 1
        turn = task.turn
        self.after(span_us, lambda: self.wake(task, turn))
        return turn

    def wake(self, task: Task, turn: int) -> None:
        """The task goes on, if it still waits for just this."""
        if task.turn == turn and not task.dead:
            task.turn += 1
            task.switch()

    def run(self) -> None:
        """Everything has happened that anybody waited for."""
        while self._heap:
            when, _, action = heapq.heappop(self._heap)
            self.now_us = max(self.now_us, when)
            action()


class Promise:
    """A value that is there later. One task may wait for it."""

    def __init__(self, loop: Loop) -> None:
        self.is_kept = False
        self.value: Any = None
        self._loop = loop
        self._waiter: tuple[Task, int] | None = None

    def keep(self, value: object) -> None:
        """The value is there, and whoever waits goes on."""
        self.is_kept, self.value = True, value
        if self._waiter is not None:
            task, turn = self._waiter
            self._loop.after(0, lambda: self._loop.wake(task, turn))

    def wait(self, longest_us: int) -> bool:
        """True where the value is there; false where it did not come in time."""
        if not self.is_kept:
            turn = self._loop.wake_later(longest_us)
            self._waiter = (current(), turn)
            self._loop.hub.switch()
            self._waiter = None
        return self.is_kept
