"""One call per tool: set aside, run, charge what was used, or give back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.clients.answers_of_providers import Loose, openai_chat
from tests.clients.conftest import MakeClient
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import (
    AsyncTollkeeper,
    InsufficientCreditsError,
    InvalidAmountError,
    SettleRefusedError,
    Tollkeeper,
    current_run,
    metered,
)

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]


def kinds(client: Tollkeeper, account: str) -> list[str]:
    """The kinds of the account's rows after its opening, oldest first."""
    return [entry.kind for entry in reversed(client.entries(account).entries)][1:]


def test_s4_06_one_call_sets_aside_runs_and_charges_what_was_used(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()
    seen: list[Decimal] = []

    @client.metered("ai_tokens", model="gpt-4", estimate=6, feature="chat", service="openai")
    def ask(account: str, question: str) -> Loose:
        """Asks."""
        seen.extend(each.held for each in client.account(account).holds)
        return openai_chat(len(question), 5)

    answer = ask(account, question="x" * 20)

    assert answer.model_dump()["id"] == "chatcmpl-1"
    assert (ask.__name__, ask.__doc__) == ("ask", "Asks.")
    assert seen == [6]
    assert client.account(account).available == Decimal("13.5")
    assert kinds(client, account) == ["hold", "settle"]


def test_s4_06_a_run_that_fails_is_given_back_and_its_error_is_the_functions_own(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    @client.metered("ai_tokens", model="gpt-4", estimate=6)
    def ask(account: str) -> None:
        raise ConnectionError("the provider is down")

    with pytest.raises(ConnectionError, match="the provider is down"):
        ask(account)

    assert client.account(account).available == 15
    assert kinds(client, account) == ["hold", "release"]


def test_who_cannot_pay_is_refused_before_anything_runs(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    ran: list[str] = []

    @client.metered("ai_tokens", model="gpt-4", usage={"total": 2000})
    def ask(account: str) -> None:
        ran.append(account)

    with pytest.raises(InsufficientCreditsError):
        ask(new_account())
    assert ran == []


def test_a_run_says_what_it_used_and_how_it_went(
    client: Tollkeeper, new_account: NewAccount, gateway: RunningGateway
) -> None:
    account = new_account()

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note(openai_chat(20, 5))
        run.metadata["character"] = "Ada"

    assert (run.state, run.usage[0]["model"]) == ("settled", "gpt-4-0613")
    assert run.settlement is not None
    assert (run.settlement.charged, run.settlement.released) == (Decimal("1.5"), Decimal("4.5"))
    key = run.settlement.key
    row = gateway.client().ask("GET", f"/v1/accounts/{account}/entries/{key}").json
    assert row["metadata"] == {"character": "Ada"}
    assert row["tokens"] == {"input": 20, "output": 5}
    assert row["response_time_ms"] is not None


def test_a_run_that_failed_after_it_used_something_is_charged_that(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    with (
        pytest.raises(ValueError, match="not JSON"),
        client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run,
    ):
        run.note(openai_chat(20, 5))
        raise ValueError("the answer is not JSON")

    assert run.state == "settled"
    assert client.account(account).available == Decimal("13.5")


def test_every_call_at_a_provider_is_charged_in_one_run(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        run.note(openai_chat(20, 5))
        run.note(openai_chat(40, 10, answer_id="chatcmpl-2"))

    assert client.account(account).available == Decimal("10.5")
    assert kinds(client, account) == ["hold", "settle", "settle"]


def test_flat_and_counted_operations_need_no_usage(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    with client.meter(account, "script_generation"):
        pass
    with client.meter(account, "voice_call", quantity=5) as call:
        call.quantity = 3
    with client.meter(account, "sms", quantity=2):
        pass
    with client.meter(account, "ai_tokens", model="gpt-4", estimate=4) as named:
        named.amount = Decimal("2.5")

    assert client.account(account).available == Decimal("6.5")


def test_an_operation_by_units_is_charged_by_units_whatever_a_provider_reports(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    def minutes_of(account: str, minutes: int) -> int:
        return minutes

    @client.metered("voice_call", quantity=minutes_of)
    def speak(account: str, minutes: int) -> Loose:
        return openai_chat(1000, 1000)

    speak(account, minutes=3)

    assert client.account(account).available == 12


def test_a_run_without_any_report_is_charged_what_was_set_aside(
    client: Tollkeeper, new_account: NewAccount, gateway: RunningGateway
) -> None:
    account = new_account()

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6) as run:
        pass
    with client.meter(
        account, "ai_tokens", model="gpt-4", estimate=6, without_usage="nothing"
    ) as free:
        pass

    assert run.settlement is not None
    assert run.settlement.charged == 6
    assert free.state == "released"
    row = gateway.client().ask("GET", f"/v1/accounts/{account}/entries/{run.settlement.key}").json
    assert row["metadata"] == {"usage": "not reported"}


def test_who_pays_and_what_is_told_come_from_the_functions_arguments(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    def payer(user: dict[str, str], model: str) -> str:
        return user["id"]

    def model_of(user: dict[str, str], model: str) -> str:
        return model

    @metered("ai_tokens", client=client, account=payer, model=model_of, estimate=2)
    def ask(user: dict[str, str], model: str) -> Loose:
        return openai_chat(20, 5)

    ask({"id": account}, "gpt-3.5")

    assert client.account(account).available == Decimal("14.95")


def test_a_function_of_which_nobody_knows_who_pays_is_not_decorated(client: Tollkeeper) -> None:
    with pytest.raises(TypeError, match="who pays"):

        @client.metered("sms")
        def send(text: str) -> None:
            """Sends."""

        assert send is None


def test_a_functions_own_data_is_not_read_where_it_says_so(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    @client.metered("ai_tokens", model="gpt-4", estimate=6, usage_of=None)
    def ask(account: str) -> dict[str, Any]:
        current_run().note(openai_chat(20, 5))
        return {"usage": {"input": 1}}

    @client.metered("ai_tokens", model="gpt-4", estimate=6, usage_of=lambda result: result[1])
    def ask_twice(account: str) -> tuple[str, Loose]:
        return "text", openai_chat(20, 5)

    ask(account)
    ask_twice(account)

    assert client.account(account).available == 12


def test_a_charge_that_is_refused_does_not_lose_the_result(
    make_client: MakeClient, new_account: NewAccount
) -> None:
    account = new_account()
    client = make_client()

    @client.metered("ai_tokens", estimate=6)
    def ask(account: str) -> Loose:
        return Loose.model_validate({"model": "gpt-99", "usage": {"prompt_tokens": 1}})

    with pytest.raises(SettleRefusedError) as caught:
        ask(account)

    assert isinstance(caught.value.result, Loose)
    refused = client.recover().refused
    assert len(refused) == 1
    assert "gpt-99" in (refused[0].reason or "")


def test_a_run_that_outlives_its_hold_is_charged_once_all_the_same(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    with client.meter(account, "ai_tokens", model="gpt-4", estimate=6, expires_in_s=1) as run:
        time.sleep(1.2)
        run.note({"input": 25})

    assert run.settlement is not None
    assert run.settlement.late
    assert client.account(account).available == Decimal("13.5")


def test_an_answer_without_usage_is_no_error_and_not_free(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    with client.meter(new_account(), "ai_tokens", model="gpt-4", estimate=6) as run:
        assert not run.note({"id": "x", "usage": None})
        assert not run.note("no usage")

    assert run.settlement is not None
    assert run.settlement.charged == 6


def test_what_a_run_says_of_itself_is_checked_when_it_is_said(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    with client.meter(new_account(), "voice_call", quantity=1) as run:
        for wrong in (0.5, True):
            with pytest.raises(InvalidAmountError):
                run.quantity = wrong  # pyright: ignore[reportAttributeAccessIssue]
            with pytest.raises(InvalidAmountError):
                run.amount = wrong  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("note", ["x" * 5000, object()])
def test_a_note_that_cannot_be_sent_costs_no_charge(
    client: Tollkeeper, new_account: NewAccount, note: object
) -> None:
    with client.meter(new_account(), "sms") as run:
        run.metadata["note"] = note

    assert run.settlement is not None
    assert run.settlement.charged == 1


def test_a_run_is_used_once(client: Tollkeeper, new_account: NewAccount) -> None:
    run = client.meter(new_account(), "sms")
    with run:
        pass

    with pytest.raises(RuntimeError), run:
        pass


def test_a_long_run_is_extended(client: Tollkeeper, new_account: NewAccount) -> None:
    with client.meter(new_account(), "sms", expires_in_s=60) as run:
        extension = run.extend(3600)
        assert extension is not None
        assert run.hold is not None
        assert run.hold.expires_at is not None
        assert extension.expires_at > run.hold.expires_at


def test_threads_share_a_client_and_each_has_its_run(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()

    @client.metered("ai_tokens", model="gpt-4", estimate=1)
    def ask(account: str, tokens: int) -> None:
        current_run().note({"input": tokens})

    with ThreadPoolExecutor(2) as threads:
        for _ in threads.map(ask, [account] * 6, [10, 15] * 3):
            pass

    assert client.account(account).available == 15 - Decimal("0.06") * (30 + 45)


def test_outside_of_a_run_there_is_no_current_one() -> None:
    with pytest.raises(LookupError):
        current_run()


def test_the_wrong_client_says_so_at_the_decoration(
    client: Tollkeeper, gateway: RunningGateway
) -> None:
    async def later(account: str) -> None:
        """Later."""

    def now(account: str) -> None:
        """Now."""

    with pytest.raises(TypeError, match="AsyncTollkeeper"):
        client.metered("sms")(later)
    with pytest.raises(TypeError, match="use a Tollkeeper"):
        AsyncTollkeeper(gateway.url, gateway.key).metered("sms")(now)
