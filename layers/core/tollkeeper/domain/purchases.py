"""Purchases: recorded before the customer pays, paid once, and what they bring."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tollkeeper.domain.account import Status
from tollkeeper.domain.catalog import Pack
from tollkeeper.domain.clawback import Back, ended_of, post_back
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import AccountClosedError
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.money_back import NO_MONEY_BACK, DisputeState, MoneyBack
from tollkeeper.domain.operating import GiveGrant, decide_grant
from tollkeeper.domain.refund_asks import RefundAsk

PURCHASE_ID = re.compile(r"pur_[0-9a-f]{32}", re.ASCII)


class PurchaseKind(StrEnum):
    """What is bought, and how it is paid.

    A pack through a payment page, a plan through one that begins a subscription, what one
    invoice of a subscription pays, or a pack by a saved card.
    """

    PACK = "pack"
    PLAN = "plan"
    INVOICE = "invoice"
    TOP_UP = "top_up"


PLAIN_PURCHASES = frozenset({PurchaseKind.PACK, PurchaseKind.TOP_UP})
"""Those whose payment brings the credits itself; a plan's come with its invoices."""


class PurchaseStatus(StrEnum):
    """Where a purchase stands. The last three are what a paid one shows when money went back."""

    CREATED = "created"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Purchase:
    """What was offered when the customer went to pay, and what became of it.

    `session` is Stripe's id of the payment page at `checkout_url`; without a URL nobody was given
    a page. `reason` says why a quarantined purchase needs a person. `pack` is empty where a plan
    is bought, `plan` where a pack is. `grant` is the grant that the credits were in, and `back`
    what is known of money that went back; `clawed_back_microcredits` are the credits that went
    with it, of them `uncollected_microcredits` that nobody had any more and `lapsed_microcredits`
    that had expired unspent. `refunds` are those that operators asked for here; `back` knows all.
    Units: micro-credits; `price_minor` in the currency's smallest unit.
    """

    id: str
    account: AccountId
    pack: str
    pack_name: str
    credits_microcredits: int
    price_minor: int
    currency: str
    created_at: datetime
    status: PurchaseStatus = PurchaseStatus.CREATED
    version: int = 1
    expires_after_days: int | None = None
    stripe_price: str = ""
    request_hash: str = ""
    session: str = ""
    checkout_url: str = ""
    payment_intent: str = ""
    paid_at: datetime | None = None
    reason: str = ""
    kind: PurchaseKind = PurchaseKind.PACK
    plan: str = ""
    customer: str = ""
    subscription: str = ""
    invoice: str = ""
    grant: str = ""
    back: MoneyBack = NO_MONEY_BACK
    clawed_back_microcredits: int = 0
    uncollected_microcredits: int = 0
    lapsed_microcredits: int = 0
    refunds: tuple[RefundAsk, ...] = ()

    @property
    def shown_status(self) -> PurchaseStatus:
        """Where the purchase stands, with the money that went back since it was paid."""
        if self.status is not PurchaseStatus.PAID:
            return self.status
        if self.back.is_disputed:
            return PurchaseStatus.DISPUTED
        back = self.back.back_minor(self.price_minor)
        if not back:
            return self.status
        is_whole = back >= (self.back.charged_minor or self.price_minor)
        return PurchaseStatus.REFUNDED if is_whole else PurchaseStatus.PARTIALLY_REFUNDED

    @property
    def paid_minor(self) -> int:
        """What was paid for it itself, before tax. Why: a plan's page is paid by its invoices."""
        is_paid = self.status is PurchaseStatus.PAID and self.kind is not PurchaseKind.PLAN
        return self.price_minor if is_paid else 0


@dataclass(frozen=True, slots=True)
class PurchaseMoved:
    """The purchase is written if it still has the version before this one's (0: is new)."""

    purchase: Purchase


@dataclass(frozen=True, slots=True)
class EventSeen:
    """The Stripe event is written as processed; a second delivery finds it."""

    event: str
    type: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """From a Stripe object's id to the account and purchase that it belongs to.

    Of a payment that no purchase is known for yet, `account` and `purchase` are empty and `back`
    remembers what money went back. `stands_for` is the payment that a charge's id leads to, where
    events name only the charge. Of a subscription, `ended_at` is when it was over for good; of an
    invoice, `payment` is what paid it, where the invoice itself does not say.
    It is written over the version before `version`.
    """

    target: str
    account: AccountId
    purchase: str
    version: int = 1
    back: MoneyBack = NO_MONEY_BACK
    stands_for: str = ""
    ended_at: datetime | None = None
    payment: str = ""


def purchase_id_of(account: AccountId, key: EntryKey) -> str:
    """The id of the purchase that this key of the account starts: always the same one.

    Why: a repeat finds the purchase by its id, with no second item that could be lost.
    """
    digest = hashlib.sha256(f"{account}\n{key}".encode()).hexdigest()
    return f"pur_{digest[:32]}"


def offer(
    pack: Pack, *, purchase_id: str, account: AccountId, request_hash: str, now: datetime
) -> Purchase:
    """The purchase that is recorded before the customer can pay."""
    return Purchase(
        id=purchase_id,
        account=account,
        pack=pack.id,
        pack_name=pack.name,
        credits_microcredits=pack.credits_microcredits,
        price_minor=pack.price_minor,
        currency=pack.currency,
        created_at=now,
        expires_after_days=pack.expires_after_days,
        stripe_price=pack.stripe_price or "",
        request_hash=request_hash,
    )


def opened(purchase: Purchase, *, session: str, checkout_url: str) -> Purchase:
    """The purchase with its payment page, in its next version.

    Why: a session that was paid before it was recorded stays the purchase's own.
    """
    own = purchase.session or session
    return moved(purchase, purchase.status, session=own, checkout_url=checkout_url)


def moved(purchase: Purchase, status: PurchaseStatus, **changes: object) -> Purchase:
    """The purchase in its next version."""
    return replace(purchase, status=status, version=purchase.version + 1, **changes)  # type: ignore[arg-type]


def purchase_entry_key(purchase_id: str) -> EntryKey:
    """The key of the grant that a purchase brings: one per purchase, for ever."""
    return EntryKey(f"s#purchase:{purchase_id}")


def early_key(purchase_id: str) -> EntryKey:
    """The key of the row for money that went back before the purchase was paid."""
    return EntryKey(f"s#early:{purchase_id}")


def follow_money(
    purchase: Purchase, back: MoneyBack, *, expired_microcredits: int = 0
) -> tuple[Purchase, int]:
    """The purchase with what is known of its money by now, and the credits that follow.

    They are to go where the number is above 0, and to come back where it is below.
    `expired_microcredits` is what of the purchase's own grant expired unspent: it is gone, so
    nobody owes it as well. Units: micro-credits. The version stays.
    Why: what is to be gone follows from all that is known, so the order of the news is nothing.
    Credits that nobody had any more do not come back either, and what is not paid has none.
    """
    known = purchase.back.and_also(back)
    if purchase.status is not PurchaseStatus.PAID:
        return replace(purchase, back=known), 0
    target = known.share_of(purchase.credits_microcredits, purchase.price_minor)
    change = target - purchase.clawed_back_microcredits
    uncollected, lapsed = purchase.uncollected_microcredits, purchase.lapsed_microcredits
    if change > 0:
        lapsing = min(change, max(0, expired_microcredits - lapsed))
        amount, lapsed = change - lapsing, lapsed + lapsing
    else:
        never_taken = min(uncollected, -change)
        never_there = min(lapsed, -change - never_taken)
        amount = change + never_taken + never_there
        uncollected, lapsed = uncollected - never_taken, lapsed - never_there
    after = replace(
        purchase,
        back=known,
        clawed_back_microcredits=target,
        uncollected_microcredits=uncollected,
        lapsed_microcredits=lapsed,
    )
    return after, amount


def post_money_back(
    draft: Draft,
    purchase: Purchase,
    *,
    back: MoneyBack,
    key: EntryKey,
    reason: str = "",
    expired_microcredits: int = 0,
) -> tuple[Purchase, Entry | None]:
    """The purchase with what is known of its money, and the row of the credits that followed.

    Nothing is posted where none do. The version stays.
    """
    own = f"t#expire:{purchase.grant}"
    credits = purchase.credits_microcredits
    just_now = sum(ended_of(e, credits) for e in draft.entries if e.key == own)
    expired = max(expired_microcredits, just_now)
    after, amount = follow_money(purchase, back, expired_microcredits=expired)
    entry, missing = post_back(
        draft,
        Back(
            key=key,
            purchase_id=purchase.id,
            grant=purchase.grant,
            amount_microcredits=amount,
            expires_at=expires_at_of(purchase),
            reason=reason,
        ),
    )
    uncollected = after.uncollected_microcredits + missing
    return replace(after, uncollected_microcredits=uncollected), entry


def decide_money_back(
    draft: Draft,
    purchase: Purchase,
    *,
    back: MoneyBack,
    payment: str,
    expired_microcredits: int = 0,
    also: tuple[object, ...] = (),
) -> Decision:
    """The purchase's credits followed its money. `payment` is Stripe's id of that money.

    There is no row where the credits expire at this very moment.
    """
    known = purchase.back.and_also(back)
    key, reason = _cause(purchase.back, known, payment)
    after, entry = post_money_back(
        draft,
        purchase,
        back=back,
        key=key,
        reason=reason,
        expired_microcredits=expired_microcredits,
    )
    after = replace(after, version=after.version + 1)
    return draft.decide(entry, PurchaseMoved(after), *also)


def money_back_key(purchase: Purchase, back: MoneyBack, payment: str) -> EntryKey:
    """The key of the row for what the news changes: of the first thing that is new in it.

    Why: each thing that is known only ever grows, so none of its values is new twice, and no
    key is used twice for one purchase.
    """
    return _cause(purchase.back, purchase.back.and_also(back), payment)[0]


def _cause(before: MoneyBack, known: MoneyBack, payment: str) -> tuple[EntryKey, str]:
    if known.refunded_minor > before.refunded_minor:
        return EntryKey(f"s#refund:{payment}:{known.refunded_minor}"), "refunded"
    by_id = {each.id: each for each in before.disputes}
    for each in known.disputes:
        own = by_id.get(each.id)
        if own == each:
            continue
        if each.state is DisputeState.WON and (own is None or own.state is not each.state):
            return EntryKey(f"s#dispute_won:{each.id}"), "dispute won"
        grown = "" if own is None else f":{each.state.name.lower()}:{each.amount_minor}"
        return EntryKey(f"s#dispute:{each.id}{grown}"), "disputed"
    return EntryKey(f"s#refund:{payment}:of:{known.charged_minor}"), "charged otherwise"


def expires_at_of(purchase: Purchase) -> datetime | None:
    """When the credits of the purchase end; None for never, or not paid yet."""
    days, paid_at = purchase.expires_after_days, purchase.paid_at
    return None if days is None or paid_at is None else paid_at + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Early:
    """What was known of a payment's money before its purchase was paid, and the links to write.

    `payment` is what paid an invoice, where that is known.
    Why: a link is written over the version in which it was read, in the grant's transaction. So
    news that comes at that very moment finds the purchase, or makes the grant decide again.
    """

    back: MoneyBack = NO_MONEY_BACK
    links: tuple[Linked, ...] = ()
    payment: str = ""


NOTHING_EARLY = Early()


def decide_purchase(
    draft: Draft,
    purchase: Purchase,
    *,
    payment_intent: str,
    event: EventSeen | None,
    early: Early = NOTHING_EARLY,
    actor: str = "stripe",
) -> Decision:
    """The purchase's credits are in the account, it is paid, and its payment is linked.

    What went back of its money before is taken at once. A plan brings no credits by itself.
    Raises: AccountClosedError, because credits of a closed account would be lost.
    """
    if draft.account.status is Status.CLOSED:
        raise AccountClosedError(f"The account {purchase.account} is closed for good.")
    granted = decide_grant(draft, _grant_of(purchase, draft.at, actor)).answer
    assert granted is not None and granted.grant is not None, "a grant's row has its grant"
    paid = moved(
        purchase,
        PurchaseStatus.PAID,
        paid_at=draft.at,
        payment_intent=payment_intent,
        grant=granted.grant.id,
    )
    paid, _ = post_money_back(draft, paid, back=early.back, key=early_key(purchase.id))
    seen = () if event is None else (event,)
    return draft.decide(granted, PurchaseMoved(paid), *seen, *early.links)


def _grant_of(purchase: Purchase, at: datetime, actor: str) -> GiveGrant:
    """The grant that the purchase brings, paid at this moment."""
    return GiveGrant(
        key=purchase_entry_key(purchase.id),
        request_hash="",
        reason=f"pack {purchase.pack}" if purchase.pack else purchase.reason,
        actor=actor,
        amount_microcredits=purchase.credits_microcredits,
        kind=GrantKind.PACK,
        expires_at=expires_at_of(replace(purchase, paid_at=at)),
        details=(
            ("purchase", purchase.id),
            ("pack", purchase.pack),
            ("price_minor", str(purchase.price_minor)),
            ("currency", purchase.currency),
        ),
    )
