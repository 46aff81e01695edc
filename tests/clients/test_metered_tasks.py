"""Metered functions of asyncio, also where their tasks are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.clients.answers_of_providers import Loose, openai_chat
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import AsyncTollkeeper, Tollkeeper

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]


def test_asynchronous_functions_are_metered_too(
    gateway: RunningGateway, new_account: NewAccount, client: Tollkeeper
) -> None:
    account = new_account()

    async def run_all() -> None:
        async with AsyncTollkeeper(gateway.url, gateway.key) as tollkeeper:

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=2)
            async def ask(account: str) -> Loose:
                await asyncio.sleep(0)
                return openai_chat(20, 5)

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=2)
            async def fail(account: str) -> None:
                raise ConnectionError

            await asyncio.gather(ask(account), ask(account))
            with pytest.raises(ConnectionError):
                await fail(account)
            async with tollkeeper.meter(account, "sms") as run:
                assert (await run.extend(1000)) is not None

    asyncio.run(run_all())
    assert client.account(account).available == 11
    assert client.account(account).holds == ()


def test_a_cancelled_task_gives_back_what_was_set_aside(
    gateway: RunningGateway, new_account: NewAccount, client: Tollkeeper
) -> None:
    account = new_account()

    async def run_all() -> None:
        async with AsyncTollkeeper(gateway.url, gateway.key) as tollkeeper:
            started = asyncio.Event()

            @tollkeeper.metered("ai_tokens", model="gpt-4", estimate=2)
            async def ask(account: str) -> None:
                started.set()
                await asyncio.sleep(60)

            task = asyncio.create_task(ask(account))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            waiting = asyncio.create_task(ask(account))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(run_all())
    assert client.account(account).available == 15
    assert client.account(account).holds == ()
