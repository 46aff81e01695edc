"""The blocking client."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Generator, Iterable, Iterator
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
from tollkeeper_client.sending import ATTEMPT_TIMEOUT_S, DEADLINE_S, BlockingPort, Patience, drive
from tollkeeper_client.streams import is_stream, pump
from tollkeeper_client.surroundings import Surroundings

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(eq=False, kw_only=True)
class MeteredRun(Run):
    """A run of the blocking client. Use it with `with`: what it used is charged at the end."""

    core: Core = field(repr=False)

    def __enter__(self) -> Self:
        drive(self.core.open(self))
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        drive(self.core.finish(self, error))

    def watch(self, stream: Iterable[T]) -> Generator[T, Any, Any]:
        """The pieces of a provider's stream; its last usage report is what the run used."""
        return pump(stream, self, watcher(self))

    def extend(self, expires_in_s: int) -> Extension | None:
        """The run's credits stay set aside that long from now; None where it has no hold.

        Raises: TollkeeperClientError.
        """
        if self.hold is None:
            return None
        key = self.core.new_key()
        call = calls.extend(self.id, self.plan.account, expires_in_s=expires_in_s, key=key)
        return drive(self.core.ask(call))


class Tollkeeper:
    """A client of one Tollkeeper, for any number of threads.

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
        transport: httpx.BaseTransport | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        around = surroundings or Surroundings()
        self._http = httpx.Client(base_url=server_of(base_url), transport=transport)
        self._core = make_core(
            BlockingPort(self._http, key, around.sleep),
            server=server_of(base_url),
            journal=journal,
            fail_open=fail_open,
            local_operations=frozenset(local_operations),
            patience=Patience(deadline_s=deadline_s, attempt_timeout_s=attempt_timeout_s),
            around=around,
        )

    def __repr__(self) -> str:
        return f"Tollkeeper({self._core.server!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Connections and journal are closed."""
        self._http.close()
        self._core.close()

    # ---- The API, call by call

    def check(self, account: str, operation: str, **given: Unpack[CheckMembers]) -> Check:
        """The account can pay for this run now. Raises: InsufficientCreditsError."""
        if operation in self._core.local_operations:
            return local_answers.check()
        return self._ask(calls.check(account, operation, **given))

    def estimate(self, account: str, operation: str, **given: Unpack[RunMembers]) -> Estimate:
        """What this run may cost."""
        if operation in self._core.local_operations:
            return local_answers.estimate()
        return self._ask(calls.estimate(account, operation, **given))

    def deduct(
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
        return self._ask(calls.deduct(account, operation, key=key, **given))

    def hold(
        self,
        account: str,
        operation: str,
        *,
        hold_id: str | None = None,
        **given: Unpack[HoldMembers],
    ) -> Hold:
        """Credits are set aside for the run, once for the hold's id."""
        hold_id = hold_id or self._core.new_key()
        return self._ask(calls.hold(account, operation, hold_id=hold_id, **given))

    def settle(
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
        return drive(self._core.settle(call))

    def release(self, hold_id: str, account: str, *, reason: str = "not needed") -> Release:
        """The hold is given back whole."""
        return self._ask(calls.release(hold_id, account, reason=reason))

    def extend(
        self, hold_id: str, account: str, *, expires_in_s: int, key: str | None = None
    ) -> Extension:
        """The hold lasts that long from now."""
        key = key or self._core.new_key()
        return self._ask(calls.extend(hold_id, account, expires_in_s=expires_in_s, key=key))

    def void(
        self, account: str, charge: str, *, reason: str | None = None, key: str | None = None
    ) -> Void:
        """The charge with this key is undone, whole."""
        key = key or self._core.new_key()
        return self._ask(calls.void(account, charge, key=key, reason=reason))

    def account(self, account: str) -> Account:
        """The account as it is now."""
        return self._ask(calls.account(account))

    def entries(self, account: str, *, limit: int = 50, cursor: str | None = None) -> EntryPage:
        """A page of the account's history, newest first."""
        return self._ask(calls.entries(account, limit=limit, cursor=cursor))

    # ---- One call per tool

    def meter(self, account: str, operation: str, **given: Unpack[MeterMembers]) -> MeteredRun:
        """A run: credits are set aside, and at the end charged as used or given back."""
        return MeteredRun(core=self._core, plan=self._core.plan(account, operation, given))

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
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                raise TypeError(f"{function.__qualname__} is async: use an AsyncTollkeeper")
            payer = Payer(function, account, given)

            def begin(*args: Any, **kwargs: Any) -> MeteredRun:
                members = payer.members(args, kwargs)
                return self.meter(payer.account(args, kwargs), operation, **members)

            return _metered(function, begin, usage_of)

        return decorate

    def recover(self, *, retry_refused: bool = False) -> Recovered:
        """What the journal still had to deliver is delivered, as far as Tollkeeper answers."""
        return drive(self._core.recover(retry_refused=retry_refused))

    def _ask(self, call: calls.Call[T]) -> T:
        return drive(self._core.ask(call))


def _metered(
    function: Callable[P, Any], begin: Callable[P, MeteredRun], look: Look | None
) -> Callable[P, Any]:
    """The function, each call of it a run."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
            with begin(*args, **kwargs) as run:
                stream: Any = function(*args, **kwargs)
                return (yield from pump(stream, run, lambda item: run.see(item, look)))

        return generate

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        run = begin(*args, **kwargs).__enter__()
        try:
            with run.as_current():
                result: Any = function(*args, **kwargs)
        except BaseException as error:
            run.__exit__(type(error), error, None)
            raise
        if is_stream(result):
            return _streamed(result, run, look)
        run.see(result, look)
        try:
            run.__exit__(None, None, None)
        except SettleRefusedError as refusal:
            refusal.result = result
            raise
        return result

    return call


def _streamed(stream: Iterator[T], run: MeteredRun, look: Look | None) -> Generator[T, Any, Any]:
    """The stream that the function returned; the run ends with it."""
    try:
        result = yield from pump(stream, run, lambda item: run.see(item, look))
    except BaseException as error:
        run.__exit__(type(error), error, None)
        raise
    run.__exit__(None, None, None)
    return result
