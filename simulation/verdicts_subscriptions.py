"""What must hold of every subscription in the end, whenever and however often it was told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from simulation.loop import EPOCH
from simulation.money import catalogs, terms_of
from simulation.subscription_side import PaidLine, Subscribed, newest_of, periods_of
from simulation.subscription_watch import DAYS_OF_GRACE
from simulation.watch import Violation, Watch, Written
from tollkeeper.domain.account import Status
from tollkeeper.domain.entries import AccountId, EntryKind
from tollkeeper.domain.subscriptions import invoice_purchase_id

DEFAULT = "free"
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
            yield from _judge_end(record, watch)


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


def _judge_lines(record: Subscribed, watch: Watch) -> Iterator[Violation]:
    """A line has its effect once, and those of one period bring the largest of their plans."""
    for line in record.lines:
        kinds = [written.entry.kind for written in _rows_of(line, record, watch)]
        if len(kinds) != len(set(kinds)):
            yield Violation(
                "I12", f"{record.account} {line.line}", f"was told once, and is {kinds}"
            )
    for end, lines in periods_of(record):
        rows = [row for line in lines for row in _rows_of(line, record, watch)]
        seqs = [row.entry.seq for row in rows]
        if not rows or _was_left(record, watch, min(seqs), max(seqs)):
            continue
        brought = sum(_brought_by(row, watch) for row in rows)
        most = max(map(_allocation, lines))
        if brought > most:
            where = f"{record.account} {record.subscription}"
            yield Violation("I12", where, f"{brought} for the period to {end}, at most {most}")


def _rows_of(line: PaidLine, record: Subscribed, watch: Watch) -> list[Written]:
    rows = watch.rows.get(record.account, {}).values()
    return [each for each in rows if each.entry.details.get("line") == line.line]


def _was_left(record: Subscribed, watch: Watch, first: int, last: int) -> bool:
    """Between these rows a period began that this subscription did not pay for.

    Why: what is told of a period that is over for long is there all the same, for some days; and
    whoever pays for two subscriptions at once has the one that was paid last.
    """
    for written in watch.rows[record.account].values():
        entry, details = written.entry, written.entry.details
        if not first <= entry.seq <= last:
            continue
        if entry.kind is EntryKind.RESET and "paid_until" not in details:
            return True
        if details.get("subscription", record.subscription) != record.subscription:
            return True
    return False


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


def _judge_end(record: Subscribed, watch: Watch) -> Iterator[Violation]:
    """The account is on the plan of the newest line, or, when its time is over, on the default."""
    where = f"{record.account} {record.subscription}"
    kept = watch.accounts.get(record.account)
    if kept is None:
        # What is told after the end opens no account.
        if not record.is_over:
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
    first = min((row.entry.seq for row in rows), default=1)
    if _was_left(record, watch, first, watch.accounts[record.account].account.seq):
        return
    brought, most = sum(_brought_by(row, watch) for row in rows), max(map(_allocation, lines))
    if brought != most:
        what = f"{brought} for the period, its lines make it {most}"
        yield Violation("I13", f"{record.account} {record.subscription}", what)


def _moment(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
