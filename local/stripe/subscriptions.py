"""Subscriptions: begun, paid for another period, changed, and over."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from local.stripe.events import emit
from local.stripe.invoices import (
    collect,
    find_method,
    make_invoice,
    make_line,
    mark_uncollectible,
)
from local.stripe.prices import as_plan
from local.stripe.refusals import refused
from local.stripe.shapes import shown
from local.stripe.state import INVOICE, PRICE, SUBSCRIPTION, Object, StripeState

MONTHS = {"month": 1, "year": 12}


def start_subscription(
    state: StripeState,
    now: int,
    *,
    customer: Object,
    price: Object,
    method: Object,
    metadata: Object | None = None,
) -> tuple[Object, Object]:
    """The subscription and its first invoice, which is paid if the way to pay is good.

    Why: the customer is there and confirms what a card asks for.
    """
    subscription = _make(
        state, now, customer=customer, price=price, method=method, metadata=metadata or {}
    )
    emit(state, "customer.subscription.created", subscription, now)
    amount = int(price["unit_amount"])
    start, end = int(subscription["current_period_start"]), int(subscription["current_period_end"])
    line = make_line(state, subscription, price, amount=amount, start=start, end=end)
    invoice = make_invoice(
        state,
        subscription,
        now,
        lines=[line],
        billing_reason="subscription_create",
        period=(start, start),
    )
    if collect(state, invoice, now, method=method, is_off_session=False):
        _change(state, subscription, now, status="active")
    return subscription, invoice


def _first_start(state: StripeState, customer: Object, now: int) -> int:
    """When the customer's next subscription begins: now, or with the last period that did.

    Why: the button that renews ends a period before its time, and what comes after it begins
    after it, as it would if the time had passed.
    """
    others = state.where(SUBSCRIPTION, customer=customer["id"])
    return max([now, *(int(each["current_period_start"]) for each in others)])


def _make(
    state: StripeState,
    now: int,
    *,
    customer: Object,
    price: Object,
    method: Object,
    metadata: Object,
) -> Object:
    """A subscription that nobody was told of and nothing was paid for yet."""
    start = _first_start(state, customer, now)
    end = period_after(start, price, anchor=start)
    subscription = state.add(
        SUBSCRIPTION,
        now,
        {
            "application_fee_percent": None,
            "automatic_tax": {"enabled": False},
            "billing_cycle_anchor": start,
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "collection_method": "charge_automatically",
            "current_period_end": end,
            "current_period_start": start,
            "customer": customer["id"],
            "days_until_due": None,
            "default_payment_method": method["id"],
            "default_source": None,
            "default_tax_rates": [],
            "discount": None,
            "ended_at": None,
            "latest_invoice": None,
            "metadata": dict(metadata),
            "next_pending_invoice_item_invoice": None,
            "pause_collection": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": start,
            "status": "incomplete",
            "test_clock": None,
            "transfer_data": None,
            "trial_end": None,
            "trial_start": None,
        },
    )
    subscription["item"] = _make_item(state, now, price, str(subscription["id"]))
    return subscription


def _make_item(state: StripeState, now: int, price: Object, subscription: str) -> Object:
    return {
        "id": state.new_id("si", length=14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "metadata": {},
        "plan": as_plan(price),
        "price": dict(price),
        "quantity": 1,
        "subscription": subscription,
        "tax_rates": [],
    }


def renew(
    state: StripeState, subscription: Object, now: int, *, is_paid: bool = True
) -> Object | None:
    """The next period has begun, with its invoice; None where the subscription ends instead.

    `is_paid` False: the invoice cannot be collected now; `pay_open_invoice` may do it later.
    Raises: StripeRefusedError where the subscription is over.
    """
    _check_running(subscription)
    if subscription["cancel_at_period_end"]:
        cancel_now(state, subscription, now)
        return None
    start = int(subscription["current_period_end"])
    before = (int(subscription["current_period_start"]), start)
    price: Object = subscription["item"]["price"]
    anchor = int(subscription["billing_cycle_anchor"])
    end = period_after(start, price, anchor=anchor)
    amount = int(price["unit_amount"])
    line = make_line(state, subscription, price, amount=amount, start=start, end=end)
    _change(state, subscription, now, current_period_start=start, current_period_end=end)
    invoice = make_invoice(
        state, subscription, now, lines=[line], billing_reason="subscription_cycle", period=before
    )
    method = find_method(state, subscription) if is_paid else None
    if not collect(state, invoice, now, method=method):
        _change(state, subscription, now, status="past_due")
    elif subscription["status"] != "active":
        _change(state, subscription, now, status="active")
    return invoice


def pay_open_invoice(state: StripeState, subscription: Object, now: int) -> Object:
    """The invoice that could not be collected is paid after all.

    Raises: StripeRefusedError where none is open, or it cannot be collected.
    """
    open_ones = state.where(INVOICE, subscription=subscription["id"], status="open")
    if not open_ones:
        raise refused("No invoice of this subscription is open.")
    invoice = open_ones[0]
    if not collect(state, invoice, now, method=find_method(state, subscription)):
        raise refused("The invoice could not be collected.")
    if subscription["status"] == "past_due" and len(open_ones) == 1:
        _change(state, subscription, now, status="active")
    return invoice


def upgrade(
    state: StripeState,
    subscription: Object,
    price: Object,
    now: int,
    *,
    metadata: Object | None = None,
) -> Object:
    """Another price from now on, and its invoice for the difference until the period's end.

    `metadata` is set on the subscription with it, as an app does that changes the price.

    Why: two lines, as Stripe writes them: what is left of the old price comes off, what is left
    of the new one comes on. A period that the button began before its time is all left.
    Raises: StripeRefusedError where the subscription is over, or the price below what is unused.
    """
    _check_running(subscription)
    old: Object = subscription["item"]["price"]
    start, end = int(subscription["current_period_start"]), int(subscription["current_period_end"])
    since = max(now, start)
    if old["id"] == price["id"] or since >= end:
        raise refused("The subscription cannot be changed to this price now.")
    unused = -(int(old["unit_amount"]) * (end - since) // (end - start))
    used = int(price["unit_amount"]) * (end - since) // (end - start)
    if used + unused < 0:
        raise refused("A change to a lower price would need a credit note.")
    before = shown(state, subscription)
    subscription["metadata"] = {**subscription["metadata"], **(metadata or {})}
    lines = [
        make_line(state, subscription, each, amount=amount, start=since, end=end, is_proration=True)
        for each, amount in ((old, unused), (price, used))
    ]
    subscription["item"] |= {"price": dict(price), "plan": as_plan(price)}
    previous: Object = {"items": before["items"]}
    if "plan" in before:
        previous["plan"] = before["plan"]
    emit(state, "customer.subscription.updated", subscription, now, previous=previous)
    invoice = make_invoice(
        state,
        subscription,
        now,
        lines=lines,
        billing_reason="subscription_update",
        period=(since, since),
    )
    if not collect(state, invoice, now, method=find_method(state, subscription)):
        _change(state, subscription, now, status="past_due")
    return invoice


def next_price(state: StripeState, subscription: Object) -> Object | None:
    """The next dearer price that can be subscribed to instead."""
    own: Object = subscription["item"]["price"]
    dearer = [
        each
        for each in state.where(PRICE, active=True, type="recurring", currency=own["currency"])
        if each["unit_amount"] > own["unit_amount"]
        and each["recurring"]["interval"] == own["recurring"]["interval"]
    ]
    return min(dearer, key=lambda each: int(each["unit_amount"]), default=None)


def upgrade_to_next(state: StripeState, subscription: Object, now: int) -> Object:
    """The subscription has the next dearer price, and its invoice.

    Why: a price that no plan of the catalog names by its id is known by what the app that changes
    it says of it, as the checkout said it of the first one.
    Raises: StripeRefusedError where none is dearer.
    """
    price = next_price(state, subscription)
    if price is None:
        raise refused("The catalog has no dearer plan with the same currency and interval.")
    named = {"plan": price["lookup_key"]} if price["lookup_key"] else {}
    return upgrade(state, subscription, price, now, metadata=named)


def cancel_at_end(state: StripeState, subscription: Object, now: int) -> None:
    """The period that is paid is the last one. Raises: StripeRefusedError where it is over."""
    _check_running(subscription)
    end = subscription["current_period_end"]
    _change(state, subscription, now, cancel_at_period_end=True, cancel_at=end, canceled_at=now)


def keep(state: StripeState, subscription: Object, now: int) -> None:
    """The subscription goes on after all. Raises: StripeRefusedError where it is over."""
    _check_running(subscription)
    _change(state, subscription, now, cancel_at_period_end=False, cancel_at=None, canceled_at=None)


def cancel_now(state: StripeState, subscription: Object, now: int) -> None:
    """The subscription is over for good. Raises: StripeRefusedError where it was before."""
    _check_running(subscription)
    subscription |= {"status": "canceled", "ended_at": now}
    subscription["canceled_at"] = subscription["canceled_at"] or now
    emit(state, "customer.subscription.deleted", subscription, now)
    for invoice in state.where(INVOICE, subscription=subscription["id"], status="open"):
        mark_uncollectible(state, invoice, now)


def period_after(start: int, price: Object, *, anchor: int) -> int:
    """When the period ends that begins then: a month or a year on, on the anchor's day."""
    recurring: Object = price["recurring"]
    months = MONTHS[str(recurring["interval"])] * int(recurring["interval_count"])
    began, first = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(anchor, UTC)
    number = began.year * 12 + began.month - 1 + months
    year, month = number // 12, number % 12 + 1
    day = min(first.day, monthrange(year, month)[1])
    return int(began.replace(year=year, month=month, day=day).timestamp())


def _check_running(subscription: Object) -> None:
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise refused("This subscription is over.", code="resource_missing")


def _change(state: StripeState, subscription: Object, now: int, **members: object) -> None:
    """The members are changed, and told with what they were before."""
    before = shown(state, subscription)
    previous: Object = {name: before[name] for name in members if name in before}
    subscription |= members
    if not previous:
        previous["items"] = before["items"]
    emit(state, "customer.subscription.updated", subscription, now, previous=previous)
