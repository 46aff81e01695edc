"""The balance, and one entry explained, through the real handlers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Answered, Driver, FakeClock, verify_ledger
from tests.support.dumping import dump_table

pytestmark = pytest.mark.moto

D = Decimal


def entry(driver: Driver, account: str, key: str) -> Answered:
    """One row, explained."""
    route = "GET /v1/accounts/{id}/entries/{key}"
    return driver.call(route, path={"id": account, "key": key})


def command(driver: Driver, name: str, body: dict[str, Any], key: str = "c1") -> Answered:
    """An operator's command for user_1."""
    method = "PUT" if name in ("plan", "profile") else "POST"
    route = f"{method} /v1/accounts/{{id}}/{name}"
    return driver.call(route, body, path={"id": "user_1"}, key=key)


# ---- The balance


def test_a_new_account_is_shown_as_its_first_touch_would_open_it(driver: Driver) -> None:
    answer = driver.account("ada")

    assert answer.status == 200
    assert (D(answer["available"]), D(answer["spendable"]), answer["status"]) == (15, 15, "active")
    assert answer["plan"]["id"] == "free"
    assert [D(grant["remaining"]) for grant in answer["grants"]] == [15]
    assert answer["features"] == [
        {"feature": "script_generation", "used": 0, "limit": 3},
        {"feature": "voice_creation", "used": 0, "limit": 1},
        {"feature": "video_processing", "used": 0, "limit": 2},
    ]


def test_reading_a_new_account_writes_nothing(driver: Driver) -> None:
    driver.account("ada")
    driver.check("ada", "sms")
    driver.stats("ada")

    assert driver.entries("ada") == []
    assert dump_table() == {}


def test_the_first_touch_finds_the_balance_that_was_shown(driver: Driver) -> None:
    before = driver.account("ada")

    driver.deduct("ada", "sms", "k1")

    after = driver.account("ada")
    assert D(before["available"]) - D(after["available"]) == 1
    assert (after["plan"]["period_end"], after["zone"]) == (before["plan"]["period_end"], "UTC")


def test_where_accounts_do_not_open_by_themselves_a_new_one_is_404(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_catalog(monkeypatch, tmp_path, ("auto_open = true", "auto_open = false"))

    answers = {
        "account": driver.account("ada"),
        "stats": driver.stats("ada"),
        "entries": driver.call("GET /v1/accounts/{id}/entries", path={"id": "ada"}),
        "entry": entry(driver, "ada", "k1"),
        "check": driver.check("ada", "sms"),
        "deduct": driver.deduct("ada", "sms", "k1"),
        "void": driver.void("ada", "k1", "k2"),
    }

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert {answer["code"] for answer in answers.values()} == {"not_found"}
    assert not any(pk.startswith("A#") for pk, _ in dump_table())


def test_where_accounts_do_not_open_by_themselves_an_operator_opens_them(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_catalog(monkeypatch, tmp_path, ("auto_open = true", "auto_open = false"))
    driver.grant("ada", 10)

    assert D(driver.account("ada")["available"]) == 25
    assert driver.deduct("ada", "sms", "k1").status == 200
    assert driver.stats("ada").status == 200


def test_s0_04_every_answer_says_the_balance_after_it(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k0")
    charged = driver.deduct("user_1", "ai_response", "k1")
    voided = driver.void("user_1", "k1", "v1")
    granted = driver.grant("user_1", "0.5", "g1")
    shown = driver.account("user_1")

    for answer, available, seq in ((charged, 12, 3), (voided, 14, 4), (granted, D("14.5"), 5)):
        assert (D(answer["available"]), answer["seq"]) == (available, seq)
        assert answer.headers["x-credits-available"] == f"{available};seq={seq}"
    assert shown.headers["x-credits-available"] == "14.5;seq=5"
    assert D(shown["available"]) == D("14.5")


def test_s2_05_the_account_says_what_its_period_used_and_when_it_was_last_changed(
    driver: Driver, clock: FakeClock
) -> None:
    command(driver, "plan", {"plan": "pro"}, "p1")
    driver.deduct("user_1", "ai_response", "k1")
    clock.forward(hours=2)
    driver.deduct("user_1", "sms", "k2")

    answer = driver.account("user_1")

    assert (answer["account"], D(answer["plan"]["used"])) == ("user_1", 3)
    assert answer["plan"]["period_end"] == "2026-12-01T00:00:00+00:00"
    assert answer["updated_at"].startswith("2026-11-20T14:00")


@pytest.mark.parametrize(("plan", "allocation"), [("free", 15), ("starter", 25), ("pro", 50)])
def test_s2_08_remaining_is_allocation_less_what_this_period_used(
    driver: Driver, plan: str, allocation: int
) -> None:
    command(driver, "plan", {"plan": plan}, "p1")
    used = D(0)
    for number, operation in enumerate(("sms", "ai_response", "script_generation")):
        driver.deduct("user_1", operation, f"k{number}")

        answer = driver.account("user_1")
        used = D(answer["plan"]["used"])
        assert D(answer["plan"]["allocation"]) == allocation
        assert D(answer["available"]) == allocation - used
    assert used == 4


def test_s3_08_the_account_says_what_was_purchased_spent_and_is_there(
    driver: Driver, bought: str
) -> None:
    driver.grant("user_1", 100, kind="pack")
    driver.deduct("user_1", "bundle_creation", "k1")
    driver.call(
        "POST /v1/accounts/{id}/refunds",
        {"key": "k1", "amount": 10, "reason": "half done"},
        path={"id": "user_1"},
        key="r1",
    )

    totals = driver.account("user_1")["totals"]

    assert bought, "an open checkout buys nothing yet"
    assert {name: D(amount) for name, amount in totals.items()} == {
        "granted": 115,
        "purchased": 100,
        "spent": 40,
        "expired": 0,
        "refunded": 11,
        "transferred_in": 0,
        "transferred_out": 0,
        "uncollected": 0,
        "clawed_back": 0,
    }
    verify_ledger(driver, "user_1")


def test_debt_is_shown_and_the_next_credits_pay_it(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_catalog(monkeypatch, tmp_path, ("overdraft = 0", "overdraft = 5"))

    charged = driver.deduct("user_1", "sms", "k1", quantity=18)
    shown = driver.account("user_1")
    granted = driver.grant("user_1", 10)

    assert (charged.status, D(charged["available"]), D(charged["debt"])) == (200, -3, 3)
    assert charged.headers["x-credits-available"] == "-3;seq=2"
    assert (D(shown["available"]), D(shown["spendable"]), D(shown["debt"])) == (-3, 2, 3)
    assert (D(granted["available"]), D(granted["debt"])) == (7, 0)
    first, second = entry(driver, "user_1", "k1"), entry(driver, "user_1", "g1")
    assert (D(first["debt"]), D(first["debt_change"])) == (3, 3)
    assert (D(second["debt"]), D(second["debt_change"])) == (0, -3)
    assert driver.deduct("user_1", "sms", "k2", quantity=13).status == 402
    verify_ledger(driver, "user_1")


def test_windows_count_the_day_the_month_and_the_period(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1")
    clock.forward(days=1)
    driver.deduct("user_1", "ai_response", "k2")

    windows = {window["window"]: window for window in driver.account("user_1")["windows"]}

    assert {name: D(window["spent"]) for name, window in windows.items()} == {
        "day": 2,
        "month": 3,
        "period": 3,
    }
    assert windows["day"]["resets_at"] == "2026-11-22T00:00:00+00:00"
    assert windows["month"]["resets_at"] == "2026-12-01T00:00:00+00:00"
    clock.forward(days=30)
    later = {window["window"]: D(window["spent"]) for window in driver.account("user_1")["windows"]}
    assert later == {"day": 0, "month": 0, "period": 0}


def test_s2_11_a_low_balance_is_warned_of_at_five_credits(driver: Driver) -> None:
    seen: list[tuple[int, list[str]]] = []
    for number in range(4):
        answer = driver.deduct("user_1", "sms", f"k{number}", quantity=3)
        account = driver.account("user_1")
        assert account["warnings"] == answer["warnings"]
        seen.append((int(answer["available"]), [w["code"] for w in answer["warnings"]]))

    assert seen == [(12, []), (9, []), (6, []), (3, ["low_balance"])]


def test_an_account_is_shown_in_its_own_zone(driver: Driver) -> None:
    command(driver, "profile", {"zone": "Asia/Tokyo", "name": "Ada\nLovelace"})

    answer = driver.account("user_1")

    assert (answer["zone"], answer["name"]) == ("Asia/Tokyo", "Ada\nLovelace")
    assert answer["plan"]["period_end"] == "2026-12-01T00:00:00+09:00"
    assert answer["windows"][0]["resets_at"] == "2026-11-21T00:00:00+09:00"


@pytest.mark.parametrize("account", ["auth0|65f0", "user_2aBcDeFgHiJ", "a.b:c@d-e", "x" * 128, "A"])
def test_the_ids_of_auth_providers_fit(driver: Driver, account: str) -> None:
    assert driver.deduct(account, "sms", "k1").status == 200

    assert driver.account(account)["account"] == account
    assert [row["key"] for row in driver.entries(account)][1:] == ["k1"]


# ---- One entry explained


def test_a_charge_says_what_it_cost_and_which_grants_paid(driver: Driver) -> None:
    driver.grant("user_1", 1, "g1")
    driver.deduct(
        "user_1",
        "ai_tokens",
        "k1",
        model="gpt-4",
        usage={"input": 20, "output": 5},
        feature="chat",
        service="openai",
        subtype="pdf",
        response_time_ms=812,
        occurred_at="2026-11-20T11:59:58.123+00:00",
        metadata={"character": "Ada", "temperature": D("0.7"), "deep": {"n": [1, None, True]}},
    )

    answer = entry(driver, "user_1", "k1")

    assert answer.status == 200
    moved = [(draw["kind"], D(draw["amount"])) for draw in answer["grants_moved"]]
    assert moved == [("promo", 1), ("plan", D("0.5"))]
    assert (D(answer["delta"]), D(answer["amount"]), D(answer["charged"])) == (
        D("-1.5"),
        D("1.5"),
        D("1.5"),
    )
    assert answer["breakdown"] == [
        {"item": "gpt-4 tokens", "quantity": 25, "rate": "60/1000", "credits": D("1.5")}
    ]
    assert (answer["tokens"], answer["quantity"]) == ({"input": 20, "output": 5}, None)
    assert (answer["feature"], answer["service"], answer["subtype"]) == (
        "chat/pdf",
        "openai",
        "pdf",
    )
    assert (answer["response_time_ms"], answer["actor"]) == (812, "service:test")
    assert answer["occurred_at"] == "2026-11-20T11:59:58.123000+00:00"
    assert answer["metadata"] == {
        "character": "Ada",
        "temperature": D("0.7"),
        "deep": {"n": [1, None, True]},
    }
    assert len(answer["price_version"]) > 8
    assert (answer["refers_to"], answer["returned_by"]) == (None, None)


def test_a_charge_and_its_void_name_each_other(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")
    driver.void("user_1", "k1", "v1")

    charge, void = entry(driver, "user_1", "k1"), entry(driver, "user_1", "v1")

    assert (charge["refers_to"], charge["returned_by"]) == (None, "v1")
    assert (void["refers_to"], void["returned_by"]) == ("k1", None)
    assert void["grants_moved"] == charge["grants_moved"]


def test_a_refund_says_how_much_why_and_by_whom(driver: Driver) -> None:
    driver.deduct("user_1", "ai_response", "k1")
    command(driver, "refunds", {"key": "k1", "amount": "0.5", "reason": "slow"}, "r1")

    refund = entry(driver, "user_1", "r1")

    assert (refund["kind"], D(refund["delta"]), refund["reason"]) == ("refund", D("0.5"), "slow")
    assert (refund["refers_to"], refund["actor"]) == ("k1", "service:test")
    assert entry(driver, "user_1", "k1")["returned_by"] == "r1"


def test_a_grant_says_what_it_gave(driver: Driver) -> None:
    driver.grant("user_1", 10, "g1", priority=7, expires_at="2027-01-01T00:00:00Z")

    answer = entry(driver, "user_1", "g1")

    assert (answer["kind"], answer["reason"]) == ("grant", "test")
    assert answer["grant"] == {
        "id": "g2",
        "kind": "promo",
        "amount": 10,
        "remaining": 10,
        "priority": 7,
        "effective_at": "2026-11-20T12:00:00+00:00",
        "expires_at": "2027-01-01T00:00:00+00:00",
    }


def test_every_listed_key_can_be_looked_up(driver: Driver, clock: FakeClock) -> None:
    driver.deduct("user_1", "sms", "k1", success=False)
    driver.grant("user_1", 5, "g1", expires_at="2026-11-30T00:00:00Z")
    command(driver, "plan", {"plan": "pro"}, "p1")
    command(driver, "freeze", {"reason": "r"}, "f1")
    command(driver, "adjustments", {"amount": "-1", "reason": "r"}, "a1")
    clock.forward(days=30)
    command(driver, "unfreeze", {"reason": "r"}, "u1")

    rows = driver.entries("user_1")

    assert any("~" in row["key"] for row in rows)
    for row in rows:
        answer = entry(driver, "user_1", row["key"])
        assert answer.status == 200, row["key"]
        assert {name: answer[name] for name in row} == row


def test_an_entry_of_another_account_is_404(driver: Driver) -> None:
    driver.deduct("user_1", "sms", "k1")
    driver.deduct("user_2", "sms", "k2")

    for account, key in (("user_2", "k1"), ("user_1", "k2"), ("nobody", "k1"), ("user_1", "g1")):
        answer = entry(driver, account, key)
        assert (answer.status, answer["code"]) == (404, "not_found")
