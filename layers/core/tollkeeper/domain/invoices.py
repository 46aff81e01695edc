"""Invoices: what one of Stripe's says was paid for, and which of its lines pay for plans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.catalog import Catalog, PlanTerms
from tollkeeper.domain.purchases import Purchase


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice: what is paid for, from when to when.

    `plan` is what the subscription's metadata names. `unit_minor` is the price of one, None where
    the line does not say. Units: the currency's smallest.
    """

    id: str
    start_at: datetime
    end_at: datetime
    amount_minor: int
    currency: str
    price: str = ""
    lookup_key: str = ""
    plan: str = ""
    subscription: str = ""
    unit_minor: int | None = None
    is_proration: bool = False


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """An invoice of Stripe's was paid. `account` and `purchase` are what its metadata names.

    `event` is empty where nobody sent it, as in a list of Stripe's. `made_at` is when the invoice
    was made, `created_at` when the event was. Units: the currency's smallest.
    """

    event: str
    type: str
    created_at: datetime
    is_live: bool | None
    invoice: str
    made_at: datetime
    paid_minor: int
    currency: str
    lines: tuple[InvoiceLine, ...]
    account: str = ""
    purchase: str = ""
    customer: str = ""
    subscription: str = ""
    payment_intent: str = ""
    charge: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionNews:
    """A subscription began, changed, or (`has_ended`) is over for good."""

    event: str
    type: str
    created_at: datetime
    is_live: bool | None
    subscription: str
    has_ended: bool
    account: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line that pays for a plan. `place` orders all lines: its start, then its invoice's."""

    line: InvoiceLine
    terms: PlanTerms
    subscription: str
    place: tuple[datetime, datetime]


def find_plan_lines(invoice: InvoicePaid, catalog: Catalog) -> tuple[PlanLine, ...]:
    """The lines that pay for plans, in the order in which they apply.

    Of several that begin the same period the one with the largest allocation stands for all, so
    that their order does not matter. A line below 0 gives back the price of unused time: what was
    allocated for that time stays, so it changes nothing. One of no subscription begins no period,
    because none follows it.
    """
    found: dict[tuple[object, ...], PlanLine] = {}
    for line in invoice.lines:
        terms = find_plan(line, catalog) if line.amount_minor >= 0 else None
        if terms is None:
            continue
        subscription = line.subscription or invoice.subscription
        if not subscription or line.end_at <= line.start_at:
            continue
        each = PlanLine(line, terms, subscription, (line.start_at, invoice.made_at))
        same = (subscription, line.start_at, line.end_at, line.is_proration)
        found[same] = max(found.get(same, each), each, key=_size)
    return tuple(sorted(found.values(), key=lambda each: (each.place, _size(each))))


def as_bought(bought: Purchase, catalog: Catalog) -> Catalog:
    """The catalog with the plan's price as it was when this purchase of it was recorded.

    Why: who subscribed before a price changed goes on at the old one, and has the plan for it.
    """
    terms = catalog.plans.get(bought.plan)
    if terms is None or terms.sale is None:
        return catalog
    sale = replace(
        terms.sale,
        price_minor=bought.price_minor,
        currency=bought.currency,
        stripe_price=bought.stripe_price,
    )
    return replace(catalog, plans={**catalog.plans, terms.id: replace(terms, sale=sale)})


def _size(each: PlanLine) -> tuple[int, str]:
    return each.terms.allocation_microcredits, each.line.id


def find_plan(line: InvoiceLine, catalog: Catalog) -> PlanTerms | None:
    """The plan that the line pays for, or None: other things are sold on invoices, too.

    Why: the price's id is certain. A `lookup_key` is an operator's own word at Stripe. What the
    checkout wrote into the subscription still names its first plan after a change to another, so
    it counts only where the money is this plan's as well.
    """
    sold = [terms for terms in catalog.plans.values() if terms.sale is not None]
    for terms in sold:
        if line.price and terms.sale is not None and line.price in terms.sale.all_prices:
            return terms
    for terms in sold:
        if line.lookup_key == terms.id:
            return terms
    for terms in sold:
        sale = terms.sale
        unit_minor = line.amount_minor if line.unit_minor is None else line.unit_minor
        paid = (unit_minor, line.currency)
        if sale is None or sale.stripe_price or line.plan != terms.id:
            continue
        if paid == (sale.price_minor, sale.currency):
            return terms
    return None
