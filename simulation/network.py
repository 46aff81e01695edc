"""Between a function and its table: latency, faults, and the SDK's own second try."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from simulation.faults import Faults, make_error
from simulation.loop import SECOND_US, Crash, Loop, current
from tollkeeper.store.client import ATTEMPTS, READ_TIMEOUT_S

if TYPE_CHECKING:
    from simulation.store import SimStore

READ_TIMEOUT_US = READ_TIMEOUT_S * SECOND_US
# What the SDK's standard mode tries again. Source: botocore's retry documentation.
RETRYABLE = frozenset({"ThrottlingException", "InternalServerError"})


class Network:
    """Every call that leaves a function passes here: a place to wait and a place to fail."""

    def __init__(self, loop: Loop, faults: Faults, store: SimStore) -> None:
        self.loop = loop
        self.faults = faults
        self.store = store
        self.calls = 0
        self.writer: Any = None
        self.tell: Callable[[str], None] = lambda _: None
        self._tokens = 0

    def new_token(self) -> str:
        """A client request token, as the SDK makes one for each call of ours."""
        self._tokens += 1
        return f"token-{self._tokens}"

    def travel_us(self) -> int:
        """How long a message takes. Units: microseconds; 1 to 15 ms, never twice the same."""
        return 1_000 + int(self.faults.random.random() ** 3 * 14_000)

    def wait(self, span_us: int) -> None:
        """The time has passed; a function whose own time is over dies in it."""
        invocation = current().invocation
        if invocation is not None and self.loop.now_us + span_us >= invocation.ends_us:
            self.loop.sleep(max(0, invocation.ends_us - self.loop.now_us))
            raise Crash("the function's time is over")
        self.loop.sleep(span_us)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What the database answers, to one of at most two tries. Raises: as the SDK."""
        for number in range(ATTEMPTS):
            try:
                return self._try(operation, request)
            except (ReadTimeoutError, ConnectionClosedError):
                if number == ATTEMPTS - 1:
                    raise
            except ClientError as error:
                if number == ATTEMPTS - 1 or _code(error) not in RETRYABLE:
                    raise
            self.wait(int(self.faults.random.random() * SECOND_US))
        raise AssertionError("the last try returns or raises")

    def _try(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        is_write = operation == "transact_write_items"
        kind = self.faults.at_call(is_write=is_write)
        self.calls += 1
        self.tell(f"{operation} {show_request(request)} {kind}")
        if kind == "crash_before":
            raise Crash(kind)
        if kind == "zombie":
            self._land_late(request)
        if kind in ("lost_before", "zombie"):
            self.wait(READ_TIMEOUT_US)
            raise make_error(kind, operation, request)
        self.wait(self._slow_us() if kind == "slow" else self.travel_us())
        if kind in ("throttled", "error_before", "conflict"):
            raise make_error(kind, operation, request)
        answer = self._apply(operation, request)
        if kind == "crash_after":
            raise Crash(kind)
        if kind == "lost_after":
            self.wait(READ_TIMEOUT_US)
        if kind in ("lost_after", "error_after", "reset_after"):
            raise make_error(kind, operation, request)
        return answer

    def _slow_us(self) -> int:
        return int((0.2 + 1.7 * self.faults.random.random()) * SECOND_US)

    def _land_late(self, request: dict[str, Any]) -> None:
        """The write is on its way and takes effect after the SDK stopped waiting for it."""
        invocation = current().invocation

        def land() -> None:
            self.writer = invocation
            try:
                self.store.transact_write_items(**request)
                self.tell(f"a late write took effect: {show_request(request)}")
            except ClientError:
                self.tell(f"a late write was refused: {show_request(request)}")

        span_s = 2 + self.faults.random.choice((0.01, 0.5, 3.0, 12.0)) * self.faults.random.random()
        self.loop.after(int(span_s * SECOND_US), land)

    def _apply(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.writer = current().invocation
        answer: dict[str, Any] = getattr(self.store, operation)(**request)
        return answer


class SimulatedClient:
    """DynamoDB as a function sees it."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        return self._network.call("get_item", request)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page of items."""
        return self._network.call("query", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none. Why: one token for all tries of the SDK, as botocore gives it."""
        token = self._network.new_token()
        return self._network.call("transact_write_items", {"ClientRequestToken": token, **request})


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


def show_request(request: dict[str, Any]) -> str:
    """Which items a call is about."""
    if "TransactItems" in request:
        items = (each["Put"]["Item"] for each in request["TransactItems"])
        return " ".join(f"{item['pk']['S']}/{item['sk']['S']}" for item in items)
    if "Key" in request:
        strong = "strong" if request.get("ConsistentRead") else "weak"
        return f"{request['Key']['pk']['S']}/{request['Key']['sk']['S']} {strong}"
    return str(request.get("IndexName", "table"))
