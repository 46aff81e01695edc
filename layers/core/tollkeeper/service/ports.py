"""What use cases need from the world, so that tests can stand in for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from tollkeeper.domain.catalog import Catalog
from tollkeeper.store.ledger import Ledger

if TYPE_CHECKING:
    from tollkeeper.domain.purchases import Purchase
    from tollkeeper.domain.refund_asks import RefundAsk
    from tollkeeper.domain.top_ups import CardPayment


class Clock(Protocol):
    """Time, and waiting. Nothing else asks the machine what time it is."""

    def now(self) -> datetime:
        """The moment in UTC, in whole milliseconds."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only go forward, for deadlines."""
        ...

    def pause(self, seconds: float) -> None:
        """Time has passed."""
        ...


class IdSource(Protocol):
    """Randomness."""

    def new_secret(self) -> str:
        """A fresh secret of 43 characters."""
        ...

    def fraction(self) -> float:
        """A number from 0 to 1, for spreading retries."""
        ...


class Secrets(Protocol):
    """Named secrets of this stack."""

    def read_secret(self, name: str) -> str:
        """The secret, or an empty text where it is not set."""
        ...


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """Where the customer pays. `session` is Stripe's id of it."""

    url: str
    session: str


class StripeGateway(Protocol):
    """The pages at Stripe that customers are sent to."""

    def open_checkout(
        self,
        purchase: Purchase,
        *,
        success_url: str,
        cancel_url: str,
        interval: str = "",
        saves_card: bool = False,
    ) -> CheckoutPage:
        """A payment page for the purchase: the same one however often it is asked for.

        A plan is paid each `interval` (`month` or `year`). `saves_card`: the card may be charged
        later without the customer.
        Raises: PaymentsUnavailableError.
        """
        ...

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The URL of the page where this customer of Stripe changes cards and subscriptions.

        The same one for the same key. Raises: PaymentsUnavailableError.
        """
        ...


class CardGateway(Protocol):
    """Payments by the cards that customers saved at Stripe.

    Every method raises PaymentsUnavailableError where Stripe did not answer as it should: what
    was asked may or may not have happened.
    """

    def find_card(self, customer: str) -> str:
        """The card that the customer pays with by default, or saved last; "" for none."""
        ...

    def charge(self, purchase: Purchase, *, card: str) -> CardPayment:
        """The purchase's price is taken from the card: once, however often it is asked for."""
        ...

    def read_payment(self, payment_intent: str) -> CardPayment:
        """What became of the payment."""
        ...

    def find_payment(self, purchase: Purchase) -> CardPayment | None:
        """The payment that names the purchase; None where there never was one."""
        ...

    def cancel(self, payment_intent: str) -> CardPayment:
        """The payment can never be made any more, or is what it had become before."""
        ...

    def read_page(self, session: str) -> PageNews:
        """What became of the page where the customer was to confirm the payment."""
        ...


@dataclass(frozen=True, slots=True)
class PageNews:
    """A payment page as Stripe says it is: `open`, `complete` or `expired`, and paid or not.

    Units: `subtotal_minor` in the currency's smallest unit.
    """

    status: str
    is_paid: bool = False
    payment_intent: str = ""
    subtotal_minor: int | None = None
    currency: str = ""
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class RefundMade:
    """A refund at Stripe, and what its charge then said.

    `refunded_minor` is all that went back of the charge so far.
    """

    refund: str
    charge: str
    payment_intent: str
    charged_minor: int
    refunded_minor: int


class RefundGateway(Protocol):
    """Money back, at Stripe."""

    def refund(self, purchase: Purchase, ask: RefundAsk) -> RefundMade:
        """The money is on its way back: once, however often the same is asked for.

        Raises: NotRefundableError where Stripe refuses; PaymentsUnavailableError.
        """
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What a use case works with. One per process, made by the edge.

    `versions` are the price versions that this process knows to be stored; `pinned` are the
    catalogs of other versions that it has read, and `parse_catalog` makes one of its source.
    """

    ledger: Ledger
    clock: Clock
    ids: IdSource
    catalog: Catalog
    versions: set[str] = field(default_factory=set[str])
    pinned: dict[str, Catalog] = field(default_factory=dict[str, Catalog])
    parse_catalog: Callable[[str], Catalog] | None = None
    secrets: Secrets | None = None
