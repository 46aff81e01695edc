"""Plans that are paid at Stripe: their checkout, the events of their invoices, and their end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogs import use_catalog
from tests.support.driving import Answered, Driver
from tests.support.invoices import an_event, new_invoice
from tests.support.payments import HOME

MONTH = 30 * 86400
PLANS = """
[plans.studio]
name = "Studio"
driven_by = "stripe"
price = "20.00"
currency = "usd"
interval = "month"
allocation = 500

[plans.house]
driven_by = "stripe"
price = "90.00"
currency = "usd"
interval = "month"
stripe_price = "price_house"
allocation = 3000

[entitlements]
voice_cloning = "pro"
exports = "starter"

"""


def use_plans(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The shipped catalog with two plans that are paid at Stripe, and entitlements."""
    use_catalog(monkeypatch, folder, ("[roles]\n", f"{PLANS}[roles]\n"))


def subscribe(driver: Driver, plan: str = "studio", key: str = "s1", **more: Any) -> Answered:
    """A checkout of the plan."""
    urls = {"success_url": f"{HOME}/paid", "cancel_url": f"{HOME}/plans"}
    body = {"account": "user_1", "plan": plan, **urls, **more}
    return driver.call("POST /v1/checkout", body, key=key)


def invoice(driver: Driver, name: str, *, month: int = 0, **changes: Any) -> dict[str, Any]:
    """The event of a paid month of the studio plan, which begins now or so many months later."""
    start = int(driver.clock.now().timestamp()) + month * MONTH
    found = new_invoice(id=f"in_{name}", created=start + 60)
    line = found["lines"]["data"][0]
    line |= {"id": f"il_{name}", "period": {"start": start, "end": start + MONTH}}
    line |= changes.pop("line", {})
    found |= {"payments": {"data": [{"payment": {"payment_intent": f"pi_{name}"}}]}} | changes
    moment = int(driver.clock.now().timestamp())
    return an_event("invoice.paid", found, id=f"evt_{name}", created=moment)


def ended(driver: Driver, name: str = "end") -> dict[str, Any]:
    """The event of the subscription's end."""
    found = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "canceled"}
    moment = int(driver.clock.now().timestamp())
    return an_event("customer.subscription.deleted", found, id=f"evt_{name}", created=moment)


def plan_of(driver: Driver) -> tuple[str, str, int]:
    """The account's plan, what drives it, and what is available."""
    account = driver.account("user_1")
    return account["plan"]["id"], account["plan"]["driven_by"], account["available"]
