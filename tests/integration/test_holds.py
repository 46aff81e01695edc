"""Holds through the real handlers: each step once, late calls, and changes under way."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Answered, Driver, FakeClock, verify_ledger
from tests.support.forgetting import forget
from tollkeeper.edge import wiring

D = Decimal
EXTEND = "POST /v1/holds/{hold_id}/extend"
LIMITS = "PUT /v1/accounts/{id}/limits"
PLAN = "PUT /v1/accounts/{id}/plan"
U = "user_1"


def extend(driver: Driver, hold_id: str, seconds: int, key: str) -> Answered:
    """The hold open for so long from now."""
    body = {"account": U, "expires_in_s": seconds}
    return driver.call(EXTEND, body, path={"hold_id": hold_id}, key=key)


def limit(driver: Driver, **limits: object) -> Answered:
    """The account's limits."""
    return driver.call(LIMITS, limits, path={"id": U})


def find_nothing(*_: object) -> None:
    """A price version that is not stored."""


def kinds(driver: Driver) -> list[str]:
    """The kinds of the account's rows."""
    return [entry["kind"] for entry in driver.entries(U)]


def is_sound(driver: Driver, account: str = U) -> None:
    """Once time is applied, a replay explains the balance, and verify finds nothing."""
    assert driver.grant(account, 1, key="touch").status == 201
    verify_ledger(driver, account)
    verified = driver.call("GET /v1/verify/{id}", path={"id": account})
    assert verified["is_clean"] is True, verified.text


# ---- Each step once


def test_a_hold_is_settled_at_what_was_used_and_the_rest_is_back(driver: Driver) -> None:
    held = driver.hold(U, "ai_tokens", "run_7", model="gpt-4", estimate=10)
    listed = driver.account(U)["holds"]
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    settled = driver.settle(U, "run_7", usage=usage, response_time_ms=812, metadata={"n": 1})

    assert (held.status, held["key"], D(held["available"])) == (201, "h~run_7~open", 5)
    assert held["expires_at"] == "2026-11-20T12:15:00+00:00"
    assert held.headers["x-credits-available"] == f"5;seq={held['seq']}"
    assert [(each["hold_id"], D(each["held"]), each["model"]) for each in listed] == [
        ("run_7", 10, "gpt-4")
    ]
    assert (settled.status, settled["key"], settled["late"]) == (200, "h~run_7~settle", False)
    assert (D(settled["charged"]), D(settled["released"])) == (D("1.5"), D("8.5"))
    assert (D(settled["available"]), D(settled["held"])) == (D("13.5"), 0)
    assert driver.account(U)["holds"] == []
    row = driver.call(
        "GET /v1/accounts/{id}/entries/{key}", path={"id": U, "key": "h~run_7~settle"}
    )
    assert (row["hold_id"], row["response_time_ms"], row["metadata"]) == ("run_7", 812, {"n": 1})
    assert row["tokens"] == {"input": 20, "output": 5}
    is_sound(driver)


def test_a_hold_without_a_size_is_of_the_operations_typical_size(driver: Driver) -> None:
    driver.grant(U, 100)

    held = driver.hold(U, "ai_tokens", "run_7", model="gpt-4")

    assert D(held["required"]) == D(driver.check(U, "ai_tokens", model="gpt-4")["required"]) == 60


def test_every_step_again_is_its_first_answer_again(driver: Driver, clock: FakeClock) -> None:
    steps = [
        lambda: driver.hold(U, "voice_call", "run_7", estimate=5),
        lambda: extend(driver, "run_7", 3600, "longer"),
        lambda: driver.settle(U, "run_7", key="part", amount=1),
        lambda: driver.settle(U, "run_7", amount=2),
        lambda: driver.hold(U, "voice_call", "run_8", estimate=5),
        lambda: driver.release(U, "run_8", reason="it failed"),
    ]
    first = [step() for step in steps]
    clock.forward(days=40)
    rows = driver.entries(U)

    again = [step() for step in steps]

    assert [answer.status for answer in first] == [201, 200, 200, 200, 201, 200]
    assert [answer.body for answer in again] == [answer.body for answer in first]
    assert all(answer.headers["idempotency-replayed"] == "true" for answer in again)
    assert driver.entries(U) == rows
    is_sound(driver)


def test_the_same_id_for_another_call_is_refused_and_so_is_another_settle(driver: Driver) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=5)
    other = driver.hold(U, "voice_call", "run_7", estimate=6)
    driver.settle(U, "run_7", amount=2)
    before = driver.account(U).body
    others = [
        other,
        driver.settle(U, "run_7", amount=3),
        driver.hold(U, "voice_call", "run_7", estimate=5, expires_in_s=60),
    ]

    for answer in others:
        assert (answer.status, answer["code"]) == (422, "idempotency_mismatch"), answer.text
    assert driver.account(U).body == before


def test_the_id_is_the_key_wherever_it_is_said(driver: Driver) -> None:
    body = {"account": U, "operation": "voice_call", "estimate": 5}

    by_key = driver.call("POST /v1/holds", body, key="run_7")
    by_both = driver.call("POST /v1/holds", body | {"hold_id": "run_7"}, key="run_7")
    by_id = driver.call("POST /v1/holds", body | {"hold_id": "run_7"})

    assert by_key.status == 201
    assert by_both.body == by_id.body == by_key.body


def test_a_hold_that_is_closed_says_how_and_changes_nothing(
    driver: Driver, clock: FakeClock
) -> None:
    for number in range(3):
        driver.hold(U, "voice_call", f"run_{number}", estimate=2, expires_in_s=60)
    driver.settle(U, "run_0", amount=1)
    driver.release(U, "run_1")
    clock.forward(seconds=60)

    asked = {
        ("settled", "release"): driver.release(U, "run_0"),
        ("settled", "extend"): extend(driver, "run_0", 60, "e0"),
        ("settled", "part"): driver.settle(U, "run_0", key="p0", amount=1),
        ("released", "settle"): driver.settle(U, "run_1", amount=1),
        ("released", "extend"): extend(driver, "run_1", 60, "e1"),
        ("expired", "release"): driver.release(U, "run_2"),
        ("expired", "extend"): extend(driver, "run_2", 60, "e2"),
        ("expired", "part"): driver.settle(U, "run_2", key="p2", amount=1),
    }

    for (state, step), answer in asked.items():
        found = (answer.status, answer["code"], answer["state"])
        assert found == (409, "hold_closed", state), (state, step, answer.text)
    assert D(driver.account(U)["available"]) == 14
    is_sound(driver)


def test_a_hold_that_nobody_opened_and_one_of_another_account_are_not_there(
    driver: Driver,
) -> None:
    driver.hold("user_2", "voice_call", "theirs", estimate=2)
    driver.grant(U, 1)

    for hold_id in ("theirs", "nobodys"):
        for answer in (
            driver.settle(U, hold_id, amount=1),
            driver.release(U, hold_id),
            extend(driver, hold_id, 60, f"e-{hold_id}"),
        ):
            assert (answer.status, answer["code"]) == (404, "not_found"), answer.text
    assert driver.settle("nobody", "theirs", amount=1).status == 404
    assert D(driver.account("user_2")["held"]) == 2


# ---- Late


@pytest.mark.parametrize("is_touched", [True, False], ids=["after the roll", "in the same roll"])
def test_s0_02_a_settle_40_minutes_late_is_charged_once_and_marked(
    driver: Driver, clock: FakeClock, is_touched: bool
) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=5)
    clock.forward(minutes=40)
    if is_touched:
        driver.deduct(U, "sms", "between")
    before = D(driver.account(U)["available"])

    late = driver.settle(U, "run_7", quantity=3)
    again = driver.settle(U, "run_7", quantity=3)
    other = driver.settle(U, "run_7", quantity=4)

    assert (late.status, late["late"], D(late["charged"])) == (200, True, 3)
    assert "late" in [warning["code"] for warning in late["warnings"]]
    assert D(late["available"]) == before - 3
    assert (again.body, again.headers["idempotency-replayed"]) == (late.body, "true")
    assert (other.status, other["code"]) == (422, "idempotency_mismatch")
    assert kinds(driver).count("hold_expired") == kinds(driver).count("settle") == 1
    is_sound(driver)


def test_a_month_late_is_late_too_and_counts_now(driver: Driver, clock: FakeClock) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=5)
    clock.forward(days=40)

    late = driver.settle(U, "run_7", quantity=3)

    assert (late["late"], D(late["available"])) == (True, 12)
    assert D(driver.account(U)["windows"][0]["spent"]) == 3
    is_sound(driver)


# ---- Policies, bounds and standings


@pytest.mark.parametrize(
    ("policy", "status", "charge", "available", "uncollected"),
    [
        ("charge_available", 200, 15, 0, 5),
        ("debt", 200, 20, -5, 0),
        ("reject", 409, None, 10, None),
    ],
)
def test_a_settle_above_its_hold_goes_as_the_plan_says(
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    policy: str,
    status: int,
    charge: int | None,
    available: int,
    uncollected: int | None,
) -> None:
    terms = f'overdraft = 0\nsettle_above_hold = "{policy}"'
    use_catalog(monkeypatch, tmp_path, ("overdraft = 0", terms))
    driver.hold(U, "voice_call", "run_7", estimate=5)

    answer = driver.settle(U, "run_7", quantity=20)

    assert answer.status == status, answer.text
    assert D(driver.account(U)["available"]) == available
    if charge is not None:
        assert (D(answer["charged"]), D(answer["uncollected"])) == (charge, uncollected)
        assert "above_hold" in [warning["code"] for warning in answer["warnings"]]
    else:
        assert answer["code"] == "settle_above_hold"
        assert driver.settle(U, "run_7", quantity=5).status == 200
    is_sound(driver)


def test_twenty_holds_are_open_at_once_and_the_next_has_to_wait(
    driver: Driver, clock: FakeClock
) -> None:
    driver.grant(U, 100)
    for number in range(20):
        assert driver.hold(U, "sms", f"run_{number}", expires_in_s=60).status == 201

    refused = driver.hold(U, "sms", "one_more")
    clock.forward(seconds=60)

    assert (refused.status, refused["code"]) == (429, "hold_limit")
    assert refused.headers["retry-after"] == "1"
    assert driver.hold(U, "sms", "one_more").status == 201


def test_a_hold_is_extended_at_most_ten_times(driver: Driver) -> None:
    driver.hold(U, "sms", "run_7")
    statuses = [extend(driver, "run_7", 60 * n, f"e{n}").status for n in range(15, 26)]

    assert statuses == [200] * 10 + [409]
    assert extend(driver, "run_7", 60, "one-more")["code"] == "extend_limit"


def test_a_frozen_account_holds_nothing_new_and_pays_for_what_is_under_way(driver: Driver) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=5)
    driver.call("POST /v1/accounts/{id}/freeze", {"reason": "r"}, path={"id": U}, key="f")

    refused = driver.hold(U, "sms", "run_8")
    settled = driver.settle(U, "run_7", quantity=2)

    assert (refused.status, refused["code"]) == (403, "account_frozen")
    assert D(settled["charged"]) == 2


def test_of_holds_of_75_on_500_exactly_six_are_granted(driver: Driver) -> None:
    driver.grant(U, 485)

    statuses = [driver.hold(U, "voice_call", f"run_{n}", estimate=75).status for n in range(20)]

    assert statuses == [201] * 6 + [402] * 14
    assert D(driver.account(U)["held"]) == 450


def test_a_stream_that_dies_midway_is_charged_what_came_and_the_rest_is_back(
    driver: Driver, clock: FakeClock
) -> None:
    driver.hold(U, "ai_tokens", "run_7", model="gpt-4", estimate=12)
    parts = [driver.settle(U, "run_7", key=f"part_{n}", usage={"output": 50}) for n in range(3)]
    clock.forward(minutes=15)

    account = driver.account(U)

    assert [(D(part["charged"]), D(part["held"]), part["final"]) for part in parts] == [
        (3, 9, False),
        (3, 6, False),
        (3, 3, False),
    ]
    assert (D(account["available"]), D(account["held"])) == (6, 0)
    stats = driver.stats(U)["totals"]
    assert (stats["calls"], D(stats["credits"]), stats["tokens"]) == (1, 9, {"output": 150})
    is_sound(driver)


# ---- Time and plans under an open hold


def test_a_reset_and_a_plan_change_leave_an_open_hold_its_credits(
    driver: Driver, clock: FakeClock
) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=10, expires_in_s=86400)
    driver.call(PLAN, {"plan": "pro"}, path={"id": U}, key="p")
    changed = driver.account(U)
    for number in range(11):
        clock.forward(hours=23)
        if number < 10:
            assert extend(driver, "run_7", 86400, f"e{number}").status == 200

    settled = driver.settle(U, "run_7", quantity=4)

    assert (D(changed["available"]), D(changed["held"])) == (50, 10)
    assert clock.now().month == 12
    assert (D(settled["charged"]), D(settled["released"]), D(settled["expired"])) == (4, 6, 6)
    assert D(settled["available"]) == 50
    is_sound(driver)


def test_s3_20_a_voided_settle_leaves_everything_as_before(driver: Driver) -> None:
    driver.deduct(U, "sms", "k0")
    before = driver.account(U).body
    stats = driver.stats(U, group_by="operation").body
    driver.hold(U, "script_generation", "run_7")
    driver.settle(U, "run_7", quantity=1)

    answer = driver.void(U, "h~run_7~settle", "v1")
    again = driver.void(U, "h~run_7~settle", "v2")

    assert (answer.status, D(answer["refunded"])) == (200, 1)
    assert (again.status, again["code"]) == (409, "already_refunded")
    after = driver.account(U).body
    changing = ("seq", "updated_at", "totals")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert driver.stats(U, group_by="operation").body == stats
    is_sound(driver)


# ---- Prices that change between hold and settle


def test_a_settle_is_priced_as_its_hold_was_and_the_old_prices_are_read_from_the_table(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = driver.hold(U, "voice_call", "run_7", estimate=10)
    use_catalog(
        monkeypatch, tmp_path, ('unit = "minute"\ncredits = 1', 'unit = "minute"\ncredits = 4')
    )
    forget()

    new = driver.deduct(U, "voice_call", "k1", quantity=1)
    settled = driver.settle(U, "run_7", quantity=3)

    assert (D(new["charged"]), D(settled["charged"])) == (4, 3)
    assert settled["price_version"] == held["price_version"] != new["price_version"]
    is_sound(driver)


def test_a_late_settle_and_a_part_are_priced_as_the_hold_was(
    driver: Driver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=5)
    driver.hold(U, "voice_call", "run_8", estimate=5)
    use_catalog(
        monkeypatch, tmp_path, ('unit = "minute"\ncredits = 1', 'unit = "minute"\ncredits = 4')
    )
    forget()

    part = driver.settle(U, "run_7", key="p1", quantity=2)
    clock.forward(minutes=40)
    late = driver.settle(U, "run_8", quantity=3)

    assert (D(part["charged"]), D(late["charged"]), late["late"]) == (2, 3, True)


def test_a_settle_whose_prices_are_not_stored_waits_and_is_never_priced_otherwise(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = driver.hold(U, "voice_call", "run_7", estimate=10)["price_version"]
    use_catalog(
        monkeypatch, tmp_path, ('unit = "minute"\ncredits = 1', 'unit = "minute"\ncredits = 4')
    )
    forget()
    monkeypatch.setattr("tollkeeper.service.pinning.read_version", find_nothing)
    before = driver.account(U).body

    refused = driver.settle(U, "run_7", quantity=3)

    assert (refused.status, refused["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "1"
    assert driver.account(U).body == before
    monkeypatch.undo()
    assert version


def test_a_release_needs_no_prices(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver.hold(U, "voice_call", "run_7", estimate=10)
    use_catalog(
        monkeypatch, tmp_path, ('unit = "minute"\ncredits = 1', 'unit = "minute"\ncredits = 4')
    )
    forget()
    monkeypatch.setattr("tollkeeper.service.pinning.read_version", find_nothing)

    assert D(driver.release(U, "run_7")["released"]) == 10


def test_an_old_catalog_is_read_once_and_kept(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = driver.hold(U, "voice_call", "run_7", estimate=10)["price_version"]
    use_catalog(
        monkeypatch, tmp_path, ('unit = "minute"\ncredits = 1', 'unit = "minute"\ncredits = 4')
    )
    forget()

    driver.settle(U, "run_7", key="p1", quantity=1)

    assert set(wiring.world().pinned) == {version}
    monkeypatch.setattr("tollkeeper.service.pinning.read_version", find_nothing)
    assert D(driver.settle(U, "run_7", quantity=1)["charged"]) == 1
