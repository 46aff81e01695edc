"""Subscriptions in the storm: who subscribes, pays in time or not, changes plans, ends it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from simulation.asking import DAY_US
from simulation.loop import SECOND_US
from simulation.short import shard_of
from simulation.stories import Cast, charge
from simulation.stripe_side import RESEND_US, SimulatedStripe, deliver, note_delivery
from tests.stripe_orders.making import DAY, SHAPES, Maker, Object

MONTH = 30 * DAY
HOUR = 3_600
# Units: the currency's smallest.
PRICES = {"basic": 2000, "pro": 5000, "saver": 1200}
# Between which plans customers go to and fro; what the other one leaves rolls over.
OTHER = {"basic": "pro", "pro": "basic"}
# How long after a period's begin it is paid: within the days of grace, or when they are over.
IN_GRACE = (0, HOUR, 20 * HOUR, 60 * HOUR)
TOO_LATE = (4 * DAY, 9 * DAY)
WEEKS_US = 21 * DAY_US
MOST_USES = 4


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line of a paid invoice: from when to when, and for which plan. Units: seconds.

    `charged` and `refunded` are of its invoice, in the currency's smallest unit.
    """

    invoice: str
    line: str
    plan: str
    start: int
    created: int
    end: int
    charged: int = 0
    refunded: int = 0


@dataclass
class Subscribed:
    """A subscription as the storm knows it. `is_alone`: nothing else moves the account's plan."""

    account: str
    subscription: str
    is_alone: bool
    lines: list[PaidLine] = field(default_factory=list[PaidLine])
    is_over: bool = False


@dataclass
class Told:
    """What Stripe tells of one subscription, each event with the moment it is about."""

    maker: Maker
    bought: Object
    record: Subscribed
    begin: int
    events: list[tuple[int, Object]] = field(default_factory=list[tuple[int, Object]])

    @property
    def ids(self) -> Object:
        """What the objects name each other by."""
        name = self.record.subscription
        return {"subscription": name, "customer": name.replace("sub_", "cus_")}

    @property
    def metadata(self) -> Object:
        """What our checkout put on the subscription."""
        return {"account": self.record.account, "purchase_id": self.bought["purchase_id"]}

    def tell(self, type_: str, found: Object, *, at: int) -> None:
        """An event of that moment."""
        self.maker.at = at
        self.events.append((at, self.maker.event(type_, found)))

    def page(self) -> None:
        """The payment page is done with."""
        page = self.maker.session(self.bought, mode="subscription", payment_intent=None, **self.ids)
        self.tell("checkout.session.completed", page, at=self.begin)

    def news(self, type_: str, plan: str, *, at: int) -> None:
        """An event about the subscription itself."""
        self.record.is_over |= type_ == "deleted"
        status = "canceled" if type_ == "deleted" else "active"
        found = self.maker.subscription(
            _terms(plan),
            status=status,
            start=self.begin,
            end=at,
            metadata=self.metadata,
            id=self.ids["subscription"],
            customer=self.ids["customer"],
        )
        self.tell(f"customer.subscription.{type_}", found, at=at)

    def paid(self, plan: str, *, month: int, at: int, since: int = 0, old: str = "") -> None:
        """A paid invoice: of a month, or with `old` of a change so many seconds into it."""
        name = f"{self.record.subscription.removeprefix('sub_')}_{len(self.record.lines)}"
        start = self.begin + month * MONTH + since
        paid = PaidLine(
            f"in_{name}", f"il_{name}", plan, start, start + 60, self.begin + (month + 1) * MONTH
        )
        lines = [self._line(paid.line, plan, paid, is_proration=bool(old))]
        if old:
            unused = self._line(f"{paid.line}_unused", old, paid, is_proration=True)
            lines.insert(0, unused | {"amount": -unused["amount"] // 2})
        reason = "subscription_update" if old else "subscription_cycle"
        invoice = self.maker.invoice(
            name,
            lines,
            created=paid.created,
            reason=reason if self.record.lines else "subscription_create",
            metadata={**self.metadata, "plan": plan},
            **self.ids,
        )
        self.record.lines.append(replace(paid, charged=invoice["amount_paid"]))
        self.tell("invoice.paid", invoice, at=at)
        if self.maker.is_new:
            payment = self.maker.invoice_payment(name, invoice["amount_paid"])
            self.tell("invoice_payment.paid", payment, at=at)

    def refunded(self, *, minor: int, at: int) -> None:
        """So much of the last invoice's payment has gone back by then."""
        line = self.record.lines[-1]
        name = line.invoice.removeprefix("in_")
        old = {} if self.maker.is_new else {"invoice": line.invoice}
        charge = self.maker.charge(f"pi_{name}", line.charged, refunded=minor, **old)
        self.record.lines[-1] = replace(line, refunded=max(line.refunded, minor))
        self.tell("charge.refunded", charge, at=at)

    def _line(self, name: str, plan: str, paid: PaidLine, *, is_proration: bool) -> Object:
        return self.maker.line(
            name,
            _terms(plan),
            start=paid.start,
            end=paid.end,
            proration=is_proration,
            subscription=self.ids["subscription"],
            metadata={**self.metadata, "plan": plan},
        )


def _terms(plan: str) -> Object:
    return {"price": f"price_storm_{plan}", "amount": PRICES[plan], "currency": "usd"}


def subscribe(
    cast: Cast, stripe: SimulatedStripe, subscribed: list[Subscribed], shards: list[int]
) -> None:
    """A customer subscribes: a page, months that are paid or not, other plans, and an end.

    `shards` are those that the sweep looks at.
    """
    clients, random = cast.clients, cast.clients.random
    is_alone = random.random() < 0.6
    account = own_account(cast.name, shards) if is_alone else cast.account()
    plan = random.choice(tuple(PRICES))
    body = {
        "account": account,
        "plan": plan,
        "success_url": "http://localhost:3000/paid",
        "cancel_url": "http://localhost:3000/plans",
    }
    asked = cast.ask("POST /v1/checkout", account, body, expects=(201, 200, 403, 422))
    clients.ask(asked)
    opened = asked.successes()
    if not opened:
        return
    record = Subscribed(account, f"sub_{cast.name}", is_alone)
    subscribed.append(record)
    bought = {
        "purchase_id": str(opened[0].body["purchase_id"]),
        "account": account,
        "price_minor": PRICES[plan],
        "currency": "usd",
    }
    numbers = (stripe.next_number() for _ in itertools.count())
    begin = clients.loop.now_us // SECOND_US
    told = Told(Maker(random.choice(SHAPES), numbers=numbers), bought, record, begin)
    _live(cast, told, plan)
    _send(cast, told)
    _use(cast, record, months=len(record.lines))


def own_account(name: str, shards: list[int]) -> str:
    """An account that nobody else touches, in a shard that is swept."""
    names = (f"{name}-{number}" for number in itertools.count())
    return next(each for each in names if shard_of(each) in shards)


def _live(cast: Cast, told: Told, plan: str) -> None:
    """What becomes of the subscription, month by month."""
    random, faults = cast.clients.random, cast.clients.faults
    told.page()
    told.news("created", plan, at=told.begin)
    at = told.begin
    for month in range(random.choice((1, 1, 2, 3))):
        if month and faults.strikes("renewal_missing", 0.15):
            break
        is_late = bool(month) and faults.strikes("renewal_late", 0.25)
        at = told.begin + month * MONTH
        told.paid(
            plan,
            month=month,
            at=at + bool(month) * random.choice(TOO_LATE if is_late else IN_GRACE),
        )
        since = random.randrange(10, 28) * DAY
        for _ in range(random.choice((0, 0, 1, 1, 3))):
            if plan not in OTHER:
                break
            old, plan = plan, OTHER[plan]
            told.paid(plan, month=month, at=at + since, since=since, old=old)
            since += HOUR
        told.news("updated", plan, at=at + since)
        _refund(cast, told, at=at + since)
    if random.random() < 0.4:
        at += random.choice((HOUR, 12 * DAY, MONTH))
        told.news("deleted", plan, at=at)
        told.news("updated", plan, at=at)


def _refund(cast: Cast, told: Told, *, at: int) -> None:
    """A part of the last payment goes back, or two, or all of it, where nobody counts on it."""
    random, charged = cast.clients.random, told.record.lines[-1].charged
    if told.record.is_alone or charged < 2 or not cast.clients.faults.strikes("money_back", 0.6):
        return
    for minor in random.choice(((charged,), (charged // 3,), (charged // 3, charged // 2))):
        told.refunded(minor=max(1, minor), at=at)


def _send(cast: Cast, told: Told) -> None:
    """Every event is delivered: at its time, late, twice, or after those that it was before."""
    clients, random, faults = cast.clients, cast.clients.random, cast.clients.faults
    last = max(at for at, _ in told.events)
    is_shuffled = faults.strikes("event_shuffled", 0.5)
    # Stripe was away for long and then tells all of it at once, or it sends each when it can.
    comes_at_once = is_shuffled and random.random() < 0.5
    spread_us = random.choice((5_000, 50_000, 5 * SECOND_US))
    for number, (at, event) in enumerate(told.events):
        delivery = note_delivery(cast, told.record.account, event, f"d{number}")
        moment = random.randint(at, last) if is_shuffled else at
        moment = last if comes_at_once else moment
        after_us = (moment - told.begin) * SECOND_US + random.randrange(spread_us)
        if faults.strikes("event_late", 0.2):
            after_us += random.choice((*RESEND_US, WEEKS_US))
        for copy in range(2 if faults.strikes("event_duplicate", 0.3) else 1):
            clients.loop.spawn(
                lambda delivery=delivery: deliver(cast, delivery),
                after_us=after_us + copy * random.choice((1, SECOND_US, DAY_US)),
            )


def _use(cast: Cast, record: Subscribed, *, months: int) -> None:
    """The subscriber works meanwhile, also on the days between a period and its payment."""
    clients, random = cast.clients, cast.clients.random
    for number in range(random.randrange(MOST_USES + 1)):
        month_us = random.randint(0, months) * MONTH * SECOND_US
        after_us = month_us + random.randrange(1, 70) * HOUR * SECOND_US
        own = Cast(clients, (record.account,), f"{cast.name}-c{number}")
        work = _work if record.is_alone else charge
        clients.loop.spawn(lambda own=own, work=work: work(own), after_us=after_us)


def _work(cast: Cast) -> None:
    """So little is used that every plan has it: whoever is refused here is refused wrongly."""
    body = {"account": cast.account(), "operation": "text"}
    cast.clients.ask(cast.ask("POST /v1/deduct", cast.account(), body, expects=(200,)))


def newest_of(lines: list[PaidLine]) -> PaidLine:
    """The line that says what the account has in the end, whenever it was told."""
    return max(lines, key=lambda each: (each.start, each.created))


def periods_of(record: Subscribed) -> Iterator[tuple[int, list[PaidLine]]]:
    """The lines of each period, by its end."""
    ends: dict[int, list[Any]] = {}
    for line in record.lines:
        ends.setdefault(line.end, []).append(line)
    yield from ends.items()
