"""Promo codes through the real functions: made once, redeemed once per account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.driving import Answered, Driver, FakeClock, verify_ledger
from tests.support.faults import CONFLICT, LOST_AFTER, LOST_BEFORE, FaultyClient
from tollkeeper.edge import wiring
from tollkeeper.service.redeeming import read_code

REDEEM = "POST /v1/accounts/{id}/redeem"


def make(driver: Driver, code: str = "WELCOME", key: str | None = None, **members: Any) -> Answered:
    """A code of 5 credits."""
    body = {"code": code, "credits": 5, "reason": "launch", **members}
    return driver.call("POST /v1/codes", body, key=key or f"make-{code}")


def redeem(
    driver: Driver, code: str = "WELCOME", *, account: str = "user_1", key: str = "r1"
) -> Answered:
    """What redeeming it answers."""
    return driver.call(REDEEM, {"code": code}, path={"id": account}, key=key)


def codes(driver: Driver, **query: str) -> Answered:
    """A page of all codes."""
    return driver.call("GET /v1/codes", query=query)


def end(driver: Driver, code: str) -> Answered:
    """The code is ended."""
    return driver.call("DELETE /v1/codes/{code}", path={"code": code})


def available(driver: Driver, account: str = "user_1") -> int:
    """What the account has; 15 credits come with its plan."""
    return int(driver.account(account)["available"])


def test_a_code_gives_its_credits_once_per_account(driver: Driver) -> None:
    assert make(driver).status == 201

    first = redeem(driver, "welcome")

    assert (first.status, first["granted"], first["available"]) == (201, 5, 20)
    assert (redeem(driver, key="r2").status, redeem(driver, key="r2")["code"]) == (409, "code_used")
    assert (available(driver), codes(driver)["codes"][0]["redemptions"]) == (20, 1)
    row = driver.entries("user_1")[-1]
    assert (row["kind"], row["key"]) == ("grant", "r1")
    verify_ledger(driver, "user_1")
    assert driver.call("GET /v1/verify/{id}", path={"id": "user_1"})["findings"] == []


def test_the_same_key_is_the_same_redemption_even_when_the_code_has_ended(driver: Driver) -> None:
    make(driver, most_redemptions=1)
    first = redeem(driver)
    end(driver, "WELCOME")

    again = redeem(driver)

    assert again.headers["idempotency-replayed"] == "true" and again.body == first.body
    assert redeem(driver, "OTHER-CODE")["code"] == "idempotency_mismatch"


@pytest.mark.moto
def test_a_redemption_outlives_the_accounts_items(driver: Driver, clock: FakeClock) -> None:
    make(driver)
    redeem(driver)
    client: Any = wiring.connect()
    for item in wiring.ledger().read_items("A#user_1", limit=100):
        client.delete_item(
            TableName="tollkeeper-test", Key={name: item[name] for name in ("pk", "sk")}
        )

    assert redeem(driver, key="r2")["code"] == "code_used"
    assert available(driver) == 15


def test_a_code_is_redeemed_by_so_many_accounts_and_no_more(driver: Driver) -> None:
    make(driver, most_redemptions=2)

    answers = [redeem(driver, account=f"user_{number}") for number in range(4)]

    assert [each.status for each in answers] == [201, 201, 409, 409]
    assert answers[2]["code"] == "code_exhausted"
    assert redeem(driver, account="user_0", key="r2")["code"] == "code_used"


def test_a_code_ends_at_its_moment_or_when_an_operator_ends_it(
    driver: Driver, clock: FakeClock
) -> None:
    make(driver, "SOON", expires_at="2026-11-21T00:00:00Z")
    make(driver, "GONE")
    assert end(driver, "gone")["is_active"] is False
    assert end(driver, "GONE").status == 200

    assert redeem(driver, "GONE")["code"] == "code_expired"
    assert redeem(driver, "SOON").status == 201
    clock.forward(hours=12)
    assert redeem(driver, "SOON", account="user_2")["code"] == "code_expired"


def test_a_code_may_be_for_some_plans_and_its_credits_for_some_days(
    driver: Driver, clock: FakeClock
) -> None:
    make(driver, plans=["pro"], grant_days=30)
    driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro"}, path={"id": "user_2"})

    assert redeem(driver)["code"] == "code_not_for_plan"
    granted = redeem(driver, account="user_2")

    assert granted.status == 201
    (grant,) = [g for g in driver.account("user_2")["grants"] if g["kind"] == "promo"]
    assert grant["expires_at"] == "2026-12-20T12:00:00+00:00"


@pytest.mark.parametrize(
    ("standing", "code"), [("freeze", "account_frozen"), ("close", "account_closed")]
)
def test_an_account_that_cannot_spend_redeems_nothing(
    driver: Driver, standing: str, code: str
) -> None:
    make(driver)
    route = f"POST /v1/accounts/{{id}}/{standing}"
    driver.call(route, {"reason": "r"}, path={"id": "user_1"}, key="s1")

    answer = redeem(driver)

    assert (answer.status, answer["code"]) == (403, code)
    assert codes(driver)["codes"][0]["redemptions"] == 0


def test_an_unknown_code_is_not_found(driver: Driver) -> None:
    answer = redeem(driver, "NOBODY-MADE-IT")

    assert (answer.status, answer["code"]) == (404, "unknown_code")
    assert end(driver, "NOBODY-MADE-IT").status == 404
    assert end(driver, "no%code").status == 404


def test_a_code_is_made_once_for_its_key(driver: Driver) -> None:
    first = make(driver, key="m1")

    again = make(driver, key="m1")
    assert again.headers["idempotency-replayed"] == "true" and again.body == first.body
    assert make(driver, key="m1", credits=6)["code"] == "idempotency_mismatch"
    assert make(driver, "OTHER", key="m1")["code"] == "idempotency_mismatch"
    assert make(driver, key="m2")["code"] == "code_exists"
    assert [each["code"] for each in codes(driver)["codes"]] == ["WELCOME"]


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"code": "ab"}, "code"),
        ({"code": "a b c"}, "code"),
        ({"credits": 0}, "credits"),
        ({"most_redemptions": 0}, "most_redemptions"),
        ({"expires_at": "2026-11-20T12:00:00Z"}, "expires_at"),
        ({"grant_days": 0}, "grant_days"),
        ({"plans": ["nothing"]}, "plans"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_code_that_cannot_be_is_refused(
    driver: Driver, members: dict[str, Any], member: str
) -> None:
    answer = make(driver, **{"code": "WELCOME", **members})

    assert answer.status == 422
    assert [each["member"] for each in answer["errors"]] == [member]
    assert codes(driver)["codes"] == []


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"code": "ab"}, "must be 3 to 40 of A-Z a-z 0-9 -"),
        ({"code": "a b c"}, "must be 3 to 40 of A-Z a-z 0-9 -"),
        ({"code": 123}, "must be a text"),
        ({"plans": ["pro"] * 51}, "must have at most 50 items"),
    ],
)
def test_a_refusal_says_what_would_do(driver: Driver, members: dict[str, Any], reason: str) -> None:
    answer = make(driver, **{"code": "WELCOME", **members})

    assert [each["reason"] for each in answer["errors"]] == [reason]


def test_codes_are_listed_by_name_in_pages(driver: Driver) -> None:
    names = [f"CODE-{number:02d}" for number in range(7)]
    for name in reversed(names):
        make(driver, name)

    found: list[str] = []
    query = {"limit": "3"}
    while True:
        page = codes(driver, **query)
        found += [each["code"] for each in page["codes"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "3", "cursor": page["next_cursor"]}

    assert found == names
    assert codes(driver, cursor="nonsense!").status == 422


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("who", ["user_1", "user_2"])
def test_two_who_redeem_at_the_same_moment_are_both_judged_on_what_is_there(
    driver: Driver, faults: FaultyClient, place: int, who: str
) -> None:
    make(driver, most_redemptions=1)
    second: list[Answered] = []
    faults.forget()
    faults.before[place] = lambda: second.append(redeem(driver, account=who, key="other"))

    first = redeem(driver)
    if not second:
        second.append(redeem(driver, account=who, key="other"))

    assert sorted([first.status, second[0].status]) == [201, 409]
    assert first["code"] != "busy" if first.status == 409 else True
    found = read_code(wiring.world(), "WELCOME")
    assert found is not None and found.redemptions == 1


def test_ten_who_redeem_at_the_same_moment_all_have_the_credits(
    driver: Driver, faults: FaultyClient
) -> None:
    make(driver)
    waiting = [f"user_{number}" for number in range(2, 6)]

    def another() -> None:
        if waiting:
            faults.forget()
            faults.before[2] = another
            assert redeem(driver, account=waiting.pop()).status == 201

    faults.forget()
    faults.before[2] = another
    assert redeem(driver).status == 201

    assert codes(driver)["codes"][0]["redemptions"] == 5 - len(waiting)


@pytest.mark.parametrize("fault", [CONFLICT, LOST_BEFORE, LOST_AFTER])
@pytest.mark.parametrize("place", range(6))
def test_a_fault_at_any_call_is_healed_by_the_same_key(
    driver: Driver, faults: FaultyClient, fault: str, place: int
) -> None:
    make(driver)
    faults.forget()
    faults.plan[place] = fault

    first = redeem(driver)
    faults.forget()
    again = redeem(driver)

    assert first.status in (201, 503) and again.status == 201
    assert available(driver) == 20
    assert codes(driver)["codes"][0]["redemptions"] == 1
    verify_ledger(driver, "user_1")
