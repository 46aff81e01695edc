"""Which gateway a stack gets, and what the SDK's really sends to Stripe and makes of answers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase, PurchaseKind
from tollkeeper.edge import stripe_client
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_gateway import SdkGateway, choose_gateway

PURCHASE = Purchase(
    id="pur_" + "1" * 32,
    account=AccountId("user_1"),
    pack="pro",
    pack_name="Pro",
    credits_microcredits=500_000_000,
    price_minor=5000,
    currency="usd",
    created_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
)
PLAN = replace(PURCHASE, pack="", plan="pro", kind=PurchaseKind.PLAN)
PAID, CANCELLED = "https://app.example.com/paid", "https://app.example.com/packs"


# ----------------------------------------------------------------------------------- the choice


class FakeSecrets:
    """Secrets of a test; it counts what is asked for."""

    def __init__(self, **secrets: str) -> None:
        self._secrets = secrets
        self.asked: list[str] = []

    def read_secret(self, name: str) -> str:
        """The secret, or an empty text."""
        self.asked.append(name)
        return self._secrets.get(name, "")


def settings(**changes: Any) -> Settings:
    """The settings of one machine."""
    usual = {"table_name": "t", "stage": "local", "stripe_api_url": "http://127.0.0.1:9"}
    return Settings.model_validate(usual | changes)


def test_a_stack_with_a_key_sells_at_stripe() -> None:
    secrets = FakeSecrets(STRIPE_SECRET_KEY="sk_test_1", STRIPE_WEBHOOK_SECRET="whsec_1")

    assert isinstance(choose_gateway(settings(), secrets), SdkGateway)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_deployed_stack_never_simulates_a_payment(stage: str) -> None:
    secrets = FakeSecrets(STRIPE_WEBHOOK_SECRET="whsec_1")

    gateway = choose_gateway(settings(stage=stage), secrets)

    with pytest.raises(PaymentsUnavailableError, match="STRIPE_SECRET_KEY is not set"):
        gateway.open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)
    assert secrets.asked == ["STRIPE_SECRET_KEY"]


@pytest.mark.parametrize("function", ["checkout", "purchase_webhook", "deduct"])
def test_no_function_imports_stripe_before_it_calls_it(function: str) -> None:
    code = f"import sys, functions.{function}.handler; sys.exit('stripe' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()


# --------------------------------------------------------------------------------- Stripe itself


@dataclass
class Stripe:
    """A server that answers like Stripe's, in the order it is told."""

    url: str
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list[Any])
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list[Any])

    def gateway(self, *, is_live: bool = False) -> SdkGateway:
        """The gateway under test, which calls this server."""
        return SdkGateway("sk_test_1", is_live=is_live, api_url=self.url)


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stripe]:
    """A server on a free port of this machine."""
    monkeypatch.setattr("stripe._http_client.HTTPClient.INITIAL_DELAY", 0.01)
    monkeypatch.setattr("stripe.enable_telemetry", False)
    double: Stripe

    class Handler(BaseHTTPRequestHandler):
        """Answers what the test put down."""

        def do_POST(self) -> None:
            """One request and its answer."""
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(raw).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            double.requests.append((self.path, headers, fields))
            status, body = double.answers.pop(0)
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double = Stripe(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield double
    server.shutdown()
    thread.join()
    server.server_close()
    stripe_client.sdk_client.cache_clear()


def opened(**changes: Any) -> tuple[int, dict[str, Any]]:
    """Stripe's answer to an opened session."""
    session = {
        "id": "cs_test_9",
        "object": "checkout.session",
        "amount_subtotal": 5000,
        "currency": "usd",
        "livemode": False,
        "url": "https://checkout.stripe.com/c/pay/cs_test_9",
    }
    return 200, session | changes


def refused(status: int, type_: str = "api_error") -> tuple[int, dict[str, Any]]:
    """Stripe's answer to a request that it does not serve."""
    return status, {"error": {"type": type_, "message": "No."}}


def test_the_page_is_asked_for_with_all_that_a_webhook_will_need(stripe: Stripe) -> None:
    stripe.answers = [opened()]

    page = stripe.gateway().open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)

    assert (page.url, page.session) == ("https://checkout.stripe.com/c/pay/cs_test_9", "cs_test_9")
    path, headers, fields = stripe.requests[0]
    assert path == "/v1/checkout/sessions"
    assert headers["authorization"] == "Bearer sk_test_1"
    assert headers["idempotency-key"] == PURCHASE.id
    assert fields == {
        "mode": "payment",
        "customer_creation": "always",
        "client_reference_id": PURCHASE.id,
        "metadata[purchase_id]": PURCHASE.id,
        "metadata[account]": "user_1",
        "payment_intent_data[metadata][purchase_id]": PURCHASE.id,
        "payment_intent_data[metadata][account]": "user_1",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "5000",
        "line_items[0][price_data][product_data][name]": "Pro: 500 credits",
        "success_url": PAID,
        "cancel_url": CANCELLED,
    }


def test_a_pack_with_a_price_at_stripe_is_sold_by_that_price(stripe: Stripe) -> None:
    stripe.answers = [opened()]
    purchase = replace(PURCHASE, stripe_price="price_1")

    stripe.gateway().open_checkout(purchase, success_url=PAID, cancel_url=CANCELLED)

    lines = {n: v for n, v in stripe.requests[0][2].items() if n.startswith("line_items")}
    assert lines == {"line_items[0][price]": "price_1", "line_items[0][quantity]": "1"}


def test_a_plan_is_sold_as_a_subscription_that_names_the_account(stripe: Stripe) -> None:
    stripe.answers = [opened()]

    stripe.gateway().open_checkout(
        PLAN, success_url=PAID, cancel_url=CANCELLED, interval="month", saves_card=True
    )

    assert stripe.requests[0][2] == {
        "mode": "subscription",
        "client_reference_id": PLAN.id,
        "metadata[purchase_id]": PLAN.id,
        "metadata[account]": "user_1",
        "metadata[plan]": "pro",
        "subscription_data[metadata][purchase_id]": PLAN.id,
        "subscription_data[metadata][account]": "user_1",
        "subscription_data[metadata][plan]": "pro",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "5000",
        "line_items[0][price_data][product_data][name]": "Pro",
        "line_items[0][price_data][recurring][interval]": "month",
        "success_url": PAID,
        "cancel_url": CANCELLED,
    }


def test_a_plan_with_a_price_at_stripe_is_sold_by_that_price(stripe: Stripe) -> None:
    stripe.answers = [opened()]
    purchase = replace(PLAN, stripe_price="price_1")

    stripe.gateway().open_checkout(
        purchase, success_url=PAID, cancel_url=CANCELLED, interval="year"
    )

    lines = {n: v for n, v in stripe.requests[0][2].items() if n.startswith("line_items")}
    assert lines == {"line_items[0][price]": "price_1", "line_items[0][quantity]": "1"}


def test_a_known_customer_pays_as_the_same_customer_and_may_save_the_card(stripe: Stripe) -> None:
    stripe.answers = [opened()]
    purchase = replace(PURCHASE, customer="cus_1")

    stripe.gateway().open_checkout(
        purchase, success_url=PAID, cancel_url=CANCELLED, saves_card=True
    )

    fields = stripe.requests[0][2]
    assert fields["customer"] == "cus_1"
    assert "customer_creation" not in fields
    assert fields["payment_intent_data[setup_future_usage]"] == "off_session"


def test_a_customer_who_was_deleted_at_stripe_pays_as_a_new_one(stripe: Stripe) -> None:
    gone = {"type": "invalid_request_error", "code": "resource_missing", "param": "customer"}
    stripe.answers = [(400, {"error": gone}), opened()]
    purchase = replace(PURCHASE, customer="cus_gone")

    stripe.gateway().open_checkout(purchase, success_url=PAID, cancel_url=CANCELLED)

    _, headers, fields = stripe.requests[1]
    assert "customer" not in fields
    assert fields["customer_creation"] == "always"
    assert headers["idempotency-key"] == f"{PURCHASE.id}_new"


def test_the_portal_is_opened_for_one_customer_under_one_key(stripe: Stripe) -> None:
    url = "https://billing.stripe.com/p/session/1"
    stripe.answers = [(200, {"id": "bps_1", "object": "billing_portal.session", "url": url})]

    opened_url = stripe.gateway().open_portal("cus_1", return_url=PAID, key="portal_1")

    assert opened_url == url
    path, headers, fields = stripe.requests[0]
    assert (path, headers["idempotency-key"]) == ("/v1/billing_portal/sessions", "portal_1")
    assert fields == {"customer": "cus_1", "return_url": PAID}


def test_a_portal_that_stripe_refuses_is_payments_unavailable(stripe: Stripe) -> None:
    stripe.answers = [refused(400, "invalid_request_error")]

    with pytest.raises(PaymentsUnavailableError, match="same request is safe"):
        stripe.gateway().open_portal("cus_1", return_url=PAID, key="portal_1")


def test_only_one_machine_may_say_that_stripe_is_somewhere_else() -> None:
    there = "http://127.0.0.1:8787/_stripe"

    assert settings(stripe_api_url=there).stripe_api == there
    assert settings(stripe_api_url=there, stage="dev").stripe_api == ""
    assert settings(stripe_api_url=there, stage="prod").stripe_api == ""


def test_a_try_that_failed_is_made_once_more_under_the_same_key(stripe: Stripe) -> None:
    stripe.answers = [refused(500), opened()]

    page = stripe.gateway().open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)

    assert page.session == "cs_test_9"
    assert {headers["idempotency-key"] for _, headers, _ in stripe.requests} == {PURCHASE.id}


@pytest.mark.parametrize(
    "answers",
    [
        [refused(500), refused(503)],
        [refused(429, "rate_limit_error")],
        [refused(401, "invalid_request_error")],
        [refused(400, "invalid_request_error")],
        [refused(400, "idempotency_error")],
        [refused(402, "card_error")],
    ],
)
def test_whatever_stripe_refuses_is_payments_unavailable(stripe: Stripe, answers: Any) -> None:
    stripe.answers = list(answers)

    with pytest.raises(PaymentsUnavailableError, match="same key is safe"):
        stripe.gateway().open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)

    assert stripe.answers == []


def test_a_stripe_that_is_not_there_is_payments_unavailable(stripe: Stripe) -> None:
    gateway = SdkGateway("sk_test_1", is_live=False, api_url="http://127.0.0.1:9")

    with pytest.raises(PaymentsUnavailableError):
        gateway.open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)


@pytest.mark.parametrize(
    "changes",
    [{"amount_subtotal": 4900}, {"currency": "eur"}, {"livemode": True}, {"url": None}],
)
def test_no_customer_is_given_a_page_that_takes_other_money(
    stripe: Stripe, changes: dict[str, Any]
) -> None:
    stripe.answers = [opened(**changes)]

    with pytest.raises(PaymentsUnavailableError, match="another price, currency or mode"):
        stripe.gateway().open_checkout(PURCHASE, success_url=PAID, cancel_url=CANCELLED)


def test_two_tries_of_the_sdk_fit_the_time_of_the_function() -> None:
    tries = 1 + stripe_client.RETRIES

    assert tries * stripe_client.TIMEOUT_S + 1 < 15
