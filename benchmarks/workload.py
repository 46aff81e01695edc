"""The account and the run that every figure is for: what a chat application does all day."""

from __future__ import annotations

from typing import Any

from tests.support.driving import Answered, Driver
from tollkeeper.domain.entries import AccountId, caller_key
from tollkeeper.edge import wiring
from tollkeeper.store.keys import account_key, entry_key
from tollkeeper.store.rows import Item

# An id as an identity provider makes it, and what a chat application sends with a call.
ACCOUNT = "user_2aBcDeFgHiJkLmNoPqRsTuVwXy0"
RUN: dict[str, Any] = {
    "operation": "ai_tokens",
    "model": "gpt-4",
    "usage": {"prompt_tokens": 120, "completion_tokens": 80, "total_tokens": 200},
    "feature": "chat",
    "service": "openai",
    "response_time_ms": 812,
    "metadata": {"character": "Ada"},
}


def deduct(driver: Driver, account: str, key: str) -> Answered:
    """The usual charge."""
    return driver.call("POST /v1/deduct", {"account": account, **RUN}, key=key)


def check(driver: Driver, account: str) -> Answered:
    """The usual question."""
    return driver.call("POST /v1/check", {"account": account, **RUN})


def set_aside(driver: Driver, account: str, hold: str) -> Answered:
    """The usual hold: what such a call may cost."""
    wanted = ("operation", "model", "feature", "service", "metadata")
    body = {"account": account, "hold_id": hold, "estimate": 20}
    return driver.call("POST /v1/holds", body | {name: RUN[name] for name in wanted})


def settle(driver: Driver, account: str, hold: str) -> Answered:
    """The usual settle: what the call used."""
    body = {"account": account, "usage": RUN["usage"], "response_time_ms": 812}
    return driver.call("POST /v1/holds/{hold_id}/settle", body, path={"hold_id": hold})


def free(driver: Driver, account: str, hold: str) -> Answered:
    """The call did not happen."""
    body = {"account": account, "reason": "the call failed"}
    return driver.call("POST /v1/holds/{hold_id}/release", body, path={"hold_id": hold})


def open_small_account(driver: Driver, account: str) -> None:
    """An account as many will be: a plan with features, six grants, three operations today.

    Its charge "settled" began the process and the day, so the next one is a usual one.
    """
    grants: tuple[dict[str, Any], ...] = (
        {"amount": 500, "kind": "pack"},
        {"amount": 1200, "kind": "pack"},
        {"amount": 50, "expires_at": "2026-12-24T00:00:00Z"},
        {"amount": "12.5", "expires_at": "2027-01-31T00:00:00Z"},
        {"amount": 25, "kind": "adjustment"},
    )
    path = {"id": account}
    plan = driver.call("PUT /v1/accounts/{id}/plan", {"plan": "pro"}, path=path)
    assert plan.status == 200, plan.text
    driver.call("PUT /v1/accounts/{id}/profile", {"zone": "Europe/Berlin"}, path=path)
    driver.clock.forward(days=1)
    for index, grant in enumerate(grants):
        key = f"grant_{index}"
        assert driver.grant(account, grant.pop("amount"), key, **grant).status == 201
    for operation in ("script_generation", "ai_response"):
        assert driver.deduct(account, operation, f"first_{operation}").status == 200
    settled = deduct(driver, account, "settled")
    assert settled.status == 200, settled.text


def read_items(account: str) -> tuple[Item, Item]:
    """The account's item and that of its usual charge, as they are stored."""
    ledger = wiring.ledger()
    found = AccountId(account)
    item = ledger.read_item(account_key(found))
    entry = ledger.read_item(entry_key(found, caller_key("settled")))
    assert item is not None, "the account was written"
    assert entry is not None, "the charge was written"
    return item, entry
