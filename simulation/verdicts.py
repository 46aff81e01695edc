"""What must hold between what clients were told and what the ledger says in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from simulation.asking import Asked, Attempt
from simulation.loop import EPOCH
from simulation.money import shown
from simulation.money_back_side import judge_money_back
from simulation.stripe_side import Bought, Delivery
from simulation.verdicts_gate import judge_gate, seen_by
from simulation.verdicts_price import (
    judge_price,
    judge_rerate,
    judge_settle_price,
    prices_then,
    relied_on,
)
from simulation.watch import Violation, Watch, Written
from tollkeeper.domain.account import Account
from tollkeeper.domain.entries import EntryKey, EntryKind
from tollkeeper.domain.purchases import purchase_entry_key

SKEW = timedelta(minutes=5)
SHOWN_BY_KIND = {
    EntryKind.CHARGE: "charged",
    EntryKind.RUN_FAILED: "charged",
    EntryKind.VOID: "refunded",
    EntryKind.REFUND: "refunded",
    EntryKind.GRANT: "granted",
    EntryKind.HOLD: "held",
    EntryKind.SETTLE: "charged",
    EntryKind.RELEASE: "released",
    EntryKind.TRANSFER_OUT: "transferred",
    EntryKind.TRANSFER_IN: "returned",
}


def judge_asked(asked: list[Asked], watch: Watch) -> Iterator[Violation]:
    """Every request against the ledger: I4 to I8, I17, I18, I20 and I22."""
    for each in asked:
        yield from _judge_statuses(each)
        if each.row_key:
            written = watch.rows.get(each.account, {}).get(EntryKey(each.row_key))
            yield from _judge_key(each, written, watch)
            yield from _judge_refused(each)
            yield from _judge_shortages(each, watch)
        yield from judge_gate(each, watch)
    yield from _judge_keys_of_two(asked)
    yield from _judge_unasked(asked, watch)


def _judge_statuses(each: Asked) -> Iterator[Violation]:
    """Every request ends, with an answer that a client of it must expect."""
    where = f"{each.story} {each.route_key}"
    if not each.is_settled():
        yield Violation("I22", where, f"no answer: {[a.status for a in each.attempts]}")
    for attempt in each.attempts:
        status = attempt.status
        if status and status not in (*each.expects, 500, 503):
            yield Violation("answers", where, f"{status} {attempt.body}")
        if status == 500 and attempt.invocation.answer is not None:
            yield Violation("answers", where, f"500 {attempt.body}")
        if attempt.invocation.death.startswith("raised"):
            yield Violation("answers", where, attempt.invocation.death)


def _judge_key(each: Asked, written: Written | None, watch: Watch) -> Iterator[Violation]:
    where = f"{each.account} {each.row_key}"
    told: list[Any] = []
    for attempt in each.successes():
        body = attempt.body
        if body.get("changed") is False or "key" not in body:
            continue
        if written is None:
            yield Violation("I5", where, f"was answered {body}, and is not in the ledger")
            continue
        yield from _judge_amount(where, body, written)
        told.append(_comparable(body))
    if any(each != told[0] for each in told):
        yield Violation("I7", where, f"two answers for one key: {told}")
    if written is not None and each.successes() and each.body and "operation" in each.body:
        yield from judge_price(where, each, written, watch)
    if written is not None and each.successes() and written.entry.kind is EntryKind.SETTLE:
        yield from judge_settle_price(where, each, written, watch)
    if written is not None and written.entry.kind is EntryKind.RERATE:
        yield from judge_rerate(where, written, watch)


def _comparable(body: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in body.items() if k != "request_id"}, sort_keys=True)


def _judge_amount(where: str, body: dict[str, Any], written: Written) -> Iterator[Violation]:
    entry = written.entry
    name = SHOWN_BY_KIND.get(entry.kind)
    facts = {
        "available": entry.available_after_microcredits,
        "held": entry.held_after_microcredits,
        "debt": entry.debt_after_microcredits,
    }
    if name is not None:
        facts[name] = entry.moved_microcredits
    for member, amount in facts.items():
        if str(body.get(member)) != shown(amount):
            yield Violation("I5", where, f"{member} was {body.get(member)}, is {shown(amount)}")
    if body.get("seq") != entry.seq:
        yield Violation("I5", where, f"seq was {body.get('seq')}, is {entry.seq}")


def _judge_refused(each: Asked) -> Iterator[Violation]:
    """An invocation that refused has written nothing of the command."""
    mine = f"{each.account} {each.row_key}"
    for attempt in each.attempts:
        answer = attempt.invocation.answer
        is_refused = answer is not None and 400 <= int(answer["statusCode"]) < 500
        if is_refused and mine in attempt.invocation.wrote:
            yield Violation("I6", mine, f"refused with {answer}, and written")


def _judge_shortages(each: Asked, watch: Watch) -> Iterator[Violation]:
    """A 402 names the price of the run and a balance that was too low at the time: I18."""
    where = f"{each.account} {each.row_key}"
    for attempt in each.attempts:
        body = attempt.body
        if attempt.status != 402 or "operation" not in each.body:
            continue
        seen = seen_by(each.account, attempt, watch)
        prices = {shown(price) for price in prices_then(each, relied_on(each), seen, attempt)}
        if str(body["required"]) not in prices:
            yield Violation("I18", where, f"402 asks for {body['required']}, it costs {prices}")
        if body["code"] == "insufficient_credits" and not _could_not_pay(each, attempt, watch):
            yield Violation("busy", where, f"402 with {body['available']} that it never had then")


def _could_not_pay(each: Asked, attempt: Attempt, watch: Watch) -> bool:
    """The account had what the 402 says at some moment of the request, or time has moved it."""
    kept = watch.accounts.get(each.account)
    if kept is None:
        return True
    versions = kept.versions
    before = [account for at_us, account in versions if at_us < attempt.sent_us][-1:]
    during = [a for at_us, a in versions if attempt.sent_us <= at_us <= attempt.ended_us]
    if not before:
        return True
    latest = EPOCH + timedelta(microseconds=attempt.ended_us) + SKEW
    if any(moves_at(account) <= latest for account in (*before, *during)):
        return True
    told = str(attempt.body["available"])
    return any(shown(account.available_microcredits) == told for account in (*before, *during))


def moves_at(account: Account) -> datetime:
    """When time changes the balance next; the end of a day alone does not."""
    moments = [g.expires_at if g.has_started else g.effective_at for g in account.grants]
    moments += [account.plan.period_end_at, account.next_zone_at]
    moments += [hold.expires_at for hold in account.holds]
    return min(moment for moment in moments if moment is not None)


def _judge_keys_of_two(asked: list[Asked]) -> Iterator[Violation]:
    """A key that two different requests used has worked for one of them only."""
    by_key: dict[tuple[str, str], list[Asked]] = {}
    for each in asked:
        if each.row_key:
            by_key.setdefault((each.account, each.row_key), []).append(each)
    for (account, key), several in by_key.items():
        won = [each for each in several if each.successes()]
        if len({_asks_for(each) for each in won}) > 1:
            yield Violation("I8", f"{account} {key}", "worked for two different requests")
        for each in several if len(several) > 1 and won else ():
            if _asks_for(each) != _asks_for(won[0]):
                yield from _judge_loser(each, won[0])


def _asks_for(each: Asked) -> str:
    """What a key's request is compared by."""
    sent: dict[str, Any] = each.body or {}
    body = {name: member for name, member in sent.items() if name != "hold_id"}
    return json.dumps([each.route_key, each.path, body], sort_keys=True)


def _judge_loser(loser: Asked, winner: Asked) -> Iterator[Violation]:
    """After the key worked for one request, the other one is told that it was used."""
    done_us = min(each.ended_us for each in winner.successes())
    for attempt in loser.answers():
        if attempt.sent_us > done_us and attempt.status != 422:
            yield Violation("I8", f"{loser.account} {loser.row_key}", f"{attempt.status}, not 422")


def _judge_unasked(asked: list[Asked], watch: Watch) -> Iterator[Violation]:
    """Every row of a caller's key was asked for by somebody, for that account."""
    keys = {(each.account, each.row_key) for each in asked}
    for account, rows in watch.rows.items():
        for key in rows:
            is_time = not key.startswith(("c#", "h#")) or key.endswith("#expire")
            if not is_time and not key.startswith("c#put:") and (account, key) not in keys:
                yield Violation("I17", f"{account} {key}", "nobody asked for this row")


def judge_purchases(bought: list[Bought], items: Any, watch: Watch) -> Iterator[Violation]:
    """Every purchase is what its events make of it in whatever order they came: I12 and I13."""
    for record in bought:
        item = items(record.account, record.purchase)
        where = f"{record.account} {record.purchase}"
        key = purchase_entry_key(record.purchase)
        row = watch.rows.get(record.account, {}).get(key)
        status = item["status"]["S"]
        expected = _expected_status(record)
        if status != expected and not (status == "quarantined" and _was_closed(record, watch)):
            yield Violation("I13", where, f"is {status}, its events make it {expected}")
        if (row is not None) != (status == "paid"):
            yield Violation("I12", where, f"is {status} with{'out' if row is None else ''} credits")
        if row is not None and shown(row.entry.moved_microcredits) != record.credits:
            yield Violation("I12", where, "brought other credits than were sold")
        if status == "paid":
            yield from judge_money_back(record, item, watch, Violation)


def _expected_status(record: Bought) -> str:
    if not record.paths:
        return "created"
    if any(path.endswith("/paid") for path in record.paths):
        return "quarantined" if record.is_other_money else "paid"
    if record.is_other_money:
        return "created"
    ranks = {"unpaid": ("pending", 1), "failed": ("failed", 3), "expired": ("expired", 2)}
    reached = [("created", 0)]
    for path in record.paths:
        type_ = path.partition("/")[0].rpartition(".")[2]
        name = {"async_payment_failed": "failed", "expired": "expired"}.get(type_, "unpaid")
        reached.append(ranks[name])
    return max(reached, key=lambda each: each[1])[0]


def _was_closed(record: Bought, watch: Watch) -> bool:
    kept = watch.accounts.get(record.account)
    return kept is not None and kept.account.status.value == "closed"


def judge_forged(asked: list[Asked]) -> Iterator[Violation]:
    """What Stripe did not sign just now was not taken."""
    for each in asked:
        if isinstance(each, Delivery) and not each.is_genuine:
            taken = [a for a in each.attempts if _is_taken(a)]
            if taken:
                yield Violation("forged", each.story, f"was answered {taken[0].body}")


def _is_taken(attempt: Attempt) -> bool:
    answer = attempt.invocation.answer
    return answer is not None and int(answer["statusCode"]) < 400
