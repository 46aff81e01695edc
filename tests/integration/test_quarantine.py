"""A model that nobody has a price for is charged, listed, and corrected once it has one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.deploying import OVERRIDE, deploy
from tests.support.driving import Answered, Driver, verify_ledger
from tollkeeper.edge.pages import read_place, show_place
from tollkeeper.service import part_lists
from tollkeeper.store.keys import WAITING_SHARDS, waiting_shard

USAGE = {"prompt_tokens": 1000, "completion_tokens": 500}
NEW = {"id": "gpt-9", "rates": {"input": "2", "output": "8"}}


@pytest.fixture
def stack(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Driver:
    """A stack that quarantines what it does not know; user_1 has 115 credits."""
    deploy(monkeypatch, tmp_path / "first")
    driver.grant("user_1", 100)
    return driver


def ran(driver: Driver, key: str, model: str = "gpt-9", account: str = "user_1") -> Answered:
    """A charge of a run on that model."""
    return driver.deduct(account, "llm", key, model=model, usage=USAGE)


def rerate(driver: Driver, charge: str, key: str = "r1", account: str = "user_1") -> Answered:
    """The charge priced anew."""
    route = "POST /v1/accounts/{id}/entries/{key}/rerate"
    body = {"reason": "gpt-9 has a price"}
    return driver.call(route, body, path={"id": account, "key": charge}, key=key)


def waiting(driver: Driver, **query: str) -> list[str]:
    """The keys of all that waits, page by page."""
    found: list[str] = []
    while True:
        page = driver.call("GET /v1/quarantine", query=query)
        assert page.status == 200, page.text
        found += [each["key"] for each in page["charges"]]
        if page["next_cursor"] is None:
            return found
        query = {**query, "cursor": page["next_cursor"]}


def entry(driver: Driver, key: str, account: str = "user_1") -> Answered:
    """The row explained."""
    return driver.call("GET /v1/accounts/{id}/entries/{key}", path={"id": account, "key": key})


def verified(driver: Driver, account: str = "user_1") -> None:
    """The ledger explains every credit, row by row and by the deployed audit."""
    verify_ledger(driver, account)
    answer = driver.call("GET /v1/verify/{id}", path={"id": account})
    assert answer["is_clean"], answer.text


def test_an_unknown_model_is_charged_as_a_named_pending_entry(stack: Driver) -> None:
    answer = ran(stack, "m1")

    row = entry(stack, "m1")
    assert (answer.status, answer["charged"] > 0) == (200, True)
    assert {"unknown_model_quarantined"} <= {each["code"] for each in answer["warnings"]}
    assert (row["pending"], row["model"], row["rerated_by"]) == ("unknown_model", "gpt-9", None)
    assert row["stands_for"] == "gpt-5"
    assert row["computation"]["agrees"] is True
    assert waiting(stack) == ["m1"]
    verified(stack)


def test_it_is_corrected_once_its_model_has_a_price(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    charged = ran(stack, "m1")["charged"]
    before = stack.account("user_1")["available"]
    deploy(monkeypatch, tmp_path / "second", NEW)

    answer = rerate(stack, "m1")

    # 1,000 input at 2 and 500 output at 8 USD a million, times 1.5, at a cent a credit
    right = (Decimal(1000) * 2 + Decimal(500) * 8) / 10**6 * Decimal("1.5") / Decimal("0.01")
    assert answer.status == 200, answer.text
    assert (answer["before"], answer["price"], answer["taken"]) == (charged, right, 0)
    assert answer["returned"] == charged - right
    assert answer["cost_usd"] == "0.006"
    assert stack.account("user_1")["available"] == before + charged - right
    assert entry(stack, "m1")["rerated_by"] == "r1"
    assert entry(stack, "m1")["returned_by"] is None
    correction = entry(stack, "r1")
    assert (correction["refers_to"], correction["kind"]) == ("m1", "rerate")
    assert (correction["pending"], correction["computation"]["agrees"]) == (None, True)
    assert waiting(stack) == []
    verified(stack)


def test_an_override_of_the_operator_is_a_price_too(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(stack, "m1")
    deploy(monkeypatch, tmp_path / "second", prices=OVERRIDE, unknown="reject")

    assert rerate(stack, "m1")["price"] == Decimal("0.9")
    verified(stack)


def test_a_dearer_model_is_taken_beside_the_charge(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    charged = ran(stack, "m1")["charged"]
    dear = {"id": "gpt-9", "rates": {"input": "100", "output": "400"}}
    deploy(monkeypatch, tmp_path / "second", dear)

    answer = rerate(stack, "m1")

    assert (answer["price"], answer["returned"]) == (45, 0)
    assert answer["taken"] == 45 - charged
    assert stack.account("user_1")["available"] == 115 - 45
    verified(stack)


def test_the_same_key_again_replays_and_another_one_is_refused(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(stack, "m1")
    deploy(monkeypatch, tmp_path / "second", NEW)
    first = rerate(stack, "m1")

    again, other = rerate(stack, "m1"), rerate(stack, "m1", key="r2")

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status, other["code"]) == (409, "already_rerated")
    assert stack.void("user_1", "m1", "v1")["code"] == "already_rerated"
    verified(stack)


def test_what_was_given_back_is_not_priced_anew_and_waits_no_more(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(stack, "m1")
    ran(stack, "m2")
    assert stack.void("user_1", "m1", "v1").status == 200
    assert waiting(stack) == ["m2"]
    deploy(monkeypatch, tmp_path / "second", NEW)

    answer = rerate(stack, "m1")

    assert (answer.status, answer["code"]) == (409, "already_refunded")
    assert rerate(stack, "m2", key="r2").status == 200
    verified(stack)


def test_without_a_price_it_waits_on_and_the_key_is_not_used_up(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(stack, "m1")
    for unknown in ("quarantine", "reject", "ceiling"):
        deploy(monkeypatch, tmp_path / unknown, unknown=unknown)
        answer = rerate(stack, "m1")
        assert (answer.status, answer["code"]) == (409, "still_unknown"), unknown
    assert waiting(stack) == ["m1"]
    deploy(monkeypatch, tmp_path / "second", NEW)

    assert rerate(stack, "m1").status == 200


def test_only_a_quarantined_charge_is_priced_anew(stack: Driver) -> None:
    ran(stack, "m1", model="gpt-5")
    stack.deduct("user_1", "bulk", "m2", model="gpt-9", usage=USAGE)

    codes = [rerate(stack, key)["code"] for key in ("m1", "m2", "g1", "m3")]

    assert codes == ["not_pending", "not_pending", "not_pending", "not_found"]
    assert waiting(stack) == []


def test_a_settle_waits_for_its_price_like_a_deduct(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stack.hold("user_1", "llm", "h1", model="gpt-9", usage=USAGE)
    assert waiting(stack) == []
    settled = stack.settle("user_1", "h1", usage=USAGE)
    assert settled.status == 200, settled.text
    assert waiting(stack) == ["h~h1~settle"]
    deploy(monkeypatch, tmp_path / "second", NEW)

    assert rerate(stack, "h~h1~settle")["price"] == Decimal("0.9")
    assert waiting(stack) == []
    verified(stack)


def test_the_list_is_paged_over_all_accounts_and_what_is_done_is_left_out(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(part_lists, "ROWS_PER_READ", 3)
    accounts = [f"user_{n}" for n in range(6)]
    for account in accounts:
        for n in range(4):
            assert ran(stack, f"{account}:{n}", account=account).status == 200
            stack.clock.forward(milliseconds=1)
        stack.void(account, f"{account}:1", f"{account}:v")
    expected = sorted(f"{account}:{n}" for account in accounts for n in (0, 2, 3))

    for limit in ("1", "2", "7", "200"):
        found = waiting(stack, limit=limit)
        assert sorted(found) == expected, limit


def test_a_page_may_be_empty_and_have_a_next_one(
    stack: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_lists, "MOST_READS", 1)
    account = next(name for name in ("user_1", "user_2", "user_3") if waiting_shard(name) > 0)
    ran(stack, "m1", account=account)

    page = stack.call("GET /v1/quarantine")

    assert page["charges"] == []
    assert page["next_cursor"] is not None
    assert waiting(stack) == ["m1"]


@pytest.mark.parametrize("place", [(0, ""), (7, "000001795176000#user_1#c#m1"), (3, "é#|")])
def test_a_cursor_is_a_place(place: tuple[int, str]) -> None:
    assert read_place(show_place(*place), WAITING_SHARDS) == place


def test_the_older_rates_of_a_charge_are_those_of_its_own_moment(
    stack: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran(stack, "m1")
    stack.clock.forward(days=5)
    dated = {
        **NEW,
        "dated": [{"effective_from": "2026-11-22", "rates": {"input": "20", "output": "80"}}],
    }
    deploy(monkeypatch, tmp_path / "second", dated)

    assert rerate(stack, "m1")["price"] == Decimal("0.9")
    assert ran(stack, "m2")["charged"] == 9
    verified(stack)
