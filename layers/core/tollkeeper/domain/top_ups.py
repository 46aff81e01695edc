"""Top-ups: when a pack is bought without asking, and what becomes of the rule by its outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.billing import Billing, TopUpRule, TopUpState, next_version
from tollkeeper.domain.catalog import Catalog, Pack
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.periods import add_months, local_date, start_of_day
from tollkeeper.domain.purchases import (
    Purchase,
    PurchaseKind,
    PurchaseStatus,
    offer,
    purchase_id_of,
)

MOST_FAILURES = 3
AFTER_SUCCESS = timedelta(seconds=60)
AFTER_FAILURE = (timedelta(hours=1), timedelta(hours=6))
"""How long no card is charged after the first failure in a row, and after the second."""

LOOK_AFTER = timedelta(minutes=2)
"""A purchase that is still under way then is looked at; its function has long ended."""

REPEAT_FOR = timedelta(hours=23)
"""So long Stripe surely knows a request by its idempotency key; it forgets it after a day."""

FORGOTTEN_AFTER = timedelta(hours=25)
"""From then on the request is not repeated but looked up, and no page is open any more."""

FAILURES = "failures"
QUARANTINED = "quarantined"


class Hindrance(StrEnum):
    """Why nothing is bought now."""

    NO_RULE = "no_rule"
    OFF = "off"
    NOT_ACTIVE = "not_active"
    ENOUGH = "enough"
    NO_CUSTOMER = "no_customer"
    NO_CARD = "no_card"
    DISPUTED = "disputed"
    PENDING = "pending"
    COOLING = "cooling"
    MOST_PURCHASES = "most_purchases"
    MOST_MONEY = "most_money"
    NO_PACK = "no_pack"
    PRICE_CHANGED = "price_changed"


class CardOutcome(StrEnum):
    """What Stripe says of a payment by a saved card."""

    PAID = "paid"
    PENDING = "pending"
    DECLINED = "declined"
    NEEDS_CUSTOMER = "needs_customer"


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment by a saved card, as Stripe says it is. `reason` is Stripe's own code.

    Units: `amount_minor` in the currency's smallest unit.
    """

    outcome: CardOutcome
    payment_intent: str = ""
    amount_minor: int = 0
    currency: str = ""
    is_live: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A purchase that may be made now, and the billing with it under way."""

    purchase: Purchase
    billing: Billing


def decide_top_up(
    billing: Billing, account: Account, catalog: Catalog, now: datetime
) -> Attempt | Hindrance:
    """The purchase that is to be made now, or the first reason why none is.

    Why: it is counted before it is paid, so that no crash lets a month bring more than it may.
    """
    hindrance = find_hindrance(billing, account, catalog, now)
    if hindrance is not None:
        return hindrance
    assert billing.top_up is not None, "a rule was found"
    pack = catalog.packs[billing.top_up.pack]
    state = _in_month(billing.state, month_of(account, now))
    attempt = state.attempt + 1
    key = EntryKey(f"s#top_up:{attempt}")
    purchase_id = purchase_id_of(billing.account, key)
    offered = offer(
        pack, purchase_id=purchase_id, account=billing.account, request_hash="", now=now
    )
    purchase = replace(offered, kind=PurchaseKind.TOP_UP, customer=billing.customer)
    state = replace(
        state,
        attempt=attempt,
        pending=purchase_id,
        pending_since=now,
        card=billing.card,
        purchases=state.purchases + 1,
        spent_minor=state.spent_minor + pack.price_minor,
        next_at=now + LOOK_AFTER,
    )
    return Attempt(purchase, next_version(billing, replace(billing, state=state)))


def find_hindrance(
    billing: Billing, account: Account, catalog: Catalog, now: datetime
) -> Hindrance | None:
    """The first reason why nothing is bought now, or None; a card may still be missing."""
    rule = billing.top_up
    if rule is None:
        return Hindrance.NO_RULE
    checks = (
        (Hindrance.OFF, not billing.is_topping_up),
        (Hindrance.PENDING, bool(billing.state.pending)),
        (Hindrance.NOT_ACTIVE, account.status is not Status.ACTIVE or bool(account.parent)),
        (Hindrance.DISPUTED, billing.is_disputed),
        (Hindrance.NO_CUSTOMER, not billing.customer),
        (Hindrance.ENOUGH, account.available_microcredits >= rule.below_microcredits),
    )
    for hindrance, holds in checks:
        if holds:
            return hindrance
    return _find_bound(billing.state, rule, catalog.packs.get(rule.pack), account, now=now)


def _find_bound(
    state: TopUpState, rule: TopUpRule, pack: Pack | None, account: Account, *, now: datetime
) -> Hindrance | None:
    """What of the rule's own bounds is reached."""
    if pack is None:
        return Hindrance.NO_PACK
    if pack.currency != rule.currency or pack.price_minor > rule.price_minor:
        return Hindrance.PRICE_CHANGED
    cool_at = cool_until(state)
    if cool_at is not None and now < cool_at:
        return Hindrance.COOLING
    state = _in_month(state, month_of(account, now))
    if state.purchases >= rule.most_purchases:
        return Hindrance.MOST_PURCHASES
    most = rule.most_minor
    if most is not None and state.spent_minor + pack.price_minor > most:
        return Hindrance.MOST_MONEY
    return None


def month_of(account: Account, now: datetime) -> str:
    """The calendar month of the account's zone: `2026-11`."""
    return local_date(now, account.zone).isoformat()[:7]


def _in_month(state: TopUpState, month: str) -> TopUpState:
    """The state whose counters are this month's.

    Why: a zone that changes can make it the month before again, whose counters are gone; so a
    month only ever follows a lower one.
    """
    if month <= state.month:
        return state
    return replace(state, month=month, purchases=0, spent_minor=0)


def cool_until(state: TopUpState) -> datetime | None:
    """Until when no card is charged after the last attempt; None where there was none."""
    if state.last_at is None:
        return None
    if not state.failures:
        return state.last_at + AFTER_SUCCESS
    return state.last_at + AFTER_FAILURE[min(state.failures, len(AFTER_FAILURE)) - 1]


def look_again_at(
    state: TopUpState, account: Account, hindrance: Hindrance, now: datetime
) -> datetime | None:
    """When the schedule is to look, where time alone takes the hindrance away; else None."""
    match hindrance:
        case Hindrance.COOLING:
            return cool_until(state)
        case Hindrance.MOST_PURCHASES | Hindrance.MOST_MONEY:
            first = add_months(local_date(now, account.zone).replace(day=1), 1)
            return start_of_day(first, account.zone)
        case _:
            return None


def settle_top_up(billing: Billing, purchase: Purchase, now: datetime, *, reason: str) -> Billing:
    """The billing after the purchase that was under way came to an end, or as it was.

    What failed is not counted in the month; after so many failures in a row the rule is off. A
    payment that was not what was asked for turns it off at once: a person must look.
    """
    state = billing.state
    if state.pending != purchase.id:
        return billing
    ended = replace(state, pending="", pending_since=None, card="", last_at=now, next_at=None)
    match purchase.status:
        case PurchaseStatus.PAID:
            ended = replace(ended, failures=0, failure="")
            ended = replace(ended, next_at=cool_until(ended))
        case PurchaseStatus.FAILED | PurchaseStatus.EXPIRED:
            ended = _failed(ended, purchase, reason=reason)
            # Why: the card that did not pay may have been replaced; the next one is looked up.
            billing = replace(billing, card="")
        case PurchaseStatus.QUARANTINED:
            ended = replace(ended, off_reason=QUARANTINED)
        case _:
            return billing
    return next_version(billing, replace(billing, state=ended))


def _failed(state: TopUpState, purchase: Purchase, *, reason: str) -> TopUpState:
    failed = replace(
        state,
        failures=state.failures + 1,
        failure=reason or purchase.status.value,
        purchases=max(0, state.purchases - 1),
        spent_minor=max(0, state.spent_minor - purchase.price_minor),
    )
    if failed.failures >= MOST_FAILURES:
        return replace(failed, off_reason=FAILURES)
    return replace(failed, next_at=cool_until(failed))


def with_rule(billing: Billing, rule: TopUpRule, now: datetime) -> Billing:
    """The billing with that rule, which begins anew: what turned it off is forgotten.

    What the month has brought stays counted, but for money of another currency.
    """
    before = billing.top_up
    state = replace(
        billing.state,
        failures=0,
        failure="",
        off_reason="",
        next_at=billing.state.next_at if billing.state.pending else now if rule.is_on else None,
    )
    if before is not None and before.currency != rule.currency:
        state = replace(state, spent_minor=0)
    return next_version(billing, replace(billing, top_up=rule, state=state))
