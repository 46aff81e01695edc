"""What DynamoDB is asked to do, counted at the seam below the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import ClientError

from tests.support.driving import Answered, Driver
from tollkeeper.store.client import DynamoClient


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call and what the engine says it consumed.

    Units: read and write units; those of `table_writes` and `index_writes` are write units of
    the table and of its indexes. A cancelled transaction reports none, though AWS bills it.
    """

    operation: str
    reads: float = 0.0
    table_writes: float = 0.0
    index_writes: float = 0.0
    is_cancelled: bool = False


class MeteredClient:
    """Passes every call on, asks for its consumed capacity and keeps both. Threads may share it."""

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        return self._pass("GetItem", self._client.get_item, request)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page of items."""
        return self._pass("Query", self._client.query, request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none."""
        return self._pass("TransactWriteItems", self._client.transact_write_items, request)

    def take(self) -> list[Call]:
        """The calls since the last time."""
        with self._lock:
            calls, self.calls = self.calls, []
        return calls

    def _pass(
        self, name: str, call: Callable[..., dict[str, Any]], request: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            answer = call(**request, ReturnConsumedCapacity="INDEXES")
        except ClientError:
            self._keep(Call(operation=name, is_cancelled=True))
            raise
        self._keep(read_call(name, answer))
        return answer

    def _keep(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)


def read_call(name: str, answer: Mapping[str, Any]) -> Call:
    """The call with the capacity that its answer reports."""
    told: object = answer.get("ConsumedCapacity") or []
    parts = cast("list[dict[str, Any]]", told if isinstance(told, list) else [told])
    total = sum(float(part.get("CapacityUnits", 0)) for part in parts)
    if name != "TransactWriteItems":
        return Call(operation=name, reads=total)
    table = sum(float(part.get("Table", {}).get("CapacityUnits", 0)) for part in parts)
    return Call(operation=name, table_writes=table, index_writes=total - table)


@dataclass(kw_only=True)
class Measured:
    """What one operation asked of DynamoDB, each time it was tried."""

    name: str
    tries: list[list[Call]] = field(default_factory=list[list[Call]])

    @property
    def calls(self) -> list[int]:
        """How many calls each try made."""
        return [len(calls) for calls in self.tries]

    @property
    def reads(self) -> list[float]:
        """Units: read units of each try."""
        return [sum(call.reads for call in calls) for calls in self.tries]

    @property
    def index_writes(self) -> list[float]:
        """Units: write units of each try that the indexes took."""
        return [sum(call.index_writes for call in calls) for calls in self.tries]

    @property
    def writes(self) -> list[float]:
        """Units: write units of each try, the indexes' included."""
        both = [[call.table_writes + call.index_writes for call in calls] for calls in self.tries]
        return [sum(units) for units in both]

    @property
    def is_cancelled(self) -> bool:
        """A transaction was cancelled, whose capacity the engine does not report."""
        return any(call.is_cancelled for calls in self.tries for call in calls)


class Meter:
    """Tries operations, each with what it asked of DynamoDB."""

    def __init__(self, driver: Driver, client: MeteredClient) -> None:
        self.driver = driver
        self.client = client
        self.measured: dict[str, Measured] = {}

    def record(self, name: str, act: Callable[[], Answered], status: int = 200) -> Answered:
        """The answer; what it took is kept under the name."""
        self.client.take()
        answer = act()
        assert answer.status == status, f"{name}: {answer.text}"
        measured = self.measured.setdefault(name, Measured(name=name))
        measured.tries.append(self.client.take())
        return answer
