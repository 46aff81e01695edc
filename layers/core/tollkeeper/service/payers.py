"""Who pays for an account: what became known of its customer, its disputes and its top-ups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tollkeeper.domain.billing import (
    Billing,
    BillingMoved,
    next_version,
    with_dispute,
    with_payer,
)
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey, EntryKind
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.top_ups import settle_top_up
from tollkeeper.service.commit import Order, commit
from tollkeeper.service.patience import until_written
from tollkeeper.service.ports import World
from tollkeeper.store.billing import billing_from_item, billing_key
from tollkeeper.store.writes import also_to_writes

MOST_TRIES = 6
BUSY = "The account's billing is busy; the same again is safe."


def read_billing(world: World, account: AccountId) -> Billing:
    """How the account pays; one that nobody paid for has version 0. Cost: one GetItem."""
    item = world.ledger.read_item(billing_key(account))
    return Billing(account) if item is None else billing_from_item(item)


def change_billing(
    world: World, account: AccountId, change: Callable[[Billing], Billing]
) -> Billing:
    """The billing as the change leaves it, which sees what is there now; it may be asked again.

    Raises: BusyError. Cost: one GetItem, and where it changes something one TransactWriteItems.
    """

    def apply() -> Billing:
        before = read_billing(world, account)
        after = change(before)
        if replace(after, version=before.version) == before:
            return before
        return write_billing(world, next_version(before, after))

    return until_written(world, apply, tries=MOST_TRIES, busy=BUSY)


def write_billing(world: World, billing: Billing, *also: object) -> Billing:
    """The billing is written over the version before it, with what goes with it.

    Raises: TakenError, ContendedError, UnansweredError. Cost: one TransactWriteItems.
    """
    world.ledger.write_puts(*also_to_writes(billing.account, BillingMoved(billing), *also))
    return billing


def save_payer(world: World, account: AccountId, customer: str, payment_method: str = "") -> None:
    """The account's cards are those of this customer from now on. Empty changes nothing.

    Raises: BusyError. Cost: as change_billing.
    """
    if customer:
        change_billing(
            world,
            account,
            lambda billing: with_payer(billing, customer=customer, card=payment_method),
        )


def note_dispute(world: World, account: AccountId, purchase: str, *, is_disputed: bool) -> None:
    """No card of the account is charged while a purchase is disputed; the same however often.

    Raises: BusyError. Cost: as change_billing.
    """
    change_billing(
        world, account, lambda billing: with_dispute(billing, purchase, is_disputed=is_disputed)
    )


def note_top_up(world: World, purchase: Purchase, *, reason: str = "") -> None:
    """The account's top-up knows how this purchase ended, where it waited for that.

    A rule that is turned off by it says so in a row of the ledger, whose event tells the app.
    Raises: BusyError. Cost: one GetItem, and where it ended one TransactWriteItems or `commit`.
    """

    def apply() -> None:
        before = read_billing(world, purchase.account)
        after = settle_top_up(before, purchase, world.clock.now(), reason=reason)
        if after == before:
            return
        if after.is_topping_up or not before.is_topping_up:
            write_billing(world, after)
        else:
            _turn_off(world, after, purchase)

    until_written(world, apply, tries=MOST_TRIES, busy=BUSY)


def _turn_off(world: World, billing: Billing, purchase: Purchase) -> None:
    """The rule is off, and rows ask for no top-up any more."""
    details = {"why": billing.state.off_reason, "purchase": purchase.id}
    if billing.state.failure:
        details["failure"] = billing.state.failure

    def decide(draft: Draft) -> Decision:
        entry = draft.post(
            replace(draft.account, top_up_below_microcredits=None),
            key=key,
            kind=EntryKind.TOP_UP,
            delta=0,
            actor="system",
            details=details,
        )
        return draft.decide(entry, BillingMoved(billing))

    key = EntryKey(f"s#top_up_off:{purchase.id}")
    commit(world, Order(purchase.account, key, request_hash="", decide=decide))
