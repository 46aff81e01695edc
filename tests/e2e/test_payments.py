"""Everything that Stripe can do to a balance, by the buttons of `make run`'s own Stripe."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from local.engine import ROOT
from tests.e2e.running_gateway import (
    Client,
    Reply,
    RunningGateway,
    StartGateway,
    new_dev_key,
    wait_until,
)

pytestmark = pytest.mark.e2e

INDEX = "/_local/stripe"
PLANS = """
[plans.studio]
name = "Studio"
driven_by = "stripe"
price = "20.00"
currency = "usd"
interval = "month"
allocation = 500

[plans.agency]
name = "Agency"
driven_by = "stripe"
price = "60.00"
currency = "usd"
interval = "month"
stripe_price = "price_agency"
allocation = 2000
"""


def put_catalog(folder: Path) -> str:
    """The path of the shipped catalog with two plans that customers subscribe to."""
    shipped = ROOT / "layers" / "catalog"
    text = (shipped / "catalog.toml").read_text(encoding="utf-8")
    before, mark, after = text.partition("\n[roles]")
    (folder / "catalog.toml").write_text(before + PLANS + mark + after, encoding="utf-8")
    (folder / "prices.json").write_bytes((shipped / "prices.json").read_bytes())
    return str(folder / "catalog.toml")


@pytest.fixture(scope="module")
def shop_gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningGateway]:
    """A gateway whose catalog has plans to subscribe to."""
    catalog = put_catalog(tmp_path_factory.mktemp("catalog"))
    running = RunningGateway(
        data=tmp_path_factory.mktemp("shop"),
        key=new_dev_key(),
        environment={"CATALOG_PATH": catalog},
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, kw_only=True)
class Shop:
    """One account, which buys."""

    client: Client
    account: str

    def look(self) -> dict[str, Any]:
        """The account as the API shows it."""
        return self.client.ask("GET", f"/v1/accounts/{self.account}").json

    @property
    def available(self) -> float:
        """What the account can spend."""
        return self.look()["available"]

    def open(self, key: str = "buy-1", **members: object) -> dict[str, Any]:
        """The answer of an opened checkout; the page's path is under `path`."""
        body = {
            "account": self.account,
            "success_url": f"http://127.0.0.1:{self.client.port}{INDEX}",
            "cancel_url": f"http://127.0.0.1:{self.client.port}{INDEX}",
            **(members or {"pack": "pro"}),
        }
        reply = self.client.ask("POST", "/v1/checkout", body, idempotency_key=key)
        assert reply.status == 201, reply.body
        opened = reply.json
        return {**opened, "path": opened["checkout_url"].partition(str(self.client.port))[2]}

    def press(self, path: str, action: str, id_: str = "") -> Reply:
        """The answer after a button of a page."""
        form = urlencode({"action": action, "id": id_}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.client.ask("POST", path, form, headers=headers)

    def buy(self, action: str = "pay", key: str = "buy-1", **members: object) -> dict[str, Any]:
        """A page that was opened, and its button pressed."""
        opened = self.open(key, **members)
        assert self.press(opened["path"], action).status == 303
        return opened

    def status(self, purchase: dict[str, Any]) -> str:
        """Where the purchase stands."""
        path = f"/v1/purchases/{purchase['purchase_id']}"
        return str(self.client.ask("GET", path).json["status"])

    def charge(self, purchase: dict[str, Any]) -> str:
        """Stripe's id of the charge that paid the purchase."""
        headers = {"Authorization": "Bearer sk_test_local"}
        listed = self.client.ask("GET", "/_stripe/v1/charges?limit=100", headers=headers).json
        own = [c for c in listed["data"] if c["metadata"].get("account") == self.account]
        ids = [c["id"] for c in own if c["metadata"]["purchase_id"] == purchase["purchase_id"]]
        return str(ids[0])

    def act(self, *actions: str, id_: str) -> list[float]:
        """What is available after each button of the page of all payments."""
        found: list[float] = []
        for action in actions:
            assert self.press(INDEX, action, id_).status == 303, action
            found.append(self.available)
        return found

    def subscription(self) -> str:
        """Stripe's id of the account's subscription."""
        page = self.client.ask("GET", INDEX).body.decode()
        cards = page.split('<div class="card">')
        own = next(card for card in cards if f"for {self.account}</div>" in card and "sub_" in card)
        found = re.search(r"sub_[0-9a-f]{24}", own)
        assert found is not None
        return found.group()


@pytest.fixture
def shop(shop_gateway: RunningGateway, new_account: Callable[[], str]) -> Generator[Shop]:
    """An account that nobody else has; whatever it did, its ledger explains every credit."""
    made = Shop(client=shop_gateway.client(), account=new_account())
    yield made
    found = made.client.ask("GET", f"/v1/verify/{made.account}").json
    assert (found["is_clean"], found["findings"]) == (True, [])


def test_a_pack_is_bought(shop: Shop) -> None:
    bought = shop.buy()

    assert (shop.available, shop.status(bought)) == (515, "paid")


def test_a_declined_card_and_a_page_left_bring_nothing(shop: Shop) -> None:
    opened = shop.open()

    assert shop.press(opened["path"], "fail").status == 200
    assert (shop.available, shop.status(opened)) == (15, "created")
    assert shop.press(opened["path"], "cancel").status == 303
    assert shop.press(INDEX, "expire", opened["path"].rpartition("/")[2]).status == 303
    assert (shop.available, shop.status(opened)) == (15, "expired")


@pytest.mark.parametrize(("answer", "available", "status"), [("bank_pays", 515, "paid")])
def test_a_bank_pays_later(shop: Shop, answer: str, available: int, status: str) -> None:
    bought = shop.buy("later")
    assert (shop.available, shop.status(bought)) == (15, "pending")

    assert shop.press(bought["path"], answer).status == 303

    assert (shop.available, shop.status(bought)) == (available, status)


def test_a_bank_that_does_not_pay_brings_nothing(shop: Shop) -> None:
    bought = shop.buy("later")

    shop.press(bought["path"], "bank_fails")

    assert (shop.available, shop.status(bought)) == (15, "failed")


@pytest.mark.parametrize("manner", ["in_order", "twice", "shuffled", "at_once"])
def test_refunds_and_disputes_take_credits_along_however_events_arrive(
    shop: Shop, manner: str
) -> None:
    shop.press(INDEX, f"manner_{manner}")
    try:
        bought = shop.buy()
        charge = shop.charge(bought)
        wait_until(lambda: shop.available == 515, timeout_s=10, what="the credits")

        balances: list[float] = []
        for action, expected in (
            ("refund_half", 265),
            ("dispute", 15),
            ("win", 265),
            ("refund_all", 15),
        ):
            shop.press(INDEX, action, charge)
            wait_until(
                lambda expected=expected: shop.available == expected, timeout_s=10, what=action
            )
            balances.append(shop.available)

        assert balances == [265, 15, 265, 15]
        assert shop.status(bought) == "refunded"
        entries = shop.client.ask("GET", f"/v1/accounts/{shop.account}/entries").json["entries"]
        kinds = sorted(entry["kind"] for entry in entries)
        assert kinds == ["clawback", "clawback", "clawback", "grant", "reinstate", "reset"]
    finally:
        shop.press(INDEX, "manner_in_order")


def test_an_admin_refunds_through_the_api(shop: Shop) -> None:
    bought = shop.buy()
    path = f"/v1/purchases/{bought['purchase_id']}/refund"

    body = {"amount": "10.00", "reason": "sorry"}
    reply = shop.client.ask("POST", path, body, idempotency_key="refund-1")

    assert reply.status in (200, 201), reply.body
    wait_until(lambda: shop.available == 415, timeout_s=10, what="the refund")
    assert shop.status(bought) == "partially_refunded"


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(shop: Shop) -> None:
    charge = shop.charge(shop.buy())

    assert shop.act("inquire", "escalate", "lose", id_=charge) == [515, 15, 15]


def test_a_subscription_is_renewed_upgraded_and_ended(shop: Shop) -> None:
    shop.buy(plan="studio")
    assert (shop.available, shop.look()["plan"]["id"]) == (500, "studio")
    id_ = shop.subscription()
    charged = shop.client.ask(
        "POST",
        "/v1/deduct",
        {"account": shop.account, "operation": "voice_call", "quantity": 200},
        idempotency_key="use-1",
    )
    assert charged.status == 200, charged.body

    unpaid, paid, upgraded = shop.act("renew_unpaid", "pay_open", "renew", id_=id_)

    assert (unpaid, paid, upgraded) == (300, 500, 500)
    assert shop.act("cancel_at_end", "keep", id_=id_) == [500, 500]
    assert shop.act("cancel_now", id_=id_) == [15]
    assert shop.look()["plan"]["id"] == "free"


def test_an_upgrade_raises_the_allocation_within_its_period(shop: Shop) -> None:
    shop.buy(plan="studio")

    assert shop.act("upgrade", "renew", id_=shop.subscription()) == [2000, 2000]
    assert shop.look()["plan"]["id"] == "agency"


def test_a_customer_changes_and_ends_a_subscription_on_the_portal(shop: Shop) -> None:
    shop.buy(plan="studio")
    id_ = shop.subscription()
    body = {"account": shop.account, "return_url": f"http://127.0.0.1:{shop.client.port}{INDEX}"}

    reply = shop.client.ask("POST", "/v1/portal", body, idempotency_key="portal-1")
    assert reply.status == 201, reply.body
    path = reply.json["portal_url"].partition(str(shop.client.port))[2]
    assert b"4242" in shop.client.ask("GET", path).body
    assert shop.press(path, "upgrade", id_).status == 303
    assert (shop.available, shop.look()["plan"]["id"]) == (2000, "agency")
    assert shop.press(path, "cancel_at_end", id_).status == 303

    assert shop.act("renew", id_=id_) == [15]


def spend_down_to(shop: Shop, left: int) -> None:
    """That much is left."""
    quantity = int(shop.available) - left
    body = {"account": shop.account, "operation": "voice_call", "quantity": quantity}
    reply = shop.client.ask("POST", "/v1/deduct", body, idempotency_key=f"down-{left}")
    assert reply.status == 200, reply.body


def with_top_up(shop: Shop, action: str) -> None:
    """The account bought a pack with a card that is saved, and tops up below 20."""
    shop.buy(action, pack="starter", save_card=True)
    body = {"pack": "starter", "below": 20}
    reply = shop.client.ask(
        "PUT", f"/v1/accounts/{shop.account}/top-up", body, idempotency_key="top-1"
    )
    assert reply.status == 200, reply.body


def test_a_saved_card_tops_up(shop: Shop) -> None:
    with_top_up(shop, "pay")

    spend_down_to(shop, 10)

    wait_until(lambda: shop.available == 110, timeout_s=20, what="the top-up")


def test_a_card_that_is_declined_later_tops_nothing_up(shop: Shop) -> None:
    with_top_up(shop, "declined_later")

    spend_down_to(shop, 10)

    def has_failed() -> bool:
        page = shop.client.ask("GET", INDEX).body
        return b"payment_intent.payment_failed" in page

    wait_until(has_failed, timeout_s=20, what="the failed payment")
    assert shop.available == 10


def test_a_bank_that_wants_the_customer_gets_a_page_that_the_customer_pays(shop: Shop) -> None:
    with_top_up(shop, "authenticates")
    path = f"/v1/accounts/{shop.account}/top-up"

    spend_down_to(shop, 10)

    def pending() -> dict[str, Any]:
        return shop.client.ask("GET", path).json["pending"] or {}

    wait_until(lambda: bool(pending().get("action_url")), timeout_s=20, what="the page")
    page = str(pending()["action_url"]).partition(str(shop.client.port))[2]
    assert shop.available == 10
    assert shop.press(page, "pay").status == 303
    wait_until(lambda: shop.available == 110, timeout_s=20, what="the credits")
    assert pending() == {}


def reconcile(shop: Shop) -> None:
    """Stripe's lists of the last ten minutes are in the ledger."""
    ends = datetime.now(UTC) + timedelta(seconds=2)
    body = {"from": (ends - timedelta(minutes=10)).isoformat(), "to": ends.isoformat()}
    reply = shop.client.ask("POST", "/v1/reconcile", body)
    assert reply.status == 200, reply.body


def test_what_no_event_told_yet_is_found_in_stripes_lists(shop: Shop) -> None:
    shop.press(INDEX, "manner_late")
    try:
        bought = shop.buy()
        charge = shop.charge(bought)
        assert shop.available == 15

        reconcile(shop)
        assert (shop.available, shop.status(bought)) == (515, "paid")

        shop.press(INDEX, "refund_half", charge)
        reconcile(shop)
        assert shop.available == 265
    finally:
        shop.press(INDEX, "manner_in_order")


def test_what_was_paid_is_still_there_after_a_crash(
    start_gateway: StartGateway, new_account: Callable[[], str]
) -> None:
    gateway = start_gateway()
    shop = Shop(client=gateway.client(), account=new_account())
    bought = shop.buy()
    charge = shop.charge(bought)
    gateway.kill9()
    gateway.start()
    again = Shop(client=gateway.client(), account=shop.account)

    assert again.act("refund_half", id_=charge) == [265]
    assert again.open()["checkout_url"] == bought["checkout_url"]
