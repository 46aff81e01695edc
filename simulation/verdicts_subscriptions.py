"""What must hold of every subscription in the end, whenever and however often it was told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from simulation.loop import EPOCH
from simulation.money import catalogs, terms_of
from simulation.subscription_side import PaidLine, Subscribed, newest_of, periods_of
from simulation.subscription_watch import DAYS_OF_GRACE
from simulation.watch import Violation, Watch, Written
from tollkeeper.domain.account import Status
from tollkeeper.domain.entries import AccountId, EntryKind
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.subscriptions import invoice_purchase_id
from tollkeeper.store.payments import purchase_from_item

DEFAULT = "free"
# The plans whose rest rolls over.
KEEPS = {"saver"}
Find = Callable[[str, str], Any]
"""Shape: the account and the id of the purchase -> its item, None where it is not there."""


def judge_subscriptions(
    subscribed: list[Subscribed], find: Find, watch: Watch
) -> Iterator[Violation]:
    """Every subscription is what its paid lines and its end make of it: I11, I12 and I13."""
    for record in subscribed:
        yield from _judge_invoices(record, find, watch)
        yield from _judge_lines(record, watch)
        if record.is_over and record.subscription not in watch.plans.ended:
            yield Violation("I13", record.subscription, "is over, and nobody knows")
        if record.is_alone:
            yield from _judge_end(record, find, watch)


def _judge_invoices(record: Subscribed, find: Find, watch: Watch) -> Iterator[Violation]:
    """Each paid invoice is on record."""
    kept = watch.accounts.get(record.account)
    is_closed = kept is not None and kept.account.status is Status.CLOSED
    for line in record.lines:
        purchase = invoice_purchase_id(AccountId(record.account), line.invoice)
        item = find(record.account, purchase)
        status = "missing" if item is None else item["status"]["S"]
        if status != "paid" and not (is_closed and status == "quarantined"):
            yield Violation("I12", f"{record.account} {line.invoice}", f"was paid, and is {status}")
        if item is not None and status == "paid":
            yield from _judge_refund(line, purchase_from_item(item), watch)


def _judge_refund(line: PaidLine, purchase: Purchase, watch: Watch) -> Iterator[Violation]:
    """What of the invoice's credits went is the share of the money that did, once: I12 and I14."""
    share = Fraction(line.refunded, line.charged) if line.refunded else Fraction()
    expected = floor(purchase.credits_microcredits * share)
    rows = [written.entry for written in watch.rows.get(purchase.account, {}).values()]
    taken = purchase.lapsed_microcredits + sum(
        each.moved_microcredits + each.uncollected_microcredits
        for each in rows
        if each.kind is EntryKind.CLAWBACK and each.details.get("purchase") == purchase.id
    )
    if (taken, purchase.clawed_back_microcredits) != (expected, expected):
        what = f"{taken} of its credits are gone, of the money {line.refunded} of {line.charged}"
        yield Violation("I14", f"{purchase.account} {line.invoice}", what)


def _judge_lines(record: Subscribed, watch: Watch) -> Iterator[Violation]:
    """A line has its effect once, and those of one period bring the largest of their plans.

    Why: of a plan that keeps its rest, a period between two others that is told last brings back
    what expired because it was missing.
    """
    for line in record.lines:
        kinds = [written.entry.kind for written in _rows_of(line, record, watch)]
        if len(kinds) != len(set(kinds)):
            yield Violation(
                "I12", f"{record.account} {line.line}", f"was told once, and is {kinds}"
            )
    before = 0
    for end, lines in sorted(periods_of(record), key=lambda each: each[0]):
        rows = [row for line in lines for row in _rows_of(line, record, watch)]
        brought = sum(_brought_by(row, watch) for row in rows)
        most = max(map(_allocation, lines))
        if brought > before + most:
            where = f"{record.account} {record.subscription}"
            yield Violation("I12", where, f"{brought} for the period to {end}, at most {most}")
        before = before + most if all(line.plan in KEEPS for line in lines) else 0


def _rows_of(line: PaidLine, record: Subscribed, watch: Watch) -> list[Written]:
    rows = watch.rows.get(record.account, {}).values()
    return [each for each in rows if each.entry.details.get("line") == line.line]


def _brought_by(row: Written, watch: Watch) -> int:
    """What the row, or the reset that it explains, brought. Units: micro-credits."""
    entry = row.entry
    if entry.kind is EntryKind.GRANT:
        return entry.moved_microcredits
    if entry.details.get("at") != "invoice":
        return 0
    resets = [
        each.entry
        for each in watch.rows[entry.account].values()
        if each.entry.kind is EntryKind.RESET and each.entry.seq < entry.seq
    ]
    return max(resets, key=lambda each: each.seq).moved_microcredits


def _allocation(line: PaidLine) -> int:
    return max(terms_of(each.version, line.plan).allocation for each in catalogs())


def _was_too_late(record: Subscribed, find: Find) -> bool:
    """All of its invoices were told so late that a person has to look at them."""
    ids = [invoice_purchase_id(AccountId(record.account), line.invoice) for line in record.lines]
    items = [find(record.account, purchase) for purchase in ids]
    return all(item is not None and "so long ago" in item["reason"]["S"] for item in items)


def _judge_end(record: Subscribed, find: Find, watch: Watch) -> Iterator[Violation]:
    """The account is on the plan of the newest line, or, when its time is over, on the default."""
    where = f"{record.account} {record.subscription}"
    kept = watch.accounts.get(record.account)
    if kept is None:
        # What is told after the end opens no account.
        if not record.is_over and not _was_too_late(record, find):
            yield Violation("I13", where, "was paid, and nobody has an account")
        return
    account = kept.account
    plan, newest = account.plan, newest_of(record.lines)
    if record.is_over or not plan.subscription:
        over_at = _moment(newest.end) + DAYS_OF_GRACE
        if (plan.id, plan.subscription) != (DEFAULT, ""):
            yield Violation("I13", where, f"is over, and the account is on {plan.id}")
        if not record.is_over and account.rolled_to < over_at:
            yield Violation("I13", where, f"is paid until {over_at - DAYS_OF_GRACE}, and is gone")
        return
    expected = (record.subscription, newest.plan, _moment(newest.end))
    found = (plan.subscription, plan.id, plan.paid_until_at)
    if found != expected:
        yield Violation("I13", where, f"is {found}, its lines make it {expected}")
    yield from _judge_allocation(record, newest, watch)


def _judge_allocation(record: Subscribed, newest: PaidLine, watch: Watch) -> Iterator[Violation]:
    """What was paid for is there: the period brought all of its largest plan."""
    lines = next(lines for end, lines in periods_of(record) if end == newest.end)
    rows = [row for line in lines for row in _rows_of(line, record, watch)]
    brought, most = sum(_brought_by(row, watch) for row in rows), max(map(_allocation, lines))
    if brought != most:
        what = f"{brought} for the period, its lines make it {most}"
        yield Violation("I13", f"{record.account} {record.subscription}", what)


def _moment(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
