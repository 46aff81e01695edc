"""Stripe's lists: what is asked of Stripe, and what its objects are read as."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stripe_orders.making import NEW, OLD, SHAPES, Maker
from tollkeeper.domain.errors import InvalidError, PaymentsUnavailableError
from tollkeeper.domain.payments import MoneyNews, Payment
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.edge import stripe_lists
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_lists import LISTS, ListGateway, choose_lists, read_list
from tollkeeper.service.reconciling import Kind, Listed, read_cursor

PURCHASE = "pur_" + "1" * 32
BOUGHT = {
    "purchase_id": PURCHASE,
    "account": "ada",
    "price_minor": 4999,
    "currency": "usd",
}
SINCE, UNTIL = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class Server:
    """A server that answers every list in the same way."""

    answer: tuple[int, Any] = (200, {"object": "list", "data": [], "has_more": False})
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list[Any])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    """It listens on a port of this machine."""
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append((parts.path, parse_qs(parts.query)))
            made.headers.append(dict(self.headers.items()))
            status, body = made.answer
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{httpd.server_port}"
    yield made
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def read_page(server: Server, kind: Kind, after: str = "") -> Any:
    """One page of the kind from the server."""
    gateway = ListGateway("sk_test_1", api_url=server.url)
    return gateway.read_page(kind, since=SINCE, until=UNTIL, after=after)


def only(kind: Kind, found: dict[str, Any]) -> Listed:
    """What the one object of a list is read as."""
    (listed,) = read_list(kind, {"object": "list", "data": [found], "has_more": False}).items
    return listed


# ----------------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize("kind", list(Kind))
def test_a_list_is_asked_for_by_the_range_in_which_things_were_made(
    server: Server, kind: Kind
) -> None:
    read_page(server, kind)
    read_page(server, kind, after="obj_1")

    (path, first), (_, second) = server.asked
    assert path == LISTS[kind].path
    assert first["created[gte]"] == [str(int(SINCE.timestamp()))]
    assert first["created[lt]"] == [str(int(UNTIL.timestamp()))]
    assert first["limit"] == ["100"]
    assert "starting_after" not in first
    assert second["starting_after"] == ["obj_1"]
    assert server.headers[0]["Authorization"] == "Bearer sk_test_1"


def test_what_a_list_leaves_out_is_asked_for(server: Server) -> None:
    read_page(server, Kind.REFUNDS)
    read_page(server, Kind.INVOICES)

    (_, refunds), (_, invoices) = server.asked
    assert refunds["expand[0]"] == ["data.charge"]
    assert invoices["expand[0]"] == ["data.payments"]
    assert invoices["status"] == ["paid"]


def test_a_page_says_whether_another_follows(server: Server) -> None:
    rows = [{"id": "dp_2", "status": "won"}, {"id": "dp_1", "status": "won"}]
    server.answer = (200, {"object": "list", "data": rows, "has_more": True})
    more = read_page(server, Kind.DISPUTES)
    server.answer = (200, {"object": "list", "data": rows, "has_more": False})
    last = read_page(server, Kind.DISPUTES)

    assert (more.after, last.after) == ("dp_1", "")
    assert [each.id for each in more.items] == ["dp_2", "dp_1"]


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}),
        (429, {"error": {"type": "rate_limit_error", "message": "slow down"}}),
        (200, {"object": "charge"}),
        (200, []),
    ],
)
def test_stripe_that_does_not_list_raises_one_error(
    server: Server, answer: tuple[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", print)
    server.answer = answer

    with pytest.raises(PaymentsUnavailableError):
        read_page(server, Kind.CHARGES)


def test_without_a_key_nothing_is_asked() -> None:
    assert (ListGateway("").is_ready, ListGateway("sk_test_1").is_ready) == (False, True)
    with pytest.raises(PaymentsUnavailableError, match="STRIPE_SECRET_KEY"):
        ListGateway("").read_page(Kind.CHARGES, since=SINCE, until=UNTIL, after="")


def test_only_one_machine_asks_another_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, str | None]] = []

    def record(key: str, *, api_url: str | None) -> None:
        made.append((key, api_url))

    monkeypatch.setattr(stripe_lists, "ListGateway", record)

    class Secrets:
        def read_secret(self, name: str) -> str:
            return f"the {name}"

    for stage in ("local", "prod"):
        values = {"table_name": "t", "stage": stage, "stripe_api_url": "http://127.0.0.1:1"}
        choose_lists(Settings.model_validate(values), Secrets())

    key = "the STRIPE_SECRET_KEY"
    assert made == [(key, "http://127.0.0.1:1"), (key, None)]


# ------------------------------------------------------------------------------- what it is read as


def test_a_paid_page_is_what_its_event_would_have_told() -> None:
    listed = only(Kind.SESSIONS, Maker().session(BOUGHT))

    (fact,) = listed.facts
    assert isinstance(fact, Payment)
    assert (fact.event, fact.purchase, fact.status) == ("", PURCHASE, PurchaseStatus.PAID)
    assert (listed.purchase, listed.is_paid) == (PURCHASE, True)


@pytest.mark.parametrize(
    ("changes", "status", "is_paid"),
    [
        ({"status": "open", "payment_status": "unpaid"}, None, False),
        ({"status": "expired", "payment_status": "unpaid"}, PurchaseStatus.EXPIRED, False),
        ({"status": "complete", "payment_status": "unpaid"}, PurchaseStatus.PENDING, False),
        (
            {"status": "complete", "payment_status": "no_payment_required"},
            PurchaseStatus.PAID,
            True,
        ),
    ],
)
def test_a_page_says_as_much_as_its_status(
    changes: dict[str, str], status: PurchaseStatus | None, is_paid: bool
) -> None:
    listed = only(Kind.SESSIONS, Maker().session(BOUGHT) | changes)

    assert [fact.status for fact in listed.facts if isinstance(fact, Payment)] == (
        [status] if status else []
    )
    assert listed.is_paid is is_paid


@pytest.mark.parametrize("shape", SHAPES)
def test_a_charge_says_how_much_of_it_went_back(shape: str) -> None:
    charge = Maker(shape).charge("pi_1", 4999, refunded=1000, metadata={"purchase_id": PURCHASE})

    listed = only(Kind.CHARGES, charge)
    by_refund = only(Kind.REFUNDS, {"id": "re_1", "object": "refund", "charge": charge})

    (fact,) = listed.facts
    assert isinstance(fact, MoneyNews)
    assert (fact.back.refunded_minor, fact.back.charged_minor) == (1000, 4999)
    assert (fact.charge, fact.payment_intent) == ("ch_1", "pi_1")
    assert (by_refund.facts, by_refund.kind, by_refund.id) == (listed.facts, Kind.REFUNDS, "re_1")
    assert (by_refund.refunded_minor, by_refund.payment) == (1000, "pi_1")


def test_a_charge_that_was_not_taken_says_nothing() -> None:
    failed = Maker().charge("pi_1", 4999, metadata={"purchase_id": PURCHASE}, paid=False)
    reserved = failed | {"paid": True, "captured": False}

    for charge in (failed, reserved):
        listed = only(Kind.CHARGES, charge)
        assert (listed.facts, listed.is_paid) == ((), None)


def test_a_refund_without_its_charge_says_nothing() -> None:
    assert only(Kind.REFUNDS, {"id": "re_1", "object": "refund", "charge": "ch_1"}).facts == ()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", "WITHDRAWN"),
        ("under_review", "WITHDRAWN"),
        ("lost", "WITHDRAWN"),
        ("won", "WON"),
        ("warning_needs_response", None),
        ("warning_closed", None),
    ],
)
def test_a_dispute_is_read_by_its_status(status: str, state: str | None) -> None:
    listed = only(Kind.DISPUTES, Maker().dispute("pi_1", 4999, status=status))

    news = [fact for fact in listed.facts if isinstance(fact, MoneyNews)]
    found = [each.back.disputes[0].state.name for each in news]
    assert found == ([state] if state else [])


def test_what_paid_an_invoice_is_read_with_it() -> None:
    maker = Maker(NEW)
    terms = {"price": "price_basic", "amount": 2000, "currency": "usd"}
    line = maker.line("il_1", terms, start=maker.at, end=maker.at + 30 * 86_400)
    invoice = maker.invoice("1", [line], created=maker.at, reason="subscription_create")
    invoice["payments"] = {"object": "list", "data": [maker.invoice_payment("1", 2000)]}

    listed = only(Kind.INVOICES, invoice)

    (news,) = [fact for fact in listed.facts if isinstance(fact, MoneyNews)]
    assert (news.invoice, news.payment_intent) == ("in_1", "pi_1")


@pytest.mark.parametrize(
    ("status", "count"), [("succeeded", 1), ("processing", 1), ("requires_capture", 0)]
)
def test_a_payment_by_a_saved_card_is_read_by_its_status(status: str, count: int) -> None:
    listed = only(Kind.PAYMENT_INTENTS, Maker().intent(BOUGHT, status))

    assert len(listed.facts) == count
    assert listed.purchase == PURCHASE


def test_a_payment_that_names_no_purchase_is_not_ours() -> None:
    found: dict[str, Any] = {**Maker(OLD).intent(BOUGHT, "succeeded"), "metadata": {}}

    assert only(Kind.PAYMENT_INTENTS, found).facts == ()


@pytest.mark.parametrize("broken", [{"amount_subtotal": "4999"}, {"created": "now"}])
def test_an_object_that_cannot_be_read_says_why(broken: dict[str, Any]) -> None:
    listed = only(Kind.SESSIONS, Maker().session(BOUGHT) | broken)

    assert listed.problem
    assert listed.facts == ()


# ------------------------------------------------------------------------------------------ cursors


def test_a_cursor_is_a_kind_and_the_last_object() -> None:
    assert read_cursor("") == (Kind.SESSIONS, "")
    assert read_cursor("charges") == (Kind.CHARGES, "")
    assert read_cursor("charges:ch_1") == (Kind.CHARGES, "ch_1")


@pytest.mark.parametrize("cursor", ["x", "charges:", "charges:é", "charges:" + "c" * 256])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError):
        read_cursor(cursor)
