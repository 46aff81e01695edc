"""Bugs of payments: what an event does, once, in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulation.loop import current
from simulation.planted.bug import Bug, Patches
from simulation.planted.keys import under_key, without_condition
from tollkeeper.domain import payments
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.errors import BusyError
from tollkeeper.domain.payments import Payment, PaymentOutcome, Verdict
from tollkeeper.domain.purchases import (
    EventSeen,
    Purchase,
    PurchaseMoved,
    PurchaseStatus,
    decide_purchase,
    purchase_entry_key,
    purchase_id_of,
)
from tollkeeper.edge import deliveries, stripe_events, stripe_signature
from tollkeeper.service import purchasing, selling
from tollkeeper.service.commit import Order, commit
from tollkeeper.service.ports import World
from tollkeeper.service.purchasing import Applied
from tollkeeper.store import ledger, payment_writes
from tollkeeper.store.ledger import Ledger
from tollkeeper.store.payment_writes import purchase_to_writes
from tollkeeper.store.writes import Write, decision_to_writes


def _always_grant(patches: Patches) -> None:
    """What the purchase says of itself does not matter; the event alone does."""
    own = payments.judge_payment

    def judge(purchase: Purchase, payment: Payment, *, expects_live: bool) -> Verdict:
        verdict = own(purchase, payment, expects_live=expects_live)
        if verdict.outcome is PaymentOutcome.DUPLICATE:
            return Verdict(PaymentOutcome.GRANTED, PurchaseStatus.PAID)
        return verdict

    patches.replace(purchasing, "judge_payment", judge)


def _blind(patches: Patches, *kinds: type[object]) -> None:
    own = payment_writes.payment_to_writes

    def payment_to_writes(also: object) -> list[Write]:
        is_blind = isinstance(also, kinds)
        return [without_condition(slot) if is_blind else slot for slot in own(also)]

    patches.replace(payment_writes, "payment_to_writes", payment_to_writes)


def get_then_put(patches: Patches) -> None:
    """An event is looked up, worked on and noted down, in three steps."""
    _always_grant(patches)
    _blind(patches, EventSeen, PurchaseMoved)
    own = vars(purchasing)["_apply"]

    def apply(world: World, payment: Payment, *, expects_live: bool) -> Applied:
        if world.ledger.has_event(payment.event):
            return Applied(PaymentOutcome.DUPLICATE)
        return own(world, payment, expects_live=expects_live)

    def unkeyed(decision: Decision) -> list[Write]:
        slots = decision_to_writes(decision)
        is_ours = decision.answer is not None and decision.answer.key.startswith("s#")
        return [without_condition(s) if is_ours and s.role == "answer" else s for s in slots]

    patches.replace(purchasing, "_apply", apply)
    patches.replace(ledger, "decision_to_writes", unkeyed)


def by_event_alone(patches: Patches) -> None:
    """Each event has one effect; two events about one payment have two."""
    _always_grant(patches)
    _blind(patches, PurchaseMoved)

    def grant(world: World, payment: Payment, purchase: Purchase) -> Applied:
        key = purchase_entry_key(purchase.id)
        if not payment.type.endswith("completed"):
            key = EntryKey(f"{key}:{payment.event}")
        seen = EventSeen(payment.event, payment.type, "granted", world.clock.now())

        def decide(draft: Draft) -> Decision:
            return under_key(
                decide_purchase(draft, purchase, payment_intent=payment.payment_intent, event=seen),
                key,
            )

        granted = commit(world, Order(purchase.account, key, request_hash="", decide=decide))
        return Applied(PaymentOutcome.GRANTED, purchase, granted=granted)

    patches.replace(purchasing, "_grant", grant)


def blind_purchase(patches: Patches) -> None:
    """The purchase is written over whatever it has become meanwhile."""
    _blind(patches, PurchaseMoved)


def any_money(patches: Patches) -> None:
    """Amount, currency, page and mode of a payment are not compared."""

    def find(*_: Any, **__: Any) -> str:
        return ""

    patches.replace(payments, "find_mismatch", find)


def last_event_wins(patches: Patches) -> None:
    """A purchase becomes what the event says that came last."""
    own = payments.judge_payment

    def judge(purchase: Purchase, payment: Payment, *, expects_live: bool) -> Verdict:
        if payment.status is PurchaseStatus.PAID:
            return own(purchase, payment, expects_live=expects_live)
        return Verdict(PaymentOutcome(payment.status.value), payment.status)

    patches.replace(purchasing, "judge_payment", judge)


def duplicate_is_an_error(patches: Patches) -> None:
    """An event that was processed is answered with an error, so that it comes for ever."""

    def leave(_: World, payment: Payment, *__: Any) -> Applied:
        raise RuntimeError(f"the event {payment.event} was processed before")

    patches.replace(purchasing, "_leave", leave)


def failure_is_taken(patches: Patches) -> None:
    """An event that could not be processed now is answered as received."""
    own = deliveries.apply_payment

    def apply(world: World, payment: Payment, *, expects_live: bool) -> Applied:
        try:
            return own(world, payment, expects_live=expects_live)
        except BusyError:
            return Applied(PaymentOutcome.IGNORED)

    patches.replace(deliveries, "apply_payment", apply)


def grant_then_paid(patches: Patches) -> None:
    """The credits are written, then that the purchase is paid."""

    def write_decision(self: Any, decision: Decision) -> None:
        slots = decision_to_writes(decision)
        late = [slot for slot in slots if slot.role in ("purchase", "event", "link")]
        self._write([slot for slot in slots if slot not in late])
        if late:
            self._write(late)

    patches.replace(Ledger, "write_decision", write_decision)


def paid_then_grant(patches: Patches) -> None:
    """That the purchase is paid is written, then the credits."""
    own = vars(purchasing)["_grant"]

    def grant(world: World, payment: Payment, purchase: Purchase) -> Applied:
        verdict = Verdict(PaymentOutcome.GRANTED, PurchaseStatus.PAID)
        paid = payments.follow(purchase, payment, verdict)
        slots = purchase_to_writes(paid)
        world.ledger.write_puts(*slots)
        return own(world, payment, paid)

    patches.replace(purchasing, "_grant", grant)


def priced_when_paid(patches: Patches) -> None:
    """A paid pack brings what the catalog says by then, not what was offered."""

    def decide(draft: Draft, purchase: Purchase, **facts: Any) -> Decision:
        pack = current().invocation.environment.world.catalog.packs[purchase.pack]
        now = replace(purchase, credits_microcredits=pack.credits_microcredits)
        return decide_purchase(draft, now, **facts)

    patches.replace(purchasing, "decide_purchase", decide)


def purchase_per_try(patches: Patches) -> None:
    """Every try of a checkout is a purchase of its own."""

    def id_of(account: Any, key: EntryKey) -> str:
        return purchase_id_of(account, EntryKey(f"{key}@{current().loop.now_us}"))

    patches.replace(selling, "purchase_id_of", id_of)


def page_before_purchase(patches: Patches) -> None:
    """The payment page is opened before the purchase is recorded."""
    patches.replace(selling, "_record", _offer)


def _offer(world: World, request: Any, purchase_id: str) -> Purchase:
    return selling.offer(
        world.catalog.packs[request.pack],
        purchase_id=purchase_id,
        account=request.account,
        request_hash=request.request_hash,
        now=world.clock.now(),
    )


def unsigned(patches: Patches) -> None:
    """Nobody looks at the signature."""

    def verify(*_: Any, **__: Any) -> None:
        return

    patches.replace(stripe_events, "verify_signature", verify)


def signed_whenever(patches: Patches) -> None:
    """A signature of any time is good."""
    patches.replace(stripe_signature, "TOLERANCE_S", 10**9)


def future_is_good(patches: Patches) -> None:
    """A signature from the future is good, as in a well-known library."""
    own = stripe_events.verify_signature

    def verify(raw: bytes, header: str, **given: Any) -> None:
        time = int(header.partition("t=")[2].partition(",")[0] or 0)
        moment = given["now"]
        if time > moment.timestamp():
            moment = moment.fromtimestamp(time, moment.tzinfo)
        own(raw, header, secrets=given["secrets"], now=moment)

    patches.replace(stripe_events, "verify_signature", verify)


BUGS = (
    Bug("get, then put", "an event is looked up and noted down apart", get_then_put),
    Bug("event alone", "two events about one payment count twice", by_event_alone),
    Bug("blind purchase", "a purchase is written without its version", blind_purchase),
    Bug("any money", "whatever was paid brings the credits", any_money),
    Bug("last event wins", "a late event turns a purchase back", last_event_wins),
    Bug("duplicate is an error", "a second delivery is answered 500", duplicate_is_an_error),
    Bug("failure is taken", "what could not be done is answered 200", failure_is_taken),
    Bug("grant, then paid", "credits and purchase in two writes", grant_then_paid),
    Bug("paid, then grant", "purchase and credits in two writes", paid_then_grant),
    Bug("priced when paid", "a pack brings today's credits", priced_when_paid),
    Bug("purchase per try", "a repeated checkout sells twice", purchase_per_try),
    Bug("page before purchase", "a page opens before anything is recorded", page_before_purchase),
    Bug("unsigned", "the signature is not checked", unsigned),
    Bug("signed whenever", "an old signature is good", signed_whenever),
    Bug("signed tomorrow", "a signature from the future is good", future_is_good),
)
