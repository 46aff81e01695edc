"""The rule by which an account tops itself up: set by an operator, read by anybody who may."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.billing import Billing, BillingMoved, TopUpRule, with_disputes_cleared
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKind
from tollkeeper.domain.errors import AccountClosedError, InvalidError
from tollkeeper.domain.money import show_micro, show_price
from tollkeeper.domain.operating import Command, post_command
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.top_ups import Hindrance, find_hindrance, with_rule
from tollkeeper.service.charging import see_account
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.patience import until_written
from tollkeeper.service.payers import MOST_TRIES, read_billing
from tollkeeper.service.ports import World
from tollkeeper.service.selling import find_purchase


@dataclass(frozen=True, slots=True)
class SetTopUp(Command):
    """The rule as it is to be, whole. Units: micro-credits; `most_minor` in the pack's currency.

    `clears_disputes`: an operator lets the card be charged again, whatever was disputed.
    """

    pack: str = ""
    below_microcredits: int = 0
    most_purchases: int = 10
    most_minor: int | None = None
    is_on: bool = True
    return_url: str = ""
    clears_disputes: bool = False


@dataclass(frozen=True, slots=True)
class TopUpView:
    """A rule with what became of it. `hindrance` is why nothing is bought now, None for nothing.

    `pending` is the purchase that is under way.
    """

    billing: Billing
    account: Account
    hindrance: Hindrance | None
    pending: Purchase | None = None


def read_top_up(world: World, account: AccountId) -> TopUpView:
    """The account's rule and its state. Raises: NotFoundError for an account that nobody touched.

    Cost: two GetItem, two more while a purchase is under way.
    """
    seen = see_account(world, account, is_strong=True)
    billing = read_billing(world, account)
    hindrance = find_hindrance(billing, seen, world.catalog, world.clock.now())
    if hindrance is None and billing.state.lacks_card and not billing.card:
        hindrance = Hindrance.NO_CARD
    pending = find_purchase(world, billing.state.pending) if billing.state.pending else None
    return TopUpView(billing, seen, hindrance, pending)


def set_top_up(world: World, account: AccountId, command: SetTopUp) -> Outcome:
    """The rule is in force, and the account's rows ask for a top-up below its threshold.

    What turned it off by itself is forgotten. One that is so already changes nothing.
    Raises: InvalidError, AccountClosedError and what commit raises.
    Cost: one GetItem more than commit.
    """

    def apply() -> Outcome:
        billing = read_billing(world, account)

        def decide(draft: Draft) -> Decision | None:
            return decide_rule(draft, command, billing, world.catalog)

        order = Order(account, command.key, request_hash=command.request_hash, decide=decide)
        return commit(world, order)

    busy = "The account's billing is busy; the same request with the same key is safe."
    return until_written(world, apply, tries=MOST_TRIES, busy=busy)


def decide_rule(
    draft: Draft, command: SetTopUp, billing: Billing, catalog: Catalog
) -> Decision | None:
    """The account and its billing have the rule; None where they have it already.

    Raises: InvalidError, AccountClosedError.
    """
    rule = _rule_of(command, catalog)
    account = draft.account
    if account.parent:
        raise InvalidError("account", "is a budget, which its own account funds")
    if account.status is Status.CLOSED:
        raise AccountClosedError(f"The account {account.id} is closed for good.")
    below = rule.below_microcredits if rule.is_on else None
    is_so = billing.top_up == rule and not billing.state.off_reason
    clears = command.clears_disputes and billing.is_disputed
    is_so = is_so and not clears
    if is_so and account.top_up_below_microcredits == below:
        return None
    entry = post_command(
        draft,
        command,
        replace(account, top_up_below_microcredits=below),
        kind=EntryKind.TOP_UP,
        details=_details_of(rule) | ({"disputes": "cleared"} if clears else {}),
    )
    if clears:
        billing = with_disputes_cleared(billing)
    return draft.decide(entry, BillingMoved(with_rule(billing, rule, draft.at)))


def _rule_of(command: SetTopUp, catalog: Catalog) -> TopUpRule:
    """The rule, with the price that is agreed to. Raises: InvalidError."""
    pack = catalog.packs.get(command.pack)
    if pack is None:
        known = ", ".join(catalog.packs) or "none"
        raise InvalidError("pack", f"{command.pack!r} is not in the catalog; it has {known}")
    if command.most_minor is not None and command.most_minor < pack.price_minor:
        price = show_price(pack.price_minor, pack.currency)
        raise InvalidError("monthly_cap", f"is below the price of the pack, {price}")
    return TopUpRule(
        pack=pack.id,
        below_microcredits=command.below_microcredits,
        most_purchases=command.most_purchases,
        most_minor=command.most_minor,
        is_on=command.is_on,
        price_minor=pack.price_minor,
        currency=pack.currency,
        return_url=command.return_url,
    )


def _details_of(rule: TopUpRule) -> dict[str, str]:
    """What the row says of the rule, as texts."""
    most = rule.most_minor
    return {
        "pack": rule.pack,
        "below": show_micro(rule.below_microcredits),
        "most_purchases": str(rule.most_purchases),
        "monthly_cap": "none" if most is None else show_price(most, rule.currency),
        "price": show_price(rule.price_minor, rule.currency),
        "currency": rule.currency,
        "on": "true" if rule.is_on else "false",
        "return_url": rule.return_url,
    }
