"""What a deployed stack must do: each check sends requests and judges the answers.

Together they reach every function, so that each role is proved to allow what its function does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from local.build import CATALOG
from local.deployed import CheckError, Deployed, expect
from local.deployed_events import check_events
from local.deployed_pages import check_pages
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.entries import AccountId, caller_key
from tollkeeper.domain.purchases import purchase_id_of
from tollkeeper.edge.catalog_file import read_catalog

ACCOUNT = "user_1"
EXPIRING_ACCOUNT = "user_2"
WEBHOOK_SECRET = "whsec_deploy_check"
WEBHOOK_PATH = "/v1/webhooks/stripe"
SWEEP_WAIT_S = 2.0


def check_access(stack: Deployed) -> None:
    """Nobody gets in without a key, with a wrong one, or with one for another route."""
    run = {"account": ACCOUNT, "operation": "sms", "quantity": 1}
    expect(stack.call("POST", "/v1/check", body=run, headers={}), 401)
    wrong = {"authorization": "Bearer tk_test_nobody_secret"}
    expect(stack.call("POST", "/v1/check", body=run, headers=wrong), 403)
    asked = {"name": "checker", "scopes": ["check"]}
    issued = expect(stack.call("POST", "/v1/keys", body=asked, idempotency_key="key_1"), 201)
    narrow = {"authorization": f"Bearer {issued.members['key']}", "idempotency-key": "sms_0"}
    expect(stack.call("POST", "/v1/deduct", body=run, headers=narrow), 403)
    listed = expect(stack.call("GET", "/v1/keys"), 200)
    if len(cast("list[object]", listed.members["keys"])) != 2:
        raise CheckError(f"two keys are expected, found {listed.members}")
    expect(stack.call("DELETE", f"/v1/keys/{issued.members['key_id']}"), 200)


def check_token(stack: Deployed) -> None:
    """A token of one account opens that account alone, and moves no credits."""
    minted = expect(stack.call("POST", "/v1/tokens", body={"account": ACCOUNT}), 201)
    user = {"authorization": f"Bearer {minted.members['token']}"}
    expect(stack.call("GET", "/v1/accounts/me", headers=user), 200, account=ACCOUNT)
    other = stack.call("GET", f"/v1/accounts/{EXPIRING_ACCOUNT}", headers=user)
    expect(other, 404, code="not_found")
    run = {"account": ACCOUNT, "operation": "sms", "quantity": 1}
    charge = stack.call("POST", "/v1/deduct", body=run, headers=user, idempotency_key="sms_t")
    expect(charge, 403)
    forged = {"authorization": user["authorization"][:-1] + "!"}
    expect(stack.call("GET", "/v1/accounts/me", headers=forged), 403)


def check_charge(stack: Deployed) -> None:
    """A grant, a check, a charge, its replay and a refusal; the balance is their sum."""
    grant = {"amount": 100, "kind": "promo", "reason": "deploy check"}
    path = f"/v1/accounts/{ACCOUNT}/grants"
    granted = expect(stack.call("POST", path, body=grant, idempotency_key="grant_1"), 201)
    left = _number(granted.members["available"]) - 3
    run = {"account": ACCOUNT, "operation": "sms", "quantity": 3}
    expect(stack.call("POST", "/v1/check", body=run), 200, allowed=True, required=3)
    charged = stack.call("POST", "/v1/deduct", body=run, idempotency_key="sms_1")
    expect(charged, 200, charged=3, available=left)
    again = stack.call("POST", "/v1/deduct", body=run, idempotency_key="sms_1")
    expect(again, 200, **charged.members)
    if again.headers.get("idempotency-replayed") != "true":
        raise CheckError(f"the second answer is not marked as a replay: {again.headers}")
    too_many = {**run, "quantity": 100_000}
    refused = stack.call("POST", "/v1/deduct", body=too_many, idempotency_key="sms_2")
    expect(refused, 402, code="insufficient_credits", available=left)
    expect(stack.call("GET", f"/v1/accounts/{ACCOUNT}"), 200, account=ACCOUNT, available=left)


def check_history(stack: Deployed) -> None:
    """The charge stands in the history and in the stats, and can be undone by its key."""
    entries = expect(stack.call("GET", f"/v1/accounts/{ACCOUNT}/entries?limit=1"), 200)
    (newest,) = cast("list[dict[str, object]]", entries.members["entries"])
    if newest["kind"] != "charge" or newest["charged"] != 3:
        raise CheckError(f"the newest entry is {newest}")
    stats = expect(stack.call("GET", f"/v1/accounts/{ACCOUNT}/stats"), 200)
    totals = cast("dict[str, object]", stats.members["totals"])
    if (totals.get("calls"), totals.get("credits")) != (1, 3):
        raise CheckError(f"the stats are {stats.members}")
    path = f"/v1/accounts/{ACCOUNT}/entries/{newest['key']}/void"
    expect(stack.call("POST", path, body={"reason": "deploy check"}, idempotency_key="void_1"), 200)


def check_packs(stack: Deployed) -> None:
    """What is open at the gateway asks for a key itself, and then shows what is for sale."""
    expect(stack.call("GET", "/v1/packs", headers={}), 401)
    packs = expect(stack.call("GET", "/v1/packs"), 200)
    if not packs.members.get("packs"):
        raise CheckError(f"nothing is for sale: {packs.members}")


def check_purchase(stack: Deployed) -> None:
    """A paid checkout grants its pack once; a forged event and one that is not ours do nothing.

    Why: without Stripe's key no payment page opens, but the purchase is recorded before that,
    under an id that follows from account and key. So Stripe's event about it can be sent.
    """
    account = f"/v1/accounts/{ACCOUNT}"
    before = _number(expect(stack.call("GET", account), 200).members["available"])
    urls = {name: "https://app.example.com/paid" for name in ("success_url", "cancel_url")}
    body = {"account": ACCOUNT, "pack": "starter", **urls}
    checkout = stack.call("POST", "/v1/checkout", body=body, idempotency_key="buy_1")
    expect(checkout, 503, code="payments_unavailable")
    purchase_id = purchase_id_of(AccountId(ACCOUNT), caller_key("buy_1"))
    bought = expect(stack.call("GET", f"/v1/purchases/{purchase_id}"), 200, status="created")
    event = paid_event(purchase_id, read_catalog(CATALOG).packs["starter"])
    _deliver(stack, event, secret="whsec_forged", status=400)
    other = {"id": "evt_0", "object": "event", "type": "customer.created"}
    _deliver(stack, other, secret=WEBHOOK_SECRET, status=200, outcome="ignored")
    _deliver(stack, event, secret=WEBHOOK_SECRET, status=200, outcome="granted")
    _deliver(stack, event, secret=WEBHOOK_SECRET, status=200, outcome="duplicate")
    expect(stack.call("GET", f"/v1/purchases/{purchase_id}"), 200, status="paid")
    after = before + _number(bought.members["credits"])
    expect(stack.call("GET", account), 200, available=after)


def paid_event(purchase_id: str, pack: Pack) -> dict[str, object]:
    """Stripe's news that the payment page of this purchase was paid."""
    session = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": purchase_id,
        "metadata": {"purchase_id": purchase_id},
        "amount_subtotal": pack.price_minor,
        "currency": pack.currency,
        "payment_status": "paid",
        "payment_intent": "pi_1",
    }
    return {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": session},
    }


def _deliver(
    stack: Deployed, event: Mapping[str, object], *, secret: str, status: int, **members: object
) -> None:
    body = json.dumps(event)
    headers = {"stripe-signature": signature(body, secret=secret)}
    expect(stack.call("POST", WEBHOOK_PATH, body=body, headers=headers), status, **members)


def signature(body: str, *, secret: str) -> str:
    """Stripe's signature header for a body, as of now."""
    at = int(time.time())
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def check_sweep(stack: Deployed) -> None:
    """The schedule's event expires a grant whose time has come and that nobody touched."""
    ends_at = datetime.now(UTC) + timedelta(seconds=SWEEP_WAIT_S)
    grant = {"amount": 7, "kind": "promo", "reason": "ends", "expires_at": ends_at.isoformat()}
    path = f"/v1/accounts/{EXPIRING_ACCOUNT}"
    expect(stack.call("POST", f"{path}/grants", body=grant, idempotency_key="grant_2"), 201)
    time.sleep(max(0.0, (ends_at - datetime.now(UTC)).total_seconds() + 0.1))
    answer = stack.gateway.schedules.run_now("period_reset")
    if answer != {"rolled": 1, "busy": 0, "broken": 0, "is_finished": True}:
        raise CheckError(f"one account is due; the sweep answers {answer}")
    entries = expect(stack.call("GET", f"{path}/entries?limit=1"), 200)
    (newest,) = cast("list[dict[str, object]]", entries.members["entries"])
    if (newest["kind"], newest["delta"]) != ("expire", -7):
        raise CheckError(f"the newest entry is {newest}")


def _number(value: object) -> int | float:
    if not isinstance(value, (int, float)):
        raise CheckError(f"a number of credits is expected, found {value!r}")
    return value


CHECKS: Mapping[str, Callable[[Deployed], None]] = {
    "keys: none 401, wrong 403, narrow 403, listed, revoked": check_access,
    "a token of one account: me 200, another's 404, a charge 403, forged 403": check_token,
    "grant, check, deduct, the same deduct again, 402, balance": check_charge,
    "history, stats, void": check_history,
    "packs": check_packs,
    "account page and operator page with their files, 304, another file 404": check_pages,
    "checkout, webhook: forged 400, granted, duplicate": check_purchase,
    "schedule: period_reset expires a grant": check_sweep,
    "stream, notify, bus: a charge is told, and again by a redrive": check_events,
}
