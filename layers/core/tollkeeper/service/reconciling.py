"""Reconciling: what Stripe lists of a range is applied once more, and what differs is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from tollkeeper.domain.errors import BusyError, InvalidError, TollkeeperError
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.domain.purchases import Purchase, PurchaseStatus
from tollkeeper.service.ports import World
from tollkeeper.service.purchasing import Applied
from tollkeeper.service.selling import find_purchase

MOST_TOLD = 500
CHANGED_NOTHING = frozenset({PaymentOutcome.DUPLICATE, PaymentOutcome.IGNORED})
_CURSOR = re.compile(r"([a-z_]{1,40})(?::([A-Za-z0-9_]{1,255}))?", re.ASCII)


class Kind(StrEnum):
    """What Stripe lists, in the order in which it is read: money that came in comes first."""

    SESSIONS = "checkout_sessions"
    INVOICES = "invoices"
    PAYMENT_INTENTS = "payment_intents"
    CHARGES = "charges"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    ENDED = "ended_subscriptions"


# How long after it was made a thing still changes: a bank debit is paid days later, an invoice
# after several tries of its card, and a dispute is decided after months. A refund is listed by
# its own date, and a charge changes by nothing else; so is a subscription's end, whose event it is.
CHANGES_FOR = {
    Kind.SESSIONS: timedelta(days=21),
    Kind.INVOICES: timedelta(days=35),
    Kind.PAYMENT_INTENTS: timedelta(days=7),
    Kind.CHARGES: timedelta(0),
    Kind.REFUNDS: timedelta(0),
    Kind.DISPUTES: timedelta(days=120),
    Kind.ENDED: timedelta(0),
}


class Differs(StrEnum):
    """In what Stripe and the ledger do not agree."""

    PAID_THERE = "paid_at_stripe_only"
    PAID_HERE = "paid_here_only"
    REFUND = "refund_differs"
    NOT_GRANTED = "quarantined"
    UNREADABLE = "unreadable"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Span:
    """The range: from `since` on and before `until`.

    `looks_back`: things that were made before it and may have changed within it count, too.
    """

    since: datetime
    until: datetime
    looks_back: bool = True

    def since_of(self, kind: Kind) -> datetime:
        """From when on things of that kind are listed."""
        return self.since - CHANGES_FOR[kind] if self.looks_back else self.since


@dataclass(frozen=True, slots=True)
class Listed:
    """One of Stripe's objects. `facts` are what its events would have told.

    `purchase` is the one that it names and `payment` its payment intent, each empty where there
    is none. `is_paid` is None where the object does not say. `problem` says why it cannot be
    read. Units: `refunded_minor` in the currency's smallest unit, cumulative.
    """

    kind: Kind
    id: str
    facts: tuple[object, ...] = ()
    purchase: str = ""
    payment: str = ""
    is_paid: bool | None = None
    refunded_minor: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list. `after` leads to the next page; empty on the last one."""

    items: tuple[Listed, ...]
    after: str = ""


class Lists(Protocol):
    """Stripe's lists."""

    @property
    def is_ready(self) -> bool:
        """There is a key to list with: this stack sells something."""
        ...

    def read_page(self, kind: Kind, *, since: datetime, until: datetime, after: str) -> Page:
        """Some of what was made in the range, the newest first.

        Raises: PaymentsUnavailableError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the report: what was healed, or what differs."""

    kind: Kind
    id: str
    what: str
    purchase: str = ""
    account: str = ""
    reason: str = ""


@dataclass(slots=True)
class Counts:
    """How many objects of a kind were seen, and what became of them.

    What is neither fine, healed nor quarantined cannot be read or was busy.
    """

    seen: int = 0
    fine: int = 0
    healed: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class Report:
    """What a run found. `cursor` goes on where it stopped; empty where everything was read."""

    span: Span
    counts: dict[Kind, Counts] = field(default_factory=dict[Kind, Counts])
    healed: list[Told] = field(default_factory=list[Told])
    differs: list[Told] = field(default_factory=list[Told])
    cursor: str = ""

    @property
    def is_full(self) -> bool:
        """It tells as much as one answer can hold."""
        return len(self.healed) + len(self.differs) >= MOST_TOLD

    def count(self, name: str) -> int:
        """The sum of one of the counts over all kinds."""
        return sum(int(getattr(each, name)) for each in self.counts.values())


Apply = Callable[[object], Applied]


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What a run works with. `apply` does with a fact what the webhook would."""

    world: World
    lists: Lists
    apply: Apply
    has_time: Callable[[], bool]

    def reconcile(self, span: Span, cursor: str = "") -> Report:
        """Whatever Stripe lists of the range has had its one effect; what differs is told.

        What the webhook did before is found and not done again, and the other way round.
        Raises: InvalidError for a cursor that is none; PaymentsUnavailableError.
        Cost: a call to Stripe per 100 objects; per object two to five GetItem, and what it
        heals costs as much as its event would have.
        """
        kind, after = read_cursor(cursor)
        report = Report(span)
        kinds = list(Kind)
        for each in kinds[kinds.index(kind) :]:
            report.counts.setdefault(each, Counts())
            report.cursor = self._read_kind(each, after, report)
            after = ""
            if report.cursor:
                break
        return report

    def _read_kind(self, kind: Kind, after: str, report: Report) -> str:
        """All of the kind was read. Returns: the cursor where there is no time for the rest."""
        since, until = report.span.since_of(kind), report.span.until
        while True:
            if not self.has_time() or report.is_full:
                return f"{kind.value}:{after}" if after else kind.value
            page = self.lists.read_page(kind, since=since, until=until, after=after)
            for listed in page.items:
                self._reconcile_one(listed, report)
            if not page.after:
                return ""
            after = page.after

    def _reconcile_one(self, listed: Listed, report: Report) -> None:
        counts = report.counts[listed.kind]
        counts.seen += 1
        if listed.problem:
            report.differs.append(_tell(listed, Differs.UNREADABLE, reason=listed.problem))
            return
        began = self.world.clock.now()
        try:
            applied = [self.apply(fact) for fact in listed.facts]
        except BusyError as error:
            report.differs.append(_tell(listed, Differs.BUSY, reason=error.detail))
            return
        except TollkeeperError as error:
            report.differs.append(_tell(listed, Differs.UNREADABLE, reason=error.detail))
            return
        self._count(listed, applied, report)
        if not any(map(_is_open_case, applied)):
            self._compare(listed, began, report)

    def _count(self, listed: Listed, applied: list[Applied], report: Report) -> None:
        counts = report.counts[listed.kind]
        quarantined = [a for a in applied if a.outcome is PaymentOutcome.QUARANTINED]
        healed = [a for a in applied if a.outcome not in CHANGED_NOTHING and a not in quarantined]
        for each in [each for each in quarantined if not _is_open_case(each)]:
            report.differs.append(_tell(listed, Differs.NOT_GRANTED, each))
        for each in healed:
            report.healed.append(_tell(listed, each.outcome.value, each))
        if quarantined:
            counts.quarantined += 1
        elif healed:
            counts.healed += 1
        else:
            counts.fine += 1

    def _compare(self, listed: Listed, began: datetime, report: Report) -> None:
        """What still differs after everything was applied."""
        if not listed.purchase:
            return
        found = find_purchase(self.world, listed.purchase)
        what = _find_difference(listed, found, began)
        if what is not None:
            told = _tell(listed, what)
            report.differs.append(told if found is None else replace(told, account=found.account))


def _is_open_case(applied: Applied) -> bool:
    """A person knows of it already, so it is counted and not told again."""
    return applied.outcome is PaymentOutcome.QUARANTINED and applied.case is None


def _find_difference(listed: Listed, found: Purchase | None, began: datetime) -> Differs | None:
    """In what the purchase is not what the object says, or nothing.

    Why: Stripe's page of the list is older than our read, so what was paid or refunded
    meanwhile is no difference.
    """
    if found is None:
        return Differs.PAID_THERE if listed.is_paid else None
    if listed.is_paid is True and found.status not in (
        PurchaseStatus.PAID,
        PurchaseStatus.QUARANTINED,
    ):
        return Differs.PAID_THERE
    was_paid = found.paid_at is not None and found.paid_at < began - LISTED_WITHIN
    if listed.is_paid is False and found.status is PurchaseStatus.PAID and was_paid:
        return Differs.PAID_HERE
    is_its_payment = bool(listed.payment) and listed.payment == found.payment_intent
    if listed.refunded_minor is None or not is_its_payment:
        return None
    is_counted = found.status is PurchaseStatus.PAID
    if is_counted and found.back.refunded_minor < listed.refunded_minor:
        return Differs.REFUND
    return None


# How old a page of a list can be when its last object is compared.
LISTED_WITHIN = timedelta(minutes=15)


def _tell(listed: Listed, what: str, applied: Applied | None = None, reason: str = "") -> Told:
    purchase = None if applied is None else applied.purchase
    return Told(
        kind=listed.kind,
        id=listed.id,
        what=str(what),
        purchase=listed.purchase if purchase is None else purchase.id,
        account="" if purchase is None else purchase.account,
        reason=reason or ("" if applied is None else applied.reason),
    )


def read_cursor(cursor: str) -> tuple[Kind, str]:
    """Where a run goes on: the kind, and the object that was read last.

    Raises: InvalidError.
    """
    if not cursor:
        return next(iter(Kind)), ""
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[1] not in {each.value for each in Kind}:
        raise InvalidError("cursor", "is not one that this route answered")
    return Kind(match[1]), match[2] or ""
