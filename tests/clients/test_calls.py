"""Every call of the client against the running system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.clients.answers_of_providers import openai_chat
from tests.clients.conftest import MakeClient
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import (
    AsyncTollkeeper,
    ForbiddenError,
    HoldClosedError,
    IdempotencyMismatchError,
    InsufficientCreditsError,
    InvalidRequestError,
    NotFoundError,
    Tollkeeper,
    UnknownModelError,
    UnknownOperationError,
)
from tollkeeper_client.tools import AsyncTool, Tool

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]


def test_a_check_an_estimate_and_a_deduct(client: Tollkeeper, new_account: NewAccount) -> None:
    account = new_account()
    usage = {"input": 20, "output": 5}

    check = client.check(account, "ai_tokens", model="gpt-4", usage=usage)
    estimate = client.estimate(account, "ai_tokens", model="gpt-4")
    charge = client.deduct(account, "ai_tokens", model="gpt-4", usage=usage, feature="chat")

    assert (check.allowed, check.required, check.available) == (True, Decimal("1.5"), 15)
    assert estimate.min < estimate.typical < estimate.max
    assert (charge.charged, charge.available, charge.was_replayed) == (
        Decimal("1.5"),
        Decimal("13.5"),
        False,
    )
    assert charge.breakdown[0]["item"] == "gpt-4 tokens"


def test_amounts_are_decimals_wherever_they_stand(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()
    client.deduct(account, "ai_tokens", model="gpt-4", usage={"input": 1})
    seen = client.account(account)

    amounts = [
        seen.available,
        seen.spendable,
        seen.grants[0].remaining,
        seen.windows[0].spent,
        seen.totals["spent"],
        client.entries(account).entries[0].delta,
    ]

    assert {type(amount) for amount in amounts} == {Decimal}
    assert seen.available == Decimal("14.94")


def test_a_providers_answer_is_the_usage(client: Tollkeeper, new_account: NewAccount) -> None:
    charge = client.deduct(new_account(), "ai_tokens", usage=openai_chat(20, 5))

    assert charge.charged == Decimal("1.5")


def test_s1_04_a_run_is_tracked_with_service_time_success_and_metadata(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()
    client.deduct(
        account,
        "ai_tokens",
        key="msg_1",
        model="gpt-4",
        usage={"input": 20, "output": 5},
        service="openai",
        response_time_ms=812,
        occurred_at=datetime.now(UTC),
        metadata={"voice": "Ada", "template_count": 3},
    )
    failed = client.deduct(account, "script_generation", success=False, service="gemini")

    entries = client.entries(account)
    assert failed.charged == 0
    assert {entry.kind for entry in entries.entries} >= {"charge", "run_failed"}


def test_s3_07_a_helper_per_service_shows_its_subtype_in_stats(
    client: Tollkeeper, new_account: NewAccount, gateway: RunningGateway
) -> None:
    account = new_account()
    upload = Tool(client, "document_upload", service="documents", feature="upload", subtype="pdf")

    assert upload.check(account).required == 5
    assert upload.estimate(account).typical == 5
    upload.deduct(account, quantity=1)
    with upload.meter(account) as run:
        pass
    assert run.settlement is not None

    path = f"/v1/accounts/{account}/stats?group_by=feature"
    rows = gateway.client().ask("GET", path).json["rows"]
    assert [(row["feature"], row["calls"], row["credits"]) for row in rows] == [
        ("upload/pdf", 2, 10)
    ]


def test_one_key_is_charged_once(client: Tollkeeper, new_account: NewAccount) -> None:
    account = new_account()
    first = client.deduct(account, "sms", key="sms_1")
    again = client.deduct(account, "sms", key="sms_1")

    assert (first.was_replayed, again.was_replayed) == (False, True)
    assert again.seq == first.seq
    with pytest.raises(IdempotencyMismatchError):
        client.deduct(account, "sms", key="sms_1", quantity=2)


def test_a_hold_is_settled_in_parts_and_the_rest_is_back(
    client: Tollkeeper, new_account: NewAccount
) -> None:
    account = new_account()
    hold = client.hold(account, "ai_tokens", model="gpt-4", estimate=6)
    part = client.settle(hold.hold_id, account, usage={"input": 25}, final=False)
    rest = client.settle(hold.hold_id, account, amount="0.25")

    assert (hold.held, hold.available) == (6, 9)
    assert part.charged == Decimal("1.5")
    assert (rest.charged, rest.available) == (Decimal("0.25"), Decimal("13.25"))
    assert client.account(account).holds == ()


def test_a_hold_is_extended_shown_and_released(client: Tollkeeper, new_account: NewAccount) -> None:
    account = new_account()
    hold = client.hold(account, "sms", hold_id="call_1", expires_in_s=60)
    longer = client.extend(hold.hold_id, account, expires_in_s=3600)
    shown = client.account(account).holds
    released = client.release(hold.hold_id, account, reason="nobody answered")

    assert hold.expires_at is not None
    assert longer.expires_at > hold.expires_at
    assert [(each.hold_id, each.held) for each in shown] == [("call_1", 1)]
    assert (released.released, released.available) == (1, 15)
    with pytest.raises(HoldClosedError) as caught:
        client.settle(hold.hold_id, account, quantity=1)
    assert caught.value.state == "released"


def test_a_charge_is_undone(client: Tollkeeper, new_account: NewAccount) -> None:
    account = new_account()
    charge = client.deduct(account, "sms")
    assert charge.key is not None

    undone = client.void(account, charge.key, reason="it failed")

    assert (undone.charge, undone.refunded, undone.available) == (charge.key, 1, 15)


def test_history_comes_in_pages(client: Tollkeeper, new_account: NewAccount) -> None:
    account = new_account()
    for _ in range(3):
        client.deduct(account, "sms")

    first = client.entries(account, limit=2)
    second = client.entries(account, limit=2, cursor=first.next_cursor)

    assert [entry.seq for entry in (*first.entries, *second.entries)] == [4, 3, 2, 1]


def test_a_shortage_says_which_pack_would_help(client: Tollkeeper, new_account: NewAccount) -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        client.check(new_account(), "ai_tokens", model="gpt-4", usage={"total": 2000})

    error = caught.value
    assert (error.required, error.available, error.shortfall) == (120, 15, 105)
    assert error.blocking == "balance"
    assert error.offers[0]["pack"] == "pro"
    assert error.resets_at is not None


def test_refusals_have_their_types(
    client: Tollkeeper, new_account: NewAccount, make_client: MakeClient, gateway: RunningGateway
) -> None:
    account = new_account()
    with pytest.raises(UnknownOperationError):
        client.check(account, "teleport")
    with pytest.raises(UnknownModelError):
        client.check(account, "ai_tokens", model="gpt-99", usage={"input": 1})
    with pytest.raises(InvalidRequestError) as caught:
        client.deduct(account, "sms", quantity="0.0000001")
    assert caught.value.errors == (("quantity", "has more than six decimals"),)
    with pytest.raises(NotFoundError):
        client.release("no_such_hold", account)
    with Tollkeeper(gateway.url, "tk_dev_0_0") as stranger, pytest.raises(ForbiddenError):
        stranger.account(account)


def test_ids_with_signs_reach_their_account(client: Tollkeeper, new_account: NewAccount) -> None:
    account = f"auth0|{new_account()}@x"
    client.deduct(account, "sms")

    assert client.account(account).account == account


def test_s4_12_local_operations_ask_nobody_and_cost_nothing(new_account: NewAccount) -> None:
    with Tollkeeper("http://127.0.0.1:9", "k", local_operations={"resize"}) as client:
        assert client.check("user_1", "resize").allowed
        assert client.estimate("user_1", "resize").explanation == "Local mode, 0 credits"
        assert client.deduct("user_1", "resize").charged == 0
        with client.meter("user_1", "resize") as run:
            run.note({"input": 5})

    assert run.settlement is not None
    assert run.settlement.charged == 0


def test_the_asynchronous_client_answers_the_same(
    gateway: RunningGateway, new_account: NewAccount
) -> None:
    account = new_account()

    async def ask() -> None:
        async with AsyncTollkeeper(gateway.url, gateway.key) as client:
            sms = AsyncTool(client, "sms", service="phone")
            assert (await sms.check(account)).required == 1
            assert (await sms.estimate(account)).typical == 1
            charge = await sms.deduct(account)
            assert charge.charged == 1 and charge.key is not None
            assert (await client.void(account, charge.key)).available == 15
            hold = await client.hold(account, "sms", quantity=3)
            await client.extend(hold.hold_id, account, expires_in_s=1000)
            assert (await client.settle(hold.hold_id, account, quantity=2)).charged == 2
            hold = await client.hold(account, "sms")
            assert (await client.release(hold.hold_id, account)).released == 1
            assert (await client.account(account)).available == 13
            assert len((await client.entries(account)).entries) == 8

    asyncio.run(ask())
