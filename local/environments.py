"""Execution environments: each runs one invocation at a time in an instance of its own.

Why: AWS Lambda never runs two invocations in one environment, and the functions rely on it (a
Powertools resolver keeps the current event on itself). Here an environment is a thread with a
module instance of its own; idle ones are used again, new ones are made up to a limit.
"""

from __future__ import annotations

import importlib.util
import json
import queue
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, cast

from local.events import ACCOUNT_ID, REGION
from local.template import Function

COLD_START_S = 30.0
RESPONSE_MAX_BYTES = 6 * 1024 * 1024

Handler = Callable[[object, "LambdaContext"], object]


class FunctionError(Exception):
    """The function gave no answer: it raised, ran out of time or could not be loaded."""

    def __init__(self, *, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class BusyError(Exception):
    """Every environment of the function stayed busy: AWS would throttle the invocation."""


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """The second argument of a handler, with the members that AWS gives it."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    log_stream_name: str
    deadline: float
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN in the made-up local account."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The log group that the function would write to."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation runs out of time, never below zero."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(kw_only=True)
class _Environment:
    """A thread, a module instance, and the two queues through which invocations go."""

    name: str
    load: Callable[[], Handler]
    log: TextIO
    is_warm: bool = False
    work: queue.SimpleQueue[tuple[str, LambdaContext] | None] = field(
        default_factory=queue.SimpleQueue[tuple[str, LambdaContext] | None]
    )
    answers: queue.SimpleQueue[str | FunctionError] = field(
        default_factory=queue.SimpleQueue[str | FunctionError]
    )

    def start(self) -> None:
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def _run(self) -> None:
        handler: Handler | None = None
        while (job := self.work.get()) is not None:
            payload, context = job
            try:
                if handler is None:
                    handler = self.load()
                self.answers.put(json.dumps(handler(json.loads(payload), context)))
            except BaseException as error:  # noqa: BLE001 - the edge of somebody else's code
                self.log.write(traceback.format_exc())
                self.log.flush()
                kind = type(error).__name__
                self.answers.put(FunctionError(error_type=kind, message=str(error)))


class FunctionPool:
    """The environments of one function."""

    def __init__(self, function: Function, *, code: Path, limit: int, log: TextIO) -> None:
        self.function = function
        self._code = code
        self._limit = limit
        self._log = log
        self._idle: list[_Environment] = []
        self._count = 0
        self._made = 0
        self._freed = threading.Condition()

    def invoke(self, event: Mapping[str, object]) -> object:
        """The handler's answer to an event; both go through JSON, as they do on AWS.

        Raises: FunctionError where the handler raises, answers above 6 MB or runs out of time;
        BusyError where no environment comes free within the function's timeout.
        """
        environment = self._take()
        timeout_s = float(self.function.timeout_s) + (0 if environment.is_warm else COLD_START_S)
        context = LambdaContext(
            function_name=self.function.logical_id,
            memory_limit_in_mb=self.function.memory_mb,
            aws_request_id=str(uuid.uuid4()),
            log_stream_name=environment.name,
            deadline=time.monotonic() + timeout_s,
        )
        environment.work.put((json.dumps(event), context))
        try:
            answer = environment.answers.get(timeout=timeout_s)
        except queue.Empty:
            self._drop(environment)
            message = f"{self.function.name} ran longer than {self.function.timeout_s} s"
            raise FunctionError(error_type="Timeout", message=message) from None
        if isinstance(answer, FunctionError):
            # An environment whose handler could not be loaded tries again with the next event.
            self._give_back(environment)
            raise answer
        environment.is_warm = True
        self._give_back(environment)
        if len(answer) > RESPONSE_MAX_BYTES:
            message = f"{self.function.name} answered {len(answer)} bytes"
            raise FunctionError(error_type="ResponseTooLarge", message=message)
        return cast("object", json.loads(answer))

    def warm(self) -> None:
        """One environment stands ready, its handler loaded.

        Raises: whatever loading it raises, so that a start fails and not the first request.
        """
        environment = self._make()
        handler = environment.load()
        environment.load = lambda: handler
        environment.is_warm = True
        environment.start()
        self._idle.append(environment)

    def _take(self) -> _Environment:
        with self._freed:
            deadline = time.monotonic() + self.function.timeout_s
            while not self._idle and self._count >= self._limit:
                if not self._freed.wait(deadline - time.monotonic()):
                    raise BusyError(self.function.name)
            if self._idle:
                return self._idle.pop()
            environment = self._make()
        environment.start()
        return environment

    def _make(self) -> _Environment:
        self._count += 1
        self._made += 1
        name = f"{self.function.name}-{self._made}"
        return _Environment(
            name=name,
            load=lambda: load_handler(self.function, code=self._code, name=name),
            log=self._log,
        )

    def _give_back(self, environment: _Environment) -> None:
        with self._freed:
            self._idle.append(environment)
            self._freed.notify()

    def _drop(self, environment: _Environment) -> None:
        """An environment that ran out of time is never used again; its thread may still end."""
        environment.work.put(None)
        with self._freed:
            self._count -= 1
            self._freed.notify()


def load_handler(function: Function, *, code: Path, name: str) -> Handler:
    """The function's handler, in a module instance of this name that nothing else uses.

    Raises: whatever importing the module raises; FunctionError where it has no such handler.
    """
    module_name, _, handler_name = function.handler.rpartition(".")
    path = code / f"{module_name}.py"
    unique = f"local_environment_{name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FunctionError(error_type="ImportError", message=f"there is no {path}")
    module = importlib.util.module_from_spec(spec)
    # Annotations of a module are looked up in sys.modules, so the instance has to stand there.
    sys.modules[unique] = module
    spec.loader.exec_module(module)
    handler = getattr(module, handler_name, None)
    if not callable(handler):
        raise FunctionError(error_type="ImportError", message=f"{path} has no {handler_name}")
    return cast("Handler", handler)
