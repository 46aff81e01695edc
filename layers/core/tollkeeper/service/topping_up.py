"""Top-ups: a pack is bought by a saved card when an account runs low, once per attempt.

Timeline: recorded as under way, with the purchase -> Stripe is asked, by the purchase's own
idempotency key -> the payment is applied as any other -> the rule knows how it ended. A crash
between two steps is healed by the next look: the schedule finds what is under way by its moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tollkeeper.domain.billing import Billing
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey, EntryKind
from tollkeeper.domain.errors import BusyError, PaymentsUnavailableError
from tollkeeper.domain.money import show_price
from tollkeeper.domain.payments import Payment
from tollkeeper.domain.purchases import (
    Linked,
    Purchase,
    PurchaseMoved,
    PurchaseStatus,
    moved,
)
from tollkeeper.domain.top_ups import (
    FORGOTTEN_AFTER,
    LOOK_AFTER,
    REPEAT_FOR,
    Attempt,
    CardOutcome,
    CardPayment,
    Hindrance,
    decide_top_up,
    find_hindrance,
    look_again_at,
)
from tollkeeper.service.charging import see_account
from tollkeeper.service.commit import Order, commit
from tollkeeper.service.patience import pause
from tollkeeper.service.payers import (
    MOST_TRIES,
    change_billing,
    note_top_up,
    read_billing,
    write_billing,
)
from tollkeeper.service.ports import CardGateway, PageNews, StripeGateway, World
from tollkeeper.service.purchasing import apply_payment
from tollkeeper.service.selling import read_purchase
from tollkeeper.store.billing import TOP_UP_DUE, TOP_UP_SHARDS
from tollkeeper.store.ledger import ContendedError, TakenError
from tollkeeper.store.rows import to_ms

LATE_LOOKS = timedelta(hours=6)
"""How often what is still under way after a day is looked at: a bank may take days."""

STATUSES = {
    CardOutcome.PAID: PurchaseStatus.PAID,
    CardOutcome.PENDING: PurchaseStatus.PENDING,
    CardOutcome.NEEDS_CUSTOMER: PurchaseStatus.PENDING,
    CardOutcome.DECLINED: PurchaseStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Till:
    """What takes money: cards, and pages where the customer confirms a payment.

    `expects_live`: payments of this stage are real money. `return_url` is where a customer goes
    from such a page whose rule names no other place.
    """

    cards: CardGateway
    pages: StripeGateway
    expects_live: bool
    return_url: str


@dataclass(frozen=True, slots=True)
class Topped:
    """What was done for one account, in a word, and for which purchase."""

    account: AccountId
    outcome: str
    purchase: Purchase | None = None


@dataclass(slots=True)
class Healed:
    """What a run of the schedule did. `left`: some accounts are looked at by the next one."""

    looked: list[Topped] = field(default_factory=list[Topped])
    busy: int = 0
    broken: int = 0
    left: bool = False


def top_up(world: World, find_till: Callable[[], Till], account: AccountId) -> Topped:
    """The account's next step is done: a purchase that is wanted now is made, or one goes on.

    The till is asked for by accounts that need one alone: a stack without Stripe has none.
    Raises: BusyError, PaymentsUnavailableError where the same again is safe and wanted.
    Cost: one GetItem for an account without a rule; a purchase takes three TransactWriteItems and
    one call to Stripe, and one or two more where the card is not known yet.
    """
    billing = read_billing(world, account)
    if billing.top_up is None and not billing.state.pending:
        return Topped(account, Hindrance.NO_RULE.value)
    if billing.state.pending:
        return _go_on(world, find_till(), billing)
    seen = see_account(world, account, is_strong=True)
    now = world.clock.now()
    hindrance = find_hindrance(billing, seen, world.catalog, now)
    if hindrance is None and not billing.card:
        card = find_till().cards.find_card(billing.customer)
        hindrance = None if card else Hindrance.NO_CARD
        billing = _note_card(world, billing, card)
    if hindrance is not None:
        _look_again(world, billing, look_again_at(billing.state, seen, hindrance, now))
        return Topped(account, hindrance.value)
    attempt = decide_top_up(billing, seen, world.catalog, now)
    assert isinstance(attempt, Attempt), "nothing hinders it"
    return _begin(world, find_till(), attempt)


def _note_card(world: World, billing: Billing, card: str) -> Billing:
    """The billing with the card that was found; that there is none is written, once."""

    def change(found: Billing) -> Billing:
        return replace(found, state=replace(found.state, lacks_card=True))

    if not card:
        return change_billing(world, billing.account, change)
    return replace(billing, card=card, state=replace(billing.state, lacks_card=False))


def _look_again(world: World, billing: Billing, at: datetime | None) -> None:
    """The schedule looks then, or not any more; only what differs from before is written."""

    def change(found: Billing) -> Billing:
        state = found.state
        is_due = state.next_at is not None and state.next_at <= world.clock.now()
        if state.pending or not (is_due or (at is not None and state.next_at is None)):
            return found
        return replace(found, state=replace(state, next_at=at))

    if change(billing) != billing:
        change_billing(world, billing.account, change)


def _begin(world: World, till: Till, attempt: Attempt) -> Topped:
    """The purchase is recorded as under way, then its card is charged.

    Why: whoever loses the race for the billing has charged nothing, and the winner goes on.
    """
    purchase = attempt.purchase
    link = Linked(purchase.id, purchase.account, purchase.id)
    try:
        write_billing(world, attempt.billing, PurchaseMoved(purchase), link)
    except (TakenError, ContendedError):
        return Topped(purchase.account, "taken")
    return _charge(world, till, attempt.billing, purchase)


def _charge(world: World, till: Till, billing: Billing, purchase: Purchase) -> Topped:
    try:
        payment = till.cards.charge(purchase, card=billing.state.card)
    except PaymentsUnavailableError:
        return Topped(purchase.account, "no_answer", purchase)
    return _follow(world, till, purchase, payment)


def _go_on(world: World, till: Till, billing: Billing) -> Topped:
    """What is under way comes to its end, as far as that is known.

    Why: its own function may still be at it, so nobody else looks before that must have ended.
    Within a day Stripe answers the same request the same way; after that it would take it for a
    new one, so it is not repeated but looked up.
    """
    state, now = billing.state, world.clock.now()
    assert state.pending_since is not None, "what is under way began"
    age = now - state.pending_since
    if age < LOOK_AFTER:
        return Topped(billing.account, Hindrance.PENDING.value)
    purchase = read_purchase(world, state.pending)
    if purchase.status not in (PurchaseStatus.CREATED, PurchaseStatus.PENDING):
        return _end(world, purchase)
    change_billing(world, billing.account, lambda found: _later(found, billing, now))
    if purchase.session:
        return _look_at_page(world, till, purchase, is_over=age >= FORGOTTEN_AFTER)
    if purchase.payment_intent:
        return _follow(world, till, purchase, till.cards.read_payment(purchase.payment_intent))
    if age < REPEAT_FOR:
        return _charge(world, till, billing, purchase)
    if age < FORGOTTEN_AFTER:
        return Topped(billing.account, Hindrance.PENDING.value, purchase)
    payment = till.cards.find_payment(purchase) or CardPayment(
        CardOutcome.DECLINED,
        amount_minor=purchase.price_minor,
        currency=purchase.currency,
        is_live=till.expects_live,
        reason="never_reached_stripe",
    )
    return _follow(world, till, purchase, payment)


def _later(found: Billing, seen: Billing, now: datetime) -> Billing:
    """The next look at what is still under way is twice as late, but none misses its day's end.

    Why: so one purchase that Stripe says nothing of does not take every run of the schedule.
    """
    state, since = found.state, seen.state.pending_since
    if state.pending != seen.state.pending or since is None:
        return found
    age = now - since
    next_at = now + LATE_LOOKS
    if age < FORGOTTEN_AFTER:
        next_at = min(now + max(age, LOOK_AFTER), since + FORGOTTEN_AFTER)
    return replace(found, state=replace(state, next_at=next_at))


def _look_at_page(world: World, till: Till, purchase: Purchase, *, is_over: bool) -> Topped:
    """The page's own news is applied where it did not come by itself."""
    page = till.cards.read_page(purchase.session)
    if page.status == "complete" and page.is_paid:
        status = PurchaseStatus.PAID
    elif page.status == "expired" or (is_over and page.status == "open"):
        status = PurchaseStatus.EXPIRED
    else:
        return Topped(purchase.account, Hindrance.PENDING.value, purchase)
    payment = _payment_of_page(world, purchase, page, status)
    apply_payment(world, payment, expects_live=till.expects_live)
    return _end(world, read_purchase(world, purchase.id))


def _payment_of_page(
    world: World, purchase: Purchase, page: PageNews, status: PurchaseStatus
) -> Payment:
    return Payment(
        event="",
        type="top_up",
        purchase=purchase.id,
        status=status,
        session=purchase.session,
        currency=page.currency,
        subtotal_minor=page.subtotal_minor,
        is_live=page.is_live,
        created_at=world.clock.now(),
        payment_intent=page.payment_intent,
    )


def _follow(world: World, till: Till, purchase: Purchase, payment: CardPayment) -> Topped:
    """The purchase is what Stripe says, and the rule knows; or the customer is asked.

    Why: a payment that the customer must confirm is canceled first, so that only one of the two,
    the payment or the page, can ever take money.
    """
    if payment.outcome is CardOutcome.NEEDS_CUSTOMER and payment.payment_intent:
        after = till.cards.cancel(payment.payment_intent)
        if after.outcome is CardOutcome.DECLINED:
            return _open_page(world, till, purchase)
        payment = after
    fact = Payment(
        event="",
        type="top_up",
        purchase=purchase.id,
        status=STATUSES[payment.outcome],
        session="",
        currency=payment.currency or purchase.currency,
        subtotal_minor=payment.amount_minor or purchase.price_minor,
        is_live=payment.is_live if payment.payment_intent else till.expects_live,
        created_at=world.clock.now(),
        payment_intent=payment.payment_intent,
    )
    apply_payment(world, fact, expects_live=till.expects_live)
    return _end(world, read_purchase(world, purchase.id), reason=payment.reason)


def _end(world: World, purchase: Purchase, *, reason: str = "") -> Topped:
    note_top_up(world, purchase, reason=reason)
    return Topped(purchase.account, purchase.status.value, purchase)


def _open_page(world: World, till: Till, purchase: Purchase) -> Topped:
    """The customer can confirm the payment on a page, and a row's event tells the app so."""
    billing = read_billing(world, purchase.account)
    rule = billing.top_up
    url = (rule.return_url if rule is not None else "") or till.return_url
    page = till.pages.open_checkout(purchase, success_url=url, cancel_url=url, saves_card=True)
    for number in range(MOST_TRIES):
        current = read_purchase(world, purchase.id)
        if current.session or current.status not in (
            PurchaseStatus.CREATED,
            PurchaseStatus.PENDING,
        ):
            return _end(world, current)
        opened = moved(current, PurchaseStatus.PENDING, session=page.session, checkout_url=page.url)
        try:
            _tell_customer(world, opened)
        except (TakenError, ContendedError):
            pause(world, number)
        else:
            return Topped(purchase.account, "needs_customer", opened)
    return Topped(purchase.account, Hindrance.PENDING.value, purchase)


def _tell_customer(world: World, purchase: Purchase) -> None:
    """The purchase with its page is written with the row that says so."""
    details = {
        "purchase": purchase.id,
        "url": purchase.checkout_url,
        "pack": purchase.pack,
        "price": show_price(purchase.price_minor, purchase.currency),
        "currency": purchase.currency,
    }

    def decide(draft: Draft) -> Decision:
        entry = draft.post(
            draft.account,
            key=key,
            kind=EntryKind.TOP_UP,
            delta=0,
            actor="system",
            details=details,
        )
        return draft.decide(entry, PurchaseMoved(purchase))

    key = EntryKey(f"s#top_up_action:{purchase.id}")
    commit(world, Order(purchase.account, key, request_hash="", decide=decide))


def heal_top_ups(
    world: World,
    find_till: Callable[[], Till],
    *,
    has_time: Callable[[], bool],
    on_broken: Callable[[AccountId], None],
) -> Healed:
    """Every account whose top-up waits for a look had one, until the time is nearly up.

    One account that cannot be looked at does not stop the others; the next run looks again.
    Cost: one Query for each 100 of them and shard, and what top_up costs for each.
    """
    healed = Healed()
    for account in _read_due(world):
        if not has_time():
            healed.left = True
            break
        try:
            healed.looked.append(top_up(world, find_till, account))
        except (BusyError, PaymentsUnavailableError):
            healed.busy += 1
        except Exception:  # noqa: BLE001 - one broken account must not stop the others
            healed.broken += 1
            on_broken(account)
    return healed


def _read_due(world: World) -> Iterator[AccountId]:
    """The accounts whose moment has come, page by page. Raises: BusyError."""
    until_ms = to_ms(world.clock.now())
    for shard in range(TOP_UP_SHARDS):
        accounts, start = world.ledger.read_due(shard, until_ms=until_ms, kind=TOP_UP_DUE)
        yield from accounts
        while start is not None:
            accounts, start = world.ledger.read_due(
                shard, until_ms=until_ms, start=start, kind=TOP_UP_DUE
            )
            yield from accounts
