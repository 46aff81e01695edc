"""How an account pays: its customer at Stripe, its saved card, and its top-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tollkeeper.domain.entries import AccountId

MOST_DISPUTED = 20
"""So many disputed purchases are told apart; more stop the card until an operator decides."""

MOST_CLEARED = 40
"""Of so many purchases it is known that an operator cleared their disputes."""


@dataclass(frozen=True, slots=True)
class TopUpRule:
    """When credits are bought without asking. Units: micro-credits; prices in minor units.

    `most_purchases` and `most_minor` bound what one calendar month of the account's zone may
    bring; None is no bound. `price_minor` and `currency` are the pack's when the rule was set:
    nobody's card is charged more than was agreed to. The customer returns to `return_url` from a
    page where a payment has to be confirmed.
    """

    pack: str
    below_microcredits: int
    most_purchases: int = 10
    most_minor: int | None = None
    is_on: bool = True
    price_minor: int = 0
    currency: str = ""
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class TopUpState:
    """What became of the top-ups so far.

    `attempt` counts them. `pending` is the purchase that is under way since `pending_since`, and
    `card` the saved card that it is paid with, the same one for each try. `month` is the one
    (`2026-11`) that `purchases` and `spent_minor` count. `failures` are those in a row, `failure`
    what the last one was. `last_at` is when the last one ended. `next_at` is when the schedule is
    to look. `off_reason` says why it was turned off by itself. `lacks_card`: when a purchase
    was wanted last, Stripe had no card.
    """

    attempt: int = 0
    pending: str = ""
    pending_since: datetime | None = None
    card: str = ""
    failures: int = 0
    failure: str = ""
    month: str = ""
    purchases: int = 0
    spent_minor: int = 0
    last_at: datetime | None = None
    next_at: datetime | None = None
    off_reason: str = ""
    lacks_card: bool = False


@dataclass(frozen=True, slots=True)
class Billing:
    """One account's dealings with Stripe. `version` 0 is not written yet.

    `disputed` are the purchases that are disputed and not won; no card is charged then. `cleared`
    are those of them that an operator decided about. `card` is the saved card that is known, ""
    where it has to be looked up.
    """

    account: AccountId
    version: int = 0
    customer: str = ""
    card: str = ""
    disputed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    top_up: TopUpRule | None = None
    state: TopUpState = TopUpState()

    @property
    def is_disputed(self) -> bool:
        """A payment of this account is disputed and not won."""
        return bool(self.disputed)

    @property
    def is_topping_up(self) -> bool:
        """The rule is set, on, and was not turned off by itself."""
        return self.top_up is not None and self.top_up.is_on and not self.state.off_reason


@dataclass(frozen=True, slots=True)
class BillingMoved:
    """The billing is written if it still has the version before this one's (0: is new)."""

    billing: Billing


def next_version(before: Billing, after: Billing) -> Billing:
    """The billing after, as the version that follows the one before."""
    return replace(after, version=before.version + 1)


def with_payer(billing: Billing, *, customer: str, card: str) -> Billing:
    """The billing of an account whose customer paid. A card that is not said is looked up.

    Why: the card of another customer is of no use to this one.
    """
    if card or customer != billing.customer:
        state = replace(billing.state, lacks_card=False)
        return replace(billing, customer=customer, card=card, state=state)
    return billing


def with_dispute(billing: Billing, purchase: str, *, is_disputed: bool) -> Billing:
    """The billing with the purchase disputed, or not any more; the same however often.

    Why: Stripe tells of a lost dispute again, and an operator's decision about it stands.
    """
    if is_disputed and purchase in billing.cleared:
        return billing
    others = tuple(each for each in billing.disputed if each != purchase)
    cleared = tuple(each for each in billing.cleared if each != purchase)
    if len(others) >= MOST_DISPUTED:
        return billing
    disputed = (*others, purchase) if is_disputed else others
    return replace(billing, disputed=disputed, cleared=cleared)


def with_disputes_cleared(billing: Billing) -> Billing:
    """The billing whose card may be charged again, whatever was disputed up to now."""
    others = (each for each in billing.cleared if each not in billing.disputed)
    cleared = (*others, *billing.disputed)[-MOST_CLEARED:]
    return replace(billing, disputed=(), cleared=cleared)
