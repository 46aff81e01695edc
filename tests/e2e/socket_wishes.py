"""What the storm's clients ask for: each request follows from its seed, and so does its price.

Prices and packs are those of the shipped catalog, written down again: a price that changes by
itself is then noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.e2e.socket_journal import WEBHOOK, Ask

MICRO = 1_000_000
PRICES = {
    "ai_response": 2,
    "chat_refinement": 1,
    "document_upload": 5,
    "script_generation": 1,
    "sms": 1,
    "voice_call": 1,
    "whatsapp": 1,
}
BY_UNITS = ("document_upload", "sms", "voice_call", "whatsapp")
MICRO_PER_TOKEN = {"gpt-4": 60_000, "gpt-3.5": 2_000, "claude-3": 2_000}
PACKS = {"starter": 100, "pro": 500, "enterprise": 1000}
PRICES_MINOR = {"starter": 1000, "pro": 5000, "enterprise": 10_000}
PLANS = ("free", "starter", "pro")
ZONES = ("UTC", "Europe/Berlin", "Pacific/Auckland")
HOME = "http://127.0.0.1:3000"
COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
# What becomes of a payment page: its events with the session's payment status. Stripe sends each
# at least once and in any order.
PATHS: tuple[tuple[tuple[str, str], ...], ...] = (
    ((COMPLETED, "paid"),),
    ((COMPLETED, "paid"), (EXPIRED, "unpaid")),
    ((COMPLETED, "unpaid"), (SUCCEEDED, "paid")),
    ((COMPLETED, "unpaid"), (FAILED, "unpaid")),
    ((EXPIRED, "unpaid"),),
)


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The accounts of a storm: a few that everybody uses, and many that few use."""

    hot: int = 4
    cold: int = 60

    @property
    def accounts(self) -> tuple[str, ...]:
        """All of them."""
        hot = [f"hot_{number}" for number in range(self.hot)]
        return (*hot, *(f"cold_{number}" for number in range(self.cold)))

    def choose(self, random: Random) -> str:
        """One of them, and mostly a hot one."""
        if random.random() < 0.65:
            return f"hot_{random.randrange(self.hot)}"
        return f"cold_{random.randrange(self.cold)}"


def deduct(random: Random, account: str, key: str, *, id_: str) -> Ask:
    """A run is charged, or recorded as failed."""
    body: dict[str, Any] = {"account": account}
    if random.random() < 0.25:
        model = random.choice(tuple(MICRO_PER_TOKEN))
        body |= {"operation": "ai_tokens", "model": model}
        body["usage"] = {"input": random.randrange(40), "output": random.randrange(1, 40)}
    else:
        body["operation"] = random.choice(tuple(PRICES))
        if body["operation"] in BY_UNITS:
            body["quantity"] = random.choice((1, 1, 1, 2, 3))
    if random.random() < 0.3:
        body["feature"] = random.choice(("chat", "voice"))
    if random.random() < 0.06:
        body["success"] = False
    return deduct_of(body, key, id_=id_)


def deduct_of(body: dict[str, Any], key: str, *, id_: str) -> Ask:
    """The request with that body."""
    account = body["account"]
    return Ask(
        id=id_,
        kind="deduct",
        method="POST",
        path="/v1/deduct",
        account=account,
        key=key,
        body=body,
    )


def price_micro(body: dict[str, Any]) -> int:
    """What a run of that body costs. Units: micro-credits."""
    if body.get("success") is False:
        return 0
    if body["operation"] == "ai_tokens":
        return sum(body["usage"].values()) * MICRO_PER_TOKEN[body["model"]]
    return PRICES[body["operation"]] * int(body.get("quantity", 1)) * MICRO


def sms(account: str, key: str, quantity: int, *, id_: str) -> Ask:
    """So many messages are charged."""
    body = {"account": account, "operation": "sms", "quantity": quantity}
    return deduct_of(body, key, id_=id_)


def void(account: str, charge: str, key: str, *, id_: str) -> Ask:
    """The charge is undone."""
    return Ask(
        id=id_,
        kind="void",
        method="POST",
        path=f"/v1/accounts/{account}/entries/{charge}/void",
        account=account,
        key=key,
        body={"reason": "storm"},
        about=charge,
    )


def refund(random: Random, account: str, charge: str, key: str, *, id_: str) -> Ask:
    """All or a part of the charge is given back."""
    body: dict[str, Any] = {"key": charge, "reason": "storm"}
    if random.random() < 0.5:
        body["amount"] = "0.25"
    return _operate("refund", "refunds", account, key, body, id_=id_, about=charge)


def operate(random: Random, account: str, key: str, *, id_: str) -> Ask:
    """An operator does something to the account."""
    draw = random.random()
    if draw < 0.5:
        return _operate("grant", "grants", account, key, _grant(random), id_=id_)
    if draw < 0.75:
        body = {"amount": random.choice((-1, -3, 2, "-0.000001", "0.5")), "reason": "storm"}
        return _operate("adjustment", "adjustments", account, key, body, id_=id_)
    if draw < 0.9:
        body = {"plan": random.choice(PLANS), "at": random.choice(("now", "period_end"))}
        return _put("plan", account, key, body, id_=id_)
    return _put("profile", account, key, {"zone": random.choice(ZONES)}, id_=id_)


def top_up(account: str, key: str, amount: int, *, id_: str) -> Ask:
    """Credits that stay."""
    body = {"amount": amount, "reason": "storm", "kind": "pack"}
    return _operate("grant", "grants", account, key, body, id_=id_)


def stand(kind: str, account: str, key: str, *, id_: str) -> Ask:
    """The account is frozen or active: `kind` is freeze or unfreeze."""
    return _operate(kind, kind, account, key, {"reason": "storm"}, id_=id_)


def _grant(random: Random) -> dict[str, Any]:
    """Some credits; some of them start or end within the storm, between two requests."""
    now = datetime.now(UTC)
    body: dict[str, Any] = {"amount": random.choice((1, 5, 20, "0.000001")), "reason": "storm"}
    starts_s = random.choice((0, 0, 1.5))
    if starts_s:
        body["effective_at"] = (now + timedelta(seconds=starts_s)).isoformat()
    if random.random() < 0.8:
        ends_s = starts_s + random.choice((0.7, 2, 5))
        body["expires_at"] = (now + timedelta(seconds=ends_s)).isoformat()
    return body


def _operate(
    kind: str,
    route: str,
    account: str,
    key: str,
    body: dict[str, Any],
    *,
    id_: str,
    about: str = "",
) -> Ask:
    return Ask(
        id=id_,
        kind=kind,
        method="POST",
        path=f"/v1/accounts/{account}/{route}",
        account=account,
        key=key,
        body=body,
        about=about,
    )


def _put(kind: str, account: str, key: str, body: dict[str, Any], *, id_: str) -> Ask:
    path = f"/v1/accounts/{account}/{kind}"
    return Ask(id=id_, kind=kind, method="PUT", path=path, account=account, key=key, body=body)


def checkout(random: Random, account: str, key: str, *, id_: str) -> Ask:
    """A pack is bought."""
    body = {
        "account": account,
        "pack": random.choice(tuple(PACKS)),
        "success_url": f"{HOME}/paid",
        "cancel_url": f"{HOME}/packs",
    }
    return Ask(
        id=id_,
        kind="checkout",
        method="POST",
        path="/v1/checkout",
        account=account,
        key=key,
        body=body,
    )


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A payment page, as far as its events tell of it. Units: the currency's smallest."""

    id: str
    purchase: str
    account: str
    price_minor: int
    currency: str = "usd"


def opened(ask: Ask, answered: Mapping[str, Any]) -> OpenedPage:
    """The page that the answer of a checkout names."""
    body = ask.body
    assert isinstance(body, dict), "a checkout has a JSON body"
    return OpenedPage(
        id=str(answered["checkout_url"]).rpartition("/")[2],
        purchase=str(answered["purchase_id"]),
        account=str(body["account"]),
        price_minor=PRICES_MINOR[str(body["pack"])],
    )


def events(random: Random, session: OpenedPage, secret: str, *, id_: str) -> list[Ask]:
    """What Stripe sends of the session: some events twice, in any order, rarely a forged one."""
    path = random.choice(PATHS)
    asks = [
        _event(session, type_, paid, f"{id_}-e{number}", secret)
        for number, (type_, paid) in enumerate(path)
    ]
    doubles = [replace(ask, id=f"{ask.id}-d") for ask in asks if random.random() < 0.6]
    found = [*asks, *doubles]
    random.shuffle(found)
    if random.random() < 0.3:
        forged = _event(session, COMPLETED, "paid", f"{id_}-f", "whsec_of_somebody_else")
        found.insert(0, replace(forged, kind="forged"))
    return found


def _event(session: OpenedPage, type_: str, payment_status: str, id_: str, secret: str) -> Ask:
    mark = hashlib.sha256(f"{session.id} {type_} {payment_status}".encode()).hexdigest()[:24]
    body = {
        "id": f"evt_{mark}",
        "object": "event",
        "api_version": "2026-03-25.dahlia",
        "created": int(datetime.now(UTC).timestamp()),
        "livemode": False,
        "type": type_,
        "data": {
            "object": {
                "id": session.id,
                "object": "checkout.session",
                "amount_subtotal": session.price_minor,
                "amount_total": session.price_minor,
                "client_reference_id": session.purchase,
                "currency": session.currency,
                "livemode": False,
                "metadata": {"purchase_id": session.purchase, "account": session.account},
                "mode": "payment",
                "payment_intent": f"pi_{session.purchase.removeprefix('pur_')}",
                "payment_status": payment_status,
            }
        },
    }
    return Ask(
        id=id_,
        kind="paid" if payment_status == "paid" else "unpaid",
        method="POST",
        path=WEBHOOK,
        account=session.account,
        body=body,
        about=session.purchase,
        secret=secret,
    )
