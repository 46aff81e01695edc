"""Streams are charged by their last usage report, also where they die or are left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.clients.answers_of_providers import Loose, anthropic_events, openai_chunks
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import AsyncTollkeeper, Tollkeeper, current_run

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]
FULL = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
START = {"input_tokens": 40, "output_tokens": 1}


class ProviderStream:
    """A stream as SDKs return it: an iterator over a connection that must be closed."""

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces
        self.is_closed = False

    def __iter__(self) -> Iterator[Any]:
        yield from self._pieces

    def __next__(self) -> Any:
        return next(self._pieces)

    def close(self) -> None:
        """The connection is closed."""
        self.is_closed = True


class AsyncProviderStream:
    """The same for asyncio."""

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces
        self.is_closed = False

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def close(self) -> None:
        """The connection is closed."""
        self.is_closed = True


def dying(pieces: Iterator[Any], count: int) -> Iterator[Any]:
    """The first pieces, and then the connection is gone."""
    for _ in range(count):
        yield next(pieces)
    raise ConnectionError("the stream died")


def charged(client: Tollkeeper, account: str) -> Decimal:
    """What the account paid; nothing of it is held any more."""
    seen = client.account(account)
    assert seen.holds == ()
    assert seen.available is not None
    return 15 - seen.available


@pytest.fixture
def account(new_account: NewAccount) -> str:
    return new_account()


def test_a_generator_is_charged_when_it_ends(client: Tollkeeper, account: str) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> Generator[Loose, None, str]:
        yield from openai_chunks(None, None, FULL)
        return "done"

    stream = ask(account)
    pieces = [next(stream), next(stream), next(stream)]
    with pytest.raises(StopIteration) as end:
        next(stream)

    assert len(pieces) == 3
    assert end.value.value == "done"
    assert charged(client, account) == Decimal("1.5")


def test_a_stream_that_is_returned_is_charged_when_it_was_read(
    client: Tollkeeper, account: str
) -> None:
    provider = ProviderStream(iter(openai_chunks(None, FULL)))

    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> ProviderStream:
        return provider

    pieces = list(ask(account))

    assert len(pieces) == 2
    assert provider.is_closed
    assert charged(client, account) == Decimal("1.5")


def test_a_watched_stream_is_charged_and_its_text_may_be_handed_on(
    client: Tollkeeper, account: str
) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> Generator[str]:
        with client.meter(account, "sms") as inner:
            assert inner.hold is not None
        yield "a"
        yield 'data: {"usage": {"prompt_tokens": 9000000}}'

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        texts = [str(each) for each in run.watch(openai_chunks(None, FULL))]

    assert len(texts) == 2
    assert charged(client, account) == Decimal("1.5")
    assert len(list(ask(account))) == 2
    assert charged(client, account) == Decimal("1.5") + 1 + 6


def test_a_stream_that_dies_is_charged_what_was_seen(client: Tollkeeper, account: str) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> Iterator[Any]:
        yield from dying(anthropic_events(START, {"output_tokens": 90}), 2)

    with pytest.raises(ConnectionError, match="the stream died"):
        list(ask(account))

    assert charged(client, account) == Decimal("2.46")


def test_a_stream_that_dies_before_it_answered_is_free(client: Tollkeeper, account: str) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> Iterator[Any]:
        yield from dying(iter([]), 0)

    with pytest.raises(ConnectionError):
        list(ask(account))

    assert charged(client, account) == 0


def test_a_reader_that_leaves_pays_what_was_seen(client: Tollkeeper, account: str) -> None:
    provider = ProviderStream(anthropic_events(START, {"output_tokens": 90}))

    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> ProviderStream:
        return provider

    for piece in ask(account):
        assert piece
        break
    gc.collect()

    assert provider.is_closed
    assert charged(client, account) == Decimal("2.46")


def test_a_reader_that_leaves_before_any_report_pays_what_was_set_aside(
    client: Tollkeeper, account: str, gateway: RunningGateway
) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> Iterator[Loose]:
        yield from openai_chunks(None, None, FULL)

    stream = ask(account)
    next(stream)
    assert isinstance(stream, Generator)
    stream.close()

    assert charged(client, account) == 6
    key = client.entries(account, limit=1).entries[0].key
    row = gateway.client().ask("GET", f"/v1/accounts/{account}/entries/{key}").json
    assert row["metadata"] == {"ended": "aborted", "usage": "not reported"}


def test_an_app_may_choose_that_such_a_run_is_free(client: Tollkeeper, account: str) -> None:
    with client.meter(
        account, "ai_tokens", model="gpt-4", estimate=6, without_usage="nothing"
    ) as run:
        for _ in run.watch(openai_chunks(None, FULL)):
            break

    assert run.state == "released"
    assert charged(client, account) == 0


def test_two_streams_in_one_run_are_both_charged(client: Tollkeeper, account: str) -> None:
    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        list(run.watch(openai_chunks(FULL)))
        list(run.watch(openai_chunks(None, FULL, answer_id="chatcmpl-10")))

    assert charged(client, account) == 3


def test_a_generator_finds_its_own_run_at_every_step(client: Tollkeeper, account: str) -> None:
    @client.metered("ai_tokens", model="gpt-4", estimate=2)
    def ask(account: str, tokens: int) -> Iterator[int]:
        for part in range(1, tokens + 1):
            current_run().note({"input": part})
            yield part

    assert list(zip(ask(account, 20), ask(account, 40), strict=False))[-1] == (20, 20)
    gc.collect()

    assert charged(client, account) == Decimal("0.06") * (20 + 20)
    with pytest.raises(LookupError):
        current_run()


def test_what_is_sent_into_a_generator_reaches_it(client: Tollkeeper, account: str) -> None:
    heard: list[object] = []

    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def talk(account: str) -> Generator[Any, str, None]:
        heard.append((yield "hello"))
        yield openai_chunks(FULL)[0]

    stream = talk(account)
    next(stream)
    stream.send("you")
    assert list(stream) == []

    assert heard == ["you"]
    assert charged(client, account) == Decimal("1.5")


def test_asynchronous_streams_are_charged_in_the_same_ways(
    gateway: RunningGateway, new_account: NewAccount, client: Tollkeeper
) -> None:
    whole, returned, watched, left, died = (new_account() for _ in range(5))
    provider = AsyncProviderStream(iter(openai_chunks(None, FULL)))

    async def run_all() -> None:
        async with AsyncTollkeeper(gateway.url, gateway.key) as tollkeeper:

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=6)
            async def generate(account: str) -> AsyncIterator[Any]:
                for piece in anthropic_events(START, {"output_tokens": 60}):
                    if piece["type"] == "message_delta" and account == died:
                        raise ConnectionError
                    yield piece

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=6)
            async def open_stream(account: str) -> AsyncProviderStream:
                return provider

            assert len([piece async for piece in generate(whole)]) == 4
            assert len([piece async for piece in await open_stream(returned)]) == 2
            async with tollkeeper.meter(watched, "ai_tokens", model="gpt-4", estimate=6) as run:
                stream = AsyncProviderStream(iter(openai_chunks(None, FULL)))
                assert len([piece async for piece in run.watch(stream)]) == 2
            async for _ in generate(left):
                break
            with pytest.raises(ConnectionError):
                assert [piece async for piece in generate(died)]
            gc.collect()
            await asyncio.sleep(0.1)

    asyncio.run(run_all())
    assert provider.is_closed
    assert charged(client, whole) == 6
    assert charged(client, returned) == Decimal("1.5")
    assert charged(client, watched) == Decimal("1.5")
    assert charged(client, left) == Decimal("2.46")
    assert charged(client, died) == Decimal("2.46")


def test_a_browser_that_goes_away_is_charged_what_was_seen(
    gateway: RunningGateway, account: str, client: Tollkeeper
) -> None:
    async def run_all() -> None:
        async with AsyncTollkeeper(gateway.url, gateway.key) as tollkeeper:
            seen = asyncio.Event()

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=6)
            async def generate(account: str) -> AsyncIterator[Any]:
                for piece in anthropic_events(START, {"output_tokens": 60}):
                    yield piece
                    await asyncio.sleep(60)

            async def respond() -> None:
                async for _ in generate(account):
                    seen.set()

            task = asyncio.create_task(respond())
            await seen.wait()
            task.cancel()
            # A server that gives up on its client cancels again while things are cleaned up.
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run_all())
    assert charged(client, account) == Decimal("2.46")
