"""Answers that get lost, callers that die: every run is charged once, and none is forgotten."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import MakeClient
from tests.clients.lossy_proxy import LossyProxy
from tests.clients.virtual_time import VirtualTime, virtual
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import (
    HoldClosedError,
    NoAnswerError,
    Tollkeeper,
    UnavailableError,
)
from tollkeeper_client.journal import Journal

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]
TOKENS = {"input": 25}


def is_audited(gateway: RunningGateway, account: str) -> bool:
    """Whether the account's ledger explains every credit."""
    verdict = gateway.client().ask("GET", f"/v1/verify/{account}").json
    return verdict["is_clean"] and verdict["unexplained"] == 0


def test_lost_answers_of_deducts_are_charged_once(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, gateway: RunningGateway
) -> None:
    account = new_account()
    client = make_client(proxy.url)
    proxy.lose_answers(2)

    charge = client.deduct(account, "sms")

    assert charge.was_replayed
    assert client.account(account).available == 14
    assert [key for _, path, key in proxy.seen if path == "/v1/deduct"] == [charge.key] * 3
    assert is_audited(gateway, account)


def test_lost_answers_of_holds_and_settles_are_charged_once(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, gateway: RunningGateway
) -> None:
    account = new_account()
    client = make_client(proxy.url)
    proxy.lose_answers(1)

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note(TOKENS)
        proxy.lose_answers(1)

    assert run.settlement is not None
    assert run.settlement.was_replayed
    assert [entry.kind for entry in client.entries(account).entries] == ["settle", "hold", "reset"]
    assert client.account(account).available == Decimal("13.5")
    assert is_audited(gateway, account)


def test_the_gateways_retry_after_is_waited_for(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount
) -> None:
    time = VirtualTime()
    client = make_client(proxy.url, surroundings=virtual(time, chance=0))
    proxy.answer(429, {"Retry-After": "1"}, b'{"message": "Too Many Requests"}')
    proxy.answer(503, {"Retry-After": "2"}, b'{"message": "Service Unavailable"}')

    client.deduct(new_account(), "sms")

    assert time.slept == [1, 2]


def test_a_settle_that_does_not_get_through_is_delivered_later(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note(TOKENS)
        proxy.lose_requests(1000)

    assert (run.state, run.settlement) == ("pending", None)
    assert client.recover().waiting == 1
    proxy.lose_requests(0)
    recovered = client.recover()
    assert (recovered.delivered, recovered.waiting, recovered.refused) == (1, 0, ())
    assert client.account(account).available == Decimal("13.5")
    assert client.recover().delivered == 0


def test_a_settle_that_was_applied_and_not_heard_is_not_applied_again(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note(TOKENS)
        proxy.lose_answers(1000)
    assert run.state == "pending"
    proxy.lose_answers(0)

    assert client.recover().delivered == 1
    assert client.account(account).available == Decimal("13.5")


def test_the_parts_of_a_run_are_delivered_in_their_order(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note({"id": "a", "usage": TOKENS})
        run.note({"id": "b", "usage": {"input": 50}})
        proxy.lose_requests(1000)
    assert client.recover().waiting == 2
    proxy.lose_requests(0)

    assert client.recover().delivered == 2
    assert client.account(account).available == Decimal("10.5")


def test_no_later_part_overtakes_one_that_did_not_get_through(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())
    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note({"id": "a", "usage": TOKENS})
        run.note({"id": "b", "usage": {"input": 50}})
        proxy.lose_requests(1000)
    before = len(proxy.seen)
    client.recover()
    tries = [key for _, _, key in proxy.seen[before:]].count(f"{run.id}.1")

    proxy.lose_requests(tries)
    assert client.recover().waiting == 2
    assert client.recover().delivered == 2
    assert client.account(account).available == Decimal("10.5")


def test_a_charge_that_got_through_leaves_nothing_in_the_journal(
    make_client: MakeClient, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(journal=journal)
    with client.meter(account, "sms"):
        pass
    client.settle(client.hold(account, "sms").hold_id, account, quantity=1)

    recovered = client.recover()
    assert (recovered.delivered, recovered.waiting) == (0, 0)


def test_a_hold_whose_answer_never_came_is_given_back(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())
    proxy.lose_answers(1000)

    with pytest.raises(UnavailableError), client.meter(account, "sms"):
        raise AssertionError("a run without a hold must not begin")
    proxy.lose_answers(0)

    assert len(client.account(account).holds) == 1
    assert client.recover().delivered == 1
    assert client.account(account).holds == ()


def test_a_hold_that_was_never_made_leaves_nothing_to_do(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    client = make_client(proxy.url, journal=journal, surroundings=virtual())
    proxy.lose_requests(1000)

    with pytest.raises(NoAnswerError), client.meter(new_account(), "sms"):
        raise AssertionError("a run without a hold must not begin")
    proxy.lose_requests(0)

    recovered = client.recover()
    assert (recovered.waiting, recovered.refused) == (0, ())


def test_a_try_that_never_left_leaves_nothing_to_give_back(
    gateway: RunningGateway, journal: Path
) -> None:
    nobody = "http://127.0.0.1:9"
    with Tollkeeper(nobody, gateway.key, journal=journal, surroundings=virtual()) as client:
        with pytest.raises(NoAnswerError) as caught, client.meter("user_1", "sms"):
            raise AssertionError("a run without a hold must not begin")

        assert not caught.value.is_outcome_unknown
        assert client.recover().waiting == 0


def test_a_release_that_does_not_get_through_is_delivered_later(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())

    with pytest.raises(ValueError, match="own"), client.meter(account, "sms"):
        proxy.lose_requests(1000)
        raise ValueError("the function's own error")
    proxy.lose_requests(0)

    assert client.recover().delivered == 1
    assert client.account(account).available == 15


def test_a_settle_by_hand_is_journalled_too(
    make_client: MakeClient, proxy: LossyProxy, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    client = make_client(proxy.url, journal=journal, surroundings=virtual())
    hold = client.hold(account, "sms", quantity=3)
    proxy.lose_requests(1000)
    with pytest.raises(NoAnswerError):
        client.settle(hold.hold_id, account, quantity=2)
    proxy.lose_requests(0)

    assert client.recover().delivered == 1
    assert client.account(account).available == 13

    released = client.hold(account, "sms")
    client.release(released.hold_id, account)
    with pytest.raises(HoldClosedError):
        client.settle(released.hold_id, account, quantity=1)
    assert client.recover().waiting == 0


def test_what_dies_with_the_process_is_logged(
    proxy: LossyProxy,
    gateway: RunningGateway,
    new_account: NewAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = new_account()
    client = Tollkeeper(proxy.url, gateway.key, surroundings=virtual())
    with client, client.meter(account, "sms", quantity=7):
        proxy.lose_requests(1000)

    lost = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(lost) == 1
    assert account in lost[0].getMessage()
    assert gateway.key not in caplog.text


# ---- A caller that dies

CALLER = """
import os, signal, sys
import httpx
from tollkeeper_client import Tollkeeper

class Dying(httpx.HTTPTransport):
    def handle_request(self, request):
        if request.url.path.endswith("/settle"):
            if sys.argv[5] == "after":
                super().handle_request(request).read()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().handle_request(request)

url, key, journal, account = sys.argv[1:5]
client = Tollkeeper(url, key, journal=journal, transport=Dying())
with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
    run.note({"input": 25})
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_settle_survives_a_caller_that_is_killed(
    make_client: MakeClient,
    new_account: NewAccount,
    gateway: RunningGateway,
    journal: Path,
    moment: str,
) -> None:
    account = new_account()
    arguments = [gateway.url, gateway.key, str(journal), account, moment]
    died = subprocess.run([sys.executable, "-c", CALLER, *arguments], check=False)
    assert died.returncode == -signal.SIGKILL
    client = make_client(journal=journal)
    assert client.account(account).available == (9 if moment == "before" else Decimal("13.5"))

    recovered = client.recover()

    assert (recovered.delivered, recovered.waiting) == (1, 0)
    assert client.account(account).available == Decimal("13.5")
    assert client.account(account).holds == ()
    assert is_audited(gateway, account)


def test_many_recoveries_at_once_deliver_each_settle_once(
    gateway: RunningGateway, new_account: NewAccount, journal: Path, proxy: LossyProxy
) -> None:
    account = new_account()
    with Tollkeeper(proxy.url, gateway.key, journal=journal, surroundings=virtual()) as client:
        for _ in range(4):
            with client.meter(account, "ai_tokens", model="gpt-4", estimate=1) as run:
                run.note({"input": 10})
                proxy.lose_requests(1000)
            proxy.lose_requests(0)

    def recover(_: int) -> Any:
        with Tollkeeper(proxy.url, gateway.key, journal=journal) as client:
            return client.recover()

    with ThreadPoolExecutor(3) as threads:
        assert sum(each.delivered for each in threads.map(recover, range(3))) >= 4

    with closing(Journal(journal)) as opened:
        assert opened.waiting(proxy.url) == []
    with Tollkeeper(gateway.url, gateway.key) as client:
        assert client.account(account).available == 15 - 4 * Decimal("0.6")
    assert is_audited(gateway, account)
