"""A DynamoDB client that fails where a test says, before or after the effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tollkeeper.store.client import DynamoClient

CONFLICT = "conflict"
THROTTLED = "throttled"
SERVER_ERROR = "server_error"
LOST_BEFORE = "lost_before"
LOST_AFTER = "lost_after"
READ_FAULTS = (THROTTLED, SERVER_ERROR, LOST_BEFORE)
WRITE_FAULTS = (*READ_FAULTS, CONFLICT, LOST_AFTER)


class Crash(BaseException):
    """The function dies here: nothing of ours may catch it."""


class FaultyClient:
    """Passes calls on to the real client, and fails the ones that are planned.

    `calls` counts from 0; `plan` says what happens at a call; `before` is run ahead of one.
    """

    def __init__(self, client: DynamoClient) -> None:
        self._client = client
        self.calls: list[str] = []
        self.plan: dict[int, str] = {}
        self.before: dict[int, Callable[[], object]] = {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item, or a fault."""
        return self._pass("GetItem", self._client.get_item, request)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page, or a fault."""
        return self._pass("Query", self._client.query, request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or a fault."""
        return self._pass("TransactWriteItems", self._client.transact_write_items, request)

    def forget(self) -> None:
        """Counting starts again and nothing is planned."""
        self.calls.clear()
        self.plan.clear()
        self.before.clear()

    def _pass(
        self, name: str, call: Callable[..., dict[str, Any]], request: dict[str, Any]
    ) -> dict[str, Any]:
        index = len(self.calls)
        self.calls.append(name)
        if index in self.before:
            self.before.pop(index)()
        fault = self.plan.get(index)
        if fault == CONFLICT and name != "TransactWriteItems":
            fault = None
        if fault in (None, LOST_AFTER, "crash_after"):
            answer = call(**request)
            if fault == LOST_AFTER:
                raise ReadTimeoutError(endpoint_url="test")
            if fault == "crash_after":
                raise Crash
            return answer
        raise make_fault(str(fault), name, len(request.get("TransactItems", [])))


def make_fault(fault: str, name: str, slots: int) -> BaseException:
    """The exception that the SDK raises for the fault."""
    if fault == "crash_before":
        return Crash()
    if fault == LOST_BEFORE:
        return ReadTimeoutError(endpoint_url="test")
    if fault == CONFLICT:
        reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (slots - 1)]
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
            "CancellationReasons": reasons,
        }
        return ClientError(response, name)
    code = "ThrottlingException" if fault == THROTTLED else "InternalServerError"
    return ClientError({"Error": {"Code": code, "Message": fault}}, name)
