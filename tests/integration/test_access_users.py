"""What an account's user may do: read, buy and tighten, for the own account and no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driving import Driver, FakeContext, load, read_answer
from tests.support.payments import FakeStripe
from tests.support.users import call_as
from tollkeeper.edge import authorization
from tollkeeper.edge.routes import SCOPES

READ = "GET /v1/accounts/{id}"
LIMITS = "PUT /v1/accounts/{id}/limits"
PAGE = {"success_url": "http://localhost:3000/ok", "cancel_url": "http://localhost:3000/no"}


@pytest.mark.parametrize(
    "context",
    [
        {"account": "user_1", "expires_at": ""},
        {"account": "user_1", "principal": "service:x"},
        {"account": "user_1", "principal": "user:user_2"},
        {"account": "user_1", "principal": ""},
        {"account": "user_1", "expires_at": "2026-11-20T12:00:00+00:00"},
    ],
    ids=str,
)
def test_a_context_that_no_authorizer_makes_is_nobodys(
    driver: Driver, context: dict[str, str]
) -> None:
    event = driver.event(READ, path={"id": "user_1"})
    until = "2026-11-20T12:05:00+00:00"
    good = {"principal": "user:user_1", "scopes": "", "expires_at": until}
    event["requestContext"]["authorizer"]["lambda"] = good | context

    assert read_answer(load("account").handler(event, FakeContext())).status == 401


def test_a_users_scopes_open_nothing(driver: Driver) -> None:
    """Whatever a context says: who has an account has no scope."""
    event = driver.event("POST /v1/deduct", {"account": "user_1", "operation": "sms"}, key="k")
    event["requestContext"]["authorizer"]["lambda"] = {
        "principal": "user:user_1",
        "scopes": " ".join(SCOPES),
        "account": "user_1",
        "expires_at": "2026-11-20T12:05:00+00:00",
    }

    assert read_answer(load("deduct").handler(event, FakeContext())).status == 403


def test_s4_10_a_user_only_tightens_and_the_row_says_who(driver: Driver) -> None:
    path = {"id": "user_1"}
    driver.call(LIMITS, {"daily": 10}, path=path)

    looser = call_as(
        driver, "user_1", LIMITS, {"daily": 1000, "set_by": "operator"}, path={"id": "me"}
    )
    gone = call_as(driver, "user_1", LIMITS, {"daily": None}, path={"id": "me"})
    tighter = call_as(driver, "user_1", LIMITS, {"daily": 3}, path=path)

    assert [answer.status for answer in (looser, gone, tighter)] == [200, 200, 200]
    assert looser["set_by"] == "user"
    limits = driver.account("user_1")["limits"]
    assert (limits["operator"]["daily"], limits["user"]["daily"], limits["daily"]) == (10, 3, 3)
    entry = driver.call("GET /v1/accounts/{id}/entries/{key}", path={**path, "key": tighter["key"]})
    assert entry["actor"] == "user:user_1"
    assert entry["details"]["set_by"] == "user"


def test_a_users_idempotency_key_takes_none_of_the_backends(driver: Driver) -> None:
    """Whoever took the key of the next run would have the charge for it refused."""
    path = {"id": "me"}
    first = call_as(driver, "user_1", LIMITS, {"daily": 50}, path=path, key="msg_812")

    charge = driver.deduct("user_1", "sms", "msg_812")
    again = call_as(driver, "user_1", LIMITS, {"daily": 50}, path=path, key="msg_812")
    other = call_as(driver, "user_1", LIMITS, {"daily": 40}, path=path, key="msg_812")

    assert first["key"].startswith("user:")
    assert (charge.status, charge["key"]) == (200, "msg_812")
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status, other["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["a b", "x" * 129, "é", "a#b"])
def test_a_users_key_has_the_form_of_any_other(driver: Driver, key: str) -> None:
    answer = call_as(driver, "user_1", LIMITS, {"daily": 50}, path={"id": "me"}, key=key)

    assert (answer.status, answer["errors"][0]["member"]) == (422, "Idempotency-Key")


def test_the_own_account_may_be_left_out_and_is_the_same_request(
    driver: Driver, stripe: FakeStripe
) -> None:
    route, body = "POST /v1/checkout", {"pack": "pro", **PAGE}

    first = call_as(driver, "user_1", route, body, key="buy")
    again = [
        call_as(driver, "user_1", route, {**body, "account": named}, key="buy")
        for named in ("user_1", "me")
    ]

    assert (first.status, first["account"]) == (201, "user_1")
    for each in again:
        assert each["purchase_id"] == first["purchase_id"]
        assert each.headers["idempotency-replayed"] == "true"
    assert len(stripe.sessions) == 1


@pytest.mark.parametrize("account", [None, 5, ["user_1"], {"id": "user_1"}, True])
def test_an_account_that_is_no_text_is_invalid_for_a_user_too(
    driver: Driver, account: object
) -> None:
    body = {"operation": "sms", "account": account}

    answer = call_as(driver, "user_1", "POST /v1/check", body)

    assert (answer.status, answer["errors"][0]["member"]) == (422, "account")


def test_a_service_names_its_accounts_and_none_is_called_me(driver: Driver) -> None:
    """Else a backend that forgets the account would credit one that it never meant."""
    missing = driver.call("POST /v1/check", {"operation": "sms"})
    assert (missing.status, missing["errors"][0]["reason"]) == (422, "is missing")

    for answer, member in (
        (driver.account("me"), "id"),
        (driver.grant("me", 5), "id"),
        (driver.deduct("me", "sms", "k1"), "account"),
        (driver.call("POST /v1/tokens", {"account": "me"}), "account"),
    ):
        assert (answer.status, answer["errors"][0]["member"]) == (422, member)
        assert answer["errors"][0]["reason"].endswith("only a user's own token may say me")
    assert driver.hold("user_1", "sms", "me", estimate=1).status == 201, "a hold may be called so"


@pytest.mark.parametrize(
    "own_word", [{"estimate": "0.000001"}, {"usage": {"input": 1}}, {"quantity": 3}]
)
def test_a_users_own_word_on_size_or_price_is_never_signed(
    driver: Driver, own_word: dict[str, Any]
) -> None:
    """A backend that holds by a quote from the browser would set next to nothing aside."""
    route = "POST /v1/estimate"
    operation = "sms" if "quantity" in own_word else "ai_tokens"
    run = {"operation": operation} | ({} if "quantity" in own_word else {"model": "gpt-4"})

    by_user = call_as(driver, "user_1", route, {**run, **own_word})
    of_ours = call_as(driver, "user_1", route, run)
    by_backend = driver.call(route, {"account": "user_1", **run, **own_word})

    assert (by_user.status, by_user["quote_id"]) == (200, None)
    assert of_ours["quote_id"]
    assert by_backend["quote_id"]


def test_a_stack_can_keep_limits_to_its_operators(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_LIMITS", "off")
    authorization.read_settings.cache_clear()

    answer = call_as(driver, "user_1", LIMITS, {"daily": 3}, path={"id": "me"})

    assert (answer.status, answer["code"]) == (403, "forbidden")
    assert driver.call(LIMITS, {"daily": 3}, path={"id": "user_1"}).status == 200


def test_who_may_not_see_an_account_learns_nothing_about_the_body(driver: Driver) -> None:
    answer = call_as(driver, "user_1", LIMITS, raw="{", path={"id": "user_2"})

    assert (answer.status, answer["code"]) == (404, "not_found")
    assert answer["detail"] == "There is no such account."


def test_only_a_backends_refusal_is_told(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who asks and asks would set off whatever hangs on the event, a top-up among it."""
    told: list[Any] = []

    class Bus:
        """Takes what it is told."""

        def send(self, events: list[Any], *, has_time: object) -> None:
            """The events are kept."""
            del has_time
            told.extend(events)

    monkeypatch.setenv("EVENT_BUS_NAME", "bus")
    authorization.read_settings.cache_clear()
    monkeypatch.setattr("tollkeeper.edge.refusals.hasty_bus", Bus)

    by_user = call_as(driver, "user_1", "POST /v1/check", {"operation": "phone_number"})
    assert (by_user.status, told) == (402, [])
    assert driver.check("user_1", "phone_number").status == 402

    assert [event.detail["account"] for event in told] == ["user_1"]
