"""Going ahead while Tollkeeper cannot be reached: off by default, bounded, and charged later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.clients.answers_of_providers import openai_chat
from tests.clients.conftest import MakeClient
from tests.clients.lossy_proxy import LossyProxy
from tests.clients.virtual_time import virtual
from tests.e2e.running_gateway import RunningGateway, StartGateway
from tollkeeper_client import (
    AccountFrozenError,
    AsyncTollkeeper,
    FailOpen,
    FailOpenLimitError,
    InsufficientCreditsError,
    NoAnswerError,
    Tollkeeper,
    UnavailableError,
)

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]


def bounds(runs: int = 3) -> FailOpen:
    return FailOpen(runs=runs, credits=Decimal(10), credits_per_run=Decimal(2))


def run_once(client: Tollkeeper, account: str, **given: Any) -> str:
    """One run of 25 tokens; the answer is its state."""
    if "usage" not in given:
        given.setdefault("estimate", 2)
    with client.meter(account, "ai_tokens", model="gpt-4", **given) as run:
        run.note({"input": 25})
    return run.state


def test_it_is_off_by_default(make_client: MakeClient, proxy: LossyProxy, journal: Path) -> None:
    proxy.lose_requests(1000)
    client = make_client(proxy.url, journal=journal, surroundings=virtual())

    with pytest.raises(NoAnswerError):
        run_once(client, "user_1")


def test_with_the_gateway_stopped_runs_go_ahead_and_are_charged_when_it_is_back(
    start_gateway: StartGateway, journal: Path
) -> None:
    gateway: RunningGateway = start_gateway("stopped")
    with Tollkeeper(
        gateway.url, gateway.key, journal=journal, fail_open=bounds(), surroundings=virtual()
    ) as client:
        assert run_once(client, "user_1") == "settled"
        gateway.stop()

        assert run_once(client, "user_1") == "pending"
        with pytest.raises(ValueError, match="own"), client.meter("user_1", "sms"):
            raise ValueError("the function's own error")
        with client.meter("user_1", "voice_call", quantity=2):
            pass
        assert client.recover().waiting >= 2

        gateway.start()
        recovered = client.recover()
        assert (recovered.waiting, recovered.refused) == (0, ())
        assert client.account("user_1").available == 15 - 3 - 2
        row = client.entries("user_1").entries[1]
        assert (row.kind, row.charged) == ("charge", Decimal("1.5"))
        assert client.recover().delivered == 0


def test_no_more_than_the_bounds_go_ahead(
    make_client: MakeClient, proxy: LossyProxy, journal: Path, new_account: NewAccount
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, fail_open=bounds(), surroundings=virtual())
    proxy.lose_requests(1000)

    assert run_once(client, account, estimate=6) == "pending"
    with pytest.raises(FailOpenLimitError):
        run_once(client, account, estimate="4.000001")
    assert run_once(client, account) == "pending"
    assert run_once(client, account) == "pending"
    with pytest.raises(FailOpenLimitError):
        run_once(client, account, estimate="0.1")
    assert issubclass(FailOpenLimitError, UnavailableError)

    proxy.lose_requests(0)
    client.recover()
    assert client.account(account).available == 15 - Decimal("4.5")
    proxy.lose_requests(1000)
    assert run_once(client, account) == "pending"


def test_runs_under_way_count_before_they_end(
    make_client: MakeClient, proxy: LossyProxy, journal: Path
) -> None:
    client = make_client(
        proxy.url, journal=journal, fail_open=bounds(runs=1), surroundings=virtual()
    )
    other = make_client(
        proxy.url, journal=journal, fail_open=bounds(runs=1), surroundings=virtual()
    )
    proxy.lose_requests(1000)

    with client.meter("user_1", "sms"), pytest.raises(FailOpenLimitError):
        run_once(other, "user_1")


def test_a_refusal_is_never_passed_by(
    make_client: MakeClient,
    proxy: LossyProxy,
    journal: Path,
    new_account: NewAccount,
    gateway: RunningGateway,
) -> None:
    client = make_client(proxy.url, journal=journal, fail_open=bounds(), surroundings=virtual())
    with pytest.raises(InsufficientCreditsError):
        run_once(client, new_account(), usage={"total": 2000})

    account = new_account()
    gateway.client().ask(
        "POST", f"/v1/accounts/{account}/freeze", {"reason": "x"}, idempotency_key=account
    )
    with pytest.raises(AccountFrozenError):
        run_once(client, account)
    proxy.answer(429, {}, b'{"message": "Too Many Requests"}')
    proxy.answer(401, {}, b'{"message": "Unauthorized"}')
    with pytest.raises(Exception, match="Unauthorized"):
        run_once(client, account)
    assert client.recover().waiting == 0


def test_a_charge_that_cannot_be_paid_yet_waits_and_counts(
    make_client: MakeClient,
    proxy: LossyProxy,
    journal: Path,
    new_account: NewAccount,
    gateway: RunningGateway,
) -> None:
    account = new_account()
    client = make_client(
        proxy.url, journal=journal, fail_open=bounds(runs=1), surroundings=virtual()
    )
    proxy.lose_requests(1000)
    with client.meter(account, "ai_tokens", model="gpt-4") as run:
        run.note({"input": 2000})
    proxy.lose_requests(0)

    assert client.recover().waiting == 1
    proxy.lose_requests(1000)
    with pytest.raises(FailOpenLimitError):
        run_once(client, account)
    proxy.lose_requests(0)
    grant = {"amount": 200, "reason": "topped up"}
    gateway.client().ask("POST", f"/v1/accounts/{account}/grants", grant, idempotency_key=account)

    assert client.recover().waiting == 0
    assert client.account(account).available == 95


def test_an_answer_of_a_hold_that_got_lost_costs_nothing_extra(
    make_client: MakeClient, proxy: LossyProxy, journal: Path, new_account: NewAccount
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, fail_open=bounds(), surroundings=virtual())
    proxy.lose_answers(1000)
    assert run_once(client, account, estimate=6) == "pending"
    proxy.lose_answers(0)

    client.recover()

    assert client.account(account).holds == ()
    assert client.account(account).available == Decimal("13.5")


def test_the_asynchronous_client_goes_ahead_too(
    proxy: LossyProxy, gateway: RunningGateway, journal: Path, new_account: NewAccount
) -> None:
    account = new_account()

    async def run_all() -> None:
        async with AsyncTollkeeper(
            proxy.url, gateway.key, journal=journal, fail_open=bounds(), surroundings=virtual()
        ) as client:

            @client.metered("ai_tokens", model="gpt-4")
            async def ask(account: str) -> object:
                return openai_chat(20, 5)

            proxy.lose_requests(1000)
            await ask(account)
            proxy.lose_requests(0)
            await client.recover()
            assert (await client.account(account)).available == Decimal("13.5")

    asyncio.run(run_all())
