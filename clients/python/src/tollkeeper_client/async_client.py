"""The asynchronous client, for asyncio."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack

import httpx

from tollkeeper_client import calls, local_answers
from tollkeeper_client.answers import (
    Account,
    Charge,
    Check,
    EntryPage,
    Estimate,
    Extension,
    Hold,
    Release,
    Settlement,
    Void,
)
from tollkeeper_client.calls import (
    CheckMembers,
    DeductMembers,
    HoldMembers,
    RunMembers,
    SettleMembers,
)
from tollkeeper_client.core import Core, Recovered
from tollkeeper_client.errors import SettleRefusedError
from tollkeeper_client.making import make_core, server_of, watcher
from tollkeeper_client.metering import MeteredMembers, Payer, identity
from tollkeeper_client.runs import FailOpen, Look, MeterMembers, Run
from tollkeeper_client.sending import ATTEMPT_TIMEOUT_S, DEADLINE_S, LoopPort, Patience
from tollkeeper_client.streams import is_async_stream, pump_async
from tollkeeper_client.surroundings import Surroundings

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


_UNDER_WAY: set[asyncio.Task[None]] = set()


def _keep_going(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """The work goes on in a task of its own, whatever becomes of the one that began it.

    Why: whoever streams to a browser is cancelled when it goes away, and that is when what was
    used must be charged. The loop itself would drop a task that nobody holds.
    """
    task = asyncio.ensure_future(work)
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    return task


@dataclass(eq=False, kw_only=True)
class AsyncMeteredRun(Run):
    """A run of the asynchronous client. Use it with `async with`: at the end it is charged."""

    core: Core = field(repr=False)

    async def __aenter__(self) -> Self:
        opening = asyncio.ensure_future(self.core.open(self))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError as error:
            _keep_going(self._give_up(opening, error))
            raise
        return self

    async def _give_up(self, opening: asyncio.Future[None], error: BaseException) -> None:
        """What is set aside for a run that nobody waits for any more is given back."""
        await asyncio.wait([opening])
        if not opening.cancelled() and opening.exception() is None:
            await self.core.finish(self, error)

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await asyncio.shield(_keep_going(self.core.finish(self, error)))

    def watch(self, stream: AsyncIterable[T]) -> AsyncGenerator[T, Any]:
        """The pieces of a provider's stream; its last usage report is what the run used."""
        return pump_async(stream, self, watcher(self))

    async def extend(self, expires_in_s: int) -> Extension | None:
        """The run's credits stay set aside that long from now; None where it has no hold.

        Raises: TollkeeperClientError.
        """
        if self.hold is None:
            return None
        key = self.core.new_key()
        call = calls.extend(self.id, self.plan.account, expires_in_s=expires_in_s, key=key)
        return await self.core.ask(call)


class AsyncTollkeeper:
    """A client of one Tollkeeper, for the tasks of one event loop.

    Why one: it keeps its connections. `journal` is a file on a local disk, shared by all
    processes of this machine; without one, a charge that cannot be delivered is kept in memory
    alone and is lost with the process.
    Raises: every method raises TollkeeperClientError.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        journal: str | os.PathLike[str] | None = None,
        fail_open: FailOpen | None = None,
        local_operations: Iterable[str] = (),
        deadline_s: float = DEADLINE_S,
        attempt_timeout_s: float = ATTEMPT_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings or Surroundings()
        self._http = httpx.AsyncClient(base_url=server_of(base_url), transport=transport)
        self._core = make_core(
            LoopPort(self._http, key, around.sleep_async),
            server=server_of(base_url),
            journal=journal,
            fail_open=fail_open,
            local_operations=frozenset(local_operations),
            patience=Patience(deadline_s=deadline_s, attempt_timeout_s=attempt_timeout_s),
            around=around,
        )

    def __repr__(self) -> str:
        return f"AsyncTollkeeper({self._core.server!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """What is under way is done; connections and journal are closed."""
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        mine = [task for task in _UNDER_WAY if task.get_loop() is loop and task is not me]
        if mine:
            await asyncio.wait(mine)
        await self._http.aclose()
        self._core.close()

    # ---- The API, call by call

    async def check(self, account: str, operation: str, **given: Unpack[CheckMembers]) -> Check:
        """The account can pay for this run now. Raises: InsufficientCreditsError."""
        if operation in self._core.local_operations:
            return local_answers.check()
        return await self._ask(calls.check(account, operation, **given))

    async def estimate(self, account: str, operation: str, **given: Unpack[RunMembers]) -> Estimate:
        """What this run may cost."""
        if operation in self._core.local_operations:
            return local_answers.estimate()
        return await self._ask(calls.estimate(account, operation, **given))

    async def deduct(
        self,
        account: str,
        operation: str,
        *,
        key: str | None = None,
        **given: Unpack[DeductMembers],
    ) -> Charge:
        """The run is charged, once for its key. Without one, once for this call."""
        if operation in self._core.local_operations:
            return local_answers.charge()
        key = key or self._core.new_key()
        return await self._ask(calls.deduct(account, operation, key=key, **given))

    async def hold(
        self,
        account: str,
        operation: str,
        *,
        hold_id: str | None = None,
        **given: Unpack[HoldMembers],
    ) -> Hold:
        """Credits are set aside for the run, once for the hold's id."""
        hold_id = hold_id or self._core.new_key()
        return await self._ask(calls.hold(account, operation, hold_id=hold_id, **given))

    async def settle(
        self,
        hold_id: str,
        account: str,
        *,
        final: bool = True,
        key: str | None = None,
        **given: Unpack[SettleMembers],
    ) -> Settlement:
        """The hold is charged at what the run used; with `final=False`, a part of it is.

        Where it does not get through, the journal keeps it for `recover()`.
        """
        part_key = None if final else key or self._core.new_key()
        call = calls.settle(hold_id, account, part_key=part_key, **given)
        return await self._core.settle(call)

    async def release(self, hold_id: str, account: str, *, reason: str = "not needed") -> Release:
        """The hold is given back whole."""
        return await self._ask(calls.release(hold_id, account, reason=reason))

    async def extend(
        self, hold_id: str, account: str, *, expires_in_s: int, key: str | None = None
    ) -> Extension:
        """The hold lasts that long from now."""
        key = key or self._core.new_key()
        return await self._ask(calls.extend(hold_id, account, expires_in_s=expires_in_s, key=key))

    async def void(
        self, account: str, charge: str, *, reason: str | None = None, key: str | None = None
    ) -> Void:
        """The charge with this key is undone, whole."""
        key = key or self._core.new_key()
        return await self._ask(calls.void(account, charge, key=key, reason=reason))

    async def account(self, account: str) -> Account:
        """The account as it is now."""
        return await self._ask(calls.account(account))

    async def entries(
        self, account: str, *, limit: int = 50, cursor: str | None = None
    ) -> EntryPage:
        """A page of the account's history, newest first."""
        return await self._ask(calls.entries(account, limit=limit, cursor=cursor))

    # ---- One call per tool

    def meter(self, account: str, operation: str, **given: Unpack[MeterMembers]) -> AsyncMeteredRun:
        """A run: credits are set aside, and at the end charged as used or given back."""
        return AsyncMeteredRun(core=self._core, plan=self._core.plan(account, operation, given))

    def metered(
        self,
        operation: str,
        *,
        account: str | Callable[..., str] | None = None,
        usage_of: Look | None = identity,
        **given: Unpack[MeteredMembers],
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Every call of the decorated function, or run of the generator, is metered.

        Its parameter `account` says who pays, or `account` here does. The usage is read from
        what it returns or yields; `usage_of` picks it out, None reads nothing there.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
                raise TypeError(f"{function.__qualname__} is not async: use a Tollkeeper")
            payer = Payer(function, account, given)

            def begin(*args: Any, **kwargs: Any) -> AsyncMeteredRun:
                members = payer.members(args, kwargs)
                return self.meter(payer.account(args, kwargs), operation, **members)

            return _metered(function, begin, usage_of)

        return decorate

    async def recover(self, *, retry_refused: bool = False) -> Recovered:
        """What the journal still had to deliver is delivered, as far as Tollkeeper answers."""
        return await self._core.recover(retry_refused=retry_refused)

    async def _ask(self, call: calls.Call[T]) -> T:
        return await self._core.ask(call)


def _metered(
    function: Callable[P, Any], begin: Callable[P, AsyncMeteredRun], look: Look | None
) -> Callable[P, Any]:
    """The function, each call of it a run."""
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def generate(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
            async with begin(*args, **kwargs) as run:
                stream: Any = function(*args, **kwargs)
                async with aclosing(pump_async(stream, run, _implied(run, look))) as pieces:
                    async for piece in pieces:
                        yield piece

        return generate

    @functools.wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        run = await begin(*args, **kwargs).__aenter__()
        try:
            with run.as_current():
                waited: Any = function(*args, **kwargs)
                result: Any = await waited
        except BaseException as error:
            await run.__aexit__(type(error), error, None)
            raise
        if is_async_stream(result):
            return _streamed(result, run, look)
        run.see(result, look)
        try:
            await run.__aexit__(None, None, None)
        except SettleRefusedError as refusal:
            refusal.result = result
            raise
        return result

    return call


def _implied(run: Run, look: Look | None) -> Callable[[object], None]:
    return lambda item: run.see(item, look)


async def _streamed(
    stream: AsyncIterable[T], run: AsyncMeteredRun, look: Look | None
) -> AsyncGenerator[T, Any]:
    """The stream that the function returned; the run ends with it."""
    try:
        async with aclosing(pump_async(stream, run, _implied(run, look))) as pieces:
            async for piece in pieces:
                yield piece
    except BaseException as error:
        await run.__aexit__(type(error), error, None)
        raise
    await run.__aexit__(None, None, None)
