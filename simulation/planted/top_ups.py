"""Bugs of top-ups: cards that are charged twice, for nothing, or more often than was agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import top_ups
from tollkeeper.domain.billing import Billing
from tollkeeper.domain.purchases import Purchase
from tollkeeper.service import payers, topping_up
from tollkeeper.service.payers import change_billing


def begun_again(patches: Patches) -> None:
    """What Stripe did not answer is forgotten, and the next one is begun."""
    own = vars(topping_up)["_charge"]

    def charge(world: Any, till: Any, billing: Billing, purchase: Purchase) -> Any:
        topped = own(world, till, billing, purchase)

        def forget(found: Billing) -> Billing:
            return replace(found, state=replace(found.state, pending="", pending_since=None))

        if topped.outcome == "no_answer":
            change_billing(world, purchase.account, forget)
        return topped

    patches.replace(topping_up, "_charge", charge)


def charged_first(patches: Patches) -> None:
    """The card is charged, then the purchase is recorded."""
    own = vars(topping_up)["_begin"]

    def begin(world: Any, till: Any, attempt: Any) -> Any:
        till.cards.charge(attempt.purchase, card=attempt.billing.state.card)
        return own(world, till, attempt)

    patches.replace(topping_up, "_begin", begin)


def repeated_for_days(patches: Patches) -> None:
    """The same is asked again after Stripe has forgotten its key."""
    patches.replace(topping_up, "REPEAT_FOR", timedelta(days=9))
    patches.replace(topping_up, "FORGOTTEN_AFTER", timedelta(days=10))


def one_more_a_month(patches: Patches) -> None:
    """The month's count is held against the bound one purchase too late."""
    own = vars(top_ups)["_find_bound"]

    def find(state: Any, rule: Any, *given: Any, **named: Any) -> Any:
        return own(state, replace(rule, most_purchases=rule.most_purchases + 1), *given, **named)

    patches.replace(top_ups, "_find_bound", find)


def money_uncounted(patches: Patches) -> None:
    """The month's money is counted when a purchase begins, and forgotten when it ends."""
    own = payers.settle_top_up

    def settle(billing: Billing, *given: Any, **named: Any) -> Billing:
        after = own(billing, *given, **named)
        if after == billing:
            return after
        return replace(after, state=replace(after.state, spent_minor=0))

    patches.replace(payers, "settle_top_up", settle)


def never_off(patches: Patches) -> None:
    """A card that was declined three times is tried a fourth time."""
    patches.replace(top_ups, "MOST_FAILURES", 99)


BUGS = (
    Bug("top-up begun again", "a lost answer is taken for a failure", begun_again),
    Bug("top-up charged first", "a card is charged before it is recorded", charged_first),
    Bug("top-up repeated for days", "a forgotten key is a new payment", repeated_for_days),
    Bug("one more a month", "a month's bound is judged too late", one_more_a_month),
    Bug("money uncounted", "a month's money is forgotten", money_uncounted),
    Bug("never off", "failures in a row turn nothing off", never_off),
)
