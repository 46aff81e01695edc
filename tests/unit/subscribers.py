"""A subscriber as tests tell it: invoices that are paid, ends, and an audit of all its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE
from tollkeeper.domain.account import Account
from tollkeeper.domain.audit import Audit
from tollkeeper.domain.catalog import Catalog, PlanSale, PlanTerms, Rollover
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import Entry
from tollkeeper.domain.invoices import InvoiceLine, InvoicePaid, find_plan_lines
from tollkeeper.domain.plan_turns import end_subscription
from tollkeeper.domain.roll import begin
from tollkeeper.domain.subscriptions import Brought, LineOrigin, apply_line
from tollkeeper.domain.totals import DayClosed

A_DAY = timedelta(days=1)
MONTHS = tuple(datetime(2026 + (10 + n) // 12, (10 + n) % 12 + 1, 1, tzinfo=UTC) for n in range(12))
"""Moments at which a month of these stories begins; the first one is before NOON."""

SOLD = {
    "basic": PlanTerms("basic", "Basic", 100 * ONE, sale=PlanSale(2000, "usd", "month", "price_b")),
    "large": PlanTerms("large", "Large", 500 * ONE, sale=PlanSale(8000, "usd", "month", "price_l")),
    "plain": PlanTerms("plain", "Plain", 70 * ONE, sale=PlanSale(1500, "usd", "month")),
    "saver": PlanTerms(
        "saver",
        "Saver",
        60 * ONE,
        rollover=Rollover.ALL,
        sale=PlanSale(1200, "usd", "month", "price_s"),
    ),
    "keeper": PlanTerms(
        "keeper",
        "Keeper",
        200 * ONE,
        rollover=Rollover.ALL,
        sale=PlanSale(4000, "usd", "month", "price_k"),
    ),
    "capped": PlanTerms(
        "capped",
        "Capped",
        60 * ONE,
        rollover=Rollover.CAPPED,
        rollover_cap_microcredits=25 * ONE,
        sale=PlanSale(1200, "usd", "month", "price_c"),
    ),
}
STORE = replace(CATALOG, plans={**CATALOG.plans, **SOLD})


def a_line(
    name: str, plan: str, start: datetime, end: datetime, *, is_proration: bool = False
) -> InvoiceLine:
    """A line at the plan's price."""
    sale = SOLD[plan].sale
    assert sale is not None
    return InvoiceLine(
        id=f"il_{name}",
        start_at=start,
        end_at=end,
        amount_minor=sale.price_minor,
        currency=sale.currency,
        price=sale.stripe_price,
        plan=plan,
        subscription="sub_1",
        is_proration=is_proration,
    )


def an_invoice(name: str, *lines: InvoiceLine, made_at: datetime | None = None) -> InvoicePaid:
    """The paid invoice with these lines, made when the last of them begins."""
    made = made_at or max(line.start_at for line in lines) + timedelta(hours=1)
    return InvoicePaid(
        event=f"evt_{name}",
        type="invoice.paid",
        created_at=made,
        is_live=False,
        invoice=f"in_{name}",
        made_at=made,
        paid_minor=max(0, sum(line.amount_minor for line in lines)),
        currency="usd",
        lines=lines,
        account=ACCOUNT,
        subscription="sub_1",
    )


def month(name: str, plan: str, number: int = 0) -> InvoicePaid:
    """The invoice of a whole month."""
    line = a_line(name, plan, MONTHS[number], MONTHS[number + 1])
    return an_invoice(name, line)


def change(name: str, plan: str, number: int = 0, *, days: int) -> InvoicePaid:
    """The invoice of a change within a month, so many days into it."""
    start = MONTHS[number] + days * A_DAY
    line = a_line(name, plan, start, MONTHS[number + 1], is_proration=True)
    return an_invoice(name, line)


def of_other(invoice: InvoicePaid, subscription: str = "sub_2") -> InvoicePaid:
    """The same invoice, of another subscription."""
    lines = tuple(replace(line, subscription=subscription) for line in invoice.lines)
    return replace(invoice, lines=lines, subscription=subscription)


@dataclass
class Subscriber:
    """One account, with every row that it ever had."""

    account: Account
    entries: list[Entry] = field(default_factory=list[Entry])
    days: list[DayClosed] = field(default_factory=list[DayClosed])
    catalog: Catalog = STORE
    lines: set[str] = field(default_factory=set[str])
    ended: set[str] = field(default_factory=set[str])

    @classmethod
    def open(cls, at: datetime = NOON, catalog: Catalog = STORE) -> Subscriber:
        """An account on the default plan since that moment."""
        draft, _ = begin(None, ACCOUNT, now=at, catalog=catalog)
        account = draft.decide(None).account
        return cls(account, list(draft.entries), catalog=catalog)

    def pay(self, invoice: InvoicePaid, *, at: datetime | None = None) -> list[Brought]:
        """What the invoice's lines did; its second delivery does nothing, and none after the end.

        Why: here it is the service that keeps an invoice from being applied twice.
        """
        brought: list[Brought] = []
        if invoice.invoice in self.lines:
            return brought
        self.lines.add(invoice.invoice)
        for each in find_plan_lines(invoice, self.catalog):
            if each.subscription not in self.ended:
                draft = self._draft(at)
                brought.append(apply_line(draft, each, LineOrigin(invoice.invoice, "pur_1")))
                self._keep(draft)
        return brought

    def end(self, subscription: str = "sub_1", *, at: datetime | None = None) -> Entry | None:
        """What the end of the subscription did."""
        self.ended.add(subscription)
        draft = self._draft(at)
        entry = end_subscription(draft, subscription)
        self._keep(draft)
        return entry

    def wait(self, at: datetime) -> None:
        """Time alone has passed."""
        draft = self._draft(at)
        self._keep(draft)

    def _draft(self, at: datetime | None) -> Draft:
        now = self.account.rolled_to if at is None else at
        draft, is_rolled = begin(self.account, ACCOUNT, now=now, catalog=self.catalog)
        assert is_rolled, "a story's time fits one slice"
        return draft

    def _keep(self, draft: Draft) -> None:
        self.account = draft.decide(None).account
        self.entries += draft.entries
        self.days += draft.days
        assert not self.audit(), self.audit()

    def audit(self) -> list[str]:
        """What the audit finds."""
        audit = Audit(self.account, self.catalog)
        for entry in self.entries:
            audit.add(entry)
        for day in self.days:
            audit.add_day(day)
        return [f"{each.invariant} {each.where} {each.what}" for each in audit.finish().found]

    @property
    def stands(self) -> tuple[str, int, str]:
        """Its plan, its whole credits, and what drives the plan."""
        account = self.account
        return account.plan.id, account.available_microcredits // ONE, account.plan.subscription
