"""Our gateways and readers against localstripe, which others wrote from their reading of Stripe.

What cannot be asked of it, since it refuses or lacks it: payment pages and the customer portal (it
has none); payments by our own CardGateway (it takes no `description` and no
`automatic_payment_methods`) and `cancellation_reason`; idempotency keys (it passes them over);
our lists (one bound of `created`, no `status`, no list of refunds without a charge, no disputes);
a customer's payment methods; events `charge.refunded` and disputes (it sends neither).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import localstripe
from tests.support.catalogs import put_catalog
from tests.support.driving import Driver, verify_ledger
from tests.support.forgetting import forget
from tests.support.localstripe import LocalStripe
from tests.support.payments import deliver_raw
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import NotRefundableError
from tollkeeper.domain.payments import Payment
from tollkeeper.domain.purchases import Purchase, PurchaseStatus
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.domain.top_ups import CardOutcome
from tollkeeper.edge.stripe_cards import SdkCards
from tollkeeper.edge.stripe_client import sdk_client
from tollkeeper.edge.stripe_events import read_event
from tollkeeper.edge.stripe_refunds import SdkRefunds
from tollkeeper.edge.stripe_signature import verify_signature

CATALOG = Path(__file__).parents[2] / "layers" / "catalog" / "catalog.toml"
PURCHASE_ID = "pur_" + "1" * 32
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = """
[plans.studio]
name = "Studio"
driven_by = "stripe"
price = "20.00"
currency = "usd"
interval = "month"
stripe_price = "price_studio"
allocation = 500
"""


@pytest.fixture(scope="module")
def stripe_of_others() -> Iterator[LocalStripe]:
    """A localstripe for these tests."""
    with localstripe.running() as running:
        yield running
    sdk_client.cache_clear()


def save_card(other: LocalStripe, number: str = "4242424242424242") -> tuple[str, str]:
    """A customer and the card that is saved with it."""
    client = other.client()
    customer = client.v1.customers.create({"name": "Ada"})
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    return customer.id, method.id


def pay(other: LocalStripe, number: str = "4242424242424242") -> str:
    """The id of a payment of 50.00 that names our purchase."""
    customer, method = save_card(other, number)
    intent = other.client().v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "metadata": {"purchase_id": PURCHASE_ID},
        }
    )
    return intent.id


def purchase(payment_intent: str) -> Purchase:
    """A purchase that this payment paid."""
    return Purchase(
        id=PURCHASE_ID,
        account=AccountId("user_1"),
        pack="pro",
        pack_name="Pro",
        credits_microcredits=500_000_000,
        price_minor=5000,
        currency="usd",
        created_at=NOW,
        payment_intent=payment_intent,
    )


def ask(amount: int) -> RefundAsk:
    """A refund that an operator asks for."""
    key = EntryKey(f"c#refund-{amount}")
    return RefundAsk(
        key=key, request_hash="", amount_minor=amount, at=NOW, reason="sorry", actor="admin"
    )


def test_refunds_add_up_as_another_fake_counts_them(stripe_of_others: LocalStripe) -> None:
    bought = purchase(pay(stripe_of_others))
    gateway = SdkRefunds("sk_test_12345", api_url=stripe_of_others.url)

    made = [gateway.refund(bought, ask(amount)) for amount in (1000, 1500)]

    assert [each.refunded_minor for each in made] == [1000, 2500]
    assert {each.charged_minor for each in made} == {5000}
    assert {each.payment_intent for each in made} == {bought.payment_intent}


def test_what_another_fake_refuses_is_not_refundable(stripe_of_others: LocalStripe) -> None:
    with pytest.raises(NotRefundableError):
        SdkRefunds("sk_test_12345", api_url=stripe_of_others.url).refund(
            purchase("pi_unknown"), ask(1)
        )


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("4242424242424242", CardOutcome.PAID),
        ("4000002500003155", CardOutcome.NEEDS_CUSTOMER),
        ("4000002760003184", CardOutcome.NEEDS_CUSTOMER),
    ],
)
def test_a_payment_by_a_saved_card_is_read_as_it_is(
    stripe_of_others: LocalStripe, number: str, outcome: CardOutcome
) -> None:
    cards = SdkCards("sk_test_12345", api_url=stripe_of_others.url)

    found = cards.read_payment(pay(stripe_of_others, number))

    assert (found.outcome, found.amount_minor, found.currency) == (outcome, 5000, "usd")


def test_its_events_are_signed_as_ours_are_and_say_what_was_paid(
    stripe_of_others: LocalStripe,
) -> None:
    intent = pay(stripe_of_others)

    events = stripe_of_others.await_events("payment_intent.succeeded", about=intent)
    header, raw = events[0]

    verify_signature(raw, header, secrets=[localstripe.SECRET], now=datetime.now(UTC))
    fact = read_event(raw).fact
    assert isinstance(fact, Payment)
    assert (fact.purchase, fact.status, fact.payment_intent) == (
        PURCHASE_ID,
        PurchaseStatus.PAID,
        intent,
    )
    assert (fact.charged_minor, fact.currency, fact.is_live) == (5000, "usd", False)


@pytest.mark.parametrize("seed", range(4))
def test_its_subscriptions_are_granted_in_any_order_of_their_events(
    stripe_of_others: LocalStripe,
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    seed: int,
) -> None:
    text = CATALOG.read_text(encoding="utf-8").replace("\n[roles]", f"{PLAN}\n[roles]")
    monkeypatch.setenv("CATALOG_PATH", str(put_catalog(tmp_path, text)))
    forget()
    # It knows no other time than the machine's.
    driver.clock.moment = datetime.now(UTC).replace(microsecond=0)
    subscription = subscribe(stripe_of_others)
    types = ("customer.subscription.created", "invoice.payment_succeeded")
    events = stripe_of_others.await_events(*types, about=subscription)
    raws = [raw.decode() for _, raw in events]
    order = [*raws, *raws]
    random.Random(seed).shuffle(order)

    waiting = [raw for raw in order if deliver_raw(driver, raw).status == 503]
    again = [deliver_raw(driver, raw).status for raw in waiting]

    assert set(again) <= {200}
    account = driver.account("user_1")
    assert (account["available"], account["plan"]["id"]) == (500, "studio")
    verify_ledger(driver, "user_1")


def subscribe(other: LocalStripe) -> str:
    """The id of a subscription that the account pays for."""
    client: Any = other.client()
    customer, method = save_card(other)
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    product = client.v1.products.create({"name": "Studio"})
    price: dict[str, Any] = {"amount": 2000, "currency": "usd", "interval": "month"}
    listed: Any = client.raw_request("get", "/v1/plans").data
    if not listed["data"]:
        client.raw_request("post", "/v1/plans", id="price_studio", product=product.id, **price)
    made: Any = client.raw_request(
        "post",
        "/v1/subscriptions",
        customer=customer,
        items=[{"plan": "price_studio"}],
        metadata={"account": "user_1", "plan": "studio"},
    ).data
    return str(made["id"])
