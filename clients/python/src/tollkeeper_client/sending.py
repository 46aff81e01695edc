"""One logical call: the same request again until it is answered, inside one deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeVar

import httpx

from tollkeeper_client.errors import (
    ApiError,
    NoAnswerError,
    TollkeeperClientError,
    UnavailableError,
)
from tollkeeper_client.problems import RETRIED, read_problem
from tollkeeper_client.surroundings import Surroundings

T = TypeVar("T")
DEADLINE_S = 15.0
ATTEMPT_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 3.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 3.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, the same at every try. Shape: `path` with its query, `body` as JSON text."""

    method: str
    path: str
    body: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Shape: header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Port(Protocol):
    """How a client reaches the world: blocking, or with an event loop."""

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """The reply to one try. Raises: httpx.RequestError where none came."""
        ...

    async def sleep(self, seconds: float) -> None:
        """That time has passed."""
        ...

    async def aside(self, work: Callable[[], T]) -> T:
        """What the work answers; it may block for a moment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call is tried. Units: seconds."""

    deadline_s: float = DEADLINE_S
    attempt_timeout_s: float = ATTEMPT_TIMEOUT_S

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or self.attempt_timeout_s <= 0:
            raise ValueError("deadline_s and attempt_timeout_s must be greater than 0")


async def send_until_answered(
    port: Port, request: Request, *, patience: Patience, around: Surroundings
) -> Reply:
    """The answer, of which nothing is known to be lost.

    Why: only what may pass by itself is tried again (429, 502, 503, 504, no answer); every
    other refusal stands. Another try begins only if its wait ends before the deadline.
    Raises: ApiError; NoAnswerError where the last try got none.
    """
    ends_at = around.monotonic() + patience.deadline_s
    is_outcome_unknown = False
    for attempt in count():
        left_s = ends_at - around.monotonic()
        tried = await _try_once(
            port, request, min(left_s, patience.attempt_timeout_s), around=around
        )
        if isinstance(tried, Reply):
            return tried
        fault, retry_after_s = tried
        is_outcome_unknown |= not isinstance(fault.__cause__, _NEVER_SENT)
        wait_s = _wait_s(attempt, retry_after_s, around.chance())
        if around.monotonic() + wait_s >= ends_at:
            if isinstance(fault, UnavailableError):
                fault.is_outcome_unknown = is_outcome_unknown
            raise fault
        await port.sleep(wait_s)
    raise AssertionError("the count of attempts has no end")


async def _try_once(
    port: Port, request: Request, timeout_s: float, *, around: Surroundings
) -> Reply | tuple[TollkeeperClientError, float | None]:
    """The answer, or what went wrong in a way that may pass, with the wait that was asked for."""
    try:
        reply = await port.send(request, timeout_s)
    except httpx.RequestError as error:
        fault = NoAnswerError(f"{request.method} {request.path}: {type(error).__name__} {error}")
        fault.__cause__ = error
        return fault, None
    if 200 <= reply.status < 300:
        return reply
    problem: ApiError = read_problem(reply.status, reply.headers, reply.body, now=around.now())
    if reply.status not in RETRIED:
        raise problem
    return problem, problem.retry_after_s


def _wait_s(attempt: int, retry_after_s: float | None, chance: float) -> float:
    """Full jitter below a doubling bound; what `Retry-After` says is waited at least.

    Why: clients that failed together must not come back together.
    """
    bound_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt, 16))
    return (retry_after_s or 0.0) + bound_s * chance


def headers_of(request: Request, key: str) -> dict[str, str]:
    """The headers of one try."""
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    return headers


def reply_of(response: httpx.Response) -> Reply:
    """The response as a reply."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


def timeout_of(timeout_s: float) -> httpx.Timeout:
    """The time that one try has."""
    return httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))


class BlockingPort:
    """The port of the synchronous client: nothing in it ever suspends."""

    def __init__(self, http: httpx.Client, key: str, sleep: Callable[[float], None]) -> None:
        self._http = http
        self._key = key
        self._sleep = sleep

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """The reply to one try. Raises: httpx.RequestError."""
        response = self._http.request(
            request.method,
            request.path,
            content=request.body,
            headers=headers_of(request, self._key),
            timeout=timeout_of(timeout_s),
        )
        return reply_of(response)

    async def sleep(self, seconds: float) -> None:
        """That time has passed."""
        self._sleep(seconds)

    async def aside(self, work: Callable[[], T]) -> T:
        """What the work answers."""
        return work()


class LoopPort:
    """The port of the asynchronous client."""

    def __init__(
        self, http: httpx.AsyncClient, key: str, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._http = http
        self._key = key
        self._sleep = sleep

    async def send(self, request: Request, timeout_s: float) -> Reply:
        """The reply to one try. Raises: httpx.RequestError."""
        response = await self._http.request(
            request.method,
            request.path,
            content=request.body,
            headers=headers_of(request, self._key),
            timeout=timeout_of(timeout_s),
        )
        return reply_of(response)

    async def sleep(self, seconds: float) -> None:
        """That time has passed, for this task alone."""
        await self._sleep(seconds)

    async def aside(self, work: Callable[[], T]) -> T:
        """What the work answers, done in a thread so that the loop goes on."""
        import asyncio  # The blocking client needs no event loop.

        return await asyncio.to_thread(work)


def drive(work: Coroutine[object, object, T]) -> T:
    """The result of a coroutine over a `BlockingPort`, which never suspends.

    Why: both clients run the same code, so no rule can hold in one of them only.
    """
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    finally:
        work.close()
    raise AssertionError("a blocking call has suspended")
