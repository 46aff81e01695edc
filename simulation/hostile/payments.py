"""Stripe's events about what the target sold: pages, charges, refunds, disputes, subscriptions."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from local.stripe import checkout, disputes, prices, refunds, subscriptions
from local.stripe.state import BASIL, OLD, SUBSCRIPTION, StripeState
from simulation.hostile.target import ACCOUNTS, PLAN, PLAN_MINOR, STRIPE_PRICE, Target
from tests.stripe_orders.making import DAY, SHAPES, Maker
from tests.stripe_orders.stories import STORIES, Told

VERSIONS = (OLD, "2022-11-15", BASIL)
Event = dict[str, Any]


def stripe_events(target: Target) -> list[Event]:
    """Events that a stack takes: of a purchase that waits, of a paid one, and of a subscription.

    They are made once for a target, at the moment to which everything is taken back.
    """
    if not target.events:
        now = int(target.base_at.timestamp())
        for purchase in (target.purchase, target.paid):
            target.events += _of_purchase(target, purchase, now)
        for version in VERSIONS:
            target.events += _of_a_year(target, version, now)
    return target.events


def fresh(random: Random, target: Target) -> Event:
    """One of the events, made just now, with an id that nothing has."""
    event = copy.deepcopy(random.choice(stripe_events(target)))
    event["id"] = f"evt_{random.getrandbits(80):020x}"
    event["created"] = int(target.driver.clock.now().timestamp())
    return event


def _of_purchase(target: Target, purchase: str, now: int) -> list[Event]:
    session = target.stripe.sessions[purchase]
    bought = {
        "purchase_id": purchase,
        "account": session["metadata"]["account"],
        "price_minor": session["amount_subtotal"],
        "currency": session["currency"],
    }
    found: list[Event] = []
    for shape in SHAPES:
        maker = Maker(shape, at=now)
        for story in STORIES.values():
            found += [step.event for step in story(Told(maker, bought))]
        for status in ("succeeded", "processing", "requires_payment_method"):
            intent = maker.intent(bought, status)
            type_ = {"requires_payment_method": "payment_failed"}.get(status, status)
            found.append(maker.event(f"payment_intent.{type_}", intent))
    return found


def _of_a_year(target: Target, version: str, now: int) -> list[Event]:
    """What the simulated Stripe sends of a page, a bank, a card and a subscription."""
    state = StripeState(seed=version, api_version=version)
    metadata = {"purchase_id": target.purchase, "account": ACCOUNTS[0]}
    prices.add_price(
        state,
        now,
        amount=PLAN_MINOR,
        currency="usd",
        name=PLAN,
        interval="month",
        id_=STRIPE_PRICE,
    )
    once: Event = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "Pro"}}
    params: Event = {
        "mode": "subscription",
        "client_reference_id": target.purchase,
        "metadata": metadata,
        "line_items": [{"quantity": 1, "price": STRIPE_PRICE}],
        "subscription_data": {"metadata": {**metadata, "plan": PLAN}},
        "success_url": "https://app.example.com",
        "cancel_url": "https://app.example.com",
    }
    session = checkout.open_session(state, now, params)
    checkout.pay_session(state, session, now)
    (found,) = state.all_of(SUBSCRIPTION).values()
    subscriptions.renew(state, found, found["current_period_end"])
    subscriptions.cancel_now(state, found, now + 40 * DAY)
    paid = params | {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": once}],
        "payment_intent_data": {"metadata": metadata},
    }
    del paid["subscription_data"]
    for card in ("good", "bank", "declined"):
        page = checkout.open_session(state, now, paid)
        checkout.pay_session(state, page, now, card=card)
        if checkout.is_awaited(state, page):
            checkout.settle_later(state, page, now + DAY, is_paid=False)
        charge = checkout.charge_of(state, page)
        if card == "good" and charge is not None:
            refund = refunds.create_refund(state, charge, now + DAY, amount=300)
            refunds.fail_refund(state, refund, now + 2 * DAY)
            dispute = disputes.open_dispute(state, charge, now + 3 * DAY)
            disputes.win(state, dispute, now + 4 * DAY)
    return state.events
