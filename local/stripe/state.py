"""What the simulated Stripe keeps: its objects, and the events it sent so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from local.stripe.refusals import missing

Object = dict[str, Any]

OLD = "2020-08-27"
MIDDLE = "2022-11-15"
BASIL = "2025-03-31.basil"

CUSTOMER = "customer"
PAYMENT_METHOD = "payment_method"
PRICE = "price"
SESSION = "checkout.session"
PORTAL = "billing_portal.session"
PAYMENT_INTENT = "payment_intent"
CHARGE = "charge"
REFUND = "refund"
DISPUTE = "dispute"
SUBSCRIPTION = "subscription"
INVOICE = "invoice"
INVOICE_PAYMENT = "invoice_payment"
ANSWER = "answer"

PREFIXES = {
    CUSTOMER: "cus",
    PAYMENT_METHOD: "pm",
    PRICE: "price",
    SESSION: "cs_test",
    PORTAL: "bps",
    PAYMENT_INTENT: "pi",
    CHARGE: "ch",
    REFUND: "re",
    DISPUTE: "dp",
    SUBSCRIPTION: "sub",
    INVOICE: "in",
    INVOICE_PAYMENT: "inpay",
}


@dataclass(kw_only=True)
class StripeState:
    """One Stripe account in test mode.

    Shape: `objects` by kind and id, in the order they were made, as Stripe's API of 2020 shows
    them, without lists of other objects; `events` as they were sent, in `api_version`; `answers`
    by idempotency key. All of it is JSON. `touched` are the kinds and ids of what may have changed
    since somebody last looked at it and emptied it.
    Units: times are seconds since 1970; amounts are in the currency's smallest unit.
    """

    seed: str = "stripe"
    api_version: str = OLD
    page_url: str = "https://stripe.test/_local"
    is_live: bool = False
    counter: int = 0
    objects: dict[str, dict[str, Object]] = field(default_factory=dict[str, dict[str, Object]])
    events: list[Object] = field(default_factory=list[Object])
    answers: dict[str, Object] = field(default_factory=dict[str, Object])
    request_key: str | None = None
    touched: set[tuple[str, str]] = field(
        default_factory=set[tuple[str, str]], repr=False, compare=False
    )

    def new_id(self, prefix: str, *, length: int = 24) -> str:
        """An id that nothing has: the next one of this seed."""
        self.counter += 1
        digest = hashlib.sha256(f"{self.seed}:{self.counter}".encode()).hexdigest()
        return f"{prefix}_{digest[:length]}"

    def add(self, kind: str, now: int, members: Object) -> Object:
        """A new object of the kind, kept."""
        length = {SESSION: 58, CUSTOMER: 14}.get(kind, 24)
        own = {"id": self.new_id(PREFIXES[kind], length=length), "object": kind, "created": now}
        # A refund is the one that does not say whether it is live.
        live: Object = {} if kind == REFUND else {"livemode": self.is_live}
        made: Object = {**own, **live, **members}
        self.all_of(kind)[str(made["id"])] = made
        self.touched.add((kind, str(made["id"])))
        return made

    def all_of(self, kind: str) -> dict[str, Object]:
        """Every object of the kind by its id, oldest first."""
        return self.objects.setdefault(kind, {})

    def find(self, kind: str, id_: str | None, *, param: str = "id", status: int = 400) -> Object:
        """The object. Raises: StripeRefusedError where there is none."""
        found = self.all_of(kind).get(id_ or "")
        if found is None:
            raise missing(kind, id_ or "", param=param, status=status)
        self.touched.add((kind, str(found["id"])))
        return found

    def where(self, kind: str, **members: object) -> list[Object]:
        """Those objects of the kind that have these members, oldest first."""
        found = [
            each
            for each in self.all_of(kind).values()
            if all(each.get(name) == value for name, value in members.items())
        ]
        self.touched.update((kind, str(each["id"])) for each in found)
        return found


def is_basil(version: str) -> bool:
    """The version has the shapes of 2025, in which an invoice no longer names its payment."""
    return version[:10] >= BASIL[:10]
