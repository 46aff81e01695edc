"""Service keys over HTTP: issued once, shown once, listed without secrets, revoked."""

from __future__ import annotations

import hashlib
import hmac
import json
import re

import pytest

from tests.support.driving import Answered, Driver, FakeClock
from tests.support.dumping import dump_table
from tests.support.faults import FaultyClient
from tests.support.keys import ask, is_let_in, issue
from tollkeeper.edge import authorization, settings
from tollkeeper.edge.routes import SCOPES

pytestmark = pytest.mark.moto

READ = "GET /v1/accounts/{id}"
BODY = {"name": "backend", "scopes": ["read", "check", "read"]}


def post(driver: Driver, key: str = "k1", **members: object) -> Answered:
    return driver.call("POST /v1/keys", BODY | members, key=key)


def revoke(driver: Driver, key_id: str) -> Answered:
    return driver.call("DELETE /v1/keys/{key_id}", path={"key_id": key_id})


def listed(driver: Driver) -> Answered:
    return driver.call("GET /v1/keys")


def test_a_key_is_issued_with_its_text_and_what_it_may_do(driver: Driver) -> None:
    answer = post(driver, expires_at="2027-01-01T00:00:00+01:00")

    assert answer.status == 201
    assert re.fullmatch(r"tk_dev_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", answer["key"])
    assert answer.headers["cache-control"] == "no-store"
    assert {name: value for name, value in answer.body.items() if name != "key"} == {
        "key_id": answer["key"].split("_")[2],
        "name": "backend",
        "scopes": ["check", "read"],
        "created_at": "2026-11-20T12:00:00+00:00",
        "created_by": "service:test",
        "expires_at": "2026-12-31T23:00:00+00:00",
        "revoked_at": None,
    }


@pytest.mark.parametrize(("stage", "prefix"), [("prod", "tk_live_"), ("dev", "tk_test_")])
def test_a_key_says_which_stage_it_is_for(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, stage: str, prefix: str
) -> None:
    monkeypatch.setenv("STAGE", stage)
    settings.read_settings.cache_clear()
    authorization.gatehouse.cache_clear()

    assert post(driver)["key"].startswith(prefix)


def test_the_text_of_a_key_is_shown_once_and_kept_nowhere(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    first = post(driver)

    again = post(driver)

    assert (again.status, again["key"]) == (201, None)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body | {"key": None} == first.body | {"key": None}
    secret = first["key"].split("_", 3)[3]
    for shown in (json.dumps(list(dump_table().values())), listed(driver).text, again.text):
        assert secret not in shown
        assert first["key"] not in shown
    assert secret not in "".join(str(vars(record)) for record in caplog.records)


def test_the_table_cannot_tell_a_key_without_the_pepper(driver: Driver) -> None:
    text = issue(driver, "read")
    key_id = text.split("_")[2]

    item = dump_table()["K", f"K#{key_id}"]

    kept = item["digest"]["S"]
    assert kept != hashlib.sha256(text.encode()).hexdigest()
    assert kept == hmac.new(b"pepper-for-tests", text.encode(), hashlib.sha256).hexdigest()


def test_another_request_under_the_same_key_is_refused_and_changes_nothing(driver: Driver) -> None:
    text = post(driver)["key"]
    before = dump_table()

    changes: list[dict[str, object]] = [
        {"scopes": ["admin"]},
        {"name": "other"},
        {"expires_at": "2027-01-01T00:00:00Z"},
    ]
    for changed in changes:
        answer = post(driver, "k1", **changed)
        assert (answer.status, answer["code"]) == (422, "idempotency_mismatch"), changed
    assert dump_table() == before
    assert is_let_in(READ, text)


def test_an_issue_is_replayed_although_its_key_has_expired(
    driver: Driver, clock: FakeClock
) -> None:
    """An applied key is found before any refusal, as everywhere."""
    first = post(driver, expires_at="2026-11-21T00:00:00Z")
    clock.forward(days=2)

    again = post(driver, expires_at="2026-11-21T00:00:00Z")
    new = post(driver, "k2", expires_at="2026-11-21T00:00:00Z")

    assert (again.status, again["key_id"]) == (201, first["key_id"])
    assert (new.status, new["errors"][0]["member"]) == (422, "expires_at")


def test_keys_are_listed_with_what_they_may_do_and_without_secrets(driver: Driver) -> None:
    assert listed(driver)["keys"] == []
    first, second = post(driver).body, post(driver, "k2", name="job runner").body
    revoked = revoke(driver, second["key_id"]).body

    keys = {key["key_id"]: key for key in listed(driver)["keys"]}

    assert keys == {
        first["key_id"]: {n: v for n, v in first.items() if n != "key"},
        second["key_id"]: revoked,
    }
    assert revoked["revoked_at"] == "2026-11-20T12:00:00+00:00"


def test_two_keys_are_valid_at_once_so_that_one_can_replace_the_other(
    driver: Driver, clock: FakeClock
) -> None:
    old, new = issue(driver, "read"), issue(driver, "read")

    assert is_let_in(READ, old)
    assert is_let_in(READ, new)
    clock.forward(hours=1)
    assert revoke(driver, old.split("_")[2]).status == 200
    assert not is_let_in(READ, old)
    assert is_let_in(READ, new)


def test_revoking_twice_says_when_it_happened_first(driver: Driver, clock: FakeClock) -> None:
    key_id = issue(driver, "read").split("_")[2]
    first = revoke(driver, key_id)
    clock.forward(days=1)

    again = revoke(driver, key_id)

    assert (again.status, again.body) == (200, first.body)


def test_what_is_no_key_cannot_be_revoked(driver: Driver) -> None:
    answer = revoke(driver, "0123456789ab")

    assert (answer.status, answer["code"]) == (404, "not_found")


def test_a_revoked_key_stays_revoked_when_its_issue_is_sent_again(driver: Driver) -> None:
    text = post(driver)["key"]
    revoke(driver, text.split("_")[2])

    again = post(driver)

    assert (again.status, again["key"]) == (201, None)
    assert again["revoked_at"] is not None
    assert not is_let_in(READ, text)


@pytest.mark.parametrize(
    "scopes", [[], ["root"], ["READ"], ["read "], ["*"], ["read", "public"], ["signature"], [None]]
)
def test_a_scope_that_does_not_exist_is_refused(driver: Driver, scopes: list[object]) -> None:
    answer = post(driver, scopes=scopes)

    assert (answer.status, answer["code"]) == (422, "invalid")
    assert answer["errors"][0]["member"].startswith("scopes")
    assert listed(driver)["keys"] == []


def test_every_scope_that_routes_know_can_be_issued(driver: Driver) -> None:
    answer = post(driver, scopes=sorted(SCOPES))

    assert answer["scopes"] == sorted(SCOPES)


@pytest.mark.parametrize("fault", ["lost_before", "throttled", "conflict", "lost_after"])
def test_an_issue_that_failed_can_be_sent_again_and_makes_one_key(
    driver: Driver, faults: FaultyClient, fault: str
) -> None:
    faults.plan[0] = fault

    first = post(driver)
    faults.forget()
    again = post(driver)

    assert (first.status, first["code"]) == (503, "busy")
    assert again.status == 201
    assert len(listed(driver)["keys"]) == 1
    # After a lost answer nobody knows the text: the key is revoked and another one issued.
    assert (again["key"] is None) == (fault == "lost_after")


def test_a_key_that_was_issued_opens_its_routes_in_the_functions_too(driver: Driver) -> None:
    text = issue(driver, "deduct")
    context = ask("POST /v1/deduct", f"Bearer {text}")["context"]

    driver.scopes = frozenset(str(context["scopes"]).split())

    assert driver.deduct("user_1", "sms", "k1").status == 200
    assert driver.account("user_1").status == 403
