"""Stripe as the storm has it: pages, payments, and events in any order, twice, late or forged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from simulation.asking import DAY_US, HOUR_US, MINUTE_US, Asked
from simulation.deployment import SECRETS
from simulation.loop import SECOND_US
from simulation.money_back_side import tell_money_back
from simulation.network import Network
from simulation.stories import Cast
from tests.stripe_orders.model import Fact
from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.edge.stripe_signature import sign
from tollkeeper.service.ports import CheckoutPage

WEBHOOK = "POST /v1/webhooks/stripe"
COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
# What becomes of a payment page: the events, each with the session's payment status then.
PATHS: tuple[tuple[tuple[str, str], ...], ...] = (
    ((COMPLETED, "paid"),),
    ((COMPLETED, "unpaid"), (SUCCEEDED, "paid")),
    ((COMPLETED, "unpaid"), (SUCCEEDED, "paid")),
    ((COMPLETED, "unpaid"), (FAILED, "unpaid")),
    ((EXPIRED, "unpaid"),),
)
# How long Stripe waits before it sends an event again; then somebody sends it by hand.
RESEND_US = (SECOND_US, MINUTE_US, HOUR_US, 10 * HOUR_US, DAY_US)


@dataclass
class SimulatedStripe:
    """Opens payment pages, one per purchase, and now and then says it did not."""

    network: Network
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
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
        """The purchase's page. Raises: PaymentsUnavailableError."""
        self.network.wait(20 * self.network.travel_us())
        if self.network.faults.strikes("stripe_refused", 0.2):
            raise PaymentsUnavailableError("Stripe is not there.")
        session = self.sessions.setdefault(purchase.id, make_session(purchase))
        if self.network.faults.strikes("stripe_answer_lost", 0.2):
            raise PaymentsUnavailableError("Stripe's answer got lost.")
        return CheckoutPage(url=session["url"], session=session["id"])

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The customer's page."""
        del return_url, key
        return f"https://billing.stripe.test/{customer}"

    def next_number(self) -> int:
        """The number of the next event."""
        self.events += 1
        return self.events

    def report(self, purchase: str, type_: str, **changes: Any) -> dict[str, Any]:
        """A new event about the purchase's session, with these members changed."""
        self.events += 1
        livemode = changes.pop("livemode", False)
        return {
            "id": f"evt_{self.events:024d}",
            "object": "event",
            "created": self.network.loop.now_us // SECOND_US,
            "data": {"object": self.sessions[purchase] | changes},
            "livemode": livemode,
            "type": type_,
        }


def make_session(purchase: Purchase) -> dict[str, Any]:
    """A Checkout session as our gateway asks for it."""
    own = purchase.id.removeprefix("pur_")
    return {
        "id": f"cs_test_{own}",
        "object": "checkout.session",
        "amount_subtotal": purchase.price_minor,
        "client_reference_id": purchase.id,
        "currency": purchase.currency,
        "metadata": {"purchase_id": purchase.id, "account": purchase.account},
        "payment_intent": f"pi_{own}",
        "payment_status": "unpaid",
        "url": f"https://checkout.stripe.test/c/pay/cs_test_{own}",
    }


@dataclass
class Delivery(Asked):
    """An event on its way to the webhook. It is signed anew each time it is sent."""

    skew_s: int = 0
    secret: str = SECRETS["STRIPE_WEBHOOK_SECRET"]
    is_genuine: bool = True

    def headers_at(self, network: Network) -> dict[str, str]:
        """The signature over the body, as of now."""
        at = network.loop.now() + timedelta(seconds=self.skew_s)
        assert self.raw is not None
        return {"stripe-signature": sign(self.raw.encode(), secret=self.secret, at=at)}


@dataclass
class Bought:
    """A purchase as the storm knows it: what must have become of it in the end."""

    account: str
    purchase: str
    pack: str
    credits: str
    paths: list[str] = field(default_factory=list[str])
    facts: list[Fact] = field(default_factory=list[Fact])
    is_other_money: bool = False


def buy(cast: Cast, stripe: SimulatedStripe, bought: list[Bought]) -> None:
    """A customer buys a pack: a page, a payment, and what Stripe makes of it."""
    clients = cast.clients
    account = cast.account()
    pack = clients.random.choice(("small", "brief"))
    body = {
        "account": account,
        "pack": pack,
        "success_url": "http://localhost:3000/paid",
        "cancel_url": "http://localhost:3000/packs",
    }
    asked = cast.ask("POST /v1/checkout", account, body, expects=(201, 200, 403, 422))
    if clients.faults.strikes("duplicate_request", 0.3):
        clients.faults.counts["duplicate_request"] -= 1
        clients.ask_twice_at_once(asked)
    else:
        clients.ask(asked)
    paid = [attempt for attempt in asked.successes()]
    if not paid:
        return
    body = paid[0].body
    record = Bought(account, str(body["purchase_id"]), pack, str(body["credits"]))
    bought.append(record)
    clients.loop.sleep(clients.random.choice((2_000, SECOND_US, MINUTE_US, 3 * HOUR_US)))
    _pay(cast, stripe, record)


def _pay(cast: Cast, stripe: SimulatedStripe, record: Bought) -> None:
    clients, faults = cast.clients, cast.clients.faults
    path = clients.random.choice(PATHS)
    changes = _other_money(faults, clients.random)
    record.is_other_money = bool(changes)
    events: list[Delivery] = []
    for type_, status in path:
        record.paths.append(f"{type_}/{status}")
        event = stripe.report(record.purchase, type_, payment_status=status, **changes)
        events.append(note_delivery(cast, record.account, event, f"d{len(events)}"))
        if status == "paid" and faults.strikes("event_second_type", 0.2):
            other = SUCCEEDED if type_ == COMPLETED else COMPLETED
            event = stripe.report(record.purchase, other, payment_status=status, **changes)
            events.append(note_delivery(cast, record.account, event, f"d{len(events)}"))
    if path[-1][1] == "paid" and not changes and faults.strikes("money_back", 0.8):
        for event in tell_money_back(stripe, record, clients.random):
            events.append(note_delivery(cast, record.account, event, f"d{len(events)}"))
    spread_us = clients.random.choice((5_000, 15_000, 500_000))
    if faults.strikes("event_shuffled", 0.5):
        clients.random.shuffle(events)
    for event in events:
        for copy in range(2 if faults.strikes("event_duplicate", 0.3) else 1):
            late = clients.random.choice(RESEND_US) if faults.strikes("event_late", 0.2) else 0
            span = (
                late + copy * clients.random.randrange(30_000) + clients.random.randrange(spread_us)
            )
            clients.loop.spawn(lambda event=event: deliver(cast, event), after_us=span)
    _forge(cast, events[0])


def _other_money(faults: Any, random: Any) -> dict[str, Any]:
    if faults.strikes("event_test_mode", 0.1):
        return {"livemode": True}
    if faults.strikes("event_other_money", 0.15):
        return random.choice(({"amount_subtotal": 1}, {"currency": "jpy"}, {"id": "cs_test_other"}))
    return {}


def note_delivery(cast: Cast, account: str, event: dict[str, Any], name: str) -> Delivery:
    """The event on its way to the webhook; what becomes of it is judged in the end."""
    delivery = Delivery(
        story=f"{cast.name}-{name}",
        route_key=WEBHOOK,
        account=account,
        body=None,
        raw=json.dumps(event),
        expects=(200,),
    )
    cast.clients.note(delivery)
    return delivery


def _forge(cast: Cast, event: Delivery) -> None:
    """Somebody who does not know the secret, or the time, sends the event first."""
    for kind, skew_s, secret in (
        ("event_forged", 0, "whsec_guess"),
        ("event_old", -3_600, SECRETS["STRIPE_WEBHOOK_SECRET"]),
        ("event_future", 3_600, SECRETS["STRIPE_WEBHOOK_SECRET"]),
    ):
        if cast.clients.faults.strikes(kind, 0.1):
            forged = Delivery(
                story=f"{event.story}-{kind}",
                route_key=WEBHOOK,
                account=event.account,
                body=None,
                raw=event.raw,
                expects=(400,),
                skew_s=skew_s,
                secret=secret,
                is_genuine=False,
            )
            cast.clients.note(forged)
            cast.clients.loop.spawn(lambda forged=forged: deliver(cast, forged))


def deliver(cast: Cast, event: Delivery) -> None:
    """The event is sent until it is taken, as long as Stripe would."""
    for span_us in (*RESEND_US, 0):
        attempt = cast.clients.try_once(event)
        if 200 <= attempt.status < 500:
            return
        cast.clients.loop.sleep(span_us)
