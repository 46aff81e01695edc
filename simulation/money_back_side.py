"""Money that goes back in the storm: refunds and disputes of what was paid, and what they say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from tests.stripe_orders.making import SHAPES, Maker
from tests.stripe_orders.model import Fact, Sold, end_of
from tests.stripe_orders.stories import (
    CLOSED,
    CREATED,
    REINSTATED,
    WITHDRAWN,
    Step,
    Told,
)
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.store.payments import purchase_from_item

if TYPE_CHECKING:
    from simulation.stripe_side import Bought, SimulatedStripe
    from simulation.watch import Violation, Watch

MOVES = {EntryKind.GRANT: 1, EntryKind.CLAWBACK: -1, EntryKind.REINSTATE: 1}


def tell_money_back(
    stripe: SimulatedStripe, record: Bought, random: Random
) -> Iterator[dict[str, Any]]:
    """Events about the purchase's money, and their facts in the record."""
    session = stripe.sessions[record.purchase]
    bought = {
        "purchase_id": record.purchase,
        "account": record.account,
        "price_minor": session["amount_subtotal"],
        "currency": session["currency"],
    }
    numbers = (stripe.next_number() for _ in itertools.count())
    maker = Maker(random.choice(SHAPES), at=stripe.network.loop.now_us // 10**6, numbers=numbers)
    told = Told(maker, bought)
    for step in _steps(told, random):
        record.facts.extend(step.facts)
        yield step.event


def _steps(told: Told, random: Random) -> list[Step]:
    """What may become of a payment: any of its parts may be told of, or not."""
    part = random.randrange(1, told.total)
    rest = told.total - part
    stories: tuple[list[Step], ...] = (
        [told.refund(part)],
        [told.refund(part // 2), told.refund(part)],
        [told.refund(told.total)],
        [told.dispute(CREATED, "needs_response"), told.refund(part)],
        [
            told.dispute(CREATED, "needs_response", part, name="dp_a"),
            told.dispute(CREATED, "needs_response", rest, name="dp_b"),
        ],
        [told.charged(), told.dispute(WITHDRAWN, "needs_response", by_charge=True)],
        [told.dispute(CREATED, "needs_response"), told.dispute(WITHDRAWN, "needs_response")],
        [told.dispute(CREATED, "needs_response", rest), told.refund(part)],
        [
            told.refund(part),
            told.dispute(CREATED, "needs_response", rest),
            told.dispute(CLOSED, "won", rest),
            told.dispute(REINSTATED, "won", rest),
        ],
        [
            told.charged(),
            told.dispute(WITHDRAWN, "needs_response", by_charge=True),
            told.dispute(CLOSED, "won", by_charge=True),
        ],
        [told.dispute(CREATED, "warning_needs_response"), told.refund(part)],
        [
            told.dispute(CREATED, "needs_response", part, name="dp_a"),
            told.dispute(CREATED, "needs_response", rest, name="dp_b"),
            told.dispute(CLOSED, "won", part, name="dp_a"),
        ],
    )
    return [_unique(step, told) for step in random.choice(stories)]


def _unique(step: Step, told: Told) -> Step:
    """The step with a dispute's name that no other purchase has."""
    found = step.event["data"]["object"]
    if found["object"] != "dispute":
        return step
    name = f"{found['id']}_{told.payment}"
    event = step.event | {"data": {"object": found | {"id": name}}}
    facts = tuple(Fact(fact.what, fact.minor, name) for fact in step.facts)
    return Step(event, facts)


def judge_money_back(
    record: Bought, item: Any, watch: Watch, violation: type[Violation]
) -> Iterator[Violation]:
    """A paid purchase moved exactly what was not taken back of it: I12, I13 and I14."""
    where = f"{record.account} {record.purchase}"
    purchase = purchase_from_item(item)
    sold = Sold(purchase.credits_microcredits, purchase.price_minor)
    ended = end_of(sold, [Fact("paid"), *record.facts])
    if purchase.shown_status.value != ended.status:
        yield violation(
            "I13", where, f"shows {purchase.shown_status.value}, its facts say {ended.status}"
        )
    moved = sum(
        MOVES[entry.kind] * (entry.moved_microcredits + entry.uncollected_microcredits)
        for entry in _rows_of(record, watch)
    )
    # Why: what ended unspent went without a row of the money's; verify holds it against its own.
    expected = ended.moved + purchase.lapsed_microcredits
    if moved != expected:
        yield violation("I14", where, f"moved {moved} in all, its facts say {expected}")


def _rows_of(record: Bought, watch: Watch) -> Iterator[Entry]:
    for written in watch.rows.get(record.account, {}).values():
        entry = written.entry
        if entry.kind in MOVES and dict(entry.details).get("purchase") == record.purchase:
            yield entry
