"""Subscriptions: what a paid invoice, and a subscription's end, do to an account and its plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.account import Status
from tollkeeper.domain.cases import Case, case_id_of
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import AccountClosedError, NotFoundError
from tollkeeper.domain.invoices import (
    InvoicePaid,
    PlanLine,
    SubscriptionNews,
    as_bought,
    find_plan_lines,
)
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.domain.plan_turns import end_key, end_subscription
from tollkeeper.domain.purchases import (
    Early,
    EventSeen,
    Linked,
    Purchase,
    PurchaseKind,
    PurchaseMoved,
    PurchaseStatus,
    early_key,
    post_money_back,
)
from tollkeeper.domain.subscriptions import (
    NOTHING,
    Brought,
    Concern,
    LineOrigin,
    apply_line,
    invoice_purchase_id,
    line_key,
)
from tollkeeper.service.applied import Applied, seen
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.money_back import find_link, read_early
from tollkeeper.service.patience import until_written
from tollkeeper.service.payers import save_payer
from tollkeeper.service.payment_cases import new_case, open_case, open_case_late
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase


@dataclass(frozen=True, slots=True)
class _Renewal:
    """An invoice that pays for plans, with all that its transaction reads and writes.

    `links` lead from the subscription and the customer to the account; each is written over the
    version that was read, so that the end of the subscription and its invoice never pass each
    other. `ended` are the subscriptions that are over.
    """

    invoice: InvoicePaid
    lines: tuple[PlanLine, ...]
    purchase: Purchase
    early: Early
    links: tuple[Linked, ...]
    ended: frozenset[str]
    seen: tuple[EventSeen, ...]

    @property
    def also(self) -> tuple[Linked | EventSeen, ...]:
        """What is written beside the purchase."""
        return (*self.early.links, *self.links, *self.seen)


def apply_invoice(world: World, invoice: InvoicePaid, *, expects_live: bool) -> Applied:
    """The invoice's lines have had their one effect, now or before.

    Raises: BusyError where Stripe should send it again.
    Cost: six to ten GetItem, and where it changes something what `commit` costs.
    Why: as with a payment, the event's item, the invoice's purchase and the row of the line are
    written in one transaction, each once; whoever comes second finds what the first wrote.
    """

    def apply() -> Applied:
        return _apply_invoice(world, invoice, expects_live=expects_live)

    applied = until_written(world, apply)
    if applied.purchase is not None and applied.purchase.status is PurchaseStatus.PAID:
        save_payer(world, applied.purchase.account, invoice.customer)
    return applied


def _apply_invoice(world: World, invoice: InvoicePaid, *, expects_live: bool) -> Applied:
    lines = _find_lines(world, invoice)
    if not lines:
        return _leave_other(world, invoice)
    if invoice.is_live is not expects_live:
        reason = f"livemode is {invoice.is_live}, not {expects_live}"
        return open_case(world, invoice, _case_of(world, invoice, reason))
    known = world.ledger.read_link(invoice.invoice)
    if known is not None and known.purchase:
        found = world.ledger.read_purchase(known.account, known.purchase)
        is_waiting = found is not None and found.status is PurchaseStatus.QUARANTINED
        outcome = PaymentOutcome.QUARANTINED if is_waiting else PaymentOutcome.DUPLICATE
        return Applied(outcome, found, found.reason if found is not None else "")
    account = _find_account(world, invoice.account, lines[0].subscription, invoice.customer)
    if account is None:
        return _miss(world, invoice)
    renewal = _gather(world, invoice, lines, account)
    try:
        return _renew(world, renewal)
    except AccountClosedError as error:
        return _quarantine(world, renewal, error.detail)


def _find_lines(world: World, invoice: InvoicePaid) -> tuple[PlanLine, ...]:
    """The lines that pay for plans, at today's prices, or else at those of its own checkout."""
    lines = find_plan_lines(invoice, world.catalog)
    if lines or not invoice.purchase:
        return lines
    bought = find_purchase(world, invoice.purchase)
    if bought is None or bought.kind is not PurchaseKind.PLAN:
        return ()
    return find_plan_lines(invoice, as_bought(bought, world.catalog))


def _leave_other(world: World, invoice: InvoicePaid) -> Applied:
    """An invoice for other things is not about us, unless an account subscribes by it.

    Why: a customer who pays each month for a plan that the catalog does not know, or not any
    more, must not be passed over in silence.
    """
    reason = "no line of it is for a plan of the catalog"
    is_subscribed = bool(invoice.subscription or invoice.purchase)
    account = None
    if invoice.paid_minor and is_subscribed:
        names = (invoice.account, invoice.subscription, invoice.customer)
        account = _find_account(world, *names)
    if account is None:
        return Applied(PaymentOutcome.IGNORED, reason=reason)
    case = replace(_case_of(world, invoice, f"paid, but {reason}"), account=account)
    return open_case(world, invoice, case)


def _miss(world: World, invoice: InvoicePaid) -> Applied:
    """What becomes of a paid plan that nobody is known to have.

    Why: the event that says whose subscription it is may come later.
    """
    case = _case_of(world, invoice, "paid, but no account is known for its subscription")
    missing = f"Nobody is known to have {invoice.invoice}"
    return open_case_late(world, invoice, case, missing=missing)


def _find_account(world: World, named: str, subscription: str, customer: str) -> AccountId | None:
    """Whose it is: as its metadata says, else the subscription's, else the customer's account."""
    if named:
        return AccountId(named)
    for target in (subscription, customer):
        link = world.ledger.read_link(target) if target else None
        if link is not None and link.account:
            return link.account
    return None


def _gather(
    world: World, invoice: InvoicePaid, lines: tuple[PlanLine, ...], account: AccountId
) -> _Renewal:
    last = lines[-1]
    purchase = Purchase(
        id=invoice_purchase_id(account, invoice.invoice),
        account=account,
        pack="",
        pack_name=last.terms.name,
        credits_microcredits=0,
        price_minor=invoice.paid_minor,
        currency=invoice.currency,
        created_at=world.clock.now(),
        status=PurchaseStatus.PAID,
        payment_intent=invoice.payment_intent,
        kind=PurchaseKind.INVOICE,
        plan=last.terms.id,
        customer=invoice.customer,
        subscription=last.subscription,
        invoice=invoice.invoice,
    )
    targets = {each.subscription for each in lines}
    found = {each: find_link(world, each) for each in sorted(targets)}
    links = [
        replace(link, account=link.account or account, version=link.version + 1)
        for link in found.values()
    ]
    links.append(Linked(purchase.id, account, purchase.id))
    if invoice.customer:
        payer = find_link(world, invoice.customer)
        if not payer.account:
            links.append(replace(payer, account=account, version=payer.version + 1))
    early = read_early(world, purchase, invoice.invoice, invoice.payment_intent, invoice.charge)
    paid_by = invoice.payment_intent or early.payment
    return _Renewal(
        invoice=invoice,
        lines=lines,
        purchase=replace(purchase, payment_intent=paid_by),
        early=early,
        links=tuple(links),
        ended=frozenset(link.target for link in found.values() if link.ended_at is not None),
        seen=seen(world, invoice, PaymentOutcome.GRANTED),
    )


def _renew(world: World, renewal: _Renewal) -> Applied:
    purchase = renewal.purchase
    after = purchase

    case: Case | None = None

    def decide(draft: Draft) -> Decision | None:
        nonlocal after, case
        brought, after = _decide(draft, renewal)
        case = _case_about(world, renewal, brought.concern)
        if brought.entry is None:
            return None
        cases = () if case is None else (case,)
        return draft.decide(brought.entry, PurchaseMoved(after), *renewal.also, *cases)

    key = line_key(renewal.invoice.invoice, renewal.lines[-1].line.id)
    written = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
    if written.was_replayed:
        return Applied(PaymentOutcome.DUPLICATE, after)
    if written.entry is None:
        return _note_idle(world, renewal, case)
    return Applied(PaymentOutcome.GRANTED, after, granted=written, case=case)


def _case_about(world: World, renewal: _Renewal, concern: Concern | None) -> Case | None:
    """The case about what a person must look at, if there is none yet. Cost: one GetItem."""
    invoice, purchase = renewal.invoice, renewal.purchase
    if concern is None or not invoice.paid_minor:
        return None
    case = _case_of(world, invoice, concern.reason)
    named = replace(case, id=case_id_of(concern.subject), account=purchase.account)
    return new_case(world, replace(named, purchase=purchase.id))


def _decide(draft: Draft, renewal: _Renewal) -> tuple[Brought, Purchase]:
    """What all lines brought that pay for something, without a row where that is nothing.

    Raises: AccountClosedError, because credits of a closed account would be lost.
    """
    purchase = renewal.purchase
    if draft.account.status is Status.CLOSED:
        raise AccountClosedError(f"The account {purchase.account} is closed for good.")
    origin = LineOrigin(renewal.invoice.invoice, purchase.id)
    all_ = NOTHING
    for each in renewal.lines:
        if each.subscription not in renewal.ended:
            all_ = all_.and_also(apply_line(draft, each, origin))
    if all_.entry is None:
        return all_, purchase
    paid = replace(
        purchase,
        credits_microcredits=all_.credits_microcredits,
        grant=all_.grant,
        paid_at=draft.at,
    )
    key = early_key(purchase.id)
    paid, _ = post_money_back(draft, paid, back=renewal.early.back, key=key)
    return all_, paid


def _note_idle(world: World, renewal: _Renewal, case: Case | None) -> Applied:
    """The invoice is on record, and changes nothing: its time is over, or its subscription is."""
    is_ended = bool(renewal.ended)
    reason = "its subscription had ended" if is_ended else "a later invoice was there before it"
    reason = reason if case is None else case.reason
    known = renewal.purchase.back.and_also(renewal.early.back)
    purchase = replace(renewal.purchase, paid_at=world.clock.now(), reason=reason, back=known)
    outcome = PaymentOutcome.REMEMBERED
    also = (*renewal.early.links, *renewal.links, *seen(world, renewal.invoice, outcome))
    world.ledger.write_purchase(purchase, *also, *(() if case is None else (case,)))
    return Applied(outcome, purchase, reason, case=case)


def _quarantine(world: World, renewal: _Renewal, reason: str) -> Applied:
    """The invoice is on record, and a person decides about its money."""
    invoice = renewal.invoice
    credits = max(each.terms.allocation_microcredits for each in renewal.lines)
    purchase = replace(
        renewal.purchase,
        status=PurchaseStatus.QUARANTINED,
        reason=reason,
        credits_microcredits=credits,
        back=renewal.purchase.back.and_also(renewal.early.back),
    )
    case = _case_of(world, invoice, reason)
    case = new_case(world, replace(case, account=purchase.account, purchase=purchase.id))
    outcome = PaymentOutcome.QUARANTINED
    also = (*renewal.early.links, *renewal.links, *seen(world, invoice, outcome))
    world.ledger.write_purchase(purchase, *also, *(() if case is None else (case,)))
    return Applied(outcome, purchase, reason, case=case)


def _case_of(world: World, invoice: InvoicePaid, reason: str) -> Case:
    return Case(
        id=case_id_of(invoice.invoice),
        at=world.clock.now(),
        reason=reason,
        event=invoice.event,
        type=invoice.type,
        account=invoice.account,
        purchase=invoice.purchase,
        payment=invoice.payment_intent or invoice.invoice,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
    )


def apply_subscription(world: World, news: SubscriptionNews, *, expects_live: bool) -> Applied:
    """Whose the subscription is, is known; one that is over drives no plan any more, for good.

    Raises: BusyError where Stripe should send it again.
    Cost: one or two GetItem, and where it changes something what `commit` costs.
    """
    if news.is_live is not expects_live:
        return Applied(PaymentOutcome.IGNORED, reason="it is of the other mode, live or test")
    return until_written(world, lambda: _apply_news(world, news))


def _apply_news(world: World, news: SubscriptionNews) -> Applied:
    link = find_link(world, news.subscription)
    account = link.account or _find_account(world, news.account, "", news.customer)
    if not account:
        return _remember_end(world, news, link)
    after = replace(link, account=account, version=link.version + 1)
    if not news.has_ended:
        if link.account:
            return Applied(PaymentOutcome.IGNORED, reason="its invoices say what it brings")
        world.ledger.write_facts(after, *seen(world, news, PaymentOutcome.LINKED))
        return Applied(PaymentOutcome.LINKED)
    if link.ended_at is not None:
        return Applied(PaymentOutcome.DUPLICATE)
    return _end(world, news, replace(after, ended_at=news.created_at))


def _remember_end(world: World, news: SubscriptionNews, link: Linked) -> Applied:
    """A subscription that nobody is known to have is over for good, whosever it turns out to be.

    Why: its end may come before the event that says whose it is.
    """
    if not news.has_ended:
        return Applied(PaymentOutcome.IGNORED, reason="it is no subscription of ours")
    if link.ended_at is not None:
        return Applied(PaymentOutcome.DUPLICATE)
    outcome = PaymentOutcome.REMEMBERED
    ended = replace(link, ended_at=news.created_at, version=link.version + 1)
    world.ledger.write_facts(ended, *seen(world, news, outcome))
    return Applied(outcome)


def _end(world: World, news: SubscriptionNews, ended: Linked) -> Applied:
    """The subscription has its mark that it is over, in the transaction that ends its plan."""
    also = (ended, *seen(world, news, PaymentOutcome.ENDED))

    def decide(draft: Draft) -> Decision | None:
        entry = end_subscription(draft, news.subscription)
        return None if entry is None else draft.decide(entry, *also)

    key = end_key(news.subscription)
    order = Order(ended.account, key, request_hash="", decide=decide, may_open=False)
    try:
        written = commit(world, order)
    except NotFoundError:
        written = Outcome(None)
    if written.entry is None:
        world.ledger.write_facts(*also)
    return Applied(PaymentOutcome.ENDED, granted=written if written.entry else None)
