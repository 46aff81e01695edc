"""Saved cards in the storm: a till that declines, takes days, and loses its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulation.asking import DAY_US, HOUR_US
from simulation.loop import Crash
from simulation.network import Network
from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.top_ups import CardOutcome, CardPayment
from tollkeeper.service.ports import PageNews

# So long Stripe knows a request by its idempotency key; then the same one is a new payment.
KEYS_KNOWN_US = DAY_US
OUTCOMES = (CardOutcome.PAID, CardOutcome.DECLINED, CardOutcome.PENDING)
# How often a customer's card works, is declined, and takes days.
MOODS = ((1, 0, 0), (1, 0, 0), (5, 2, 3), (1, 9, 0), (0, 1, 1))
# How long a bank debit is under way.
BANK_US = (HOUR_US, 20 * HOUR_US, 40 * HOUR_US, 3 * DAY_US)


@dataclass
class CardPaid:
    """A payment as Stripe knows it: when it was asked for, and when the bank knows its end."""

    payment: CardPayment
    purchase: Purchase
    asked_us: int
    known_us: int = 0
    ends_paid: bool = False


@dataclass
class SimulatedCards:
    """Every payment that was ever made by a saved card. `tell` hears of what becomes of one."""

    network: Network
    paid: list[CardPaid] = field(default_factory=list[CardPaid])
    moods: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    tell: Callable[[CardPaid], None] = lambda _: None

    def find_card(self, customer: str) -> str:
        """The customer's card. Raises: PaymentsUnavailableError."""
        self._travel()
        return f"pm_{customer}"

    def charge(self, purchase: Purchase, *, card: str) -> CardPayment:
        """The payment of this key; a new one where the key is forgotten or was never there."""
        del card
        self._travel()
        now_us = self.network.loop.now_us
        known = [each for each in self._of(purchase.id) if now_us - each.asked_us < KEYS_KNOWN_US]
        made = known[-1] if known else self._make(purchase)
        if self.network.faults.strikes("card_crash", 0.2):
            raise Crash("card_crash")
        if self.network.faults.strikes("card_answer_lost", 0.4):
            raise PaymentsUnavailableError("Stripe's answer got lost.")
        return made.payment

    def read_payment(self, payment_intent: str) -> CardPayment:
        """What became of the payment. Raises: PaymentsUnavailableError."""
        self._travel()
        found = next(e for e in self.paid if e.payment.payment_intent == payment_intent)
        return self._now(found)

    def find_payment(self, purchase: Purchase) -> CardPayment | None:
        """The last payment that names the purchase. Raises: PaymentsUnavailableError."""
        self._travel()
        found = self._of(purchase.id)
        return self._now(found[-1]) if found else None

    def cancel(self, payment_intent: str) -> CardPayment:
        """What it had become before. Raises: PaymentsUnavailableError."""
        return self.read_payment(payment_intent)

    def read_page(self, session: str) -> PageNews:
        """No page is ever opened for a payment that no customer needs to confirm."""
        raise AssertionError(session)

    def _travel(self) -> None:
        self.network.wait(20 * self.network.travel_us())
        if self.network.faults.strikes("card_refused", 0.2):
            raise PaymentsUnavailableError("Stripe is not there.")

    def _of(self, purchase: str) -> list[CardPaid]:
        return [each for each in self.paid if each.purchase.id == purchase]

    def _make(self, purchase: Purchase) -> CardPaid:
        random, now_us = self.network.faults.random, self.network.loop.now_us
        mood = self.moods.setdefault(purchase.customer, random.choice(MOODS))
        outcome = random.choices(OUTCOMES, mood)[0]
        payment = CardPayment(
            outcome,
            payment_intent=f"pi_card_{len(self.paid)}",
            amount_minor=purchase.price_minor,
            currency=purchase.currency,
            reason="card_declined" if outcome is CardOutcome.DECLINED else "",
        )
        made = CardPaid(payment, purchase, now_us)
        if outcome is CardOutcome.PENDING:
            made.known_us = now_us + random.choice(BANK_US)
            made.ends_paid = random.random() < 0.6
        self.paid.append(made)
        self.tell(made)
        return made

    def _now(self, made: CardPaid) -> CardPayment:
        """The payment as it is by now: one of a bank has ended, after its days."""
        return self.end_of(made) if self.network.loop.now_us >= made.known_us else made.payment

    def end_of(self, made: CardPaid) -> CardPayment:
        """The payment as it is in the end."""
        if made.payment.outcome is not CardOutcome.PENDING:
            return made.payment
        outcome = CardOutcome.PAID if made.ends_paid else CardOutcome.DECLINED
        return replace(made.payment, outcome=outcome)
