"""Saved cards through Stripe's SDK: what Stripe says, and what it does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.stripe import api
from local.stripe.payments import cancel_payment, open_payment
from local.stripe.state import Object
from tests.support.driving import FakeClock
from tests.support.stripe_machine import (
    LOST_AFTER,
    LOST_BEFORE,
    SERVER_ERROR,
    Machine,
    plug_in,
)
from tests.unit.building import ACCOUNT, CATALOG, NOON
from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase, PurchaseKind, offer
from tollkeeper.domain.top_ups import CardOutcome
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_cards import SdkCards, choose_cards

BOUGHT = offer(
    CATALOG.packs["small"],
    purchase_id="pur_" + "0" * 32,
    account=ACCOUNT,
    request_hash="",
    now=NOON,
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A Stripe account that the SDK speaks to."""
    made = Machine(FakeClock())
    plug_in(monkeypatch, made)
    return made


@pytest.fixture
def cards() -> SdkCards:
    """The gateway."""
    return SdkCards("sk_test_1")


def bought_by(customer: Object) -> Purchase:
    """The purchase of a customer."""
    return replace(BOUGHT, kind=PurchaseKind.TOP_UP, customer=str(customer["id"]))


def card_of(customer: Object) -> str:
    """The card that the customer pays with by default."""
    return str(customer["invoice_settings"]["default_payment_method"])


def test_a_card_that_works_pays_the_price_once(machine: Machine, cards: SdkCards) -> None:
    customer = machine.customer()
    purchase = bought_by(customer)

    first = cards.charge(purchase, card=card_of(customer))
    again = cards.charge(purchase, card=card_of(customer))

    assert first == again
    assert (first.outcome, first.amount_minor, first.currency) == (CardOutcome.PAID, 1000, "usd")
    (intent,) = machine.intents()
    assert intent["id"] == first.payment_intent and machine.taken_minor() == 1000
    assert intent["metadata"] == {"purchase_id": purchase.id, "account": ACCOUNT}
    assert (intent["description"], first.reason, first.is_live) == ("Small: 100 credits", "", False)


@pytest.mark.parametrize(
    ("card", "outcome", "reason"),
    [
        ("declined", CardOutcome.DECLINED, "card_declined"),
        ("authenticates", CardOutcome.NEEDS_CUSTOMER, "authentication_required"),
        ("bank", CardOutcome.PENDING, "processing"),
    ],
)
def test_what_the_bank_says_is_an_answer_and_the_same_one_when_it_is_read(
    machine: Machine, cards: SdkCards, card: str, outcome: CardOutcome, reason: str
) -> None:
    customer = machine.customer(card)

    answer = cards.charge(bought_by(customer), card=card_of(customer))

    assert (answer.outcome, answer.reason, answer.amount_minor) == (outcome, reason, 1000)
    assert cards.read_payment(answer.payment_intent) == answer
    assert machine.taken_minor() == 0


def test_a_card_that_is_gone_is_declined(machine: Machine, cards: SdkCards) -> None:
    answer = cards.charge(bought_by(machine.customer()), card="pm_gone")

    assert (answer.outcome, answer.reason) == (CardOutcome.DECLINED, "resource_missing")
    assert machine.intents() == []


@pytest.mark.parametrize("fault", [LOST_BEFORE, LOST_AFTER, SERVER_ERROR])
def test_what_stripe_does_not_say_is_no_answer(
    machine: Machine, cards: SdkCards, fault: str
) -> None:
    customer = machine.customer()
    machine.plan[0] = fault

    with pytest.raises(PaymentsUnavailableError):
        cards.charge(bought_by(customer), card=card_of(customer))


def test_another_request_under_the_same_key_is_no_answer(machine: Machine, cards: SdkCards) -> None:
    customer = machine.customer()
    cards.charge(bought_by(customer), card=card_of(customer))
    other = machine.save_card(customer, "good")

    with pytest.raises(PaymentsUnavailableError):
        cards.charge(bought_by(customer), card=str(other["id"]))
    assert machine.taken_minor() == 1000


def test_a_key_that_stripe_does_not_take_is_no_answer(
    machine: Machine, cards: SdkCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> api.Reply:
        return 401, {}, b'{"error": {"type": "invalid_request_error", "message": "No."}}'

    monkeypatch.setattr(api, "respond", refuse)
    with pytest.raises(PaymentsUnavailableError):
        cards.charge(bought_by({"id": "cus_1"}), card="pm_1")


def test_the_default_card_pays_else_the_last_one_that_was_saved(
    machine: Machine, cards: SdkCards
) -> None:
    customer = machine.customer("good")
    default = card_of(customer)
    customer_id = str(customer["id"])
    last = machine.save_card(customer, "declined")
    customer["invoice_settings"]["default_payment_method"] = default

    assert cards.find_card(customer_id) == default
    customer["invoice_settings"]["default_payment_method"] = None
    assert cards.find_card(customer_id) == last["id"]


def test_a_customer_without_a_card_or_who_is_gone_has_none(
    machine: Machine, cards: SdkCards
) -> None:
    customer = machine.customer()
    customer["invoice_settings"]["default_payment_method"] = None
    machine.state.all_of("payment_method").clear()

    assert cards.find_card(str(customer["id"])) == ""
    assert cards.find_card("cus_gone") == ""


def test_a_payment_is_found_by_its_purchase_among_hundreds(
    machine: Machine, cards: SdkCards
) -> None:
    customer = machine.customer()
    purchase = bought_by(customer)
    assert cards.find_payment(purchase) is None
    mine = cards.charge(purchase, card=card_of(customer))
    for _ in range(230):
        open_payment(
            machine.state, machine.now, amount=1, currency="usd", customer=str(customer["id"])
        )

    assert cards.find_payment(purchase) == mine
    assert cards.find_payment(replace(purchase, id="pur_" + "1" * 32)) is None


def test_of_several_payments_for_one_purchase_the_one_that_moved_money_counts(
    machine: Machine, cards: SdkCards
) -> None:
    customer = machine.customer()
    purchase = bought_by(customer)
    paid = cards.charge(purchase, card=card_of(customer))
    canceled = open_payment(
        machine.state,
        machine.now,
        amount=1000,
        currency="usd",
        customer=str(customer["id"]),
        metadata={"purchase_id": purchase.id},
    )
    cancel_payment(machine.state, canceled, machine.now, reason=None)

    assert cards.find_payment(purchase) == paid


def test_a_canceled_payment_can_never_be_made(machine: Machine, cards: SdkCards) -> None:
    customer = machine.customer("authenticates")
    asked = cards.charge(bought_by(customer), card=card_of(customer))

    canceled = cards.cancel(asked.payment_intent)

    assert canceled.outcome is CardOutcome.DECLINED
    assert cards.cancel(asked.payment_intent) == canceled
    assert [each["status"] for each in machine.intents()] == ["canceled"]


def test_a_payment_that_was_made_before_it_could_be_canceled_is_paid(
    machine: Machine, cards: SdkCards
) -> None:
    customer = machine.customer()
    paid = cards.charge(bought_by(customer), card=card_of(customer))

    assert cards.cancel(paid.payment_intent) == paid


def test_without_a_key_nothing_is_asked(machine: Machine) -> None:
    class NoSecrets:
        """A stack that was not set up."""

        def read_secret(self, name: str) -> str:
            """Nothing."""
            assert name == "STRIPE_SECRET_KEY"
            return ""

    cards = choose_cards(Settings(table_name="t"), NoSecrets())

    with pytest.raises(PaymentsUnavailableError, match="STRIPE_SECRET_KEY"):
        cards.find_card("cus_1")
    assert machine.calls == []
