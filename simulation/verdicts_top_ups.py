"""What must hold of every top-up in the end: money against credits, and the rule's own bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulation.card_side import SimulatedCards
from simulation.deployment import Invocation
from simulation.store import SimStore
from simulation.top_up_side import Topped
from simulation.watch import Violation, Watch
from tollkeeper.domain.billing import Billing
from tollkeeper.domain.purchases import Purchase, PurchaseKind, PurchaseStatus, purchase_entry_key
from tollkeeper.domain.top_ups import CardOutcome
from tollkeeper.store.billing import billing_from_item
from tollkeeper.store.payments import purchase_from_item

MOST_FAILURES = 3
FAILED = (PurchaseStatus.FAILED, PurchaseStatus.EXPIRED)
# What the bus sends again: somebody else was there, or Stripe was not.
SAFE = ("BusyError", "UnansweredError", "ContendedError", "PaymentsUnavailableError")


def billings_of(store: SimStore) -> Iterator[Billing]:
    """How every account pays."""
    for item in list(store.items()):
        if item["sk"]["S"] == "M":
            yield billing_from_item(item)


def judge_top_ups(
    topped: list[Topped], cards: SimulatedCards, store: SimStore, watch: Watch
) -> Iterator[Violation]:
    """Money that was taken is credits, once; and no rule brought more than it may."""
    by_account: dict[str, list[Purchase]] = {}
    for item in list(store.items()):
        if item["sk"]["S"].startswith("P#"):
            purchase = purchase_from_item(item)
            if purchase.kind is PurchaseKind.TOP_UP:
                by_account.setdefault(purchase.account, []).append(purchase)
                yield from _judge_money(purchase, cards, watch)
    known = {each.id for purchases in by_account.values() for each in purchases}
    for made in cards.paid:
        if made.purchase.id not in known:
            yield Violation("I17", made.purchase.id, "was charged, and is not on record")
    for billing in billings_of(store):
        if billing.state.pending:
            yield Violation("I22", billing.account, f"{billing.state.pending} is still under way")
    for rule in topped:
        purchases = sorted(by_account.get(rule.account, []), key=lambda each: each.created_at)
        yield from _judge_bounds(rule, purchases)
        yield from _judge_failures(rule, purchases)


def _judge_money(purchase: Purchase, cards: SimulatedCards, watch: Watch) -> Iterator[Violation]:
    """What the card gave is the price, once, where the credits came, and else nothing."""
    where = f"{purchase.account} {purchase.id}"
    ends = [cards.end_of(made) for made in cards.paid if made.purchase.id == purchase.id]
    taken = sum(each.amount_minor for each in ends if each.outcome is CardOutcome.PAID)
    row = watch.rows.get(purchase.account, {}).get(purchase_entry_key(purchase.id))
    brought = 0 if row is None else row.entry.moved_microcredits
    is_paid = purchase.status is PurchaseStatus.PAID
    expected = (purchase.price_minor, purchase.credits_microcredits) if is_paid else (0, 0)
    if (taken, brought) != expected:
        what = f"is {purchase.status}: {taken} was taken, {brought} came in, of {expected}"
        yield Violation("I12", where, what)
    if purchase.status in (PurchaseStatus.CREATED, PurchaseStatus.PENDING):
        yield Violation("I22", where, f"is still {purchase.status}")


def _judge_bounds(rule: Topped, purchases: list[Purchase]) -> Iterator[Violation]:
    """A month brought no more than the rule allows: I16."""
    months: dict[str, list[Purchase]] = {}
    for each in purchases:
        if each.status is PurchaseStatus.PAID:
            months.setdefault(each.created_at.isoformat()[:7], []).append(each)
    for month, paid in months.items():
        spent = sum(each.price_minor for each in paid)
        if len(paid) > rule.most_purchases or (rule.cap_minor and spent > rule.cap_minor):
            what = f"{len(paid)} purchases for {spent} in {month}, of {rule}"
            yield Violation("I16", rule.account, what)


def _judge_failures(rule: Topped, purchases: list[Purchase]) -> Iterator[Violation]:
    """Nothing is tried any more after three failures in a row."""
    failed = 0
    for each in purchases:
        if failed >= MOST_FAILURES:
            yield Violation("top-up", rule.account, f"{each.id} was begun after {failed} failures")
        failed = failed + 1 if each.status in FAILED else 0


def judge_schedule(invocations: list[Invocation]) -> Iterator[Violation]:
    """The function fails only where the same again is safe, and looks at every account."""
    for each in invocations:
        if each.function != "top_up":
            continue
        answer: dict[str, Any] = each.answer or {}
        is_raised = each.death.startswith("raised")
        if answer.get("broken") or (is_raised and not any(name in each.death for name in SAFE)):
            yield Violation("answers", f"#{each.number} top_up", f"{answer} {each.death}")
