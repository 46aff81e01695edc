"""Whether the ledgers are what the clients were told: each verdict is a sentence about a break.

Everything here is a function of records and of what was read; an empty answer means that it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e import socket_wishes as wishes
from tests.e2e.socket_journal import Heard, Records, Told
from tests.e2e.socket_reading import Row, Seen, find_break, micro

Group = tuple[str, str]
"""An account and a key."""

EVENTS = ("paid", "unpaid", "forged")
STANDING = frozenset({(403, "account_frozen")})
RETURNING = frozenset({(404, "not_found"), (409, "already_refunded"), (422, "invalid")})
# The refusals that each kind of request may meet in a storm, besides a key used before.
REFUSALS: Mapping[str, frozenset[tuple[int, str]]] = {
    "deduct": STANDING | {(402, "insufficient_credits"), (402, "feature_limit")},
    "void": RETURNING,
    "refund": RETURNING,
    "trespass": frozenset({(404, "not_found")}),
    "grant": frozenset({(409, "grant_limit"), (422, "invalid")}),
    "adjustment": STANDING | {(402, "insufficient_credits"), (409, "grant_limit")},
    "forged": frozenset({(400, "malformed")}),
}
MISMATCH = (422, "idempotency_mismatch")


@dataclass(kw_only=True)
class Keys:
    """The keyed requests of a storm, by account and key."""

    groups: dict[Group, list[Heard]] = field(default_factory=dict[Group, list[Heard]])

    @classmethod
    def of(cls, records: Records) -> Keys:
        """Those of the records."""
        groups: defaultdict[Group, list[Heard]] = defaultdict(list)
        for heard in records.heard.values():
            if heard.ask.key:
                groups[heard.ask.account, heard.ask.key].append(heard)
        return cls(groups=dict(groups))

    def applied(self) -> Iterator[tuple[Group, list[Heard], list[Told]]]:
        """The groups that were acknowledged, with their successful answers."""
        for group, asked in self.groups.items():
            done = successes(asked)
            if done:
                yield group, asked, done


def successes(asked: Iterable[Heard]) -> list[Told]:
    """The answers that say that something was done; a PUT that found its wish did nothing."""
    answers = [heard.answer for heard in asked]
    return [told for told in answers if told and told.is_success and "changed" not in told.members]


def judge_keys(keys: Keys, ledgers: Mapping[str, Seen]) -> Iterator[str]:
    """I4 to I8: one effect per key, durable once it was acknowledged, the same in every answer."""
    rows = {seen.account: {row.key: row for row in seen.rows} for seen in ledgers.values()}
    for (account, key), asked in keys.groups.items():
        if asked[0].ask.kind != "checkout":
            row = rows.get(account, {}).get(key)
            for what in judge_key(asked, row):
                yield f"{account} {key}: {what}"
        for heard in asked:
            yield from judge_refusal(heard, asked)


def judge_key(asked: Sequence[Heard], row: Row | None) -> Iterator[str]:
    """The requests under one key of one account, and the row of that key."""
    done = successes(asked)
    bodies = [heard.ask.body for heard in asked if heard.answer in done]
    if any(body != bodies[0] for body in bodies):
        yield f"I8: two bodies were both accepted: {bodies}"
    if any(told.members != done[0].members for told in done):
        yield f"I7: its answers differ: {[told.text for told in done]}"
    if sum(not told.was_replayed for told in done) > 1:
        yield f"I4: {sum(not told.was_replayed for told in done)} answers say it happened just now"
    if done and row is None:
        yield f"I5: it was acknowledged and is not in the ledger: {done[0].text}"
    if done and row is not None:
        yield from _judge_amounts(done[0].members, bodies[0] or {}, row)
    if not done and row is not None and not any(h.may_be_done_unheard for h in asked):
        yield f"I6: it was refused and is in the ledger at seq {row.seq}"


def _judge_amounts(told: dict[str, Any], body: dict[str, Any], row: Row) -> Iterator[str]:
    """I5, I18: what was answered is what was asked for, and what is in the ledger."""
    if (told["seq"], micro(told["available"])) != (row.seq, row.available_after):
        yield f"I5: it was answered {told}, and the ledger has {row}"
    if "charged" in told:
        price = wishes.price_micro(body)
        if not micro(told["charged"]) == price == (row.charged or 0) == -row.delta:
            yield f"I18: {body} costs {price}; answered {told['charged']}, in the ledger {row}"
    if "granted" in told and micro(told["granted"]) != micro(body["amount"]):
        yield f"I5: {body} granted {told['granted']}"
    if "adjusted" in told and not micro(told["adjusted"]) == micro(body["amount"]) == row.delta:
        yield f"I5: {body} adjusted {told['adjusted']}, in the ledger {row}"


def judge_refusal(heard: Heard, asked: Sequence[Heard]) -> Iterator[str]:
    """Every certain answer is one that the request may get."""
    told, ask = heard.answer, heard.ask
    if told is None:
        yield f"I22: {ask.id} was never answered: {[each.status for each in heard.tries]}"
    elif not told.is_success:
        said = (told.status, str(told.members.get("code", "")))
        is_mismatch = said == MISMATCH and any(other.ask.body != ask.body for other in asked)
        if not is_mismatch and said not in REFUSALS.get(ask.kind, frozenset()):
            yield f"{ask.id}: {ask.kind} {ask.body} was answered {told.status} {told.text[:300]}"
    elif ask.kind in ("forged", "trespass"):
        rule = "forged" if ask.kind == "forged" else "I20"
        yield f"{rule}: {ask.id}: {ask.kind} was let in: {told.text[:300]}"


def judge_failures(records: Records) -> Iterator[str]:
    """A failure that is not a passing one: our own mistake, said by our own code."""
    for heard in records.heard.values():
        for told in heard.tries:
            if told.status == 500 and "code" in told.members:
                yield f"{heard.ask.id}: 500 {told.text[:300]}"


def judge_ledger(seen: Seen, keys: Keys) -> Iterator[str]:
    """I1, I2, I3, I15, I17: the rows explain the balance and the stats, and all were asked for."""
    rows = seen.rows
    where = f"{seen.account}:"
    broken = find_break(rows)
    first_seq = rows[0].seq if rows else 1
    if broken or first_seq != 1 or (rows and rows[0].delta != rows[0].available_after):
        yield f"{where} I2: {broken or rows[0]}"
    total = sum(row.delta for row in rows)
    # An account that nobody touched is shown as its first touch would open it.
    if rows and (len(rows), total) != (seen.seq, seen.available):
        yield f"{where} I1: {len(rows)} rows make {total}; it shows {seen.seq}, {seen.available}"
    below = [row for row in rows if row.available_after < 0]
    if below:
        yield f"{where} I3: {below[0]}"
    if len({row.key for row in rows}) != len(rows):
        yield f"{where} I4: two rows have one key"
    for row in rows:
        if not row.key.startswith(("t~", "s~")) and (seen.account, row.key) not in keys.groups:
            yield f"{where} I17, I20: nobody asked this account for {row}"
    yield from _judge_stats(seen)


def _judge_stats(seen: Seen) -> Iterator[str]:
    """I15. A void takes its run out of the stats, a refund leaves it in."""
    kinds = [row.kind for row in seen.rows]
    charged = sum(row.charged or 0 for row in seen.rows)
    folded = (
        kinds.count("charge") - kinds.count("void"),
        kinds.count("run_failed"),
        charged - sum(seen.returned.values()),
    )
    if folded != (seen.calls, seen.failed, seen.credits):
        shown = (seen.calls, seen.failed, seen.credits)
        yield f"{seen.account}: I15: its rows make {folded}, its stats are {shown}"


def judge_returns(keys: Keys) -> Iterator[str]:
    """I14: a charge is given back at most once, and a void gives back all of it."""
    by_charge: defaultdict[Group, set[str]] = defaultdict(set)
    for (account, key), asked, done in keys.applied():
        if asked[0].ask.kind not in ("void", "refund"):
            continue
        charge = asked[0].ask.about
        by_charge[account, charge].add(key)
        paid = successes(keys.groups.get((account, charge), []))
        amount = asked[0].ask.body and asked[0].ask.body.get("amount")
        if paid and amount is None and paid[0].members["charged"] != done[0].members["refunded"]:
            yield f"{account} {key}: I14: {done[0].text} of {paid[0].text}"
    for group, returned in by_charge.items():
        if len(returned) > 1:
            yield f"{group}: I14: it was given back by {sorted(returned)}"


def judge_purchases(
    records: Records, ledgers: Mapping[str, Seen], statuses: Mapping[str, str]
) -> Iterator[str]:
    """I12, I13: what was paid is granted once; what was not paid is not.

    `statuses` is what each purchase is now, by its id.
    """
    sent: defaultdict[str, list[Heard]] = defaultdict(list)
    for heard in records.heard.values():
        if heard.ask.kind in EVENTS:
            yield from judge_refusal(heard, [])
            sent[heard.ask.about].append(heard)
    rows = {row.key: row for seen in ledgers.values() for row in seen.rows}
    for purchase, (_, pack) in opened_purchases(records).items():
        row = rows.pop(f"s~purchase:{purchase}", None)
        heard = sent[purchase]
        is_paid = any(each.ask.kind == "paid" for each in heard)
        granted = [h for h in heard if h.answer and h.answer.members.get("outcome") == "granted"]
        if len(granted) > 1:
            yield f"{purchase}: I12: {len(granted)} events granted it"
        if is_paid != (statuses[purchase] == "paid") or is_paid != (row is not None):
            yield f"{purchase}: I12: paid is {is_paid}; it is {statuses[purchase]} with {row}"
        if row is not None and row.delta != wishes.PACKS[pack] * wishes.MICRO:
            yield f"{purchase}: I12: the pack {pack} brought {row}"
    for key in rows:
        if key.startswith("s~"):
            yield f"{key}: I17: nobody bought it"


def opened_purchases(records: Records) -> dict[str, tuple[str, str]]:
    """The account and pack of each purchase whose page was opened, by the purchase's id."""
    return {
        str(told.members["purchase_id"]): (heard.ask.account, str(told.members["pack"]))
        for heard in records.heard.values()
        if heard.ask.kind == "checkout" and (told := heard.answer) and told.is_success
    }


def judge_all(
    records: Records, ledgers: Mapping[str, Seen], statuses: Mapping[str, str]
) -> list[str]:
    """Everything that does not hold."""
    keys = Keys.of(records)
    return [
        *records.wrong,
        *judge_failures(records),
        *judge_keys(keys, ledgers),
        *(what for seen in ledgers.values() for what in judge_ledger(seen, keys)),
        *judge_returns(keys),
        *judge_purchases(records, ledgers, statuses),
    ]
