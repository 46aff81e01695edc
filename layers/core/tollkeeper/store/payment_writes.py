"""What payments, promo codes and billing write beside the ledger: each put with its condition.

Why: apart from the other puts, since a charge writes none of these and loads nothing of them.
"""

from __future__ import annotations

from tollkeeper.domain.billing import BillingMoved
from tollkeeper.domain.cases import Case
from tollkeeper.domain.codes import CodeMoved, CodeRedeemed
from tollkeeper.domain.purchases import EventSeen, Linked, Purchase, PurchaseMoved
from tollkeeper.store.billing import billing_to_item
from tollkeeper.store.cases import case_to_item, case_to_list_item
from tollkeeper.store.codes import CodeMade, code_to_item, made_to_item, redeemed_to_item
from tollkeeper.store.payments import event_to_item, link_to_item, purchase_to_item
from tollkeeper.store.writes import IS_NEW, Write, is_link_version, is_version


def purchase_to_writes(purchase: Purchase, *also: object) -> list[Write]:
    """The slots of a purchase that moves without a grant, with what goes with it."""
    return [write for each in (PurchaseMoved(purchase), *also) for write in payment_to_writes(each)]


def payment_to_writes(also: object) -> list[Write]:
    """The slots of one such item."""
    match also:
        case PurchaseMoved(purchase):
            item = purchase_to_item(purchase)
            return [Write("purchase", {"Item": item, **is_version(purchase.version - 1)})]
        case EventSeen():
            return [Write("event", {"Item": event_to_item(also), **IS_NEW})]
        case Linked():
            item = link_to_item(also)
            return [Write("link", {"Item": item, **is_link_version(also.version - 1)})]
        case Case():
            item = case_to_item(also)
            return [
                Write("case", {"Item": item, **is_version(also.version - 1)}),
                # Why: the case itself, in the same transaction, says that nobody was here before.
                Write("case", {"Item": case_to_list_item(also)}),
            ]
        case _:
            return [_moved_to_write(also)]


def _moved_to_write(also: object) -> Write:
    match also:
        case BillingMoved(billing):
            item = billing_to_item(billing)
            return Write("billing", {"Item": item, **is_version(billing.version - 1)})
        case CodeMoved(code):
            return Write("code", {"Item": code_to_item(code), **is_version(code.version - 1)})
        case CodeRedeemed():
            return Write("redemption", {"Item": redeemed_to_item(also), **IS_NEW})
        case CodeMade():
            return Write("key", {"Item": made_to_item(also), **IS_NEW})
        case _:
            raise AssertionError(f"no item for {also!r}")
