"""CPU per request of the real handlers, with everything but the network in it.

The HTTP transport below botocore is replaced by one that answers from memory, so what the SDK
takes to build, sign and read a call is included.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from benchmarks.report import Aim, Section, Table, ratio, spread
from benchmarks.stack import TABLE, environment, handlers
from benchmarks.workload import ACCOUNT, RUN, open_small_account
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tollkeeper.store.client import DynamoClient, connect

MOST_BARE_TRANSACTIONS = 2.5
PER_ROUND = 50
Act = Callable[[], object]


@dataclass(frozen=True)
class _Body:
    """A response's body as urllib3 would stream it."""

    content: bytes

    def stream(self, **_: object) -> Iterator[bytes]:
        """All of it at once."""
        yield self.content


class CannedSession:
    """Stands in for botocore's HTTP session: a table in memory that can be frozen.

    Why: frozen, it accepts every write, keeps none and answers every read with one item, so each
    request finds the same account and takes the session next to nothing.
    """

    def __init__(self) -> None:
        self._items: dict[str, Any] = {}
        self._read: bytes | None = None
        self.written: dict[str, Any] = {}

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """The answer that DynamoDB would give, with the headers that it sends."""
        is_read = "GetItem" in str(request.headers["X-Amz-Target"])
        if self._read is not None:
            body = self._read if is_read else b"{}"
        else:
            asked = cast("bytes", request.body)
            body = self._answer(json.loads(asked), is_read=is_read)
        headers: Any = {
            "server": "Server",
            "date": "Fri, 20 Nov 2026 12:00:00 GMT",
            "content-type": "application/x-amz-json-1.0",
            "content-length": str(len(body)),
            "connection": "keep-alive",
            "x-amzn-requestid": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF",
            "x-amz-crc32": str(zlib.crc32(body)),
        }
        return AWSResponse(request.url, 200, headers, _Body(body))

    def close(self) -> None:
        """Nothing is open."""

    def freeze(self, account: str) -> None:
        """From now on every read finds this account, and writes are dropped."""
        key = {"pk": {"S": f"A#{account}"}, "sk": {"S": "A"}}
        self._read = self._answer({"Key": key}, is_read=True)

    def _answer(self, asked: dict[str, Any], *, is_read: bool) -> bytes:
        if is_read:
            item = self._items.get(_place(asked["Key"]))
            return json.dumps({} if item is None else {"Item": item}).encode()
        self.written = asked
        for slot in asked["TransactItems"]:
            item = slot["Put"]["Item"]
            self._items[_place(item)] = item
        return b"{}"


def _place(item: dict[str, Any]) -> str:
    return f"{item['pk']['S']} {item['sk']['S']}"


def stub(client: Any, session: CannedSession) -> DynamoClient:
    """The client, its transport replaced: the SDK has no seam of its own there."""
    client._endpoint.http_session = session
    return client


def run(*, quick: bool) -> Section:
    """Microseconds of CPU per check and deduct, beside one bare transaction."""
    session = CannedSession()
    with (
        environment(),
        handlers(lambda: stub(connect(), session), clock=FakeClock()) as driver,
    ):
        open_small_account(driver, ACCOUNT)
        written = session.written["TransactItems"]
        session.freeze(ACCOUNT)
        acts = _acts(driver, session, written)
        samples = measure(acts, rounds=20 if quick else 80)
    return _report(samples)


def _acts(driver: Driver, session: CannedSession, written: list[dict[str, Any]]) -> dict[str, Act]:
    """What is measured, by name; the first is the reference."""
    bare: Any = stub(boto3.client("dynamodb"), session)  # pyright: ignore[reportUnknownMemberType]
    ours: Any = stub(connect(), session)
    puts = [{"Put": {"TableName": TABLE, "Item": slot["Put"]["Item"]}} for slot in written]
    key = {name: written[0]["Put"]["Item"][name] for name in ("pk", "sk")}
    body = {"account": ACCOUNT, **RUN}
    deduct_event = driver.event("POST /v1/deduct", body, key="msg_812")
    check_event = driver.event("POST /v1/check", body)
    deduct, check = load("deduct").handler, load("check").handler
    context = FakeContext()

    def both_calls() -> None:
        ours.get_item(TableName=TABLE, Key=key, ConsistentRead=False)
        ours.transact_write_items(TransactItems=written)

    def answer(handler: Callable[..., dict[str, Any]], event: dict[str, Any]) -> None:
        assert handler(event, context)["statusCode"] == 200

    return {
        "bare transaction, SDK's defaults": lambda: bare.transact_write_items(TransactItems=puts),
        "deduct": lambda: answer(deduct, deduct_event),
        "check": lambda: answer(check, check_event),
        "a deduct's two SDK calls alone": both_calls,
    }


def measure(acts: dict[str, Act], *, rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU of each act, a figure per round; every round measures all of them."""
    for act in acts.values():
        for _ in range(PER_ROUND):
            act()
    samples: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            began = time.process_time_ns()
            for _ in range(PER_ROUND):
                act()
            samples[name].append((time.process_time_ns() - began) / PER_ROUND / 1000)
    return samples


def _report(samples: dict[str, list[float]]) -> Section:
    reference, *_ = samples.values()
    table = Table(
        title="CPU per request",
        columns=("what", "CPU us min", "median", "max", "ratio"),
        notes=[
            f"{len(reference)} rounds of {PER_ROUND} requests each, all rows in every round; the "
            "HTTP transport answers from memory, log lines go to /dev/null.",
            "Ratio: the median over the rounds, to one boto3 TransactWriteItems of the same two "
            "items with the SDK's defaults. A deduct makes two calls.",
        ],
    )
    for name, values in samples.items():
        table.add(name, *spread(values), f"{ratio(values, reference):.2f}")
    found = ratio(samples["deduct"], reference)
    aim = Aim(
        what="deduct: CPU in bare transactions",
        wanted=f"<= {MOST_BARE_TRANSACTIONS:g}",
        found=f"{found:.2f}",
        is_met=found <= MOST_BARE_TRANSACTIONS,
        is_exact=False,
    )
    return Section(tables=[table], aims=[aim])
