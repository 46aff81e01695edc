"""What the model knows of purchases: what was offered, and what Stripe said became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .amounts import credits, micro, show_time
from .customers import Ask, Customer, Told
from .judging import refuse
from .pricelist import RefusedError

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
KEPT_S = 90 * 86_400
COMPLETED = "checkout.session.completed"
SUCCEEDED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
# A purchase only ever moves forward, so that no order of events matters.
RANKS = ["created", "pending", "expired", "failed"]
SAYS = {SUCCEEDED: "paid", FAILED: "failed", EXPIRED: "expired"}


@dataclass
class Bought:
    """A purchase as it was offered, and where it stands."""

    id: str
    customer: Customer
    ask: Ask
    pack: str
    credits: int
    price: str
    currency: str
    expires_after_days: int | None
    created: int
    is_open: bool = False
    status: str = "created"
    paid: int | None = None

    def offered(self) -> dict[str, Any]:
        """What every answer about it says."""
        return {
            "purchase_id": self.id,
            "account": self.customer.id,
            "pack": self.pack,
            "credits": credits(self.credits),
            "price": self.price,
            "currency": self.currency,
        }

    def show(self) -> dict[str, Any]:
        """What GET /v1/purchases/{purchase_id} must say."""
        return self.offered() | {
            "status": self.status,
            "created_at": show_time(self.created),
            "paid_at": None if self.paid is None else show_time(self.paid),
        }


@dataclass(frozen=True)
class Reported:
    """An event of Stripe's. `purchase` is empty where it is about one that nobody recorded."""

    id: str
    type: str
    purchase: str
    is_right: bool
    is_paid: bool
    created: int
    sent: dict[str, Any]

    def subject(self) -> str:
        """What of Stripe's it is about: the payment, or the page where there is none."""
        session = self.sent["data"]["object"]
        return session.get("payment_intent") or session["id"]

    def status(self) -> str:
        """What the purchase would become by it alone."""
        return SAYS.get(self.type) or ("paid" if self.is_paid else "pending")


@dataclass
class Sales:
    """All purchases, when the events came that had an effect, and what needs a person."""

    bought: dict[str, Bought] = field(default_factory=dict[str, Bought])
    seen: dict[str, int] = field(default_factory=dict[str, int])
    cases: set[str] = field(default_factory=set[str])

    def find(self, ask: Ask) -> Bought | None:
        """The purchase that the account's key started."""
        for each in self.bought.values():
            if (each.customer.id, each.ask.key) == (ask.account, ask.key):
                return each
        return None

    def record(self, customer: Customer, ask: Ask, purchase: str, at: int) -> None:
        """The purchase is recorded as it is offered now."""
        assert self.find(ask) is None, "a key starts one purchase"
        pack = (ask.body or {})["pack"]
        sold = customer.prices.packs[pack]
        self.bought[purchase] = Bought(
            id=purchase,
            customer=customer,
            ask=ask,
            pack=pack,
            credits=micro(sold["credits"]),
            price=sold["price"],
            currency=sold["currency"],
            expires_after_days=sold.get("expires_after_days"),
            created=at,
        )

    def judge_checkout(self, customer: Customer, ask: Ask, at: int, *, was_open: bool) -> Told:
        """What the checkout is answered, after it had its effect."""
        bought = self.find(ask)
        if bought is not None and bought.ask.identity() != ask.identity():
            return refuse(RefusedError(422, ("idempotency_mismatch",)))
        if bought is not None and bought.is_open:
            return Told(201, bought.offered(), has_effect=not was_open, is_replay=was_open)
        if (ask.body or {})["pack"] not in customer.prices.packs:
            return refuse(RefusedError(422, ("invalid",)))
        assert customer.state(at).status == "closed", "nothing else refuses a checkout"
        return refuse(RefusedError(403, ("account_closed",)))

    def judge_event(self, event: Reported, at: int) -> Told:
        """What the event is answered, and what it does to its purchase and account."""
        bought = self.bought.get(event.purchase)
        says = event.status()
        if bought is None:
            return self._miss(event, at)
        if event.id in self.seen:
            return _outcome("duplicate")
        if says == "paid":
            return self._judge_money(event, bought, at)
        is_late = bought.status not in RANKS or RANKS.index(says) <= RANKS.index(bought.status)
        if not event.is_right or is_late:
            return _outcome("ignored")
        bought.status = says
        return self._took_effect(event, says, at)

    def _judge_money(self, event: Reported, bought: Bought, at: int) -> Told:
        if bought.status == "quarantined" or (bought.status == "paid" and not event.is_right):
            return self._open_case(event, at)
        if bought.status == "paid":
            return _outcome("duplicate")
        is_closed = bought.customer.state(at).status == "closed"
        if is_closed or not event.is_right:
            bought.status = "quarantined"
            self.cases.add(event.subject())
            return self._took_effect(event, "quarantined", at)
        bought.status = "paid"
        self._grant(bought, max(at, bought.customer.touched))
        return self._took_effect(event, "granted", at)

    def _grant(self, bought: Bought, at: int) -> None:
        days = bought.expires_after_days
        bought.paid = at
        bought.customer.happen(
            at,
            "grant",
            key=f"s~purchase:{bought.id}",
            kind="pack",
            amount=bought.credits,
            expires=None if days is None else at + days * DAY_MS,
        )

    def drop_old(self, now: int) -> set[str]:
        """The events that came so long ago that the table forgot them: Stripe has, too."""
        old = {event for event, at in self.seen.items() if at // 1000 + KEPT_S < now // 1000}
        for event in old:
            del self.seen[event]
        return old

    def _miss(self, event: Reported, at: int) -> Told:
        """Money for a purchase that nobody recorded: asked for again for an hour, then a case."""
        if event.status() != "paid":
            return _outcome("ignored")
        if at - event.created < HOUR_MS:
            return Told(503, {}, codes=("busy",))
        return self._open_case(event, at)

    def _open_case(self, event: Reported, at: int) -> Told:
        """A person must decide: one case for each payment."""
        if event.subject() in self.cases:
            return _outcome("quarantined")
        self.cases.add(event.subject())
        return self._took_effect(event, "quarantined", at)

    def _took_effect(self, event: Reported, outcome: str, at: int) -> Told:
        self.seen[event.id] = at
        return Told(200, {"received": True, "outcome": outcome}, has_effect=True)


def _outcome(outcome: str) -> Told:
    return Told(200, {"received": True, "outcome": outcome})
