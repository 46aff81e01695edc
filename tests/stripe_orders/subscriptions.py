"""The stories of a subscription: its invoices and its end, as events and as the facts behind them.

The model here is of its own: from the set of lines that were paid, and whether it is over, follow
the plan and the credits. It knows no order in which anything was said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.stripe_orders.making import DAY, Maker

Object = dict[str, Any]
MONTH = 30 * DAY
ALLOCATIONS = {"free": 10, "basic": 100, "pro": 300, "saver": 60, "keeper": 200, "capped": 80}
# How much of what is left goes into the next month, of the plans that keep anything.
KEEPS = {"saver": 10**9, "keeper": 10**9, "capped": 30}
TERMS: dict[str, Object] = {
    "basic": {"price": "price_basic", "amount": 2000, "currency": "usd"},
    "pro": {"price": "price_pro", "amount": 5000, "currency": "usd"},
    "saver": {"price": "price_of_saver", "amount": 1200, "currency": "usd"},
    "keeper": {"price": "price_keeper", "amount": 4000, "currency": "usd"},
    "capped": {"price": "price_capped", "amount": 1500, "currency": "usd"},
}


@dataclass(frozen=True)
class Line:
    """A paid line of an invoice: from when on it pays for which plan."""

    plan: str
    start: int
    created: int
    end: int
    is_proration: bool = False


@dataclass(frozen=True)
class Over:
    """The subscription is over for good."""


SubFact = Line | Over


@dataclass(frozen=True)
class SubStep:
    """One thing that Stripe tells, and the facts in it."""

    event: Object
    facts: tuple[SubFact, ...] = ()


@dataclass(frozen=True)
class SubEnd:
    """What is left: the plan, until when it is paid, and how many whole credits."""

    plan: str
    available: int
    ends: int | None = None


def end_of_lines(facts: Iterable[SubFact]) -> SubEnd:
    """The plan and the credits, once all of this was said and none of it was spent.

    A period begins with a line that is no proration. Within it the largest allocation counts. Into
    the next goes what the most generous of its plans keeps of its own and of what came before.
    """
    said = set(facts)
    lines = sorted(
        (fact for fact in said if isinstance(fact, Line)), key=lambda f: (f.start, f.created)
    )
    if Over() in said or not lines:
        return SubEnd("free", ALLOCATIONS["free"])
    begins = [n for n, line in enumerate(lines) if not line.is_proration] or [0]
    left = came_in = 0
    for first, following in zip(begins, [*begins[1:], len(lines)], strict=True):
        plans = [line.plan for line in lines[first:following]]
        left = came_in + max(ALLOCATIONS[plan] for plan in plans)
        came_in = max(min(came_in + ALLOCATIONS[plan], KEEPS.get(plan, 0)) for plan in plans)
    return SubEnd(lines[-1].plan, left, lines[-1].end)


@dataclass
class Subscriber:
    """A teller of steps about one subscription of the account.

    `is_named`: its invoices name the account in their metadata, as those of our checkout do; else
    only the events of its payment page and of itself do.
    """

    maker: Maker
    bought: Object
    begin: int
    is_named: bool = True
    invoices: list[str] = field(default_factory=list[str])

    @property
    def metadata(self) -> Object:
        """What our checkout put on the subscription."""
        return {"account": self.bought["account"], "purchase_id": self.bought["purchase_id"]}

    def page(self) -> SubStep:
        """The payment page that it began with."""
        session = self.maker.session(self.bought, mode="subscription", payment_intent=None)
        session |= {"subscription": "sub_ada", "customer": "cus_ada", "invoice": "in_first"}
        return SubStep(self.maker.event("checkout.session.completed", session))

    def paid(
        self, name: str, plan: str, *, month: int = 0, days: int = 0, old: str = ""
    ) -> SubStep:
        """A paid invoice: of a month, or with `old` of an upgrade so many days into it."""
        start = self.begin + month * MONTH + days * DAY
        end = self.begin + (month + 1) * MONTH
        reason = "subscription_create" if name == "first" else "subscription_cycle"
        lines = [self._line(f"il_{name}", plan, start, end, is_proration=bool(old))]
        if old:
            reason = "subscription_update"
            credit = self._line(f"il_{name}_unused", old, start, end, is_proration=True)
            lines.insert(0, credit | {"amount": -credit["amount"] // 2})
        metadata = {**self.metadata, "plan": plan} if self.is_named else {}
        created = start + 3600
        invoice = self.maker.invoice(name, lines, created=created, reason=reason, metadata=metadata)
        self.invoices.append(name)
        fact = Line(plan, start, created, end, is_proration=bool(old))
        return SubStep(self.maker.event("invoice.paid", invoice), (fact,))

    def _line(self, name: str, plan: str, start: int, end: int, *, is_proration: bool) -> Object:
        terms = TERMS[plan] | ({"lookup_key": "saver"} if plan == "saver" else {})
        metadata = {**self.metadata, "plan": plan} if self.is_named else {}
        return self.maker.line(
            name, terms, start=start, end=end, proration=is_proration, metadata=metadata
        )

    def news(self, type_: str, plan: str, *, status: str = "active", month: int = 0) -> SubStep:
        """An event about the subscription itself."""
        start = self.begin + month * MONTH
        found = self.maker.subscription(
            TERMS[plan], status=status, start=start, end=start + MONTH, metadata=self.metadata
        )
        is_over = type_.endswith("deleted")
        return SubStep(
            self.maker.event(f"customer.subscription.{type_}", found), (Over(),) if is_over else ()
        )

    def payment(self, name: str, minor: int) -> SubStep:
        """What paid the invoice, as versions since 2025 tell it."""
        return SubStep(
            self.maker.event("invoice_payment.paid", self.maker.invoice_payment(name, minor))
        )


SubStory = Callable[[Subscriber], list[SubStep]]


def subscribe(who: Subscriber) -> list[SubStep]:
    """The first month is paid."""
    return [
        who.page(),
        who.news("created", "basic"),
        who.paid("first", "basic"),
        who.payment("first", 2000),
    ]


def renew(who: Subscriber) -> list[SubStep]:
    """Three months are paid."""
    return [
        who.news("created", "basic"),
        who.paid("first", "basic"),
        who.paid("second", "basic", month=1),
        who.paid("third", "basic", month=2),
        who.news("updated", "basic", month=2),
    ]


def upgrade(who: Subscriber) -> list[SubStep]:
    """Ten days into the month a larger plan is paid for."""
    return [
        who.news("created", "basic"),
        who.paid("first", "basic"),
        who.paid("more", "pro", days=10, old="basic"),
        who.news("updated", "pro"),
    ]


def renew_and_upgrade(who: Subscriber) -> list[SubStep]:
    """A month, the next one, a larger plan in its middle, and a month of that."""
    return [
        who.paid("first", "basic"),
        who.paid("second", "basic", month=1),
        who.paid("more", "pro", month=1, days=12, old="basic"),
        who.paid("third", "pro", month=2),
        who.news("updated", "pro", month=2),
    ]


def cancel(who: Subscriber) -> list[SubStep]:
    """A month, a larger plan, the next month, and the end; late updates revive nothing."""
    return [
        who.paid("first", "basic"),
        who.paid("more", "pro", days=10, old="basic"),
        who.paid("second", "pro", month=1),
        who.news("updated", "pro", month=1),
        who.news("deleted", "pro", status="canceled", month=1),
    ]


def save(who: Subscriber) -> list[SubStep]:
    """What was not used rolls over, also where the older month is told later."""
    return [
        who.news("created", "saver"),
        who.paid("first", "saver"),
        who.paid("second", "saver", month=1),
        who.paid("third", "saver", month=2),
    ]


def flip(who: Subscriber) -> list[SubStep]:
    """Up, down and up again within one month yields no more than the larger plan."""
    return [
        who.paid("first", "basic"),
        who.paid("up", "pro", days=5, old="basic"),
        who.paid("down", "basic", days=6, old="pro"),
        who.paid("again", "pro", days=7, old="basic"),
    ]


def keep_more(who: Subscriber) -> list[SubStep]:
    """A larger plan within the first month; both keep everything, and the next month is paid."""
    return [
        who.paid("first", "saver"),
        who.paid("more", "keeper", days=9, old="saver"),
        who.paid("second", "keeper", month=1),
        who.news("updated", "keeper", month=1),
    ]


def keep_some(who: Subscriber) -> list[SubStep]:
    """Plans that keep nothing, a part or everything, in three months with a change in each."""
    return [
        who.paid("first", "capped"),
        who.paid("more", "pro", days=9, old="capped"),
        who.paid("second", "pro", month=1),
        who.paid("less", "keeper", month=1, days=20, old="pro"),
        who.paid("third", "keeper", month=2),
    ]


SUB_STORIES: dict[str, SubStory] = {
    story.__name__: story
    for story in (
        subscribe,
        renew,
        upgrade,
        renew_and_upgrade,
        cancel,
        save,
        flip,
        keep_more,
        keep_some,
    )
}
