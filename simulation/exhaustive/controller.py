"""A network on which nothing happens by chance: each call waits to be told what becomes of it.

The SDK does not try again here, so that every failure reaches the code behind it, and waiting takes
no turn: it moves the clock of who waits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from simulation.faults import Faults, make_error
from simulation.loop import Crash, Loop, Task, current
from simulation.network import Network
from simulation.store import SimStore

CALL_US = 1_000
# What a call's answer may be, beside the true one. Each counts as one fault.
READ_FAULTS = ("error",)
WRITE_FAULTS = ("error", "conflict", "lost", "zombie", "orphan")
STALE = "stale"
# The storm's names for what the SDK raises.
RAISED = {
    "error": "error_before",
    "conflict": "conflict",
    "lost": "reset_after",
    "zombie": "zombie",
}


class Calm(Faults):
    """No fault happens by chance."""

    def __init__(self) -> None:
        super().__init__(Random(1))
        self.is_over = True


@dataclass
class Lagging:
    """How many commits behind the next read is."""

    commits: int = 0

    def behind(self, what: str) -> int:
        """So many. Shape: `what` is item or index."""
        return self.commits


@dataclass
class Asking:
    """A call that waits. `task` is who goes on when it is answered."""

    task: Task
    operation: str
    request: dict[str, Any]

    @property
    def is_write(self) -> bool:
        """It may change something."""
        return self.operation == "transact_write_items"

    @property
    def is_weak(self) -> bool:
        """It may see the past."""
        return not self.is_write and not self.request.get("ConsistentRead")


@dataclass
class Late:
    """A write on its way after nobody waits for it. `client` and `number` say whose it was."""

    request: dict[str, Any]
    writer: Any
    client: int = 0
    number: int = 0
    has_landed: bool = False
    is_refused: bool = False
    judged_at: int = -1


@dataclass
class Controller(Network):
    """Stops every task at its calls, unless all is calm. `asking` is the call just stopped at."""

    loop: Loop
    store: SimStore
    lag: Lagging
    faults: Faults = field(default_factory=Calm)
    is_calm: bool = True
    asking: Asking | None = None
    late: list[Late] = field(default_factory=list[Late])

    def __post_init__(self) -> None:
        super().__init__(self.loop, self.faults, self.store)

    def travel_us(self) -> int:
        """Always the same."""
        return CALL_US

    def wait(self, span_us: int) -> None:
        """The time has passed for who waits; a function whose time is over dies."""
        invocation = current().invocation
        self.loop.now_us += span_us
        if invocation is not None and self.loop.now_us >= invocation.ends_us:
            raise Crash("the function's time is over")

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What was said that becomes of the call. Raises: as the SDK; Crash.

        Why: the SDK's token is left out, because only the SDK's own second try would use it.
        """
        request.pop("ClientRequestToken", None)
        outcome = "ok"
        if not self.is_calm:
            self.asking = Asking(current(), operation, request)
            outcome = str(self.loop.hub.switch())
        self.wait(CALL_US)
        self.calls += 1
        return self._become(outcome, operation, request)

    def _become(self, outcome: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if outcome in ("ok", STALE):
            try:
                return self._apply(operation, request)
            finally:
                self.lag.commits = 0
        if outcome in ("zombie", "orphan"):
            self.late.append(Late(request, current().invocation))
        if outcome == "lost":
            with suppress(ClientError):
                self._apply(operation, request)
        if outcome == "orphan":
            raise Crash(outcome)
        raise make_error(RAISED[outcome], operation, request)

    def land(self, late: Late) -> None:
        """The write that nobody waits for takes effect."""
        late.has_landed = True
        self.writer = late.writer
        with suppress(ClientError):
            self.store.transact_write_items(**late.request)

    def can_land(self, late: Late) -> bool:
        """The write would have an effect. Where it has none now it never will have one.

        Why: every condition of ours is that an item is new, or has the version that was read.
        Items are never deleted and versions only grow.
        """
        if late.has_landed or late.is_refused:
            return False
        if late.judged_at != self.store.commits:
            late.judged_at = self.store.commits
            late.is_refused = self.store.refuses(**late.request)
        return not late.is_refused
