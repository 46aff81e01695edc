"""Packs, the cost table, checkout and purchases, through the real handler."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Driver
from tests.support.payments import HOME, FakeStripe, buy, state_of
from tollkeeper.edge import settings, wiring

D = Decimal

pytestmark = pytest.mark.usefixtures("stripe")


def service_key(driver: Driver, *scopes: str) -> dict[str, str]:
    """The header of a fresh service key with these scopes."""
    body = {"name": "test", "scopes": list(scopes)}
    key = driver.call("POST /v1/keys", body, key=f"key-{'-'.join(scopes)}")
    return {"authorization": f"Bearer {key['key']}"}


def make_public(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """From now on the catalog is open to everybody."""
    use_catalog(monkeypatch, tmp_path, ("public = false", "public = true"))


# ------------------------------------------------------------------------------ packs and costs


def test_s3_03_packs_are_listed_with_their_price_per_credit(driver: Driver) -> None:
    answer = driver.call("GET /v1/packs", headers=service_key(driver, "read"))

    assert answer.status == 200
    packs = {pack["id"]: pack for pack in answer["packs"]}
    shown = {
        name: (D(packs[name]["credits"]), packs[name]["price"], packs[name]["price_per_credit"])
        for name in ("starter", "pro", "enterprise")
    }
    assert shown == {
        "starter": (100, "10.00", "0.10"),
        "pro": (500, "50.00", "0.10"),
        "enterprise": (1000, "100.00", "0.10"),
    }


def test_s1_17_a_pack_has_id_name_credits_price_and_features(driver: Driver) -> None:
    pack = driver.call("GET /v1/packs", headers=service_key(driver, "read"))["packs"][0]

    assert (pack["id"], pack["name"], pack["currency"]) == ("starter", "Starter", "usd")
    assert (D(pack["credits"]), pack["price"]) == (100, "10.00")
    assert pack["features"] == ["100 credits", "Credits never expire"]


def test_s4_02_packs_show_what_they_save_against_the_dearest_per_credit(driver: Driver) -> None:
    answer = driver.call("GET /v1/packs", headers=service_key(driver, "read"))

    savings = {pack["id"]: pack["savings_percent"] for pack in answer["packs"]}
    assert savings["starter"] == 0
    assert 0 < savings["standard"] < savings["professional"]
    per_credit = {pack["id"]: pack["price_per_credit"] for pack in answer["packs"]}
    assert (per_credit["standard"], per_credit["professional"]) == ("0.09", "0.08")


def test_s3_09_the_cost_table_says_what_everything_costs(driver: Driver) -> None:
    answer = driver.call("GET /v1/catalog", headers=service_key(driver, "read"))

    assert answer.status == 200
    operations = {operation["id"]: operation for operation in answer["operations"]}
    voice, tokens = operations["voice_call"], operations["ai_tokens"]
    assert (voice["rule"], D(voice["price"]), voice["unit"]) == ("per_unit", 1, "minute")
    assert voice["explanation"] == "1 credit per minute"
    assert operations["voice_creation"]["feature"] == "voice_creation"
    assert operations["sms"]["feature"] is None
    assert (tokens["rule"], tokens["price"]) == ("per_1k_tokens", None)
    gpt_4 = next(model for model in tokens["models"] if "gpt-4" in model["patterns"])
    assert gpt_4["explanation"] == "60 credits per 1,000 tokens"
    free = next(plan for plan in answer["plans"] if plan["is_default"])
    assert (free["id"], D(free["allocation"])) == ("free", 15)
    assert {"feature": "script_generation", "limit": 3} in free["features"]


@pytest.mark.parametrize("route", ["GET /v1/packs", "GET /v1/catalog"])
def test_a_catalog_that_is_not_public_is_read_with_a_key_of_scope_read(
    driver: Driver, route: str
) -> None:
    nobody = driver.call(route)
    forged = driver.call(route, headers={"authorization": "Bearer tk_dev_abcdef012345_forged"})
    other = driver.call(route, headers=service_key(driver, "check"))

    assert (nobody.status, nobody["code"]) == (401, "unauthorized")
    assert (forged.status, forged["code"]) == (401, "unauthorized")
    assert (other.status, other["code"]) == (403, "forbidden")


@pytest.mark.parametrize("route", ["GET /v1/packs", "GET /v1/catalog"])
def test_a_public_catalog_is_open_to_everybody(
    driver: Driver, route: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    make_public(monkeypatch, tmp_path)

    assert driver.call(route).status == 200


# ------------------------------------------------------------------------------------- checkout


def test_s4_09_checkout_records_the_pack_and_answers_where_to_pay(
    driver: Driver, stripe: FakeStripe
) -> None:
    answer = buy(driver)

    assert answer.status == 201
    session = stripe.sessions[answer["purchase_id"]]
    assert answer.body == {
        "purchase_id": answer["purchase_id"],
        "checkout_url": session["url"],
        "account": "user_1",
        "kind": "pack",
        "pack": "pro",
        "plan": None,
        "credits": 500,
        "price": "50.00",
        "currency": "usd",
    }
    assert (session["success_url"], session["cancel_url"]) == (f"{HOME}/paid", f"{HOME}/packs")
    assert driver.account("user_1")["totals"]["purchased"] == 0


def test_the_purchase_is_recorded_before_stripe_is_asked(
    driver: Driver, stripe: FakeStripe
) -> None:
    stripe.refusals = {0}

    answer = buy(driver)

    assert (answer.status, answer["code"]) == (503, "payments_unavailable")
    assert answer.headers["retry-after"] == "1"
    healed = buy(driver)
    assert healed.status == 201
    assert state_of(driver, healed["purchase_id"])["status"] == "created"


def test_a_created_purchase_can_be_read_by_its_id_alone(driver: Driver) -> None:
    bought = buy(driver)

    state = state_of(driver, bought["purchase_id"])

    assert state.status == 200
    assert state.body == {
        "purchase_id": bought["purchase_id"],
        "account": "user_1",
        "kind": "pack",
        "pack": "pro",
        "plan": None,
        "credits": 500,
        "price": "50.00",
        "currency": "usd",
        "status": "created",
        "reason": None,
        "created_at": "2026-11-20T12:00:00+00:00",
        "paid_at": None,
        "paid": "0.00",
        "refunded": "0.00",
        "clawed_back": 0,
        "uncollected": 0,
        "lapsed": 0,
        "disputes": [],
    }


@pytest.mark.parametrize("purchase_id", ["pur_" + "0" * 32, "nonsense", "pur_A#B", "%00"])
def test_a_purchase_that_is_not_there_is_404(driver: Driver, purchase_id: str) -> None:
    answer = state_of(driver, purchase_id)

    assert (answer.status, answer["code"]) == (404, "not_found")


def test_the_same_key_again_is_the_same_purchase_and_no_second_page(
    driver: Driver, stripe: FakeStripe
) -> None:
    first = buy(driver)
    driver.clock.forward(days=40)

    again = buy(driver)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (stripe.calls, len(stripe.sessions)) == (1, 1)


def test_the_same_key_for_another_checkout_is_refused(driver: Driver, stripe: FakeStripe) -> None:
    first = buy(driver)

    other = buy(driver, pack="starter")

    assert (other.status, other["code"]) == (422, "idempotency_mismatch")
    assert stripe.calls == 1
    assert state_of(driver, first["purchase_id"])["pack"] == "pro"


def test_another_key_or_another_account_is_another_purchase(driver: Driver) -> None:
    ids = {
        buy(driver)["purchase_id"],
        buy(driver, key="b2")["purchase_id"],
        buy(driver, account="user_2")["purchase_id"],
    }

    assert len(ids) == 3


def test_a_purchase_keeps_its_page_when_the_pack_leaves_the_catalog(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = buy(driver)
    world = wiring.world()
    without = replace(world, catalog=replace(world.catalog, packs={}))
    monkeypatch.setattr(wiring, "world", lambda: without)

    again = buy(driver)
    fresh = buy(driver, key="b2")

    assert again.body == first.body
    assert (fresh.status, fresh["code"]) == (422, "invalid")


def test_an_unknown_pack_is_refused_by_name(driver: Driver, stripe: FakeStripe) -> None:
    answer = buy(driver, pack="gold")

    assert (answer.status, answer["code"]) == (422, "invalid")
    assert answer["errors"][0]["member"] == "pack"
    assert "starter" in answer["errors"][0]["reason"]
    assert stripe.calls == 0


@pytest.mark.parametrize("member", ["success_url", "cancel_url"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/paid",
        "javascript:alert(1)",
        "http://localhost:3000@evil.example/",
        "http://user@localhost:3000/",
        "//localhost/paid",
        "/paid",
        "http://localhost:3000/\\@evil.example",
    ],
)
def test_a_return_url_elsewhere_is_refused_by_name(
    driver: Driver, stripe: FakeStripe, member: str, url: str
) -> None:
    body = {
        "account": "user_1",
        "pack": "pro",
        "success_url": HOME,
        "cancel_url": HOME,
        member: url,
    }

    answer = driver.call("POST /v1/checkout", body, key="b1")

    assert (answer.status, answer["code"]) == (422, "invalid")
    assert answer["errors"][0]["member"] == member
    assert stripe.calls == 0


def test_listed_origins_are_the_only_ones(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETURN_URLS", "https://app.example.com, https://www.example.com/")
    settings.read_settings.cache_clear()
    body = {"account": "user_1", "pack": "pro"}
    ours = {"success_url": "https://app.example.com/a?s={CHECKOUT_SESSION_ID}"}
    ours["cancel_url"] = "https://www.example.com:443/b"

    listed = driver.call("POST /v1/checkout", body | ours, key="b1")
    local = buy(driver, key="b2")

    assert listed.status == 201
    assert local.status == 422


def test_a_deployed_stack_without_listed_origins_returns_to_none(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    settings.read_settings.cache_clear()

    answer = buy(driver)

    assert (answer.status, answer["errors"][0]["member"]) == (422, "success_url")


def test_a_closed_account_buys_nothing(driver: Driver, stripe: FakeStripe) -> None:
    route = "POST /v1/accounts/{id}/close"
    driver.call(route, {"reason": "gone"}, path={"id": "user_1"}, key="c1")

    answer = buy(driver)

    assert (answer.status, answer["code"]) == (403, "account_closed")
    assert stripe.calls == 0


def test_a_frozen_account_may_buy(driver: Driver) -> None:
    route = "POST /v1/accounts/{id}/freeze"
    driver.call(route, {"reason": "look"}, path={"id": "user_1"}, key="f1")

    assert buy(driver).status == 201


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"pack": 7}, 422),
        ({"pack": "Pro!"}, 422),
        ({"account": "a#b"}, 422),
        ({"account": None}, 422),
        ({"success_url": ""}, 422),
        ({"success_url": "http://localhost/" + "a" * 2100}, 422),
        ({"price": "0.01"}, 422),
        ({"credits": 10**9}, 422),
    ],
)
def test_a_body_that_is_wrong_is_refused_and_records_nothing(
    driver: Driver, stripe: FakeStripe, changes: dict[str, Any], status: int
) -> None:
    body = {"account": "user_1", "pack": "pro", "success_url": HOME, "cancel_url": HOME}

    answer = driver.call("POST /v1/checkout", body | changes, key="b1")

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert stripe.calls == 0


def test_a_checkout_without_a_key_is_refused(driver: Driver, stripe: FakeStripe) -> None:
    body = {"account": "user_1", "pack": "pro", "success_url": HOME, "cancel_url": HOME}

    answer = driver.call("POST /v1/checkout", body)

    assert (answer.status, answer["code"]) == (400, "malformed")
    assert stripe.calls == 0


@pytest.mark.parametrize("route", ["POST /v1/checkout", "GET /v1/purchases/{purchase_id}"])
def test_buying_needs_the_scope_purchase(driver: Driver, route: str) -> None:
    reader = Driver(driver.clock, scopes=frozenset({"read", "admin", "deduct"}))

    answer = reader.call(route, {}, path={"purchase_id": "x"}, key="b1")

    assert (answer.status, answer["code"]) == (403, "forbidden")
