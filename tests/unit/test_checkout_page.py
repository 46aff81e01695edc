"""The simulated checkout page: it shows what was asked for and sends what Stripe would."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from local.checkout_page import STYLE, respond
from tollkeeper.edge.stripe_events import read_event, verify_signature
from tollkeeper.edge.stripe_simulator import SimulatedSession, write_token
from tollkeeper.edge.wiring import SystemClock

SECRET = "whsec_local"
PATH = "/_local/checkout"
SESSION = SimulatedSession(
    id="cs_test_1",
    purchase="pur_" + "1" * 32,
    account="user_1",
    name="Pro",
    credits="500",
    price_minor=5000,
    currency="usd",
    success_url="http://localhost:3000/paid?session={CHECKOUT_SESSION_ID}",
    cancel_url="http://127.0.0.1:8080/packs",
)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's webhook secret, and one that is being rotated out."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"{SECRET},whsec_old")


class Webhook:
    """The API's webhook route, which answers as it is told."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.received: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The answer to one delivery."""
        self.received.append((headers, body))
        return self.status, b"<b>busy</b>"


class TagReader(HTMLParser):
    """The tags of a page as a browser sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag more."""
        del attrs
        self.found.append(tag)


def press(action: str, webhook: Webhook, session: SimulatedSession = SESSION) -> Any:
    """What a button of the page answers."""
    token = write_token(session, SECRET)
    return respond("POST", PATH, {}, f"session={token}&action={action}".encode(), webhook)


def test_the_page_shows_the_pack_its_price_and_two_buttons() -> None:
    token = write_token(SESSION, SECRET)

    status, headers, body = respond("GET", PATH, {"session": token}, b"", Webhook())

    page = body.decode()
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Pro (500 credits)" in page
    assert ">Pay 50.00 USD</button>" in page
    assert ">Cancel</button>" in page
    assert token in page


def test_the_page_runs_no_script_and_may_only_send_its_form_on_the_ways_back() -> None:
    token = write_token(SESSION, SECRET)

    _, headers, body = respond("GET", PATH, {"session": token}, b"", Webhook())

    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["form-action"] == "'self' http://127.0.0.1:8080 http://localhost:3000"
    assert policy["frame-ancestors"] == "'none'"
    assert "<script" not in body.decode()
    assert f"<style>{STYLE}</style>" in body.decode()


def test_what_an_operator_named_a_pack_is_never_markup() -> None:
    evil = replace(SESSION, name='<img src=x onerror="alert(1)">', account="a|b")
    token = write_token(evil, SECRET)

    _, _, body = respond("GET", PATH, {"session": token}, b"", Webhook())

    tags = TagReader()
    tags.feed(body.decode())
    assert "img" not in tags.found
    assert "button" in tags.found


def test_pay_sends_the_event_that_stripe_would_and_goes_back() -> None:
    webhook = Webhook()

    status, headers, _ = press("pay", webhook)

    assert (status, headers["Location"]) == (303, "http://localhost:3000/paid?session=cs_test_1")
    sent, raw = webhook.received[0]
    header = sent["Stripe-Signature"]
    verify_signature(raw, header, secrets=[SECRET], now=SystemClock().now())
    payment = read_event(raw).payment
    assert payment is not None
    assert (payment.purchase, payment.session, payment.status) == (
        SESSION.purchase,
        SESSION.id,
        "paid",
    )
    assert (payment.currency, payment.subtotal_minor, payment.is_live) == ("usd", 5000, False)


def test_paying_twice_sends_one_and_the_same_event() -> None:
    webhook = Webhook()

    press("pay", webhook)
    press("pay", webhook)

    ids = {json.loads(raw)["id"] for _, raw in webhook.received}
    assert (len(webhook.received), len(ids)) == (2, 1)


def test_cancel_goes_back_and_sends_nothing() -> None:
    webhook = Webhook()

    status, headers, _ = press("cancel", webhook)

    assert (status, headers["Location"]) == (303, SESSION.cancel_url)
    assert webhook.received == []


def test_a_payment_that_the_webhook_does_not_take_is_told_and_not_sent_on() -> None:
    status, headers, body = press("pay", Webhook(status=503))

    assert status == 502
    assert "Location" not in headers
    assert "&lt;b&gt;busy&lt;/b&gt;" in body.decode()


TOKEN = write_token(SESSION, SECRET)


@pytest.mark.parametrize(
    ("method", "query", "body", "expected"),
    [
        ("GET", {}, b"", 400),
        ("GET", {"session": "x"}, b"", 400),
        ("GET", {"session": "."}, b"", 400),
        ("GET", {"session": "\u00e9.\u00e9"}, b"", 400),
        ("GET", {"session": TOKEN[:-2]}, b"", 400),
        ("GET", {"session": "A" + TOKEN[1:]}, b"", 400),
        ("GET", {"session": write_token(SESSION, "whsec_other")}, b"", 400),
        ("POST", {"session": TOKEN}, b"action=pay", 400),
        ("POST", {}, f"session={TOKEN}".encode(), 400),
        ("POST", {}, f"session={TOKEN}&action=refund".encode(), 400),
        ("POST", {}, b"\xff", 400),
        ("POST", {}, b"a=1&" * 100, 400),
        ("POST", {}, b"a" * 70_000, 413),
        ("PUT", {"session": TOKEN}, b"", 405),
    ],
)
def test_anything_else_is_refused_and_sends_nothing(
    method: str, query: dict[str, str], body: bytes, expected: int
) -> None:
    webhook = Webhook()

    status, headers, _ = respond(method, PATH, query, body, webhook)

    assert status == expected
    assert "Location" not in headers
    assert webhook.received == []


def test_without_a_secret_no_link_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")

    status, _, _ = respond("GET", PATH, {"session": write_token(SESSION, "")}, b"", Webhook())

    assert status == 400
