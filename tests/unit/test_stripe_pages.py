"""The simulated Stripe's pages: what they show, what their buttons do, and what they refuse."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from local.stripe import checkout, customers, portal
from local.stripe.deliveries import Manner
from local.stripe.desk import KEY, Desk
from local.stripe.markup import STYLE
from local.stripe.site import StripeSite
from local.stripe.state import CHARGE, CUSTOMER, SESSION, SUBSCRIPTION, Object
from local.wire import Answer, Request
from tollkeeper.edge.stripe_signature import verify_signature
from tollkeeper.edge.wiring import SystemClock

SECRET = "whsec_1"
BACK = "http://localhost:3000/paid?session={CHECKOUT_SESSION_ID}"
INDEX = "/_local/stripe"


class Shop:
    """A Stripe with its pages, and the endpoint that its events reach."""

    def __init__(self, path: Path | None = None) -> None:
        self.status = 200
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.desk = Desk(page_url="http://127.0.0.1:8080/_local", secret=SECRET, path=path)
        self.site = StripeSite(self.desk, log=lambda _: None)

    def post(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The endpoint's answer to one event."""
        self.received.append((headers, body))
        return self.status, b"taken"

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        """The answer to one request."""
        request = Request(
            method=method,
            target=path,
            protocol="HTTP/1.1",
            headers=(("host", "127.0.0.1:8080"), *headers),
            body=body,
            source_ip="127.0.0.1",
        )
        assert self.site.serves(path)
        return self.site.respond(request, path)

    def press(self, path: str, action: str, id_: object = "") -> Answer:
        """The answer after a button."""
        return self.ask("POST", path, urlencode({"action": action, "id": id_}).encode())

    def open(self, mode: str = "payment", name: str = "Pro", account: str = "user_1") -> str:
        """The path of a page that was opened."""
        data: Object = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": name}}
        if mode == "subscription":
            data["recurring"] = {"interval": "month"}
        params: Object = {
            "mode": mode,
            "line_items": [{"quantity": 1, "price_data": data}],
            "metadata": {"account": account},
            "success_url": BACK,
            "cancel_url": "http://127.0.0.1:8080/packs",
            "payment_intent_data": {"metadata": {"account": account}},
        }
        if mode == "subscription":
            del params["payment_intent_data"]
        session = self.desk.change(lambda s, now: checkout.open_session(s, now, params))
        return f"/_local/checkout/{session['id']}"

    def charge(self) -> Object:
        """The newest charge."""
        return self.desk.read(lambda s, _: list(s.all_of(CHARGE).values())[-1])


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose events are delivered."""
    made = Shop()
    made.desk.start(made.post)
    yield made
    made.desk.stop()


class TagReader(HTMLParser):
    """The tags of a page as a browser sees them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag more."""
        self.found.append((tag, dict(attrs)))

    def actions(self) -> list[str]:
        """What its buttons do."""
        return [str(attrs["value"]) for tag, attrs in self.found if tag == "button"]


def location(answer: Answer) -> str:
    """Where the browser goes next."""
    assert answer.status == 303
    return dict(answer.headers)["Location"]


def test_the_page_shows_what_is_sold_and_a_button_for_each_thing_that_can_happen(
    shop: Shop,
) -> None:
    answer = shop.ask("GET", shop.open())

    page = answer.body.decode()
    assert answer.status == 200
    assert "<h1>Pro</h1>" in page
    assert ">Pay 50.00 USD</button>" in page
    actions = TagReader(answer.body).actions()
    assert actions[:3] == ["pay", "later", "fail"]
    assert {"authenticates", "declined_later", "disputed", "cancel"} <= set(actions)


@pytest.mark.parametrize("path", [INDEX, "page"])
def test_a_page_runs_nothing_and_its_forms_lead_only_back(shop: Shop, path: str) -> None:
    answer = shop.ask("GET", shop.open() if path == "page" else path)

    headers = dict(answer.headers)
    parts = [part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")]
    policy = dict(parts)
    back = " http://127.0.0.1:8080 http://localhost:3000" if path == "page" else ""
    assert policy["default-src"] == "'none'"
    assert policy["form-action"] == f"'self'{back}"
    assert policy["frame-ancestors"] == "'none'"
    assert b"<script" not in answer.body
    assert f"<style>{STYLE}</style>".encode() in answer.body
    assert not re.search(rb" style=| on\w+=", answer.body)


def test_no_name_or_account_is_ever_markup(shop: Shop) -> None:
    evil = '<img src=x onerror="alert(1)">'
    path = shop.open(name=evil, account='"><script>')

    pages = [shop.ask("GET", path), shop.ask("GET", INDEX)]
    shop.press(path, "pay")
    pages += [shop.ask("GET", path), shop.ask("GET", INDEX)]

    for answer in pages:
        tags = {tag for tag, _ in TagReader(answer.body).found}
        assert not tags & {"img", "script"}


def test_pay_sends_signed_events_before_it_goes_back(shop: Shop) -> None:
    path = shop.open()

    answer = shop.press(path, "pay")

    assert location(answer) == f"http://localhost:3000/paid?session={path.rpartition('/')[2]}"
    assert len(shop.received) == 4
    for headers, raw in shop.received:
        verify_signature(
            raw, headers["Stripe-Signature"], secrets=[SECRET], now=SystemClock().now()
        )
    assert b"checkout.session.completed" in shop.received[-1][1]


def test_pay_later_leads_to_the_bank_which_pays_or_does_not(shop: Shop) -> None:
    pays, fails = shop.open(), shop.open()

    for path, action in ((pays, "bank_pays"), (fails, "bank_fails")):
        assert location(shop.press(path, "later")) == path
        assert TagReader(shop.ask("GET", path).body).actions() == ["bank_pays", "bank_fails"]
        assert location(shop.press(path, action)).startswith("http://localhost:3000/paid")
        assert shop.press(path, action).status == 409

    sent = b"".join(raw for _, raw in shop.received)
    assert sent.count(b'"checkout.session.async_payment_succeeded"') == 1
    assert sent.count(b'"checkout.session.async_payment_failed"') == 1


def test_a_declined_card_leaves_the_page_open_and_says_so(shop: Shop) -> None:
    path = shop.open()

    answer = shop.press(path, "fail")

    assert (answer.status, b"The card was declined" in answer.body) == (200, True)
    assert location(shop.press(path, "pay")).startswith("http://localhost:3000/paid")
    assert shop.press(path, "pay").status == 409


def test_cancel_goes_back_and_sends_nothing(shop: Shop) -> None:
    assert location(shop.press(shop.open(), "cancel")) == "http://127.0.0.1:8080/packs"
    assert shop.received == []


def test_a_payment_is_refunded_disputed_and_won_by_buttons(shop: Shop) -> None:
    shop.press(shop.open(), "pay")
    charge = str(shop.charge()["id"])
    shop.received.clear()

    seen: list[list[str]] = []
    for action in ("refund_half", "dispute", "win", "refund_all"):
        assert location(shop.press(INDEX, action, charge)) == INDEX
        actions = TagReader(shop.ask("GET", INDEX).body).actions()
        seen.append([each for each in actions if not each.startswith("manner_")])

    assert seen == [["refund_all", "dispute", "inquire"], ["win", "lose"], ["refund_all"], []]
    assert shop.charge()["refunded"] is True
    assert shop.press(INDEX, "refund_all", charge).status == 409


def test_a_subscription_is_renewed_changed_and_ended_by_buttons(shop: Shop) -> None:
    shop.press(shop.open("subscription"), "pay")
    id_ = shop.desk.read(lambda s, _: next(iter(s.all_of(SUBSCRIPTION))))

    statuses: list[Any] = []
    for action in ("renew", "renew_unpaid", "pay_open", "cancel_at_end", "keep", "cancel_now"):
        assert location(shop.press(INDEX, action, id_)) == INDEX
        statuses.append(shop.desk.read(lambda s, _: s.find(SUBSCRIPTION, id_)["status"]))

    assert statuses == ["active", "past_due", "active", "active", "active", "canceled"]
    assert shop.press(INDEX, "upgrade", id_).status == 409
    assert shop.press(INDEX, "renew", id_).status == 409


def test_a_customer_changes_only_what_is_their_own(shop: Shop) -> None:
    shop.press(shop.open("subscription"), "pay")
    id_ = shop.desk.read(lambda s, _: next(iter(s.all_of(SUBSCRIPTION))))
    owner = shop.desk.read(lambda s, _: next(iter(s.all_of(CUSTOMER))))
    other = str(shop.desk.change(customers.create_customer)["id"])
    links = [
        shop.desk.change(
            lambda s, now, customer=customer: portal.open_portal(
                s, now, customer=customer, return_url=None
            )
        )["id"]
        for customer in (owner, other)
    ]
    own, strange = (f"/_local/portal/{link}" for link in links)

    assert b"4242" in shop.ask("GET", own).body
    assert b"Nothing is saved yet" in shop.ask("GET", strange).body
    assert shop.press(strange, "cancel_at_end", id_).status == 409
    assert location(shop.press(own, "cancel_at_end", id_)) == own
    assert b"Ends with its period" in shop.ask("GET", own).body
    assert shop.press(own, "refund_all", id_).status == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/_local/checkout/cs_unknown", b"", 404),
        ("POST", "/_local/checkout/cs_unknown", b"action=pay", 404),
        ("GET", "/_local/portal/bps_unknown", b"", 404),
        ("PUT", INDEX, b"", 405),
        ("POST", INDEX, b"", 400),
        ("POST", INDEX, b"\xff", 400),
        ("POST", INDEX, b"action=refund_all&id=ch_unknown", 409),
        ("POST", INDEX, b"action=manner_never", 400),
        ("POST", INDEX, b"a=1&" * 100, 400),
        ("POST", INDEX, b"a" * 20_000, 413),
    ],
)
def test_anything_else_is_refused(
    shop: Shop, method: str, path: str, body: bytes, status: int
) -> None:
    answer = shop.ask(method, path, body)

    assert answer.status == status
    assert shop.received == []


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://127.0.0.1:9"])
def test_a_form_of_another_site_is_refused(shop: Shop, origin: str) -> None:
    path = shop.open()

    answer = shop.ask("POST", path, b"action=pay", headers=(("origin", origin),))

    assert answer.status == 403
    assert shop.ask("GET", path).status == 200


def test_the_chosen_manner_of_delivery_is_kept_and_shown_first(shop: Shop) -> None:
    assert location(shop.press(INDEX, "manner_twice")) == INDEX
    shop.press(shop.open(), "pay")

    assert shop.desk.queue.manner is Manner.TWICE
    assert len(shop.received) == 8
    assert TagReader(shop.ask("GET", INDEX).body).actions()[-5] == "manner_twice"


def test_what_a_run_kept_is_there_in_the_next(tmp_path: Path) -> None:
    first = Shop(tmp_path / "stripe.db")
    path = first.open()
    first.desk.change(
        lambda s, now: checkout.pay_session(s, s.find(SESSION, path.rpartition("/")[2]), now)
    )
    first.desk.stop()

    second = Shop(tmp_path / "stripe.db")
    second.desk.start(second.post)
    assert second.desk.settle()
    second.desk.stop()

    assert second.charge() == first.charge()
    assert len(second.received) == 4


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "stripe.db"
    path.write_text("not a database" * 20, encoding="utf-8")

    made = Shop(path)

    assert made.open().startswith("/_local/checkout/cs_test_")
    assert (tmp_path / "stripe.broken").read_text(encoding="utf-8").startswith("not a database")
    made.desk.stop()


def test_a_file_of_another_release_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "stripe.db"
    first = Shop(path)
    first.open()
    first.desk.stop()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE item SET body = '{}' WHERE kind = 'rest'")

    second = Shop(path)

    assert second.desk.read(lambda s, _: s.all_of(SESSION)) == {}
    assert (tmp_path / "stripe.broken").exists()
    second.desk.stop()


def test_what_fails_inside_is_stripes_own_error(shop: Shop) -> None:
    shop.desk.state.objects["charge"] = {"ch_broken": {}}
    headers = (("authorization", f"Bearer {KEY}"),)

    answer = shop.ask("GET", "/_stripe/v1/charges", headers=headers)

    assert (answer.status, b"api_error" in answer.body) == (500, True)
