"""The simulated Stripe's own events: what its state machine sends, in every version it knows.

Here the stories are told by what is done at Stripe; which events that makes, and how many, is the
machine's business. The facts behind them are told beside it, by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.stripe import checkout, disputes, prices, refunds, subscriptions
from local.stripe.state import BASIL, OLD, SUBSCRIPTION, StripeState
from tests.stripe_orders.making import DAY
from tests.stripe_orders.model import Fact
from tests.stripe_orders.subscriptions import Line, Over, SubFact
from tollkeeper.domain.purchases import Purchase, PurchaseKind
from tollkeeper.service.ports import CheckoutPage

VERSIONS = (OLD, "2022-11-15", BASIL)


@dataclass
class Machine:
    """The simulated Stripe as a gateway: it opens pages in its state at the time it has."""

    state: StripeState
    now: int

    def open_checkout(
        self,
        purchase: Purchase,
        *,
        success_url: str,
        cancel_url: str,
        interval: str = "",
        saves_card: bool = False,
    ) -> CheckoutPage:
        """The page of the purchase, as the SDK's gateway asks for it."""
        del saves_card
        metadata = {"purchase_id": purchase.id, "account": purchase.account}
        if purchase.plan:
            metadata["plan"] = purchase.plan
        line: dict[str, Any] = {"quantity": 1}
        if purchase.stripe_price:
            line["price"] = purchase.stripe_price
        else:
            data: dict[str, Any] = {
                "currency": purchase.currency,
                "unit_amount": purchase.price_minor,
                "product_data": {"name": purchase.pack_name},
            }
            line["price_data"] = data | ({"recurring": {"interval": interval}} if interval else {})
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": purchase.id,
            "metadata": metadata,
            "line_items": [line],
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if purchase.kind is PurchaseKind.PLAN:
            params |= {"mode": "subscription", "subscription_data": {"metadata": metadata}}
        else:
            params |= {
                "customer_creation": "always",
                "payment_intent_data": {"metadata": metadata},
            }
        session = checkout.open_session(self.state, self.now, params)
        return CheckoutPage(url="https://stripe.test/pay", session=session["id"])

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The customer's page."""
        return f"{return_url}?{customer}{key}"


def machine_of(version: str, now: int) -> Machine:
    """A machine with the prices of the plans that have one at Stripe."""
    state = StripeState(seed=version, api_version=version)
    for plan, minor in (("basic", 2000), ("pro", 5000)):
        prices.add_price(
            state,
            now,
            amount=minor,
            currency="usd",
            name=plan,
            interval="month",
            id_=f"price_{plan}",
        )
    return Machine(state, now)


# -------------------------------------------------------------------------- what happens to a page

PageStory = Callable[[Machine, dict[str, Any]], list[Fact]]


def pay(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """It is paid by card."""
    checkout.pay_session(machine.state, session, machine.now)
    return [Fact("paid"), Fact("charged", session["amount_total"])]


def bank(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """It is paid by a bank, two days later."""
    checkout.pay_session(machine.state, session, machine.now, card="bank")
    checkout.settle_later(machine.state, session, machine.now + 2 * DAY, is_paid=True)
    return [Fact("pending"), Fact("paid")]


def bank_fails(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """The bank does not pay."""
    checkout.pay_session(machine.state, session, machine.now, card="bank")
    checkout.settle_later(machine.state, session, machine.now + 2 * DAY, is_paid=False)
    return [Fact("pending"), Fact("failed")]


def declined_then_paid(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """The first card is declined, the second one pays."""
    checkout.pay_session(machine.state, session, machine.now, card="declined")
    return pay(machine, session)


def refunded(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """A third goes back, then another one."""
    facts = pay(machine, session)
    charge = checkout.charge_of(machine.state, session)
    assert charge is not None
    third = session["amount_total"] // 3
    refunds.create_refund(machine.state, charge, machine.now + DAY, amount=third)
    refunds.create_refund(machine.state, charge, machine.now + 2 * DAY, amount=third)
    return [*facts, Fact("refunded", third), Fact("refunded", 2 * third)]


def disputed_and_won(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """A part goes back, the rest is disputed and won."""
    facts = pay(machine, session)
    charge = checkout.charge_of(machine.state, session)
    assert charge is not None
    part = session["amount_total"] // 4
    refunds.create_refund(machine.state, charge, machine.now + DAY, amount=part)
    dispute = disputes.open_dispute(machine.state, charge, machine.now + 2 * DAY)
    disputes.win(machine.state, dispute, machine.now + 3 * DAY)
    name, minor = dispute["id"], dispute["amount"]
    withdrawn, won = Fact("withdrawn", minor, name), Fact("won", minor, name)
    return [*facts, Fact("refunded", part), withdrawn, won]


def asked_and_lost(machine: Machine, session: dict[str, Any]) -> list[Fact]:
    """An inquiry becomes a dispute, which is lost."""
    facts = pay(machine, session)
    charge = checkout.charge_of(machine.state, session)
    assert charge is not None
    dispute = disputes.open_dispute(machine.state, charge, machine.now + DAY, is_inquiry=True)
    disputes.escalate(machine.state, dispute, machine.now + 2 * DAY)
    disputes.lose(machine.state, dispute, machine.now + 3 * DAY)
    return [*facts, Fact("withdrawn", dispute["amount"], dispute["id"])]


PAGE_STORIES: dict[str, PageStory] = {
    story.__name__: story
    for story in (
        pay,
        bank,
        bank_fails,
        declined_then_paid,
        refunded,
        disputed_and_won,
        asked_and_lost,
    )
}


# ------------------------------------------------------------------ what happens to a subscription

SubscriptionStory = Callable[[Machine, dict[str, Any]], list[SubFact]]


def _begin(machine: Machine, session: dict[str, Any]) -> dict[str, Any]:
    checkout.pay_session(machine.state, session, machine.now)
    (found,) = machine.state.all_of(SUBSCRIPTION).values()
    return found


def _lines(machine: Machine, *plans: tuple[str, bool]) -> list[SubFact]:
    """The lines that were paid, by the times of the machine's own invoices."""
    invoices = list(machine.state.all_of("invoice").values())
    assert len(invoices) == len(plans)
    found: list[SubFact] = []
    for number, (plan, is_proration) in enumerate(plans):
        created = int(invoices[number]["created"])
        end = max(int(line["period"]["end"]) for line in invoices[number]["lines"])
        found.append(Line(plan, created, created + number, end, is_proration=is_proration))
    return found


def subscribed(machine: Machine, session: dict[str, Any]) -> list[SubFact]:
    """The first month is paid."""
    _begin(machine, session)
    return _lines(machine, ("basic", False))


def renewed(machine: Machine, session: dict[str, Any]) -> list[SubFact]:
    """Two more months are paid."""
    found = _begin(machine, session)
    for _ in range(2):
        subscriptions.renew(machine.state, found, found["current_period_end"])
    return _lines(machine, ("basic", False), ("basic", False), ("basic", False))


def upgraded(machine: Machine, session: dict[str, Any]) -> list[SubFact]:
    """A larger plan from the tenth day on, and its next month."""
    found = _begin(machine, session)
    price = machine.state.find("price", "price_pro")
    subscriptions.upgrade(machine.state, found, price, machine.now + 10 * DAY)
    subscriptions.renew(machine.state, found, found["current_period_end"])
    return _lines(machine, ("basic", False), ("pro", True), ("pro", False))


def cancelled(machine: Machine, session: dict[str, Any]) -> list[SubFact]:
    """A larger plan, and the end with the month."""
    found = _begin(machine, session)
    price = machine.state.find("price", "price_pro")
    subscriptions.upgrade(machine.state, found, price, machine.now + 10 * DAY)
    subscriptions.cancel_at_end(machine.state, found, machine.now + 11 * DAY)
    subscriptions.renew(machine.state, found, found["current_period_end"])
    return [*_lines(machine, ("basic", False), ("pro", True)), Over()]


MACHINE_SUBSCRIPTIONS: dict[str, SubscriptionStory] = {
    story.__name__: story for story in (subscribed, renewed, upgraded, cancelled)
}


def now_after(machine: Machine) -> int:
    """A moment after the last event, within the period that is paid."""
    return max(int(event["created"]) for event in machine.state.events) + DAY


def pairs(names: dict[str, Any]) -> list[tuple[str, str]]:
    """Every story in every version."""
    return list(itertools.product(names, VERSIONS))
