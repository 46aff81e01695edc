"""Money that goes back at Stripe takes its credits along, in whatever order the news comes."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.clawback import ended_of
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.money_back import NO_MONEY_BACK
from tollkeeper.domain.payments import MoneyNews, PaymentOutcome
from tollkeeper.domain.purchases import (
    Early,
    Linked,
    Purchase,
    PurchaseKind,
    PurchaseStatus,
    decide_money_back,
    follow_money,
    money_back_key,
    moved,
    purchase_entry_key,
)
from tollkeeper.service.applied import Applied, seen
from tollkeeper.service.commit import Order, commit
from tollkeeper.service.patience import until_written
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase
from tollkeeper.store.ledger import TakenError

MOST_HOPS = 3
"""From a charge to its payment, from there to its invoice, and from there to the purchase."""


def apply_money_back(world: World, news: MoneyNews) -> Applied:
    """What the news says is known of the payment for good, and its credits follow; once.

    Raises: BusyError where Stripe should send it again.
    Cost: one to seven GetItem, and what `commit` costs where credits move.
    Why: what is known only ever grows, so two deliveries, or two events that say the same, have
    one effect. A payment that no purchase is known for yet keeps it on its link.
    """
    return until_written(world, lambda: apply_once(world, news))


def apply_once(world: World, news: MoneyNews) -> Applied:
    """As apply_money_back, without patience. Raises: TakenError, ContendedError as well."""
    chains = [_follow(world, name) for name in news.names]
    found = [link for chain in chains for link in chain if link.purchase]
    if found:
        purchase = world.ledger.read_purchase(found[0].account, found[0].purchase)
        assert purchase is not None, "what is linked was written with its link"
    else:
        purchase = _find_named(world, news)
    if purchase is None:
        return _remember(world, news, chains)
    return _bring(world, news, purchase, [chain[-1] for chain in chains])


def _follow(world: World, name: str) -> list[Linked]:
    """The link of that id and those it stands for; what is not there yet is an empty one."""
    chain: list[Linked] = []
    for _ in range(MOST_HOPS):
        link = find_link(world, name)
        chain.append(link)
        if link.purchase or not link.stands_for:
            break
        name = link.stands_for
    return chain


def find_paid(world: World, *names: str) -> Purchase | None:
    """The purchase that one of these ids of a payment leads to. Cost: up to four GetItem each."""
    for name in names:
        end = _follow(world, name)[-1] if name else None
        if end is not None and end.purchase:
            return world.ledger.read_purchase(end.account, end.purchase)
    return None


def find_link(world: World, target: str) -> Linked:
    """The link of that id; one that nobody has heard of has version 0. Cost: one GetItem."""
    return world.ledger.read_link(target) or Linked(target, AccountId(""), "", version=0)


def _find_named(world: World, news: MoneyNews) -> Purchase | None:
    """The paid purchase that the payment's metadata names, where no link leads to one.

    Why: only the purchase's own page says which payment is its own; until then anything that
    names it may be a payment of somebody else's making. A charge of the oldest versions has
    nothing but its metadata.
    """
    purchase = find_purchase(world, news.purchase) if news.purchase else None
    if purchase is None or purchase.status is not PurchaseStatus.PAID:
        return None
    is_own = purchase.payment_intent in news.names or not news.payment_intent
    return purchase if is_own else None


def _remember(world: World, news: MoneyNews, chains: list[list[Linked]]) -> Applied:
    """What is known is on the link that leads furthest, and the payment's ids lead there.

    Why: whoever is granted by any of these ids reads that link in the grant's own transaction.
    """
    if not chains:
        return Applied(PaymentOutcome.IGNORED, reason="it names no payment")
    links = {link.target: link for chain in chains for link in chain}
    root = links[_root_of(news, chains)]
    known = news.back
    for link in links.values():
        known = known.and_also(link.back)
    paid_by = news.payment_intent if root.target == news.invoice else ""
    after = {root.target: replace(root, back=known, payment=root.payment or paid_by)}
    for link in links.values():
        if link.target != root.target and not link.stands_for:
            after[link.target] = replace(link, stands_for=root.target)
    changed = [link for target, link in after.items() if link != links[target]]
    if not changed:
        return Applied(PaymentOutcome.DUPLICATE)
    outcome = PaymentOutcome.REMEMBERED
    world.ledger.write_facts(*map(_next, changed), *seen(world, news, outcome))
    return Applied(outcome)


def _root_of(news: MoneyNews, chains: list[list[Linked]]) -> str:
    """Where all ids of the payment should lead: to its invoice, else to the payment itself."""
    leads = [chain[-1].target for chain in chains]
    further = [lead for lead in leads if lead not in news.names]
    return further[0] if further else news.invoice or leads[0]


def _next(link: Linked) -> Linked:
    return replace(link, version=link.version + 1)


def _own(link: Linked, purchase: Purchase) -> Linked:
    return _next(replace(link, account=purchase.account, purchase=purchase.id))


def _with_payment(purchase: Purchase, news: MoneyNews) -> Purchase:
    """An invoice's purchase with the payment that paid it.

    Why: since 2025 an invoice does not name it, and a refund is asked for by it.
    """
    if purchase.kind is not PurchaseKind.INVOICE or purchase.payment_intent:
        return purchase
    return replace(purchase, payment_intent=news.payment_intent)


def _bring(world: World, news: MoneyNews, purchase: Purchase, ends: list[Linked]) -> Applied:
    """The purchase knows what the news and the payment's links say, and its credits follow."""
    strangers = {link.target: link for link in ends if not link.purchase}
    back = news.back
    for link in strangers.values():
        back = back.and_also(link.back)
    before, purchase = purchase, _with_payment(purchase, news)
    after, amount = follow_money(purchase, back)
    if after == before and not strangers:
        return Applied(PaymentOutcome.DUPLICATE, purchase)
    if amount > 0 and not purchase.grant:
        purchase = _with_grant(world, purchase)
    expired = _read_expired(world, purchase) if amount > 0 else 0
    after, amount = follow_money(purchase, back, expired_microcredits=expired)
    outcome = PaymentOutcome.LINKED if after == purchase else news.outcome
    links = tuple(_own(link, purchase) for link in strangers.values())
    also = (*links, *seen(world, news, outcome))
    if amount == 0:
        after = moved(after, after.status)
        world.ledger.write_purchase(after, *also)
        return Applied(outcome, after)
    payment = news.names[0] if news.names else purchase.id

    def decide(draft: Draft) -> Decision:
        # Why: a stale read of the account may be from before its credits went; it is read anew.
        if draft.account.lifetime.clawed_back + amount < 0:
            raise TakenError("account")
        return decide_money_back(
            draft,
            purchase,
            back=back,
            payment=payment,
            expired_microcredits=expired,
            also=also,
        )

    key = money_back_key(purchase, back, payment)
    written = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
    after = world.ledger.read_purchase(purchase.account, purchase.id)
    if written.was_replayed:
        return Applied(PaymentOutcome.DUPLICATE, after)
    return Applied(outcome, after, granted=written)


def _with_grant(world: World, purchase: Purchase) -> Purchase:
    """The purchase with the grant that its row says. Cost: one GetItem.

    Why: purchases that were paid before money back was known did not keep it.
    """
    row = world.ledger.read_entry(purchase.account, purchase_entry_key(purchase.id))
    if row is None or row.grant is None:
        return purchase
    return replace(purchase, grant=row.grant.id)


def _read_expired(world: World, purchase: Purchase) -> int:
    """What of the purchase's own grant expired unspent, as its row says. Units: micro-credits.

    Cost: up to two GetItem. Why: the row is written once, when the grant is over; a grant that
    ends only now has its row in the draft of the clawback itself.
    """
    if not purchase.grant:
        return 0
    account = world.ledger.read_account(purchase.account, is_strong=True)
    if account is None or any(grant.id == purchase.grant for grant in account.grants):
        return 0
    row = world.ledger.read_entry(purchase.account, EntryKey(f"t#expire:{purchase.grant}"))
    return 0 if row is None else ended_of(row, purchase.credits_microcredits)


def read_early(world: World, purchase: Purchase, *targets: str) -> Early:
    """What is known of a payment's money before its purchase is paid, and the links to write.

    `targets` are Stripe's ids of the payment, as far as they are known; empty ones are passed
    over. Cost: one to three GetItem for each.
    """
    back = NO_MONEY_BACK
    payment = ""
    links: dict[str, Linked] = {}
    for target in targets:
        if not target:
            continue
        chain = _follow(world, target)
        for link in chain:
            back = back.and_also(link.back)
            payment = payment or link.payment
        if not chain[-1].purchase:
            links[chain[-1].target] = _own(chain[-1], purchase)
    return Early(back, tuple(links.values()), payment)
