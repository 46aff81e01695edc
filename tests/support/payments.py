"""Stripe as tests need it: it opens payment pages, takes payments and signs what it reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.driving import Answered, Driver
from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.edge.stripe_signature import sign
from tollkeeper.service.ports import CheckoutPage

SECRET = "whsec_test"
WEBHOOK = "POST /v1/webhooks/stripe"
HOME = "http://localhost:3000"

COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"


@dataclass
class FakeStripe:
    """Keeps sessions by the key of their first request, as Stripe does for a day.

    `refusals` are the calls, counted from 0, that fail; `lost` those that work but say they
    failed.
    """

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    calls: int = 0
    refusals: set[int] = field(default_factory=set[int])
    lost: set[int] = field(default_factory=set[int])
    events: int = 0

    def open_checkout(
        self,
        purchase: Purchase,
        *,
        success_url: str,
        cancel_url: str,
        interval: str = "",
        saves_card: bool = False,
    ) -> CheckoutPage:
        """The page of the purchase, the same one each time."""
        del interval, saves_card
        call = self.calls
        self.calls += 1
        if call in self.refusals:
            raise PaymentsUnavailableError("Stripe is not there.")
        session = self.sessions.setdefault(
            purchase.id, make_session(purchase, success_url, cancel_url)
        )
        if call in self.lost:
            raise PaymentsUnavailableError("Stripe's answer got lost.")
        return CheckoutPage(url=session["url"], session=session["id"])

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The customer's page."""
        del return_url, key
        return f"https://billing.stripe.test/{customer}"

    def report(
        self,
        purchase_id: str,
        type_: str = COMPLETED,
        *,
        at: datetime,
        livemode: bool = False,
        event_id: str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The event that Stripe makes of the purchase's session, with these members changed."""
        self.events += 1
        status = {FAILED: "unpaid", EXPIRED: "unpaid"}.get(type_, "paid")
        session = self.sessions[purchase_id] | {"payment_status": status} | changes
        return {
            "id": event_id or f"evt_{self.events:024d}",
            "object": "event",
            "api_version": "2026-03-25.dahlia",
            "created": int(at.timestamp()),
            "data": {"object": session},
            "livemode": livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }


def make_session(purchase: Purchase, success_url: str, cancel_url: str) -> dict[str, Any]:
    """A Checkout session for the purchase, as our gateway asks for it."""
    session_id = f"cs_test_{purchase.id.removeprefix('pur_')}"
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": purchase.price_minor,
        "amount_total": purchase.price_minor,
        "cancel_url": cancel_url,
        "client_reference_id": purchase.id,
        "currency": purchase.currency,
        "livemode": False,
        "metadata": {"purchase_id": purchase.id, "account": purchase.account},
        "mode": "payment",
        "payment_intent": f"pi_{purchase.id.removeprefix('pur_')}",
        "payment_status": "unpaid",
        "status": "open",
        "success_url": success_url,
        "url": f"https://checkout.stripe.test/c/pay/{session_id}",
    }


def buy(driver: Driver, account: str = "user_1", pack: str = "pro", key: str = "b1") -> Answered:
    """A checkout of the pack."""
    body = {
        "account": account,
        "pack": pack,
        "success_url": f"{HOME}/paid",
        "cancel_url": f"{HOME}/packs",
    }
    return driver.call("POST /v1/checkout", body, key=key)


def deliver(driver: Driver, event: dict[str, Any], **signing: Any) -> Answered:
    """What the webhook answers to the event."""
    return deliver_raw(driver, json.dumps(event), **signing)


def deliver_raw(
    driver: Driver,
    raw: str,
    *,
    secret: str = SECRET,
    skew: timedelta = timedelta(),
    header: str | None = None,
) -> Answered:
    """What the webhook answers to the body, signed `skew` after now, or with that header."""
    if header is None:
        header = sign(raw.encode(), secret=secret, at=driver.clock.now() + skew)
    return driver.call(WEBHOOK, raw=raw, headers={"stripe-signature": header})


def state_of(driver: Driver, purchase_id: str) -> Answered:
    """The purchase as the page after the payment sees it."""
    return driver.call("GET /v1/purchases/{purchase_id}", path={"purchase_id": purchase_id})


def available(driver: Driver, account: str = "user_1") -> int:
    """What the account has."""
    return driver.account(account)["available"]


def grants(driver: Driver, account: str = "user_1") -> list[dict[str, Any]]:
    """The rows of the packs that came in."""
    return [e for e in driver.entries(account) if e["key"].startswith("s~purchase:")]


def report(driver: Driver, stripe: FakeStripe, purchase_id: str, *a: str, **c: Any) -> Any:
    """The event about the purchase, made now."""
    return stripe.report(purchase_id, *a, at=driver.clock.now(), **c)
