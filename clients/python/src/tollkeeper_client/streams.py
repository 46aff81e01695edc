"""Streams handed on piece by piece, while their usage is read."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from typing import Any, TypeVar

from tollkeeper_client.runs import Run

T = TypeVar("T")
See = Callable[[object], None]


def pump(stream: Iterable[T], run: Run, see: See) -> Generator[T, Any, Any]:
    """The pieces of the stream, each seen before it is handed on.

    Afterwards the stream is closed, also where the consumer went away. What is sent into this
    generator reaches one that is below it.
    """
    iterator = iter(stream)
    sent: object = None
    try:
        while True:
            with run.as_current():
                try:
                    item = _step(iterator, sent)
                except StopIteration as end:
                    return end.value
            see(item)
            run.has_answered = True
            sent = yield item
    finally:
        with run.as_current():
            _close(iterator)
            _close(stream)


def _step(iterator: Any, sent: object) -> Any:
    return next(iterator) if sent is None else iterator.send(sent)


def _close(stream: object) -> None:
    close = getattr(stream, "close", None)
    if callable(close):
        close()


async def pump_async(stream: AsyncIterable[T], run: Run, see: See) -> AsyncGenerator[T, Any]:
    """The pieces of an asynchronous stream, each seen before it is handed on."""
    iterator = aiter(stream)
    sent: object = None
    try:
        while True:
            with run.as_current():
                try:
                    item = await _step_async(iterator, sent)
                except StopAsyncIteration:
                    return
            see(item)
            run.has_answered = True
            sent = yield item
    finally:
        with run.as_current():
            await _close_async(iterator)
            await _close_async(stream)


async def _step_async(iterator: Any, sent: object) -> Any:
    return await (anext(iterator) if sent is None else iterator.asend(sent))


async def _close_async(stream: object) -> None:
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if callable(close):
        closed = close()
        if inspect.isawaitable(closed):
            await closed


def is_stream(result: object) -> bool:
    """Whether a function returned something that is consumed piece by piece, once."""
    return hasattr(type(result), "__next__") and not hasattr(result, "read")


def is_async_stream(result: object) -> bool:
    """Whether a function returned something that is consumed piece by piece by an event loop."""
    return hasattr(type(result), "__anext__") and not hasattr(result, "read")
