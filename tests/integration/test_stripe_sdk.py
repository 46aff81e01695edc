"""The simulated Stripe behind a socket, asked by Stripe's own SDK."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from local.stripe import checkout, customers
from local.stripe.desk import KEY, Desk
from local.stripe.state import CUSTOMER, SESSION, SUBSCRIPTION
from local.stripe.subscriptions import renew

NOW = 1_795_000_000
SALE: Any = {
    "mode": "payment",
    "client_reference_id": "pur_1",
    "metadata": {"purchase_id": "pur_1", "account": "user_1"},
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 5000,
                "product_data": {"name": "Pro: 500 credits"},
            },
        }
    ],
    "payment_intent_data": {
        "metadata": {"purchase_id": "pur_1"},
        "setup_future_usage": "off_session",
    },
    "customer_creation": "always",
    "success_url": "https://app.example.com/paid",
    "cancel_url": "https://app.example.com/packs",
}


@pytest.fixture
def desk() -> Desk:
    """A Stripe that keeps nothing."""
    return Desk(page_url="http://127.0.0.1/_local", secret="whsec_1", clock=lambda: NOW)


@pytest.fixture
def client(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[stripe.StripeClient]:
    """The SDK, which talks to this Stripe on a free port."""
    monkeypatch.setattr("stripe.enable_telemetry", False)

    class Handler(BaseHTTPRequestHandler):
        """Hands each request to the desk."""

        def do_POST(self) -> None:
            """One request and its answer."""
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.path.removeprefix("/_stripe")
            status, headers, body = desk.answer(self.command, target, dict(self.headers), raw)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            """The same."""
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    http_client = stripe.RequestsClient(timeout=5)
    yield stripe.StripeClient(
        KEY,
        http_client=http_client,
        max_network_retries=0,
        base_addresses={"api": f"http://127.0.0.1:{server.server_port}/_stripe"},
    )
    http_client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def pay(desk: Desk, id_: str, card: str = "good") -> None:
    """The page is paid."""
    desk.change(lambda s, now: checkout.pay_session(s, s.find(SESSION, id_), now, card=card))


def test_a_page_is_opened_paid_and_read_again(desk: Desk, client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(SALE, {"idempotency_key": "pur_1"})
    again = client.v1.checkout.sessions.create(SALE, {"idempotency_key": "pur_1"})

    pay(desk, session.id)

    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (session.amount_subtotal, session.currency, session.livemode) == (5000, "usd", False)
    assert session.url == f"http://127.0.0.1/_local/checkout/{session.id}"
    assert again.id == session.id
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer is not None


def test_a_key_that_asked_something_else_is_an_idempotency_error(
    client: stripe.StripeClient,
) -> None:
    client.v1.checkout.sessions.create(SALE, {"idempotency_key": "pur_1"})
    other: Any = {**SALE, "success_url": "https://other.example.com"}

    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(other, {"idempotency_key": "pur_1"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "x"}, {"idempotency_key": "pur_1"})


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_promotion_codes": True},
        {"payment_intent_data": {"capture_method": "manual"}},
        {"mode": "setup"},
        {"subscription_data": {"metadata": {"a": "b"}}},
        {"customer": "cus_unknown", "customer_creation": None},
        {"line_items": [{"quantity": 1, "price": "price_unknown"}]},
    ],
)
def test_what_we_never_send_is_refused(
    client: stripe.StripeClient, changes: dict[str, Any]
) -> None:
    asked: Any = {name: v for name, v in {**SALE, **changes}.items() if v is not None}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(asked)

    assert refused.value.http_status == 400


def test_a_path_that_we_never_ask_is_not_there(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.coupons.list()


def test_a_refund_is_cumulative_and_never_more_than_was_paid(
    desk: Desk, client: stripe.StripeClient
) -> None:
    session = client.v1.checkout.sessions.create(SALE)
    pay(desk, session.id)
    intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

    client.v1.refunds.create({"payment_intent": intent, "amount": 1000})
    second = client.v1.refunds.create(
        {"payment_intent": intent, "amount": 1500, "expand": ["charge"]}
    )

    charge: Any = second.charge
    assert (charge.amount_refunded, charge.refunded) == (2500, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 2501})
    client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


def charge_card(desk: Desk, client: stripe.StripeClient, card: str, key: str) -> Any:
    """A payment by a saved card, with nobody there."""

    def save(state: Any, now: int) -> tuple[str, str]:
        customer = customers.create_customer(state, now)
        method = customers.new_payment_method(state, now, card=card)
        customers.attach(state, method, customer, now)
        return str(customer["id"]), str(method["id"])

    found = desk.read(lambda s, _: [str(c) for c in s.all_of(CUSTOMER)])
    customer, method = desk.change(save) if not found else (found[0], "")
    listed = client.v1.customers.payment_methods.list(customer, {"type": "card", "limit": 1})
    method = method or listed.data[0].id
    return client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "description": "Pro",
            "metadata": {"purchase_id": "pur_2"},
        },
        {"idempotency_key": key},
    )


def test_a_saved_card_pays_once_for_one_key(desk: Desk, client: stripe.StripeClient) -> None:
    first = charge_card(desk, client, "good", "top_up_1")
    second = charge_card(desk, client, "good", "top_up_1")

    assert (first.id, first.status) == (second.id, "succeeded")
    listed = client.v1.payment_intents.list({"customer": str(first.customer), "limit": 100})
    assert [each.id for each in listed.data] == [first.id]


@pytest.mark.parametrize(
    ("card", "code"),
    [("declined_later", "card_declined"), ("authenticates", "authentication_required")],
)
def test_a_card_that_does_not_pay_is_a_card_error_with_its_payment(
    desk: Desk, client: stripe.StripeClient, card: str, code: str
) -> None:
    found: list[Any] = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            charge_card(desk, client, card, "top_up_1")
        found.append(refused.value)

    assert [(error.http_status, error.code) for error in found] == [(402, code)] * 2
    intent, again = (error.error.payment_intent for error in found)
    assert (intent.id, intent.status) == (again.id, "requires_payment_method")
    assert intent.last_payment_error.code == code
    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert canceled.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as over:
        client.v1.payment_intents.cancel(intent.id)
    assert over.value.code == "payment_intent_unexpected_state"


def test_a_subscription_is_begun_renewed_and_listed(
    desk: Desk, client: stripe.StripeClient
) -> None:
    line: Any = {**SALE["line_items"][0]}
    line["price_data"] = {**line["price_data"], "recurring": {"interval": "month"}}
    asked: Any = {name: SALE[name] for name in ("metadata", "success_url", "cancel_url")}
    asked |= {"mode": "subscription", "line_items": [line]}
    asked |= {"subscription_data": {"metadata": {"plan": "studio"}}}
    session = client.v1.checkout.sessions.create(asked)

    pay(desk, session.id)
    paid: Any = client.v1.checkout.sessions.retrieve(session.id)
    desk.change(lambda s, now: renew(s, s.find(SUBSCRIPTION, paid.subscription), now))

    invoices: Any = client.v1.invoices.list({"status": "paid", "expand": ["data.payments"]}).data
    reasons = [each.billing_reason for each in invoices]
    assert reasons == ["subscription_cycle", "subscription_create"]
    assert invoices[0].lines.data[0].period.start == invoices[1].lines.data[0].period.end
    assert invoices[0].period_end < invoices[0].lines.data[0].period.end
    details = invoices[0].parent.subscription_details
    assert (details.subscription, details.metadata["plan"]) == (paid.subscription, "studio")
    assert invoices[0].payments.data[0].payment.payment_intent.startswith("pi_")
    portal = client.v1.billing_portal.sessions.create(
        {"customer": str(paid.customer), "return_url": "https://app.example.com"}
    )
    assert portal.url.startswith("http://127.0.0.1/_local/portal/bps_")


def test_lists_are_newest_first_in_pages_and_ranges(
    desk: Desk, client: stripe.StripeClient
) -> None:
    ids: list[str] = []
    for number in range(5):
        desk._clock = lambda number=number: NOW + number  # pyright: ignore[reportPrivateUsage]
        ids.append(client.v1.checkout.sessions.create(SALE).id)

    asked: Any = {"created": {"gte": NOW + 1, "lt": NOW + 4}, "limit": 2}
    first = client.v1.checkout.sessions.list(asked)
    asked["starting_after"] = first.data[-1].id
    second = client.v1.checkout.sessions.list(asked)

    assert [each.id for each in first.data] == [ids[3], ids[2]]
    assert first.has_more is True
    assert ([each.id for each in second.data], second.has_more) == ([ids[1]], False)


def test_a_key_that_is_none_is_not_let_in(desk: Desk) -> None:
    status, _, body = desk.answer("GET", "/v1/charges", {"Authorization": "Bearer sk_live_1"}, b"")

    assert status == 401
    assert b"invalid_request_error" in body
