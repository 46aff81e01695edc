"""Top-ups in the storm: accounts that buy by their saved card whenever they run low."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from simulation.asking import HOUR_US, MINUTE_US
from simulation.card_side import CardPaid, SimulatedCards
from simulation.loop import SECOND_US
from simulation.stories import Cast
from simulation.stripe_side import (
    COMPLETED,
    RESEND_US,
    Bought,
    SimulatedStripe,
    deliver,
    note_delivery,
)
from simulation.subscription_side import own_account
from tests.stripe_orders.making import SHAPES, Maker, Object
from tollkeeper.domain.top_ups import CardOutcome

PACK = "small"
# When somebody spends again, after the time before: within a cooldown, after it, days later.
SHORT_US = (SECOND_US, 70 * SECOND_US, 70 * SECOND_US, 10 * MINUTE_US)
LONG_US = (2 * HOUR_US, 8 * HOUR_US, 30 * HOUR_US, 30 * HOUR_US)
RETRIES_US = (MINUTE_US, 2 * MINUTE_US)
TYPES = {
    CardOutcome.PAID: ("payment_intent.succeeded", "succeeded"),
    CardOutcome.PENDING: ("payment_intent.processing", "processing"),
    CardOutcome.DECLINED: ("payment_intent.payment_failed", "requires_payment_method"),
}


@dataclass
class Topped:
    """An account with a rule, as the storm knows it. `cap_minor` 0 is none."""

    account: str
    most_purchases: int
    cap_minor: int


@dataclass
class TopUps:
    """Everything of top-ups in one storm."""

    stripe: SimulatedStripe
    cards: SimulatedCards
    bought: list[Bought]
    shards: list[int]
    topped: list[Topped] = field(default_factory=list[Topped])


def top_up_by_card(cast: Cast, all_: TopUps) -> None:
    """A customer's card is saved, a rule is set, and somebody spends, again and again."""
    clients, random = cast.clients, cast.clients.random
    account = own_account(cast.name, all_.shards)
    if not _save_card(cast, all_, account):
        return
    rule = Topped(account, random.choice((1, 2, 3, 9)), random.choice((0, 200, 400, 600)))
    body: Object = {"pack": PACK, "below": 20, "most_purchases": rule.most_purchases}
    if rule.cap_minor:
        body["monthly_cap"] = f"{rule.cap_minor // 100}.00"
    asked = cast.ask(
        "PUT /v1/accounts/{id}/top-up", account, body, key=f"{cast.name}-r", expects=(200,)
    )
    clients.ask(asked)
    if not asked.successes():
        return
    all_.topped.append(rule)
    all_.cards.tell = lambda made: _tell(cast, all_, made)
    pauses = random.choice((SHORT_US, LONG_US, LONG_US))
    for number in range(random.choice((2, 4, 7, 10))):
        _spend(cast, account, f"{cast.name}-c{number}")
        if not clients.faults.strikes("top_up_event_lost", 0.2):
            for _ in range(2 if clients.faults.strikes("event_duplicate", 0.3) else 1):
                clients.loop.spawn(
                    lambda: _hear(cast, account), after_us=random.randrange(SECOND_US)
                )
        clients.loop.sleep(random.choice(pauses))
        if random.random() < 0.3:
            clients.deployment.invoke("top_up", {})


def _save_card(cast: Cast, all_: TopUps, account: str) -> bool:
    """A pack was bought on a page that saves the card, and Stripe has told of it."""
    urls = {"success_url": "http://localhost:3000/paid", "cancel_url": "http://localhost:3000/p"}
    body = {"account": account, "pack": PACK, "save_card": True, **urls}
    asked = cast.ask("POST /v1/checkout", account, body, expects=(201, 200))
    cast.clients.ask(asked)
    if not asked.successes():
        return False
    opened = asked.successes()[0].body
    record = Bought(account, str(opened["purchase_id"]), PACK, str(opened["credits"]))
    record.paths.append(f"{COMPLETED}/paid")
    all_.bought.append(record)
    event = all_.stripe.report(
        record.purchase, COMPLETED, payment_status="paid", customer=f"cus_{cast.name}"
    )
    deliver(cast, note_delivery(cast, account, event, "saved"))
    return True


def _spend(cast: Cast, account: str, key: str) -> None:
    """About half of what is there goes, so that the account runs low before long."""
    seen = cast.clients.ask(cast.ask("GET /v1/accounts/{id}", account, key="", expects=(200,)))
    available = float(str(seen.body["available"])) if seen.status == 200 else 2.0
    body = {"account": account, "operation": "text", "quantity": max(1, int(available / 2))}
    cast.clients.ask(
        cast.ask("POST /v1/deduct", account, body, key=key, expects=(200, 402)), tries=1
    )


def _hear(cast: Cast, account: str) -> None:
    """The bus brings the event that the account is low; what fails is sent again, twice."""
    event = {"detail-type": "credits.top_up_due", "detail": {"account": account}}
    for span_us in (*RETRIES_US, 0):
        invocation = cast.clients.deployment.invoke("top_up", event)
        invocation.account = account
        invocation.done.wait(HOUR_US)
        if invocation.answer is not None:
            return
        cast.clients.loop.sleep(span_us)


def _tell(cast: Cast, all_: TopUps, made: CardPaid) -> None:
    """Stripe tells what became of the payment: soon, late, twice, or never."""
    clients, random = cast.clients, cast.clients.random
    end = all_.cards.end_of(made)
    told = [(made.payment, 0)]
    if end != made.payment:
        told.append((end, made.known_us - made.asked_us))
    for payment, after_us in told:
        if clients.faults.strikes("webhook_lost", 0.5):
            continue
        event = _event(all_, made, *TYPES[payment.outcome])
        delivery = note_delivery(cast, made.purchase.account, event, f"e{all_.stripe.events}")
        span_us = after_us + random.choice((10_000, 300_000, 2 * SECOND_US))
        if clients.faults.strikes("event_late", 0.2):
            span_us += random.choice(RESEND_US)
        for copy in range(2 if clients.faults.strikes("event_duplicate", 0.3) else 1):
            clients.loop.spawn(
                lambda delivery=delivery: deliver(cast, delivery),
                after_us=span_us + copy * random.randrange(30_000),
            )


def _event(all_: TopUps, made: CardPaid, type_: str, status: str) -> Object:
    numbers = (all_.stripe.next_number() for _ in itertools.count())
    shape = all_.cards.network.faults.random.choice(SHAPES)
    at = all_.cards.network.loop.now_us // SECOND_US
    maker = Maker(shape, at=at, numbers=numbers)
    purchase = made.purchase
    bought: dict[str, Any] = {
        "purchase_id": purchase.id,
        "account": purchase.account,
        "price_minor": purchase.price_minor,
        "currency": purchase.currency,
    }
    name = made.payment.payment_intent
    found = maker.intent(bought, status, id=name, customer=purchase.customer)
    return maker.event(type_, found | {"latest_charge": f"ch_{name.removeprefix('pi_')}"})
