"""What use cases need from the world, so that tests can stand in for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.purchases import Purchase
from tollkeeper.store.ledger import Ledger


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
    """The calls that we make to Stripe."""

    def open_checkout(
        self, purchase: Purchase, *, success_url: str, cancel_url: str
    ) -> CheckoutPage:
        """A payment page for the purchase: the same one however often it is asked for.

        Raises: PaymentsUnavailableError.
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
