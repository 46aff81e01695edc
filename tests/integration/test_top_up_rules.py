"""The rule by which an account tops itself up, over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger
from tests.support.faults import FaultyClient
from tests.support.top_ups import ACCOUNT, RULE, TOP_UP, put, seen
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.top_ups import FORGOTTEN_AFTER, REPEAT_FOR
from tollkeeper.edge import wiring


def test_a_rule_is_shown_as_it_was_set_and_a_replay_says_the_same(driver: Driver) -> None:
    first = put(driver, key="p1", return_url="http://localhost:3000/confirmed")

    rule = first["top_up"]
    assert (rule["pack"], rule["below"], rule["most_purchases"]) == ("pro", 20, 3)
    assert (rule["monthly_cap"], rule["price"], rule["currency"]) == ("150.00", "50.00", "usd")
    assert (rule["on"], rule["return_url"]) == (True, "http://localhost:3000/confirmed")
    put(driver, on=False)
    again = put(driver, key="p1", return_url="http://localhost:3000/confirmed")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body == first.body
    assert seen(driver)["top_up"]["on"] is False


def test_a_rule_that_is_so_already_is_unchanged(driver: Driver) -> None:
    put(driver)

    again = put(driver)

    assert again["changed"] is False and again["top_up"]["pack"] == "pro"
    assert len([e for e in driver.entries(ACCOUNT) if e["kind"] == "top_up"]) == 1


def test_rows_ask_for_a_top_up_while_the_rule_is_on(driver: Driver) -> None:
    route = "GET /v1/accounts/{id}/entries/{key}"

    def alerts(key: str) -> list[str]:
        driver.deduct(ACCOUNT, "sms", key)
        return driver.call(route, path={"id": ACCOUNT, "key": key})["alerts"]

    put(driver)
    assert "top_up" in alerts("k1")
    put(driver, on=False)
    assert "top_up" not in alerts("k2")


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"pack": "huge"}, "pack"),
        ({"below": 0}, "below"),
        ({"monthly_cap": "49.99"}, "monthly_cap"),
        ({"monthly_cap": "50.001"}, "monthly_cap"),
        ({"most_purchases": 0}, "most_purchases"),
        ({"on": "yes"}, "on"),
        ({"return_url": "https://evil.example.com"}, "return_url"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    driver: Driver, changes: dict[str, Any], member: str
) -> None:
    answer = put(driver, **changes)

    assert answer.status == 422
    assert [each["member"] for each in answer["errors"]] == [member]
    assert seen(driver)["top_up"] is None


def test_a_closed_account_and_a_budget_get_no_rule(driver: Driver) -> None:
    driver.grant(ACCOUNT, 100)
    driver.call(
        "POST /v1/accounts/{id}/budgets",
        {"budget": "team_1", "amount": 5},
        path={"id": ACCOUNT},
        key="b1",
    )
    assert driver.call(f"PUT {TOP_UP}", RULE, path={"id": "team_1"}).status == 422
    driver.call("POST /v1/accounts/{id}/close", {"reason": "r"}, path={"id": ACCOUNT}, key="c1")
    assert put(driver).status == 403


def test_two_rules_at_the_same_moment_are_both_in_the_ledger_and_the_last_one_holds(
    driver: Driver, faults: FaultyClient
) -> None:
    put(driver)
    for place in range(6):
        faults.forget()
        faults.before[place] = lambda place=place: put(driver, below=30 + place)
        assert put(driver, below=20 + place * 0.5).status == 200
    faults.forget()

    view, account = (
        seen(driver),
        wiring.world().ledger.read_account(AccountId(ACCOUNT), is_strong=True),
    )
    assert account is not None
    below = account.top_up_below_microcredits
    assert below is not None
    assert view["top_up"]["below"] * 1_000_000 == below
    verify_ledger(driver, ACCOUNT)


def test_a_day_has_passed_before_anything_is_forgotten() -> None:
    assert REPEAT_FOR < timedelta(hours=24) < FORGOTTEN_AFTER
