"""Bugs of money that goes back and of subscriptions.

The orders of Stripe's events find each (tests/stripe_orders); storms find some of them, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.invoices import InvoicePaid, SubscriptionNews
from tollkeeper.domain.money_back import NO_MONEY_BACK, Dispute, DisputeState, MoneyBack
from tollkeeper.domain.payments import MoneyNews, PaymentOutcome
from tollkeeper.domain.purchases import Early
from tollkeeper.edge import deliveries
from tollkeeper.service import money_back, purchasing, subscribing
from tollkeeper.service.applied import Applied
from tollkeeper.service.ports import World


def refund_by_delta(patches: Patches) -> None:
    """What was refunded so far is added to what was refunded before."""
    own = MoneyBack.and_also

    def and_also(self: MoneyBack, other: MoneyBack) -> MoneyBack:
        both = own(self, other)
        return replace(both, refunded_minor=self.refunded_minor + other.refunded_minor)

    patches.replace(MoneyBack, "and_also", and_also)


def dispute_per_event(patches: Patches) -> None:
    """Every event about a dispute is a dispute of its own."""
    own = deliveries.apply_money_back

    def apply(world: World, news: MoneyNews) -> Applied:
        apart = tuple(replace(d, id=f"{d.id}.{news.event}") for d in news.back.disputes)
        return own(world, replace(news, back=replace(news.back, disputes=apart)))

    patches.replace(deliveries, "apply_money_back", apply)


def same_money_twice(patches: Patches) -> None:
    """What is refunded and disputed at once is taken twice."""

    def back_minor(self: MoneyBack, _: int) -> int:
        held = [e.amount_minor for e in self.disputes if e.state is DisputeState.WITHDRAWN]
        return self.refunded_minor + sum(held)

    patches.replace(MoneyBack, "back_minor", back_minor)


def largest_dispute(patches: Patches) -> None:
    """Of several disputes one counts."""
    own = MoneyBack.back_minor

    def back_minor(self: MoneyBack, price_minor: int) -> int:
        held = [d for d in self.disputes if d.state is DisputeState.WITHDRAWN]
        largest = sorted(held, key=lambda d: d.amount_minor)[-1:]
        return own(replace(self, disputes=tuple(largest)), price_minor)

    patches.replace(MoneyBack, "back_minor", back_minor)


def last_word_of_a_dispute(patches: Patches) -> None:
    """A dispute is what the event says that came last."""
    own = MoneyBack.and_also

    def and_also(self: MoneyBack, other: MoneyBack) -> MoneyBack:
        both = own(self, other)
        said: dict[str, Dispute] = {each.id: each for each in other.disputes}
        states = (said.get(each.id, each).state for each in both.disputes)
        last = (replace(d, state=s) for d, s in zip(both.disputes, states, strict=True))
        return replace(both, disputes=tuple(last))

    patches.replace(MoneyBack, "and_also", and_also)


def all_or_nothing(patches: Patches) -> None:
    """A refund of a part takes everything."""

    def share_of(self: MoneyBack, granted_microcredits: int, price_minor: int) -> int:
        return granted_microcredits if self.back_minor(price_minor) else 0

    patches.replace(MoneyBack, "share_of", share_of)


def share_of_the_price(patches: Patches) -> None:
    """What went back is a share of the price without tax."""
    own = MoneyBack.share_of

    def share_of(self: MoneyBack, granted_microcredits: int, price_minor: int) -> int:
        return own(replace(self, charged_minor=price_minor), granted_microcredits, price_minor)

    patches.replace(MoneyBack, "share_of", share_of)


def link_forgotten(patches: Patches) -> None:
    """Money that goes back before it came in is nobody's."""

    def remember(*_: Any) -> Applied:
        return Applied(PaymentOutcome.IGNORED)

    patches.replace(money_back, "_remember", remember)


def early_refund_forgotten(patches: Patches) -> None:
    """What a link remembers is not read when the purchase is paid."""
    own = purchasing.read_early

    def read(world: World, purchase: Any, *targets: str) -> Early:
        return replace(own(world, purchase, *targets), back=NO_MONEY_BACK)

    patches.replace(purchasing, "read_early", read)


def charge_is_a_stranger(patches: Patches) -> None:
    """What names only its charge leads to no payment."""
    own = deliveries.apply_money_back

    def apply(world: World, news: MoneyNews) -> Applied:
        return own(world, replace(news, charge="") if news.payment_intent else news)

    patches.replace(deliveries, "apply_money_back", apply)


def period_of_the_invoice(patches: Patches) -> None:
    """A line's time is taken from its invoice, where it has no length."""
    own = subscribing.find_plan_lines

    def find(invoice: InvoicePaid, catalog: Any) -> Any:
        made = invoice.made_at
        return tuple(
            replace(
                each,
                line=replace(each.line, start_at=made, end_at=made),
                place=(made, made),
            )
            for each in own(invoice, catalog)
        )

    patches.replace(subscribing, "find_plan_lines", find)


def revived_by_an_invoice(patches: Patches) -> None:
    """An invoice that comes after the end brings the plan back."""
    own = vars(subscribing)["_gather"]

    def gather(*given: Any) -> Any:
        return replace(own(*given), ended=frozenset())

    patches.replace(subscribing, "_gather", gather)


def revived_by_an_update(patches: Patches) -> None:
    """An update that comes after the end makes it undone."""
    own = vars(subscribing)["_apply_news"]

    def apply(world: World, news: SubscriptionNews) -> Applied:
        link = world.ledger.read_link(news.subscription)
        if not news.has_ended and link is not None and link.ended_at is not None:
            world.ledger.write_facts(replace(link, ended_at=None, version=link.version + 1))
        return own(world, news)

    patches.replace(subscribing, "_apply_news", apply)


def end_forgotten(patches: Patches) -> None:
    """The end of a subscription leaves no mark."""
    own = vars(subscribing)["_end"]

    def end(world: World, news: SubscriptionNews, ended: Any) -> Applied:
        return own(world, news, replace(ended, ended_at=None))

    patches.replace(subscribing, "_end", end)


def invoice_by_event(patches: Patches) -> None:
    """Each event about an invoice has an effect of its own."""
    own = vars(subscribing)["_apply_invoice"]

    def apply(world: World, invoice: InvoicePaid, *, expects_live: bool) -> Applied:
        named = replace(invoice, invoice=f"{invoice.invoice}.{invoice.event}")
        return own(world, named, expects_live=expects_live)

    patches.replace(subscribing, "_apply_invoice", apply)


def late_line_resets(patches: Patches) -> None:
    """The line that comes last begins the period."""
    own = subscribing.apply_line

    def apply(draft: Draft, *given: Any) -> Any:
        draft.account = replace(draft.account, plan=replace(draft.account.plan, paid=()))
        return own(draft, *given)

    patches.replace(subscribing, "apply_line", apply)


BUGS = (
    Bug("refund by delta", "cumulative refunds are added up", refund_by_delta),
    Bug("dispute per event", "two events about a dispute take twice", dispute_per_event),
    Bug("same money twice", "a refund of what is disputed takes it twice", same_money_twice),
    Bug("largest dispute", "one of several disputes counts", largest_dispute),
    Bug("last word of a dispute", "a late event opens it again", last_word_of_a_dispute),
    Bug("all or nothing", "a refund of a part takes everything", all_or_nothing),
    Bug("share of the price", "a refund is held against the price before tax", share_of_the_price),
    Bug("link forgotten", "a refund before its payment is nobody's", link_forgotten),
    Bug("early refund forgotten", "a grant does not look at what it links", early_refund_forgotten),
    Bug("charge is a stranger", "a charge leads to no payment", charge_is_a_stranger),
    Bug("period of the invoice", "a line's time is the invoice's", period_of_the_invoice),
    Bug("revived by an invoice", "a late invoice brings an ended plan back", revived_by_an_invoice),
    Bug("revived by an update", "a late update undoes the end", revived_by_an_update),
    Bug("end forgotten", "the end of a subscription leaves no mark", end_forgotten),
    Bug("late line resets", "the line that comes last begins the period", late_line_resets),
)

# Those that come of what a storm does. What a period brought is known, so no order of a story has
# twice what an invoice brings; its rows are there twice.
IN_STORMS = (
    Bug("invoice by event", "two events about an invoice count twice", invoice_by_event),
    *(
        bug
        for bug in BUGS
        if bug.plant
        in (
            refund_by_delta,
            dispute_per_event,
            last_word_of_a_dispute,
            all_or_nothing,
            link_forgotten,
            early_refund_forgotten,
            period_of_the_invoice,
            revived_by_an_invoice,
            revived_by_an_update,
            end_forgotten,
            late_line_resets,
        )
    ),
)
